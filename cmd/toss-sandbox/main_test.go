package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The test binary is the program when it is asked to be. Tests that are parallel mostly
// wait.
func TestMain(m *testing.M) {
	if os.Getenv("TOSS_SANDBOX_RUN") != "" {
		main()
		return
	}
	_ = flag.Set("test.parallel", "8")
	os.Exit(m.Run())
}

// browser is what stands at the page.
type browser struct {
	t       *testing.T
	sandbox *sandbox
	server  *httptest.Server
}

// openSandbox starts a sandbox, as the command does with these flags.
func openSandbox(t *testing.T, flags ...string) *browser {
	t.Helper()
	s, err := parse(flags, io.Discard)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	b, err := newSandbox(s)
	require.NoError(t, err)
	server.Config = b.server()
	server.Start()
	t.Cleanup(func() { server.Close(); b.toss.Close() })
	return &browser{t, b, server}
}

func (b *browser) send(method, path, body string, change func(*http.Request)) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(body))
	require.NoError(b.t, err)
	if change != nil {
		change(r)
	}
	response, err := b.server.Client().Do(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return response, string(text)
}

// post sends JSON and reads the answer into out, where it is a success.
func (b *browser) post(path string, in, out any) (status int, text string) {
	b.t.Helper()
	body, err := json.Marshal(in)
	require.NoError(b.t, err)
	response, text := b.send(http.MethodPost, path, string(body), nil)
	if response.StatusCode == http.StatusOK {
		require.NoError(b.t, json.Unmarshal([]byte(text), out))
	}
	return response.StatusCode, text
}

// ask is a post that is a success.
func (b *browser) ask(path string, in, out any) {
	b.t.Helper()
	status, text := b.post(path, in, out)
	require.Equal(b.t, http.StatusOK, status, text)
}

func (b *browser) press(a act) {
	b.t.Helper()
	b.ask("/sandbox/act", a, &done{})
}

// page is what a page knows that has followed for a while.
type page struct {
	b       *browser
	stream  *bufio.Reader
	Boot    string
	About   *about
	Faults  []waiting
	Held    []heldRequest
	Lists   map[kind][]json.RawMessage
	changes int
}

// follow opens a page.
func (b *browser) follow() *page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+"/sandbox/events", nil)
	require.NoError(b.t, err)
	response, err := b.server.Client().Do(r)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(b.t, http.StatusOK, response.StatusCode)
	assert.Equal(b.t, "text/event-stream", response.Header.Get("Content-Type"))
	p := &page{b: b, stream: bufio.NewReader(response.Body), Lists: map[kind][]json.RawMessage{}}
	p.read()
	return p
}

// read takes the next message.
func (p *page) read() {
	p.b.t.Helper()
	for {
		line, err := p.stream.ReadString('\n')
		require.NoError(p.b.t, err)
		text, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var n news
		require.NoError(p.b.t, json.Unmarshal([]byte(text), &n))
		p.Boot, p.Faults, p.Held, p.changes = n.Boot, n.Faults, n.Held, p.changes+1
		if n.About != nil {
			p.About = n.About
		}
		for k, items := range n.Lists {
			p.Lists[k] = append(p.Lists[k], items...)
		}
		return
	}
}

// state is what a page knows that is opened now.
func (b *browser) state() *page {
	b.t.Helper()
	b.sandbox.toss.WaitWebhooks()
	return b.follow()
}

// last is the newest item of a list.
func last[T any](p *page, k kind) (v T) {
	p.b.t.Helper()
	require.NotEmpty(p.b.t, p.Lists[k], k)
	require.NoError(p.b.t, json.Unmarshal(p.Lists[k][len(p.Lists[k])-1], &v))
	return v
}

func (b *browser) payment() paymentView { b.t.Helper(); return last[paymentView](b.state(), payments) }

