package tosspayments_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestDoDecodes(t *testing.T) {
	const v2 = "https://api.tosspayments.com/v2/things/7"
	do := func(t *testing.T, method, url string, out any, answers ...answer) (*tosspayments.Response, error) {
		client, mock := mockClient(t)
		mock.RegisterResponder(method, url, (&script{answers: answers}).respond)
		response := new(tosspayments.Response)
		request := tosspayments.Request{Method: method, Path: url[len("https://api.tosspayments.com"):]}
		return response, client.Do(t.Context(), request, out, tosspayments.WithResponse(response))
	}
	type object struct {
		ID    string `json:"id"`
		Count int    `json:"count"`
	}
	t.Run("the envelope of API v2 is taken off", func(t *testing.T) {
		var out object
		_, err := do(t, http.MethodGet, v2, &out, answer{status: 200, body: `{"version":"2022-11-16","entityType":"thing","entityBody":{"id":"x","count":3},"error":null}`})
		require.NoError(t, err)
		assert.Equal(t, object{"x", 3}, out)
	})
	t.Run("an answer of API v2 without one is left as it is", func(t *testing.T) {
		var out object
		_, err := do(t, http.MethodGet, v2, &out, answer{status: 200, body: `{"id":"x","count":3}`})
		require.NoError(t, err)
		assert.Equal(t, object{"x", 3}, out)
	})
	t.Run("API v1 has none", func(t *testing.T) {
		var out struct{ EntityBody object }
		_, err := do(t, http.MethodGet, thingURL, &out, answer{status: 200, body: `{"entityBody":{"id":"x"}}`})
		require.NoError(t, err)
		assert.Equal(t, "x", out.EntityBody.ID)
	})
	t.Run("what cannot be read hides nothing else", func(t *testing.T) {
		var out object
		response, err := do(t, http.MethodPost, thingURL, &out, answer{status: 200, body: `{"id":7,"count":"many"}`})
		require.NoError(t, err)
		assert.Equal(t, object{"7", 0}, out)
		assert.Equal(t, []string{"count"}, response.Unread)
	})
	t.Run("a function decodes by itself", func(t *testing.T) {
		var seen string
		_, err := do(t, http.MethodPost, v2, func(body []byte) ([]string, error) { seen = string(body); return nil, nil },
			answer{status: 200, body: `{"entityBody":[1]}`})
		require.NoError(t, err)
		assert.Equal(t, "[1]", seen)
	})
	t.Run("what it refuses is not usable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, err := do(t, http.MethodPost, v2, func([]byte) ([]string, error) { return nil, errors.New("no id") },
				answer{status: 200, body: `{"entityBody":{}}`})
			require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			assert.ErrorContains(t, err, "no id")
		})
	})
	inside := answer{status: 200, body: `{"entityBody":null,"error":{"code":"NOT_FOUND","message":"none"}}`}
	t.Run("an error with the status of a success, of a read", func(t *testing.T) {
		_, err := do(t, http.MethodGet, v2, nil, inside)
		require.ErrorIs(t, err, tosspayments.ErrNotFound)
	})
	t.Run("an error with the status of a success, of a call that may move money", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, err := do(t, http.MethodPost, v2, nil, inside)
			var unknown *tosspayments.OutcomeUnknownError
			require.ErrorAs(t, err, &unknown)
			assert.Equal(t, tosspayments.ErrNotFound, unknown.LastAnswer.Code)
		})
	})
}

func TestDoNamesAndBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t)
		mock.RegisterResponder(http.MethodPost, thingURL, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		request := thingRequest(http.MethodPost)
		request.Name, request.Timeout = "make a thing", time.Second
		start := time.Now()
		err := client.Do(t.Context(), request, nil)
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		assert.ErrorContains(t, err, "make a thing: ")
		assert.Less(t, time.Since(start), 10*time.Second)
	})
}

