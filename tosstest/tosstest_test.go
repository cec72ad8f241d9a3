package tosstest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// caller speaks to the server without the library, so that the two do not agree on
// a mistake.
type caller struct {
	t      testing.TB
	server *tosstest.Server
	header http.Header
}

func newCaller(t testing.TB, server *tosstest.Server) *caller {
	return &caller{t: t, server: server, header: http.Header{
		"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(tosstest.DefaultSecretKey+":"))},
	}}
}

func (c *caller) with(name, value string) *caller {
	other := *c
	other.header = c.header.Clone()
	other.header.Set(name, value)
	return &other
}

type result struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (c *caller) call(method, path, body string) result {
	c.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, c.server.URL+path, strings.NewReader(body))
	require.NoError(c.t, err)
	r.Header = c.header
	response, err := c.server.Transport().RoundTrip(r)
	require.NoError(c.t, err)
	data, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	out := result{status: response.StatusCode, header: response.Header, raw: string(data)}
	require.NoError(c.t, json.Unmarshal(data, &out.body), out.raw)
	return out
}

func (c *caller) refused(status int, code string, r result) {
	c.t.Helper()
	assert.Equal(c.t, status, r.status, r.raw)
	assert.Equal(c.t, code, r.body["code"])
	assert.NotEmpty(c.t, r.body["message"])
	assert.NotEmpty(c.t, r.header.Get("x-tosspayments-trace-id"))
}

func socks(order string) tosstest.Checkout {
	return tosstest.Checkout{OrderID: order, OrderName: "양말", Amount: tosspayments.Won(15000)}
}

func confirmBody(r tosspayments.SuccessRedirect) string {
	data, _ := json.Marshal(map[string]any{"paymentKey": r.PaymentKey, "orderId": r.OrderID, "amount": r.Amount.String()})
	return string(data)
}

func TestAnOpenWindowCannotBeConfirmed(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	key := server.OpenWindow(socks("order-0001"))
	r := c.call("GET", "/v1/payments/"+key, "")
	assert.Equal(t, "READY", r.body["status"])
	assert.Nil(t, r.body["method"])
	assert.Nil(t, r.body["approvedAt"])
	c.refused(404, "NOT_FOUND_PAYMENT_SESSION", c.call("POST", "/v1/payments/confirm", `{"paymentKey":"`+key+`","orderId":"order-0001","amount":15000}`))
}

func TestAnAuthenticatedPaymentIsInProgress(t *testing.T) {
	server := tosstest.New()
	redirect := server.Authenticate(socks("order-0001"))
	assert.Empty(t, redirect.PaymentType)
	r := newCaller(t, server).call("GET", "/v1/payments/orders/order-0001", "")
	assert.Equal(t, "IN_PROGRESS", r.body["status"])
	assert.Equal(t, redirect.PaymentKey, r.body["paymentKey"])
}

func TestAConfirmedPayment(t *testing.T) {
	server := tosstest.New()
	r := newCaller(t, server).call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(socks("order-0001"))))
	require.Equal(t, 200, r.status, r.raw)
	assert.Subset(t, r.body, map[string]any{
		"status": "DONE", "method": "카드", "totalAmount": 15000., "balanceAmount": 15000., "vat": 1364., "suppliedAmount": 13636.,
	})
	assert.NotEmpty(t, r.body["secret"])
	assert.Len(t, r.header["X-Tosspayments-Trace-Id"], 1)
	_, err := time.Parse("2006-01-02T15:04:05-07:00", r.body["approvedAt"].(string))
	assert.NoError(t, err)
}

func TestAnOrderIsPaidOnce(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	redirect := server.Authenticate(socks("order-0001"))
	c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
	c.refused(400, "ALREADY_PROCESSED_PAYMENT", c.call("POST", "/v1/payments/confirm", confirmBody(redirect)))
	other := server.Authenticate(socks("order-0001"))
	c.refused(400, "DUPLICATED_ORDER_ID", c.call("POST", "/v1/payments/confirm", confirmBody(other)))
	r := c.call("GET", "/v1/payments/orders/order-0001", "")
	assert.Equal(t, redirect.PaymentKey, r.body["paymentKey"], "the approved payment stays the order's")
	assert.Equal(t, 1, server.Charges("order-0001"))
}

