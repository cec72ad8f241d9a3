package sandboxtest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

func TestMain(m *testing.M) { shoptest.Main(m) }

// stand is a sandbox with its live page in a browser.
type stand struct {
	*shoptest.Browser
	t *testing.T
	*Sandbox
	shop *tosspayments.Client
}

func newStand(t *testing.T, flags ...string) *stand {
	t.Helper()
	b := shoptest.NewBrowserForPages(t) // first, since nothing is built where there is none
	s := Start(t, flags...)
	st := &stand{b, t, s, s.client()}
	st.watch(st.Browser)
	st.Desktop()
	st.Visit(s.URL + "/")
	st.WaitFor("#link", "Live")
	return st
}

// watch notes what a page does against the policy of its server, and its errors.
func (st *stand) watch(b *shoptest.Browser) {
	const note = `window.trouble = [];
addEventListener("securitypolicyviolation", (e) => trouble.push(e.violatedDirective + " " + e.blockedURI));
addEventListener("error", (e) => trouble.push(e.message));
addEventListener("unhandledrejection", (e) => trouble.push(String(e.reason)));`
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: note})
		return err
	}))
}

// untroubled checks what was noted.
func untroubled(t *testing.T, b *shoptest.Browser) {
	t.Helper()
	assert.Empty(t, eval[[]string](b, "trouble"))
}

func eval[T any](b *shoptest.Browser, expression string, options ...chromedp.EvaluateOption) T {
	return shoptest.Get(b, chromedp.Evaluate[T](expression, options...))
}

// soon waits until an expression has a value: the page draws a moment later.
func soon[T any](t *testing.T, b *shoptest.Browser, want T, expression string) {
	t.Helper()
	var is T
	for range 800 {
		if is = eval[T](b, "("+expression+") ?? null"); assert.ObjectsAreEqual(want, is) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.Equal(t, want, is, expression)
}

// scheme shows pages light or dark.
func (st *stand) scheme(name string) {
	st.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	}))
}

// speak shows the pages in a language.
func speak(b *shoptest.Browser, language string) {
	eval[bool](b, `localStorage.setItem("language", "`+language+`"), location.reload(), true`)
}

// press presses a key so many times.
func press(b *shoptest.Browser, key string, times int) {
	for range times {
		b.Do(chromedp.KeyEvent(key))
	}
}

// act does what a button of the page does.
func (st *stand) act(act map[string]string) {
	st.t.Helper()
	body, err := json.Marshal(act)
	require.NoError(st.t, err)
	response, err := http.Post(st.URL+"/sandbox/act", "application/json", bytes.NewReader(body))
	require.NoError(st.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(st.t, err)
	require.Equal(st.t, http.StatusOK, response.StatusCode, "%s", text)
}

// market makes sellers, payouts and a customer of BrandPay.
func (st *stand) market() {
	st.t.Helper()
	for range 2 {
		st.act(map[string]string{"do": "register-seller"})
	}
	seller := "seller_a01000001"
	st.act(map[string]string{"do": "identify", "of": seller})
	st.act(map[string]string{"do": "add-balance", "amount": "1000000"})
	st.act(map[string]string{"do": "pay-out", "of": seller, "amount": "120000"})
	st.act(map[string]string{"do": "pay-out", "of": seller, "amount": "35000"})
	st.act(map[string]string{"do": "complete", "of": "FPA_000001"})
	st.act(map[string]string{"do": "pay-out-later", "of": seller, "amount": "80000"})
	for _, do := range []string{"agree", "add-card", "add-account"} {
		st.act(map[string]string{"do": do, "of": "customer-1"})
	}
}

// list shows one of the lists.
func (st *stand) list(kind string) { st.t.Helper(); st.Click("#tab-" + kind) }

// open looks at the newest item of a list.
func (st *stand) open(kind, text string) {
	st.t.Helper()
	st.list(kind)
	st.WaitFor("#rows[data-kind="+kind+"] li:first-child", text)
	st.Click("#rows li:first-child button")
}

func TestAPaymentIsSeenAsItHappens(t *testing.T) {
	st := newStand(t)
	st.Shoot("sandbox-empty")
	request := st.authenticate(st.shop, "order-0001", tosspayments.MethodCard)
	st.WaitFor("#rows", "Authenticated")
	_, err := st.shop.ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	st.WaitFor("#rows", "Paid")
	assert.Contains(t, st.Text("#rows"), "₩15,000")
	st.open("payments", "Paid")
	for _, step := range []string{"Window open", "Authenticated", "confirm", "Paid", "+₩15,000", "PAYMENT_STATUS_CHANGED"} {
		st.WaitFor("#detail .life", step)
	}
	// A refund that the shop makes is seen at once, in what is open.
	_, err = st.shop.CancelPaymentPartially(t.Context(), request.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "one too many", CancelAmount: tosspayments.Won(5000), RefundableAmount: tosspayments.Won(15_000),
	})
	require.NoError(t, err)
	st.WaitFor("#detail .head", "Partly canceled")
	st.WaitFor("#detail .facts", "₩10,000")
	st.WaitFor("#detail .life", "−₩5,000")

	// A request and a webhook, whole.
	st.open("requests", "cancel")
	st.WaitFor("#detail h2", "/cancel")
	curl := eval[string](st.Browser, `document.querySelector('#detail [data-key="curl"][data-copy]').dataset.copy`)
	assert.Contains(t, curl, "-u '"+st.Keys.Secret+":'")
	assert.Contains(t, curl, request.PaymentKey+"/cancel'")
	st.Click(`#detail button[data-key="curl"]`)
	st.WaitFor("#message", "Copied")
	st.open("webhooks", "PAYMENT_STATUS_CHANGED")
	st.WaitFor("#detail", "Tosspayments-Webhook-Transmission-Id")
	st.Click(`#detail [data-key="resend"]`)
	st.WaitFor("#rows li:first-child", "retry 1")
	st.list("entries")
	st.WaitFor("#rows", "−₩5,000")
	untroubled(t, st.Browser)
}

