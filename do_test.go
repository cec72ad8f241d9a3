package tosspayments_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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

const thingURL = "https://api.tosspayments.com/v1/things/7"

// thingRequest is a request of an endpoint that the library does not know.
func thingRequest(method string) tosspayments.Request {
	return tosspayments.Request{Method: method, Path: "/v1/things/7"}
}

func TestPlainDo(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/things/7", httpmock.NewStringResponder(200, `{"name": "seven"}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	var thing struct{ Name string }
	require.NoError(t, client.Do(t.Context(), tosspayments.Request{Method: http.MethodGet, Path: "/v1/things/7"}, &thing))
	assert.Equal(t, "seven", thing.Name)
}

func TestDo(t *testing.T) {
	t.Run("read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			gets := &script{answers: []answer{refusal(500, "COMMON_ERROR"), {status: 200, body: `{"n": 1}`}}}
			mock.RegisterResponderWithQuery(http.MethodGet, thingURL, "a=b&c=%26", gets.respond)
			request := thingRequest(http.MethodGet)
			request.Query = url.Values{"c": {"&"}, "a": {"b"}}
			var out struct{ N int }
			var response tosspayments.Response
			require.NoError(t, client.Do(t.Context(), request, &out, tosspayments.WithResponse(&response)))
			assert.Equal(t, 1, out.N)
			assert.Len(t, gets.seen, 2)
			assert.Equal(t, 2, response.Attempts)
			assert.Empty(t, gets.seen[0].header.Get("Content-Type"))
			assert.Empty(t, gets.seen[0].header.Get("Idempotency-Key"))
		})
	})
	t.Run("post", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			posts := &script{answers: []answer{lost, {status: 200, body: `{"n": 1}`}}}
			mock.RegisterResponder(http.MethodPost, thingURL, posts.respond)
			request := thingRequest(http.MethodPost)
			request.Body = map[string]int{"x": 1}
			var out struct{ N int }
			require.NoError(t, client.Do(t.Context(), request, &out, tosspayments.WithIdempotencyKey("k")))
			assert.Equal(t, 1, out.N)
			require.Len(t, posts.seen, 2)
			assert.Equal(t, `{"x":1}`, posts.seen[1].body)
			assert.Equal(t, "k", posts.seen[1].header.Get("Idempotency-Key"))
			assert.Equal(t, "application/json", posts.seen[1].header.Get("Content-Type"))
		})
	})
	t.Run("what is sensitive is sent, and not repeated", func(t *testing.T) {
		client, mock := mockClient(t)
		posts := &script{answers: []answer{{status: 400, body: `{"code":"INVALID_REQUEST","message":"no card 943012345678"}`}}}
		mock.RegisterResponder(http.MethodPost, thingURL, posts.respond)
		request := thingRequest(http.MethodPost)
		request.Body = object{"card": tosspayments.NewSensitive("943012"), "more": []tosspayments.Sensitive{tosspayments.NewSensitive("345678")}}
		err := client.Do(t.Context(), request, nil)
		require.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
		assert.JSONEq(t, `{"card":"943012","more":["345678"]}`, posts.seen[0].body)
		assert.NotContains(t, err.Error(), "943012")
		assert.NotContains(t, err.Error(), "345678")
	})
	t.Run("bytes go as they are, in a type of their own", func(t *testing.T) {
		client, mock := mockClient(t)
		posts := &script{answers: []answer{{status: 200}}}
		mock.RegisterResponder(http.MethodPost, thingURL, posts.respond)
		request := thingRequest(http.MethodPost)
		request.Body = []byte("eyJhbGciOiJkaXIi…")
		request.Header = http.Header{"content-type": {"text/plain"}, "X-More": {"1", "2"}}
		require.NoError(t, client.Do(t.Context(), request, nil))
		assert.Equal(t, "eyJhbGciOiJkaXIi…", posts.seen[0].body)
		assert.Equal(t, []string{"text/plain"}, posts.seen[0].header["Content-Type"])
		assert.Equal(t, []string{"1", "2"}, posts.seen[0].header["X-More"])
	})
	t.Run("no body, no content", func(t *testing.T) {
		client, mock := mockClient(t)
		for _, method := range []string{http.MethodDelete, http.MethodPost, http.MethodHead} {
			requests := &script{answers: []answer{{status: 204}}}
			mock.RegisterResponder(method, thingURL, requests.respond)
			require.NoError(t, client.Do(t.Context(), thingRequest(method), nil))
			assert.Empty(t, requests.seen[0].body)
			assert.Empty(t, requests.seen[0].header.Get("Content-Type"))
		}
	})
	t.Run("another authorization", func(t *testing.T) {
		client, mock := mockClient(t)
		const token = "the-bearer-token"
		requests := &script{answers: []answer{{status: 401, body: "not known: Bearer " + token + ", " + token}}}
		mock.RegisterResponder(http.MethodGet, thingURL, requests.respond)
		request := thingRequest(http.MethodGet)
		request.Header = http.Header{"authorization": {"Bearer " + token}}
		err := client.Do(t.Context(), request, nil)
		var answered *tosspayments.Error
		require.ErrorAs(t, err, &answered)
		assert.Equal(t, []string{"Bearer " + token}, requests.seen[0].header["Authorization"], "in place of the secret key")
		assert.NotContains(t, fmt.Sprintf("%+v", answered), token)
		assert.Contains(t, answered.Excerpt, "[redacted]")
	})
}

