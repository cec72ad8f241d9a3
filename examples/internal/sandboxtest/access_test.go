package sandboxtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

const askForCard = `TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card())`

func TestKeyboardInWindows(t *testing.T) {
	p := newPage(t)
	press := func(keys string, modifiers ...chromedp.Modifier) {
		t.Helper()
		p.Do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
	}
	t.Run("focus goes in, Tab stays inside, Escape closes", func(t *testing.T) {
		p.start(askForCard)
		f := p.Frame(window)
		f.Await(`document.hasFocus() && document.activeElement.tagName === "H1"`)
		press(kb.Tab)
		f.Await(`document.activeElement.value === "card:41"`)
		press(kb.ArrowRight)
		f.Await(`document.activeElement.value === "card:61" && document.activeElement.checked`)
		for range 4 {
			press(kb.Tab)
		}
		f.Await(`document.activeElement.value === "card:61"`) // once around
		press(kb.Tab, chromedp.ModifierShift)
		f.Await(`document.activeElement.tagName === "SUMMARY"`)
		press(kb.Escape)
		p.settles("rejected USER_CANCEL")
	})
	t.Run("Escape in the page around it", func(t *testing.T) {
		p.start(askForCard)
		p.in(window, "!.pay")
		p.result(`document.querySelector("dialog").focus()`)
		press(kb.Escape)
		p.settles("rejected USER_CANCEL")
	})
	t.Run("the payment window too", func(t *testing.T) {
		p.start(`(async () => {
			const w = TossPayments(WIDGET).widgets({ customerKey: "customer-1" });
			await w.setAmount({ currency: "KRW", value: 1000 });
			const ui = await w.renderPaymentWindow();
			return new Promise((resolve) => ui.on("cancel", () => resolve("canceled")));
		})()`)
		p.Frame(checkout).Await(`document.hasFocus() && document.activeElement.tagName === "H1"`)
		press(kb.Tab, chromedp.ModifierShift)
		p.Frame(checkout).Await(`document.activeElement.id === "close"`)
		press(kb.Escape)
		p.settles(`"canceled"`)
	})
}

func TestPressedTwice(t *testing.T) {
	p := newPage(t)
	p.start(askForCard)
	f := p.Frame(window)
	f.Visible(".pay")
	f.Await(`(() => {
		let sent = 0;
		addEventListener("submit", (event) => { sent += event.defaultPrevented ? 0 : 1; });
		const pay = document.querySelector(".pay");
		pay.form.requestSubmit(pay);
		pay.form.requestSubmit(pay);
		return sent === 1;
	})()`)
	assert.Contains(t, p.query("/success"), "paymentKey=")
	address := p.toss.Payments(1)[0].Checkout.URL
	p.Visit(address)
	p.WaitFor("h1", "이미 끝난 결제")
	p.Click("#back")
	assert.Contains(t, p.query("/success"), "paymentKey=", "the way back")
}

// TestAccessibilityOfWindows runs axe-core on every page of the fake.
func TestAccessibilityOfWindows(t *testing.T) {
	folder := os.Getenv("AXE_CORE")
	if folder == "" {
		t.Skip("AXE_CORE does not name the folder of the npm package axe-core")
	}
	axe, err := os.ReadFile(filepath.Join(folder, "axe.min.js"))
	require.NoError(t, err)
	p := newPage(t)
	check := func(t *testing.T, address string, before ...string) {
		t.Helper()
		p.Visit(address)
		for _, step := range before {
			p.Click(step)
		}
		for _, size := range []func(){p.Desktop, func() { p.Do(chromedp.EmulateViewport(360, 780)) }} {
			size()
			shoptest.Get(p.Browser, chromedp.Evaluate[any](string(axe)+`; null`))
			found := shoptest.Get(p.Browser, chromedp.Evaluate[[]string](`(async () => {
				const { violations } = await axe.run(document, { rules: { "target-size": { enabled: true } } });
				const small = [...document.querySelectorAll("button, select, summary, a, label, input[type=text]")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 44);
				return violations.filter((v) => ["serious", "critical"].includes(v.impact)).flatMap((v) => v.nodes.map((n) => v.id + " " + n.html))
					.concat(small.map((e) => "smaller than 44 px: " + e.outerHTML), document.documentElement.scrollWidth > innerWidth ? ["wider than the window"] : []);
			})()`, chromedp.EvalAwaitPromise))
			assert.Empty(t, found, address)
		}
	}
	open := func(expression string) string {
		t.Helper()
		p.Visit(p.url)
		p.start(expression)
		p.Visible(window)
		return shoptest.Get(p.Browser, chromedp.Evaluate[string](`document.querySelector('`+window+`').src`))
	}
	for name, expression := range accessiblePages {
		t.Run(name, func(t *testing.T) {
			address := open(expression)
			check(t, address)
			if strings.Contains(expression, "requestPayment(") && !strings.Contains(expression, "brandpay") {
				check(t, address, "summary")
				p.Click("#close")
				p.WaitFor("h1", "창을 닫고 있어요")
				check(t, address) // over
			}
		})
	}
	for _, part := range []string{"/methods", "/agreement", "/checkout"} {
		check(t, p.toss.URL+tosstest.ScriptPath+part)
	}
	for _, method := range []string{"CARD", "VIRTUAL_ACCOUNT"} {
		check(t, p.toss.URL+tosstest.ScriptPath+"/checkout", `[data-code="`+method+`"]`)
	}
	check(t, p.toss.URL+"/window/nothing")
	t.Run("an account that was issued", func(t *testing.T) {
		address := open(accessiblePages["virtual account"])
		p.Visit(address)
		p.Click(".pay")
		p.query("/success")
		payment := p.toss.Payments(1)[0]
		_, err := p.toss.Client().ConfirmPayment(t.Context(), tosspayments.ConfirmPaymentRequest{
			PaymentKey: payment.PaymentKey, OrderID: payment.OrderID, Amount: payment.TotalAmount,
		})
		require.NoError(t, err)
		check(t, address)
		check(t, address, `button[value="deposit"]`)
	})
}

var accessiblePages = map[string]string{
	"card":             askForCard,
	"virtual account":  `TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ method: "VIRTUAL_ACCOUNT" }))`,
	"transfer":         `TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ method: "TRANSFER" }))`,
	"phone":            `TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ method: "MOBILE_PHONE" }))`,
	"gift":             `TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ method: "CULTURE_GIFT_CERTIFICATE" }))`,
	"PayPal":           `TossPayments(API).payment({ customerKey: "customer-1" }).requestPayment(card({ method: "FOREIGN_EASY_PAY", amount: { currency: "USD", value: 10 }, foreignEasyPay: { provider: "PAYPAL", country: "KR" } }))`,
	"card register":    `TossPayments(API).payment({ customerKey: "customer-1" }).requestBillingAuth({ method: "CARD", successUrl: location.origin, failUrl: location.origin })`,
	"account register": `TossPayments(API).payment({ customerKey: "customer-1" }).requestBillingAuth({ method: "TRANSFER", successUrl: location.origin, failUrl: location.origin })`,
	"brandpay terms":   `TossPayments(API).brandpay({ customerKey: "customer-1", redirectUrl: location.origin + "/callback" }).openSettings()`,
}