func TestButtonsOfTheBank(t *testing.T) {
	st := newStand(t)
	st.pay(st.shop, "order-0001", tosspayments.MethodVirtualAccount)
	st.open("payments", "Awaiting deposit")
	click := func(name, status string) {
		t.Helper()
		st.Click(`#detail [data-key="` + name + `"]`)
		st.WaitFor("#detail .head", status)
	}
	click("deposit", "Paid")
	click("bounce", "Awaiting deposit")
	click("deposit", "Paid")
	st.Do(chromedp.SendKeys(chromedp.CSS("#detail input"), "4000"))
	click("refundPart", "Partly canceled")
	st.WaitFor("#detail .facts", "₩11,000")
	st.Do(chromedp.SendKeys(chromedp.CSS("#detail input"), "99999"))
	st.Click(`#detail [data-key="refundPart"]`)
	st.WaitFor("#message", "NOT_CANCELABLE_AMOUNT")
	st.Click(`#detail [data-key="refund"]`)
	st.WaitFor("#detail .life", "−₩11,000")
	p, err := st.shop.GetPaymentByOrderID(t.Context(), "order-0001")
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Won(0), p.Cancelable())

	st.pay(st.shop, "order-0002", tosspayments.MethodVirtualAccount)
	st.open("payments", "Awaiting deposit")
	st.Click(`#detail [data-key="overdue"]`)
	st.WaitFor("#message", "due date has passed")
	require.Eventually(t, func() bool { return eval[bool](st.Browser, `!document.querySelector('#detail [data-key="deposit"]')`) }, 40*time.Second, 20*time.Millisecond)
}

