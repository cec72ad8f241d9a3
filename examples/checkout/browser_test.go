package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestMain(m *testing.M) {
	shoptest.RunAsProgram(main)
	shoptest.Main(m)
}

// stand is a shop with its own Toss Payments, and a browser in front of it.
type stand struct {
	*shoptest.Browser
	t     *testing.T
	toss  *tosstest.Server
	store *store
	url   string
}

// newStand starts a shop; testing in a browser is skipped where there is none.
func newStand(t *testing.T, options ...tosspayments.Option) *stand {
	t.Helper()
	browser := shoptest.NewBrowser(t)
	st := newShopStand(t, options...)
	st.Browser = browser
	return st
}

// newShopStand is a shop without a browser.
func newShopStand(t *testing.T, options ...tosspayments.Option) *stand {
	t.Helper()
	return newShopStandWith(t, tosstest.NewServer(t), options...)
}

func newShopStandWith(t *testing.T, toss *tosstest.Server, options ...tosspayments.Option) *stand {
	t.Helper()
	orders, err := openOrders(t.Context(), shoptest.Database(t))
	require.NoError(t, err)
	t.Cleanup(orders.close)
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	store, err := newStore(orders, shop.InSandbox(toss, append([]tosspayments.Option{tosspayments.WithLogger(logger), tosspayments.WithObserver(observe)}, options...)...), logger)
	require.NoError(t, err)
	store.limits.Count = 10000 // every buyer of a test has the same address
	server := httptest.NewServer(store.handler())
	t.Cleanup(server.Close)
	return &stand{t: t, toss: toss, store: store, url: server.URL}
}

// receive lets Toss Payments deliver webhooks to the shop, which acts on them.
func (st *stand) receive() {
	st.toss.RegisterWebhook(st.url + webhookPath)
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		st.store.work(ctx, time.Hour)
	}()
	st.t.Cleanup(func() {
		stop()
		<-stopped
	})
}

// later lets the job do what is due after so much time.
func (st *stand) later(d time.Duration) {
	st.t.Helper()
	for _, table := range []string{"orders", "refunds"} {
		_, err := st.store.orders.db.Exec(`UPDATE `+table+` SET due_at = due_at - $1 WHERE due_at < $2`, int64(d.Seconds()), int64(never))
		require.NoError(st.t, err)
	}
	st.store.doDue(st.t.Context())
}

// order goes from the product to the payment window.
func (st *stand) order() {
	st.t.Helper()
	st.Do(
		chromedp.Navigate(st.url),
		shoptest.Click("#order"),
		chromedp.WaitVisible(chromedp.CSS("#pay")),
		shoptest.Click("#pay"),
		chromedp.WaitVisible(chromedp.CSS(".pay")),
	)
}

// orderID is that of the only order with the given state.
func (st *stand) orderID(in state) string {
	st.t.Helper()
	list, err := st.store.orders.query(st.t.Context(), `SELECT `+columns+` FROM orders WHERE state = $1`, in)
	require.NoError(st.t, err)
	require.Len(st.t, list, 1)
	return list[0].ID
}

func TestPayByCard(t *testing.T) {
	st := newStand(t)
	st.Visit(st.url)
	st.FitsAPhone()
	st.Shoot("product")
	st.order()
	st.Shoot("window")
	st.FinishWindow("card:41", "pay")
	st.WaitFor("h1", "결제가 완료됐어요")
	st.FitsAPhone()
	st.Shoot("receipt")
	assert.Contains(t, st.Text("dl"), "15,000원")
	assert.Contains(t, st.Text("dl"), "승인번호")
	id := st.orderID(paid)
	assert.Equal(t, 1, st.toss.Charges(id))

	st.Visit(st.url + "/orders")
	assert.Contains(t, st.Text("ul.orders"), "결제 완료")
	st.FitsAPhone()
	st.Shoot("orders")
}