// A call that moves nothing may be refused under a key of the caller's.
func TestDoMovesNothing(t *testing.T) {
	client, mock := mockClient(t)
	posts := &script{answers: []answer{refusal(400, "INVALID_REQUEST")}}
	mock.RegisterResponder(http.MethodPost, thingURL, posts.respond)
	request := thingRequest(http.MethodPost)
	request.MovesNothing = true
	err := client.Do(t.Context(), request, nil, tosspayments.WithIdempotencyKey("mine"))
	require.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
	assert.Len(t, posts.seen, 1)
}

func assertASecondApart(t *testing.T, looks []time.Time) {
	t.Helper()
	for i := 1; i < len(looks); i++ {
		assert.GreaterOrEqual(t, looks[i].Sub(looks[i-1]), time.Second)
	}
}

// assertOneKey wants no attempt under another key.
func assertOneKey(t *testing.T, posts *script) {
	t.Helper()
	for _, post := range posts.seen {
		assert.Equal(t, posts.seen[0].header.Get("Idempotency-Key"), post.header.Get("Idempotency-Key"))
	}
}

// What the answers do not tell is told by Find.
func TestDoFinds(t *testing.T) {
	const success = tosspayments.OutcomePaid // stands for a nil error
	unknown, refused := tosspayments.OutcomeUnknown, tosspayments.OutcomeRefused
	found := func(context.Context) (bool, error) { return true, nil }
	none := func(context.Context) (bool, error) { return false, nil }
	failed := func(context.Context) (bool, error) {
		return false, &tosspayments.Error{Code: tosspayments.ErrForbiddenRequest, StatusCode: 403}
	}
	other := func(context.Context) (bool, error) {
		return false, &tosspayments.MismatchError{Field: "amount", Want: "1", Got: "2"}
	}
	for _, row := range []struct {
		name    string
		answers []answer
		find    func(context.Context) (bool, error)
		own     bool
		want    tosspayments.Outcome
		looks   int
	}{
		{"success", []answer{{status: 200, body: "{}"}}, none, true, success, 0},
		{"refused, the first call", []answer{refusal(400, "INVALID_REQUEST")}, found, false, refused, 0},
		{"lost, found", []answer{lost}, found, false, success, 1},
		{"lost, none", []answer{lost}, none, false, unknown, 3},
		{"lost, not to be read", []answer{lost}, failed, false, unknown, 4},
		{"lost, another", []answer{lost}, other, false, tosspayments.OutcomeMismatch, 1},
		{"lost, then refused, found", []answer{lost, refusal(400, "INVALID_REQUEST")}, found, false, success, 1},
		{"lost, then refused, none", []answer{lost, refusal(400, "INVALID_REQUEST")}, none, false, refused, 2},
		{"refused, own key, none", []answer{refusal(400, "INVALID_REQUEST")}, none, true, refused, 2},
		{"refused, own key, not to be read", []answer{refusal(400, "INVALID_REQUEST")}, failed, true, unknown, 4},
		{"keys refused, own key, none", []answer{refusal(401, "UNAUTHORIZED_KEY")}, none, true, unknown, 3},
		{"unheard-of, found", []answer{refusal(400, "OF_TOMORROW")}, found, false, success, 1},
		{"unheard-of, none", []answer{refusal(400, "OF_TOMORROW")}, none, false, refused, 4},
		{"unheard-of, own key, none", []answer{refusal(400, "OF_TOMORROW")}, none, true, refused, 4},
		{"500, none", []answer{refusal(500, "COMMON_ERROR")}, none, true, unknown, -1},
		{"429, own key, none", []answer{{status: 429}}, none, true, unknown, 3},
		{"unreadable, found", []answer{{status: 200, body: "{"}}, found, false, success, 1},
		{"HTML, found", []answer{{status: 403, body: "<html>"}}, found, false, success, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts := &script{answers: row.answers}
				mock.RegisterResponder(http.MethodPost, thingURL, posts.respond)
				var looks []time.Time
				request := thingRequest(http.MethodPost)
				request.Find = func(ctx context.Context) (bool, error) {
					looks = append(looks, time.Now())
					return row.find(ctx)
				}
				var response tosspayments.Response
				opts := []tosspayments.CallOption{tosspayments.WithResponse(&response)}
				if row.own {
					opts = append(opts, tosspayments.WithIdempotencyKey("mine"))
				}
				err := client.Do(t.Context(), request, new(struct{}), opts...)
				if row.looks >= 0 { // The pauses between attempts, and so between looks, are random.
					assert.Len(t, looks, row.looks)
				}
				assertASecondApart(t, looks)
				assertOneKey(t, posts)
				if row.want == success {
					require.NoError(t, err)
					assert.Equal(t, row.looks > 0, response.SettledByLookup)
					return
				}
				require.Error(t, err)
				assert.Equal(t, row.want, tosspayments.OutcomeOf(nil, err), "%v", err)
				if row.want == unknown {
					var refusal *tosspayments.Error
					assert.NotErrorAs(t, err, &refusal)
				}
			})
		})
	}
	t.Run("after the context has ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			ctx, cancel := context.WithCancel(t.Context())
			mock.RegisterResponder(http.MethodPost, thingURL, func(r *http.Request) (*http.Response, error) {
				cancel()
				return nil, r.Context().Err()
			})
			request := thingRequest(http.MethodPost)
			request.Find = func(ctx context.Context) (bool, error) { return true, ctx.Err() }
			require.NoError(t, client.Do(ctx, request, nil))
		})
	})
}