func TestButtonsOfBadLuck(t *testing.T) {
	st := newStand(t)
	confirm := func(orderID string) error {
		t.Helper()
		_, err := st.shop.ConfirmPayment(t.Context(), st.authenticate(st.shop, orderID, tosspayments.MethodCard))
		return err
	}
	arm := func(fault, chip string) {
		t.Helper()
		st.Click(`[data-fault="` + fault + `"]`)
		st.WaitFor("#armed", chip)
	}
	arm("refuse", "Refuse REJECT_CARD_PAYMENT · confirm")
	require.ErrorIs(t, confirm("order-0001"), tosspayments.ErrRejectCardPayment)
	st.WaitFor("#armed", "Nothing")
	for fault, chip := range map[string]string{"lose": "Lose the answer", "drop": "Lose the request", "500": "500", "502": "502", "429": "429 rate limit"} {
		arm(fault, chip+" · confirm")
		request := st.authenticate(st.shop, "order-"+fault, tosspayments.MethodCard)
		// Do asks once: it does not look the payment up.
		_ = st.shop.Do(t.Context(), tosspayments.Request{Method: http.MethodPost, Path: "/v1/payments/confirm", Body: tosspayments.Store(request)}, nil)
		st.WaitFor("#armed", "Nothing")
	}
	st.list("requests")
	for _, badge := range []string{"refused", "cut off", "502", "429"} {
		st.WaitFor("#rows", badge)
	}
	arm("slow", "20 s late")
	arm("lose-webhook", "Never send")
	st.Click("#clear")
	st.WaitFor("#armed", "Nothing")
	arm("duplicate", "Send twice")
	st.pay(st.shop, "order-twice", tosspayments.MethodCard)
	st.list("webhooks")
	require.Eventually(t, func() bool {
		return eval[int](st.Browser, `[...document.querySelectorAll("#rows li")].filter((li) => li.textContent.includes("order-twice")).length`) == 2
	}, 40*time.Second, 50*time.Millisecond)
	arm("hold", "Hold")
	arm("delay", "20 s later")
	st.Click(`[data-advance="24h"]`)
	st.WaitFor("#clock", "(+1 d)")
	st.Shoot("sandbox-luck")
	untroubled(t, st.Browser)
}

// A marketplace without any code: a seller, the money, and payouts that end well and badly.
func TestSellersAndPayouts(t *testing.T) {
	st := newStand(t)
	st.list("sellers")
	st.WaitFor("#empty", "No sellers yet")
	st.Click(`[data-do="register-seller"]`)
	st.open("sellers", "Identity check due")
	click := func(name, status string) {
		t.Helper()
		st.Click(`#detail [data-key="` + name + `"]`)
		st.WaitFor("#detail .head", status)
	}
	click("identify", "Partly approved")
	click("require-kyc", "KYC due")
	click("kyc", "Approved")
	for _, step := range []string{"Identity check due", "register seller", "seller.changed", "Approved"} {
		st.WaitFor("#detail .life", step)
	}
	st.list("payouts")
	st.WaitFor("#available", "₩0")
	st.Do(chromedp.SendKeys(chromedp.CSS(`[data-do="add-balance"] input`), "50000"+kb.Enter))
	st.WaitFor("#available", "₩50,000")
	payOut := func(button, status string) {
		t.Helper()
		st.open("sellers", "Approved")
		st.WaitFor("#detail .head", "김토스")
		st.Do(chromedp.SendKeys(chromedp.CSS("#detail input"), "20000"))
		st.Click(`#detail [data-key="` + button + `"]`)
		st.open("payouts", status)
		st.WaitFor("#detail .head", status)
	}
	payOut("pay-out", "In progress")
	st.WaitFor("#available", "₩30,000")
	click("complete", "Completed")
	st.WaitFor("#detail .life", "payout.changed")
	st.WaitFor("#detail .life", "request payouts")
	payOut("pay-out-later", "Requested")
	click("payday", "In progress")
	click("fail", "Failed")
	st.WaitFor("#detail .facts", "INVALID_ACCOUNT_NUMBER")
	st.WaitFor("#available", "₩30,000")

	st.open("requests", "request payouts")
	st.WaitFor("#detail", "Body, decrypted")
	st.WaitFor("#detail", "refPayoutId")
	st.Click(`#detail [data-key^="subject"]`)
	st.WaitFor("#detail .head", "₩20,000")
	st.Click(`#detail [data-key="seeSeller"]`)
	st.WaitFor("#detail .head", "김토스")
	untroubled(t, st.Browser)
}

func TestBrandPayCustomers(t *testing.T) {
	st := newStand(t)
	st.list("customers")
	st.Do(chromedp.SendKeys(chromedp.CSS(`[data-do="agree"] input`), "customer-1"+kb.Enter))
	st.open("customers", "customer-1")
	st.WaitFor("#detail .head", "Member")
	st.Click(`#detail [data-key="add-card"]`)
	st.WaitFor("#detail .rows", "카드")
	st.Click(`#detail [data-key="add-account"]`)
	st.WaitFor("#detail .rows", "계좌")
	st.WaitFor("#detail .life", "METHOD_UPDATED")
	st.Click(`#detail [data-key^="remove"]`)
	soon(t, st.Browser, 1, `document.querySelectorAll("#detail .rows li").length`)
	st.WaitFor("#rows", "계좌")
	untroubled(t, st.Browser)
}

