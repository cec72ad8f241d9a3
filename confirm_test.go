package tosspayments_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestPlainConfirmPayment(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/payments/confirm", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "DONE", "method": "카드", "currency": "KRW",
		"totalAmount": 15000, "balanceAmount": 15000}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := client.ConfirmPayment(t.Context(), tosspayments.ConfirmPaymentRequest{
		PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000),
	})
	require.NoError(t, err)
	assert.Equal(t, tosspayments.OutcomePaid, tosspayments.OutcomeOf(payment, err))
	assert.Equal(t, 1, mock.GetTotalCallCount())
}

func TestConfirmOnTheWire(t *testing.T) {
	client, mock := mockClient(t)
	posts := onConfirm(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
	var response tosspayments.Response
	payment, err := client.ConfirmPayment(t.Context(), confirmRequest(), tosspayments.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, tosspayments.PaymentStatusDone, payment.Status)
	require.Len(t, posts.seen, 1)
	sent := posts.seen[0]
	t.Run("request", func(t *testing.T) {
		assert.JSONEq(t, `{"paymentKey":"pay-1","orderId":"order-0001","amount":15000}`, sent.body)
		assert.Equal(t, "Basic dGVzdF9za196WExrS0V5cE5BcldtbzUwblgzbG1lYXhZRzVSOg==", sent.header.Get("Authorization"))
		assert.Equal(t, "application/json", sent.header.Get("Content-Type"))
		assert.NotEmpty(t, sent.header.Get("Idempotency-Key"))
		assert.Equal(t, "tosspayments-go/"+tosspayments.Version, sent.header.Get("User-Agent"))
		assert.Empty(t, sent.header.Get("Accept-Language"))
	})
	t.Run("response", func(t *testing.T) {
		assert.Equal(t, 200, response.StatusCode)
		assert.Equal(t, "trace-1", response.TraceID)
		assert.Equal(t, 1, response.Attempts)
		assert.Equal(t, sent.header.Get("Idempotency-Key"), response.IdempotencyKey)
		assert.JSONEq(t, paymentJSON("DONE", nil), string(response.Body))
		assert.False(t, response.SettledByLookup)
	})
	t.Run("key of the caller", func(t *testing.T) {
		_, err := client.ConfirmPayment(t.Context(), confirmRequest(), tosspayments.WithIdempotencyKey("mine"))
		require.NoError(t, err)
		assert.Equal(t, "mine", posts.seen[1].header.Get("Idempotency-Key"))
	})
}

// assertFewLookups wants the lookups of one call, a second apart.
func assertFewLookups(t *testing.T, lookups *script) {
	t.Helper()
	require.NotEmpty(t, lookups.seen)
	assert.LessOrEqual(t, len(lookups.seen), 6, "a handful")
	for i := 1; i < len(lookups.seen); i++ {
		assert.GreaterOrEqual(t, lookups.seen[i].at.Sub(lookups.seen[i-1].at), time.Second)
	}
}

// assertOneRequest wants the same request in every attempt, with at most one new key.
func assertOneRequest(t *testing.T, posts *script) {
	t.Helper()
	keys := map[string]bool{}
	for _, post := range posts.seen {
		assert.Equal(t, posts.seen[0].body, post.body)
		keys[post.header.Get("Idempotency-Key")] = true
	}
	assert.LessOrEqual(t, len(keys), 2)
}

// assertSettledByLookup wants the response to say how the call came to its end.
func assertSettledByLookup(t *testing.T, posts *script, response tosspayments.Response) {
	t.Helper()
	assert.True(t, response.SettledByLookup)
	assert.Equal(t, len(posts.seen), response.Attempts)
}

// assertCanceledPayment wants a *CanceledError, or none.
func assertCanceledPayment(t *testing.T, want bool, err error) {
	t.Helper()
	var canceled *tosspayments.CanceledError
	require.Equal(t, want, errors.As(err, &canceled), "%v", err)
	if want {
		assert.Equal(t, "pay-1", canceled.Payment.PaymentKey)
		assert.Equal(t, tosspayments.OutcomeCanceled, tosspayments.OutcomeOf(nil, err))
	}
}

// assertRefusedPayment wants the refusal that the payment itself names; "" is none.
func assertRefusedPayment(t *testing.T, code tosspayments.ErrorCode, posts *script, err error) {
	t.Helper()
	if code == "" {
		return
	}
	var refused *tosspayments.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, code, refused.Code)
	assert.NotEmpty(t, refused.Message)
	assert.Equal(t, "pay-1", refused.Payment.PaymentKey)
	assert.Equal(t, len(posts.seen), refused.Attempts)
	assert.Equal(t, posts.seen[0].header.Get("Idempotency-Key"), refused.IdempotencyKey)
}