// A call that the library has no method for: an answer of API v2, with the envelope taken
// off. Package payouts has this one, and is built on Do.
func ExampleClient_Do_envelope() {
	server := tosstest.New()
	server.AddBalance(tosspayments.Won(880_000))
	var balance struct {
		AvailableAmount struct{ Value tosspayments.Amount }
	}
	err := server.Client().Do(context.Background(), tosspayments.Request{
		Name: "get balance", Method: http.MethodGet, Path: "/v2/balances",
	}, &balance)
	fmt.Println(balance.AvailableAmount.Value, err)
	// Output: 880000 <nil>
}

// A token takes the place of the secret key, and no error repeats it.
func ExampleClient_Do_token() {
	server := tosstest.New()
	err := server.Client().Do(context.Background(), tosspayments.Request{
		Method: http.MethodGet, Path: "/v1/brandpay/payments/methods",
		Header: http.Header{"Authorization": {"Bearer the-token-of-a-customer"}},
	}, nil)
	fmt.Println(tosspayments.CodeOf(err))
	// Output: UNAUTHORIZED_KEY
}

// A call that may change something ends in one outcome: what its answers do not tell is
// found out by Find.
func ExampleClient_Do_find() {
	server := tosstest.New()
	client := server.Client(tosspayments.WithMaxRetries(0))
	server.Inject(tosstest.Fault{Operation: tosstest.IssueCashReceipt, Kind: tosstest.Drop, AfterEffect: true})
	request := tosspayments.Request{
		Name: "issue cash receipt", Method: http.MethodPost, Path: "/v1/cash-receipts",
		Body: map[string]any{
			"orderId": "order-0001", "orderName": "socks", "amount": 15000, "type": "소득공제",
			"customerIdentityNumber": tosspayments.NewSensitive("01012345678"),
		},
	}
	request.Find = func(ctx context.Context) (bool, error) {
		today := tosspayments.CashReceiptQuery{RequestDate: tosspayments.DateOf(server.Now())}
		for receipt, err := range client.AllCashReceipts(ctx, today) {
			if err != nil || receipt.OrderID == "order-0001" {
				return err == nil, err
			}
		}
		return false, nil
	}
	err := client.Do(context.Background(), request, nil)
	fmt.Println(err)
	// Output: <nil>
}