// What is neither a success nor a decision is unknown, unless it was a read.
func TestDoEnds(t *testing.T) {
	unknown, refused := tosspayments.OutcomeUnknown, tosspayments.OutcomeRefused
	post, put, patch, del, get := http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet
	running := refusal(409, "IDEMPOTENT_REQUEST_PROCESSING")
	good := answer{status: 200, body: `{"n":1}`}
	success := tosspayments.OutcomePaid // stands for a nil error
	for _, row := range []struct {
		method  string
		name    string
		answers []answer
		want    tosspayments.Outcome
		sent    int
		own     bool
	}{
		{post, "lost", []answer{lost}, unknown, 3, false},
		{post, "500", []answer{refusal(500, "COMMON_ERROR")}, unknown, 3, false},
		{post, "500, then a success", []answer{refusal(500, "COMMON_ERROR"), good}, success, 2, false},
		{post, "unknown code", []answer{refusal(400, "OF_TOMORROW")}, unknown, 3, false},
		{post, "HTML", []answer{{status: 403, body: "<html>"}}, unknown, 1, false},
		{post, "redirect", []answer{{status: 302}}, unknown, 1, false},
		{post, "unreadable", []answer{{status: 200, body: "{"}}, unknown, 3, false},
		{post, "running", []answer{running, running, running, running, good}, success, 5, false},
		{post, "429", []answer{{status: 429}}, refused, 3, false},
		{post, "429, own key", []answer{{status: 429}}, unknown, 3, true},
		{post, "refused", []answer{refusal(400, "INVALID_REQUEST")}, refused, 1, false},
		{post, "refused, own key", []answer{refusal(400, "INVALID_REQUEST")}, unknown, 1, true},
		{post, "lost, then refused", []answer{lost, refusal(400, "INVALID_REQUEST")}, unknown, 2, false},
		{post, "lost, then keys refused", []answer{lost, refusal(401, "UNAUTHORIZED_KEY")}, unknown, 2, false},
		{post, "keys refused, own key", []answer{refusal(401, "UNAUTHORIZED_KEY")}, unknown, 1, true},

		{del, "lost, then a success", []answer{lost, good}, success, 2, false},
		{del, "lost", []answer{lost}, unknown, 3, false},
		{del, "refused", []answer{refusal(404, "NOT_FOUND")}, refused, 1, false},
		{del, "409", []answer{{status: 409}}, unknown, 3, false},
		{put, "success", []answer{good}, success, 1, false},
		{put, "lost", []answer{lost}, unknown, 1, false},
		{put, "500", []answer{refusal(500, "COMMON_ERROR")}, unknown, 1, false},
		{put, "429", []answer{{status: 429}}, refused, 1, false},
		{put, "409", []answer{{status: 409}}, unknown, 1, false},
		{put, "refused", []answer{refusal(400, "INVALID_REQUEST")}, refused, 1, false},
		{patch, "lost", []answer{lost}, unknown, 1, false},
		{patch, "unreadable", []answer{{status: 200, body: "{"}}, unknown, 1, false},

		{get, "lost", []answer{lost}, unknown, 3, false},
		{get, "not found", []answer{refusal(404, "NOT_FOUND")}, unknown, 1, false},
		{http.MethodHead, "500", []answer{{status: 500}}, unknown, 3, false},
	} {
		t.Run(row.method+" "+row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				requests := &script{answers: row.answers}
				mock.RegisterResponder(row.method, thingURL, requests.respond)
				var opts []tosspayments.CallOption
				if row.own {
					opts = append(opts, tosspayments.WithIdempotencyKey("mine"))
				}
				err := client.Do(t.Context(), thingRequest(row.method), new(struct{}), opts...)
				assert.Len(t, requests.seen, row.sent)
				if row.want == success {
					require.NoError(t, err)
					return
				}
				require.Error(t, err)
				assert.Equal(t, row.want, tosspayments.OutcomeOf(nil, err), "%v", err)
				assert.Contains(t, err.Error(), "/v1/things/…")
				assert.NotContains(t, err.Error(), "things/7", "the rest of a path may be a key")
				var unknown *tosspayments.OutcomeUnknownError
				if !errors.As(err, &unknown) {
					return
				}
				type details struct{ Repeatable, Key, Payment bool }
				assert.Equal(t, details{Repeatable: row.method == post || row.method == del, Key: row.method == post},
					details{unknown.Repeatable, unknown.IdempotencyKey != "", unknown.Payment != nil})
			})
		})
	}
}