// pay goes through the payment window of the test shop, as its page does.
func (b *browser) pay(method string) result {
	b.t.Helper()
	var o order
	b.ask("/sandbox/shop/order", map[string]string{"kind": "payment"}, &o)
	var r result
	b.ask("/sandbox/shop/confirm", map[string]string{"query": b.window("payment", map[string]any{
		"method": method, "amount": map[string]any{"currency": "KRW", "value": o.Amount}, "orderId": o.ID, "orderName": o.Name,
	})}, &r)
	return r
}

// window is what the script does with a request: it opens a window, in which the buyer
// pays. It returns the query with which the browser comes back.
func (b *browser) window(kind string, request map[string]any) string {
	b.t.Helper()
	request["successUrl"], request["failUrl"] = b.server.URL+"/shop?step=success", b.server.URL+"/shop?step=fail"
	var who buyer
	b.ask("/sandbox/shop/buyer", struct{}{}, &who)
	var opened struct{ Path string }
	b.ask("/window", map[string]any{
		"kind": kind, "target": "self", "origin": b.server.URL, "clientKey": who.ClientKey, "customerKey": who.CustomerKey, "request": request,
	}, &opened)
	response, err := b.server.Client().PostForm(b.server.URL+opened.Path, url.Values{"outcome": {"pay"}})
	require.NoError(b.t, err)
	require.NoError(b.t, response.Body.Close())
	require.Equal(b.t, "/shop", response.Request.URL.Path)
	return response.Request.URL.RawQuery
}

func TestPages(t *testing.T) {
	b := openSandbox(t)
	for path, want := range map[string]string{
		"/": "live.js", "/shop": "shop.js", "/sandbox/page/text.js": "토스페이먼츠", "/sandbox/page/style.css": "--ground", "/sandbox/page/icon.svg": "<svg",
		tosstest.ScriptPath: "TossPayments",
	} {
		response, text := b.send(http.MethodGet, path, "", nil)
		assert.Equal(t, http.StatusOK, response.StatusCode, path)
		assert.Contains(t, text, want, path)
	}
}

// The policy of the pages lets no style and no script run that stands in them.
func TestPagesKeepTheirPolicy(t *testing.T) {
	b := openSandbox(t)
	for _, path := range []string{"/", "/shop", "/sandbox/page/text.js", "/sandbox/page/style.css", "/sandbox/page/icon.svg"} {
		response, text := b.send(http.MethodGet, path, "", nil)
		assert.Equal(t, policy, response.Header.Get("Content-Security-Policy"), path)
		assert.NotContains(t, text, "style=", path)
		assert.NotContains(t, text, "<style", path)
		assert.NotContains(t, text, "onclick=", path)
		assert.NotRegexp(t, "<script[^>]*>[^<]", text, path)
	}
}

func TestANewPageIsEmpty(t *testing.T) {
	b := openSandbox(t)
	p := b.follow()
	assert.Empty(t, p.Lists)
	assert.Equal(t, b.sandbox.keys, p.About.Keys)
}

func TestAPaymentIsSeenAsItHappens(t *testing.T) {
	b := openSandbox(t)
	p := b.follow()
	assert.Equal(t, "paid", b.pay("CARD").Outcome)
	for len(p.Lists[webhooks]) == 0 || len(p.Lists[requests]) == 0 || len(p.Lists[entries]) == 0 {
		p.read()
	}
	v := last[paymentView](p, payments)
	t.Run("with its status", func(t *testing.T) {
		assert.Equal(t, "DONE", v.Status)
		assert.Equal(t, "15000", string(v.Amount))
		assert.Equal(t, []string{"refund"}, v.Acts)
	})
	t.Run("with its request", func(t *testing.T) {
		q := last[requestView](p, requests)
		assert.Equal(t, "confirm payment", q.Operation)
		assert.Equal(t, v.PaymentKey, q.PaymentKey)
		assert.Equal(t, v.OrderID, q.OrderID)
	})
	t.Run("with its webhook and its money", func(t *testing.T) {
		assert.Equal(t, v.OrderID, last[webhookView](p, webhooks).OrderID)
		assert.Equal(t, "approved", last[entryView](p, entries).Kind)
	})
}

