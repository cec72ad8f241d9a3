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
	}, 40*time.Second, 50*time.Millisecond)
}

// settles waits for the outcome of what was started.
func (p *page) settles(want string) {
	p.t.Helper()
	require.EventuallyWithT(p.t, func(c *assert.CollectT) {
		assert.Equal(c, want, p.outcome())
	}, 40*time.Second, 50*time.Millisecond)
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

// answers wants each expression to have its result, one after the other.
func (p *page) answers(steps ...[2]string) {
	p.t.Helper()
	for _, step := range steps {
		assert.Equal(p.t, step[1], p.result(step[0]), step[0])
	}
}

const (
	mine = `(window.mine = TossPayments(WIDGET).widgets({ customerKey: "customer-1" }), 1)`
	form = `Promise.all([mine.renderPaymentMethods({ selector: "#payment-method", variantKey: "DEFAULT" }), mine.renderAgreement({ selector: "#agreement", variantKey: "AGREEMENT" })])
		.then(([m, a]) => { window.m = m; window.a = a; window.seen = [];
			m.on("paymentMethodSelect", (e) => seen.push(e)); a.on("agreementStatusChange", (e) => seen.push(e.agreedRequiredTerms)); })`
	ask = `mine.requestPayment(order({ orderId: "order-0001", card: null, metadata: { a: 1 } }))`
)

// orderForm is a page on which the order form stands, with an amount of 0.
func orderForm(t *testing.T) *page {
	t.Helper()
	p := newPage(t, tosstest.WithBrowser(tosstest.Browser{TermsOpen: true}))
	p.answers([2]string{mine, "1"}, [2]string{`mine.setAmount({ currency: "KRW", value: 0 })`, "undefined"}, [2]string{form, "undefined"})
	p.Visible(methods)
	p.Visible(agreement)
	return p
}

func TestAnOrderFormIsRenderedOnce(t *testing.T) {
	p := newPage(t)
	p.answers(
		[2]string{mine, "1"},
		[2]string{`mine.renderPaymentMethods({ selector: "#payment-method" })`, "rejected NOT_SETUP_AMOUNT"},
		[2]string{`mine.setAmount({ currency: "KRW", value: "50000" })`, "rejected INVALID_AMOUNT_VALUE"},
		[2]string{`mine.setAmount({ currency: "EUR", value: 1 })`, "rejected INVALID_AMOUNT_CURRENCY"},
		[2]string{`mine.setAmount({ currency: "KRW", value: 0 })`, "undefined"},
		[2]string{`mine.renderPaymentMethods({ selector: "#nothing" })`, "rejected INVALID_SELECTOR"},
		[2]string{form, "undefined"},
	)
	p.Visible(methods)
	p.Visible(agreement)
	p.answers(
		[2]string{`(async () => {
			const other = TossPayments(WIDGET).widgets({ customerKey: "customer-2" });
			await other.setAmount({ currency: "KRW", value: 1 });
			return other.renderPaymentMethods({ selector: "#agreement" });
		})()`, "rejected PAYMENT_METHODS_WIDGET_ALREADY_RENDERED"},
		[2]string{`mine.renderAgreement({ selector: "#payment-method" })`, "rejected AGREEMENT_WIDGET_ALREADY_RENDERED"},
		[2]string{`m.on("ready", () => {})`, "rejected INVALID_PARAMETER"},
		[2]string{`m.on("paymentMethodSelect")`, "rejected INVALID_PARAMETER"},
	)
}

// Each refusal in its order, and the form stays.
func TestAnOrderFormRefuses(t *testing.T) {
	p := orderForm(t)
	p.answers(
		[2]string{`mine.requestPayment(order({ amount: { currency: "KRW", value: 1 } }))`, "rejected INVALID_PARAMETERS"},
		[2]string{`mine.requestPayment(order({ successUrl: "/success" }))`, "rejected INCORRECT_SUCCESS_URL_FORMAT"},
		[2]string{`mine.requestPayment(order())`, "rejected BELOW_ZERO_AMOUNT"},
		[2]string{`mine.setAmount({ currency: "KRW", value: 50000 })`, "undefined"},
		[2]string{ask, "rejected NOT_SELECTED_PAYMENT_METHOD"},
		[2]string{`m.getSelectedPaymentMethod()`, "rejected NOT_SELECTED_PAYMENT_METHOD"},
	)
	p.in(methods, `[data-code="VIRTUAL_ACCOUNT"]`)
	p.says("m.getSelectedPaymentMethod()", `{"code":"VIRTUAL_ACCOUNT"}`)
	p.answers([2]string{ask, "rejected NEED_REFUND_ACCOUNT_DETAIL"})
	p.in(methods, `[data-code="CARD"]`)
	p.says("m.getSelectedPaymentMethod()", `{"code":"CARD"}`)
	p.answers([2]string{ask, "rejected NEED_CARD_PAYMENT_DETAIL"})
	p.Frame(methods).Pick("#company", "41")
	p.says(ask, "rejected NEED_AGREEMENT_WITH_REQUIRED_TERMS")
	p.in(agreement, `label:has([data-id="service"])`, `label:has([data-id="thirdParty"])`)
	// The initial state is told once.
	p.says("seen", `[false,{"code":"VIRTUAL_ACCOUNT"},{"code":"CARD"},false,true]`)
}

func TestAnOrderFormPays(t *testing.T) {
	p := orderForm(t)
	p.result(`mine.setAmount({ currency: "KRW", value: 50000 })`)
	p.in(methods, `[data-code="CARD"]`)
	p.says("m.getSelectedPaymentMethod()", `{"code":"CARD"}`)
	p.Frame(methods).Pick("#company", "41")
	p.says(ask, "rejected NEED_AGREEMENT_WITH_REQUIRED_TERMS")
	p.in(agreement, `label:has([data-id="service"])`, `label:has([data-id="thirdParty"])`)
	p.says("seen.at(-1)", "true")

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

	redirect, err := tosspayments.ParseSuccessURL(&url.URL{RawQuery: query})
	require.NoError(t, err)
	request, err := redirect.ConfirmRequest(tosspayments.Won(45000))
	require.NoError(t, err)
	payment, err := p.toss.WidgetClient().ConfirmPayment(t.Context(), request)
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

const renderWindow = `mine.renderPaymentWindow().then((w) => { window.w = w; window.seen = [];
		w.on("cancel", () => seen.push("cancel " + document.querySelectorAll("iframe").length));
		w.on("paymentRequest", async (e) => { seen.push(e); await mine.setAmount({ currency: "KRW", value: 900 }); start(mine.requestPayment(order({ orderId: "order-0001" }))); });
	})`

// paymentWindow is a page on which the payment window of the widgets stands.
func paymentWindow(t *testing.T) *page {
	t.Helper()
	p := newPage(t)
	p.answers([2]string{mine, "1"}, [2]string{`mine.setAmount({ currency: "KRW", value: 1000 })`, "undefined"}, [2]string{renderWindow, "undefined"})
	return p
}

func TestAPaymentWindowIsRenderedOnce(t *testing.T) {
	p := paymentWindow(t)
	p.answers([2]string{`mine.renderPaymentWindow()`, "rejected PAYMENT_WINDOW_ALREADY_RENDERED"})
	p.in(checkout, "#close")
	p.gone(checkout)
	p.says("seen", `["cancel 0"]`)
	p.answers([2]string{"w.destroy()", "undefined"}, [2]string{renderWindow, "undefined"})
	p.in(checkout, "!#pay")
}

func TestAPaymentWindowPays(t *testing.T) {
	p := paymentWindow(t)
	p.in(checkout, "#pay", "!#problem", `[data-code="KAKAOPAY"]`, "#pay")
	p.in(window, "#close")
	p.settles("rejected USER_CANCEL")
	p.answers([2]string{"seen", `[{"paymentMethod":{"code":"KAKAOPAY"}}]`})
	p.in(checkout, "#pay")
	p.in(window, ".pay")
	assert.Regexp(t, `paymentType=NORMAL&orderId=order-0001&paymentKey=\w+&amount=900$`, p.query("/success"))
}

func TestAPaymentWindowInDollars(t *testing.T) {
	p := newPage(t)
	p.start(`TossPayments(WIDGET).widgets({ customerKey: "customer-1" }).requestPaymentWindow(order({ orderId: "order-0002", amount: { currency: "USD", value: 10.5 } }), {})`)
	p.in(checkout, `[data-code="PAYPAL"]`, "#pay")
	p.in(window, ".pay")
	assert.Regexp(t, `orderId=order-0002&paymentKey=\w+&amount=10.5$`, p.query("/success"))
}

// brandPay is a page whose customer can pay with BrandPay.
func brandPay(t *testing.T) *page {
	t.Helper()
	p := newPage(t)
	p.result(`(window.mine = TossPayments(API).brandpay({ customerKey: "customer-1", redirectUrl: location.origin + "/callback" }), 1)`)
	return p
}

// addAccount registers an account. The first use begins with the terms, and the browser
// brings the code to redirectUrl.
func (p *page) addAccount() url.Values {
	p.t.Helper()
	p.start(`mine.addPaymentMethod()`)
	p.in(window, "label:nth-of-type(1) input", "label:nth-of-type(2) input", ".pay", `label:has([value="bank:88"])`, ".pay")
	p.settles("undefined")
	require.Len(p.t, p.callbacks, 1)
	return <-p.callbacks
}

// exchange gives the code for a token.
func (p *page) exchange(callback url.Values) (token struct{ AccessToken, TokenType string }, err error) {
	err = p.toss.Client().Do(p.t.Context(), tosspayments.Request{Method: http.MethodPost, Path: "/v1/brandpay/authorizations/access-token", Body: map[string]string{
		"grantType": "AuthorizationCode", "customerKey": "customer-1", "code": callback.Get("code"),
	}}, &token)
	return token, err
}

func TestBrandPayNeedsARedirectAndTerms(t *testing.T) {
	p := brandPay(t)
	p.answers(
		[2]string{`TossPayments(API).brandpay({ customerKey: "customer-1" }).openSettings()`, "rejected NOT_REGISTERED_REDIRECT_URL"},
		[2]string{`mine.isOneTouchPayEnabled()`, "rejected NEED_AGREEMENT_WITH_TERMS"},
	)
}

func TestTheFirstUseOfBrandPay(t *testing.T) {
	p := brandPay(t)
	callback := p.addAccount()
	assert.Equal(t, "customer-1", callback.Get("customerKey"))
	token, err := p.exchange(callback)
	require.NoError(t, err)
	assert.Equal(t, "bearer", token.TokenType)
	assert.NotEmpty(t, token.AccessToken)
	_, err = p.exchange(callback)
	assert.Error(t, err, "a code is good for one token")
}

func TestSettingsOfBrandPay(t *testing.T) {
	p := brandPay(t)
	p.addAccount()
	p.answers([2]string{`mine.isOneTouchPayEnabled()`, `{"isEnabled":false}`})
	p.start(`mine.changeOneTouchPay()`)
	p.in(window, ".pay")
	p.settles("undefined")
	p.answers([2]string{`mine.isOneTouchPayEnabled()`, `{"isEnabled":true}`})
	p.start(`mine.openSettings()`)
	p.in(window, "!ul", "#close")
	p.settles("rejected USER_CANCEL")
}

func TestBrandPayPays(t *testing.T) {
	p := brandPay(t)
	p.addAccount()
	p.start(`mine.requestPayment(order({ orderId: "order-0001", amount: { currency: "KRW", value: 15000 } }))`)
	p.in(window, `label:has([value^="method:"])`, ".pay")
	assert.Regexp(t, `^own=1&orderId=order-0001&paymentKey=\w+&amount=15000$`, p.query("/success"))
	var payment tosspayments.Payment
	require.NoError(t, p.toss.Client().Do(t.Context(), tosspayments.Request{Method: http.MethodPost, Path: "/v1/brandpay/payments/confirm", Body: map[string]any{
		"paymentKey": p.toss.Payments(1)[0].PaymentKey, "orderId": "order-0001", "amount": 15000, "customerKey": "customer-1",
	}}, &payment))
	assert.Equal(t, tosspayments.PaymentTypeBrandPay, payment.Type)
	assert.Equal(t, "88", payment.Transfer.BankCode)
}