// Each attempt is sealed afresh, and what comes back is opened, errors too.
func TestDoSealed(t *testing.T) {
	sealed := func(text string) string { return "sealed:" + text }
	open := func(data []byte) ([]byte, error) {
		plain, ok := bytes.CutPrefix(data, []byte("sealed:"))
		if !ok {
			return nil, errors.New("cannot be opened")
		}
		return plain, nil
	}
	for _, row := range []struct {
		name    string
		answers []answer
		sent    int
		check   func(*testing.T, error)
	}{
		{"success", []answer{{status: 200, body: sealed(`{"n":1}`)}}, 1, func(t *testing.T, err error) { assert.NoError(t, err) }},
		{"lost, then a success", []answer{lost, {status: 200, body: sealed(`{"n":1}`)}}, 2, func(t *testing.T, err error) { assert.NoError(t, err) }},
		{"a sealed refusal", []answer{{status: 400, body: sealed(`{"error":{"code":"INVALID_REQUEST","message":"no"}}`)}}, 1, func(t *testing.T, err error) {
			assert.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
		}},
		{"a refusal as it is", []answer{refusal(400, "INVALID_REQUEST")}, 1, func(t *testing.T, err error) {
			assert.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
		}},
		{"a success that cannot be opened", []answer{{status: 200, body: `{"n":1}`}}, 3, func(t *testing.T, err error) {
			assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			assert.ErrorContains(t, err, "cannot be opened")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts := &script{answers: row.answers}
				mock.RegisterResponder(http.MethodPost, thingURL, posts.respond)
				request := thingRequest(http.MethodPost)
				request.Body = object{"x": 1}
				n := 0
				request.Seal = func(plain []byte) ([]byte, error) {
					n++
					return fmt.Appendf(nil, "%d:%s", n, plain), nil
				}
				request.Open = open
				var out struct{ N int }
				err := client.Do(t.Context(), request, &out)
				row.check(t, err)
				if err == nil {
					assert.Equal(t, 1, out.N)
				}
				require.Len(t, posts.seen, row.sent)
				for i, post := range posts.seen {
					assert.Equal(t, fmt.Sprintf(`%d:{"x":1}`, i+1), post.body)
					assert.Equal(t, posts.seen[0].header.Get("Idempotency-Key"), post.header.Get("Idempotency-Key"))
				}
			})
		})
	}
	t.Run("cannot be sealed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			problem := errors.New("no key")
			request := thingRequest(http.MethodPost)
			request.Seal = func([]byte) ([]byte, error) { return nil, problem }
			err := client.Do(t.Context(), request, nil)
			require.ErrorIs(t, err, tosspayments.ErrNotSent)
			require.ErrorIs(t, err, problem)
			assert.Zero(t, mock.GetTotalCallCount())
		})
	})
}