func TestThePageLearnsThatTimeHasPassed(t *testing.T) {
	b := openSandbox(t)
	p := b.follow()
	before := p.changes
	b.press(act{Do: "advance", Of: "10m"})
	p.read()
	assert.Equal(t, before+1, p.changes)
	assert.WithinDuration(t, time.Now().Add(10*time.Minute), b.sandbox.toss.Now(), time.Minute)
}

// detail reads what the page shows of one thing.
func (b *browser) detail(k kind, id string, into any) {
	b.t.Helper()
	response, text := b.send(http.MethodGet, "/sandbox/detail/"+string(k)+"/"+url.PathEscape(id), "", nil)
	require.Equal(b.t, http.StatusOK, response.StatusCode, text)
	require.NoError(b.t, json.Unmarshal([]byte(text), into))
}

func TestThingsAreShownWhole(t *testing.T) {
	b := openSandbox(t)
	b.pay("CARD")
	s := b.state()
	v := last[paymentView](s, payments)
	t.Run("payment", func(t *testing.T) {
		var p documentDetail
		b.detail(payments, v.PaymentKey, &p)
		assert.Contains(t, string(p.Document), `"approvedAt"`)
		var statuses []string
		for _, x := range p.Life {
			statuses = append(statuses, x.Status)
		}
		assert.Equal(t, []string{"READY", "IN_PROGRESS", "DONE"}, statuses)
	})
	t.Run("request", func(t *testing.T) {
		var r requestDetail
		b.detail(requests, last[requestView](s, requests).ID, &r)
		assert.Contains(t, r.Body, v.OrderID)
		assert.Contains(t, r.Answer, `"approvedAt"`)
		assert.NotContains(t, r.Header, "Authorization")
	})
	t.Run("webhook", func(t *testing.T) {
		var w webhookDetail
		b.detail(webhooks, last[webhookView](s, webhooks).ID, &w)
		assert.Contains(t, w.Body, v.OrderID)
		assert.NotEmpty(t, w.Header["Tosspayments-Webhook-Transmission-Id"])
	})
	t.Run("nothing else", func(t *testing.T) {
		for _, path := range []string{"payments/none", "requests/0", "none/1", "entries/1"} {
			response, _ := b.send(http.MethodGet, "/sandbox/detail/"+path, "", nil)
			assert.Equal(t, http.StatusNotFound, response.StatusCode, path)
		}
	})
}

// lastRequest is the newest request in the list, whole.
func (b *browser) lastRequest() (id string, r *tosstest.Request) {
	b.t.Helper()
	id = last[requestView](b.state(), requests).ID
	r, ok := b.sandbox.feed.detail(requests, id).(*tosstest.Request)
	require.True(b.t, ok)
	return id, r
}

// runCurl runs a command that is shown, in a shell.
func runCurl(t *testing.T, command string) (answer []byte) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip(err)
	}
	answer, err := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, "curl", "curl -s", 1)).CombinedOutput()
	require.NoError(t, err, "%s", answer)
	return answer
}

// The command that is shown asks the same again, also through a shell.
func TestCurl(t *testing.T) {
	b := openSandbox(t)
	type sent struct {
		Body, Key string
		Status    int
	}
	const body = `{"paymentKey":"it's","orderId":"주문 $HOME","amount":1}`
	response, _ := b.send(http.MethodPost, "/v1/payments/confirm", body, func(r *http.Request) {
		r.SetBasicAuth(b.sandbox.keys.Secret, "")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k'1")
	})
	require.GreaterOrEqual(t, response.StatusCode, 400)
	_, r := b.lastRequest()
	command := b.sandbox.curl(r)
	assert.Contains(t, command, "-u '"+b.sandbox.keys.Secret+":'")
	runCurl(t, command)
	_, again := b.lastRequest()
	assert.NotSame(t, r, again)
	assert.Equal(t, sent{body, "k'1", r.Status}, sent{string(again.Body), again.Header.Get("Idempotency-Key"), again.Status})
}