func TestWhatIsNotFound(t *testing.T) {
	c := newCaller(t, tosstest.New())
	c.refused(404, "NOT_FOUND_PAYMENT", c.call("GET", "/v1/payments/nothing", ""))
	c.refused(404, "NOT_FOUND_PAYMENT", c.call("GET", "/v1/payments/orders/nothing", ""))
	c.refused(404, "NOT_FOUND", c.call("GET", "/v1/nothing", ""))
}

func TestConfirmChecks(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	redirect := server.Authenticate(socks("order-0001"))
	post := func(body string) result { return c.call("POST", "/v1/payments/confirm", body) }
	for _, body := range []string{"", "{", "[]", `{}`, `{"paymentKey":"x"}`, `{"paymentKey":"x","orderId":"y"}`, `{"paymentKey":"x","orderId":"y","amount":"z"}`} {
		c.refused(400, "INVALID_REQUEST", post(body))
	}
	c.refused(404, "NOT_FOUND_PAYMENT_SESSION", post(`{"paymentKey":"x","orderId":"order-0001","amount":15000}`))
	c.refused(403, "FORBIDDEN_REQUEST", post(`{"paymentKey":"`+redirect.PaymentKey+`","orderId":"order-0002","amount":15000}`))
	c.refused(403, "FORBIDDEN_REQUEST", post(`{"paymentKey":"`+redirect.PaymentKey+`","orderId":"order-0001","amount":1}`))
	assert.Zero(t, server.Charges("order-0001"))

	server = tosstest.New(tosstest.WithGuess(tosstest.ConfirmOtherAmount, tosspayments.ErrInvalidRequest))
	redirect = server.Authenticate(socks("order-0001"))
	redirect.Amount = tosspayments.Won(1)
	c = newCaller(t, server)
	c.refused(400, "INVALID_REQUEST", post(confirmBody(redirect)))
}

