package tosstest_test

import (
	"bytes"
	"context"
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

const card = `"cardNumber":"9410001234567890","cardExpirationYear":"30","cardExpirationMonth":"12","customerIdentityNumber":"900101"`

// billingKey registers a card.
func (c *caller) billingKey(customer string) string {
	c.t.Helper()
	r := c.call("POST", "/v1/billing/authorizations/card", `{"customerKey":"`+customer+`",`+card+`}`)
	require.Equal(c.t, 200, r.status, r.raw)
	return r.body["billingKey"].(string)
}

func chargeBody(customer, order string) string {
	return fmt.Sprintf(`{"customerKey":%q,"orderId":%q,"orderName":"양말","amount":15000}`, customer, order)
}

// Each fault fits one of two requests that differ in one thing only.
func TestWhatAFaultHits(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	first, second := server.Authenticate(socks("order-0001")), server.Authenticate(socks("order-0002"))
	b1, b2 := c.billingKey("customer-1"), c.billingKey("customer-2")
	list := "/v1/transactions?startDate=2000-01-01&endDate=2100-01-01"
	get := func(path string) func() int { return func() int { r, _ := c.get(path); return r.StatusCode } }
	post := func(c *caller, path, body string) func() int {
		return func() int {
			status, err := sendTo(c, path, body)
			require.NoError(t, err)
			return status
		}
	}
	for name, x := range map[string]struct {
		fault     tosstest.Fault
		miss, hit func() int
	}{
		"payment":       {tosstest.Fault{PaymentKey: second.PaymentKey}, get("/v1/payments/" + first.PaymentKey), get("/v1/payments/" + second.PaymentKey)},
		"its order":     {tosstest.Fault{PaymentKey: second.PaymentKey}, get("/v1/payments/orders/order-0001"), get("/v1/payments/orders/order-0002")},
		"order":         {tosstest.Fault{OrderID: "order-0002"}, post(c, "/v1/payments/confirm", confirmBody(first)), post(c, "/v1/payments/confirm", confirmBody(second))},
		"order's key":   {tosstest.Fault{OrderID: "order-0002"}, get("/v1/payments/" + first.PaymentKey), get("/v1/payments/" + second.PaymentKey)},
		"charge":        {tosstest.Fault{OrderID: "order-0004"}, post(c, "/v1/billing/"+b1, chargeBody("customer-1", "order-0003")), post(c, "/v1/billing/"+b1, chargeBody("customer-1", "order-0004"))},
		"billing key":   {tosstest.Fault{BillingKey: b2}, post(c, "/v1/billing/"+b1, chargeBody("customer-1", "order-0005")), post(c, "/v1/billing/"+b2, chargeBody("customer-2", "order-0006"))},
		"key":           {tosstest.Fault{IdempotencyKey: "k2"}, post(c.with("Idempotency-Key", "k1"), "/v1/billing/"+b1, chargeBody("customer-1", "order-0007")), post(c.with("Idempotency-Key", "k2"), "/v1/billing/"+b1, chargeBody("customer-1", "order-0008"))},
		"a cursor":      {tosstest.Fault{Match: func(r *tosstest.Request) bool { return r.Query.Has("startingAfter") }}, get(list), get(list + "&startingAfter=x")},
		"all they name": {tosstest.Fault{OrderID: "order-0002", Operation: tosstest.GetPayment}, get("/v1/payments/orders/order-0002"), get("/v1/payments/" + second.PaymentKey)},
	} {
		t.Run(name, func(t *testing.T) {
			x.fault.Kind = tosstest.RateLimit
			server.Inject(x.fault)
			assert.Equal(t, 200, x.miss())
			assert.Equal(t, 429, x.hit())
		})
	}
}

// What a request is about stands in the log, also what only its effect tells.
func TestRequestsSayWhatTheyAreAbout(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	key := c.billingKey("customer-1")
	paid := c.call("POST", "/v1/billing/"+key, chargeBody("customer-1", "order-0001")).body["paymentKey"].(string)
	c.get("/v1/payments/orders/order-0001")
	c.get("/v1/payments/" + paid + "?x=y")
	requests := server.Requests()[1:]
	require.Len(t, requests, 3)
	for _, r := range requests {
		assert.Equal(t, paid, r.PaymentKey)
		assert.Equal(t, "order-0001", r.OrderID)
	}
	assert.Equal(t, key, requests[0].BillingKey)
	assert.Equal(t, "y", requests[2].Query.Get("x"))
}

func TestGateBeforeTheEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		c := newCaller(t, server)
		redirect := server.Authenticate(socks("order-0001"))
		gate := server.Gate(tosstest.Fault{OrderID: "order-0001"})
		var first result
		go func() {
			first = c.with("Idempotency-Key", "k").call("POST", "/v1/payments/confirm", confirmBody(redirect))
		}()
		<-gate.Arrived()
		assert.Zero(t, server.Charges("order-0001"))
		c.refused(400, "ALREADY_PROCESSING_REQUEST", c.call("POST", "/v1/payments/confirm", confirmBody(redirect)))
		c.refused(409, "IDEMPOTENT_REQUEST_PROCESSING", c.with("Idempotency-Key", "k").call("POST", "/v1/payments/confirm", confirmBody(redirect)))
		require.Error(t, server.Refund("order-0001", tosspayments.Amount{}, "r"))
		gate.Open()
		gate.Open()
		synctest.Wait()
		assert.Equal(t, 200, first.status)
		assert.Equal(t, 1, server.Charges("order-0001"))
	})
}

