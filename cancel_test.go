package tosspayments_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// cancelEntry is one cancel of a payment that left the given rest.
func cancelEntry(key string, amount, left int, changes object) object {
	o := object{
		"transactionKey": key, "cancelAmount": amount, "refundableAmount": left, "cancelReason": "reason",
		"cancelStatus": "DONE", "canceledAt": "2026-03-02T09:00:11+09:00",
	}
	maps.Copy(o, changes)
	return o
}

// canceledPayment is the payment with its cancels; balance may be nil.
func canceledPayment(status string, balance any, last string, cancels ...object) answer {
	return answer{status: 200, body: paymentJSON(status, object{
		"balanceAmount": balance, "lastTransactionKey": last, "cancels": cancels,
	})}
}

// untouchedPayment is the payment of which nothing has been cancelled.
func untouchedPayment() answer { return answer{status: 200, body: paymentJSON("DONE", nil)} }

// cancelAllRequest cancels what is left.
func cancelAllRequest() tosspayments.CancelPaymentRequest {
	return tosspayments.CancelPaymentRequest{CancelReason: "reason"}
}

// refund5000 cancels 5000 of 15000; with an id it may be repeated.
func refund5000(id string) tosspayments.PartialCancelRequest {
	return tosspayments.PartialCancelRequest{
		CancelReason: "reason", CancelAmount: tosspayments.Won(5000), RefundableAmount: tosspayments.Won(15000), RefundID: id,
	}
}