func TestQueriesAreShown(t *testing.T) {
	b := openSandbox(t)
	_, _ = b.send(http.MethodGet, "/v1/transactions?startDate=2026-01-01&endDate=2026-01-02", "", func(r *http.Request) { r.SetBasicAuth(b.sandbox.keys.Secret, "") })
	assert.Equal(t, "/v1/transactions?endDate=2026-01-02&startDate=2026-01-01", last[requestView](b.state(), requests).Path)
}

func TestButtonsOfABank(t *testing.T) {
	b := openSandbox(t)
	assert.Equal(t, "waiting", b.pay("VIRTUAL_ACCOUNT").Outcome)
	assert.NotEmpty(t, b.payment().Account)
	for _, step := range []struct {
		press, status string
		acts          []string
	}{
		{"", "WAITING_FOR_DEPOSIT", []string{"deposit", "overdue", "refund"}},
		{"deposit", "DONE", []string{"bounce", "refund"}},
		{"bounce", "WAITING_FOR_DEPOSIT", []string{"deposit", "overdue", "refund"}},
		{"overdue", "WAITING_FOR_DEPOSIT", []string{"refund"}},
		{"refund", "CANCELED", nil},
	} {
		if step.press != "" {
			b.press(act{Do: step.press, Of: b.payment().PaymentKey})
		}
		assert.Equal(t, step.status, b.payment().Status, step.press)
		assert.ElementsMatch(t, step.acts, b.payment().Acts, step.press)
	}
}

func TestRefunds(t *testing.T) {
	b := openSandbox(t)
	for _, method := range []string{"CARD", "VIRTUAL_ACCOUNT"} {
		b.pay(method)
		p := b.payment()
		if method == "VIRTUAL_ACCOUNT" {
			b.press(act{Do: "deposit", Of: p.PaymentKey})
		}
		b.press(act{Do: "refund", Of: p.PaymentKey, Amount: "5000"})
		assert.Equal(t, "10000", string(b.payment().Balance))
		b.press(act{Do: "refund", Of: p.PaymentKey, Amount: "5000"})
		assert.Equal(t, "5000", string(b.payment().Balance))
		b.press(act{Do: "refund", Of: p.PaymentKey})
		assert.Equal(t, "0", string(b.payment().Balance))
		assert.Empty(t, b.payment().Acts)
		assert.Len(t, b.sandbox.toss.Refunds(p.OrderID), 3)
	}
}

func TestTheNextPaymentIsRefused(t *testing.T) {
	b := openSandbox(t)
	b.press(act{Do: "fault", Of: "refuse", Operation: tosstest.ConfirmPayment, Code: tosspayments.ErrRejectCardPayment})
	assert.Equal(t, []waiting{{"refuse", tosstest.ConfirmPayment, "", tosspayments.ErrRejectCardPayment}}, b.state().Faults)
	r := b.pay("CARD")
	assert.Equal(t, "refused", r.Outcome)
	assert.Equal(t, tosspayments.ErrRejectCardPayment, r.Code)
	assert.Empty(t, b.state().Faults)
	q := last[requestView](b.state(), requests)
	assert.Equal(t, "refuse", q.Fault)
	assert.Equal(t, "REJECT_CARD_PAYMENT", q.Code)
}

func TestTheNextAnswerIsLost(t *testing.T) {
	t.Parallel()
	for _, of := range []string{"lose", "drop", "500", "502", "429"} {
		t.Run(of, func(t *testing.T) {
			t.Parallel() // It waits between attempts.
			b := openSandbox(t)
			b.press(act{Do: "fault", Of: of, Operation: tosstest.ConfirmPayment})
			assert.Equal(t, []waiting{{Of: of, Operation: tosstest.ConfirmPayment}}, b.state().Faults)
			assert.Equal(t, "paid", b.pay("CARD").Outcome)
			assert.Empty(t, b.state().Faults)
			assert.Equal(t, 1, b.sandbox.toss.Charges(b.payment().OrderID))
		})
	}
}

