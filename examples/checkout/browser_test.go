package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// stand is a shop with its own Toss Payments, and a browser in front of it.
type stand struct {
	t       *testing.T
	toss    *tosstest.Server
	shop    *shop
	url     string
	browser context.Context
}

// newStand starts a shop; testing in a browser is skipped where there is none.
func newStand(t *testing.T, options ...tosspayments.Option) *stand {
	t.Helper()
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("no Chromium on this machine: install it to run the browser tests")
	}
	st := newShopStand(t, options...)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-quic", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))...)
	t.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(browser))
	st.browser = browser
	st.phone()
	return st
}

// newShopStand is a shop without a browser.
func newShopStand(t *testing.T, options ...tosspayments.Option) *stand {
	t.Helper()
	toss := tosstest.NewServer(t)
	orders, err := openOrders(t.Context(), filepath.Join(t.TempDir(), "checkout.db"))
	require.NoError(t, err)
	t.Cleanup(orders.close)
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	shop, err := newShop(t.Context(), orders, &service{
		client: toss.Client(append(options, tosspayments.WithLogger(logger))...), clientKey: tosstest.DefaultClientKey,
		script: toss.URL + tosstest.ScriptPath, origins: toss.URL, sandbox: true,
	}, logger)
	require.NoError(t, err)
	server := httptest.NewServer(shop.handler())
	t.Cleanup(server.Close)
	return &stand{t: t, toss: toss, shop: shop, url: server.URL}
}

type step = chromedp.Action[chromedp.Void]

func (st *stand) do(steps ...step) {
	st.t.Helper()
	ctx, cancel := context.WithTimeout(st.browser, 40*time.Second)
	defer cancel()
	require.NoError(st.t, chromedp.Do(ctx, steps...))
}

func (st *stand) phone() {
	st.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile))
}
func (st *stand) desktop() { st.do(chromedp.EmulateViewport(1280, 900)) }