// assertNoRefusalIfUnknown wants an unknown outcome to say what to do, and not to look like
// a refusal.
func assertNoRefusalIfUnknown(t *testing.T, posts *script, err error) {
	t.Helper()
	var unknown *tosspayments.OutcomeUnknownError
	if !errors.As(err, &unknown) {
		return
	}
	assertOutcomeUnknown(t, err)
	assert.NotErrorIs(t, err, tosspayments.ErrProviderError)
	assert.Equal(t, "order-0001", unknown.OrderID)
	assert.Equal(t, posts.seen[0].header.Get("Idempotency-Key"), unknown.IdempotencyKey)
	assert.True(t, unknown.Repeatable)
}

// Every row of the table of what a looked-up payment means, after lost answers and
// after an answer that says nothing.
func TestConfirmSettleTable(t *testing.T) {
	for _, row := range []struct {
		name    string
		found   answer
		settles bool
		is      []error
		isNot   error
		code    tosspayments.ErrorCode
		// canceled is set for a *CanceledError.
		canceled bool
	}{
		{name: "DONE", found: answer{status: 200, body: paymentJSON("DONE", nil)}, settles: true},
		{name: "WAITING_FOR_DEPOSIT", found: answer{status: 200, body: paymentJSON("WAITING_FOR_DEPOSIT", nil)}, settles: true},
		{name: "PARTIAL_CANCELED with balance", found: answer{status: 200, body: paymentJSON("PARTIAL_CANCELED", object{"balanceAmount": 1})}, settles: true},
		{name: "no currency is KRW", found: answer{status: 200, body: paymentJSON("DONE", object{"currency": nil})}, settles: true},
		{name: "PARTIAL_CANCELED at 0", found: answer{status: 200, body: paymentJSON("PARTIAL_CANCELED", object{"balanceAmount": 0})}, canceled: true},
		{name: "CANCELED", found: answer{status: 200, body: paymentJSON("CANCELED", object{"balanceAmount": 0})}, canceled: true},
		{name: "ABORTED", found: answer{status: 200, body: paymentJSON("ABORTED", nil)}, code: tosspayments.ErrPayProcessAborted},
		{name: "ABORTED with failure", found: answer{status: 200, body: paymentJSON("ABORTED", object{"failure": object{"code": "REJECT_CARD_COMPANY", "message": "no"}})}, code: tosspayments.ErrRejectCardCompany},
		{name: "EXPIRED", found: answer{status: 200, body: paymentJSON("EXPIRED", nil)}, code: tosspayments.ErrNotFoundPaymentSession},
		{name: "EXPIRED with failure", found: answer{status: 200, body: paymentJSON("EXPIRED", object{"failure": object{"code": "EXPIRED_PAYMENT", "message": "late"}})}, code: tosspayments.ErrExpiredPayment},
		{name: "READY", found: answer{status: 200, body: paymentJSON("READY", nil)}, is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "IN_PROGRESS", found: answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)}, is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "404", found: refusal(404, "NOT_FOUND_PAYMENT"), is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "unknown status", found: answer{status: 200, body: paymentJSON("SHINY", nil)}, is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "no answer", found: lost, is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "server error", found: refusal(500, "COMMON_ERROR"), is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "unreadable", found: answer{status: 200, body: "{"}, is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "keys refused", found: refusal(401, "UNAUTHORIZED_KEY"), is: []error{tosspayments.ErrOutcomeUnknown}},
		{name: "other amount", found: answer{status: 200, body: paymentJSON("DONE", object{"totalAmount": 14999})}, is: []error{tosspayments.ErrAmountMismatch}, isNot: tosspayments.ErrForeignAnswer},
		{name: "other currency", found: answer{status: 200, body: paymentJSON("DONE", object{"currency": "USD"})}, is: []error{tosspayments.ErrAmountMismatch}},
		{name: "other order", found: answer{status: 200, body: paymentJSON("DONE", object{"orderId": "order-0002", "totalAmount": 1})}, is: []error{tosspayments.ErrForeignAnswer}, isNot: tosspayments.ErrAmountMismatch},
		{name: "other payment", found: answer{status: 200, body: paymentJSON("DONE", object{"paymentKey": "pay-2"})}, is: []error{tosspayments.ErrForeignAnswer}},
		{name: "other payment that came to nothing", found: answer{status: 200, body: paymentJSON("EXPIRED", object{"paymentKey": "pay-2"})}, is: []error{tosspayments.ErrOutcomeUnknown}},
	} {
		for cause, post := range map[string]answer{
			"lost": lost, "500": refusal(500, "FAILED_INTERNAL_SYSTEM_PROCESSING"),
			"unclear 4xx": refusal(400, "PROVIDER_ERROR"), "unknown code": refusal(400, "CODE_OF_TOMORROW"),
			"HTML": {status: 403, body: "<html>"}, "already processed": refusal(400, "ALREADY_PROCESSED_PAYMENT"),
			"already processing": refusal(400, "ALREADY_PROCESSING_REQUEST"), "redirect": {status: 302, header: http.Header{"Location": {"/elsewhere"}}},
			"unreadable 200": {status: 200, body: `{"paymentKey":""}`},
			"in flight":      refusal(409, "IDEMPOTENT_REQUEST_PROCESSING"), "decided code with 500": refusal(500, "REJECT_CARD_COMPANY"),
		} {
			t.Run(row.name+" after "+cause, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					posts := onConfirm(mock, post)
					lookups := onLookUp(mock, row.found)
					var response tosspayments.Response
					payment, err := client.ConfirmPayment(t.Context(), confirmRequest(), tosspayments.WithResponse(&response))
					assertFewLookups(t, lookups)
					assertOneRequest(t, posts)
					if row.settles {
						require.NoError(t, err)
						assert.Equal(t, "pay-1", payment.PaymentKey)
						assertSettledByLookup(t, posts, response)
						return
					}
					require.Error(t, err)
					assert.Nil(t, payment)
					for _, target := range row.is {
						assert.ErrorIs(t, err, target)
					}
					if row.isNot != nil {
						assert.NotErrorIs(t, err, row.isNot)
					}
					assertCanceledPayment(t, row.canceled, err)
					assertRefusedPayment(t, row.code, posts, err)
					assertNoRefusalIfUnknown(t, posts, err)
				})
			})
		}
	}
}

