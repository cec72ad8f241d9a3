package tosstest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// The test binary is a server with a file when it is asked to be. Tests that are parallel
// mostly wait.
func TestMain(m *testing.M) {
	if path := os.Getenv("TOSSTEST_STATE"); path != "" {
		serveState(path, os.Getenv("TOSSTEST_WEBHOOK"))
		return
	}
	_ = flag.Set("test.parallel", "6")
	os.Exit(m.Run())
}

func serveState(path, receiver string) {
	server, err := tosstest.Start(tosstest.WithSeed(1))
	if err == nil {
		err = server.KeepState(path)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	server.RegisterWebhook(receiver)
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// serverWithState is a server that keeps its state in a file.
func serverWithState(t *testing.T, path string) *tosstest.Server {
	t.Helper()
	server := tosstest.New(tosstest.WithSeed(1))
	require.NoError(t, server.KeepState(path))
	t.Cleanup(server.Close)
	return server
}

// copyOfNow copies the file of a server that is running: what it leaves behind if it is
// killed now.
func copyOfNow(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(copied, data, 0o600))
	return copied
}

// busyMonth is what a shop has done with a server, and what is still open.
type busyMonth struct {
	card, opened, billingKey, revokedKey string
	refused, waiting                     tosspayments.SuccessRedirect
	registered                           tosspayments.BillingRedirect
}

const cancelOfAPart = `{"cancelReason":"<r>","cancelAmount":1000}`

func liveABusyMonth(t *testing.T, server *tosstest.Server) (m busyMonth) {
	t.Helper()
	c := newCaller(t, server)
	confirmed := func(c *caller, checkout tosstest.Checkout) string {
		redirect := server.Authenticate(checkout)
		r := c.with("Idempotency-Key", "confirm "+checkout.OrderID).call("POST", "/v1/payments/confirm", confirmBody(redirect))
		require.Equal(t, 200, r.status, r.raw)
		return redirect.PaymentKey
	}
	m.card = confirmed(c, socks("order-0001"))
	require.Equal(t, 200, c.with("Idempotency-Key", "part").call("POST", "/v1/payments/"+m.card+"/cancel", cancelOfAPart).status)
	confirmed(c.key(tosstest.DefaultWidgetSecretKey), widgetCheckout("order-0001"))
	rich := socks("order-0002")
	rich.EasyPay, rich.EasyPayPoints, rich.Metadata, rich.TaxFreeAmount = "KAKAOPAY", tosspayments.Won(10), map[string]string{"a": "b"}, tosspayments.Won(5)
	confirmed(c, rich)
	for i := range 4 {
		checkout := socks(fmt.Sprintf("account-%04d", i))
		checkout.Method, checkout.Bank = tosspayments.MethodVirtualAccount, "88"
		confirmed(c, checkout)
		if i > 0 {
			require.NoError(t, server.Deposit(checkout.OrderID, checkout.Amount))
		}
	}
	require.NoError(t, server.Bounce("account-0002"))
	require.NoError(t, server.Refund("account-0003", tosspayments.Amount{}, "r"))
	server.OpenWindow(socks("order-0003"))
	server.OpenWindow(socks("order-0004"))
	server.Advance(31 * time.Minute)
	refused := socks("order-0005")
	refused.Refusal = tosspayments.ErrRejectCardCompany
	m.refused = server.Authenticate(refused)
	c.refused(403, "REJECT_CARD_COMPANY", c.with("Idempotency-Key", "refused").call("POST", "/v1/payments/confirm", confirmBody(m.refused)))
	m.waiting = server.Authenticate(socks("order-0006"))
	m.opened = server.OpenWindow(socks("order-0010"))
	m.billingKey, m.revokedKey = c.billingKey("customer-1"), c.billingKey("customer-2")
	require.Equal(t, 200, c.call("POST", "/v1/billing/"+m.billingKey, chargeBody("customer-1", "order-0007")).status)
	server.RevokeBillingKey(tosspayments.BillingKey{Key: tosspayments.NewSensitive(m.revokedKey)})
	m.registered = server.Register(tosstest.Registration{CustomerKey: "customer-3", CardCompany: "41"})
	r := c.call("POST", "/v1/cash-receipts", `{"orderId":"order-0001","orderName":"양말","amount":1000,"type":"소득공제","customerIdentityNumber":"01012345678"}`)
	require.Equal(t, 200, c.call("POST", "/v1/cash-receipts/"+r.body["receiptKey"].(string)+"/cancel", `{"amount":400}`).status)
	server.Inject(tosstest.Fault{Kind: tosstest.Drop, AfterEffect: true})
	_, err := sendTo(c.with("Idempotency-Key", "lost"), "/v1/payments/"+m.card+"/cancel", cancelOfAPart)
	require.Error(t, err)
	return m
}

// A server with the file of another one answers like that one, which was not closed.
func TestStateIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	before := serverWithState(t, path)
	month := liveABusyMonth(t, before)
	after := serverWithState(t, copyOfNow(t, path))
	c := newCaller(t, after)
	t.Run("everything is as it was", func(t *testing.T) {
		assert.WithinDuration(t, before.Now(), after.Now(), time.Second)
		sameAnswers(t, before, after)
		assert.Equal(t, before.Refunds("order-0001"), after.Refunds("order-0001"))
	})
	t.Run("answers of idempotency keys", func(t *testing.T) {
		r := c.with("Idempotency-Key", "lost").call("POST", "/v1/payments/"+month.card+"/cancel", cancelOfAPart)
		assert.EqualValues(t, 13000, r.body["balanceAmount"], "the answer that was lost")
		assert.Len(t, after.Refunds("order-0001"), 2)
		c.refused(403, "REJECT_CARD_COMPANY", c.with("Idempotency-Key", "refused").call("POST", "/v1/payments/confirm", confirmBody(month.refused)))
	})
	t.Run("payments that are open", func(t *testing.T) {
		assert.Equal(t, 200, c.call("POST", "/v1/payments/confirm", confirmBody(month.waiting)).status, "it waits for ten minutes")
		require.NoError(t, after.Deposit("account-0000", tosspayments.Won(15000)))
	})
	t.Run("billing keys", func(t *testing.T) {
		c.refused(400, "DUPLICATED_ORDER_ID", c.call("POST", "/v1/billing/"+month.billingKey, chargeBody("customer-1", "order-0007")))
		assert.Equal(t, 200, c.call("POST", "/v1/billing/"+month.billingKey, chargeBody("customer-1", "order-0008")).status)
		c.refused(400, "ALREADY_REMOVED_BILLING_KEY", c.call("POST", "/v1/billing/"+month.revokedKey, chargeBody("customer-2", "order-0009")))
		r := c.call("POST", "/v1/billing/authorizations/issue", `{"customerKey":"customer-3","authKey":"`+month.registered.AuthKey.Reveal()+`"}`)
		assert.Equal(t, 200, r.status, r.raw)
	})
	t.Run("the seed repeats no key", func(t *testing.T) {
		keys := map[string]bool{}
		for _, e := range after.Ledger() {
			assert.False(t, keys[e.TransactionKey], e.TransactionKey)
			keys[e.TransactionKey] = true
		}
	})
	t.Run("windows end in time", func(t *testing.T) {
		after.Advance(31 * time.Minute)
		assert.Equal(t, "EXPIRED", c.call("GET", "/v1/payments/"+month.opened, "").body["status"])
	})
}