func TestPayByWalletOnADesktop(t *testing.T) {
	st := newStand(t)
	st.Desktop()
	st.Do(
		chromedp.Navigate(st.url),
		shoptest.Click("#order"),
		shoptest.Click("#pay"),
		chromedp.WaitVisible(chromedp.CSS(`iframe[data-tosspayments="window"]`)),
	)
	st.Shoot("window-desktop")
	window := st.Frame(`iframe[data-tosspayments="window"]`)
	window.Click(`label:has([value="easyPay:KAKAOPAY"])`)
	window.Click(".pay")
	st.WaitFor("h1", "결제가 완료됐어요")
	st.Shoot("receipt-desktop")
	assert.Contains(t, st.Text("dl"), "카카오페이")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

func TestBuyerLeavesAndComesBack(t *testing.T) {
	st := newStand(t)
	st.order()
	st.FinishWindow("", "cancel")
	st.WaitFor("h1", "결제를 그만두셨어요")
	assert.Contains(t, st.Text(".note"), "원하실 때 다시 결제할 수 있어요")
	assert.NotContains(t, st.Text("main"), "PAY_PROCESS_CANCELED", "it is no failure")
	assert.Empty(t, st.toss.Ledger())
	st.Click("#again")
	st.Visible("#pay")
	assert.Contains(t, st.Address(), "/orders/"+st.orderID(created)+"/checkout", "the same order")
}

func TestBlockedScript(t *testing.T) {
	st := newStand(t)
	st.store.toss.Script = "http://127.0.0.1:1/blocked"
	st.Visit(st.url)
	st.Do(shoptest.Click("#order"))
	st.WaitFor("#problem", "결제창을 불러오지 못했어요")
}

func TestCardRefusedInTheWindow(t *testing.T) {
	st := newStand(t)
	st.order()
	st.FinishWindow("", "reject")
	st.WaitFor("main", "REJECT_CARD_COMPANY")
	assert.Contains(t, st.Text(".note"), "다른 카드")
	st.FitsAPhone()
	st.Shoot("fail")
	st.Do(shoptest.Click(`a.button`), shoptest.Click("#pay"), chromedp.WaitVisible(chromedp.CSS(".pay")))
	st.FinishWindow("", "pay")
	st.WaitFor("h1", "결제가 완료됐어요")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

func TestRefusedAtTheConfirm(t *testing.T) {
	t.Parallel()
	for outcome, text := range map[string]string{"refuse": "다른 카드", "expire": "결제 시간이나"} {
		t.Run(outcome, func(t *testing.T) {
			st := newStand(t)
			st.order()
			st.FinishWindow("", outcome)
			st.WaitFor("h1", "결제하지 못했어요")
			assert.Contains(t, st.Text(".note.bad"), text)
			assert.Zero(t, st.toss.Charges(st.orderID(failed)))
		})
	}
}

func TestTamperedAmount(t *testing.T) {
	st := newStand(t)
	st.order()
	target := redirectOf(t, st.Address(), "pay")
	st.Visit(strings.Replace(target, "amount=15000", "amount=100", 1))
	st.WaitFor("main", "주문 금액과 결제 금액이 달라요")
	assert.Zero(t, st.toss.Calls(tosstest.ConfirmPayment), "nothing is sent")
	assert.Empty(t, st.toss.Ledger())

	st.Visit(target)
	st.WaitFor("h1", "결제가 완료됐어요")
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
	target := redirectOf(t, st.Address(), "pay")

	other := st.Tab()
	st.Visit(target)
	other.Visit(target)
	st.Do(chromedp.Reload())
	st.Shoot("confirming")
	for _, each := range []*shoptest.Browser{st.Browser, other} {
		each.WaitFor("h1", "결제가 완료됐어요")
	}
	st.Visit(target)
	st.WaitFor("h1", "결제가 완료됐어요")
	shoptest.Get(st.Browser, chromedp.Evaluate[any]("history.back()"))
	st.WaitFor("main", "결제")
	id := st.orderID(paid)
	assert.Equal(t, 1, st.toss.Charges(id))
	assert.Equal(t, 1, st.toss.Calls(tosstest.ConfirmPayment))
}

func TestLostAnswer(t *testing.T) {
	st := newStand(t)
	st.order()
	st.FinishWindow("", "lose")
	st.WaitFor("h1", "결제가 완료됐어요")
	for _, step := range []string{"승인을 요청했어요", "응답을 받지 못했어요", "결제를 조회했어요", "결제가 완료됐어요"} {
		st.WaitFor("#history", step)
	}
	st.Shoot("history")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

func TestUnknownOutcomeResolvesByItself(t *testing.T) {
	st := newStand(t, tosspayments.WithMaxRetries(0))
	st.order()
	target := redirectOf(t, st.Address(), "lose")
	st.toss.Inject(tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway, Times: 1000})
	st.Visit(target)
	st.Visible("#slow")
	st.Visit(st.url + "/orders/" + st.orderID(confirming))
	st.WaitFor("main", "다시 결제하지 마세요")
	st.WaitFor("#history", "조회 요청의 응답을 받지 못했어요")
	st.FitsAPhone()
	st.Shoot("unknown")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(confirming)), "charged, but the shop cannot know")

	st.toss.ClearFaults()
	st.later(time.Minute)
	st.WaitFor("h1", "결제가 완료됐어요")
	assert.Equal(t, 1, st.toss.Charges(st.orderID(paid)))
}

