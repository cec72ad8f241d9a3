// Package sandboxtest_test tests, in a browser, the script and the windows that tosstest
// serves: what a page that was written for the official script depends on.
package sandboxtest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// page is a page of a shop that has loaded the script.
type page struct {
	*shoptest.Browser
	t    *testing.T
	toss *tosstest.Server
	url  string
	// callbacks are what the browser brought to BrandPay's redirectUrl.
	callbacks chan url.Values
}

const html = `<!doctype html><html lang="ko"><meta name="viewport" content="width=device-width"><title>shop</title>
<h1>shop</h1><button id="before">before</button><div id="payment-method"></div><div id="agreement"></div><button id="after">after</button>
<script src="%s"></script>
<script>
	const API = %q, WIDGET = %q;
	const order = (more) => ({
		orderId: "order-" + Date.now(), orderName: "원두 1kg", successUrl: location.origin + "/success?own=1", failUrl: location.origin + "/fail", ...more,
	});
	const card = (more) => order({ method: "CARD", amount: { currency: "KRW", value: 15000 }, ...more });
	const name = (e) => "rejected " + (e instanceof Error ? e.code : typeof e);
	let outcome = "";
	const start = (promise) => { outcome = "pending"; promise.then((v) => { outcome = JSON.stringify(v) ?? "undefined"; }, (e) => { outcome = name(e); }); };
</script>`

// newPage opens a page as a desktop does.
func newPage(t *testing.T, options ...tosstest.Option) *page {
	t.Helper()
	b := shoptest.NewBrowserForPages(t)
	toss := tosstest.NewServer(t, options...)
	callbacks := make(chan url.Values, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(_ http.ResponseWriter, r *http.Request) { callbacks <- r.URL.Query() })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, html, toss.URL+tosstest.ScriptPath, tosstest.DefaultClientKey, tosstest.DefaultWidgetClientKey)
	})
	for _, path := range []string{"/success", "/fail"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "<title>back</title><p id=query>%s %s</p>", r.URL.Path, r.URL.RawQuery)
		})
	}
	shop := httptest.NewServer(mux)
	t.Cleanup(shop.Close)
	b.Desktop()
	b.Visit(shop.URL)
	return &page{b, t, toss, shop.URL, callbacks}
}

// result evaluates an expression, and waits for its promise. An error is "rejected" with
// its code.
func (p *page) result(expression string) string {
	p.t.Helper()
	return shoptest.Get(p.Browser, chromedp.Evaluate[string](
		`(async () => { try { return JSON.stringify(await (`+expression+`)) ?? "undefined"; } catch (e) { return name(e); } })()`,
		chromedp.EvalAwaitPromise))
}

// start begins what does not settle at once.
func (p *page) start(expression string) {
	p.t.Helper()
	shoptest.Get(p.Browser, chromedp.Evaluate[any](`start((async () => (`+expression+`))()); null`))
}

// outcome is that of what was started.
func (p *page) outcome() string {
	p.t.Helper()
	return shoptest.Get(p.Browser, chromedp.Evaluate[string]("outcome"))
}

// says waits until an expression has a result.
func (p *page) says(expression, want string) {
	p.t.Helper()
	require.EventuallyWithT(p.t, func(c *assert.CollectT) {
		assert.Equal(c, want, p.result(expression))
	}, 20*time.Second, 50*time.Millisecond)
}

// settles waits for the outcome of what was started.
func (p *page) settles(want string) {
	p.t.Helper()
	require.EventuallyWithT(p.t, func(c *assert.CollectT) {
		assert.Equal(c, want, p.outcome())
	}, 20*time.Second, 50*time.Millisecond)
}

// in takes steps in a frame of the page. A selector that begins with "!" is waited for.
func (p *page) in(frame string, selectors ...string) {
	p.t.Helper()
	f := p.Frame(frame)
	for _, selector := range selectors {
		if wait, ok := strings.CutPrefix(selector, "!"); ok {
			f.Visible(wait)
			continue
		}
		f.Click(selector)
	}
}

// gone waits until an element has left the page.
func (p *page) gone(selector string) {
	p.t.Helper()
	p.Do(chromedp.WaitNotPresent(chromedp.CSS(selector)))
}

const (
	window    = `iframe[data-tosspayments="window"]`
	methods   = `#payment-method iframe`
	agreement = `#agreement iframe`
	checkout  = `iframe[data-tosspayments="checkout"]`
)