// sameAnswers compares what two servers say of everything.
func sameAnswers(t *testing.T, before, after *tosstest.Server) {
	t.Helper()
	assert.Equal(t, before.Payments(1000), after.Payments(1000))
	want, err := json.Marshal(before.Ledger())
	require.NoError(t, err)
	got, err := json.Marshal(after.Ledger())
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
	paths := []string{
		"/v1/transactions?" + allDates, "/v1/settlements?" + allDates,
		"/v1/cash-receipts?requestDate=" + before.Now().UTC().Add(9*time.Hour).Format(time.DateOnly),
	}
	for _, p := range before.Payments(1000) {
		paths = append(paths, "/v1/payments/"+p.PaymentKey, "/v1/payments/orders/"+p.OrderID)
	}
	for _, secret := range []string{tosstest.DefaultSecretKey, tosstest.DefaultWidgetSecretKey} {
		for _, path := range paths {
			_, want := newCaller(t, before).key(secret).get(path)
			_, got := newCaller(t, after).key(secret).get(path)
			assert.Equal(t, want, got, path)
		}
	}
}

// A line that was being written when the process ended was never told to anybody.
func TestIncompleteState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	c := newCaller(t, serverWithState(t, path))
	c.confirmed(func(*tosstest.Checkout) {})
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	c.confirmed(func(*tosstest.Checkout) {})
	more, err := os.ReadFile(path)
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "state")
	for end := len(whole); end < len(more); end += 97 {
		require.NoError(t, os.WriteFile(cut, more[:end], 0o600))
		restored := serverWithState(t, cut)
		assert.Contains(t, []int{1, 2}, len(restored.Ledger()))
		restored.Close()
	}
}

func TestStateIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	newCaller(t, serverWithState(t, path)).confirmed(func(*tosstest.Checkout) {})
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm(), "it holds billing keys")
}

func TestStateThatCannotBeReadStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	newCaller(t, serverWithState(t, path)).confirmed(func(*tosstest.Checkout) {})
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines[1] = []byte("{\n")
	broken := filepath.Join(t.TempDir(), "state")
	for name, text := range map[string][]byte{"line 2": bytes.Join(lines, nil), "version": []byte("{}\n"), "line 1": []byte("not JSON\n")} {
		require.NoError(t, os.WriteFile(broken, text, 0o600))
		assert.ErrorContains(t, tosstest.New().KeepState(broken), name)
		now, err := os.ReadFile(broken)
		require.NoError(t, err)
		assert.Equal(t, text, now)
	}
}

func TestKeepStateRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	server := serverWithState(t, path)
	assert.Error(t, server.KeepState(path), "twice")
	assert.Error(t, tosstest.New().KeepState(filepath.Join(path, "x")), "below a file")
	late := tosstest.New()
	late.OpenWindow(socks("order-0001"))
	assert.Error(t, late.KeepState(filepath.Join(t.TempDir(), "state")), "after the first payment")
}

// killed is a server in another process, which is killed and started again.
type killed struct {
	t        *testing.T
	path     string
	receiver string
	command  *exec.Cmd
	url      string
}

func (k *killed) start() {
	k.t.Helper()
	k.command = exec.CommandContext(k.t.Context(), os.Args[0])
	k.command.Env = append(os.Environ(), "TOSSTEST_STATE="+k.path, "TOSSTEST_WEBHOOK="+k.receiver)
	out, err := k.command.StdoutPipe()
	require.NoError(k.t, err)
	_, err = k.command.StdinPipe()
	require.NoError(k.t, err)
	require.NoError(k.t, k.command.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(k.t, err)
	require.True(k.t, strings.HasPrefix(line, "http"), line)
	k.url = strings.TrimSpace(line)
}

func (k *killed) kill() {
	_ = k.command.Process.Kill()
	_ = k.command.Wait()
}

// order is what a client knows of one of its orders.
type order struct {
	id     string
	number int
	paid   string // the answer to the charge
	refund string // the answer to the refund
}

// A server is killed at random moments, five times, while many charge and refund. What was
// answered is there afterwards, what was not answered happens once when it is repeated
// under its key, and every event arrives.
func TestKilledServer(t *testing.T) {
	t.Parallel() // it mostly waits
	if testing.Short() {
		t.Skip("starts processes")
	}
	var mu sync.Mutex
	told := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event struct {
			Data struct{ OrderID, Status string }
		}
		_ = json.NewDecoder(r.Body).Decode(&event)
		mu.Lock()
		defer mu.Unlock()
		told[event.Data.OrderID+" "+event.Data.Status]++
	}))
	defer receiver.Close()
	k := &killed{t: t, path: filepath.Join(t.TempDir(), "state"), receiver: receiver.URL}
	k.start()
	defer func() { k.kill() }()
	key := ""
	for key == "" {
		key, _ = field(k.post("b", "/v1/billing/authorizations/card", `{"customerKey":"customer-1",`+card+`}`), "billingKey")
	}
	random := rand.New(rand.NewPCG(1, 2))
	var refunded atomic.Int64
	var orders []*order
	for range 5 {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var made sync.Mutex
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					made.Lock()
					o := &order{number: len(orders), id: fmt.Sprintf("order-%06d", len(orders))}
					orders = append(orders, o)
					made.Unlock()
					if k.pay(o, key); o.refund != "" {
						refunded.Add(1)
					}
				}
			})
		}
		enough := refunded.Load() + int64(5+random.IntN(40))
		for refunded.Load() < enough {
			time.Sleep(time.Duration(1+random.IntN(5)) * time.Millisecond)
		}
		k.kill()
		close(stop)
		wg.Wait()
		k.start()
	}
	answered := 0
	for _, o := range orders {
		if o.refund != "" {
			answered++
			assert.Equal(t, o.refund, k.get("/v1/payments/orders/"+o.id), "what was answered")
		}
		k.pay(o, key)
		balance, _ := field(k.get("/v1/payments/orders/"+o.id), "balanceAmount")
		assert.Equal(t, "14000", balance, "once")
	}
	t.Log(len(orders), "orders,", answered, "answered before a kill")
	assert.Greater(t, answered, 20)
	assert.Less(t, answered, len(orders))
	assert.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, o := range orders {
			if told[o.id+" PARTIAL_CANCELED"] == 0 {
				return false
			}
		}
		return true
	}, time.Minute, 50*time.Millisecond, "every refund is told")
}