// A request waits at the gate until it is let go.
func TestHeldRequest(t *testing.T) {
	st := newStand(t)
	st.Click(`[data-fault="gate"]`)
	st.WaitFor("#armed", "Hold the request · confirm")
	paid := make(chan *tosspayments.Payment, 1)
	request := st.authenticate(st.shop, "order-0001", tosspayments.MethodCard)
	go func() {
		p, err := st.shop.ConfirmPayment(t.Context(), request)
		assert.NoError(t, err)
		paid <- p
	}()
	st.WaitFor("#held", "confirm not done yet")
	st.WaitFor("#armed", "Nothing")
	st.WaitFor("#rows", "Authenticated")
	st.Click("#held button")
	assert.NotNil(t, <-paid)
	st.WaitFor("#rows", "Paid")
	soon(t, st.Browser, 0, `document.querySelectorAll("#held li").length`)
	untroubled(t, st.Browser)
}

// openShop shows the test shop, once its widgets have taken their room: what stands below
// them moves until then.
func (st *stand) openShop(b *shoptest.Browser) {
	st.t.Helper()
	b.Visit(st.URL + "/shop")
	soon(st.t, b, 2, `[...document.querySelectorAll("#payment-methods iframe, #agreement iframe")].filter((frame) => frame.style.height).length`)
}

// The test shop: window, widgets and billing, without any code.
func TestShop(t *testing.T) {
	st := newStand(t)
	shop := st.Tab()
	st.watch(shop)
	shop.Phone()
	st.openShop(shop)
	shop.Click(".goods section:nth-child(1) .primary")
	shop.FinishWindow("", "pay")
	shop.WaitFor("h2", "Paid")
	st.WaitFor("#rows li:first-child", "Paid")
	shop.Click(".outcome .primary")
	shop.WaitFor("#detail .life", "confirm")
	untroubled(t, shop)

	st.openShop(shop)
	shop.Click(`label:has([value="VIRTUAL_ACCOUNT"])`)
	shop.Click(".goods section:nth-child(1) .primary")
	shop.FinishWindow("", "pay")
	shop.WaitFor("h2", "Waiting for the deposit")
	st.open("payments", "Awaiting deposit")
	st.Click(`#detail [data-key="deposit"]`)
	shop.WaitFor("h2", "Paid")

	st.openShop(shop)
	shop.Frame("#payment-methods iframe").Click(`[data-code="TOSSPAY"]`)
	// The page hears of the choice a moment later.
	require.Eventually(t, func() bool {
		return eval[bool](shop, `location.pathname !== "/shop" || (document.querySelector(".goods section:nth-child(2) .primary").click(), false)`)
	}, 40*time.Second, 500*time.Millisecond)
	shop.FinishWindow("", "pay")
	shop.WaitFor("h2", "Paid")
	shop.WaitFor(".outcome", "Toss Pay")

	st.openShop(shop)
	shop.Click(".goods section:nth-child(1) .primary")
	shop.FinishWindow("", "cancel")
	shop.WaitFor("h2", "Not paid")
	shop.WaitFor(".outcome", "PAY_PROCESS_CANCELED")

	st.openShop(shop)
	shop.Click(".goods section:last-child .primary")
	shop.FinishWindow("", "pay")
	shop.WaitFor("h2", "The card is registered")
	shop.Click(".outcome .primary")
	shop.WaitFor("h2", "Paid")
	st.list("payments")
	st.WaitFor("#rows li:first-child", "₩9,900")

	// The shop does not know how it has ended while answers are lost, and asks again.
	for range 2 {
		st.Click(`[data-fault="502"]`)
	}
	shop.Desktop()
	st.openShop(shop)
	shop.Shoot("sandbox-shop")
	untroubled(t, shop)
}

