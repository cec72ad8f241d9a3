package tosspayments_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/leak"
)

const marker = "marker-5ec2e7-of-a-secret"

// exported has a value of every exported struct type of the package.
var exported = []any{
	tosspayments.Amount{}, tosspayments.Attempt{}, tosspayments.BankDiscount{}, tosspayments.Billing{}, tosspayments.BillingCard{},
	tosspayments.BillingKey{}, tosspayments.BillingRedirect{}, tosspayments.BillingTransfer{}, tosspayments.CallDetails{}, tosspayments.Cancel{},
	tosspayments.CancelCashReceiptRequest{}, tosspayments.CancelPaymentRequest{}, tosspayments.CanceledError{}, tosspayments.Card{},
	tosspayments.CardPromotions{}, tosspayments.CashReceipt{}, tosspayments.CashReceiptOrder{}, tosspayments.CashReceiptPage{},
	tosspayments.CashReceiptQuery{}, tosspayments.ChargeBillingRequest{}, tosspayments.ChargeKeyInRequest{}, tosspayments.Checkout{},
	tosspayments.CodeInfo{}, tosspayments.ConfirmPaymentRequest{}, tosspayments.ConnectionError{}, tosspayments.CreatePaymentRequest{},
	tosspayments.Date{}, tosspayments.Discount{}, tosspayments.DiscountCard{}, tosspayments.EasyPay{}, tosspayments.Error{},
	tosspayments.EscrowProduct{}, tosspayments.FailRedirect{}, tosspayments.Failure{}, tosspayments.ForeignEasyPay{}, tosspayments.GiftCertificate{},
	tosspayments.InterestFreeCard{}, tosspayments.IssueBillingKeyByCardRequest{}, tosspayments.IssueCashReceiptRequest{},
	tosspayments.IssueVirtualAccountRequest{}, tosspayments.MismatchError{}, tosspayments.MobilePhone{}, tosspayments.OutcomeUnknownError{},
	tosspayments.PartialCancelRequest{}, tosspayments.Payment{}, tosspayments.PaymentCashReceipt{}, tosspayments.PointCard{}, tosspayments.Promotion{}, tosspayments.Receipt{},
	tosspayments.RefundReceiveAccount{}, tosspayments.Request{}, tosspayments.Response{}, tosspayments.Sensitive{}, tosspayments.Settlement{},
	tosspayments.SettlementFee{}, tosspayments.SettlementQuery{}, tosspayments.SuccessRedirect{}, tosspayments.Transaction{},
	tosspayments.TransactionQuery{}, tosspayments.Transfer{}, tosspayments.ValidationError{}, tosspayments.VirtualAccount{},
}

func withSecrets(t reflect.Type) (reflect.Value, bool) {
	if t == reflect.TypeFor[tosspayments.Sensitive]() {
		return reflect.ValueOf(tosspayments.NewSensitive(marker)), true
	}
	return reflect.Value{}, false
}