// What needs no effect waits as well: a refusal of the key, the rate, or a replay.
func TestGateOfWhatIsAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New(tosstest.WithRateLimit(2))
		c := newCaller(t, server).with("Idempotency-Key", "k")
		redirect := server.Authenticate(socks("order-0001"))
		c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
		for _, x := range []struct {
			caller *caller
			want   int
		}{{c.key("other"), 401}, {c, 200}, {c, 429}} {
			gate := server.Gate(tosstest.Fault{})
			status := 0
			go func() { status, _ = sendConfirm(x.caller, confirmBody(redirect)) }()
			<-gate.Arrived()
			synctest.Wait()
			assert.Zero(t, status)
			gate.Open()
			synctest.Wait()
			assert.Equal(t, x.want, status)
		}
	})
}

func TestGateAfterTheEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		c := newCaller(t, server)
		redirect := server.Authenticate(socks("order-0001"))
		gate := server.Gate(tosstest.Fault{Kind: tosstest.Drop, AfterEffect: true})
		var lost error
		go func() { _, lost = sendConfirm(c, confirmBody(redirect)) }()
		<-gate.Arrived()
		synctest.Wait()
		assert.Equal(t, 1, server.Charges("order-0001"))
		assert.NoError(t, lost)
		gate.Open()
		synctest.Wait()
		assert.Error(t, lost)
	})
}

// A fault without an effect waits at the gate too, and Close opens it.
func TestCloseOpensGates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		c := newCaller(t, server)
		var wg sync.WaitGroup
		for _, kind := range []tosstest.FaultKind{"", tosstest.Refuse, tosstest.Drop, tosstest.Delay} {
			gate := server.Gate(tosstest.Fault{Kind: kind, Code: tosspayments.ErrCommonError})
			wg.Go(func() { _, _ = sendConfirm(c, "{}") })
			<-gate.Arrived()
			synctest.Wait()
		}
		assert.Empty(t, server.Requests())
		server.Close()
		wg.Wait()
		assert.Len(t, server.Requests(), 4)
	})
}

func TestRewrittenAnswers(t *testing.T) {
	server := tosstest.NewServer(t)
	c := newCaller(t, server)
	redirect := server.Authenticate(socks("order-0001"))
	require.Equal(t, 200, c.call("POST", "/v1/payments/confirm", confirmBody(redirect)).status)
	whole := c.call("GET", "/v1/payments/orders/order-0001", "").raw
	for name, x := range map[string]struct {
		rewrite func(*tosstest.Answer)
		status  int
		body    string
	}{
		"truncated":        {func(a *tosstest.Answer) { a.Body = a.Body[:100] }, 200, whole[:100]},
		"page":             {func(a *tosstest.Answer) { a.Header.Set("Content-Type", "text/html"); a.Body = []byte("<html>") }, 200, "<html>"},
		"number as text":   {replace(`"totalAmount":15000`, `"totalAmount":"15000"`), 200, strings.Replace(whole, `"totalAmount":15000`, `"totalAmount":"15000"`, 1)},
		"another version":  {replace("2022-11-16", "2030-01-01"), 200, strings.Replace(whole, "2022-11-16", "2030-01-01", 1)},
		"unknown status":   {replace(`"DONE"`, `"ON_HOLD"`), 200, strings.Replace(whole, `"DONE"`, `"ON_HOLD"`, 1)},
		"any HTTP status":  {func(a *tosstest.Answer) { a.Status, a.Body = 299, nil }, 299, ""},
		"without a header": {func(a *tosstest.Answer) { a.Header = nil }, 200, whole},
	} {
		t.Run(name, func(t *testing.T) {
			server.Inject(tosstest.Fault{OrderID: "order-0001", Kind: tosstest.Rewrite, AfterEffect: true, Rewrite: x.rewrite})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/payments/orders/order-0001", nil)
			require.NoError(t, err)
			r.Header = c.header
			response, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, x.status, response.StatusCode)
			assert.Equal(t, x.body, string(body))
			assert.EqualValues(t, len(x.body), response.ContentLength)
		})
	}
	assert.Equal(t, whole, c.call("GET", "/v1/payments/orders/order-0001", "").raw)
}