func TestConfirmDecidedAtOnce(t *testing.T) {
	for code, status := range map[tosspayments.ErrorCode]int{
		"PAY_PROCESS_CANCELED": 400, "PAY_PROCESS_ABORTED": 400, "REJECT_CARD_COMPANY": 403,
		"NOT_FOUND_PAYMENT_SESSION": 404, "FORBIDDEN_REQUEST": 403, "UNAUTHORIZED_KEY": 401,
		"INVALID_REQUEST": 400, "INVALID_API_KEY": 400, "EXCEED_MAX_DAILY_PAYMENT_COUNT": 400,
	} {
		t.Run(string(code), func(t *testing.T) {
			client, mock := mockClient(t)
			posts := onConfirm(mock, refusal(status, code))
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			require.ErrorIs(t, err, code)
			require.EqualError(t, err, fmt.Sprintf("tosspayments: confirm payment: %s (HTTP %d): message of %[1]s [trace trace-1]", code, status))
			assert.NotErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			require.Len(t, posts.seen, 1)
			var refused *tosspayments.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tosspayments.Error{
				CallDetails: tosspayments.CallDetails{
					Operation: "confirm payment", IdempotencyKey: posts.seen[0].header.Get("Idempotency-Key"), TraceID: "trace-1", Attempts: 1,
				},
				Code: code, Message: "message of " + string(code), StatusCode: status,
			}, *refused)
		})
	}
}

func TestConfirmResendsWithTheSameKey(t *testing.T) {
	for name, first := range map[string]answer{
		"lost": lost, "cut off": {status: 200, body: `{"paymentKey":`}, "empty": {status: 200}, "another object": {status: 200, body: `{"ok":true}`},
		"in flight": refusal(409, "IDEMPOTENT_REQUEST_PROCESSING"), "wrong type": {status: 200, body: paymentJSON("DONE", object{"totalAmount": "ten"})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts := onConfirm(mock, first, first, answer{status: 200, body: paymentJSON("DONE", nil)})
				lookups := onLookUp(mock, lost)
				payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
				require.NoError(t, err)
				assert.True(t, payment.IsPaid())
				require.Len(t, posts.seen, 3)
				assert.Empty(t, lookups.seen)
				assert.Equal(t, posts.seen[0].header, posts.seen[2].header)
				assert.Equal(t, posts.seen[0].body, posts.seen[2].body)
			})
		})
	}
}

