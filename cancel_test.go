package tosspayments_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func onCancel(mock *httpmock.MockTransport, answers ...answer) *script {
	s := &script{answers: answers}
	mock.RegisterResponder(http.MethodPost, cancelURL, s.respond)
	return s
}

func cancelEntry(key string, amount, left int, changes object) object {
	o := object{
		"transactionKey": key, "cancelAmount": amount, "refundableAmount": left, "cancelReason": "reason",
		"cancelStatus": "DONE", "canceledAt": "2026-03-02T09:00:11+09:00",
	}
	for name, value := range changes {
		o[name] = value
	}
	return o
}

func canceled(status string, balance any, last string, cancels ...object) answer {
	return answer{status: 200, body: paymentJSON(status, object{
		"balanceAmount": balance, "lastTransactionKey": last, "cancels": cancels,
	})}
}

func full() tosspayments.CancelPaymentRequest {
	return tosspayments.CancelPaymentRequest{CancelReason: "reason"}
}

// part cancels 5000 of 15000; pinned says so to the server.
func part(pinned bool) tosspayments.PartialCancelRequest {
	r := tosspayments.PartialCancelRequest{CancelReason: "reason", CancelAmount: tosspayments.Won(5000)}
	if pinned {
		balance := tosspayments.Won(15000)
		r.RefundableAmount = &balance
	}
	return r
}

