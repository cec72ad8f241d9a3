package tosspayments_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// assertSaysWhatWasRead wants the error to have the payment, and one of an unknown outcome
// to say of what, and that the call may be made again.
func assertSaysWhatWasRead(t *testing.T, operation string, read *tosspayments.Payment, err error) {
	t.Helper()
	payment := tosspayments.PaymentOf(err)
	require.NotNil(t, payment, operation)
	assert.Equal(t, read.PaymentKey, payment.PaymentKey, operation)
	var unknown *tosspayments.OutcomeUnknownError
	if errors.As(err, &unknown) {
		assert.Equal(t, operation, unknown.Operation)
		assert.Equal(t, "order-0001", unknown.OrderID, operation)
		assert.True(t, unknown.Repeatable, operation)
	}
}

// What a payment that was read means for the confirm, and for the charge of its order.
// ResolvePayment and Check agree, and both say what ConfirmPayment would.
func TestResolveTable(t *testing.T) {
	const (
		unknown  = tosspayments.OutcomeUnknown
		paid     = tosspayments.OutcomePaid
		waiting  = tosspayments.OutcomeWaiting
		canceled = tosspayments.OutcomeCanceled
		refused  = tosspayments.OutcomeRefused
		mismatch = tosspayments.OutcomeMismatch
	)
	failure := object{"failure": object{"code": "REJECT_CARD_COMPANY", "message": "no"}}
	for _, row := range []struct {
		status  string
		changes object
		// byKey and check are for the confirm of pay-1, byOrder for a charge of the order.
		byKey, check, byOrder tosspayments.Outcome
		// is is the error of the confirm where it is decided.
		is error
	}{
		{status: "DONE", byKey: paid, check: paid, byOrder: paid},
		{status: "DONE", changes: object{"currency": nil}, byKey: paid, check: paid, byOrder: paid},
		{status: "PARTIAL_CANCELED", changes: object{"balanceAmount": 1}, byKey: paid, check: paid, byOrder: paid},
		{status: "PARTIAL_CANCELED", changes: object{"balanceAmount": 0}, byKey: canceled, check: canceled, byOrder: canceled},
		{status: "PARTIAL_CANCELED", changes: object{"balanceAmount": nil}, byKey: unknown, check: unknown, byOrder: unknown},
		{status: "CANCELED", changes: object{"balanceAmount": 0}, byKey: canceled, check: canceled, byOrder: canceled},
		{status: "WAITING_FOR_DEPOSIT", byKey: waiting, check: waiting, byOrder: waiting},
		{status: "WAITING_FOR_DEPOSIT", changes: object{"virtualAccount": object{"expired": true}}, byKey: refused, check: refused, byOrder: refused, is: tosspayments.ErrExpiredPayment},
		{status: "ABORTED", byKey: refused, check: refused, byOrder: unknown, is: tosspayments.ErrPayProcessAborted},
		{status: "ABORTED", changes: failure, byKey: refused, check: refused, byOrder: unknown, is: tosspayments.ErrRejectCardCompany},
		{status: "EXPIRED", byKey: refused, check: refused, byOrder: unknown, is: tosspayments.ErrNotFoundPaymentSession},
		{status: "READY", byKey: unknown, check: unknown, byOrder: unknown},
		{status: "IN_PROGRESS", byKey: unknown, check: unknown, byOrder: unknown},
		{status: "OF_TOMORROW", byKey: unknown, check: unknown, byOrder: unknown},
		{status: "DONE", changes: object{"totalAmount": 100}, byKey: mismatch, check: mismatch, byOrder: mismatch, is: tosspayments.ErrAmountMismatch},
		{status: "DONE", changes: object{"currency": "USD"}, byKey: mismatch, check: mismatch, byOrder: mismatch, is: tosspayments.ErrAmountMismatch},
		{status: "ABORTED", changes: object{"totalAmount": 100}, byKey: mismatch, check: mismatch, byOrder: unknown, is: tosspayments.ErrAmountMismatch},
		// A read that is answered with something else says nothing.
		{status: "DONE", changes: object{"orderId": "order-0002"}, byKey: mismatch, check: mismatch, byOrder: unknown, is: tosspayments.ErrForeignAnswer},
		{status: "DONE", changes: object{"paymentKey": "pay-2"}, byKey: unknown, check: mismatch, byOrder: paid, is: tosspayments.ErrForeignAnswer},
		{status: "WAITING_FOR_DEPOSIT", changes: object{"paymentKey": "pay-2"}, byKey: unknown, check: mismatch, byOrder: waiting, is: tosspayments.ErrForeignAnswer},
		{status: "EXPIRED", changes: object{"paymentKey": "pay-2"}, byKey: unknown, check: unknown, byOrder: unknown},
		{status: "CANCELED", changes: object{"paymentKey": "pay-2", "balanceAmount": 0}, byKey: unknown, check: unknown, byOrder: canceled},
	} {
		body := paymentJSON(row.status, row.changes)
		t.Run(row.status+" "+string(must(json.Marshal(row.changes))), func(t *testing.T) {
			client, mock := mockClient(t)
			onLookUp(mock, answer{status: 200, body: body})
			onOrder(mock, answer{status: 200, body: body})
			var read tosspayments.Payment
			require.NoError(t, json.Unmarshal([]byte(body), &read))

			byKey, keyErr := client.ResolvePayment(t.Context(), confirmRequest())
			check, checkErr := confirmRequest().Check(&read)
			byOrder, orderErr := client.ResolvePaymentByOrderID(t.Context(), "order-0001", tosspayments.Won(15000))
			for _, end := range []struct {
				operation string
				payment   *tosspayments.Payment
				err       error
				want      tosspayments.Outcome
			}{
				{"resolve payment", byKey, keyErr, row.byKey},
				{"check payment", check, checkErr, row.check},
				{"resolve payment by order id", byOrder, orderErr, row.byOrder},
			} {
				success := end.want == paid || end.want == waiting
				type ending struct {
					Outcome            tosspayments.Outcome
					NoError, HasResult bool
				}
				require.Equal(t, ending{end.want, success, success},
					ending{tosspayments.OutcomeOf(end.payment, end.err), end.err == nil, end.payment != nil}, "%s: %v", end.operation, end.err)
				if !success {
					assertSaysWhatWasRead(t, end.operation, &read, end.err)
				}
			}
			if row.check != unknown && row.is != nil {
				assert.ErrorIs(t, checkErr, row.is)
				if row.byKey == row.check {
					assert.ErrorIs(t, keyErr, row.is)
				}
			}
			assert.Zero(t, mock.GetCallCountInfo()["POST "+confirmURL], "nothing is confirmed")
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A refusal that was read speaks the client's language.
func TestResolveSpeaksTheLanguage(t *testing.T) {
	info, ok := tosspayments.ErrNotFoundPaymentSession.Info()
	require.True(t, ok)
	for language, want := range map[tosspayments.Language]string{
		tosspayments.LanguageKorean: info.Korean, tosspayments.LanguageEnglish: info.English,
	} {
		client, mock := mockClient(t, tosspayments.WithLanguage(language))
		onLookUp(mock, answer{status: 200, body: paymentJSON("EXPIRED", nil)})
		var response tosspayments.Response
		_, err := client.ResolvePayment(t.Context(), confirmRequest(), tosspayments.WithResponse(&response))
		var refused *tosspayments.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, want, refused.Message)
		assert.Zero(t, refused.StatusCode, "it was read from the payment")
		assert.Equal(t, 200, response.StatusCode)
	}
}

// An old attempt's EXPIRED event must not fail an order that was paid since.
func TestCheckOfAnOlderAttempt(t *testing.T) {
	server := tosstest.NewServer(t)
	order := checkout()
	first := server.OpenWindow(order)
	second := pay(t, server, order)
	paid, err := server.Client().ConfirmPayment(t.Context(), second)
	require.NoError(t, err)

	event := *paid
	event.PaymentKey, event.Status = first, tosspayments.PaymentStatusExpired
	payment, err := second.Check(&event)
	assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(payment, err), "%v", err)
	payment, err = second.Check(paid)
	assert.Equal(t, tosspayments.OutcomePaid, tosspayments.OutcomeOf(payment, err))
}

func TestResolveInAnotherCurrency(t *testing.T) {
	client, mock := mockClient(t)
	mock.RegisterResponder(http.MethodGet, paymentURL, (&script{answers: []answer{
		{status: 200, body: paymentJSON("DONE", object{"currency": "USD", "totalAmount": json.Number("1.50"), "balanceAmount": json.Number("1.50")})},
	}}).respond)
	request := confirmRequest()
	request.Amount, request.Currency = amountOf(t, "1.5"), tosspayments.CurrencyUSD
	payment, err := client.ResolvePayment(t.Context(), request)
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
}