func TestRequestValidation(t *testing.T) {
	client, mock := mockClient(t)
	for _, path := range []string{"", "v1/x", "/", "/v1//x", "/v1/../x", "/v1/%2e%2e/x", "/v1/./x", "/v1/x y", "/v1/%zz", "/v1/x#y", "/v1/x?y=1", `/v1/x\y`, "/v1/키"} {
		assertInvalid(t, client.Do(t.Context(), tosspayments.Request{Method: http.MethodGet, Path: path}, nil), "path", "")
	}
	for _, method := range []string{"", "get", "GET IT", "P0ST"} {
		assertInvalid(t, client.Do(t.Context(), thingRequest(method), nil), "method", "")
	}
	for _, name := range []string{"Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"} {
		request := thingRequest(http.MethodPost)
		request.Header = http.Header{name: {"k"}}
		assertInvalid(t, client.Do(t.Context(), request, nil), "header", "WithIdempotencyKey")
	}
	request := thingRequest(http.MethodPost)
	request.Body = func() {}
	assertInvalid(t, client.Do(t.Context(), request, nil), "body", "JSON")
	assertInvalid(t, client.Do(t.Context(), thingRequest(http.MethodPost), nil, nil), "option", "")

	want := confirmRequest()
	for field, change := range map[string]func(*tosspayments.Request, *tosspayments.ConfirmPaymentRequest){
		"method":     func(r *tosspayments.Request, _ *tosspayments.ConfirmPaymentRequest) { r.Method = http.MethodGet },
		"path":       func(r *tosspayments.Request, _ *tosspayments.ConfirmPaymentRequest) { r.Path = "" },
		"orderId":    func(_ *tosspayments.Request, w *tosspayments.ConfirmPaymentRequest) { w.OrderID = "x" },
		"amount":     func(_ *tosspayments.Request, w *tosspayments.ConfirmPaymentRequest) { w.Amount = tosspayments.Amount{} },
		"paymentKey": func(_ *tosspayments.Request, w *tosspayments.ConfirmPaymentRequest) { w.PaymentKey = ".." },
	} {
		request, want := thingRequest(http.MethodPost), want
		change(&request, &want)
		_, err := client.DoPayment(t.Context(), request, want)
		assertInvalid(t, err, field, "")
		if field == "amount" {
			want.PaymentKey = ""
			_, err = client.DoPayment(t.Context(), request, want)
			assertInvalid(t, err, field, "")
		}
	}
	assert.Zero(t, mock.GetTotalCallCount())
}

// DoPayment ends as ConfirmPayment does, found by the payment key or by the order id.
func TestDoPayment(t *testing.T) {
	paid := answer{status: 200, body: paymentJSON("DONE", nil)}
	inProgress := answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)}
	other := answer{status: 200, body: paymentJSON("DONE", object{"totalAmount": 14000})}
	aborted := answer{status: 200, body: paymentJSON("ABORTED", nil)}
	byKey, byOrder := paymentURL, orderURL
	for _, row := range []struct {
		name    string
		url     string
		answers []answer
		found   []answer
		want    tosspayments.Outcome
	}{
		{"answer", byKey, []answer{paid}, nil, tosspayments.OutcomePaid},
		{"waiting", byOrder, []answer{{status: 200, body: paymentJSON("WAITING_FOR_DEPOSIT", nil)}}, nil, tosspayments.OutcomeWaiting},
		{"another amount", byKey, []answer{other}, nil, tosspayments.OutcomeMismatch},
		{"another amount", byOrder, []answer{other}, nil, tosspayments.OutcomeMismatch},
		{"lost, found", byKey, []answer{lost}, []answer{paid}, tosspayments.OutcomePaid},
		{"lost, found", byOrder, []answer{lost}, []answer{paid}, tosspayments.OutcomePaid},
		{"lost, aborted", byKey, []answer{lost}, []answer{aborted}, tosspayments.OutcomeRefused},
		{"lost, aborted: an older attempt", byOrder, []answer{lost}, []answer{aborted}, tosspayments.OutcomeUnknown},
		{"lost, in progress", byKey, []answer{lost}, []answer{inProgress}, tosspayments.OutcomeUnknown},
		{"already, cancelled since", byKey, []answer{refusal(400, "ALREADY_PROCESSED_PAYMENT")}, []answer{{status: 200, body: paymentJSON("CANCELED", object{"balanceAmount": 0})}}, tosspayments.OutcomeCanceled},
		{"duplicated", byOrder, []answer{refusal(400, "DUPLICATED_ORDER_ID")}, []answer{paid}, tosspayments.OutcomePaid},
		{"duplicated by another", byOrder, []answer{refusal(400, "DUPLICATED_ORDER_ID")}, []answer{other}, tosspayments.OutcomeMismatch},
		{"refused", byKey, []answer{refusal(403, "REJECT_CARD_PAYMENT")}, nil, tosspayments.OutcomeRefused},
	} {
		want := confirmRequest()
		if row.url == byOrder {
			row.name += " by order id"
			want.PaymentKey = ""
		}
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				mock.RegisterResponder(http.MethodPost, thingURL, (&script{answers: row.answers}).respond)
				if row.found != nil {
					mock.RegisterResponder(http.MethodGet, row.url, (&script{answers: row.found}).respond)
				}
				payment, err := client.DoPayment(t.Context(), thingRequest(http.MethodPost), want)
				assert.Equal(t, row.want, tosspayments.OutcomeOf(payment, err), "%v", err)
				assert.Equal(t, err == nil, payment != nil)
				var unknown *tosspayments.OutcomeUnknownError
				if errors.As(err, &unknown) {
					assert.Equal(t, want.PaymentKey, unknown.PaymentKey)
					assert.Equal(t, want.OrderID, unknown.OrderID)
					assert.Equal(t, "POST /v1/things/…", unknown.Operation)
				}
			})
		})
	}
	t.Run("in another currency, by order id", func(t *testing.T) {
		client, mock := mockClient(t)
		mock.RegisterResponder(http.MethodPost, thingURL, (&script{answers: []answer{
			{status: 200, body: paymentJSON("DONE", object{"currency": "USD", "totalAmount": json.Number("1.50")})},
		}}).respond)
		want := tosspayments.ConfirmPaymentRequest{OrderID: "order-0001", Amount: amountOf(t, "1.5"), Currency: "USD"}
		_, err := client.DoPayment(t.Context(), thingRequest(http.MethodPost), want)
		require.NoError(t, err)
		want.Currency = ""
		want.Amount = tosspayments.Won(1)
		_, err = client.DoPayment(t.Context(), thingRequest(http.MethodPost), want)
		require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
	})
}

