package tosspayments_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func parseURL(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

// guideCodes are the six codes of the integration guide.
var guideCodes = map[tosspayments.ErrorCode]struct {
	sentinel error
	status   int
	class    tosspayments.Class
}{
	"PAY_PROCESS_CANCELED":      {tosspayments.ErrPayProcessCanceled, 400, tosspayments.ClassBuyerRestart},
	"PAY_PROCESS_ABORTED":       {tosspayments.ErrPayProcessAborted, 400, tosspayments.ClassBuyerRestart},
	"REJECT_CARD_COMPANY":       {tosspayments.ErrRejectCardCompany, 403, tosspayments.ClassBuyerOtherMethod},
	"NOT_FOUND_PAYMENT_SESSION": {tosspayments.ErrNotFoundPaymentSession, 404, tosspayments.ClassBuyerRestart},
	"FORBIDDEN_REQUEST":         {tosspayments.ErrForbiddenRequest, 403, tosspayments.ClassConfiguration},
	"UNAUTHORIZED_KEY":          {tosspayments.ErrUnauthorizedKey, 401, tosspayments.ClassConfiguration},
}

func TestGuideCodesOfAConfirm(t *testing.T) {
	for code, want := range guideCodes {
		client, mock := mockClient(t)
		onConfirm(mock, refusal(want.status, code))
		_, err := client.ConfirmPayment(t.Context(), confirmRequest())
		assert.ErrorIs(t, err, want.sentinel)
	}
}

func TestGuideCodesOfAFailURL(t *testing.T) {
	for code, want := range guideCodes {
		failed, err := tosspayments.ParseFailURL(parseURL(t, "https://shop.example/fail?code="+string(code)+"&message=%EC%8B%A4%ED%8C%A8&orderId=order-0001"))
		require.NoError(t, err)
		var asError error = failed
		assert.ErrorIs(t, asError, want.sentinel)
		assert.ErrorContains(t, asError, string(code))
	}
}

func TestGuideCodesInTheCatalog(t *testing.T) {
	for code, want := range guideCodes {
		info, ok := code.Info()
		require.True(t, ok, code)
		assert.Equal(t, []int{want.status}, info.Statuses, code)
		assert.Equal(t, want.class, code.Class(), code)
		assert.NotEmpty(t, info.Korean, code)
		assert.NotEmpty(t, info.English, code)
	}
}

func TestUnknownCodesAreOfNoClass(t *testing.T) {
	code := tosspayments.ErrorCode("A_CODE_OF_TOMORROW")
	assert.Equal(t, tosspayments.ClassUnknown, code.Class())
	_, ok := code.Info()
	assert.False(t, ok)
}

func TestUnknownCodesAreMatched(t *testing.T) {
	code := tosspayments.ErrorCode("A_CODE_OF_TOMORROW")
	var err error = &tosspayments.Error{Code: code, StatusCode: 400}
	assert.ErrorIs(t, err, code)
	assert.ErrorIs(t, fmt.Errorf("order 7: %w", err), code)
	assert.NotErrorIs(t, err, tosspayments.ErrRejectCardCompany)
}

func TestNoCodeMatchesNothing(t *testing.T) {
	assert.NotErrorIs(t, error(&tosspayments.Error{}), tosspayments.ErrorCode(""))
	assert.NotEmpty(t, tosspayments.ErrorCode("").Error())
}

func TestBothSpellingsMatch(t *testing.T) {
	var err error = &tosspayments.Error{Code: "NOTCANCELABLE_PAYMENT_FOR_DORMANT_USER"}
	assert.ErrorIs(t, err, tosspayments.ErrNotCancelablePaymentForDormantUser)
}

func TestTheCatalogIsSorted(t *testing.T) {
	var codes []string
	for info := range tosspayments.ErrorCodes() {
		codes = append(codes, string(info.Code))
	}
	assert.True(t, slices.IsSorted(codes))
	assert.Greater(t, len(codes), 200)
}

func TestEveryCodeOfTheCatalog(t *testing.T) {
	for info := range tosspayments.ErrorCodes() {
		found, ok := info.Code.Info()
		require.True(t, ok, info.Code)
		assert.Equal(t, info, found)
		assert.NotEmpty(t, info.Korean, info.Code)
		assert.NotEmpty(t, info.English, info.Code)
		assert.NotEmpty(t, info.Class.String())
	}
}

func TestAReaderOfTheCatalogMayStop(t *testing.T) {
	n := 0
	for range tosspayments.ErrorCodes() {
		n++
		break
	}
	assert.Equal(t, 1, n)
}

func TestServerErrorsAreOfNoKnownClass(t *testing.T) {
	for info := range tosspayments.ErrorCodes() {
		for _, status := range info.Statuses {
			if status >= 500 {
				assert.Equal(t, tosspayments.ClassUnknown, info.Class, info.Code)
			}
		}
	}
}

func TestTheCatalogCannotBeChanged(t *testing.T) {
	info, _ := tosspayments.ErrRejectCardCompany.Info()
	info.Statuses[0] = 999
	again, _ := tosspayments.ErrRejectCardCompany.Info()
	assert.Equal(t, []int{403}, again.Statuses)
}

func TestCodeLookupAllocatesNothing(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = tosspayments.ErrRejectCardCompany.Class() }))
}

