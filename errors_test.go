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

// The six codes of the integration guide, on both paths on which they occur.
func TestGuideCodes(t *testing.T) {
	for code, want := range map[tosspayments.ErrorCode]struct {
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
	} {
		t.Run(string(code), func(t *testing.T) {
			client, mock := mockClient(t)
			onConfirm(mock, refusal(want.status, code))
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			require.ErrorIs(t, err, want.sentinel)
			assert.Equal(t, want.class, code.Class())
			info, ok := code.Info()
			require.True(t, ok)
			assert.Equal(t, []int{want.status}, info.Statuses)
			assert.NotEmpty(t, info.Korean)
			assert.NotEmpty(t, info.English)

			failed, err := tosspayments.ParseFailURL(parseURL(t, "https://shop.example/fail?code="+string(code)+"&message=%EC%8B%A4%ED%8C%A8&orderId=order-0001"))
			require.NoError(t, err)
			var asError error = failed
			assert.ErrorIs(t, asError, want.sentinel)
			assert.Contains(t, asError.Error(), string(code))
		})
	}
}

func TestUnknownCodes(t *testing.T) {
	code := tosspayments.ErrorCode("A_CODE_OF_TOMORROW")
	assert.Equal(t, tosspayments.ClassUnknown, code.Class())
	_, ok := code.Info()
	assert.False(t, ok)
	var err error = &tosspayments.Error{Code: code, StatusCode: 400}
	assert.ErrorIs(t, err, code)
	assert.ErrorIs(t, fmt.Errorf("order 7: %w", err), code)
	assert.NotErrorIs(t, err, tosspayments.ErrRejectCardCompany)
	assert.NotErrorIs(t, error(&tosspayments.Error{}), tosspayments.ErrorCode(""), "no code matches nothing")
	assert.NotEmpty(t, tosspayments.ErrorCode("").Error())
}

func TestBothSpellingsMatch(t *testing.T) {
	var err error = &tosspayments.Error{Code: "NOTCANCELABLE_PAYMENT_FOR_DORMANT_USER"}
	assert.ErrorIs(t, err, tosspayments.ErrNotCancelablePaymentForDormantUser)
}

func TestCatalog(t *testing.T) {
	var codes []string
	for info := range tosspayments.ErrorCodes() {
		codes = append(codes, string(info.Code))
		found, ok := info.Code.Info()
		require.True(t, ok, info.Code)
		assert.Equal(t, info, found)
		assert.NotEmpty(t, info.Korean, info.Code)
		assert.NotEmpty(t, info.English, info.Code)
		assert.NotEmpty(t, info.Class.String())
		for _, status := range info.Statuses {
			if status >= 500 {
				assert.Equal(t, tosspayments.ClassUnknown, info.Class, info.Code)
			}
		}
	}
	assert.True(t, slices.IsSorted(codes))
	assert.Greater(t, len(codes), 200)

	info, _ := tosspayments.ErrRejectCardCompany.Info()
	info.Statuses[0] = 999
	again, _ := tosspayments.ErrRejectCardCompany.Info()
	assert.Equal(t, []int{403}, again.Statuses, "the catalog cannot be changed from outside")

	for range tosspayments.ErrorCodes() {
		break
	}
}

func TestCodeLookupAllocatesNothing(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = tosspayments.ErrRejectCardCompany.Class() }))
}

func TestOutcomeUnknownIsNothingElse(t *testing.T) {
	var err error = &tosspayments.OutcomeUnknownError{
		Operation: "confirm payment", PaymentKey: "pay-1", OrderID: "order-0001", Attempts: 3,
		LastAnswer: &tosspayments.Error{Code: tosspayments.ErrRejectCardCompany, StatusCode: 500},
	}
	assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	assert.NotErrorIs(t, err, tosspayments.ErrRejectCardCompany)
	var refused *tosspayments.Error
	assert.False(t, errors.As(err, &refused))
	assert.NotErrorIs(t, err, context.Canceled)
	for _, part := range []string{"unknown", "pay-1", "order-0001", "attempts: 3", "look the payment up", "REJECT_CARD_COMPANY"} {
		assert.Contains(t, err.Error(), part)
	}
}

func TestErrorTexts(t *testing.T) {
	for want, err := range map[string]error{
		"tosspayments: confirm payment: REJECT_CARD_COMPANY (HTTP 403): no [trace t1]": &tosspayments.Error{
			Operation: "confirm payment", Code: "REJECT_CARD_COMPANY", StatusCode: 403, Message: "no", TraceID: "t1"},
		`tosspayments: an answer without an error code (HTTP 502): "<html>"`: &tosspayments.Error{StatusCode: 502, Excerpt: "<html>"},
		"tosspayments: orderId is missing":                                   &tosspayments.ValidationError{Field: "orderId", Reason: "is missing"},
		`tosspayments: amount is "2", expected "1"; nothing was sent`:        &tosspayments.MismatchError{Field: "amount", Want: "1", Got: "2"},
		"tosspayments: get payment: no answer (attempts: 3): refused":        &tosspayments.ConnectionError{Operation: "get payment", Attempts: 3, Err: errors.New("refused")},
		`tosspayments: confirm payment: orderId is "b", expected "a"; the payment that answered is DONE`: &tosspayments.MismatchError{
			Operation: "confirm payment", Field: "orderId", Want: "a", Got: "b", Payment: &tosspayments.Payment{Status: "DONE"}},
	} {
		assert.Equal(t, want, err.Error())
		assert.NotContains(t, strings.TrimSpace(err.Error()), "\n")
	}
}