func TestConfirmLooksUpBeforeItResends(t *testing.T) {
	for name, first := range map[string]answer{"500": refusal(500, "COMMON_ERROR"), "502": {status: 502, body: "<html>"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts := onConfirm(mock, first, answer{status: 200, body: paymentJSON("DONE", nil)})
				lookups := onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)})
				payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
				require.NoError(t, err)
				assert.True(t, payment.IsPaid())
				assert.Len(t, posts.seen, 2)
				assert.Len(t, lookups.seen, 1)
				assert.True(t, lookups.seen[0].at.Before(posts.seen[1].at))
			})
		})
	}
}

func TestConfirmAfterALostAttempt(t *testing.T) {
	for _, code := range []tosspayments.ErrorCode{"REJECT_CARD_COMPANY", "NOT_FOUND_PAYMENT_SESSION", "INVALID_REQUEST"} {
		t.Run(string(code)+" is believed after two quiet looks", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				onConfirm(mock, lost, refusal(403, code))
				lookups := onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)})
				start := time.Now()
				_, err := client.ConfirmPayment(t.Context(), confirmRequest())
				require.ErrorIs(t, err, code)
				assert.Equal(t, tosspayments.OutcomeRefused, tosspayments.OutcomeOf(nil, err))
				assert.Equal(t, tosspayments.PaymentStatusInProgress, tosspayments.PaymentOf(err).Status)
				require.Len(t, lookups.seen, 2)
				assert.GreaterOrEqual(t, lookups.seen[1].at.Sub(lookups.seen[0].at), time.Second)
				assert.Less(t, time.Since(start), 5*time.Second)
			})
		})
	}
	t.Run("a look that fails counts for nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			onConfirm(mock, lost, refusal(403, "REJECT_CARD_COMPANY"))
			onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)}, lost)
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		})
	})
	for _, code := range []tosspayments.ErrorCode{"UNAUTHORIZED_KEY", "FORBIDDEN_REQUEST"} {
		t.Run(string(code)+" is never believed", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				onConfirm(mock, lost, refusal(403, code))
				onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)})
				_, err := client.ConfirmPayment(t.Context(), confirmRequest())
				require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			})
		})
	}
	for _, code := range []tosspayments.ErrorCode{"UNAUTHORIZED_KEY", "FORBIDDEN_REQUEST", "NOT_FOUND_PAYMENT_SESSION", "INVALID_REQUEST"} {
		t.Run(string(code)+" is no verdict", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				onConfirm(mock, lost, refusal(403, code))
				onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
				payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
				require.NoError(t, err)
				assert.True(t, payment.IsPaid())
			})
		})
	}
}

// A refusal that decides nothing ends within seconds, whatever it is.
func TestConfirmUndecidedEndsSoon(t *testing.T) {
	for name, post := range map[string]answer{
		"PROVIDER_ERROR": refusal(400, "PROVIDER_ERROR"), "closed bank": refusal(403, "NOT_AVAILABLE_BANK"), "unheard of": refusal(400, "CODE_OF_TOMORROW"),
		"HTML": {status: 404, body: "<html>"}, "HTML 502": {status: 502, body: "<html>"}, "HTML 200": {status: 200, body: "<html>"},
		"redirect": {status: 302, header: http.Header{"Location": {"/elsewhere"}}}, "500": refusal(500, "COMMON_ERROR"),
	} {
		for lookup, found := range map[string]answer{"in progress": {status: 200, body: paymentJSON("IN_PROGRESS", nil)}, "the same": post, "lost": lost} {
			t.Run(name+", lookup "+lookup, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					posts := onConfirm(mock, post)
					lookups := onLookUp(mock, found)
					start := time.Now()
					_, err := client.ConfirmPayment(t.Context(), confirmRequest())
					if name == "closed bank" {
						require.ErrorIs(t, err, tosspayments.ErrNotAvailableBank)
						assert.Equal(t, tosspayments.ClassWait, tosspayments.CodeOf(err).Class())
					} else {
						require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
					}
					assert.LessOrEqual(t, time.Since(start), 10*time.Second)
					assert.LessOrEqual(t, len(posts.seen), 4)
					assert.LessOrEqual(t, len(lookups.seen), 6)
				})
			})
		}
	}
}

// replayed marks an answer as a stored one: two trace ids.
func replayed(a answer) answer {
	a.header = http.Header{"X-Tosspayments-Trace-Id": {"trace-2", "trace-1"}}
	return a
}