func TestOutcomeUnknownIsNothingElse(t *testing.T) {
	var err error = &tosspayments.OutcomeUnknownError{
		CallDetails: tosspayments.CallDetails{Operation: "confirm payment", IdempotencyKey: "key-1", Attempts: 3},
		PaymentKey:  "pay-1", OrderID: "order-0001", Repeatable: true,
		LastAnswer: &tosspayments.Error{Code: tosspayments.ErrRejectCardCompany, StatusCode: 500},
	}
	assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	assert.NotErrorIs(t, err, tosspayments.ErrRejectCardCompany)
	var refused *tosspayments.Error
	assert.False(t, errors.As(err, &refused))
	assert.NotErrorIs(t, err, context.Canceled)
	for _, part := range []string{"unknown", "pay-1", "order-0001", "attempts: 3", "make the same call again", "REJECT_CARD_COMPANY"} {
		assert.Contains(t, err.Error(), part)
	}
}

// paymentIn is a payment of 1 won in a state.
func paymentIn(status tosspayments.PaymentStatus) *tosspayments.Payment {
	return &tosspayments.Payment{PaymentKey: "pay-1", OrderID: "order-0001", Status: status, TotalAmount: tosspayments.Won(1)}
}

// What an outcome does not depend on: how the error is wrapped, and in which order a
// caller asks.
func TestOutcomeOfErrors(t *testing.T) {
	paid := paymentIn("DONE")
	for _, row := range []struct {
		err  error
		want tosspayments.Outcome
		code tosspayments.ErrorCode
		has  *tosspayments.Payment
	}{
		{nil, tosspayments.OutcomeUnknown, "", nil},
		{&tosspayments.Error{Code: "REJECT_CARD_COMPANY", Payment: paid}, tosspayments.OutcomeRefused, "REJECT_CARD_COMPANY", paid},
		{&tosspayments.OutcomeUnknownError{Payment: paid, LastAnswer: &tosspayments.Error{Code: "COMMON_ERROR"}}, tosspayments.OutcomeUnknown, "", paid},
		{&tosspayments.CanceledError{Payment: paid}, tosspayments.OutcomeCanceled, "", paid},
		{&tosspayments.MismatchError{Field: "amount", Payment: paid}, tosspayments.OutcomeMismatch, "", paid},
		{&tosspayments.ValidationError{Field: "orderId"}, tosspayments.OutcomeNotSent, "", nil},
		{&tosspayments.ConnectionError{Err: errLost}, tosspayments.OutcomeUnknown, "", nil},
		{tosspayments.ErrNotSent, tosspayments.OutcomeNotSent, "", nil},
		{tosspayments.ErrRejectCardCompany, tosspayments.OutcomeUnknown, "REJECT_CARD_COMPANY", nil},
		{&tosspayments.FailRedirect{Code: "PAY_PROCESS_CANCELED"}, tosspayments.OutcomeUnknown, "PAY_PROCESS_CANCELED", nil},
		{context.DeadlineExceeded, tosspayments.OutcomeUnknown, "", nil},
	} {
		wrapped := []error{row.err}
		if row.err != nil {
			wrapped = append(wrapped, fmt.Errorf("order 7: %w", row.err), errors.Join(errLost, row.err))
		}
		for _, err := range wrapped {
			assert.Equal(t, row.want, tosspayments.OutcomeOf(nil, err), "%v", err)
			assert.Equal(t, row.code, tosspayments.CodeOf(err))
			assert.Same(t, row.has, tosspayments.PaymentOf(err))
			if err != nil {
				assert.Equal(t, row.want, tosspayments.OutcomeOf(paid, err), "the payment does not count beside an error")
			}
		}
	}
}

func TestValidationErrorsWereNotSent(t *testing.T) {
	assert.ErrorIs(t, &tosspayments.ValidationError{}, tosspayments.ErrNotSent)
}