// What a keyboard does, without a mouse.
func TestKeyboard(t *testing.T) {
	st := newStand(t)
	st.pay(st.shop, "order-0001", tosspayments.MethodVirtualAccount)
	st.WaitFor("#rows", "Awaiting deposit")
	st.Do(chromedp.Focus(chromedp.CSS("#tab-payments")))
	press(st.Browser, kb.ArrowRight, 1)
	soon(t, st.Browser, "tab-requests", "document.activeElement.id")
	soon(t, st.Browser, "true", `document.activeElement.getAttribute("aria-selected")`)
	press(st.Browser, kb.ArrowLeft, 1)
	soon(t, st.Browser, "tab-payments", "document.activeElement.id")
	soon(t, st.Browser, "true", `document.activeElement.getAttribute("aria-selected")`)
	press(st.Browser, kb.Tab, 1)
	soon(t, st.Browser, "search", "document.activeElement.id")
	press(st.Browser, kb.Tab, 1)
	press(st.Browser, kb.Enter, 1)
	st.WaitFor("#detail .head", "Awaiting deposit")
	soon(t, st.Browser, "detail", "document.activeElement.id")
	press(st.Browser, kb.Tab, 1)
	soon(t, st.Browser, "deposit", "document.activeElement.dataset.key")
	press(st.Browser, kb.Enter, 1)
	st.WaitFor("#detail .head", "Paid")
	// The button is gone: the place in the page is not.
	soon(t, st.Browser, "detail", "document.activeElement.id")
	press(st.Browser, kb.Tab, 1)
	st.Do(chromedp.Focus(chromedp.CSS(`#detail [data-key="bounce"]`)))
	// What else happens takes neither focus nor what is typed.
	st.Do(chromedp.SendKeys(chromedp.CSS("#detail input"), "12"))
	eval[bool](st.Browser, "window.typing = document.activeElement, true")
	_, err := st.shop.GetPaymentByOrderID(t.Context(), "order-0001")
	require.NoError(t, err)
	st.WaitFor("#detail .life", "get by order id")
	soon(t, st.Browser, "amount", "document.activeElement.dataset.key")
	soon(t, st.Browser, "12", "document.activeElement.value")
	assert.True(t, eval[bool](st.Browser, "document.activeElement === window.typing"), "it was not replaced")
}

// fitsAPhone checks that nothing is wider than the page, or too small for a finger.
func (st *stand) fitsAPhone(what string) {
	st.t.Helper()
	assert.LessOrEqual(st.t, eval[int](st.Browser, "document.documentElement.scrollWidth"), 360, what)
	assert.Empty(st.t, eval[[]string](st.Browser, `[...document.querySelectorAll("button, a.button, select, input:not([type=radio])")]
		.filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).map((e) => e.outerHTML)`), what)
}

func TestPhone(t *testing.T) {
	st := newStand(t)
	st.pay(st.shop, "order-"+strings.Repeat("x", 50), tosspayments.MethodVirtualAccount)
	st.market()
	st.Do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	for _, language := range []string{"en", "ko"} {
		eval[any](st.Browser, `localStorage.setItem("language", "`+language+`")`)
		for _, path := range []string{"/", "/#payments", "/#sellers", "/#payouts", "/#customers", "/shop", "/shop?step=fail&code=PAY_PROCESS_CANCELED&message=x"} {
			st.Visit("about:blank") // or else only a hash may differ
			st.Visit(st.URL + path)
			st.Visible("html[lang=" + language + "] h1")
			switch list, ok := strings.CutPrefix(path, "/#"); {
			case ok:
				st.list(list)
				st.Visible("#rows[data-kind=" + list + "] button")
				st.Click("#rows button")
				st.Visible("#detail .life")
			case path == "/":
				st.Visible("#rows button")
			case path == "/shop":
				st.Visible("#payment-methods iframe")
			}
			st.fitsAPhone(path + " " + language)
		}
	}
	st.Visit(st.URL + "/")
	st.Click("#rows button")
	st.Visible("#detail .head")
	assert.False(t, eval[bool](st.Browser, `document.querySelector(".lists").checkVisibility()`))
	st.Click(".back")
	st.Visible("#rows")
	assert.False(t, eval[bool](st.Browser, `document.getElementById("detail").checkVisibility()`))
}