func TestCancelOnTheWire(t *testing.T) {
	client, mock := mockClient(t)
	posts := onCancel(mock, canceledPayment("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, nil)))
	_, err := client.CancelPayment(t.Context(), "pay-1", cancelAllRequest())
	require.NoError(t, err)
	assert.JSONEq(t, `{"cancelReason":"reason"}`, posts.seen[0].body)
	assert.NotEmpty(t, posts.seen[0].header.Get("Idempotency-Key"))
}

func TestCancelWithEveryField(t *testing.T) {
	client, mock := mockClient(t)
	posts := onCancel(mock, canceledPayment("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, object{"cancelRequestId": "cancel-1"})))
	_, err := client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{
		CancelReason: "reason", CancelRequestID: "cancel-1", TaxFreeAmount: tosspayments.Won(50), TaxExemptionAmount: tosspayments.Won(100),
		RefundableAmount: tosspayments.Won(15000), Currency: "KRW",
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"cancelReason":"reason","cancelRequestId":"cancel-1","taxFreeAmount":50,"taxExemptionAmount":100,
		"refundableAmount":15000,"currency":"KRW"}`, posts.seen[0].body)
}

func TestPartialCancelOnTheWire(t *testing.T) {
	client, mock := mockClient(t)
	posts := onCancel(mock, canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil)))
	request := refund5000("")
	request.Currency = "KRW"
	request.TaxFreeAmount = tosspayments.Won(500)
	request.RefundReceiveAccount = &tosspayments.RefundReceiveAccount{
		Bank: "20", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: "김토페",
	}
	payment, err := client.CancelPaymentPartially(t.Context(), "pay-1", request)
	require.NoError(t, err)
	assert.JSONEq(t, `{"cancelReason":"reason","cancelAmount":5000,"refundableAmount":15000,"taxFreeAmount":500,"currency":"KRW",
		"refundReceiveAccount":{"bank":"20","accountNumber":"1000123456789","holderName":"김토페"}}`, posts.seen[0].body)
	assert.Len(t, posts.seen[0].header.Get("Idempotency-Key"), 26, "a random one")
	assert.Equal(t, "C1", payment.LastCancel().TransactionKey)
}

func TestRefundWithAnIDOnTheWire(t *testing.T) {
	client, mock := mockClient(t)
	posts := onCancel(mock, canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelReason": "reason [r-1]"})))
	onLookUp(mock, untouchedPayment())
	var response tosspayments.Response
	_, err := client.CancelPaymentPartially(t.Context(), "pay-1", refund5000("r-1"), tosspayments.WithResponse(&response))
	require.NoError(t, err)
	assert.JSONEq(t, `{"cancelReason":"reason [r-1]","cancelAmount":5000,"refundableAmount":15000}`, posts.seen[0].body)
	assert.Equal(t, "refund-r-1", posts.seen[0].header.Get("Idempotency-Key"))
	assert.Equal(t, "refund-r-1", response.IdempotencyKey)
	assert.Equal(t, 1, response.Attempts)
}

func TestCancelOfAll(t *testing.T) {
	done := canceledPayment("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, nil))
	pending := canceledPayment("DONE", 15000, "C1", cancelEntry("C1", 15000, 0, object{"cancelStatus": "IN_PROGRESS"}))
	part := canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil))
	unknown := tosspayments.ErrOutcomeUnknown
	for _, row := range []struct {
		name    string
		answers []answer
		found   []answer
		wants   error // nil is success
		// own is set for a call with a key of the caller's.
		own   bool
		posts int
		looks int
		stop  bool // not Repeatable
	}{
		{name: "answer", answers: []answer{done}, posts: 1},
		{name: "answer at the end of parts", answers: []answer{canceledPayment("PARTIAL_CANCELED", 0, "C2", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 10000, 0, nil))}, posts: 1},
		{name: "answer without a balance", answers: []answer{canceledPayment("CANCELED", nil, "C1", cancelEntry("C1", 15000, 0, nil))}, posts: 1},
		{name: "parts without a balance", answers: []answer{canceledPayment("PARTIAL_CANCELED", nil, "C2", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 10000, 0, nil))}, posts: 1},
		{name: "neither balance nor cancels", answers: []answer{canceledPayment("PARTIAL_CANCELED", nil, "")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "a balance that cannot be read", answers: []answer{canceledPayment("CANCELED", "ten", "C1", cancelEntry("C1", 15000, 0, nil))}, found: []answer{done}, posts: 3, looks: 1},

		{name: "lost, replayed", answers: []answer{lost, done}, posts: 2},
		{name: "lost, found", answers: []answer{lost}, found: []answer{done}, posts: 3, looks: 1},
		{name: "lost, found without a balance", answers: []answer{lost}, found: []answer{canceledPayment("CANCELED", nil, "C1", cancelEntry("C1", 15000, 0, nil))}, posts: 3, looks: 1},
		{name: "500, found", answers: []answer{refusal(500, "FAILED_REFUND_PROCESS")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "500, no effect, again", answers: []answer{refusal(500, "FAILED_REFUND_PROCESS"), done}, found: []answer{untouchedPayment()}, posts: 2, looks: 1},
		{name: "in flight, again", answers: []answer{refusal(409, "IDEMPOTENT_REQUEST_PROCESSING"), done}, posts: 2},
		{name: "lost, then already cancelled", answers: []answer{lost, refusal(400, "ALREADY_CANCELED_PAYMENT")}, found: []answer{done}, posts: 2, looks: 1},
		{name: "lost, then not cancelable amount", answers: []answer{lost, refusal(403, "NOT_CANCELABLE_AMOUNT")}, found: []answer{done}, posts: 2, looks: 1},
		{name: "lost, then refused, found", answers: []answer{lost, refusal(403, "NOT_CANCELABLE_PAYMENT")}, found: []answer{done}, posts: 2, looks: 1},
		{name: "lost, then refused, twice no effect", answers: []answer{lost, refusal(400, "REFUND_REJECTED")}, found: []answer{untouchedPayment()}, wants: tosspayments.ErrRefundRejected, posts: 2, looks: 2},
		{name: "lost, then refused, not found out", answers: []answer{lost, refusal(400, "REFUND_REJECTED")}, found: []answer{untouchedPayment(), lost}, wants: unknown, posts: 2, looks: 4},
		{name: "lost, no effect seen", answers: []answer{lost}, found: []answer{untouchedPayment()}, wants: unknown, posts: 3, looks: 3},
		{name: "unclear 4xx, no effect, a new key, unclear", answers: []answer{refusal(400, "PROVIDER_ERROR")}, found: []answer{untouchedPayment()}, wants: unknown, posts: 3, looks: 6},

		{name: "already cancelled: nothing is left", answers: []answer{refusal(400, "ALREADY_CANCELED_PAYMENT")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "nothing cancelable: nothing is left", answers: []answer{refusal(403, "NOT_CANCELABLE_AMOUNT")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "already cancelled, but not to be seen", answers: []answer{refusal(400, "ALREADY_CANCELED_PAYMENT")}, found: []answer{untouchedPayment()}, wants: unknown, posts: 1, looks: 3},
		{name: "the balance is another", answers: []answer{refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, found: []answer{part}, wants: tosspayments.ErrNotMatchesRefundableAmount, posts: 1, looks: 1},
		{name: "the balance is 0", answers: []answer{refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "told to wait, somebody else has done it", answers: []answer{{status: 429}}, found: []answer{done}, posts: 3, looks: 1},
		{name: "told to wait, nothing done", answers: []answer{refusal(403, "FORBIDDEN_CONSECUTIVE_REQUEST")}, found: []answer{untouchedPayment()}, wants: tosspayments.ErrForbiddenConsecutiveRequest, posts: 3, looks: 1},
		{name: "refused", answers: []answer{refusal(400, "REFUND_REJECTED")}, wants: tosspayments.ErrRefundRejected, posts: 1},
		{name: "period over", answers: []answer{refusal(403, "EXCEED_MAX_REFUND_DUE")}, wants: tosspayments.ErrExceedMaxRefundDue, posts: 1},
		{name: "keys", answers: []answer{refusal(401, "UNAUTHORIZED_KEY")}, wants: tosspayments.ErrUnauthorizedKey, posts: 1},

		{name: "own key, refused, found", own: true, answers: []answer{refusal(400, "REFUND_REJECTED")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "own key, refused, twice no effect", own: true, answers: []answer{refusal(400, "REFUND_REJECTED")}, found: []answer{untouchedPayment()}, wants: tosspayments.ErrRefundRejected, posts: 1, looks: 2},
		{name: "own key, keys refused, found", own: true, answers: []answer{refusal(401, "UNAUTHORIZED_KEY")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "own key, keys refused, no effect", own: true, answers: []answer{refusal(401, "UNAUTHORIZED_KEY")}, found: []answer{untouchedPayment()}, wants: unknown, posts: 1, looks: 3},
		{name: "own key, told to wait", own: true, answers: []answer{{status: 429}}, found: []answer{untouchedPayment()}, wants: unknown, posts: 3, looks: 3},

		{name: "answered as in progress", answers: []answer{pending}, wants: unknown, posts: 1, stop: true},
		{name: "found in progress", answers: []answer{lost}, found: []answer{pending}, wants: unknown, posts: 3, looks: 1, stop: true},
		{name: "replay of a part", answers: []answer{part}, wants: tosspayments.ErrAmountMismatch, posts: 1},
		{name: "another payment", answers: []answer{{status: 200, body: paymentJSON("CANCELED", object{"paymentKey": "pay-2"})}}, wants: tosspayments.ErrForeignAnswer, posts: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts, lookups := onCancel(mock, row.answers...), &script{}
				if row.found != nil {
					lookups = onLookUp(mock, row.found...)
				}
				var opts []tosspayments.CallOption
				if row.own {
					opts = append(opts, tosspayments.WithIdempotencyKey("mine"))
				}
				payment, err := client.CancelPayment(t.Context(), "pay-1", cancelAllRequest(), opts...)
				assert.Len(t, posts.seen, row.posts)
				assertLooks(t, lookups, row.looks, errors.Is(row.wants, unknown))
				if row.wants == nil {
					require.NoError(t, err)
					assert.Equal(t, tosspayments.OutcomeCanceled, payment.Outcome())
					return
				}
				assertCancelError(t, err, row.wants, row.stop)
			})
		})
	}
}

// assertLooks counts lookups. Of a call that found nothing out, how many it made depends
// on its random pauses.
func assertLooks(t *testing.T, lookups *script, want int, undecided bool) {
	t.Helper()
	if !undecided || want < 2 {
		assert.Len(t, lookups.seen, want)
		return
	}
	assert.GreaterOrEqual(t, len(lookups.seen), 2)
	assert.LessOrEqual(t, len(lookups.seen), 6, "a handful")
}

// assertCancelError checks the error of a cancel; stop is set if the call must not be
// made again.
func assertCancelError(t *testing.T, err, wants error, stop bool) {
	t.Helper()
	require.ErrorIs(t, err, wants)
	var unknown *tosspayments.OutcomeUnknownError
	if !errors.As(err, &unknown) {
		return
	}
	assert.Equal(t, stop, strings.Contains(err.Error(), "do not make the call again"))
	assert.Equal(t, !stop, unknown.Repeatable)
	assert.Equal(t, "pay-1", unknown.PaymentKey)
	assert.NotEmpty(t, unknown.IdempotencyKey)
	assertOutcomeUnknown(t, err)
}

// assertOutcomeUnknown wants an error that nobody can take for a refusal.
func assertOutcomeUnknown(t *testing.T, err error) {
	t.Helper()
	assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err))
	var refused *tosspayments.Error
	assert.NotErrorAs(t, err, &refused)
}

// A part without a RefundID is good for one call: its twin cannot be told from it.
func TestCancelOfAPart(t *testing.T) {
	done := canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil))
	pending := object{"cancelStatus": "IN_PROGRESS"}
	unknown, moved := tosspayments.ErrOutcomeUnknown, tosspayments.ErrNotMatchesRefundableAmount
	for _, row := range []struct {
		name    string
		answers []answer
		found   []answer
		wants   error
		posts   int
		looks   int
	}{
		{name: "answer", answers: []answer{done}, posts: 1},
		{name: "answer under the older key name", answers: []answer{{status: 200, body: paymentJSON("PARTIAL_CANCELED", object{
			"balanceAmount": 10000, "lastTransactionKey": nil, "transactionKey": "C1", "cancels": []object{cancelEntry("C1", 5000, 10000, object{"cancelReason": "…"})}})}}, posts: 1},
		{name: "answer with another reason", answers: []answer{canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelReason": "…"}))}, posts: 1},
		{name: "answer without a last key", answers: []answer{canceledPayment("PARTIAL_CANCELED", 10000, "", cancelEntry("C1", 5000, 10000, nil))}, posts: 1},
		{name: "answer, cancelled further since", answers: []answer{canceledPayment("PARTIAL_CANCELED", 4000, "C2", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 6000, 4000, nil))}, posts: 1},
		{name: "answer about another amount", answers: []answer{canceledPayment("PARTIAL_CANCELED", 9000, "C1", cancelEntry("C1", 6000, 9000, nil))}, wants: tosspayments.ErrAmountMismatch, posts: 1},
		{name: "answer about another balance", answers: []answer{canceledPayment("PARTIAL_CANCELED", 8000, "C1", cancelEntry("C1", 5000, 8000, nil))}, wants: tosspayments.ErrAmountMismatch, posts: 1},
		{name: "answer about another payment", answers: []answer{{status: 200, body: paymentJSON("PARTIAL_CANCELED", object{"paymentKey": "pay-2"})}}, wants: tosspayments.ErrForeignAnswer, posts: 1},
		{name: "answer without the cancel", answers: []answer{canceledPayment("PARTIAL_CANCELED", 10000, "C1")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "answer still in progress", answers: []answer{canceledPayment("DONE", 15000, "C1", cancelEntry("C1", 5000, 10000, pending))}, wants: unknown, posts: 1},
		{name: "answer that the wallet refused", answers: []answer{canceledPayment("DONE", 15000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelStatus": "ABORTED"}))}, wants: tosspayments.ErrRefundRejected, posts: 1},
		{name: "cancels that cannot be read", answers: []answer{{status: 200, body: paymentJSON("PARTIAL_CANCELED", object{"cancels": "none"})}, done}, posts: 2},

		{name: "lost, replayed", answers: []answer{lost, lost, done}, posts: 3},
		{name: "lost, found", answers: []answer{lost}, found: []answer{done}, posts: 3, looks: 1},
		{name: "lost, no effect seen", answers: []answer{lost}, found: []answer{untouchedPayment()}, wants: unknown, posts: 3, looks: 3},
		{name: "500, found", answers: []answer{refusal(500, "FAILED_PARTIAL_REFUND")}, found: []answer{done}, posts: 1, looks: 1},
		{name: "500, no effect, again", answers: []answer{refusal(500, "FAILED_PARTIAL_REFUND"), done}, found: []answer{untouchedPayment()}, posts: 2, looks: 1},
		{name: "unclear 4xx, no effect, a new key, unclear", answers: []answer{refusal(400, "PROVIDER_ERROR")}, found: []answer{untouchedPayment()}, wants: unknown, posts: 3, looks: 6},
		{name: "unclear 4xx, then nothing to be read", answers: []answer{refusal(400, "PROVIDER_ERROR")}, found: []answer{lost}, wants: unknown, posts: 3, looks: 6},

		{name: "lost, the balance has moved otherwise", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 9000, "C1", cancelEntry("C1", 6000, 9000, nil))}, wants: moved, posts: 3, looks: 1},
		{name: "lost, all was cancelled otherwise", answers: []answer{lost}, found: []answer{canceledPayment("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, nil))}, wants: moved, posts: 3, looks: 1},
		{name: "lost, cancelled further since", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 4000, "C2", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 6000, 4000, nil))}, posts: 3, looks: 1},
		{name: "lost, another reason left that rest", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelReason": "someone else"}))}, wants: moved, posts: 3, looks: 1},
		{name: "lost, a twin left another rest", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 8000, "C1", cancelEntry("C1", 5000, 8000, nil))}, wants: moved, posts: 3, looks: 1},
		{name: "lost, a twin before it", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 10000, "C2", cancelEntry("C1", 5000, 15000, nil), cancelEntry("C2", 5000, 10000, nil))}, posts: 3, looks: 1},
		{name: "lost, two cancels left that rest", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 5000, 10000, nil))}, wants: unknown, posts: 3, looks: 4},
		{name: "lost, a twin that left nobody knows what", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, object{"refundableAmount": nil}))}, wants: unknown, posts: 3, looks: 4},
		{name: "lost, a cancel is in progress", answers: []answer{lost}, found: []answer{canceledPayment("DONE", 15000, "C1", cancelEntry("C1", 5000, 10000, pending))}, wants: unknown, posts: 3, looks: 1},
		{name: "lost, a twin that came to nothing", answers: []answer{lost}, found: []answer{canceledPayment("DONE", 15000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelStatus": "ABORTED"}))}, wants: unknown, posts: 3, looks: 3},
		{name: "lost, then the balance differs: our own doing", answers: []answer{lost, refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, found: []answer{done}, posts: 2, looks: 1},
		{name: "lost, then the balance differs: not ours", answers: []answer{lost, refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, found: []answer{canceledPayment("PARTIAL_CANCELED", 9000, "C1", cancelEntry("C1", 6000, 9000, nil))}, wants: moved, posts: 2, looks: 1},
		{name: "lost, then refused, twice no effect", answers: []answer{lost, refusal(400, "REFUND_REJECTED")}, found: []answer{untouchedPayment()}, wants: tosspayments.ErrRefundRejected, posts: 2, looks: 2},
		{name: "lost, then keys refused", answers: []answer{lost, refusal(401, "UNAUTHORIZED_KEY")}, found: []answer{untouchedPayment()}, wants: unknown, posts: 2, looks: 3},

		{name: "the balance differs", answers: []answer{refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, wants: moved, posts: 1},
		{name: "refused", answers: []answer{refusal(403, "NOT_CANCELABLE_AMOUNT")}, wants: tosspayments.ErrNotCancelableAmount, posts: 1},
		{name: "already cancelled", answers: []answer{refusal(400, "ALREADY_CANCELED_PAYMENT")}, wants: tosspayments.ErrAlreadyCanceledPayment, posts: 1},
		{name: "told to wait", answers: []answer{{status: 429}}, wants: tosspayments.ErrTooManyRequests, posts: 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts, lookups := onCancel(mock, row.answers...), &script{}
				if row.found != nil {
					lookups = onLookUp(mock, row.found...)
				}
				_, err := client.CancelPaymentPartially(t.Context(), "pay-1", refund5000(""))
				assert.Len(t, posts.seen, row.posts)
				assertLooks(t, lookups, row.looks, errors.Is(row.wants, unknown))
				for _, post := range posts.seen {
					assert.Equal(t, posts.seen[0].body, post.body, "every attempt is pinned to the balance")
				}
				if row.wants == nil {
					require.NoError(t, err)
					return
				}
				assertCancelError(t, err, row.wants, true)
			})
		})
	}
}

// A part with a RefundID may be asked for at any time: what the payment shows is looked
// at first, and an earlier call may always have reached the server.
func TestCancelOfANamedPart(t *testing.T) {
	own := object{"cancelReason": "reason [r-1]"}
	with := func(changes object) object {
		o := maps.Clone(own)
		maps.Copy(o, changes)
		return o
	}
	done := canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, own))
	further := canceledPayment("CANCELED", 0, "C2", cancelEntry("C1", 5000, 10000, own), cancelEntry("C2", 10000, 0, nil))
	twin := canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, object{"cancelReason": "reason [r-2]"}))
	pending := canceledPayment("DONE", 15000, "C1", cancelEntry("C1", 5000, 10000, with(object{"cancelStatus": "IN_PROGRESS"})))
	unknown, moved := tosspayments.ErrOutcomeUnknown, tosspayments.ErrNotMatchesRefundableAmount
	for _, row := range []struct {
		name    string
		answers []answer
		found   []answer
		wants   error
		posts   int
		looks   int
		stop    bool
	}{
		{name: "first call", answers: []answer{done}, found: []answer{untouchedPayment()}, posts: 1, looks: 1},
		{name: "first call, nothing to be read", answers: []answer{done}, found: []answer{lost}, posts: 1, looks: 1},
		{name: "done before", found: []answer{done}, looks: 1},
		{name: "done before, and more since", found: []answer{further}, looks: 1},
		{name: "done before, after 15 days, not to be seen at first", answers: []answer{refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, found: []answer{lost, done}, posts: 1, looks: 2},
		{name: "its twin was done", answers: []answer{refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, found: []answer{twin}, wants: moved, posts: 1, looks: 4},
		{name: "its twin answers", answers: []answer{twin}, found: []answer{untouchedPayment()}, posts: 1, looks: 1},
		{name: "lost, found", answers: []answer{lost}, found: []answer{untouchedPayment(), done}, posts: 3, looks: 2},
		{name: "lost, found among others", answers: []answer{lost}, found: []answer{untouchedPayment(), further}, posts: 3, looks: 2},
		{name: "lost, its twin was done", answers: []answer{lost}, found: []answer{untouchedPayment(), twin}, wants: moved, posts: 3, looks: 2},
		{name: "lost, no effect seen", answers: []answer{lost}, found: []answer{untouchedPayment()}, wants: unknown, posts: 3, looks: 4},
		{name: "refused, twice no effect", answers: []answer{refusal(400, "REFUND_REJECTED")}, found: []answer{untouchedPayment()}, wants: tosspayments.ErrRefundRejected, posts: 1, looks: 3},
		{name: "refused, found", answers: []answer{refusal(400, "REFUND_REJECTED")}, found: []answer{untouchedPayment(), done}, posts: 1, looks: 2},
		{name: "keys refused", answers: []answer{refusal(401, "UNAUTHORIZED_KEY")}, found: []answer{untouchedPayment()}, wants: unknown, posts: 1, looks: 4},
		{name: "told to wait", answers: []answer{{status: 429}}, found: []answer{untouchedPayment()}, wants: unknown, posts: 3, looks: 4},
		{name: "a useless answer is stored, a new key", answers: []answer{refusal(400, "PROVIDER_ERROR"), refusal(400, "PROVIDER_ERROR"), done}, found: []answer{untouchedPayment()}, posts: 3, looks: 3},
		{name: "in progress before", found: []answer{pending}, wants: unknown, posts: 0, looks: 1, stop: true},
		{name: "another is in progress", answers: []answer{done}, found: []answer{canceledPayment("DONE", 15000, "C9", cancelEntry("C9", 1000, 14000, object{"cancelStatus": "IN_PROGRESS"}))}, posts: 1, looks: 1},
		{name: "in progress", answers: []answer{pending}, found: []answer{untouchedPayment(), pending}, wants: unknown, posts: 1, looks: 2, stop: true},
		{name: "the id was used for another amount", answers: []answer{lost}, found: []answer{canceledPayment("PARTIAL_CANCELED", 9000, "C1", cancelEntry("C1", 6000, 9000, own))}, wants: tosspayments.ErrAmountMismatch, posts: 0, looks: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts, lookups := &script{}, onLookUp(mock, row.found...)
				if row.answers != nil {
					posts = onCancel(mock, row.answers...)
				}
				var response tosspayments.Response
				payment, err := client.CancelPaymentPartially(t.Context(), "pay-1", refund5000("r-1"), tosspayments.WithResponse(&response))
				assert.Len(t, posts.seen, row.posts)
				assertLooks(t, lookups, row.looks, errors.Is(row.wants, unknown))
				assert.Equal(t, "refund-r-1", response.IdempotencyKey)
				if row.wants == nil {
					require.NoError(t, err)
					assert.NotNil(t, payment)
					assert.Equal(t, row.posts, response.Attempts)
					return
				}
				assertCancelError(t, err, row.wants, row.stop)
			})
		})
	}
	t.Run("its own key also when nothing was sent", func(t *testing.T) {
		client, _ := mockClient(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var response tosspayments.Response
		_, err := client.CancelPaymentPartially(ctx, "pay-1", refund5000("r-1"), tosspayments.WithResponse(&response))
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, "an earlier call may have been sent")
		assert.Equal(t, "refund-r-1", response.IdempotencyKey)
	})
}

func TestCancelValidation(t *testing.T) {
	client, mock := mockClient(t)
	account := func(change func(*tosspayments.RefundReceiveAccount)) *tosspayments.RefundReceiveAccount {
		a := &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("123"), HolderName: "a"}
		change(a)
		return a
	}
	zero, minus, half := tosspayments.Won(0), tosspayments.Won(-1), amountOf(t, "0.5")
	type request = tosspayments.PartialCancelRequest
	for _, row := range []struct {
		field, reason string
		change        func(*request)
	}{
		{"cancelReason", "empty", func(r *request) { r.CancelReason = "" }},
		{"cancelReason", "200", func(r *request) { r.CancelReason = strings.Repeat("가", 201) }},
		{"cancelReason", "200", func(r *request) { r.CancelReason, r.RefundID = strings.Repeat("가", 195), "r-1" }},
		{"cancelAmount", "more than 0", func(r *request) { r.CancelAmount = zero }},
		{"cancelAmount", "more than 0", func(r *request) { r.CancelAmount = minus }},
		{"cancelAmount", "decimals", func(r *request) { r.CancelAmount = half; r.Currency = "KRW" }},
		{"cancelAmount", "refundableAmount", func(r *request) { r.RefundableAmount = tosspayments.Won(4999) }},
		{"refundableAmount", "nothing is left", func(r *request) { r.RefundableAmount = zero }},
		{"refundableAmount", "", func(r *request) { r.RefundableAmount = minus }},
		{"RefundID", "64", func(r *request) { r.RefundID = strings.Repeat("r", 65) }},
		{"RefundID", "brackets", func(r *request) { r.RefundID = "r]" }},
		{"RefundID", "ASCII", func(r *request) { r.RefundID = "환불" }},
		{"taxFreeAmount", "negative", func(r *request) { r.TaxFreeAmount = minus }},
		{"taxFreeAmount", "cancelAmount", func(r *request) { r.TaxFreeAmount = tosspayments.Won(5001) }},
		{"taxExemptionAmount", "negative", func(r *request) { r.TaxExemptionAmount = minus }},
		{"cancelRequestId", "6 to 64", func(r *request) { r.CancelRequestID = "x" }},
		{"refundReceiveAccount.bank", "empty", func(r *request) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) { a.Bank = "" })
		}},
		{"refundReceiveAccount.accountNumber", "digits", func(r *request) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) { a.AccountNumber = tosspayments.NewSensitive("12-3") })
		}},
		{"refundReceiveAccount.accountNumber", "20", func(r *request) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) {
				a.AccountNumber = tosspayments.NewSensitive(strings.Repeat("1", 21))
			})
		}},
		{"refundReceiveAccount.holderName", "60", func(r *request) {
			r.RefundReceiveAccount = account(func(a *tosspayments.RefundReceiveAccount) { a.HolderName = strings.Repeat("가", 61) })
		}},
	} {
		request := refund5000("")
		row.change(&request)
		_, err := client.CancelPaymentPartially(t.Context(), "pay-1", request)
		assertInvalid(t, err, row.field, row.reason)
	}
	for _, key := range []string{"", ".", "..", strings.Repeat("x", 201)} {
		_, err := client.CancelPayment(t.Context(), key, cancelAllRequest())
		assertInvalid(t, err, "paymentKey", "")
		_, err = client.CancelPaymentPartially(t.Context(), key, refund5000("r-1"))
		assertInvalid(t, err, "paymentKey", "")
		_, err = client.GetPayment(t.Context(), key)
		assertInvalid(t, err, "paymentKey", "")
		_, err = client.GetPaymentByOrderID(t.Context(), key)
		assertInvalid(t, err, "orderId", "")
	}
	_, err := client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{CancelReason: "r", RefundableAmount: minus})
	assertInvalid(t, err, "refundableAmount", "negative")
	_, err = client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{})
	assertInvalid(t, err, "cancelReason", "empty")
	_, err = client.CancelPaymentPartially(t.Context(), "pay-1", refund5000(""), tosspayments.WithIdempotencyKey("mine"))
	assertInvalid(t, err, "idempotencyKey", "RefundID")
	_, err = client.CancelPaymentPartially(t.Context(), "pay-1", refund5000("r-1"), tosspayments.WithIdempotencyKey("mine"))
	assertInvalid(t, err, "idempotencyKey", "RefundID")
	assert.Zero(t, mock.GetTotalCallCount())
}

// assertInvalid checks that err is a *ValidationError about the field.
func assertInvalid(t testing.TB, err error, field, reason string) {
	t.Helper()
	var invalid *tosspayments.ValidationError
	if assert.ErrorAs(t, err, &invalid, field) {
		assert.Equal(t, field, invalid.Field)
		assert.Contains(t, invalid.Reason, reason)
		assert.ErrorIs(t, err, tosspayments.ErrNotSent)
	}
}

// paidPayment is a payment of 33,000 won at the server.
func paidPayment(t testing.TB, server *tosstest.Server) *tosspayments.Payment {
	t.Helper()
	payment, err := server.Client().ConfirmPayment(t.Context(), pay(t, server, checkout()))
	require.NoError(t, err)
	return payment
}

// loseCancels loses the answers of a whole call, and what it looks up.
func loseCancels(server *tosstest.Server) {
	server.Inject(
		tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true, Times: 3},
		tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway, Times: 6},
	)
}

func TestRefundRepeatedByTheCaller(t *testing.T) {
	for name, id := range map[string]string{"named": "r-1", "unnamed": ""} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := tosstest.New()
				client, payment := server.Client(), paidPayment(t, server)
				request := tosspayments.PartialCancelRequest{
					CancelReason: "reason", CancelAmount: tosspayments.Won(5000), RefundableAmount: payment.Cancelable(), RefundID: id,
				}
				loseCancels(server)
				_, err := client.CancelPaymentPartially(t.Context(), payment.PaymentKey, request)
				var unknown *tosspayments.OutcomeUnknownError
				require.ErrorAs(t, err, &unknown)
				require.Equal(t, id != "", unknown.Repeatable)

				server.ClearFaults()
				server.Advance(20 * 24 * time.Hour) // the server has forgotten the key
				again, err := client.CancelPaymentPartially(t.Context(), payment.PaymentKey, request)
				if id == "" {
					require.ErrorIs(t, err, tosspayments.ErrNotMatchesRefundableAmount, "the balance keeps it from happening twice")
				} else {
					require.NoError(t, err)
					assert.Equal(t, tosspayments.Won(28000), again.Cancelable())
				}
				assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, server.Refunds(payment.OrderID))
			})
		})
	}
	t.Run("all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := tosstest.New()
			client, payment := server.Client(), paidPayment(t, server)
			loseCancels(server)
			_, err := client.CancelPayment(t.Context(), payment.PaymentKey, cancelAllRequest())
			var unknown *tosspayments.OutcomeUnknownError
			require.ErrorAs(t, err, &unknown)
			require.True(t, unknown.Repeatable)
			server.ClearFaults()
			_, err = client.CancelPayment(t.Context(), payment.PaymentKey, cancelAllRequest(), tosspayments.WithIdempotencyKey(unknown.IdempotencyKey))
			require.NoError(t, err)
			_, err = client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "another"})
			require.NoError(t, err, "nothing is left, as was asked for")
			assert.Equal(t, []tosspayments.Amount{tosspayments.Won(33000)}, server.Refunds(payment.OrderID))
		})
	})
}

// Two refunds that are alike in everything but their ids, each asked for by many.
func TestTwinRefunds(t *testing.T) {
	server := tosstest.NewServer(t)
	payment := paidPayment(t, server)
	for i, id := range []string{"line-1", "line-2"} {
		request := tosspayments.PartialCancelRequest{
			CancelReason: "품절", CancelAmount: tosspayments.Won(11000), RefundableAmount: tosspayments.Won(int64(33000 - 11000*i)), RefundID: id,
		}
		errs := make(chan error)
		const callers = 8
		for range callers {
			client := server.Client()
			go func() {
				_, err := client.CancelPaymentPartially(t.Context(), payment.PaymentKey, request)
				errs <- err
			}()
		}
		for range callers {
			assert.NoError(t, <-errs)
		}
		assert.Len(t, server.Refunds(payment.OrderID), i+1)
	}
	payment, err := server.Client().GetPayment(t.Context(), payment.PaymentKey)
	require.NoError(t, err)
	assert.Equal(t, "품절 [line-2]", payment.LastCancel().CancelReason)
	assert.Equal(t, "품절 [line-1]", payment.Cancels[0].CancelReason)

	_, err = server.Client().CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "품절", CancelAmount: tosspayments.Won(5000), RefundableAmount: tosspayments.Won(33000), RefundID: "line-1",
	})
	var mismatch *tosspayments.MismatchError
	require.ErrorAs(t, err, &mismatch, "the id is that of a refund of another amount")
	assert.Equal(t, "cancelAmount", mismatch.Field)
}

// A wallet works on a cancel for a while; meanwhile, and for 15 days, the server replays
// its first answer, whatever has become of it.
func TestCancelOfAWallet(t *testing.T) {
	for name, row := range map[string]struct {
		reason string
		call   func(context.Context, *tosspayments.Client) error
	}{
		"a part": {"reason [r-1]", func(ctx context.Context, c *tosspayments.Client) error {
			return errorOnly(c.CancelPaymentPartially(ctx, "pay-1", refund5000("r-1")))
		}},
		"all": {"reason", func(ctx context.Context, c *tosspayments.Client) error {
			return errorOnly(c.CancelPayment(ctx, "pay-1", cancelAllRequest(), tosspayments.WithIdempotencyKey("mine")))
		}},
	} {
		part := name == "a part"
		state := func(status string) answer {
			amount, left, whole := 15000, 0, "CANCELED"
			if part {
				amount, left, whole = 5000, 10000, "PARTIAL_CANCELED"
			}
			entry := cancelEntry("C1", amount, left, object{"cancelReason": row.reason, "cancelStatus": status})
			if status != "DONE" {
				return canceledPayment("DONE", 15000, "C1", entry)
			}
			return canceledPayment(whole, left, "C1", entry)
		}
		for _, end := range []string{"DONE", "ABORTED"} {
			if !part && end == "ABORTED" {
				continue // the cancel of all may be asked for anew
			}
			t.Run(name+" "+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					onCancel(mock, state("IN_PROGRESS"))
					onLookUp(mock, untouchedPayment(), state("IN_PROGRESS"))
					for range 2 {
						assertCancelError(t, row.call(t.Context(), client), tosspayments.ErrOutcomeUnknown, true)
					}
					onLookUp(mock, state(end))
					err := row.call(t.Context(), client)
					if end == "DONE" {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, tosspayments.ErrRefundRejected)
						assert.Equal(t, tosspayments.OutcomeRefused, tosspayments.OutcomeOf(nil, err))
					}
				})
			})
		}
	}
}

// A cancel of all that expects a balance can never happen once that is another one.
func TestCancelOfAllWithItsBalance(t *testing.T) {
	request := cancelAllRequest()
	request.RefundableAmount = tosspayments.Won(15000)
	for name, row := range map[string]struct {
		found answer
		wants error
	}{
		"a part was cancelled": {canceledPayment("PARTIAL_CANCELED", 10000, "C1", cancelEntry("C1", 5000, 10000, nil)), tosspayments.ErrNotMatchesRefundableAmount},
		"nothing is left":      {canceledPayment("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, nil)), nil},
		"nothing has happened": {untouchedPayment(), tosspayments.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				onCancel(mock, refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT"))
				onLookUp(mock, row.found)
				_, err := client.CancelPayment(t.Context(), "pay-1", request, tosspayments.WithIdempotencyKey("mine"))
				require.ErrorIs(t, err, row.wants)
			})
		})
	}
}

// A balance above the expected one is an old copy, or the request is wrong: one look
// does not decide.
func TestRefundSeesAnOldCopy(t *testing.T) {
	request := refund5000("r-1")
	request.RefundableAmount = tosspayments.Won(10000) // the caller knows of C1
	done := canceledPayment("PARTIAL_CANCELED", 5000, "C2",
		cancelEntry("C1", 5000, 10000, nil), cancelEntry("C2", 5000, 5000, object{"cancelReason": "reason [r-1]"}))
	for name, row := range map[string]struct {
		posts []answer
		found []answer
		wants error
	}{
		"before it":         {[]answer{done}, []answer{untouchedPayment()}, nil},
		"after it":          {[]answer{lost}, []answer{lost, untouchedPayment(), done}, nil},
		"it was no copy":    {[]answer{refusal(400, "NOT_MATCHES_REFUNDABLE_AMOUNT")}, []answer{untouchedPayment()}, tosspayments.ErrNotMatchesRefundableAmount},
		"it cannot be read": {[]answer{lost}, []answer{lost}, tosspayments.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				onCancel(mock, row.posts...)
				onLookUp(mock, row.found...)
				_, err := client.CancelPaymentPartially(t.Context(), "pay-1", request)
				require.ErrorIs(t, err, row.wants)
			})
		})
	}
}

func TestRefundAccountIsNotRepeated(t *testing.T) {
	client, mock := mockClient(t)
	onCancel(mock, answer{status: 400, body: `{"code":"INVALID_REFUND_ACCOUNT_NUMBER","message":"account 123456 is wrong"}`})
	_, err := client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{
		CancelReason:         "reason",
		RefundReceiveAccount: &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("123456"), HolderName: "a"},
	})
	require.ErrorIs(t, err, tosspayments.ErrInvalidRefundAccountNumber)
	assert.NotContains(t, err.Error(), "123456")
	assert.NotContains(t, fmt.Sprintf("%+v", tosspayments.CancelPaymentRequest{
		RefundReceiveAccount: &tosspayments.RefundReceiveAccount{AccountNumber: tosspayments.NewSensitive("123456")},
	}.RefundReceiveAccount), "123456")
}

func amountOf(t testing.TB, text string) tosspayments.Amount {
	t.Helper()
	a, err := tosspayments.ParseAmount(text)
	require.NoError(t, err)
	return a
}

func TestPlainCancelPaymentPartially(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/payments/pay-1/cancel", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "PARTIAL_CANCELED", "method": "카드", "currency": "KRW",
		"totalAmount": 15000, "balanceAmount": 10000,
		"lastTransactionKey": "T2", "cancels": [{"transactionKey": "T2", "cancelAmount": 5000, "cancelReason": "품절 [refund-1]",
			"refundableAmount": 10000, "cancelStatus": "DONE", "canceledAt": "2026-03-01T10:20:30+09:00"}]}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := client.CancelPaymentPartially(t.Context(), "pay-1", tosspayments.PartialCancelRequest{
		CancelReason: "품절", CancelAmount: tosspayments.Won(5000), RefundableAmount: tosspayments.Won(15000), RefundID: "refund-1",
	})
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Won(5000), payment.LastCancel().CancelAmount)
	assert.Equal(t, tosspayments.Won(10000), payment.Cancelable())
}