// pay charges an order and refunds a part, each under a key of its own, as far as the
// server lives.
func (k *killed) pay(o *order, key string) {
	if o.paid == "" {
		o.paid = k.post("charge "+o.id, "/v1/billing/"+key, chargeBody("customer-1", o.id))
	}
	paymentKey, ok := field(o.paid, "paymentKey")
	if ok && o.refund == "" {
		o.refund = k.post("refund "+o.id, "/v1/payments/"+paymentKey+"/cancel", `{"cancelReason":"r","cancelAmount":1000}`)
	}
}

func (k *killed) post(key, path, body string) string {
	return k.do(http.MethodPost, path, body, key)
}

func (k *killed) get(path string) string { return k.do(http.MethodGet, path, "", "") }

// do returns a successful answer, or "" where there was none.
func (k *killed) do(method, path, body, key string) string {
	r, err := http.NewRequestWithContext(context.Background(), method, k.url+path, strings.NewReader(body))
	if err != nil {
		return ""
	}
	r.SetBasicAuth(tosstest.DefaultSecretKey, "")
	r.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	if response.StatusCode != http.StatusOK {
		k.t.Error(response.StatusCode, string(data))
		return ""
	}
	return strings.ReplaceAll(string(data), k.url, "") // each process has another port
}

func field(document, name string) (string, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(document), &fields) != nil {
		return "", false
	}
	return strings.Trim(string(fields[name]), `"`), true
}

// The wallets of BrandPay are kept too.
func TestBrandPayIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	start := func() (*tosstest.Server, func() string) {
		server, err := tosstest.Start()
		require.NoError(t, err)
		t.Cleanup(server.Close)
		path = copyOfNow(t, path)
		require.NoError(t, server.KeepState(path))
		return server, func() string {
			body := fmt.Sprintf(`{"kind":"brandpay","clientKey":%q,"customerKey":"customer-1","operation":"addPaymentMethod","redirectUrl":"https://shop.test/brandpay","request":{}}`, tosstest.DefaultClientKey)
			response, err := http.Post(server.URL+"/window", "application/json", strings.NewReader(body))
			require.NoError(t, err)
			defer response.Body.Close()
			var answer struct{ Path string }
			require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
			return server.URL + answer.Path
		}
	}
	_, open := start()
	window := open()
	post := func(form url.Values) {
		response, err := http.PostForm(window, form)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	post(nil) // agrees
	code := regexp.MustCompile(`code=([0-9a-f]{32})`).FindStringSubmatch(page(t, window))
	require.NotNil(t, code)
	post(nil)
	post(url.Values{"means": {"card:41"}})

	after, _ := start()
	r := newCaller(t, after).call("POST", "/v1/brandpay/authorizations/access-token", `{"customerKey":"customer-1","grantType":"AuthorizationCode","code":"`+code[1]+`"}`)
	require.Equal(t, 200, r.status, r.raw)
	last, open := start()
	again := newCaller(t, last).call("POST", "/v1/brandpay/authorizations/access-token", `{"customerKey":"customer-1","grantType":"RefreshToken","refreshToken":"`+r.body["refreshToken"].(string)+`"}`)
	assert.Equal(t, 200, again.status, again.raw)
	assert.NotContains(t, page(t, open()), "약관", "the customer has agreed")
}

// A window that is open when the server is killed stays open for the buyer.
func TestWindowsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	start := func() *tosstest.Server {
		server, err := tosstest.Start()
		require.NoError(t, err)
		t.Cleanup(server.Close)
		path = copyOfNow(t, path)
		require.NoError(t, server.KeepState(path))
		return server
	}
	before := start()
	_, payment := openWindow(t, before, tosstest.DefaultClientKey, windowRequest(object{"amount": object{"currency": "KRW", "value": 60000}}))
	_, registration := requestWindow(t, before, object{
		"kind": "billing", "clientKey": tosstest.DefaultClientKey, "customerKey": "customer-1", "target": "self",
		"request": object{"method": "CARD", "successUrl": "http://shop.example/success", "failUrl": "http://shop.example/fail"},
	})
	assert.Contains(t, page(t, payment["url"]), "60,000원")

	after := start()
	redirect, err := tosspayments.ParseSuccessURL(choose(t, after.URL+payment["path"], "pay", "card:41"))
	require.NoError(t, err)
	billing := choose(t, after.URL+registration["path"], "pay", "card:41").Query()

	last := start()
	assert.Contains(t, page(t, last.URL+payment["path"]), "이미 끝난 결제")
	c := newCaller(t, last)
	r := c.call("POST", "/v1/payments/confirm", confirmBody(redirect))
	assert.Equal(t, 200, r.status, r.raw)
	assert.Equal(t, last.URL+payment["path"], r.body["checkout"].(map[string]any)["url"], "its address is that of the new server")
	r = c.call("POST", "/v1/billing/authorizations/issue", `{"customerKey":"customer-1","authKey":"`+billing.Get("authKey")+`"}`)
	assert.Equal(t, 200, r.status, r.raw)
}

