package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// The seven fates of an order, one for each outcome of a call.

func TestPaid(t *testing.T) {
	s := newStand(t)
	id := s.order()
	back := s.window(tosstest.Checkout{OrderID: id})
	assert.Contains(t, s.visit(back), "결제됐어요")
	assert.Contains(t, s.visit(back), "15,000원", "a refresh")
	assert.Equal(t, 1, s.server.Charges(id))
}

func TestWaiting(t *testing.T) {
	s := newStand(t)
	id := s.order()
	assert.Contains(t, s.visit(s.window(tosstest.Checkout{OrderID: id, Method: tosspayments.MethodVirtualAccount})), "입금해 주세요")
	assert.Contains(t, s.visit("/orders/"+id), `http-equiv="refresh" content="30"`)
	require.NoError(t, s.server.Deposit(id, tosspayments.Won(15000)))
	s.job("/orders/"+id, "결제됐어요")
	require.NoError(t, s.server.Bounce(id))
	s.job("/orders/"+id, "입금해 주세요")
}

func TestCanceled(t *testing.T) {
	s := newStand(t)
	id := s.order()
	s.visit(s.window(tosstest.Checkout{OrderID: id}))
	s.server.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true})
	for range 2 {
		s.post("/orders/" + id + "/refund")
	}
	s.job("/orders/"+id, "환불됐어요")
	assert.Len(t, s.server.Refunds(id), 1)
}

func TestRefused(t *testing.T) {
	s := newStand(t)
	id := s.order()
	assert.Contains(t, s.visit(s.window(tosstest.Checkout{OrderID: id, Refusal: tosspayments.ErrRejectCardPayment})), "다른 카드")
	assert.Zero(t, s.server.Charges(id))
}

func TestNotSent(t *testing.T) {
	s := newStand(t)
	id := s.order()
	_, err := s.shop.db.Exec(`UPDATE orders SET state = 'confirming', look_at = 1`) // without a payment key
	require.NoError(t, err)
	s.job("/orders/"+id, "아직 결제하지 않았어요")
	assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment))
	assert.Contains(t, s.visit(s.window(tosstest.Checkout{OrderID: id})), "결제됐어요", "it can still be paid")
}

func TestMismatch(t *testing.T) {
	s := newStand(t)
	id := s.order()
	back := s.window(tosstest.Checkout{OrderID: id})
	other := s.server.Authenticate(tosstest.Checkout{OrderID: id, OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := other.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	_, err = s.server.Client().ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	assert.Contains(t, s.visit(back), "고객센터에서 연락드릴게요", "it is paid, but not with this payment")
}

func TestUnknown(t *testing.T) {
	t.Parallel() // it mostly waits
	s := newStand(t)
	id := s.order()
	s.server.Inject(
		tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrProviderError, AfterEffect: true},
		tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Times: 10},
	)
	assert.Contains(t, s.visit(s.window(tosstest.Checkout{OrderID: id})), "다시 결제하지 마세요")
	s.server.ClearFaults()
	s.job("/orders/"+id, "결제됐어요")
	assert.Equal(t, 1, s.server.Charges(id))
}

// What else may happen.

func TestAnotherAmount(t *testing.T) {
	s := newStand(t)
	id := s.order()
	back := s.window(tosstest.Checkout{OrderID: id, Amount: tosspayments.Won(100)})
	assert.Contains(t, s.visit(back), "결제 금액이 달라요")
	assert.Contains(t, s.visit(strings.Replace(back, "amount=100", "amount=15000", 1)), "고객센터", "refused by the server")
	assert.Zero(t, s.server.Charges(id))
}

// TestTamperedLinkOfAPaidOrder leads to the order, and says nothing of its own.
func TestTamperedLinkOfAPaidOrder(t *testing.T) {
	s := newStand(t)
	back := s.window(tosstest.Checkout{OrderID: s.order()})
	s.visit(back)
	assert.Contains(t, s.visit(strings.Replace(back, "amount=15000", "amount=100", 1)), "결제됐어요")
}