// An answer that decides nothing may be stored under its key for 15 days.
func TestConfirmGoesOnUnderANewKey(t *testing.T) {
	useless := refusal(400, "PROVIDER_ERROR")
	inProgress := answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)}
	paid := answer{status: 200, body: paymentJSON("DONE", nil)}
	for name, row := range map[string]struct {
		posts []answer
		opts  []tosspayments.Option
		call  []tosspayments.CallOption
		keys  int
	}{
		"asked twice, uselessly":             {posts: []answer{useless, useless, paid}, keys: 2},
		"a 500 may be new each time":         {posts: []answer{refusal(500, "COMMON_ERROR"), refusal(500, "COMMON_ERROR"), paid}, keys: 1},
		"a stored 500":                       {posts: []answer{refusal(500, "COMMON_ERROR"), refusal(500, "COMMON_ERROR"), refusal(500, "COMMON_ERROR"), paid}, keys: 2},
		"two different answers":              {posts: []answer{useless, refusal(400, "CARD_PROCESSING_ERROR"), paid}, keys: 1},
		"marked as stored":                   {posts: []answer{replayed(useless), paid}, keys: 2, opts: []tosspayments.Option{tosspayments.WithMaxRetries(0)}},
		"stored under the second key, too":   {posts: []answer{replayed(useless), replayed(useless), replayed(useless), paid}, keys: 4, call: []tosspayments.CallOption{tosspayments.WithIdempotencyKey("mine")}},
		"a 409 between says it is running":   {posts: []answer{useless, refusal(409, "IDEMPOTENT_REQUEST_PROCESSING"), paid}, keys: 1},
		"an answer without a code is none":   {posts: []answer{{status: 502}, {status: 502}, paid}, keys: 1},
		"a repeat of the caller, no retries": {posts: []answer{useless, useless, paid}, keys: 2, opts: []tosspayments.Option{tosspayments.WithMaxRetries(0)}, call: []tosspayments.CallOption{tosspayments.WithIdempotencyKey("mine")}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t, row.opts...)
				posts := onConfirm(mock, row.posts...)
				lookups := onLookUp(mock, inProgress)
				var response tosspayments.Response
				_, err := client.ConfirmPayment(t.Context(), confirmRequest(), append(row.call, tosspayments.WithResponse(&response))...)
				require.NoError(t, err)
				keys := map[string]bool{}
				for _, post := range posts.seen {
					keys[post.header.Get("Idempotency-Key")] = true
				}
				assert.Len(t, keys, row.keys)
				assert.Equal(t, posts.seen[0].header.Get("Idempotency-Key"), response.IdempotencyKey, "the caller's key is what is reported")
				if row.keys == 2 {
					assert.True(t, lookups.seen[0].at.Before(posts.seen[1].at))
				}
			})
		})
	}
}

func TestConfirmToldToWait(t *testing.T) {
	inProgress := answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)}
	for name, post := range map[string]answer{"429": {status: 429}, "too fast": refusal(403, "FORBIDDEN_CONSECUTIVE_REQUEST"), "closed": refusal(400, "NOT_AVAILABLE_PAYMENT")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				onConfirm(mock, post)
				lookups := onLookUp(mock, inProgress)
				_, err := client.ConfirmPayment(t.Context(), confirmRequest())
				assert.Equal(t, tosspayments.OutcomeRefused, tosspayments.OutcomeOf(nil, err), "nothing was done: %v", err)
				assert.Equal(t, tosspayments.ClassWait, tosspayments.CodeOf(err).Class())
				assert.Len(t, lookups.seen, 1)

				onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
				payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
				require.NoError(t, err, "somebody else has confirmed it")
				assert.True(t, payment.IsPaid())

				onLookUp(mock, inProgress)
				_, err = client.ConfirmPayment(t.Context(), confirmRequest(), tosspayments.WithIdempotencyKey("mine"))
				assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), "an earlier call may have moved it: %v", err)
			})
		})
	}
	t.Run("longer than the call has", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			posts := onConfirm(mock, answer{status: 429, header: http.Header{"Retry-After": {"3600"}}})
			onLookUp(mock, inProgress)
			start := time.Now()
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			var refused *tosspayments.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, time.Hour, refused.RetryAfter)
			assert.Contains(t, err.Error(), "1h0m0s")
			assert.Len(t, posts.seen, 1)
			assert.Zero(t, time.Since(start))
		})
	})
}

// unknownConfirm is the error of a confirm whose lookup says that it is still going on.
func unknownConfirm(t *testing.T, post answer) *tosspayments.OutcomeUnknownError {
	t.Helper()
	client, mock := mockClient(t)
	onConfirm(mock, post)
	onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)})
	_, err := client.ConfirmPayment(t.Context(), confirmRequest())
	var unknown *tosspayments.OutcomeUnknownError
	require.ErrorAs(t, err, &unknown)
	return unknown
}

func TestConfirmUnknownWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unknown := unknownConfirm(t, lost)
		assert.ErrorIs(t, unknown, errLost)
		assert.Nil(t, unknown.LastAnswer)
		assert.Equal(t, tosspayments.PaymentStatusInProgress, unknown.Payment.Status)
		assert.Contains(t, unknown.Error(), "make the same call again later, with its idempotency key")
	})
}

func TestConfirmUnknownAfterAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unknown := unknownConfirm(t, refusal(400, "PROVIDER_ERROR"))
		require.NotNil(t, unknown.LastAnswer)
		assert.Equal(t, 400, unknown.LastAnswer.StatusCode)
	})
}

// refuseConnection is an address at which nobody listens.
func refuseConnection(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GetConn("api.tosspayments.com:443")
	return nil, errors.New("connection refused")
}

// confirmThatIsRefusedAConnection returns how a confirm ends that is never sent, and how
// often it was tried and looked up.
func confirmThatIsRefusedAConnection(t *testing.T, opts ...tosspayments.CallOption) (posts, lookups int, err error) {
	t.Helper()
	client, mock := mockClient(t)
	mock.RegisterResponder(http.MethodPost, confirmURL, refuseConnection)
	onLookUp(mock, lost)
	_, err = client.ConfirmPayment(t.Context(), confirmRequest(), opts...)
	calls := mock.GetCallCountInfo()
	return calls["POST "+confirmURL], calls["GET "+paymentURL], err
}

func TestConfirmNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := confirmThatIsRefusedAConnection(t)
		require.ErrorIs(t, err, tosspayments.ErrNotSent)
		assert.NotErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		assert.Equal(t, tosspayments.OutcomeNotSent, tosspayments.OutcomeOf(nil, err))
		assert.ErrorContains(t, err, "nothing was sent")
	})
}

func TestConfirmNotSentIsTriedAndNotLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts, lookups, err := confirmThatIsRefusedAConnection(t)
		var connection *tosspayments.ConnectionError
		require.ErrorAs(t, err, &connection)
		assert.Equal(t, 3, connection.Attempts)
		assert.NotEmpty(t, connection.IdempotencyKey)
		assert.Equal(t, 3, posts)
		assert.Zero(t, lookups)
	})
}

func TestConfirmNotSentUnderAKeyOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := confirmThatIsRefusedAConnection(t, tosspayments.WithIdempotencyKey("mine"))
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, "an earlier call may have been sent")
		assert.NotErrorIs(t, err, tosspayments.ErrNotSent)
	})
}

func TestConfirmWithoutATraceMayHaveBeenSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t)
		onConfirm(mock, answer{err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}})
		onLookUp(mock, lost)
		_, err := client.ConfirmPayment(t.Context(), confirmRequest())
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	})
}

func TestConfirmNotSentAfterTheContext(t *testing.T) {
	client, mock := mockClient(t)
	posts := onConfirm(mock, lost)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.ConfirmPayment(ctx, confirmRequest())
	require.ErrorIs(t, err, tosspayments.ErrNotSent)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, posts.seen)
}