func replace(from, to string) func(*tosstest.Answer) {
	return func(a *tosstest.Answer) { a.Body = bytes.Replace(a.Body, []byte(from), []byte(to), 1) }
}

// An answer that is rewritten before the effect is one of a gateway: nothing has happened.
func TestRewriteBeforeTheEffect(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server).with("Idempotency-Key", "k")
	redirect := server.Authenticate(socks("order-0001"))
	server.Inject(tosstest.Fault{Kind: tosstest.Rewrite, Rewrite: func(a *tosstest.Answer) { a.Body = []byte(`{"a":1}`) }})
	r := c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
	assert.Equal(t, `200 {"a":1}`, fmt.Sprint(r.status, " ", r.raw))
	assert.Zero(t, server.Charges("order-0001"))
	server.Inject(tosstest.Fault{Kind: tosstest.Rewrite, AfterEffect: true, Rewrite: func(a *tosstest.Answer) { a.Body = []byte(`{"a":1}`) }})
	c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
	assert.Equal(t, 1, server.Charges("order-0001"))
	assert.Equal(t, "DONE", c.call("POST", "/v1/payments/confirm", confirmBody(redirect)).body["status"], "the key has kept the truth")
	assert.Panics(t, func() { server.Inject(tosstest.Fault{Kind: tosstest.Rewrite}) })
}

// useUp makes the hundred calls that the limit allows.
func useUp(t *testing.T, c *caller) {
	t.Helper()
	for range 100 {
		require.Equal(t, 404, statusOf(c, "/v1/payments/x"))
	}
}

func statusOf(c *caller, path string) int {
	r, _ := c.get(path)
	return r.StatusCode
}

func TestRateLimitOfAnEndpointAndAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, tosstest.New(tosstest.WithRateLimit(100)))
		useUp(t, c)
		assert.Equal(t, 429, statusOf(c, "/v1/payments/y"))
		assert.Equal(t, 404, statusOf(c, "/v1/payments/orders/x"), "another endpoint")
		assert.Equal(t, 404, statusOf(c.key(tosstest.DefaultWidgetSecretKey), "/v1/payments/x"), "another key")
	})
}

func TestRateLimitOfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, tosstest.New(tosstest.WithRateLimit(100)))
		useUp(t, c)
		time.Sleep(59 * time.Second)
		assert.Equal(t, 429, statusOf(c, "/v1/payments/x"))
		time.Sleep(time.Second)
		useUp(t, c)
		assert.Equal(t, 429, statusOf(c, "/v1/payments/x"))
	})
}

func TestRefundInTheDashboard(t *testing.T) {
	server := tosstest.New()
	var events []string
	server.RegisterWebhookHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		events = append(events, string(body))
	}))
	c := newCaller(t, server)
	require.ErrorContains(t, server.Refund("order-0001", tosspayments.Won(1), "r"), "order-0001")
	c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(socks("order-0001"))))
	require.ErrorContains(t, server.Refund("order-0001", tosspayments.Won(15001), "r"), "NOT_CANCELABLE_AMOUNT")
	require.NoError(t, server.Refund("order-0001", tosspayments.Won(5000), "by hand"))
	require.NoError(t, server.Refund("order-0001", tosspayments.Amount{}, "the rest"))
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000), tosspayments.Won(10000)}, server.Refunds("order-0001"))
	server.WaitWebhooks()
	require.Len(t, events, 3)
	assert.Contains(t, events[1], `"cancelReason":"by hand"`)

	checkout := socks("order-0002")
	checkout.Method = tosspayments.MethodVirtualAccount
	c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(checkout)))
	require.ErrorContains(t, server.Refund("order-0002", tosspayments.Won(1), "r"), "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT")
	require.NoError(t, server.Deposit("order-0002", checkout.Amount))
	require.NoError(t, server.Refund("order-0002", tosspayments.Won(1), "r"), "no account is needed")
}