func TestKeys(t *testing.T) {
	p := newPage(t)
	for expression, want := range map[string]string{
		`typeof TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment`:  `"function"`,
		`typeof TossPayments(WIDGET).widgets({ customerKey: TossPayments.ANONYMOUS }).on`: `"undefined"`,
		`TossPayments.ANONYMOUS`: `"@@ANONYMOUS"`,
		`TossPayments(WIDGET).payment({ customerKey: "customer-1" })`:                       "rejected NOT_SUPPORTED_WIDGET_KEY",
		`TossPayments(WIDGET).brandpay({ customerKey: "customer-1" })`:                      "rejected NOT_SUPPORTED_WIDGET_KEY",
		`TossPayments(API).widgets({ customerKey: "customer-1" })`:                          "rejected NOT_SUPPORTED_API_INDIVIDUAL_KEY",
		`TossPayments("test_ck_unknown").payment({ customerKey: "cc" })`:                    "rejected INVALID_CLIENT_KEY",
		`TossPayments(API).payment({ customerKey: "c" })`:                                   "rejected INVALID_CUSTOMER_KEY",
		`TossPayments(API).payment({})`:                                                     "rejected INVALID_CUSTOMER_KEY",
		`TossPayments(API).payment({ customerKey: "test_sk_abc" })`:                         "rejected INSECURE_KEY_USAGE",
		`TossPayments(API).requestPayment("카드", {})`:                                        "rejected V1_METHOD_NOT_SUPPORTED",
		`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment("카드", {})`: "rejected V1_METHOD_NOT_SUPPORTED",
	} {
		assert.Equal(t, want, p.result(expression), expression)
	}
	assert.Equal(t, `"undefined"`, p.result(`(() => { "use strict"; delete window.TossPayments; return typeof window.TossPayments; })()`))
}