func TestConfirmTime(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	t.Run("a deadline leaves time for a lookup", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			mock.RegisterResponder(http.MethodPost, confirmURL, hang)
			lookups := onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			payment, err := client.ConfirmPayment(ctx, confirmRequest())
			require.NoError(t, err)
			assert.True(t, payment.IsPaid())
			require.Len(t, lookups.seen, 1)
			assert.Less(t, lookups.seen[0].at.Sub(start), 10*time.Second)
		})
	})
	t.Run("without a deadline it ends within 120 seconds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			mock.RegisterResponder(http.MethodPost, confirmURL, hang)
			mock.RegisterResponder(http.MethodGet, paymentURL, hang)
			start := time.Now()
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.LessOrEqual(t, time.Since(start), 60*time.Second)
		})
	})
	t.Run("after the context nothing is sent but one lookup", func(t *testing.T) {
		for name, grace := range map[string]time.Duration{"default": -1, "none": 0} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var opts []tosspayments.Option
					if grace >= 0 {
						opts = append(opts, tosspayments.WithLookupGrace(grace))
					}
					client, mock := mockClient(t, opts...)
					ctx, cancel := context.WithCancel(t.Context())
					posts := 0
					mock.RegisterResponder(http.MethodPost, confirmURL, func(r *http.Request) (*http.Response, error) {
						posts++
						cancel()
						return hang(r)
					})
					lookups := onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
					payment, err := client.ConfirmPayment(ctx, confirmRequest())
					assert.Equal(t, 1, posts)
					if grace == 0 {
						require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
						require.ErrorIs(t, err, context.Canceled)
						assert.Empty(t, lookups.seen)
						return
					}
					require.NoError(t, err)
					assert.True(t, payment.IsPaid())
					assert.Len(t, lookups.seen, 1)
				})
			})
		}
	})
	t.Run("the grace is bounded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t, tosspayments.WithLookupGrace(3*time.Second))
			ctx, cancel := context.WithCancel(t.Context())
			mock.RegisterResponder(http.MethodPost, confirmURL, func(r *http.Request) (*http.Response, error) {
				cancel()
				return hang(r)
			})
			var gets atomic.Int32
			mock.RegisterResponder(http.MethodGet, paymentURL, func(r *http.Request) (*http.Response, error) {
				gets.Add(1)
				return hang(r)
			})
			start := time.Now()
			_, err := client.ConfirmPayment(ctx, confirmRequest())
			require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, int32(1), gets.Load())
			assert.Equal(t, 3*time.Second, time.Since(start))
		})
	})
	t.Run("WithTimeout bounds an attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t, tosspayments.WithTimeout(3*time.Second), tosspayments.WithMaxRetries(0))
			mock.RegisterResponder(http.MethodPost, confirmURL, hang)
			onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
			start := time.Now()
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			require.NoError(t, err)
			assert.Equal(t, 3*time.Second, time.Since(start))
		})
	})
	t.Run("Retry-After is honoured", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			posts := onConfirm(mock, answer{status: 429, header: http.Header{"Retry-After": {"7"}}}, answer{status: 200, body: paymentJSON("DONE", nil)})
			onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)})
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			require.NoError(t, err)
			assert.Equal(t, 7*time.Second, posts.seen[1].at.Sub(posts.seen[0].at))
		})
	})
}

func TestWithMaxRetriesZeroStillLooksUp(t *testing.T) {
	for name, post := range map[string]answer{"lost": lost, "500": refusal(500, "COMMON_ERROR")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t, tosspayments.WithMaxRetries(0))
				posts := onConfirm(mock, post)
				lookups := onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)}, answer{status: 200, body: paymentJSON("DONE", nil)})
				_, err := client.ConfirmPayment(t.Context(), confirmRequest())
				require.NoError(t, err)
				assert.Len(t, posts.seen, 1)
				assert.Len(t, lookups.seen, 2)
			})
		})
	}
}

func TestConfirmRefusedLookUpStopsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t)
		onConfirm(mock, refusal(400, "PROVIDER_ERROR"))
		lookups := onLookUp(mock, refusal(401, "UNAUTHORIZED_KEY"))
		start := time.Now()
		_, err := client.ConfirmPayment(t.Context(), confirmRequest())
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		assert.NotErrorIs(t, err, tosspayments.ErrUnauthorizedKey)
		assert.Contains(t, err.Error(), "UNAUTHORIZED_KEY")
		assert.Len(t, lookups.seen, 1)
		assert.Less(t, time.Since(start), 2*time.Second)
	})
}

func TestTestCodeIsNotSentWithLookUps(t *testing.T) {
	client, mock := mockClient(t)
	posts := onConfirm(mock, refusal(400, "PROVIDER_ERROR"))
	lookups := onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
	_, err := client.ConfirmPayment(t.Context(), confirmRequest(), tosspayments.WithTestCode(tosspayments.ErrProviderError))
	require.NoError(t, err)
	assert.Equal(t, "PROVIDER_ERROR", posts.seen[0].header.Get("TossPayments-Test-Code"))
	assert.Empty(t, lookups.seen[0].header.Get("TossPayments-Test-Code"))
	assert.Empty(t, lookups.seen[0].header.Get("Idempotency-Key"))
}

func TestConfirmForeignAnswerIsNeverSuccess(t *testing.T) {
	type details struct{ Field, Operation, IdempotencyKey string }
	for field, change := range map[string]object{
		"orderId": {"orderId": "order-0002"}, "paymentKey": {"paymentKey": "pay-2"},
		"amount": {"totalAmount": 100}, "currency": {"currency": "USD"},
	} {
		t.Run(field, func(t *testing.T) {
			client, mock := mockClient(t)
			posts := onConfirm(mock, answer{status: 200, body: paymentJSON("DONE", change)})
			_, err := client.ConfirmPayment(t.Context(), confirmRequest())
			require.Len(t, posts.seen, 1)
			var mismatch *tosspayments.MismatchError
			require.ErrorAs(t, err, &mismatch)
			assert.Equal(t, details{field, "confirm payment", posts.seen[0].header.Get("Idempotency-Key")},
				details{mismatch.Field, mismatch.Operation, mismatch.IdempotencyKey})
			assert.NotNil(t, mismatch.Payment)
			var refused *tosspayments.Error
			assert.NotErrorAs(t, err, &refused)
		})
	}
}