func (st *stand) visit(address string)  { st.t.Helper(); st.do(chromedp.Navigate(address)) }
func (st *stand) click(selector string) { st.t.Helper(); st.do(chromedp.Click(chromedp.CSS(selector))) }
func (st *stand) visible(selector string) {
	st.t.Helper()
	st.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

func get[T any](st *stand, action chromedp.Action[T]) T {
	st.t.Helper()
	ctx, cancel := context.WithTimeout(st.browser, 40*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	require.NoError(st.t, err)
	return value
}

// text waits for an element and returns its text.
func (st *stand) text(selector string) string {
	st.t.Helper()
	return strings.TrimSpace(get(st, chromedp.Text(chromedp.CSS(selector))))
}

// waitFor waits until the element says so, on whatever page the browser is by then.
func (st *stand) waitFor(selector, text string) {
	st.t.Helper()
	expression := `(document.querySelector(` + quote(selector) + `) || {textContent: ""}).textContent`
	var last string
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(st.browser, 5*time.Second)
		found, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
		cancel()
		if err == nil && strings.Contains(found, text) {
			return
		}
		last = found
	}
	require.Failf(st.t, "the page never said it", "%q in %s, but %q", text, selector, last)
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// order goes from the product to the payment window.
func (st *stand) order() {
	st.t.Helper()
	st.do(
		chromedp.Navigate(st.url),
		chromedp.Click(chromedp.CSS("#order")),
		chromedp.WaitVisible(chromedp.CSS("#pay")),
		chromedp.Click(chromedp.CSS("#pay")),
		chromedp.WaitVisible(chromedp.CSS(".pay")),
	)
}

// finish ends the payment window.
func (st *stand) finish(means, outcome string) {
	st.t.Helper()
	var actions []step
	if means != "" {
		actions = append(actions, chromedp.Click(chromedp.CSS(`label:has(input[value="`+means+`"])`)))
	}
	if outcome != "pay" && outcome != "cancel" {
		actions = append(actions, chromedp.Click(chromedp.CSS("summary")))
	}
	st.do(append(actions, chromedp.Click(chromedp.CSS(`button[value="`+outcome+`"]`)))...)
}

// orderID is that of the only order with the given state.
func (st *stand) orderID(in state) string {
	st.t.Helper()
	list, err := st.shop.orders.query(st.t.Context(), `SELECT `+columns+` FROM orders WHERE state = $1`, in)
	require.NoError(st.t, err)
	require.Len(st.t, list, 1)
	return list[0].ID
}

// shoot takes a picture, where a folder for pictures is given.
func (st *stand) shoot(name string) {
	st.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	time.Sleep(200 * time.Millisecond)
	png := get(st, chromedp.CaptureScreenshot())
	require.NoError(st.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

func TestPayByCard(t *testing.T) {
	st := newStand(t)
	st.visit(st.url)
	st.shoot("product")
	st.order()
	st.shoot("window")
	st.finish("card:41", "pay")
	st.waitFor("h1", "결제가 완료됐어요")
	st.shoot("receipt")
	assert.Contains(t, st.text("dl"), "15,000원")
	assert.Contains(t, st.text("dl"), "승인 번호")
	id := st.orderID(paid)
	assert.Equal(t, 1, st.toss.Charges(id))

	st.visit(st.url + "/orders")
	assert.Contains(t, st.text("ul.orders"), "결제 완료")
	st.shoot("orders")
}

func TestPayByWalletOnADesktop(t *testing.T) {
	st := newStand(t)
	st.desktop()
	st.do(
		chromedp.Navigate(st.url),
		chromedp.Click(chromedp.CSS("#order")),
		chromedp.Click(chromedp.CSS("#pay")),
		chromedp.WaitVisible(chromedp.CSS(`iframe[data-tosspayments="window"]`)),
	)
	st.shoot("window-desktop")
	// The frame fills the page, so a tab with the same window tells where things are.
	tab, cancel := chromedp.NewContext(st.browser)
	defer cancel()
	require.NoError(t, chromedp.Do(tab))
	inside := &stand{t: t, browser: tab}
	inside.desktop()
	inside.visit(get(st, chromedp.AttributeValue(chromedp.CSS(`iframe[data-tosspayments="window"]`), "src")).Value)
	for _, selector := range []string{`label:has([value="easyPay:KAKAOPAY"])`, `.pay`} {
		at := get(inside, chromedp.Evaluate[[]float64](`(r => [r.x + r.width/2, r.y + r.height/2])(document.querySelector('`+selector+`').getBoundingClientRect())`))
		st.do(chromedp.MouseClickXY(at[0], at[1]))
	}
	st.waitFor("h1", "결제가 완료됐어요")
	st.shoot("receipt-desktop")
	assert.Contains(t, st.text("dl"), "카카오페이")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

func TestBuyerLeavesAndComesBack(t *testing.T) {
	st := newStand(t)
	st.order()
	st.finish("", "cancel")
	st.waitFor("main", "PAY_PROCESS_CANCELED")
	assert.Contains(t, st.text(".note"), "결제창을 닫으셨어요")
	assert.Empty(t, st.toss.Ledger())
}

func TestCardRefusedInTheWindow(t *testing.T) {
	st := newStand(t)
	st.order()
	st.finish("", "reject")
	st.waitFor("main", "REJECT_CARD_COMPANY")
	assert.Contains(t, st.text(".note"), "다른 카드")
	st.shoot("fail")
	st.do(chromedp.Click(chromedp.CSS(`a.button`)), chromedp.Click(chromedp.CSS("#pay")), chromedp.WaitVisible(chromedp.CSS(".pay")))
	st.finish("", "pay")
	st.waitFor("h1", "결제가 완료됐어요")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

func TestRefusedAtTheConfirm(t *testing.T) {
	for outcome, text := range map[string]string{"refuse": "다른 카드", "expire": "결제 시간이 지났거나"} {
		t.Run(outcome, func(t *testing.T) {
			st := newStand(t)
			st.order()
			st.finish("", outcome)
			st.waitFor("h1", "결제하지 못했어요")
			assert.Contains(t, st.text(".note.bad"), text)
			assert.Zero(t, st.toss.Charges(st.orderID(failed)))
		})
	}
}

func TestTamperedAmount(t *testing.T) {
	st := newStand(t)
	st.order()
	target := redirectOf(t, get(st, chromedp.Location()), "pay")
	st.visit(strings.Replace(target, "amount=15000", "amount=100", 1))
	st.waitFor("main", "주문 금액과 결제 금액이 달라요")
	assert.Zero(t, st.toss.Calls(tosstest.ConfirmPayment), "nothing is sent")
	assert.Empty(t, st.toss.Ledger())

	st.visit(target)
	st.waitFor("h1", "결제가 완료됐어요")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

// redirectOf ends a window outside the browser and returns where it leads.
func redirectOf(t *testing.T, window, outcome string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(window, map[string][]string{"outcome": {outcome}})
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusSeeOther, response.StatusCode)
	return response.Header.Get("Location")
}

func TestRefreshedAndInTwoTabs(t *testing.T) {
	st := newStand(t)
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Delay, Delay: 2 * time.Second})
	st.order()
	target := redirectOf(t, get(st, chromedp.Location()), "pay")

	tab, cancel := chromedp.NewContext(st.browser)
	defer cancel()
	require.NoError(t, chromedp.Do(tab))
	other := &stand{t: t, toss: st.toss, shop: st.shop, url: st.url, browser: tab}
	st.visit(target)
	other.visit(target)
	st.do(chromedp.Reload())
	st.shoot("confirming")
	for _, each := range []*stand{st, other} {
		each.waitFor("h1", "결제가 완료됐어요")
	}
	st.visit(target)
	st.waitFor("h1", "결제가 완료됐어요")
	get(st, chromedp.Evaluate[any]("history.back()"))
	st.waitFor("main", "결제")
	id := st.orderID(paid)
	assert.Equal(t, 1, st.toss.Charges(id))
	assert.Equal(t, 1, st.toss.Calls(tosstest.ConfirmPayment))
}

func TestLostAnswer(t *testing.T) {
	st := newStand(t)
	st.order()
	st.finish("", "lose")
	st.waitFor("h1", "결제가 완료됐어요")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

func TestUnknownOutcomeResolvesByItself(t *testing.T) {
	st := newStand(t, tosspayments.WithMaxRetries(0), tosspayments.WithTimeout(time.Second))
	st.order()
	target := redirectOf(t, get(st, chromedp.Location()), "lose")
	st.toss.Inject(tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway, Times: 1000})
	st.visit(target)
	st.waitFor("#text", "늦어지고 있어요")
	st.visit(st.url + "/orders/" + st.orderID(confirming))
	st.waitFor("main", "다시 결제하지 마세요")
	st.shoot("unknown")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(confirming)), "charged, but the shop cannot know")

	st.toss.ClearFaults()
	st.shop.recover(t.Context(), time.Now())
	st.waitFor("h1", "결제가 완료됐어요")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

func TestRefunds(t *testing.T) {
	st := newStand(t)
	st.order()
	st.finish("", "pay")
	st.waitFor("h1", "결제가 완료됐어요")
	id := st.orderID(paid)
	refund := func(amount string) {
		st.do(chromedp.Click(chromedp.CSS("summary")), chromedp.SendKeys(chromedp.CSS("#amount"), amount), chromedp.Click(chromedp.CSS("#refund")))
	}
	refund("20000")
	st.waitFor(".note", "환불 금액은")
	refund("5,000")
	st.waitFor("#balance", "10,000원")
	st.shoot("refund")
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, st.toss.Refunds(id))
	refund("")
	st.waitFor("h1", "모두 환불됐어요")
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000), tosspayments.Won(10000)}, st.toss.Refunds(id))
}