func TestCancelOnTheWire(t *testing.T) {
	client, mock := mockClient(t)
	posts := onCancel(mock, canceled("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, nil)))
	_, err := client.CancelPayment(t.Context(), "pay-1", full())
	require.NoError(t, err)
	assert.JSONEq(t, `{"cancelReason":"reason"}`, posts.seen[0].body)
	assert.NotEmpty(t, posts.seen[0].header.Get("Idempotency-Key"))

	posts = onCancel(mock, canceled("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil)))
	request := part(true)
	request.Currency = "KRW"
	request.TaxFreeAmount = tosspayments.Won(500)
	request.RefundReceiveAccount = &tosspayments.RefundReceiveAccount{
		Bank: "20", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: "김토페",
	}
	_, err = client.CancelPaymentPartially(t.Context(), "pay-1", request)
	require.NoError(t, err)
	assert.JSONEq(t, `{"cancelReason":"reason","cancelAmount":5000,"refundableAmount":15000,"taxFreeAmount":500,"currency":"KRW",
		"refundReceiveAccount":{"bank":"20","accountNumber":"1000123456789","holderName":"김토페"}}`, posts.seen[0].body)
}

func TestFullCancelSettles(t *testing.T) {
	done := canceled("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, nil))
	for _, row := range []struct {
		name    string
		answers []answer
		found   []answer
		wants   error // nil is success
		next    tosspayments.NextStep
		posts   int
	}{
		{name: "answer", answers: []answer{done}, posts: 1},
		{name: "answer at the end of parts", answers: []answer{canceled("PARTIAL_CANCELED", 0, "C2", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 10000, 0, nil))}, posts: 1},
		{name: "lost, replayed", answers: []answer{lost, done}, posts: 2},
		{name: "lost, found cancelled", answers: []answer{lost}, found: []answer{done}, posts: 3},
		{name: "500, found cancelled", answers: []answer{refusal(500, "FAILED_REFUND_PROCESS")}, found: []answer{done}, posts: 1},
		{name: "500, no effect, again", answers: []answer{refusal(500, "FAILED_REFUND_PROCESS"), done}, found: []answer{{status: 200, body: paymentJSON("DONE", nil)}}, posts: 2},
		{name: "lost, then already cancelled", answers: []answer{lost, refusal(400, "ALREADY_CANCELED_PAYMENT")}, found: []answer{done}, posts: 2},
		{name: "lost, then not cancelable amount", answers: []answer{lost, refusal(403, "NOT_CANCELABLE_AMOUNT")}, found: []answer{done}, posts: 2},
		{name: "lost, no effect seen", answers: []answer{lost}, found: []answer{{status: 200, body: paymentJSON("DONE", nil)}}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3},
		{name: "unclear 4xx, no effect", answers: []answer{refusal(400, "PROVIDER_ERROR")}, found: []answer{{status: 200, body: paymentJSON("DONE", nil)}}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextNewKey, posts: 1},
		{name: "already cancelled before", answers: []answer{refusal(400, "ALREADY_CANCELED_PAYMENT")}, wants: tosspayments.ErrAlreadyCanceledPayment, posts: 1},
		{name: "refused", answers: []answer{refusal(400, "REFUND_REJECTED")}, wants: tosspayments.ErrRefundRejected, posts: 1},
		{name: "period over", answers: []answer{refusal(403, "EXCEED_MAX_REFUND_DUE")}, wants: tosspayments.ErrExceedMaxRefundDue, posts: 1},
		{name: "answer without balance, found cancelled", answers: []answer{canceled("CANCELED", nil, "C1", cancelEntry("C1", 15000, 0, nil))}, found: []answer{done}, posts: 1},
		{name: "balance never present", answers: []answer{lost}, found: []answer{canceled("CANCELED", nil, "C1", cancelEntry("C1", 15000, 0, nil))}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3},
		{name: "balance 0 without a cancel", answers: []answer{lost}, found: []answer{canceled("CANCELED", 0, "")}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3},
		{name: "still in progress", answers: []answer{canceled("DONE", 15000, "C1", cancelEntry("C1", 15000, 0, object{"cancelStatus": "IN_PROGRESS"}))}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 1},
		{name: "replay of a part", answers: []answer{canceled("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil))}, wants: tosspayments.ErrAmountMismatch, posts: 1},
		{name: "another payment", answers: []answer{{status: 200, body: paymentJSON("CANCELED", object{"paymentKey": "pay-2"})}}, wants: tosspayments.ErrForeignAnswer, posts: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts := onCancel(mock, row.answers...)
				if row.found != nil {
					onLookUp(mock, row.found...)
				}
				payment, err := client.CancelPayment(t.Context(), "pay-1", full())
				assert.Len(t, posts.seen, row.posts)
				if row.wants == nil {
					require.NoError(t, err)
					assert.True(t, payment.IsFullyCanceled())
					return
				}
				require.ErrorIs(t, err, row.wants)
				var unknown *tosspayments.OutcomeUnknownError
				if errors.As(err, &unknown) {
					assert.Equal(t, row.next, unknown.Next)
					assert.NotNil(t, unknown.Payment)
				}
			})
		})
	}
}

func TestPartialCancelSettles(t *testing.T) {
	done := canceled("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil))
	untouched := answer{status: 200, body: paymentJSON("DONE", nil)}
	for _, row := range []struct {
		name    string
		pinned  bool
		answers []answer
		found   []answer
		wants   error
		next    tosspayments.NextStep
		posts   int
		quick   bool
	}{
		{name: "answer", answers: []answer{done}, posts: 1},
		{name: "answer under the older key name", answers: []answer{{status: 200, body: paymentJSON("PARTIAL_CANCELED", object{
			"balanceAmount": 10000, "lastTransactionKey": nil, "transactionKey": "C1", "cancels": []object{cancelEntry("C1", 5000, 10000, nil)}})}}, posts: 1},
		{name: "answer about another amount", answers: []answer{canceled("PARTIAL_CANCELED", 9000, "C1", cancelEntry("C1", 6000, 9000, nil))}, wants: tosspayments.ErrAmountMismatch, posts: 1},
		{name: "same amount, but not the last", answers: []answer{canceled("PARTIAL_CANCELED", 4000, "C2", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 6000, 4000, nil))}, wants: tosspayments.ErrAmountMismatch, posts: 1},
		{name: "answer still in progress", answers: []answer{canceled("DONE", 15000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelStatus": "IN_PROGRESS"}))}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 1, quick: true},
		{name: "answer without a last key, not pinned", answers: []answer{canceled("PARTIAL_CANCELED", 10000, "", cancelEntry("C1", 5000, 10000, nil))}, found: []answer{done}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 1, quick: true},
		{name: "answer without a last key, pinned", pinned: true, answers: []answer{canceled("PARTIAL_CANCELED", 10000, "", cancelEntry("C1", 5000, 10000, nil))}, found: []answer{done}, posts: 1},

		{name: "lost, replayed", answers: []answer{lost, lost, done}, posts: 3},
		{name: "lost, not pinned: a lookup cannot tell", answers: []answer{lost}, found: []answer{done}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3},
		{name: "500, not pinned: not sent again", answers: []answer{refusal(500, "FAILED_PARTIAL_REFUND"), done}, found: []answer{untouched}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 1, quick: true},
		{name: "unclear 4xx, not pinned", answers: []answer{refusal(400, "PROVIDER_ERROR")}, found: []answer{untouched}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 1, quick: true},

		{name: "lost, pinned, found", pinned: true, answers: []answer{lost}, found: []answer{done}, posts: 3},
		{name: "500, pinned, found", pinned: true, answers: []answer{refusal(500, "FAILED_PARTIAL_REFUND")}, found: []answer{done}, posts: 1},
		{name: "500, pinned, untouched, again", pinned: true, answers: []answer{refusal(500, "FAILED_PARTIAL_REFUND"), done}, found: []answer{untouched}, posts: 2},
		{name: "unclear 4xx, pinned, untouched", pinned: true, answers: []answer{refusal(400, "PROVIDER_ERROR")}, found: []answer{untouched}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextNewKey, posts: 1},
		{name: "429, untouched, unclear 4xx, then nothing found", pinned: true, answers: []answer{{status: 429}, refusal(400, "PROVIDER_ERROR")}, found: []answer{untouched, lost}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 2},
		{name: "lost, unclear 4xx, untouched", pinned: true, answers: []answer{lost, refusal(400, "PROVIDER_ERROR")}, found: []answer{untouched}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 2},
		{name: "lost, pinned, balance moved otherwise", pinned: true, answers: []answer{lost}, found: []answer{canceled("PARTIAL_CANCELED", 9000, "C1", cancelEntry("C1", 6000, 9000, nil))}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3},
		{name: "lost, pinned, cancelled further since", pinned: true, answers: []answer{lost}, found: []answer{canceled("PARTIAL_CANCELED", 4000, "C2", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 6000, 4000, nil))}, wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3},
		{name: "lost, pinned, another cancel left that rest", pinned: true, answers: []answer{lost}, found: []answer{canceled("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelReason": "someone else"}))}, wants: tosspayments.ErrOutcomeUnknown, posts: 3, next: tosspayments.NextSameKey},
		{name: "lost, pinned, two cancels left that rest", pinned: true, answers: []answer{lost}, found: []answer{canceled("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 5000, 10000, nil))}, wants: tosspayments.ErrOutcomeUnknown, posts: 3, next: tosspayments.NextSameKey},
		{name: "lost, then refundable amount differs: our own doing", pinned: true, answers: []answer{lost, refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, found: []answer{done}, posts: 2},
		{name: "refundable amount differs", pinned: true, answers: []answer{refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, wants: tosspayments.ErrNotMatchesRefundableAmount, posts: 1},
		{name: "refused", answers: []answer{refusal(403, "NOT_CANCELABLE_AMOUNT")}, wants: tosspayments.ErrNotCancelableAmount, posts: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts := onCancel(mock, row.answers...)
				lookups := &script{}
				if row.found != nil {
					lookups = onLookUp(mock, row.found...)
				}
				start := time.Now()
				payment, err := client.CancelPaymentPartially(t.Context(), "pay-1", part(row.pinned))
				assert.Len(t, posts.seen, row.posts)
				if row.wants == nil {
					require.NoError(t, err)
					assert.Equal(t, tosspayments.Won(10000), payment.Cancelable())
					return
				}
				require.ErrorIs(t, err, row.wants)
				var unknown *tosspayments.OutcomeUnknownError
				if errors.As(err, &unknown) {
					assert.Equal(t, row.next, unknown.Next)
					assert.NotNil(t, unknown.Payment)
				}
				if row.quick {
					assert.Zero(t, time.Since(start))
					assert.LessOrEqual(t, len(lookups.seen), 1)
				}
			})
		})
	}
}

func TestCancelValidation(t *testing.T) {
	client, mock := mockClient(t)
	account := func(change func(*tosspayments.RefundReceiveAccount)) *tosspayments.RefundReceiveAccount {
		a := &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("123"), HolderName: "a"}
		change(a)
		return a
	}
	zero, minus, half := tosspayments.Won(0), tosspayments.Won(-1), amountOf(t, "0.5")
	for _, row := range []struct {
		field, reason string
		change        func(*tosspayments.PartialCancelRequest)
	}{
		{"cancelReason", "empty", func(r *tosspayments.PartialCancelRequest) { r.CancelReason = "" }},
		{"cancelReason", "200", func(r *tosspayments.PartialCancelRequest) { r.CancelReason = strings.Repeat("가", 201) }},
		{"cancelAmount", "more than 0", func(r *tosspayments.PartialCancelRequest) { r.CancelAmount = zero }},
		{"cancelAmount", "more than 0", func(r *tosspayments.PartialCancelRequest) { r.CancelAmount = minus }},
		{"cancelAmount", "decimals", func(r *tosspayments.PartialCancelRequest) { r.CancelAmount = half; r.Currency = "KRW" }},
		{"cancelAmount", "refundableAmount", func(r *tosspayments.PartialCancelRequest) { a := tosspayments.Won(4999); r.RefundableAmount = &a }},
		{"taxFreeAmount", "negative", func(r *tosspayments.PartialCancelRequest) { r.TaxFreeAmount = minus }},
		{"taxFreeAmount", "cancelAmount", func(r *tosspayments.PartialCancelRequest) { r.TaxFreeAmount = tosspayments.Won(5001) }},
		{"refundReceiveAccount.bank", "empty", func(r *tosspayments.PartialCancelRequest) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) { a.Bank = "" })
		}},
		{"refundReceiveAccount.accountNumber", "digits", func(r *tosspayments.PartialCancelRequest) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) { a.AccountNumber = tosspayments.NewSensitive("12-3") })
		}},
		{"refundReceiveAccount.accountNumber", "20", func(r *tosspayments.PartialCancelRequest) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) {
				a.AccountNumber = tosspayments.NewSensitive(strings.Repeat("1", 21))
			})
		}},
		{"refundReceiveAccount.holderName", "60", func(r *tosspayments.PartialCancelRequest) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) { a.HolderName = strings.Repeat("가", 61) })
		}},
	} {
		request := part(false)
		row.change(&request)
		_, err := client.CancelPaymentPartially(t.Context(), "pay-1", request)
		var invalid *tosspayments.ValidationError
		if assert.ErrorAs(t, err, &invalid, row.field) {
			assert.Equal(t, row.field, invalid.Field)
			assert.Contains(t, invalid.Reason, row.reason)
		}
	}
	for _, key := range []string{"", ".", "..", strings.Repeat("x", 201)} {
		_, err := client.CancelPayment(t.Context(), key, full())
		assert.ErrorContains(t, err, "paymentKey")
		_, err = client.GetPayment(t.Context(), key)
		assert.ErrorContains(t, err, "paymentKey")
		_, err = client.GetPaymentByOrderID(t.Context(), key)
		assert.ErrorContains(t, err, "orderId")
	}
	_, err := client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{CancelReason: "r", RefundableAmount: &zero})
	assert.ErrorContains(t, err, "refundableAmount")
	assert.Zero(t, mock.GetTotalCallCount())
}

// A refund that is repeated under its key happens once; so does one whose answers
// are all lost and which is repeated by the caller as the error advises.
func TestPartialCancelRepeatedByTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		client := server.Client()
		order := checkout()
		payment, err := client.ConfirmPayment(t.Context(), pay(t, server, order))
		require.NoError(t, err)
		server.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true, Times: 3})
		request := tosspayments.PartialCancelRequest{CancelReason: "reason", CancelAmount: tosspayments.Won(5000)}

		_, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, request)
		var unknown *tosspayments.OutcomeUnknownError
		require.ErrorAs(t, err, &unknown)
		require.Equal(t, tosspayments.NextSameKey, unknown.Next)

		payment, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, request, tosspayments.WithIdempotencyKey(unknown.IdempotencyKey))
		require.NoError(t, err)
		assert.Equal(t, tosspayments.Won(28000), payment.Cancelable())
		assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, server.Refunds(order.OrderID))
	})
}

func amountOf(t testing.TB, text string) tosspayments.Amount {
	t.Helper()
	a, err := tosspayments.ParseAmount(text)
	require.NoError(t, err)
	return a
}