func basicAuthorization(text string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

func TestKeysThatAreRefused(t *testing.T) {
	c := newCaller(t, tosstest.New())
	for authorization, want := range map[string]struct {
		status int
		code   string
	}{
		"":                                   {401, "UNAUTHORIZED_KEY"},
		basicAuthorization("test_sk_other:"): {401, "UNAUTHORIZED_KEY"},
		"Basic ***":                          {401, "UNAUTHORIZED_KEY"},
		basicAuthorization(tosstest.DefaultSecretKey): {403, "INCORRECT_BASIC_AUTH_FORMAT"},
	} {
		c.refused(want.status, want.code, c.with("Authorization", authorization).call("GET", "/v1/payments/x", ""))
	}
}

func TestTestCodes(t *testing.T) {
	c := newCaller(t, tosstest.New())
	c.refused(500, "COMMON_ERROR", c.with("TossPayments-Test-Code", "COMMON_ERROR").call("GET", "/v1/payments/x", ""))
	c.refused(409, "IDEMPOTENT_REQUEST_PROCESSING", c.with("TossPayments-Test-Code", "IDEMPOTENT_REQUEST_PROCESSING").call("GET", "/v1/payments/x", ""))
	c.refused(400, "INVALID_TEST_CODE", c.with("TossPayments-Test-Code", "NO_SUCH_CODE").call("GET", "/v1/payments/x", ""))
	live := newCaller(t, tosstest.New(tosstest.WithSecretKey("live_sk_1"))).with("Authorization", basicAuthorization("live_sk_1:"))
	live.refused(404, "NOT_FOUND_PAYMENT", live.with("TossPayments-Test-Code", "COMMON_ERROR").call("GET", "/v1/payments/x", ""))
}

func TestLanguages(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	korean := c.call("GET", "/v1/payments/x", "")
	english := c.with("Accept-Language", "en-US").call("GET", "/v1/payments/x", "")
	assert.Equal(t, "존재하지 않는 결제 정보 입니다.", korean.body["message"])
	assert.Equal(t, "The payment does not exist.", english.body["message"])

	wallet := socks("order-0001")
	wallet.EasyPay = "KAKAOPAY"
	redirect := server.Authenticate(wallet)
	c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
	r := c.call("GET", "/v1/payments/"+redirect.PaymentKey, "")
	assert.Equal(t, "카카오페이", r.body["easyPay"].(map[string]any)["provider"])
	r = c.with("Accept-Language", "en-US").call("GET", "/v1/payments/"+redirect.PaymentKey, "")
	assert.Equal(t, "KAKAOPAY", r.body["easyPay"].(map[string]any)["provider"])
	assert.Equal(t, "EasyPay", r.body["method"])
}

// status is what a read of the payment says of it.
func (c *caller) status(paymentKey string) any {
	c.t.Helper()
	return c.call("GET", "/v1/payments/"+paymentKey, "").body["status"]
}

func TestAnAuthenticationExpires(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	redirect := server.Authenticate(socks("order-0002"))
	server.Advance(10*time.Minute - time.Second)
	assert.Equal(t, "IN_PROGRESS", c.status(redirect.PaymentKey))
	server.Advance(2 * time.Second)
	r := c.call("GET", "/v1/payments/"+redirect.PaymentKey, "")
	assert.Equal(t, "EXPIRED", r.body["status"])
	assert.Equal(t, "EXPIRED_PAYMENT", r.body["failure"].(map[string]any)["code"])
	c.refused(404, "NOT_FOUND_PAYMENT_SESSION", c.call("POST", "/v1/payments/confirm", confirmBody(redirect)))
}

func TestAnOpenWindowExpires(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	key := server.OpenWindow(socks("order-0001"))
	server.Advance(10*time.Minute + time.Second)
	assert.Equal(t, "READY", c.status(key))
	server.Advance(20 * time.Minute)
	assert.Equal(t, "EXPIRED", c.status(key))
}

func TestAdvanceMovesTheClock(t *testing.T) {
	server := tosstest.New()
	before := server.Now()
	server.Advance(10*time.Minute - time.Second)
	assert.GreaterOrEqual(t, server.Now().Sub(before), 9*time.Minute)
}

func TestIdempotencyKeysReplayAnswers(t *testing.T) {
	server := tosstest.New()
	keyed := newCaller(t, server).with("Idempotency-Key", "k1")
	first := keyed.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(socks("order-0001"))))
	replay := keyed.call("POST", "/v1/payments/confirm", `{"other":"body"}`)
	assert.Equal(t, 200, replay.status)
	assert.Equal(t, first.raw, replay.raw, "the body is not part of the key")
	t.Run("with the trace ids of both", func(t *testing.T) {
		ids := replay.header.Get("X-Tosspayments-Trace-Id")
		assert.True(t, strings.HasSuffix(ids, ", "+first.header.Get("X-Tosspayments-Trace-Id")), ids)
		assert.Regexp(t, "^[0-9a-f]{32}, [0-9a-f]{32}$", ids)
	})
	t.Run("with a header that is no sign of a replay", func(t *testing.T) {
		assert.Equal(t, "k1", first.header.Get("Idempotency-Key"))
		assert.Equal(t, "k1", replay.header.Get("Idempotency-Key"))
	})
}

func TestIdempotencyKeysReplayRefusals(t *testing.T) {
	server := tosstest.New()
	keyed := newCaller(t, server).with("Idempotency-Key", "k2")
	refused := keyed.call("POST", "/v1/payments/confirm", `{}`)
	keyed.refused(400, "INVALID_REQUEST", refused)
	again := keyed.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(socks("order-0002"))))
	assert.Equal(t, refused.raw, again.raw, "even when the body is corrected")
}

func TestIdempotencyKeysEndAfterFifteenDays(t *testing.T) {
	server := tosstest.New()
	keyed := newCaller(t, server).with("Idempotency-Key", "k1")
	redirect := server.Authenticate(socks("order-0001"))
	keyed.call("POST", "/v1/payments/confirm", confirmBody(redirect))
	server.Advance(15*24*time.Hour + time.Second)
	keyed.refused(400, "ALREADY_PROCESSED_PAYMENT", keyed.call("POST", "/v1/payments/confirm", confirmBody(redirect)))
}