func TestFaultsAreCleared(t *testing.T) {
	b := openSandbox(t)
	for _, of := range []string{"slow", "duplicate", "hold", "delay", "lose-webhook"} {
		b.press(act{Do: "fault", Of: of})
	}
	assert.Equal(t, []waiting{{Of: "slow"}, {Of: "duplicate"}, {Of: "hold"}, {Of: "delay"}, {Of: "lose-webhook"}}, b.state().Faults)
	b.press(act{Do: "clear"})
	assert.Empty(t, b.state().Faults)
}

func TestAnEventIsSentAgain(t *testing.T) {
	b := openSandbox(t)
	b.press(act{Do: "fault", Of: "duplicate"})
	b.pay("CARD")
	assert.Len(t, b.state().Lists[webhooks], 2)
	b.press(act{Do: "resend", Of: last[webhookView](b.state(), webhooks).Transmission})
	s := b.state()
	assert.Len(t, s.Lists[webhooks], 3)
	assert.Positive(t, last[webhookView](s, webhooks).Retried)
}

func TestButtonsThatCannotBePressed(t *testing.T) {
	b := openSandbox(t)
	b.pay("CARD")
	key := b.payment().PaymentKey
	for _, a := range []act{
		{}, {Do: "dance"}, {Do: "deposit", Of: key}, {Do: "deposit", Of: "none"}, {Do: "bounce", Of: key}, {Do: "overdue", Of: key}, {Do: "refund"},
		{Do: "refund", Of: key, Amount: "x"}, {Do: "refund", Of: key, Amount: "15001"}, {Do: "resend"}, {Do: "advance", Of: "-1h"}, {Do: "advance"},
		{Do: "fault"}, {Do: "fault", Of: "refuse"}, {Do: "fault", Of: "refuse", Code: "NO_SUCH_CODE"},
	} {
		status, text := b.post("/sandbox/act", a, nil)
		assert.Equal(t, http.StatusConflict, status, "%+v", a)
		assert.NotEmpty(t, text)
	}
	response, _ := b.send(http.MethodPost, "/sandbox/act", "", nil)
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	assert.Empty(t, b.state().Faults)
	assert.Equal(t, "DONE", b.payment().Status)
}

func TestTheShopChargesARegisteredCard(t *testing.T) {
	b := openSandbox(t)
	b.ask("/sandbox/shop/order", map[string]string{"kind": "billing"}, &order{})
	var c card
	b.ask("/sandbox/shop/card", map[string]string{"query": b.window("billing", map[string]any{"method": "CARD"})}, &c)
	assert.NotEmpty(t, c.Number)
	for range 2 {
		var r result
		b.ask("/sandbox/shop/charge", map[string]string{"id": c.ID}, &r)
		assert.Equal(t, "paid", r.Outcome)
		assert.Equal(t, "9900", string(r.Payment.Amount))
	}
	assert.Len(t, b.sandbox.toss.Ledger(), 2)
}

// The amount is the shop's, not the browser's.
func TestTheShopRefuses(t *testing.T) {
	b := openSandbox(t)
	var o order
	b.ask("/sandbox/shop/order", map[string]string{"kind": "payment"}, &o)
	query := b.window("payment", map[string]any{
		"method": "CARD", "amount": map[string]any{"currency": "KRW", "value": 100}, "orderId": o.ID, "orderName": o.Name,
	})
	for path, body := range map[string]map[string]string{
		"confirm": {"query": query}, "card": {"query": "authKey=x"}, "charge": {"id": "none"}, "order": {"kind": "none"},
	} {
		status, text := b.post("/sandbox/shop/"+path, body, nil)
		assert.Equal(t, http.StatusConflict, status, path)
		assert.NotEmpty(t, text)
	}
	status, _ := b.post("/sandbox/shop/confirm", map[string]string{"query": "paymentKey=key&orderId=unknown-order&amount=100"}, nil)
	assert.Equal(t, http.StatusConflict, status)
	assert.Empty(t, b.sandbox.toss.Ledger())
}