func TestPaymentThatWasOpenedElsewhere(t *testing.T) {
	server := tosstest.New()
	c := newCaller(t, server)
	r := c.call("POST", "/v1/payments", `{"method":"CARD","amount":15000,"orderId":"order-0001","orderName":"양말","successUrl":"https://shop.test/s","failUrl":"https://shop.test/f"}`)
	require.Equal(t, "READY", r.body["status"])
	redirect := server.AuthenticatePayment(r.body["paymentKey"].(string))
	assert.Equal(t, tosspayments.SuccessRedirect{PaymentKey: r.body["paymentKey"].(string), OrderID: "order-0001", Amount: tosspayments.Won(15000)}, redirect)
	assert.Equal(t, "DONE", c.call("POST", "/v1/payments/confirm", confirmBody(redirect)).body["status"])
	assert.Equal(t, "NORMAL", server.AuthenticatePayment(server.OpenWindow(widgetCheckout("order-0002"))).PaymentType)
	assert.Panics(t, func() { server.AuthenticatePayment(redirect.PaymentKey) })
	assert.Panics(t, func() { server.AuthenticatePayment("nothing") })
}

func TestBounceRows(t *testing.T) {
	type row struct{ Status, Amount any }
	deposited, bounced := row{"DONE", 15000.}, row{"CANCELED", -15000.}
	for name, test := range map[string]struct {
		options []tosstest.Option
		want    []row
	}{
		"none": {nil, []row{deposited}},
		"rows": {[]tosstest.Option{tosstest.WithBounceRows()}, []row{deposited, bounced}},
	} {
		server := tosstest.New(test.options...)
		c := newCaller(t, server)
		checkout := accountCheckout("order-0001")
		c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(checkout)))
		require.NoError(t, server.Deposit("order-0001", checkout.Amount))
		require.NoError(t, server.Bounce("order-0001"))
		server.Advance(24 * time.Hour)
		transactions := c.list("/v1/transactions?startDate=2000-01-01&endDate=2100-01-01")
		settled := c.list("/v1/settlements?startDate=2000-01-01&endDate=2100-01-01")
		require.Len(t, settled, len(transactions), name)
		var rows []row
		for i := range settled {
			rows = append(rows, row{transactions[i]["status"], settled[i]["amount"]})
		}
		assert.Equal(t, test.want, rows, name)
		assert.Contains(t, settled[0]["approvedAt"], server.Now().Format("2006-"), name)
	}
}