func TestIdempotencyKeysThatAreTooLong(t *testing.T) {
	c := newCaller(t, tosstest.New())
	c.refused(400, "INVALID_IDEMPOTENCY_KEY", c.with("Idempotency-Key", strings.Repeat("k", 301)).call("POST", "/v1/payments/confirm", "{}"))
	c.with("Idempotency-Key", "k3").call("GET", "/v1/payments/x", "")
}

func TestIdempotencyKeysOfRequestsThatAreRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		c := newCaller(t, server)
		slow := server.Authenticate(socks("order-0003"))
		server.Inject(tosstest.Fault{Kind: tosstest.Delay, Delay: time.Minute})
		var done sync.WaitGroup
		done.Go(func() {
			assert.Equal(t, 200, c.with("Idempotency-Key", "k4").call("POST", "/v1/payments/confirm", confirmBody(slow)).status)
		})
		time.Sleep(time.Second)
		c.refused(409, "IDEMPOTENT_REQUEST_PROCESSING", c.with("Idempotency-Key", "k4").call("POST", "/v1/payments/confirm", confirmBody(slow)))
		c.refused(400, "ALREADY_PROCESSING_REQUEST", c.with("Idempotency-Key", "k5").call("POST", "/v1/payments/confirm", confirmBody(slow)))
		done.Wait()
		assert.Equal(t, 1, server.Charges("order-0003"))
	})
}

// confirmedPath is the path of a payment of 15,000 won by card.
func confirmedPath(c *caller, orderID string) string {
	c.t.Helper()
	redirect := c.server.Authenticate(socks(orderID))
	r := c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
	require.Equal(c.t, 200, r.status, r.raw)
	return "/v1/payments/" + redirect.PaymentKey
}

func TestCancelsThatAreRefused(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	path := confirmedPath(c, "order-0001") + "/cancel"
	open := "/v1/payments/" + server.Authenticate(socks("order-0002")).PaymentKey + "/cancel"
	for _, row := range []struct {
		status           int
		code, path, body string
	}{
		{403, "NOT_CANCELABLE_PAYMENT", open, `{"cancelReason":"r"}`},
		{400, "INVALID_REQUEST", path, ""},
		{400, "INVALID_REQUEST", path, `{}`},
		{400, "INVALID_REQUEST", path, `{"cancelReason":""}`},
		{400, "INVALID_REQUEST", path, `{"cancelReason":"` + strings.Repeat("가", 201) + `"}`},
		{400, "INVALID_REQUEST", path, `{"cancelReason":"r","cancelAmount":0}`},
		{400, "INVALID_REQUEST", path, `{"cancelReason":"r","cancelAmount":-1}`},
		{400, "INVALID_REQUEST", path, `{"cancelReason":"r","currency":"USD"}`},
		{403, "NOT_CANCELABLE_AMOUNT", path, `{"cancelReason":"r","cancelAmount":15001}`},
		{403, "NOT_CANCELABLE_AMOUNT", path, `{"cancelReason":"r","taxFreeAmount":1}`},
		{400, "NOT_MATCHES_REFUNDABLE_AMOUNT", path, `{"cancelReason":"r","cancelAmount":1,"refundableAmount":14999}`},
		{404, "NOT_FOUND_PAYMENT", "/v1/payments/none/cancel", `{"cancelReason":"r"}`},
	} {
		c.refused(row.status, row.code, c.call("POST", row.path, row.body))
	}
	assert.Empty(t, server.Refunds("order-0001"))
}

func TestPartialCancel(t *testing.T) {
	c := newCaller(t, tosstest.New())
	r := c.call("POST", confirmedPath(c, "order-0001")+"/cancel", `{"cancelReason":"r","cancelAmount":5000,"refundableAmount":15000}`)
	require.Equal(t, 200, r.status, r.raw)
	assert.Subset(t, r.body, map[string]any{"status": "PARTIAL_CANCELED", "balanceAmount": 10000., "vat": 909.})
	entry := r.body["cancels"].([]any)[0].(map[string]any)
	assert.Equal(t, r.body["lastTransactionKey"], entry["transactionKey"])
	assert.EqualValues(t, 10000, entry["refundableAmount"])
}