// What a lookup finds under the order id is compared by the caller too; an answer is not.
func TestDoPaymentCompares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request, want := thingRequest(http.MethodPost), confirmRequest()
		want.PaymentKey = ""
		request.Compare = func(p *tosspayments.Payment) *tosspayments.MismatchError {
			if p.OrderName == "socks" {
				return nil
			}
			return &tosspayments.MismatchError{Field: "orderName", Want: "socks", Got: p.OrderName}
		}
		for name, row := range map[string]struct{ post, found, status string }{
			"paid": {"DUPLICATED_ORDER_ID", "socks", "DONE"}, "mismatch": {"DUPLICATED_ORDER_ID", "shoes", "DONE"},
			// That another payment was cancelled says nothing of this one.
			"mismatch ": {"DUPLICATED_ORDER_ID", "shoes", "CANCELED"}, "paid ": {"", "shoes", "DONE"},
		} {
			client, mock := mockClient(t)
			found := answer{status: 200, body: paymentJSON(row.status, object{"orderName": row.found})}
			post := found
			if row.post != "" {
				post = refusal(400, tosspayments.ErrorCode(row.post))
			}
			mock.RegisterResponder(http.MethodPost, thingURL, (&script{answers: []answer{post}}).respond)
			mock.RegisterResponder(http.MethodGet, orderURL, (&script{answers: []answer{found}}).respond)
			payment, err := client.DoPayment(t.Context(), request, want)
			assert.Equal(t, strings.TrimSpace(name), tosspayments.OutcomeOf(payment, err).String(), "%v", err)
			if err != nil {
				assert.Equal(t, "shoes", tosspayments.PaymentOf(err).OrderName)
				assert.ErrorContains(t, err, "POST /v1/things/…: ")
			}
		}
	})
}

// A confirm made by hand ends like the library's own, also when everything is lost.
func TestDoPaymentConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		client := server.Client()
		confirm := pay(t, server, checkout())
		request := tosspayments.Request{Method: http.MethodPost, Path: "/v1/payments/confirm", Body: confirm}
		server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true, Times: 3})
		start := time.Now()
		payment, err := client.DoPayment(t.Context(), request, confirm)
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		assert.Less(t, time.Since(start), 10*time.Second)
		assert.Equal(t, 1, server.Charges(confirm.OrderID))
	})
}