// TestOfficialLoader opens the window through the loader from npm, unchanged.
func TestOfficialLoader(t *testing.T) {
	loader := os.Getenv("TOSSPAYMENTS_SDK")
	if loader == "" {
		t.Skip("TOSSPAYMENTS_SDK does not name the folder of the npm package @tosspayments/tosspayments-sdk")
	}
	st := newStand(t)
	mux := http.NewServeMux()
	mux.Handle("GET /sdk/", http.StripPrefix("/sdk/", http.FileServer(http.Dir(loader))))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<!doctype html><meta name="viewport" content="width=device-width"><button id="bad">bad</button><button id="go">go</button><button id="register">register</button><p id="error"></p><script type="module">
			import { loadTossPayments, ANONYMOUS } from "/sdk/dist/index.esm.js";
			const toss = await loadTossPayments("` + tosstest.DefaultClientKey + `", { src: "` + st.toss.URL + tosstest.ScriptPath + `" });
			const payment = toss.payment({ customerKey: ANONYMOUS });
			const ask = (orderId) => payment.requestPayment({
				method: "CARD", amount: { currency: "KRW", value: 15000 }, orderId, orderName: "원두",
				successUrl: location.origin + "/success", failUrl: location.origin + "/fail",
				customerEmail: "buyer@example.com", customerName: "김토스", customerMobilePhone: "01012345678",
				card: { useEscrow: false, flowMode: "DEFAULT", useCardPoint: false, useAppCardOnly: false },
			}).catch((e) => { document.querySelector("#error").textContent = e.code; });
			document.querySelector("#bad").onclick = () => ask("x");
			document.querySelector("#go").onclick = () => ask("order-of-loader");
			document.querySelector("#register").onclick = () => toss.payment({ customerKey: "customer-1" }).requestBillingAuth({
				method: "CARD", successUrl: location.origin + "/registered", failUrl: location.origin + "/fail", customerName: "김토스",
			});
			document.body.dataset.ready = "yes";
		</script>`))
	})
	mux.HandleFunc("GET /success", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("<h1>" + r.URL.Query().Get("orderId") + "</h1>"))
	})
	mux.HandleFunc("GET /registered", func(w http.ResponseWriter, r *http.Request) {
		redirect, err := tosspayments.ParseBillingURL(r.URL)
		if err == nil {
			_, err = st.toss.Client().IssueBillingKey(r.Context(), redirect)
		}
		_, _ = fmt.Fprintf(w, "<h1>registered: %t</h1>", err == nil)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	st.visit(server.URL)
	st.visible(`body[data-ready]`)
	st.click("#bad")
	st.waitFor("#error", "INVALID_ORDER_ID")
	st.click("#go")
	st.do(chromedp.WaitVisible(chromedp.CSS(".pay")))
	st.finish("", "pay")
	st.waitFor("h1", "order-of-loader")

	st.visit(server.URL)
	st.visible(`body[data-ready]`)
	st.click("#register")
	st.do(chromedp.WaitVisible(chromedp.CSS(".pay")))
	st.finish("card:61", "pay")
	st.waitFor("h1", "registered: true")
}