func TestCancelOfTheRest(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	path := confirmedPath(c, "order-0001") + "/cancel"
	c.call("POST", path, `{"cancelReason":"r","cancelAmount":5000}`)
	r := c.call("POST", path, `{"cancelReason":"r"}`)
	assert.Subset(t, r.body, map[string]any{"status": "PARTIAL_CANCELED", "balanceAmount": 0.})
	c.refused(403, "NOT_CANCELABLE_AMOUNT", c.call("POST", path, `{"cancelReason":"r"}`))
	assert.Equal(t, []tosstest.EntryKind{tosstest.Approved, tosstest.Canceled, tosstest.Canceled}, kindsOf(server.Ledger()))
}

func TestCancelOfAll(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	path := confirmedPath(c, "order-0001") + "/cancel"
	assert.Equal(t, "CANCELED", c.call("POST", path, `{"cancelReason":"r"}`).body["status"])
	c.refused(400, "ALREADY_CANCELED_PAYMENT", c.call("POST", path, `{"cancelReason":"r"}`))
	assert.Equal(t, []tosstest.EntryKind{tosstest.Approved, tosstest.Canceled}, kindsOf(server.Ledger()))
}

func TestConsecutiveCancelRule(t *testing.T) {
	server := tosstest.New(tosstest.WithConsecutiveCancelRule())
	c := newCaller(t, server)
	path := confirmedPath(c, "order-0001") + "/cancel"
	c.call("POST", path, `{"cancelReason":"r","cancelAmount":5000}`)
	c.refused(403, "FORBIDDEN_CONSECUTIVE_REQUEST", c.call("POST", path, `{"cancelReason":"r","cancelAmount":1}`))
	server.Advance(time.Second)
	assert.Equal(t, 200, c.call("POST", path, `{"cancelReason":"r","cancelAmount":1}`).status)
}

func kindsOf(entries []tosstest.Entry) (kinds []tosstest.EntryKind) {
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// Each kind of fault, before and after the effect, with the answer kept under the
// key and not: how often is the order charged, and what does the same key say next?
func TestFaults(t *testing.T) {
	// The connection breaks with the kinds that have no status.
	statuses := map[tosstest.FaultKind]int{
		tosstest.Refuse: 400, tosstest.BadGateway: 502, tosstest.RateLimit: 429, tosstest.Delay: 200,
		tosstest.Drop: 0, tosstest.Reset: 0, tosstest.Cut: 0,
	}
	for kind, want := range statuses {
		for _, after := range []bool{false, true} {
			for _, unstored := range []bool{false, true} {
				name := string(kind)
				if after {
					name += " after the effect"
				}
				if unstored {
					name += ", not stored"
				}
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := tosstest.New()
						redirect := server.Authenticate(socks("order-0001"))
						server.Inject(tosstest.Fault{
							Operation: tosstest.ConfirmPayment, Kind: kind, AfterEffect: after, Unstored: unstored,
							Code: tosspayments.ErrProviderError, Delay: time.Minute, RetryAfter: "3",
						})
						c := newCaller(t, server).with("Idempotency-Key", "k")
						status, broken := sendConfirm(c, confirmBody(redirect))
						if broken != nil {
							status = 0
						}
						assert.Equal(t, want, status, "%v", broken)
						effect := after || kind == tosstest.Delay
						assert.Equal(t, effect, server.Charges("order-0001") == 1)

						again := c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
						if status, code := refusalAgain(kind, effect, unstored); code != "" {
							c.refused(status, code, again)
						} else {
							assert.Equal(t, 200, again.status)
						}
					})
				})
			}
		}
	}
}

// refusalAgain is what the same key says after a fault of this kind; "" is a success.
func refusalAgain(kind tosstest.FaultKind, effect, unstored bool) (status int, code string) {
	switch {
	case unstored && effect:
		return 400, "ALREADY_PROCESSED_PAYMENT"
	case unstored:
		return 0, ""
	case kind == tosstest.Refuse:
		return 400, "PROVIDER_ERROR"
	case kind == tosstest.Cut && !effect:
		return 500, "FAILED_INTERNAL_SYSTEM_PROCESSING"
	}
	return 0, ""
}

func sendConfirm(c *caller, body string) (status int, err error) {
	return sendTo(c, "/v1/payments/confirm", body)
}