func TestFail(t *testing.T) {
	s := newStand(t)
	id := s.order()
	body := s.visit("/fail?code=PAY_PROCESS_CANCELED&message=x&order=" + id)
	assert.Contains(t, body, "처음부터 다시")
	assert.Contains(t, body, "결제하기", "the order can still be paid")
}

func TestRefundThatIsRefused(t *testing.T) {
	t.Parallel() // it mostly waits
	s := newStand(t)
	id := s.order()
	s.visit(s.window(tosstest.Checkout{OrderID: id}))
	s.server.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrNotCancelablePayment})
	s.post("/orders/" + id + "/refund")
	assert.Contains(t, s.visit("/orders/"+id), "환불은 거절됐으니")
	s.post("/orders/" + id + "/refund") // under a key of its own
	assert.Contains(t, s.visit("/orders/"+id), "환불됐어요")
}

// TestCrash: the process ends before anything of a confirm or a refund is sent or recorded.
func TestCrash(t *testing.T) {
	for state, ends := range map[string]string{"confirming": "결제됐어요", "refunding": "환불됐어요"} {
		s := newStand(t)
		id := s.order()
		back := s.window(tosstest.Checkout{OrderID: id})
		if state == "refunding" {
			s.visit(back)
		}
		query, err := url.ParseQuery(strings.TrimPrefix(back, "/success?"))
		require.NoError(t, err)
		_, err = s.shop.db.Exec(`UPDATE orders SET state = $1, payment_key = $2, idempotency_key = $3, look_at = 1`, state, query.Get("paymentKey"), "key-of-"+state)
		require.NoError(t, err)
		s.job("/orders/"+id, ends)
		assert.Equal(t, 1, s.server.Charges(id))
	}
}

// TestForgedEvents of orders that have ended cause nothing.
func TestForgedEvents(t *testing.T) {
	s := newStand(t)
	id := s.order()
	s.visit(s.window(tosstest.Checkout{OrderID: id}))
	s.post("/orders/" + id + "/refund")
	s.server.WaitWebhooks()
	calls := len(s.server.Requests())
	s.server.SendWebhook(webhook.PaymentStatusChanged, map[string]any{"paymentKey": "garbage", "orderId": id, "status": "DONE", "totalAmount": 15000})
	s.server.WaitWebhooks()
	assert.Equal(t, http.StatusOK, s.server.Deliveries()[len(s.server.Deliveries())-1].Status)
	s.shop.job(t.Context())
	assert.Len(t, s.server.Requests(), calls)
}

// TestNext: whoever makes up payment keys, or sends events of some orders without end, holds
// up nobody else's deposit.
func TestNext(t *testing.T) {
	s := newStand(t)
	now := time.Now().Unix()
	for _, row := range []struct {
		id, state string
		lookAt    int64
	}{
		{"made-up", "confirming", 1}, {"made-up-2", "confirming", now - 600},
		{"annoying", "waiting", now - 10}, {"first", "waiting", now - 20}, {"deposited", "waiting", now + 3600},
		{"tomorrow", "waiting", now + 86400}, {"ended", "failed", 0},
	} {
		_, err := s.shop.db.Exec(`INSERT INTO orders (id, buyer, amount, created_at, state, payment_key, look_at) VALUES ($1, '', 15000, 0, $2, $1, $3)`, row.id, row.state, row.lookAt)
		require.NoError(t, err)
	}
	for _, id := range []string{"made-up-2", "annoying", "first", "deposited", "ended", "annoying"} {
		s.server.SendWebhook(webhook.PaymentStatusChanged, map[string]any{"paymentKey": id, "orderId": id, "status": "DONE", "totalAmount": 15000})
	}
	s.server.WaitWebhooks()
	var order []string
	for id, err := s.shop.next(t.Context()); err == nil; id, err = s.shop.next(t.Context()) {
		order = append(order, id)
	}
	assert.Equal(t, []string{"first", "annoying", "deposited", "made-up", "made-up-2"}, order)
}