// TestPagesStopAsking: a page that waits asks ever more rarely, and stops.
func TestPagesStopAsking(t *testing.T) {
	st := newStand(t)
	st.Visit(st.url)
	pauses := shoptest.Get(st.Browser, chromedp.Evaluate[[]float64](`(async () => {
		const pauses = [], timers = [];
		let now = Date.now(), asked = 0;
		Date.now = () => now;
		setTimeout = (next, pause) => { pauses.push(pause); now += pause; timers.push(next); };
		fetch = async () => { asked++; return { ok: true, json: async () => ({ message: "as before" }) }; };
		watch("/orders/x/state", "as before");
		while (timers.length > 0) {
			await timers.shift()();
		}
		return [...pauses, asked];
	})()`, chromedp.EvalAwaitPromise))
	asked := pauses[len(pauses)-1]
	pauses = pauses[:len(pauses)-1]
	assert.EqualValues(t, len(pauses), asked)
	assert.Less(t, asked, 90.0)
	assert.EqualValues(t, 1000, pauses[0])
	assert.EqualValues(t, 30000, pauses[len(pauses)-1])
	assert.IsNonDecreasing(t, pauses)
}

// TestFormsAreSentOnce, however fast somebody presses.
func TestFormsAreSentOnce(t *testing.T) {
	st := newStand(t)
	st.Visit(st.url)
	shoptest.Get(st.Browser, chromedp.Evaluate[any](`(b => { b.click(); b.click(); return null; })(document.querySelector("#order"))`))
	st.Visible("#pay")
	list, err := st.store.orders.query(t.Context(), `SELECT `+columns+` FROM orders`)
	require.NoError(t, err)
	assert.Len(t, list, 1)
}

func TestRefunds(t *testing.T) {
	st := newStand(t)
	st.order()
	st.FinishWindow("", "pay")
	st.WaitFor("h1", "결제가 완료됐어요")
	id := st.orderID(paid)
	refund := func(amount string) {
		st.Do(shoptest.Click("summary"), chromedp.SendKeys(chromedp.CSS("#amount"), amount), shoptest.Click("#refund"))
	}
	refund("20000")
	st.WaitFor("#problem", "환불 금액은")
	st.Do(chromedp.SetValue(chromedp.CSS("#amount"), "5,000"), shoptest.Click("#refund"))
	st.WaitFor("#balance", "10,000원")
	st.FitsAPhone()
	st.Shoot("refund")
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, st.toss.Refunds(id))
	refund("")
	st.WaitFor("h1", "전액 환불됐어요")
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
		_, _ = w.Write([]byte(`<!doctype html><meta name="viewport" content="width=device-width"><button id="bad">bad</button><button id="go">go</button><button id="register">register</button><p id="error"></p><p id="selected"></p><button id="widget">widget</button><div id="methods"></div><div id="agreement"></div><script type="module">
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
			const widgets = (await loadTossPayments("` + tosstest.DefaultWidgetClientKey + `", { src: "` + st.toss.URL + tosstest.ScriptPath + `" })).widgets({ customerKey: ANONYMOUS });
			await widgets.setAmount({ currency: "KRW", value: 15000 });
			const [methods] = await Promise.all([
				widgets.renderPaymentMethods({ selector: "#methods", variantKey: "DEFAULT" }),
				widgets.renderAgreement({ selector: "#agreement", variantKey: "AGREEMENT" }),
			]);
			methods.on("paymentMethodSelect", ({ code }) => { document.querySelector("#selected").textContent = code; });
			document.querySelector("#widget").onclick = () => widgets.requestPayment({
				orderId: "order-of-widgets", orderName: "원두", successUrl: location.origin + "/success", failUrl: location.origin + "/fail",
			}).catch((e) => { document.querySelector("#error").textContent = e.code; });
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
	st.Visit(server.URL)
	st.Visible(`body[data-ready]`)
	st.Click("#bad")
	st.WaitFor("#error", "INVALID_ORDER_ID")
	st.Click("#go")
	st.Do(chromedp.WaitVisible(chromedp.CSS(".pay")))
	st.FinishWindow("", "pay")
	st.WaitFor("h1", "order-of-loader")

	st.Visit(server.URL)
	st.Visible(`body[data-ready]`)
	st.Click("#register")
	st.Do(chromedp.WaitVisible(chromedp.CSS(".pay")))
	st.FinishWindow("card:61", "pay")
	st.WaitFor("h1", "registered: true")

	st.Visit(server.URL)
	st.Visible(`body[data-ready]`)
	st.Click("#widget")
	st.WaitFor("#error", "NOT_SELECTED_PAYMENT_METHOD")
	st.Frame("#methods iframe").Click(`[data-code="KAKAOPAY"]`)
	st.WaitFor("#selected", "KAKAOPAY")
	st.Click("#widget")
	st.FinishWindow("", "pay")
	st.WaitFor("h1", "order-of-widgets")
}