func sendTo(c *caller, path, body string) (status int, err error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.server.URL+path, strings.NewReader(body))
	require.NoError(c.t, err)
	r.Header = c.header
	response, err := c.server.Transport().RoundTrip(r)
	if err != nil {
		return 0, err
	}
	_, err = io.ReadAll(response.Body)
	return response.StatusCode, err
}

func TestServerErrorsForgotten(t *testing.T) {
	for name, kept := range map[string]bool{"kept": true, "forgotten": false} {
		t.Run(name, func(t *testing.T) {
			var opts []tosstest.Option
			if !kept {
				opts = append(opts, tosstest.WithServerErrorsForgotten())
			}
			server := tosstest.New(opts...)
			redirect := server.Authenticate(socks("order-0001"))
			server.Inject(tosstest.Fault{Kind: tosstest.Refuse, Code: tosspayments.ErrCommonError})
			c := newCaller(t, server).with("Idempotency-Key", "k")
			c.refused(500, "COMMON_ERROR", c.call("POST", "/v1/payments/confirm", confirmBody(redirect)))
			again := c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
			assert.Equal(t, kept, again.status == 500, again.raw)
		})
	}
}

// The faults of the network over a real one.
func TestFaultsOverTCP(t *testing.T) {
	server := tosstest.NewServer(t)
	for _, kind := range []tosstest.FaultKind{tosstest.Drop, tosstest.Reset, tosstest.Cut} {
		redirect := server.Authenticate(socks(tosspayments.NewOrderID()))
		server.Inject(tosstest.Fault{Kind: kind, AfterEffect: true})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/payments/confirm", strings.NewReader(confirmBody(redirect)))
		require.NoError(t, err)
		r.Header = newCaller(t, server).header
		response, err := http.DefaultClient.Do(r)
		if kind == tosstest.Cut {
			require.NoError(t, err)
			assert.Equal(t, 200, response.StatusCode)
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		assert.Error(t, err, kind)
		assert.Equal(t, 1, server.Charges(redirect.OrderID))
	}
	assert.Equal(t, 3, server.Calls(tosstest.ConfirmPayment))
}

func TestRequestLog(t *testing.T) {
	server := tosstest.New()
	newCaller(t, server).with("Idempotency-Key", "k").call("POST", "/v1/payments/confirm", `{"a":1}`)
	requests := server.Requests()
	require.Len(t, requests, 1)
	r := requests[0]
	assert.Equal(t, http.Header{"Idempotency-Key": {"k"}}, r.Header, "no Authorization")
	type line struct {
		Operation  tosstest.Operation
		Path, Body string
		Status     int
	}
	assert.Equal(t, line{tosstest.ConfirmPayment, "/v1/payments/confirm", `{"a":1}`, 400}, line{r.Operation, r.Path, string(r.Body), r.Status})
}

// What strangers send does not fill the memory.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	server := tosstest.New()
	c := newCaller(t, server).with("Authorization", "")
	body := strings.Repeat("x", 1<<20)
	for i := range 70 {
		c.call("POST", fmt.Sprintf("/v1/payments/%d/cancel", i), body)
	}
	requests := server.Requests()
	require.Len(t, requests, 63, "the 64th has no room beside the answers")
	assert.Equal(t, "/v1/payments/69/cancel", requests[62].Path)
	for range 10_000 {
		c.call("GET", "/v1/payments/x", "")
	}
	assert.Len(t, server.Requests(), 10_000)
	assert.Equal(t, 10_000, server.Calls(tosstest.GetPayment))
	assert.Zero(t, server.Calls(tosstest.CancelPayment))
}

func TestPayments(t *testing.T) {
	server := tosstest.New()
	assert.Empty(t, server.Payments(10))
	server.OpenWindow(socks("order-0001"))
	server.Authenticate(socks("order-0002"))
	server.Advance(30 * time.Minute)
	server.Authenticate(socks("order-0003"))
	var got []string
	for _, p := range server.Payments(2) {
		got = append(got, p.OrderID+" "+string(p.Status))
	}
	assert.Equal(t, []string{"order-0003 IN_PROGRESS", "order-0002 EXPIRED"}, got)
	assert.Len(t, server.Payments(10), 3)
}