func TestLanguages(t *testing.T) {
	st := newStand(t)
	st.WaitFor("h1", "Toss Payments sandbox")
	st.Click("#language")
	st.WaitFor("h1", "토스페이먼츠 샌드박스")
	assert.Equal(t, "ko", eval[string](st.Browser, "document.documentElement.lang"))
	st.Visit(st.URL + "/shop")
	st.WaitFor("h1", "테스트 상점")
	st.Click("#language")
	st.WaitFor("h1", "Test shop")
	// Each text is there in both languages.
	assert.Empty(t, eval[[]string](st.Browser, `import("/sandbox/page/text.js").then(({ texts }) =>
		Object.keys(texts.ko).filter((k) => !texts.en[k]).concat(Object.keys(texts.en).filter((k) => !texts.ko[k])))`, chromedp.EvalAwaitPromise))
}

// The page goes on by itself when the program has been started anew.
func TestRestart(t *testing.T) {
	st := newStand(t)
	st.pay(st.shop, "order-0001", tosspayments.MethodCard)
	st.WaitFor("#rows", "Paid")
	before := st.Keys
	st.Kill()
	st.WaitFor("#link", "Disconnected")
	st.WaitFor("#message", "does not answer")
	st.Restart()
	st.WaitFor("#link", "Live")
	st.WaitFor("#empty", "No payments yet")
	require.NotEqual(t, before, st.Keys)
	st.WaitFor("#about", st.Keys.Secret)
	st.pay(st.client(), "order-0002", tosspayments.MethodCard)
	st.WaitFor("#rows", "Paid")
	untroubled(t, st.Browser)
}

// With a state file nothing is lost when it is killed.
func TestRestartWithStateFile(t *testing.T) {
	st := newStand(t, "-state", filepath.Join(t.TempDir(), "sandbox.json"))
	st.pay(st.shop, "order-0001", tosspayments.MethodVirtualAccount)
	st.WaitFor("#rows", "Awaiting deposit")
	before := st.Keys
	st.Kill()
	st.WaitFor("#link", "Disconnected")
	st.Restart()
	assert.Equal(t, before, st.Keys)
	st.WaitFor("#link", "Live")
	st.open("payments", "Awaiting deposit")
	st.Click(`#detail [data-key="deposit"]`)
	st.WaitFor("#detail .head", "Paid")
}

// Hundreds of payments do not make the page slow: it is told of changes, and draws what
// is seen.
var payments = flag.Int("payments", 240, "how many payments TestManyPayments makes: a multiple of 4, more than 200")

func TestManyPayments(t *testing.T) {
	many := *payments
	st := newStand(t)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range many / 4 {
				st.pay(st.shop, fmt.Sprintf("order-%d-%03d", worker, i), tosspayments.MethodCard)
			}
		})
	}
	group.Wait()
	st.WaitFor("#tab-payments", strconv.Itoa(many))
	assert.LessOrEqual(t, eval[int](st.Browser, `document.querySelectorAll("#rows li").length`), 100)
	start := time.Now()
	st.pay(st.shop, "order-last", tosspayments.MethodCard)
	st.WaitFor("#rows", "order-last")
	t.Logf("a payment after %d others is seen after %s", many, time.Since(start))

	st.Do(chromedp.SendKeys(chromedp.CSS("#search"), "order-0-000"))
	st.WaitFor("#rows", "order-0-000")
	soon(t, st.Browser, 1, `document.querySelectorAll("#rows li").length`)
	took := eval[float64](st.Browser, `new Promise((done) => {
		const search = document.getElementById("search");
		search.value = "";
		const start = performance.now();
		search.dispatchEvent(new Event("input"));
		requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
	})`, chromedp.EvalAwaitPromise)
	t.Logf("a list is drawn in %.0f ms", took)
	st.Click("#more")
	soon(t, st.Browser, 200, `document.querySelectorAll("#rows li").length`)
}