func TestShopForgets(t *testing.T) {
	b := openSandbox(t)
	var first order
	for i := range maxOrders + 1 {
		o, err := b.sandbox.shop.open(t.Context(), struct{ Kind string }{"payment"})
		require.NoError(t, err)
		if i == 0 {
			first = o
		}
	}
	assert.Len(t, b.sandbox.shop.orders, maxOrders)
	assert.NotContains(t, b.sandbox.shop.orders, first.ID)
}

func TestWebhooksGoOut(t *testing.T) {
	received := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- string(body)
	}))
	defer receiver.Close()
	b := openSandbox(t, "-webhook", receiver.URL)
	b.pay("CARD")
	assert.Contains(t, <-received, b.payment().OrderID)
	assert.Equal(t, []string{receiver.URL}, b.state().About.Webhooks)
}

func newTestFeed() *feed {
	f := newFeed()
	f.now = time.Now
	f.opened = func(body []byte) string { return string(body) }
	return f
}

func putStatus(f *feed, key, status string) {
	f.putPayment(encode(map[string]any{"paymentKey": key, "status": status, "totalAmount": 1, "balanceAmount": 1}))
}

// A page that is slow, or new, gets each thing once, as it is by then.
func TestFeed(t *testing.T) {
	f := newTestFeed()
	putStatus(f, "a", "READY")
	putStatus(f, "b", "READY")
	news, seen, changed := f.since(0)
	assert.Len(t, news[payments], 2)
	putStatus(f, "a", "IN_PROGRESS")
	putStatus(f, "a", "DONE")
	<-changed
	news, seen, changed = f.since(seen)
	require.Len(t, news[payments], 1)
	assert.Contains(t, string(news[payments][0]), `"DONE"`)
	news, _, _ = f.since(seen)
	assert.Empty(t, news)
	select {
	case <-changed:
		t.Error("nothing has changed")
	default:
	}
	news, _, _ = f.since(0)
	assert.Contains(t, string(news[payments][0]), `"DONE"`, "by age, and not by change")
}

// What is old is dropped, of its own kind only.
func TestFeedIsBounded(t *testing.T) {
	f := newTestFeed()
	putStatus(f, "a", "READY")
	for i := range maxItems + 10 {
		f.putRequest(&tosstest.Request{Path: "/v1/payments/x", Body: bytes.Repeat([]byte("x"), i)})
	}
	news, _, _ := f.since(0)
	assert.Len(t, news[requests], maxItems)
	for range 40 {
		f.putRequest(&tosstest.Request{Path: "/v1/payments/x", Body: make([]byte, 1<<20)})
	}
	assert.LessOrEqual(t, f.lists[requests].size, maxBytes)
	news, _, _ = f.since(0)
	assert.Less(t, len(news[requests]), 40)
	assert.Len(t, news[payments], 1)
}

func TestFlags(t *testing.T) {
	var text bytes.Buffer
	require.Error(t, run(t.Context(), []string{"-h"}, io.Discard, &text))
	for _, flag := range []string{"-addr", "-public", "-url", "-host", "-webhook", "-secret-key", "-client-key", "-widget-secret-key", "-widget-client-key", "-security-key", "-seed", "-faults", "-api-version", "-state", "No money moves"} {
		assert.Contains(t, text.String(), flag)
	}
	for _, args := range [][]string{
		{"-webhook", "localhost:3000"}, {"-webhook", "ftp://localhost"}, {"-none"}, {"rest"}, {"-addr", "nowhere"}, {"-url", "here"},
		{"-addr", ":8787"}, {"-addr", "0.0.0.0:8787"}, {"-addr", "192.168.0.1:8787"}, {"-addr", "[::]:8787"}, {"-addr", "example.com:80"},
		{"-secret-key", "live_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"}, {"-secret-key", "test_gsk_docs_OaPz8L5KdmQXkzRz3y47BMw6"}, {"-secret-key", "test_sk_a b"},
		{"-client-key", "test_gck_x"}, {"-security-key", "7e57"}, {"-faults", "2"}, {"-faults", "-1"}, {"-api-version", "2020-01-01"},
	} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
	for _, args := range [][]string{
		{}, {"-addr", "localhost:1"}, {"-addr", "[::1]:1"}, {"-addr", "127.0.0.2:1"}, {"-public", "-addr", ":8787"}, {"-public", "-addr", "192.168.0.1:8787"},
		{"-secret-key", tosstest.DefaultSecretKey, "-client-key", tosstest.DefaultClientKey},
	} {
		_, err := parse(args, io.Discard)
		require.NoError(t, err, "%v", args)
	}
}