// TestFourWorkers: three payments that take long hold up no other.
func TestFourWorkers(t *testing.T) {
	s := newStand(t)
	for range 4 {
		s.visit(s.window(tosstest.Checkout{OrderID: s.order()}))
	}
	s.server.WaitWebhooks()
	_, err := s.shop.db.Exec(`UPDATE orders SET look_at = 1`)
	require.NoError(t, err)
	gate := s.server.Gate(tosstest.Fault{Operation: tosstest.GetPayment, Times: 3})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.shop.work(ctx, 10*time.Millisecond)
	}()
	settled := func(want int) func() bool {
		return func() (is bool) {
			err := s.shop.db.QueryRow(`SELECT COUNT(*) = $1 FROM orders WHERE look_at = 0`, want).Scan(&is)
			return err == nil && is
		}
	}
	assert.Eventually(t, settled(1), 30*time.Second, 10*time.Millisecond)
	gate.Open()
	assert.Eventually(t, settled(4), 30*time.Second, 10*time.Millisecond)
	stop()
	<-stopped
}

// TestPaymentsThatNobodyKnows are looked up ever more rarely.
func TestPaymentsThatNobodyKnows(t *testing.T) {
	s := newStand(t)
	id := s.order()
	for _, hours := range []int64{0, 10} {
		_, err := s.shop.db.Exec(`UPDATE orders SET created_at = created_at - $1`, hours*3600)
		require.NoError(t, err)
		o, err := s.shop.get(t.Context(), id)
		require.NoError(t, err)
		require.True(t, s.shop.record(t.Context(), o, nil, nil))
		var lookAt int64
		require.NoError(t, s.shop.db.QueryRow(`SELECT look_at FROM orders`).Scan(&lookAt))
		assert.InDelta(t, time.Now().Unix()+max(60, hours*1800), lookAt, 5)
	}
}

// TestOtherBuyers see nothing, and neither does who has a copy of the database.
func TestOtherBuyers(t *testing.T) {
	s := newStand(t)
	id := s.order()
	address, err := url.Parse(s.url)
	require.NoError(t, err)
	own := s.buyer.Jar.Cookies(address)[0]
	var hash string
	require.NoError(t, s.shop.db.QueryRow(`SELECT buyer FROM orders`).Scan(&hash))
	for value, sees := range map[string]bool{own.Value: true, hash: false, "": false} {
		s.buyer.Jar, err = cookiejar.New(nil)
		require.NoError(t, err)
		s.buyer.Jar.SetCookies(address, []*http.Cookie{{Name: own.Name, Value: value}})
		assert.Equal(t, sees, strings.Contains(s.visit("/orders/"+id), id), value)
	}
	s.buyer.Jar.SetCookies(address, []*http.Cookie{{Name: own.Name, Value: "planted"}})
	other := s.order()
	assert.NotEqual(t, "planted", s.buyer.Jar.Cookies(address)[0].Value)
	_, err = s.shop.db.Exec(`UPDATE orders SET created_at = created_at - 31 * 24 * 3600`)
	require.NoError(t, err)
	assert.NotContains(t, s.visit("/orders/"+other), other, "after 30 days")
}

// TestDatabaseIsOnesOwn: it holds payments.
func TestDatabaseIsOnesOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	t.Chdir(t.TempDir())
	s, err := open(tosstest.DefaultSecretKey, tosstest.DefaultClientKey, "")
	require.NoError(t, err)
	require.NoError(t, s.db.Close())
	info, err := os.Stat("shop.db")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// TestKeysAreOfOneEnvironment: a window of the other one takes no money, or real money.
func TestKeysAreOfOneEnvironment(t *testing.T) {
	_, err := open(tosstest.DefaultSecretKey, "live_ck_D5GePWvyJnrK0W0k6q8gLzN97Eoq", "")
	require.ErrorContains(t, err, "same environment")
}

func TestPostsAreLimited(t *testing.T) {
	s := newStand(t)
	for range 70 {
		s.post("/orders")
	}
	var orders int
	require.NoError(t, s.shop.db.QueryRow(`SELECT COUNT(*) FROM orders`).Scan(&orders))
	assert.Equal(t, 60, orders)
}