func TestRedirects(t *testing.T) {
	p := newPage(t)
	t.Run("success has the documented parameters, and those of the page", func(t *testing.T) {
		p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ orderId: "order-0001" }))`)
		p.in(window, `label:has([value="card:41"])`, ".pay")
		query := p.query("/success")
		assert.Regexp(t, `^own=1&orderId=order-0001&paymentKey=\w+&amount=15000$`, query)
	})
	t.Run("a failure has the order", func(t *testing.T) {
		p.Visit(p.url)
		p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ orderId: "order-0002" }))`)
		p.in(window, "summary", `button[value="reject"]`)
		assert.Regexp(t, `^code=REJECT_CARD_COMPANY&message=[^&]+&orderId=order-0002$`, p.query("/fail"))
	})
	t.Run("cancelled in the window", func(t *testing.T) {
		p.Visit(p.url)
		p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card())`)
		p.in(window, "summary", `button[value="leave"]`)
		assert.Regexp(t, `^code=PAY_PROCESS_CANCELED&message=[^&]+$`, p.query("/fail"))
	})
	t.Run("a failure that is asked for", func(t *testing.T) {
		p.Visit(p.url)
		p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ sandbox: { paymentResult: "FAIL" } }))`)
		assert.Contains(t, p.query("/fail"), "code=PAY_PROCESS_ABORTED")
	})
	t.Run("a phone leaves the page, and closing goes to failUrl", func(t *testing.T) {
		p.Phone()
		p.Visit(p.url)
		p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card())`)
		p.Visible(".pay")
		assert.Contains(t, p.Address(), p.toss.URL+"/window/")
		p.Click("#close")
		assert.Contains(t, p.query("/fail"), "code=PAY_PROCESS_CANCELED")
	})
	t.Run("so does a desktop that is told to", func(t *testing.T) {
		p.Desktop()
		p.Visit(p.url)
		p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ windowTarget: "self" }))`)
		p.Visible(".pay")
		assert.Contains(t, p.Address(), p.toss.URL+"/window/")
	})
	t.Run("registration", func(t *testing.T) {
		for method, means := range map[string]string{"CARD": "card:41", "TRANSFER": "bank:88"} {
			p.Visit(p.url)
			p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestBillingAuth({
				method: "` + method + `", successUrl: location.origin + "/success?billingMethod=x&", failUrl: location.origin + "/fail",
				customerEmail: "a@example.com", customerName: "김토스", transfer: null,
			})`)
			p.in(window, `label:has([value="`+means+`"])`, ".pay")
			assert.Regexp(t, `^billingMethod=x&customerKey=customer-1&authKey=bln_\w+$`, p.query("/success"))
		}
	})
}

// query is what the browser brings back to a path of the shop.
func (p *page) query(path string) string {
	p.t.Helper()
	p.WaitFor("#query", path)
	_, query, _ := strings.Cut(p.Text("#query"), " ")
	return query
}

func TestCloseOnADesktop(t *testing.T) {
	t.Run("rejects, and the page can ask again", func(t *testing.T) {
		p := newPage(t)
		p.result(`(window.mine = TossPayments(API).payment({ customerKey: "customer-1" }), 1)`)
		for range 2 {
			p.start(`mine.requestPayment(card({ orderId: "order-0001" }))`)
			p.in(window, "!.pay")
			assert.Equal(t, "pending", p.outcome())
			assert.Equal(t, "rejected INVALID_METHOD_TRANSACTION", p.result(`mine.requestPayment(card())`))
			p.in(window, "#close")
			p.settles("rejected USER_CANCEL")
			p.gone(window)
		}
		assert.Equal(t, p.url+"/", p.Address())
	})
	t.Run("goes to failUrl where the server was told so", func(t *testing.T) {
		p := newPage(t, tosstest.WithBrowser(tosstest.Browser{CloseRedirects: true}))
		p.start(`TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card())`)
		p.in(window, "#close")
		assert.Contains(t, p.query("/fail"), "code=PAY_PROCESS_CANCELED")
	})
	t.Run("destroy", func(t *testing.T) {
		p := newPage(t)
		p.result(`(window.mine = TossPayments(API).payment({ customerKey: "customer-1" }), 1)`)
		assert.Equal(t, "rejected NO_ACTIVE_PAYMENT_REQUEST", p.result(`mine.destroy()`))
		p.start(`mine.requestPayment(card())`)
		p.in(window, "!.pay")
		assert.Equal(t, "undefined", p.result(`mine.destroy()`))
		p.settles("rejected PAYMENT_REQUEST_ABORTED")
		p.gone(window)
	})
}

func TestPromise(t *testing.T) {
	p := newPage(t)
	const asking = `TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ orderId: "order-0001", successUrl: null, failUrl: null }))`
	p.start(asking)
	p.in(window, "summary", `button[value="abort"]`)
	p.settles("rejected PAY_PROCESS_ABORTED")
	p.start(asking)
	p.in(window, ".pay")
	p.gone(window)
	assert.Regexp(t, `^{"amount":{"currency":"KRW","value":15000},"orderId":"order-0001","paymentKey":"\w+"}$`, p.outcome())
	p.Phone()
	assert.Equal(t, "rejected NOT_SUPPORTED_PROMISE", p.result(asking))
}

func TestOrderForm(t *testing.T) {
	p := newPage(t, tosstest.WithBrowser(tosstest.Browser{TermsOpen: true}))
	p.result(`(window.mine = TossPayments(WIDGET).widgets({ customerKey: "customer-1" }), 1)`)
	const form = `Promise.all([mine.renderPaymentMethods({ selector: "#payment-method", variantKey: "DEFAULT" }), mine.renderAgreement({ selector: "#agreement", variantKey: "AGREEMENT" })])
		.then(([m, a]) => { window.m = m; window.a = a; window.seen = [];
			m.on("paymentMethodSelect", (e) => seen.push(e)); a.on("agreementStatusChange", (e) => seen.push(e.agreedRequiredTerms)); })`
	assert.Equal(t, "rejected NOT_SETUP_AMOUNT", p.result(`mine.renderPaymentMethods({ selector: "#payment-method" })`))
	assert.Equal(t, "rejected INVALID_AMOUNT_VALUE", p.result(`mine.setAmount({ currency: "KRW", value: "50000" })`))
	assert.Equal(t, "rejected INVALID_AMOUNT_CURRENCY", p.result(`mine.setAmount({ currency: "EUR", value: 1 })`))
	assert.Equal(t, "undefined", p.result(`mine.setAmount({ currency: "KRW", value: 0 })`))
	assert.Equal(t, "rejected INVALID_SELECTOR", p.result(`mine.renderPaymentMethods({ selector: "#nothing" })`))
	assert.Equal(t, "undefined", p.result(form))
	p.Visible(methods)
	p.Visible(agreement)
	assert.Equal(t, "rejected PAYMENT_METHODS_WIDGET_ALREADY_RENDERED", p.result(`(async () => {
		const other = TossPayments(WIDGET).widgets({ customerKey: "customer-2" });
		await other.setAmount({ currency: "KRW", value: 1 });
		return other.renderPaymentMethods({ selector: "#agreement" });
	})()`))
	assert.Equal(t, "rejected AGREEMENT_WIDGET_ALREADY_RENDERED", p.result(`mine.renderAgreement({ selector: "#payment-method" })`))
	assert.Equal(t, "rejected INVALID_PARAMETER", p.result(`m.on("ready", () => {})`))
	assert.Equal(t, "rejected INVALID_PARAMETER", p.result(`m.on("paymentMethodSelect")`))

	// Each refusal in its order, and the form stays.
	for _, step := range []struct{ do, want string }{
		{`mine.requestPayment(order({ amount: { currency: "KRW", value: 1 } }))`, "INVALID_PARAMETERS"},
		{`mine.requestPayment(order({ successUrl: "/success" }))`, "INCORRECT_SUCCESS_URL_FORMAT"},
		{`mine.requestPayment(order())`, "BELOW_ZERO_AMOUNT"},
	} {
		assert.Equal(t, "rejected "+step.want, p.result(step.do))
	}
	p.result(`mine.setAmount({ currency: "KRW", value: 50000 })`)
	const ask = `mine.requestPayment(order({ orderId: "order-0001", card: null, metadata: { a: 1 } }))`
	assert.Equal(t, "rejected NOT_SELECTED_PAYMENT_METHOD", p.result(ask))
	assert.Equal(t, "rejected NOT_SELECTED_PAYMENT_METHOD", p.result(`m.getSelectedPaymentMethod()`))
	p.in(methods, `[data-code="VIRTUAL_ACCOUNT"]`)
	p.says("m.getSelectedPaymentMethod()", `{"code":"VIRTUAL_ACCOUNT"}`)
	assert.Equal(t, "rejected NEED_REFUND_ACCOUNT_DETAIL", p.result(ask))
	p.in(methods, `[data-code="CARD"]`)
	p.says("m.getSelectedPaymentMethod()", `{"code":"CARD"}`)
	assert.Equal(t, "rejected NEED_CARD_PAYMENT_DETAIL", p.result(ask))
	p.Frame(methods).Pick("#company", "41")
	p.says(ask, "rejected NEED_AGREEMENT_WITH_REQUIRED_TERMS")
	p.in(agreement, `label:has([data-id="service"])`, `label:has([data-id="thirdParty"])`)
	// The initial state is told once.
	p.says("seen", `[false,{"code":"VIRTUAL_ACCOUNT"},{"code":"CARD"},false,true]`)

	p.start(ask)
	p.in(window, "!.pay")
	p.result(`mine.setAmount({ currency: "KRW", value: 1 })`) // too late
	p.in(window, "#close")
	p.settles("rejected USER_CANCEL")
	p.result(`mine.setAmount({ currency: "KRW", value: 45000 })`)
	p.start(ask)
	p.in(window, ".pay")
	query := p.query("/success")
	assert.Regexp(t, `^own=1&paymentType=NORMAL&orderId=order-0001&paymentKey=\w+&amount=45000$`, query)

	key := query[strings.Index(query, "paymentKey=")+len("paymentKey="):]
	key, _, _ = strings.Cut(key, "&")
	payment, err := p.toss.WidgetClient().ConfirmPayment(t.Context(), tosspayments.ConfirmPaymentRequest{
		PaymentKey: key, OrderID: "order-0001", Amount: tosspayments.Won(45000),
	})
	require.NoError(t, err)
	assert.Equal(t, "41", payment.Card.IssuerCode)
	assert.Equal(t, tosstest.DefaultWidgetMID, payment.MID)
}

func TestOrderFormIsRenderedAgain(t *testing.T) {
	p := newPage(t)
	p.result(`(window.mine = TossPayments(WIDGET).widgets({ customerKey: "customer-1" }), mine.setAmount({ currency: "KRW", value: 1000 }))`)
	assert.Equal(t, "undefined", p.result(`mine.renderPaymentMethods({ selector: "#payment-method" }).then((m) => { window.m = m; })`))
	p.result(`document.querySelector("#payment-method").replaceChildren()`)
	assert.Equal(t, "rejected PAYMENT_METHODS_WIDGET_ALREADY_RENDERED", p.result(`mine.renderPaymentMethods({ selector: "#payment-method" })`))
	assert.Equal(t, "undefined", p.result(`m.destroy()`))
	assert.Equal(t, "undefined", p.result(`m.destroy()`))
	assert.Equal(t, "undefined", p.result(`mine.renderPaymentMethods({ selector: "#payment-method" }).then(() => {})`))
	p.Visible(methods)
}

func TestPaymentWindow(t *testing.T) {
	p := newPage(t)
	p.result(`(window.mine = TossPayments(WIDGET).widgets({ customerKey: "customer-1" }), mine.setAmount({ currency: "KRW", value: 1000 }))`)
	const render = `mine.renderPaymentWindow().then((w) => { window.w = w; window.seen = [];
		w.on("cancel", () => seen.push("cancel " + document.querySelectorAll("iframe").length));
		w.on("paymentRequest", async (e) => { seen.push(e); await mine.setAmount({ currency: "KRW", value: 900 }); start(mine.requestPayment(order({ orderId: "order-0001" }))); });
	})`
	assert.Equal(t, "undefined", p.result(render))
	assert.Equal(t, "rejected PAYMENT_WINDOW_ALREADY_RENDERED", p.result(`mine.renderPaymentWindow()`))
	p.in(checkout, "#close")
	p.gone(checkout)
	p.says("seen", `["cancel 0"]`)
	assert.Equal(t, "undefined", p.result("w.destroy()"))

	assert.Equal(t, "undefined", p.result(render))
	p.in(checkout, "#pay", "!#problem", `[data-code="KAKAOPAY"]`, "#pay")
	p.in(window, "#close")
	p.settles("rejected USER_CANCEL")
	assert.Equal(t, `[{"paymentMethod":{"code":"KAKAOPAY"}}]`, p.result("seen"))
	p.in(checkout, "#pay")
	p.in(window, ".pay")
	assert.Regexp(t, `paymentType=NORMAL&orderId=order-0001&paymentKey=\w+&amount=900$`, p.query("/success"))

	p.Visit(p.url)
	p.start(`TossPayments(WIDGET).widgets({ customerKey: "customer-1" }).requestPaymentWindow(order({ orderId: "order-0002", amount: { currency: "USD", value: 10.5 } }), {})`)
	p.in(checkout, `[data-code="PAYPAL"]`, "#pay")
	p.in(window, ".pay")
	assert.Regexp(t, `orderId=order-0002&paymentKey=\w+&amount=10.5$`, p.query("/success"))
}

func TestBrandPay(t *testing.T) {
	p := newPage(t)
	client := p.toss.Client()
	p.result(`(window.mine = TossPayments(API).brandpay({ customerKey: "customer-1", redirectUrl: location.origin + "/callback" }), 1)`)
	assert.Equal(t, "rejected NOT_REGISTERED_REDIRECT_URL", p.result(`TossPayments(API).brandpay({ customerKey: "customer-1" }).openSettings()`))
	assert.Equal(t, "rejected NEED_AGREEMENT_WITH_TERMS", p.result(`mine.isOneTouchPayEnabled()`))

	// The first use begins with the terms, and the browser brings the code to redirectUrl.
	p.start(`mine.addPaymentMethod()`)
	p.in(window, "label:nth-of-type(1) input", "label:nth-of-type(2) input", ".pay", `label:has([value="bank:88"])`, ".pay")
	p.settles("undefined")
	require.Len(t, p.callbacks, 1)
	query := <-p.callbacks
	assert.Equal(t, "customer-1", query.Get("customerKey"))
	var token struct{ AccessToken, TokenType string }
	exchange := tosspayments.Request{Method: http.MethodPost, Path: "/v1/brandpay/authorizations/access-token", Body: map[string]string{
		"grantType": "AuthorizationCode", "customerKey": "customer-1", "code": query.Get("code"),
	}}
	require.NoError(t, client.Do(t.Context(), exchange, &token))
	assert.Equal(t, "bearer", token.TokenType)
	assert.NotEmpty(t, token.AccessToken)
	assert.Error(t, client.Do(t.Context(), exchange, &token), "a code is good for one token")

	assert.Equal(t, `{"isEnabled":false}`, p.result(`mine.isOneTouchPayEnabled()`))
	p.start(`mine.changeOneTouchPay()`)
	p.in(window, ".pay")
	p.settles("undefined")
	assert.Equal(t, `{"isEnabled":true}`, p.result(`mine.isOneTouchPayEnabled()`))
	p.start(`mine.openSettings()`)
	p.in(window, "!ul", "#close")
	p.settles("rejected USER_CANCEL")

	p.start(`mine.requestPayment(order({ orderId: "order-0001", amount: { currency: "KRW", value: 15000 } }))`)
	p.in(window, `label:has([value^="method:"])`, ".pay")
	assert.Regexp(t, `^own=1&orderId=order-0001&paymentKey=\w+&amount=15000$`, p.query("/success"))
	confirm := tosspayments.Request{Method: http.MethodPost, Path: "/v1/brandpay/payments/confirm", Body: map[string]any{
		"paymentKey": p.toss.Payments(1)[0].PaymentKey, "orderId": "order-0001", "amount": 15000, "customerKey": "customer-1",
	}}
	var payment tosspayments.Payment
	require.NoError(t, client.Do(t.Context(), confirm, &payment))
	assert.Equal(t, tosspayments.PaymentTypeBrandPay, payment.Type)
	assert.Equal(t, "88", payment.Transfer.BankCode)
}