func TestKeysVersionAndSeed(t *testing.T) {
	flags := []string{"-secret-key", tosstest.DefaultSecretKey, "-client-key", tosstest.DefaultClientKey, "-seed", "7", "-api-version", "2024-06-01"}
	b, c := openSandbox(t, flags...), openSandbox(t, flags...)
	assert.Equal(t, tosstest.DefaultSecretKey, b.state().About.Keys.Secret)
	b.pay("CARD")
	c.pay("CARD")
	one, other := b.payment().PaymentKey, c.payment().PaymentKey
	assert.Equal(t, one[len(one)-5:], other[len(other)-5:], "the seed decides")
}

func TestRandomFaults(t *testing.T) {
	s, err := parse([]string{"-faults", "1", "-seed", "7"}, io.Discard)
	require.NoError(t, err)
	s.keys.fill()
	synctest.Test(t, func(t *testing.T) {
		toss := tosstest.New(s.options()...)
		_, _ = toss.Client().GetPayment(t.Context(), "x")
		for _, r := range toss.Requests() {
			assert.NotNil(t, r.Fault)
		}
		assert.NotEmpty(t, toss.Requests())
	})
}

// What was there when it was killed is there when it starts again, keys too.
// usedSandbox is one that keeps its state in a file, and has something to keep.
func usedSandbox(t *testing.T, file string) *browser {
	t.Helper()
	b := openSandbox(t, "-state", file)
	b.pay("CARD")
	b.pay("VIRTUAL_ACCOUNT")
	b.press(act{Do: "advance", Of: "24h"})
	b.press(act{Do: "register-seller"})
	b.press(act{Do: "agree", Of: "customer-1"})
	return b
}

func TestStateFile(t *testing.T) {
	name, killed := filepath.Join(t.TempDir(), "sandbox.json"), filepath.Join(t.TempDir(), "sandbox.json")
	b := usedSandbox(t, name)
	// It is not closed: it was killed.
	for _, end := range []string{"", ".keys"} {
		data, err := os.ReadFile(name + end)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(killed+end, data, 0o600))
	}
	again := openSandbox(t, "-state", killed)
	before, after := b.state(), again.state()
	t.Run("has the keys and the clock", func(t *testing.T) {
		assert.Equal(t, before.About.Keys, after.About.Keys)
		assert.Equal(t, killed, after.About.State)
		assert.WithinDuration(t, b.sandbox.toss.Now(), again.sandbox.toss.Now(), time.Minute)
	})
	t.Run("has what the page shows", func(t *testing.T) {
		require.Len(t, after.Lists[payments], 2)
		for i := range after.Lists[payments] {
			assert.JSONEq(t, string(before.Lists[payments][i]), string(after.Lists[payments][i]))
		}
		assert.Len(t, after.Lists[entries], 1)
		assert.Equal(t, before.Lists[sellers], after.Lists[sellers])
		assert.Equal(t, before.Lists[customers], after.Lists[customers])
	})
	t.Run("goes on", func(t *testing.T) {
		again.press(act{Do: "deposit", Of: last[paymentView](after, payments).PaymentKey})
		assert.Equal(t, "DONE", again.payment().Status)
	})
}

