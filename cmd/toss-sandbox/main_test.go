package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The test binary is the program when it is asked to be.
func TestMain(m *testing.M) {
	if os.Getenv("TOSS_SANDBOX_RUN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// browser is what stands at the page.
type browser struct {
	t       *testing.T
	sandbox *sandbox
	server  *httptest.Server
}

func open(t *testing.T, s settings) *browser {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	b := newSandbox("http://"+server.Listener.Addr().String(), s)
	server.Config.Handler = b.handler()
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

func (b *browser) press(do, of string) (window string) {
	b.t.Helper()
	body, _ := json.Marshal(act{do, of})
	response, text := b.send(http.MethodPost, "/sandbox/act", string(body), nil)
	require.Equal(b.t, http.StatusOK, response.StatusCode, text)
	var answer struct{ Window string }
	require.NoError(b.t, json.Unmarshal([]byte(text), &answer))
	return answer.Window
}

func (b *browser) state() (s state) {
	b.t.Helper()
	b.sandbox.toss.WaitWebhooks()
	response, text := b.send(http.MethodGet, "/sandbox/state", "", nil)
	require.Equal(b.t, http.StatusOK, response.StatusCode)
	require.NoError(b.t, json.Unmarshal([]byte(text), &s))
	return s
}

// pay goes through the window of a test payment, back to the page.
func (b *browser) pay(method string) paymentView {
	b.t.Helper()
	response, err := b.server.Client().PostForm(b.press("pay", method), url.Values{"outcome": {"pay"}})
	require.NoError(b.t, err)
	require.NoError(b.t, response.Body.Close())
	require.Equal(b.t, "/", response.Request.URL.Path)
	require.Equal(b.t, http.StatusOK, response.StatusCode)
	return b.state().Payments[0]
}

func TestPageAndItsFiles(t *testing.T) {
	b := open(t, settings{})
	for path, want := range map[string]string{"/": "토스페이먼츠 샌드박스", "/sandbox/page.js": "/sandbox/state", "/sandbox/page.css": "body", tosstest.ScriptPath: "TossPayments"} {
		response, text := b.send(http.MethodGet, path, "", nil)
		assert.Equal(t, http.StatusOK, response.StatusCode, path)
		assert.Contains(t, text, want, path)
		if path != tosstest.ScriptPath {
			assert.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		}
	}
	page, err := files.ReadFile("page/index.html")
	require.NoError(t, err)
	script, err := files.ReadFile("page/page.js")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`byId\("(\w+)"\)`).FindAllSubmatch(script, -1) {
		assert.Contains(t, string(page), `id="`+string(m[1])+`"`)
	}
	for _, m := range regexp.MustCompile(`data-do="(\w+)"(?: data-of="([\w ]+)")?`).FindAllSubmatch(page, -1) {
		b.press(string(m[1]), string(m[2]))
	}
}

func TestPaymentsRequestsAndEvents(t *testing.T) {
	b := open(t, settings{})
	window := b.press("pay", "CARD")
	p := b.state().Payments[0]
	assert.Equal(t, window, p.Window)
	assert.Equal(t, "READY", p.Status)

	p = b.pay("CARD")
	assert.Equal(t, "DONE", p.Status)
	assert.Equal(t, "15000", p.Amount)
	assert.Empty(t, p.Window)
	s := b.state()
	require.NotEmpty(t, s.Requests)
	assert.Equal(t, "/v1/payments/confirm", s.Requests[0].Path)
	assert.Contains(t, s.Requests[0].Body, p.OrderID)
	assert.NotContains(t, s.Requests[0].Header, "Authorization")
	require.Len(t, s.Events, 1)
	assert.Equal(t, p.OrderID, s.Events[0].OrderID)

	b.press("resend", s.Events[0].ID)
	s = b.state()
	require.Len(t, s.Events, 2)
	assert.Equal(t, 1, s.Events[0].Retried)

	b.press("advance", "30m")
	assert.Equal(t, "EXPIRED", b.state().Payments[1].Status)
}

func TestBankButtons(t *testing.T) {
	b := open(t, settings{})
	p := b.pay("VIRTUAL_ACCOUNT")
	assert.Equal(t, "WAITING_FOR_DEPOSIT", p.Status)
	assert.NotEmpty(t, p.Account)
	assert.Equal(t, []string{"deposit", "overdue"}, p.Acts)
	b.press("deposit", p.OrderID)
	p = b.state().Payments[0]
	assert.Equal(t, "DONE", p.Status)
	assert.Equal(t, []string{"bounce"}, p.Acts)
	b.press("bounce", p.OrderID)
	assert.Equal(t, "WAITING_FOR_DEPOSIT", b.state().Payments[0].Status)
	b.press("overdue", p.OrderID)
	p = b.state().Payments[0]
	assert.Empty(t, p.Acts)

	for _, body := range []string{"", `{"do":"deposit","of":"` + p.OrderID + `"}`, `{"do":"deposit","of":"none"}`, `{"do":"bounce"}`, `{"do":"overdue"}`,
		`{"do":"resend"}`, `{"do":"advance","of":"-1h"}`, `{"do":"pay","of":"NONE"}`, `{"do":"dance"}`} {
		response, text := b.send(http.MethodPost, "/sandbox/act", body, nil)
		assert.GreaterOrEqual(t, response.StatusCode, 400, body)
		assert.NotEmpty(t, text)
	}
}

func TestBadLuckButtons(t *testing.T) {
	b := open(t, settings{})
	confirm := func() (int, error) {
		redirect := b.sandbox.toss.Authenticate(tosstest.Checkout{OrderID: tosspayments.NewOrderID(), OrderName: "socks", Amount: tosspayments.Won(1000)})
		body, _ := json.Marshal(map[string]any{"paymentKey": redirect.PaymentKey, "orderId": redirect.OrderID, "amount": 1000})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.server.URL+"/v1/payments/confirm", bytes.NewReader(body))
		require.NoError(t, err)
		r.SetBasicAuth(b.sandbox.secretKey, "")
		response, err := b.server.Client().Do(r)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	b.press("500", "")
	status, err := confirm()
	require.NoError(t, err)
	assert.Equal(t, http.StatusInternalServerError, status)
	b.press("refuse", "")
	status, err = confirm()
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, status)
	b.press("drop", "")
	_, err = confirm()
	require.Error(t, err)
	assert.Equal(t, "drop", b.state().Requests[0].Fault)
	assert.Equal(t, "DONE", b.state().Payments[0].Status)
	b.press("drop", "confirm payment")
	b.press("clear", "")
	status, err = confirm()
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
}

func TestWebhooksGoOut(t *testing.T) {
	received := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- string(body)
	}))
	defer receiver.Close()
	b := open(t, settings{webhooks: []string{receiver.URL}})
	p := b.pay("CARD")
	assert.Contains(t, <-received, p.OrderID)
	assert.Equal(t, []string{receiver.URL}, b.state().Webhooks)
}