func TestOutcomeOfPayments(t *testing.T) {
	zero, some := tosspayments.Won(0), tosspayments.Won(1)
	for _, row := range []struct {
		status  tosspayments.PaymentStatus
		balance *tosspayments.Amount
		cancels []tosspayments.Cancel
		want    tosspayments.Outcome
	}{
		{"DONE", nil, nil, tosspayments.OutcomePaid},
		{"WAITING_FOR_DEPOSIT", nil, nil, tosspayments.OutcomeWaiting},
		{"PARTIAL_CANCELED", &some, nil, tosspayments.OutcomePaid},
		{"PARTIAL_CANCELED", &zero, nil, tosspayments.OutcomeCanceled},
		{"PARTIAL_CANCELED", nil, nil, tosspayments.OutcomeUnknown},
		{"PARTIAL_CANCELED", nil, []tosspayments.Cancel{{CancelAmount: some}}, tosspayments.OutcomeCanceled},
		{"PARTIAL_CANCELED", nil, []tosspayments.Cancel{{CancelAmount: some, CancelStatus: "ABORTED"}}, tosspayments.OutcomePaid},
		{"PARTIAL_CANCELED", nil, []tosspayments.Cancel{{CancelReason: "amount unread"}}, tosspayments.OutcomeUnknown},
		{"CANCELED", nil, nil, tosspayments.OutcomeCanceled},
		{"CANCELED", &zero, nil, tosspayments.OutcomeCanceled},
		{"CANCELED", &some, nil, tosspayments.OutcomeUnknown},
		{"ABORTED", &some, nil, tosspayments.OutcomeRefused},
		{"EXPIRED", &some, nil, tosspayments.OutcomeRefused},
		{"READY", &some, nil, tosspayments.OutcomeUnknown},
		{"IN_PROGRESS", &some, nil, tosspayments.OutcomeUnknown},
		{"OF_TOMORROW", &some, nil, tosspayments.OutcomeUnknown},
	} {
		p := paymentIn(row.status)
		p.BalanceAmount, p.Cancels = row.balance, row.cancels
		assert.Equal(t, row.want, p.Outcome(), "%+v", row)
		assert.Equal(t, row.want, tosspayments.OutcomeOf(p, nil))
	}
	expired := paymentIn("WAITING_FOR_DEPOSIT")
	expired.VirtualAccount = &tosspayments.VirtualAccount{Expired: true}
	assert.Equal(t, tosspayments.OutcomeRefused, expired.Outcome(), "an account that the server calls expired")
}

func TestOutcomesHaveNames(t *testing.T) {
	words := map[string]bool{}
	for o := tosspayments.OutcomeUnknown; o <= tosspayments.OutcomeMismatch; o++ {
		text, err := o.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, o.String(), string(text))
		assert.NotContains(t, o.String(), "outcome(")
		words[o.String()] = true
	}
	assert.Len(t, words, 7)
}

// An error of a read says nothing about the order, whatever its type.
func TestErrorsOfReadsAreUnknown(t *testing.T) {
	client, mock := mockClient(t, tosspayments.WithMaxRetries(0))
	for name, found := range map[string]answer{
		"404": refusal(404, "NOT_FOUND_PAYMENT"), "401": refusal(401, "UNAUTHORIZED_KEY"), "403": refusal(403, "FORBIDDEN_REQUEST"), "429": {status: 429},
		"lost": lost, "another payment": {status: 200, body: paymentJSON("ABORTED", object{"paymentKey": "pay-2"})}, "unreadable": {status: 200, body: "{"},
	} {
		onLookUp(mock, found)
		_, err := client.GetPayment(t.Context(), "pay-1")
		require.Error(t, err)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), name)
		_, err = client.ResolvePayment(t.Context(), confirmRequest())
		require.Error(t, err)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, fmt.Errorf("job: %w", err)), name)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{
		errorOnly(client.GetPayment(t.Context(), "")), errorOnly(client.GetPaymentByOrderID(t.Context(), "")),
		errorOnly(client.ResolvePayment(t.Context(), tosspayments.ConfirmPaymentRequest{})), errorOnly(client.ResolvePaymentByOrderID(t.Context(), "..", tosspayments.Won(1))),
		errorOnly(client.GetPayment(canceled, "pay-1")), errorOnly(confirmRequest().Check(nil)),
	} {
		require.ErrorIs(t, err, tosspayments.ErrNotSent)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), "not sent says nothing either")
	}
}

func errorOnly[T any](_ T, err error) error { return err }

func TestErrorTexts(t *testing.T) {
	for want, err := range map[string]error{
		"tosspayments: confirm payment: REJECT_CARD_COMPANY (HTTP 403): no [trace t1]": &tosspayments.Error{
			CallDetails: tosspayments.CallDetails{Operation: "confirm payment", TraceID: "t1"}, Code: "REJECT_CARD_COMPANY", StatusCode: 403, Message: "no"},
		`tosspayments: an answer without an error code (HTTP 502): "<html>"`: &tosspayments.Error{StatusCode: 502, Excerpt: "<html>"},
		"tosspayments: orderId is missing":                                   &tosspayments.ValidationError{Field: "orderId", Reason: "is missing"},
		`tosspayments: amount is "2", expected "1"; nothing was sent`:        &tosspayments.MismatchError{Field: "amount", Want: "1", Got: "2"},
		"tosspayments: get payment: no answer (attempts: 3): refused":        &tosspayments.ConnectionError{CallDetails: tosspayments.CallDetails{Operation: "get payment", Attempts: 3}, Err: errors.New("refused")},
		`tosspayments: confirm payment: orderId is "b", expected "a"; the payment that answered is DONE`: &tosspayments.MismatchError{
			CallDetails: tosspayments.CallDetails{Operation: "confirm payment"}, Field: "orderId", Want: "a", Got: "b", Payment: &tosspayments.Payment{Status: "DONE"}},
	} {
		assert.Equal(t, want, err.Error())
		assert.NotContains(t, strings.TrimSpace(err.Error()), "\n")
	}
}