func TestStateFileOfAnother(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sandbox.json")
	openSandbox(t, "-state", name)
	s, err := parse([]string{"-state", name, "-secret-key", tosstest.DefaultSecretKey}, io.Discard)
	require.NoError(t, err)
	_, err = newSandbox(s)
	require.ErrorContains(t, err, name+": another server is using it")
}

func TestStateFileWithAKeyThatWasGiven(t *testing.T) {
	b := openSandbox(t, "-state", filepath.Join(t.TempDir(), "other"), "-secret-key", tosstest.DefaultSecretKey)
	assert.Equal(t, tosstest.DefaultSecretKey, b.sandbox.keys.Secret)
	assert.NotEmpty(t, b.sandbox.keys.Client)
}

func TestStateFilesThatCannotBeUsed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sandbox.json")
	openSandbox(t, "-state", name)
	info, err := os.Stat(name + ".keys")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, os.WriteFile(name+".keys", []byte("no JSON"), 0o600))
	_, err = newSandbox(settings{stateFile: name})
	require.ErrorContains(t, err, name+".keys")
	_, err = newSandbox(settings{stateFile: t.TempDir()})
	require.Error(t, err)
}

func TestGreeting(t *testing.T) {
	b := openSandbox(t, "-webhook", "http://127.0.0.1:1/webhook")
	var text bytes.Buffer
	b.sandbox.greet(&text)
	k := b.sandbox.keys
	for _, want := range []string{
		b.server.URL + "/ ", b.server.URL + "/shop", b.server.URL + tosstest.ScriptPath, k.Secret, k.Client, k.WidgetSecret, k.WidgetClient, k.Security,
		"http://127.0.0.1:1/webhook", "No money moves", "curl -u " + k.Secret + ":", `WithBaseURL("` + b.server.URL + `")`,
	} {
		assert.Contains(t, text.String(), want)
	}
	assert.NotContains(t, text.String(), "%!")
}

func TestAddresses(t *testing.T) {
	for _, test := range []struct {
		address net.TCPAddr
		want    string
	}{
		{net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8787}, "http://127.0.0.1:8787"},
		{net.TCPAddr{IP: net.IPv6zero, Port: 80}, "http://localhost:80"},
		{net.TCPAddr{IP: net.IPv6loopback, Port: 1}, "http://[::1]:1"},
	} {
		assert.Equal(t, test.want, reachable(&test.address))
	}
	s, err := parse([]string{"-public", "-addr", ":8787", "-url", "http://dev.example:9000/"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "http://dev.example:9000", s.url)
	assert.True(t, (&sandbox{settings: s}).isOwn("dev.example:9000"))
}

func TestTheProgram(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a program of its own")
	}
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0")
	command.Env = append(os.Environ(), "TOSS_SANDBOX_RUN=1")
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	defer func() { _ = command.Wait() }()
	defer func() { _ = command.Process.Kill() }()
	text := ""
	for buffer := make([]byte, 4096); !strings.Contains(text, "Ctrl+C"); {
		n, err := out.Read(buffer)
		require.NoError(t, err, text)
		text += string(buffer[:n])
	}
	_, address, _ := strings.Cut(text, "http://")
	address, _, _ = strings.Cut(address, "/")
	response, err := http.Get("http://" + address + "/")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)

	// Its port is taken, by itself and by somebody else.
	err = run(t.Context(), []string{"-addr", address}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "another toss-sandbox is running at http://"+address+"/")
	require.NoError(t, command.Process.Signal(os.Interrupt))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	err = run(t.Context(), []string{"-addr", listener.Addr().String()}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "-addr 127.0.0.1:8788")
}

// Anybody can build it at once: it imports nothing but this module and the standard
// library.
func TestStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	require.NoError(t, err)
	require.NotEmpty(t, out)
	for name := range strings.FieldsSeq(string(out)) {
		assert.True(t, strings.HasPrefix(name, "github.com/seed238ab19c/tosspayments"), name)
	}
}
