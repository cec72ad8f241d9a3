package tosspayments_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

var timeWithoutOffset = regexp.MustCompile(`(T\d\d:\d\d:\d\d)"`)

// loadStrict decodes a fixture and fails on a field that the model does not have.
func loadStrict(t testing.TB, name string, v any) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	// The strict decoder does not know that a time without an offset is Korean.
	decoder := json.NewDecoder(bytes.NewReader(timeWithoutOffset.ReplaceAll(data, []byte(`$1+09:00"`))))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(v), name)
	return data
}

func loadPayment(t testing.TB, name string) *tosspayments.Payment {
	t.Helper()
	p := new(tosspayments.PaymentFields)
	loadStrict(t, name, p)
	return (*tosspayments.Payment)(p)
}

func TestPaymentFixturesReencode(t *testing.T) {
	for _, name := range []string{"payment_guide.json", "payment_full.json", "payment_expired.json"} {
		t.Run(name, func(t *testing.T) {
			p := loadPayment(t, name)
			encoded, err := json.Marshal(p.Stored())
			require.NoError(t, err)
			again := new(tosspayments.Payment)
			require.NoError(t, json.Unmarshal(encoded, again))
			assert.Equal(t, p, again)
		})
	}
}

// The full fixture has every field, so none may be left at its zero value.
func TestFullFixtureFillsEveryField(t *testing.T) {
	assertFilled(t, "Payment", reflect.ValueOf(*loadPayment(t, "payment_full.json")))
}

func assertFilled(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch {
	case v.IsZero():
		t.Errorf("%s is not set", path)
	case v.Kind() == reflect.Pointer:
		assertFilled(t, path, v.Elem())
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			assertFilled(t, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[tosspayments.Payment]().PkgPath():
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				assertFilled(t, path+"."+f.Name, v.Field(i))
			}
		}
	}
}

func TestGuideSample(t *testing.T) {
	p := loadPayment(t, "payment_guide.json")
	assert.Equal(t, "2024-06-01", p.Version)
	assert.Equal(t, "71", p.Card.IssuerCode)
	assert.Equal(t, tosspayments.EasyPayTossPay, p.EasyPay.Provider.Code())
	assert.True(t, p.ApprovedAt.Equal(time.Date(2024, 6, 18, 6, 14, 34, 0, time.UTC)))
}

func TestGuideSampleHasNoBalance(t *testing.T) {
	p := loadPayment(t, "payment_guide.json")
	assert.Nil(t, p.BalanceAmount)
	assert.True(t, p.IsPaid())
	assert.False(t, p.IsFullyCanceled())
	assert.Equal(t, tosspayments.Won(50000), p.Cancelable())
}

func TestPaymentQuestions(t *testing.T) {
	won := func(n int64) *tosspayments.Amount { a := tosspayments.Won(n); return &a }
	for _, row := range []struct {
		name           string
		payment        tosspayments.Payment
		paid, canceled bool
		cancelable     int64
	}{
		{"ready", tosspayments.Payment{Status: "READY", BalanceAmount: won(10)}, false, false, 0},
		{"done", tosspayments.Payment{Status: "DONE", BalanceAmount: won(10)}, true, false, 10},
		{"waiting", tosspayments.Payment{Status: "WAITING_FOR_DEPOSIT", BalanceAmount: won(10)}, false, false, 10},
		{"part", tosspayments.Payment{Status: "PARTIAL_CANCELED", BalanceAmount: won(4)}, true, false, 4},
		{"parts of the whole", tosspayments.Payment{Status: "PARTIAL_CANCELED", BalanceAmount: won(0)}, false, true, 0},
		{"canceled", tosspayments.Payment{Status: "CANCELED", BalanceAmount: won(0)}, false, true, 0},
		{"canceled, no balance", tosspayments.Payment{Status: "CANCELED"}, false, false, 0},
		{"aborted", tosspayments.Payment{Status: "ABORTED", BalanceAmount: won(10)}, false, false, 0},
		{"of tomorrow", tosspayments.Payment{Status: "SHINY", BalanceAmount: won(10)}, false, false, 0},
		{"no balance", tosspayments.Payment{Status: "PARTIAL_CANCELED", TotalAmount: tosspayments.Won(10), Cancels: []tosspayments.Cancel{
			{CancelAmount: tosspayments.Won(3)}, {CancelAmount: tosspayments.Won(4), CancelStatus: "ABORTED"}}}, true, false, 7},
		{"cancels over the total", tosspayments.Payment{Status: "DONE", Cancels: []tosspayments.Cancel{{CancelAmount: tosspayments.Won(3)}}}, true, false, 0},
	} {
		assert.Equal(t, row.paid, row.payment.IsPaid(), row.name)
		assert.Equal(t, row.canceled, row.payment.IsFullyCanceled(), row.name)
		assert.Equal(t, tosspayments.Won(row.cancelable), row.payment.Cancelable(), row.name)
	}
}