func TestPages(t *testing.T) {
	s := newStand(t)
	response, err := http.Get(s.url)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Regexp(t, "frame-ancestors 'none'.*form-action 'self'", response.Header.Get("Content-Security-Policy"))
	assert.Empty(t, response.Cookies(), "looking around leaves nothing")
	assert.Contains(t, s.visit("/"), "테스트 상점")
	assert.Contains(t, s.visit("/orders/x"), "주문을 찾을 수 없어요")
}

// TestPagesWithoutScripts say what is missing.
func TestPagesWithoutScripts(t *testing.T) {
	s := newStand(t)
	page := s.visit("/orders/" + s.order())
	assert.Contains(t, page, `<button id="pay" disabled>`, "until its script has run")
	assert.Regexp(t, "<noscript>.*자바스크립트를 켜", page)
}

func TestOverHTTPS(t *testing.T) {
	s := newStand(t)
	w := httptest.NewRecorder()
	s.shop.handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://shop.example/orders", http.NoBody))
	assert.Equal(t, "max-age=31536000", w.Header().Get("Strict-Transport-Security"))
	cookie := w.Result().Cookies()[0]
	assert.Equal(t, "__Host-shop", cookie.Name)
	assert.True(t, cookie.Secure)
}

// TestWithoutKeysItSaysSandbox: the name of a variable may be misspelt.
func TestWithoutKeysItSaysSandbox(t *testing.T) {
	var said strings.Builder
	log.SetOutput(&said)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	s, err := open("", "", "http://127.0.0.1:1/webhook")
	require.NoError(t, err)
	require.NoError(t, s.db.Close())
	assert.Contains(t, said.String(), "SANDBOX: TOSS_SECRET_KEY is not set")
}

func TestOtherSitesCannotPost(t *testing.T) {
	s := newStand(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/orders", http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
}

// stand is the shop, a buyer and a Toss Payments.
type stand struct {
	t      *testing.T
	server *tosstest.Server
	shop   *shop
	url    string
	buyer  *http.Client
}

func newStand(t *testing.T) *stand {
	server := tosstest.NewServer(t)
	s, err := newShop(":memory:", server.Client(), server.URL, server.URL+tosstest.ScriptPath, tosstest.DefaultClientKey)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	web := httptest.NewServer(s.handler())
	t.Cleanup(web.Close)
	server.RegisterWebhook(web.URL + "/webhook")
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &stand{t, server, s, web.URL, &http.Client{Jar: jar}}
}

func (s *stand) read(response *http.Response, err error) (path, body string) {
	s.t.Helper()
	require.NoError(s.t, err)
	data, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	return response.Request.URL.Path, string(data)
}

func (s *stand) visit(path string) (body string) {
	s.t.Helper()
	_, body = s.read(s.buyer.Get(s.url + path))
	return body
}

func (s *stand) post(path string) (landed string) {
	s.t.Helper()
	landed, _ = s.read(s.buyer.PostForm(s.url+path, url.Values{}))
	return landed
}

// order orders, and returns the order's id.
func (s *stand) order() string {
	s.t.Helper()
	return strings.TrimPrefix(s.post("/orders"), "/orders/")
}

// window pays in the payment window, and returns where the browser is sent.
func (s *stand) window(checkout tosstest.Checkout) string {
	if checkout.Amount.IsZero() {
		checkout.Amount = tosspayments.Won(15000)
	}
	checkout.OrderName = "원두 1kg"
	return "/success?" + s.server.Authenticate(checkout).Values().Encode()
}

// job runs the job, an hour later, until the page says so. Webhooks may arrive meanwhile.
func (s *stand) job(page, want string) {
	s.t.Helper()
	assert.Eventually(s.t, func() bool {
		_, err := s.shop.db.Exec(`UPDATE orders SET look_at = 1 WHERE look_at > 0`)
		s.shop.job(s.t.Context())
		return err == nil && strings.Contains(s.visit(page), want)
	}, 30*time.Second, 20*time.Millisecond)
}