func TestConfirmInAnotherCurrencyByWish(t *testing.T) {
	client, mock := mockClient(t)
	onConfirm(mock, answer{status: 200, body: paymentJSON("DONE", object{"currency": "USD", "totalAmount": json.Number("1.50")})})
	request := confirmRequest()
	request.Currency = tosspayments.CurrencyUSD
	request.Amount, _ = tosspayments.ParseAmount("1.5")
	_, err := client.ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
}

func TestConfirmValidation(t *testing.T) {
	client, mock := mockClient(t)
	half, err := tosspayments.ParseAmount("100.5")
	require.NoError(t, err)
	for _, row := range []struct {
		field, reason string
		change        func(*tosspayments.ConfirmPaymentRequest)
		opts          []tosspayments.CallOption
	}{
		{"paymentKey", "empty", func(r *tosspayments.ConfirmPaymentRequest) { r.PaymentKey = "" }, nil},
		{"paymentKey", "1 to 200", func(r *tosspayments.ConfirmPaymentRequest) { r.PaymentKey = strings.Repeat("x", 201) }, nil},
		{"paymentKey", "UTF-8", func(r *tosspayments.ConfirmPaymentRequest) { r.PaymentKey = "\xff" }, nil},
		{"paymentKey", "..", func(r *tosspayments.ConfirmPaymentRequest) { r.PaymentKey = ".." }, nil},
		{"orderId", "6 to 64", func(r *tosspayments.ConfirmPaymentRequest) { r.OrderID = "short" }, nil},
		{"orderId", "letters", func(r *tosspayments.ConfirmPaymentRequest) { r.OrderID = "주문번호하나둘" }, nil},
		{"amount", "more than 0", func(r *tosspayments.ConfirmPaymentRequest) { r.Amount = tosspayments.Won(0) }, nil},
		{"amount", "more than 0", func(r *tosspayments.ConfirmPaymentRequest) { r.Amount = tosspayments.Won(-1) }, nil},
		{"amount", "KRW has no decimals", func(r *tosspayments.ConfirmPaymentRequest) { r.Amount = half }, nil},
		{"currency", "capital", func(r *tosspayments.ConfirmPaymentRequest) { r.Currency = "krw" }, nil},
		{"idempotencyKey", "empty", nil, []tosspayments.CallOption{tosspayments.WithIdempotencyKey("")}},
		{"idempotencyKey", "300", nil, []tosspayments.CallOption{tosspayments.WithIdempotencyKey(strings.Repeat("k", 301))}},
		{"idempotencyKey", "ASCII", nil, []tosspayments.CallOption{tosspayments.WithIdempotencyKey("주문")}},
		{"WithTestCode", "error code", nil, []tosspayments.CallOption{tosspayments.WithTestCode("A B")}},
		{"option", "nil", nil, []tosspayments.CallOption{nil}},
	} {
		request := confirmRequest()
		if row.change != nil {
			row.change(&request)
		}
		_, err := client.ConfirmPayment(t.Context(), request, row.opts...)
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, row.field)
		assert.Equal(t, row.field, invalid.Field)
		assert.Contains(t, invalid.Reason, row.reason)
		assert.Contains(t, err.Error(), row.field)
	}
	assert.Zero(t, mock.GetTotalCallCount())

	live, err := tosspayments.New("live_sk_0000000000000000000000000000")
	require.NoError(t, err)
	_, err = live.ConfirmPayment(t.Context(), confirmRequest(), tosspayments.WithTestCode(tosspayments.ErrProviderError))
	assert.ErrorContains(t, err, "test key")
}

func TestManyClientsConfirmOneOrder(t *testing.T) {
	t.Parallel()
	server := tosstest.NewServer(t)
	server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Delay, Delay: 200 * time.Millisecond})
	order := checkout()
	request := pay(t, server, order)
	const callers = 24
	type result struct {
		payment *tosspayments.Payment
		err     error
	}
	results := make(chan result, callers)
	for range callers {
		client := server.Client()
		go func() {
			payment, err := client.ConfirmPayment(t.Context(), request)
			results <- result{payment, err}
		}()
	}
	for range callers {
		r := <-results
		require.NoError(t, r.err)
		assert.True(t, r.payment.IsPaid())
		assert.Equal(t, request.PaymentKey, r.payment.PaymentKey)
	}
	assert.Equal(t, 1, server.Charges(order.OrderID))
}