// What the server may add or change tomorrow does not break decoding.
func TestPaymentIsTolerant(t *testing.T) {
	var p tosspayments.Payment
	err := json.Unmarshal([]byte(`{
		"status": "OF_TOMORROW", "type": "NEW", "newField": {"a": [1]}, "totalAmount": "15000", "balanceAmount": "0",
		"vat": null, "useEscrow": null, "metadata": {"n": 1, "s": "x", "z": null}, "easyPay": "토스페이",
		"card": {"installmentPlanMonths": "3", "amount": null, "issuerCode": null, "new": 1}, "cancels": null, "secret": null,
		"requestedAt": null, "virtualAccount": {"accountNumber": null, "dueDate": null}}`), &p)
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Payment{
		Status: "OF_TOMORROW", Type: "NEW", TotalAmount: tosspayments.Won(15000), BalanceAmount: new(tosspayments.Amount),
		Metadata: tosspayments.Metadata{"n": "1", "s": "x", "z": ""}, EasyPay: &tosspayments.EasyPay{Provider: "토스페이"},
		Card: &tosspayments.Card{InstallmentPlanMonths: 3}, VirtualAccount: &tosspayments.VirtualAccount{},
	}, p)
	assert.Equal(t, tosspayments.EasyPayTossPay, p.EasyPay.Provider.Code())
}

func TestTimesWithoutAnOffsetAreKorean(t *testing.T) {
	var p tosspayments.Payment
	require.NoError(t, json.Unmarshal([]byte(`{"virtualAccount": {"dueDate": "2026-03-08T10:15:30"}, "card": {"installmentPlanMonths": "many"}}`), &p))
	assert.Equal(t, "2026-03-08T01:15:30Z", p.VirtualAccount.DueDate.UTC().Format(time.RFC3339))
}

func FuzzPayment(f *testing.F) {
	for _, name := range []string{"payment_guide.json", "payment_full.json", "payment_expired.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p tosspayments.Payment
		if json.Unmarshal(data, &p) != nil {
			return
		}
		_, _, _ = p.IsPaid(), p.IsFullyCanceled(), p.Cancelable()
		encoded, err := json.Marshal(tosspayments.Store(p))
		if err != nil {
			// A year beyond 9999 decodes and does not encode.
			return
		}
		var again tosspayments.Payment
		require.NoError(t, json.Unmarshal(encoded, &again))
		require.Equal(t, p.TotalAmount, again.TotalAmount)
		require.Equal(t, p.Secret.Reveal(), again.Secret.Reveal())
	})
}

// TestFullFixturesOfTheOtherObjects has every field of the reference, once.
func TestFullFixturesOfTheOtherObjects(t *testing.T) {
	for name, v := range map[string]any{
		"billing_full.json":         new(tosspayments.Billing),
		"transactions_full.json":    new([]tosspayments.Transaction),
		"settlements_full.json":     new([]tosspayments.Settlement),
		"cash_receipts_full.json":   new(tosspayments.CashReceiptPage),
		"promotions_full.json":      new([]tosspayments.Promotion),
		"card_promotions_full.json": new(tosspayments.CardPromotions),
	} {
		t.Run(name, func(t *testing.T) {
			loadStrict(t, name, v)
			assertFilled(t, name, reflect.ValueOf(v).Elem())
			encoded, err := json.Marshal(tosspayments.Store(v))
			require.NoError(t, err)
			again := reflect.New(reflect.TypeOf(v).Elem()).Interface()
			require.NoError(t, json.Unmarshal(encoded, again))
			assert.Equal(t, v, again)
		})
	}
}

func TestRefundReceiveAccount(t *testing.T) {
	for _, name := range []string{"bank", "bankCode"} {
		var account tosspayments.RefundReceiveAccount
		require.NoError(t, json.Unmarshal([]byte(`{"`+name+`":"20","accountNumber":"1000123456789","holderName":"김토스"}`), &account))
		want := tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: "김토스"}
		assert.Equal(t, want, account)
		encoded, err := json.Marshal(account)
		require.NoError(t, err)
		assert.Contains(t, string(encoded), `"bank":"20"`)
		assert.NotContains(t, string(encoded), "bankCode")
	}
	var account tosspayments.RefundReceiveAccount
	require.Error(t, json.Unmarshal([]byte(`{"bank":[]}`), &account))
	require.NoError(t, json.Unmarshal([]byte(`null`), &account))
}