// Each guess can be chosen, and is answered where it says.
func TestGuesses(t *testing.T) {
	basic := func(server *tosstest.Server) *caller { return newCaller(t, server) }
	guesses := map[tosstest.Guess]func(c *caller, server *tosstest.Server) result{
		tosstest.ConfirmOtherAmount: func(c *caller, server *tosstest.Server) result {
			redirect := server.Authenticate(socks("order-0001"))
			redirect.Amount = tosspayments.Won(1)
			return c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
		},
		tosstest.ConfirmOtherKeys: func(c *caller, server *tosstest.Server) result {
			return c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(widgetCheckout("order-0001"))))
		},
		tosstest.WidgetKeyNotEnough: func(c *caller, _ *tosstest.Server) result {
			return c.key(tosstest.DefaultWidgetSecretKey).call("POST", "/v1/billing/x", "{}")
		},
		tosstest.RefundWithoutAccount: func(c *caller, server *tosstest.Server) result {
			checkout := socks("order-0001")
			checkout.Method = tosspayments.MethodVirtualAccount
			redirect := server.Authenticate(checkout)
			c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
			require.NoError(t, server.Deposit("order-0001", checkout.Amount))
			return c.call("POST", "/v1/payments/"+redirect.PaymentKey+"/cancel", `{"cancelReason":"r"}`)
		},
		tosstest.UnknownAuthKey: func(c *caller, _ *tosstest.Server) result {
			return c.call("POST", "/v1/billing/authorizations/issue", `{"authKey":"x","customerKey":"customer-1"}`)
		},
		tosstest.OtherCustomersAuthKey: func(c *caller, server *tosstest.Server) result {
			redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
			return c.call("POST", "/v1/billing/authorizations/issue", `{"authKey":"`+redirect.AuthKey.Reveal()+`","customerKey":"customer-2"}`)
		},
		tosstest.UnknownBillingKey: func(c *caller, _ *tosstest.Server) result {
			return c.call("POST", "/v1/billing/x", chargeBody("customer-1", "order-0001"))
		},
		tosstest.SecondDelete: func(c *caller, _ *tosstest.Server) result {
			key := c.billingKey("customer-1")
			r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, c.server.URL+"/v1/billing/"+key, nil)
			require.NoError(t, err)
			r.Header = c.header
			_, err = c.server.Transport().RoundTrip(r)
			require.NoError(t, err)
			return c.call("DELETE", "/v1/billing/"+key, "")
		},
		tosstest.UnknownCursor: func(c *caller, _ *tosstest.Server) result {
			return c.call("GET", "/v1/transactions?startDate=2000-01-01&endDate=2100-01-01&startingAfter=x", "")
		},
		tosstest.ListLimit: func(c *caller, _ *tosstest.Server) result {
			return c.call("GET", "/v1/transactions?startDate=2000-01-01&endDate=2100-01-01&limit=5001", "")
		},
		tosstest.UsedBrandPayCode: func(c *caller, _ *tosstest.Server) result {
			return c.call("POST", "/v1/brandpay/authorizations/access-token", `{"customerKey":"customer-1","grantType":"AuthorizationCode","code":"x"}`)
		},
		tosstest.UnknownPath: func(c *caller, _ *tosstest.Server) result { return c.call("GET", "/v1/x", "") },
	}
	for guess, meet := range guesses {
		t.Run(string(guess), func(t *testing.T) {
			server := tosstest.New()
			code := meet(basic(server), server).body["code"].(string)
			_, known := tosspayments.ErrorCode(code).Info()
			assert.True(t, known, code)
			server = tosstest.New(tosstest.WithGuess(guess, "OF_MY_CHOICE"))
			assert.Equal(t, "OF_MY_CHOICE", meet(basic(server), server).body["code"])
		})
	}
}

func TestGuessOfTheWindow(t *testing.T) {
	server := tosstest.NewServer(t, tosstest.WithGuess(tosstest.WindowTimeOver, "OF_MY_CHOICE"))
	_, answer := openWindow(t, server, tosstest.DefaultClientKey, windowRequest(nil))
	server.Advance(31 * time.Minute)
	assert.Equal(t, "OF_MY_CHOICE", choose(t, answer["url"], "pay", "card:61").Query().Get("code"))
}

// A receiver that takes its time does not hold up the others.
func TestSlowReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		quick := 0
		server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(9 * time.Second) }))
		server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { quick++ }))
		c := newCaller(t, server)
		start := time.Now()
		for i := range 3 {
			c.call("POST", "/v1/payments/confirm", confirmBody(server.Authenticate(socks(fmt.Sprintf("order-%04d", i)))))
		}
		synctest.Wait()
		assert.Equal(t, 3, quick)
		assert.Zero(t, time.Since(start))
		server.WaitWebhooks()
		assert.Equal(t, 27*time.Second, time.Since(start))
	})
}

// What the package comment promises about the time of an unknown outcome.
func TestUnknownOutcomesCostNoTime(t *testing.T) {
	t.Parallel()
	lose := func(server *tosstest.Server) tosspayments.ConfirmPaymentRequest {
		server.Inject(tosstest.Fault{Kind: tosstest.Delay, Delay: time.Hour, Times: 1000})
		request, err := server.Authenticate(socks("order-0001")).ConfirmRequest(tosspayments.Won(15000))
		require.NoError(t, err)
		return request
	}
	wall := time.Now()
	synctest.Test(t, func(t *testing.T) {
		server, start := tosstest.New(), time.Now()
		defer server.Close()
		request := lose(server)
		_, err := server.Client().ConfirmPayment(t.Context(), request)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err))
		assert.Less(t, time.Since(start), 121*time.Second)
		assert.Greater(t, time.Since(start), 20*time.Second)
	})
	server := tosstest.NewServer(t)
	gate := server.Gate(tosstest.Fault{})
	request := lose(server)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-gate.Arrived()
		cancel()
	}()
	_, err := server.Client(tosspayments.WithLookupGrace(0)).ConfirmPayment(ctx, request)
	assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err))
	assert.Less(t, time.Since(wall), 20*time.Second, "less than one of them has waited")
}