// Every route, and what is none.
func TestRoutes(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	for _, path := range []string{"/", "/v1", "/v1/payments", "/v1/payments/confirm/x", "/v1/payments/x/y/z", "/v3/payments/x", "/v1/billing/x", "/v1/cash-receipts/x"} {
		c.refused(404, "NOT_FOUND", c.call("GET", path, ""))
	}
	for _, x := range []struct {
		method, path string
		operation    tosstest.Operation
	}{
		{"POST", "/v1/payments", tosstest.CreatePayment}, {"POST", "/v1/payments/confirm", tosstest.ConfirmPayment},
		{"POST", "/v1/payments/key-in", tosstest.KeyIn}, {"GET", "/v1/payments/a%2Fb", tosstest.GetPayment},
		{"GET", "/v1/payments/orders/x", tosstest.GetPaymentByOrderID}, {"POST", "/v1/payments/x/cancel", tosstest.CancelPayment},
		{"POST", "/v1/virtual-accounts", tosstest.IssueVirtualAccount}, {"POST", "/v1/billing/authorizations/issue", tosstest.IssueBillingKey},
		{"POST", "/v1/billing/authorizations/card", tosstest.IssueBillingKeyByCard}, {"POST", "/v1/billing/x", tosstest.ChargeBilling},
		{"DELETE", "/v1/billing/x", tosstest.DeleteBillingKey}, {"GET", "/v1/transactions", tosstest.ListTransactions},
		{"GET", "/v1/settlements", tosstest.ListSettlements}, {"POST", "/v1/settlements", tosstest.RequestSettlement},
		{"GET", "/v1/cash-receipts", tosstest.ListCashReceipts}, {"POST", "/v1/cash-receipts", tosstest.IssueCashReceipt},
		{"POST", "/v1/cash-receipts/x/cancel", tosstest.CancelCashReceipt}, {"GET", "/v1/promotions", tosstest.GetPromotions},
		{"GET", "/v1/promotions/card", tosstest.GetCardPromotions},
	} {
		c.with("Authorization", "").call(x.method, x.path, "")
		assert.Equal(t, 1, server.Calls(x.operation), "%s %s", x.method, x.path)
	}
}

func TestSeedsRepeat(t *testing.T) {
	key := func(seed uint64) string {
		server := tosstest.New(tosstest.WithSeed(seed))
		return server.OpenWindow(socks("order-0001"))[19:]
	}
	assert.Equal(t, key(1), key(1))
	assert.NotEqual(t, key(1), key(2))
}

type misusedTB struct {
	testing.TB
	failed string
}

func (tb *misusedTB) Fatalf(format string, _ ...any) { tb.failed = format }

func TestMisuse(t *testing.T) {
	tb := &misusedTB{TB: t}
	server := tosstest.NewServer(tb)
	server.Authenticate(tosstest.Checkout{})
	assert.NotEmpty(t, tb.failed)
	for _, bad := range []func(*tosstest.Checkout){
		func(c *tosstest.Checkout) { c.OrderName = "" },
		func(c *tosstest.Checkout) { c.Amount = tosspayments.Won(0) },
		func(c *tosstest.Checkout) { c.TaxFreeAmount = tosspayments.Won(15001) },
		func(c *tosstest.Checkout) { c.Refusal = "NO_SUCH_CODE" },
	} {
		c := socks("order-0001")
		bad(&c)
		assert.Panics(t, func() { tosstest.New().OpenWindow(c) })
	}
	assert.Panics(t, func() { tosstest.New().Client(tosspayments.WithMaxRetries(-1)) })
	_, err := server.Client().GetPayment(t.Context(), "x")
	var refused *tosspayments.Error
	assert.True(t, errors.As(err, &refused))
}

// A program that is set up for real money reaches both kinds of servers.
func TestLiveKeys(t *testing.T) {
	for _, server := range []*tosstest.Server{
		tosstest.New(tosstest.WithSecretKey("live_sk_0000000000000000")), tosstest.NewServer(t, tosstest.WithSecretKey("live_sk_0000000000000000")),
	} {
		_, err := server.Client().GetPaymentByOrderID(t.Context(), "order-0001")
		require.ErrorIs(t, err, tosspayments.ErrNotFoundPayment)
	}
}