// One server at a time has a file.
func TestStateOfAnotherServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	first := serverWithState(t, path)
	c := newCaller(t, first)
	c.confirmed(func(*tosstest.Checkout) {})
	second := tosstest.New()
	require.ErrorContains(t, second.KeepState(path), path+": another server is using it")
	c.confirmed(func(*tosstest.Checkout) {})
	first.Close()
	require.NoError(t, second.KeepState(path))
	defer second.Close()
	assert.Equal(t, first.Payments(10), second.Payments(10))
	first.OpenWindow(socks("order-late")) // it is closed, and writes no more
	assert.Len(t, serverWithState(t, copyOfNow(t, path)).Payments(10), 2)
}

// The file is made anew when most of it does not count any more. What counts stays, as do
// events that are still to be delivered, and a request that is being worked on meanwhile.
func TestStateDoesNotGrow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	server := serverWithState(t, path)
	c := newCaller(t, server)
	server.RegisterWebhookHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }), "LATE")
	server.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	paid := c.with("Idempotency-Key", "paid").confirmed(func(*tosstest.Checkout) {})
	server.SendWebhook("LATE", "x")
	gate := server.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment, AfterEffect: true})
	slow := make(chan result)
	body := confirmBody(server.Authenticate(socks("order-slow")))
	go func() { slow <- c.with("Idempotency-Key", "slow").call("POST", "/v1/payments/confirm", body) }()
	<-gate.Arrived()
	written, largest := 0, int64(0)
	for range 400 {
		server.SendWebhook("ONCE", strings.Repeat("x", 10_000))
		server.WaitWebhooks()
		info, err := os.Stat(path)
		require.NoError(t, err)
		written, largest = written+10_000, max(largest, info.Size())
	}
	assert.Greater(t, int64(written), 2*largest)
	gate.Open()
	assert.Equal(t, 200, (<-slow).status)
	server.Close()

	after := serverWithState(t, path)
	assert.Equal(t, server.Payments(10), after.Payments(10))
	c = newCaller(t, after)
	assert.Equal(t, paid.body["approvedAt"], c.call("GET", "/v1/payments/"+paid.body["paymentKey"].(string), "").body["approvedAt"])
	assert.Equal(t, 200, c.with("Idempotency-Key", "slow").call("POST", "/v1/payments/confirm", body).status, "the answer that was kept")
	var box handlerBox
	after.RegisterWebhookHandler(&box, "LATE")
	after.Advance(time.Hour)
	after.WaitWebhooks()
	assert.Equal(t, 1, box.count(), "what the handler before it has not taken")
}

// handlerBox counts what it is sent.
type handlerBox struct{ n atomic.Int64 }

func (b *handlerBox) ServeHTTP(http.ResponseWriter, *http.Request) { b.n.Add(1) }

func (b *handlerBox) count() int { return int(b.n.Load()) }

// What an earlier server has not delivered to its handlers goes to those in their places.
func TestHandlersAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	before := serverWithState(t, path)
	failing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	var good handlerBox
	before.RegisterWebhookHandler(failing)
	before.RegisterWebhookHandler(&good)
	before.RegisterWebhookHandler(failing, "OTHER")
	before.InjectWebhook(tosstest.WebhookFault{Event: "HELD", Kind: tosstest.DelayWebhook, Delay: time.Hour})
	before.SendWebhook("HELD", "x")
	before.SendWebhook("FAILED", "x")
	before.WaitWebhooks()
	assert.Equal(t, 1, good.count())

	after := serverWithState(t, copyOfNow(t, path))
	var first, second, third handlerBox
	after.RegisterWebhookHandler(&first)
	after.RegisterWebhookHandler(&second)
	after.RegisterWebhookHandler(&third, "OTHER")
	after.Advance(2 * time.Hour)
	after.WaitWebhooks()
	assert.Equal(t, 2, first.count(), "what failed, and what was held")
	assert.Equal(t, 1, second.count(), "what was held")
	assert.Zero(t, third.count())
	for _, d := range after.Deliveries() {
		assert.Equal(t, map[webhook.EventType]int{"FAILED": 1}[d.Event], d.RetriedCount, d.Event)
	}
}