// A web page of a stranger that the developer visits gets nothing, and moves nothing.
func TestStrangers(t *testing.T) {
	b := open(t, settings{hosts: []string{"toss-sandbox"}})
	for host, own := range map[string]bool{
		"127.0.0.1:8787": true, "localhost": true, "LOCALHOST:1": true, "[::1]:8787": true, "[::1]": true, "toss-sandbox:8787": true,
		"evil.example": false, "evil.example:8787": false, "127.0.0.1.evil.example": false, "192.168.0.1": false, "localhost.evil.example": false,
	} {
		for _, path := range []string{"/", "/sandbox/state", "/v1/payments/x", "/window/x", tosstest.ScriptPath} {
			response, text := b.send(http.MethodGet, path, "", func(r *http.Request) { r.Host = host })
			assert.Equal(t, own, response.StatusCode != http.StatusForbidden, "%s %s", host, path)
			assert.Equal(t, own, !strings.Contains(text, "-host allows it"), "%s %s", host, path)
		}
	}
	for name, value := range map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"} {
		response, _ := b.send(http.MethodPost, "/sandbox/act", `{"do":"advance","of":"1h"}`, func(r *http.Request) { r.Header.Set(name, value) })
		assert.Equal(t, http.StatusForbidden, response.StatusCode, name)
	}
	assert.WithinDuration(t, time.Now(), b.sandbox.toss.Now(), time.Minute)
	response, _ := b.send(http.MethodGet, "/sandbox/state", "", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") })
	assert.Empty(t, response.Header.Get("Access-Control-Allow-Origin"))

	other := open(t, settings{})
	assert.Regexp(t, "^test_sk_[0-9a-f]{32}$", b.sandbox.secretKey)
	assert.Regexp(t, "^test_ck_[0-9a-f]{32}$", b.sandbox.clientKey)
	assert.NotEqual(t, b.sandbox.secretKey, other.sandbox.secretKey)
	response, _ = b.send(http.MethodGet, "/v1/payments/x", "", func(r *http.Request) { r.SetBasicAuth(tosstest.DefaultSecretKey, "") })
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

func TestFlags(t *testing.T) {
	var text bytes.Buffer
	require.Error(t, run(t.Context(), []string{"-h"}, io.Discard, &text))
	for _, flag := range []string{"-addr", "-host", "-webhook", "No money moves"} {
		assert.Contains(t, text.String(), flag)
	}
	for _, args := range [][]string{{"-webhook", "localhost"}, {"more"}, {"-none"}} {
		require.Error(t, run(t.Context(), args, io.Discard, io.Discard), args)
	}
	s, err := parse([]string{"-host", "a", "-host", "b", "-addr", ":1", "-webhook", "http://a/b"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, settings{":1", []string{"a", "b"}, []string{"http://a/b"}}, s)
	assert.Equal(t, "http://a:1", reachable(&net.TCPAddr{IP: net.IPv4zero, Port: 1}, s.hosts))
	assert.Equal(t, "http://localhost:1", reachable(&net.TCPAddr{IP: net.IPv4zero, Port: 1}, nil))
	assert.Equal(t, "http://[::1]:1", reachable(&net.TCPAddr{IP: net.IPv6loopback, Port: 1}, nil))
}

func TestTakenPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	err = run(t.Context(), []string{"-addr", listener.Addr().String()}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "Choose another one: toss-sandbox -addr")
}

// The program itself, from its first line to a payment of the library.
func TestProgram(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, os.Args[0], "-addr", "127.0.0.1:0")
	program.Env = append(os.Environ(), "TOSS_SANDBOX_RUN=1")
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	defer func() {
		_ = program.Process.Kill()
		_ = program.Wait()
	}()
	var printed strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(printed.String(), "Ctrl+C") {
		n, err := out.Read(buffer)
		require.NoError(t, err, printed.String())
		printed.Write(buffer[:n])
	}
	assert.Contains(t, printed.String(), "This is a sandbox")
	found := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(printed.String())
		require.Len(t, m, 2, pattern)
		return m[1]
	}
	address := found(`API +(http://127\.0\.0\.1:\d+)\n`)
	client, err := tosspayments.New(found(`secret key +(test_sk_\w+)\n`), tosspayments.WithBaseURL(address))
	require.NoError(t, err)
	defer client.Close()
	p, err := client.CreatePayment(ctx, tosspayments.CreatePaymentRequest{
		Method: tosspayments.MethodCard, OrderID: tosspayments.NewOrderID(), OrderName: "socks", Amount: tosspayments.Won(1000),
		SuccessURL: address + "/", FailURL: address + "/",
	})
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(p.Checkout.URL, address+"/window/"), p.Checkout.URL)
}