// leaks returns the forms in which the marker could be recognised.
func leaks(text string) bool {
	for _, form := range []string{
		marker, hex.EncodeToString([]byte(marker)), strings.ToUpper(hex.EncodeToString([]byte(marker))), base64.StdEncoding.EncodeToString([]byte(marker))[:20],
		strings.Trim(fmt.Sprintf("%d", []byte(marker)), "[]")[:40],
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestNoSecretLeavesAnyType(t *testing.T) {
	names, err := leak.Types(".")
	require.NoError(t, err)
	client, err := tosspayments.New("test_sk_" + marker)
	require.NoError(t, err)
	key, err := tosspayments.ParseSecretKey("test_sk_" + marker)
	require.NoError(t, err)
	values := []any{*client, key, tosspayments.Response{Body: []byte(marker)}}
	for _, empty := range exported {
		filled := reflect.New(reflect.TypeOf(empty))
		leak.Fill(filled.Elem(), withSecrets)
		values = append(values, filled.Elem().Interface())
	}
	for _, key := range []tosspayments.BillingKey{tosspayments.NewBillingKey(marker, marker)} {
		values = append(values, key.Stored(), tosspayments.Billing{BillingKey: key}.Stored())
	}
	known := map[string]bool{}
	for _, value := range values {
		known[reflect.TypeOf(value).Name()] = true
		_, kept := value.(json.Marshaler)
		for way, text := range leak.Ways(value) {
			if kept && strings.Contains(reflect.TypeOf(value).Name(), "Stored[") && (strings.HasSuffix(way, " json") || strings.HasSuffix(way, " template")) {
				continue // by name
			}
			assert.False(t, leaks(text), "%T, %s: %.300s", value, way, text)
		}
		assert.False(t, leaks(difference(value)), "the difference that a test prints of %T", value)
	}
	for _, name := range names {
		assert.True(t, known[name], "the type %s is not in the list of this test", name)
	}
}

// difference is what testify prints for two values that are not equal.
func difference(value any) string {
	recorder := new(recorded)
	assert.Equal(recorder, value, reflect.Zero(reflect.TypeOf(value)).Interface())
	assert.Equal(recorder, []any{value}, []any{})
	return recorder.text
}

type recorded struct{ text string }

func (r *recorded) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }

func TestSensitiveIsCompared(t *testing.T) {
	s := tosspayments.NewSensitive(marker)
	assert.True(t, s.Equal(tosspayments.NewSensitive(marker)))
	assert.False(t, s.Equal(tosspayments.NewSensitive("other")))
	assert.False(t, s.Equal(tosspayments.Sensitive{}))
	assert.True(t, tosspayments.NewSensitive("").IsZero())
	assert.Equal(t, s, tosspayments.NewSensitive(marker), "tests can compare payments")
	assert.False(t, reflect.TypeOf(s).Comparable(), "== does not compile")
}

func TestSensitiveInJSON(t *testing.T) {
	data, err := json.Marshal(map[string]any{"s": tosspayments.NewSensitive(marker), "none": tosspayments.Sensitive{}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"s":"[redacted]","none":""}`, string(data))
	var back tosspayments.Sensitive
	require.NoError(t, json.Unmarshal([]byte(`"[redacted]"`), &back))
	assert.True(t, back.IsZero(), "what was redacted never passes for a secret")
	require.NoError(t, json.Unmarshal([]byte(`"text"`), &back))
	assert.Equal(t, "text", back.Reveal())
}

func TestSensitiveInADatabase(t *testing.T) {
	value, err := tosspayments.NewSensitive(marker).Value()
	require.NoError(t, err)
	assert.Equal(t, marker, value)
	none, err := tosspayments.Sensitive{}.Value()
	require.NoError(t, err)
	assert.Nil(t, none)
	for source, want := range map[any]string{value: marker, "text": "text", nil: ""} {
		var back tosspayments.Sensitive
		require.NoError(t, back.Scan(source))
		assert.Equal(t, want, back.Reveal())
	}
	var back tosspayments.Sensitive
	require.NoError(t, back.Scan([]byte("bytes")))
	assert.Equal(t, "bytes", back.Reveal())
	assert.Error(t, back.Scan(7))
}

func TestSensitiveInBSON(t *testing.T) {
	kind, bytes, err := tosspayments.NewSensitive(marker).MarshalBSONValue()
	require.NoError(t, err)
	assert.False(t, leaks(string(bytes)))
	back := tosspayments.NewSensitive("text")
	require.NoError(t, back.UnmarshalBSONValue(kind, bytes))
	assert.True(t, back.IsZero())
}

// secretPayment is a payment with secrets in it and below it.
func secretPayment() *tosspayments.Payment {
	return &tosspayments.Payment{
		PaymentKey: "pay-1", OrderID: "order-0001", Status: "DONE", TotalAmount: tosspayments.Won(15000), Secret: tosspayments.NewSensitive(marker),
		VirtualAccount: &tosspayments.VirtualAccount{AccountNumber: tosspayments.NewSensitive("X6500000000001")},
		Metadata:       tosspayments.Metadata{"a": "b"},
	}
}

func TestPaymentsInJSONHaveNoSecret(t *testing.T) {
	data, err := json.Marshal(secretPayment())
	require.NoError(t, err)
	assert.NotContains(t, string(data), marker)
	var shown tosspayments.Payment
	require.NoError(t, json.Unmarshal(data, &shown))
	assert.True(t, shown.Secret.IsZero())
}

// What has to be kept is kept by name, whole.
func TestStored(t *testing.T) {
	payment := secretPayment()
	whole, err := json.Marshal(struct{ Payment any }{payment.Stored()})
	require.NoError(t, err)
	assert.Contains(t, string(whole), marker)
	column, err := payment.Stored().Value()
	require.NoError(t, err)
	for _, source := range []any{column, []byte(column.(string))} {
		var stored tosspayments.Stored[tosspayments.Payment]
		require.NoError(t, stored.Scan(source))
		assert.Equal(t, *payment, stored.Get())
	}
	kind, bytes, err := payment.Stored().MarshalBSONValue()
	require.NoError(t, err)
	var stored tosspayments.Stored[tosspayments.Payment]
	require.NoError(t, stored.UnmarshalBSONValue(kind, bytes))
	assert.Equal(t, *payment, stored.Get())
}

func TestNothingIsStored(t *testing.T) {
	column, err := (*tosspayments.Payment)(nil).Stored().Value()
	require.NoError(t, err)
	assert.Nil(t, column)
	stored := secretPayment().Stored()
	require.NoError(t, stored.Scan(nil))
	assert.True(t, stored.IsZero())
	assert.Zero(t, stored.Get())
}

func TestStoredRefusesWhatItHasNotWritten(t *testing.T) {
	var stored tosspayments.Stored[tosspayments.Payment]
	assert.Error(t, stored.Scan(7))
	assert.Error(t, stored.Scan("{"))
}

func TestStoredBillingKey(t *testing.T) {
	key := tosspayments.NewBillingKey("billing-key-1", "customer-0001")
	for _, v := range []any{key, &key, struct{ Key tosspayments.BillingKey }{key}, tosspayments.Billing{BillingKey: key}} {
		_, err := json.Marshal(v)
		assert.ErrorContains(t, err, "Stored()", "%T is not lost by accident", v)
	}
	_, _, err := key.MarshalBSONValue()
	assert.Error(t, err)

	data, err := json.Marshal(key.Stored())
	require.NoError(t, err)
	assert.JSONEq(t, `{"billingKey":"billing-key-1","customerKey":"customer-0001"}`, string(data))
	var stored tosspayments.Stored[tosspayments.BillingKey]
	require.NoError(t, json.Unmarshal(data, &stored))
	assert.Equal(t, key, stored.Get())
	for _, lost := range []string{`{"billingKey":"[redacted]","customerKey":"customer-0001"}`, `{"billingKey":"k"}`, `{}`} {
		assert.Error(t, stored.Scan(lost), lost)
	}

	billing := tosspayments.Billing{BillingKey: key, Card: &tosspayments.BillingCard{Number: "4330****123*"}}
	data, err = json.Marshal(billing.Stored())
	require.NoError(t, err)
	var registration tosspayments.Stored[tosspayments.Billing]
	require.NoError(t, json.Unmarshal(data, &registration))
	assert.Equal(t, billing, registration.Get())
}

// An answer that quotes a key, in whatever form, makes no error that does.
func TestErrorsLoseKeys(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(testKey + ":"))
	for _, quoted := range []string{testKey, encoded, strings.TrimRight(encoded, "="), "live_sk_ABCDEFGH12345678", "live_gck_ABCDEFGH12345678"} {
		client, mock := mockClient(t)
		onConfirm(mock, answer{status: 403, body: `{"code":"FORBIDDEN_REQUEST","message":"the key ` + quoted + ` is wrong"}`})
		_, err := client.ConfirmPayment(t.Context(), confirmRequest())
		require.ErrorIs(t, err, tosspayments.ErrForbiddenRequest)
		assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), quoted)
	}
}

// What stands between repeats the path, which has the billing key.
func TestErrorsLoseBillingKeys(t *testing.T) { synctest.Test(t, errorsLoseBillingKeys) }

func errorsLoseBillingKeys(t *testing.T) {
	const key = "billing/key=1"
	for name, between := range map[string]answer{
		"a transport that says what it has done": {err: errors.New("DELETE https://api.tosspayments.com/v1/billing/billing%2Fkey=1 giving up after 5 attempts")},
		"a page":                                 {status: 404, body: "<html>/v1/billing/billing%2Fkey=1 is not here"},
		"a page with the key at a cut":           {status: 404, body: "<html>" + strings.Repeat(" ", 1007) + key},
	} {
		client, mock := mockClient(t)
		mock.RegisterNoResponder((&script{answers: []answer{between}}).respond)
		err := client.DeleteBillingKey(t.Context(), tosspayments.NewBillingKey(key, "customer-1"))
		var unknown *tosspayments.OutcomeUnknownError
		require.ErrorAs(t, err, &unknown, name)
		printed := fmt.Sprint(err, unknown.LastAnswer)
		assert.NotContains(t, printed, "billing%2Fk", name)
		assert.NotContains(t, printed, "billing/k", name)
	}
}

func TestScrubbedErrorsMatch(t *testing.T) {
	client, mock := mockClient(t, tosspayments.WithMaxRetries(0))
	mock.RegisterNoResponder((&script{answers: []answer{{err: fmt.Errorf("with %s: %w", testKey, errLost)}}}).respond)
	_, err := client.GetPayment(t.Context(), "pay-1")
	require.ErrorIs(t, err, errLost)
	assert.NotContains(t, err.Error(), testKey)
}