// Nothing keeps people out: axe-core finds nothing serious on any page. AXE_CORE is the
// folder of its npm package.
func TestAccessibility(t *testing.T) {
	folder := os.Getenv("AXE_CORE")
	if folder == "" {
		t.Skip("AXE_CORE does not name the folder of the npm package axe-core")
	}
	script, err := os.ReadFile(filepath.Join(folder, "axe.min.js"))
	require.NoError(t, err)
	st := newStand(t)
	st.market()
	st.pay(st.shop, "order-0001", tosspayments.MethodVirtualAccount)
	check := func(what string) {
		t.Helper()
		eval[bool](st.Browser, string(script)+"\ntrue")
		assert.Empty(t, eval[[]string](st.Browser, `axe.run({ iframes: false }).then((r) => r.violations.map((v) =>
			v.impact + " " + v.id + ": " + v.help + " " + v.nodes.map((n) => n.html + " " + n.failureSummary).join(" | ")))`, chromedp.EvalAwaitPromise), what)
	}
	for _, scheme := range []string{"light", "dark"} {
		st.scheme(scheme)
		st.Visit(st.URL + "/#")
		st.WaitFor("#rows", "Awaiting")
		check("list")
		st.Click(`[data-fault="lose"]`)
		st.Click("#rows button")
		st.WaitFor("#detail .life", "confirm")
		check("payment")
		st.open("requests", "confirm")
		st.WaitFor("#detail", "paymentKey")
		check("request")
		for _, list := range []string{"sellers", "payouts", "customers"} {
			st.list(list)
			st.Visible(`[data-tools="` + list + `"]`)
			st.Visible("#rows[data-kind=" + list + "] li")
			st.Click("#rows li:first-child button")
			st.Visible("#detail .life .badge")
			check(list)
		}
		st.open("webhooks", "DEPOSIT_CALLBACK")
		st.WaitFor("#detail", "Transmission")
		check("webhook")
		st.Visit(st.URL + "/shop")
		st.Visible("#payment-methods iframe")
		check("shop")
		st.Visit(st.URL + "/shop?step=fail&code=PAY_PROCESS_CANCELED&message=x")
		st.WaitFor("h2", "Not paid")
		check("end")
		st.Click("#language")
		st.Click("#language")
	}
}

// TestPictures takes those of the guide, where SCREENSHOTS names a folder for them.
func TestPictures(t *testing.T) {
	if os.Getenv("SCREENSHOTS") == "" {
		t.Skip("SCREENSHOTS does not name a folder")
	}
	st := newStand(t, "-webhook", "http://127.0.0.1:1/webhook")
	st.pay(st.shop, "order-0001", tosspayments.MethodCard)
	st.pay(st.shop, "order-0002", tosspayments.MethodTransfer)
	st.authenticate(st.shop, "order-0003", tosspayments.MethodCard)
	_, err := st.shop.CancelPaymentPartially(t.Context(), st.pay(st.shop, "order-0004", tosspayments.MethodCard).PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "one too many", CancelAmount: tosspayments.Won(5000), RefundableAmount: tosspayments.Won(15_000),
	})
	require.NoError(t, err)
	st.market()
	st.Click(`[data-fault="refuse"]`)
	st.WaitFor("#armed", "Refuse")
	_, err = st.shop.ConfirmPayment(t.Context(), st.authenticate(st.shop, "order-0005", tosspayments.MethodCard))
	require.Error(t, err)
	st.pay(st.shop, "order-0006", tosspayments.MethodVirtualAccount)
	st.Click(`[data-fault="lose"]`)
	st.WaitFor("#armed", "Lose")
	st.pay(st.shop, "order-0007", tosspayments.MethodCard)
	st.Click(`[data-fault="502"]`)
	for _, language := range []string{"en", "ko"} {
		speak(st.Browser, language)
		st.Desktop()
		st.Visit(st.URL + "/")
		st.Click("#rows li:first-child button")
		st.Visible("#detail .life")
		eval[bool](st.Browser, `document.getElementById("connection").open = false, true`)
		time.Sleep(time.Second)
		st.Shoot("sandbox-" + language)
		st.list("payouts")
		st.Visible("#rows[data-kind=payouts] li:nth-child(2)")
		st.Click("#rows li:nth-child(2) button")
		st.Visible("#detail .life .badge")
		time.Sleep(time.Second)
		st.Shoot("sandbox-payouts-" + language)
		st.list("payments")
		st.Phone()
		st.Visit(st.URL + "/#")
		st.Visible("#rows")
		time.Sleep(time.Second)
		st.Shoot("sandbox-phone-" + language)
		st.Desktop()
		st.Visit(st.URL + "/shop")
		st.Visible("#payment-methods iframe")
		time.Sleep(time.Second)
		st.Shoot("sandbox-shop-" + language)
	}
}
