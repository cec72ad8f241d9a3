package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/tosstest"
)

// A web page whose name a stranger has pointed at this machine gets nothing.
func TestHosts(t *testing.T) {
	b := openSandbox(t, "-host", "toss-sandbox")
	public := openSandbox(t, "-public", "-addr", ":8787")
	for host, own := range map[string]bool{
		"127.0.0.1:8787": true, "127.1.2.3": true, "localhost": true, "LOCALHOST:1": true, "[::1]:8787": true, "[::1]": true, "toss-sandbox:8787": true,
		"evil.example": false, "evil.example:8787": false, "127.0.0.1.evil.example": false, "192.168.0.1": false, "localhost.evil.example": false,
	} {
		for _, path := range []string{"/", "/shop", "/sandbox/detail/payments/x", "/sandbox/page/live.js", "/v1/payments/x", "/window/x", tosstest.ScriptPath} {
			response, text := b.send(http.MethodGet, path, "", func(r *http.Request) { r.Host = host })
			assert.Equal(t, own, response.StatusCode != http.StatusForbidden, "%s %s", host, path)
			assert.Equal(t, own, !strings.Contains(text, "-host allows it"), "%s %s", host, path)
		}
	}
	// An address in digits is nobody's to point elsewhere.
	for host, own := range map[string]bool{"192.168.0.1:8787": true, "[fe80::1]": true, "evil.example": false} {
		response, _ := public.send(http.MethodGet, "/", "", func(r *http.Request) { r.Host = host })
		assert.Equal(t, own, response.StatusCode == http.StatusOK, host)
	}
}

// A web page that the developer visits cannot drive it.
func TestOtherPages(t *testing.T) {
	b := openSandbox(t)
	for _, header := range []map[string]string{
		{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
		{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, {"Origin": "http://localhost:3000"},
	} {
		for path, body := range map[string]string{"/sandbox/act": `{"do":"advance","of":"1h"}`, "/sandbox/shop/order": `{"kind":"payment"}`} {
			response, _ := b.send(http.MethodPost, path, body, func(r *http.Request) {
				for name, value := range header {
					r.Header.Set(name, value)
				}
			})
			assert.Equal(t, http.StatusForbidden, response.StatusCode, "%s %v", path, header)
		}
	}
	assert.WithinDuration(t, time.Now(), b.sandbox.toss.Now(), time.Minute)
	assert.Empty(t, b.sandbox.shop.orders)
	// It may not read, nor hold connections, either; a link leads here.
	for mode, want := range map[string]int{"no-cors": http.StatusForbidden, "cors": http.StatusForbidden, "navigate": http.StatusOK} {
		response, _ := b.send(http.MethodGet, "/", "", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", mode)
		})
		assert.Equal(t, want, response.StatusCode, mode)
		assert.Empty(t, response.Header.Get("Access-Control-Allow-Origin"))
	}
	for _, path := range []string{"/sandbox/act", "/sandbox/shop/order"} {
		response, _ := b.send(http.MethodGet, path, "", nil)
		assert.GreaterOrEqual(t, response.StatusCode, 400, path)
	}
}

func TestKeysAreOfTheirKinds(t *testing.T) {
	k := openSandbox(t).sandbox.keys
	assert.Regexp(t, "^test_sk_[0-9a-f]{32}$", k.Secret)
	assert.Regexp(t, "^test_ck_[0-9a-f]{32}$", k.Client)
	assert.Regexp(t, "^test_gsk_[0-9a-f]{32}$", k.WidgetSecret)
	assert.Regexp(t, "^test_gck_[0-9a-f]{32}$", k.WidgetClient)
}

// Keys are new on every start, so that a page that knows the public ones, or those of
// yesterday, gets nowhere.
func TestKeysAreNew(t *testing.T) {
	b, other := openSandbox(t), openSandbox(t)
	k := b.sandbox.keys
	assert.NotEqual(t, k, other.sandbox.keys)
	for _, key := range []string{tosstest.DefaultSecretKey, other.sandbox.keys.Secret, k.Client, ""} {
		response, _ := b.send(http.MethodGet, "/v1/payments/x", "", func(r *http.Request) { r.SetBasicAuth(key, "") })
		assert.Equal(t, http.StatusUnauthorized, response.StatusCode, key)
	}
	response, _ := b.send(http.MethodPost, "/window", `{"kind":"payment","clientKey":"`+tosstest.DefaultClientKey+`","customerKey":"@@ANONYMOUS","request":{}}`, nil)
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	assert.Empty(t, b.state().Lists[payments])
}

// The addresses that it gives are its own, whatever host it was asked by.
func TestOwnAddress(t *testing.T) {
	b := openSandbox(t)
	_, text := b.send(http.MethodPost, "/v1/payments", `{"method":"CARD","amount":1000,"orderId":"order-0001","orderName":"socks","successUrl":"http://localhost:1/","failUrl":"http://localhost:1/"}`,
		func(r *http.Request) {
			r.Host = "localhost:1"
			r.SetBasicAuth(b.sandbox.keys.Secret, "")
		})
	assert.Contains(t, text, b.server.URL+"/window/")
}

// What strangers send fills neither the memory nor the places.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := openSandbox(t)
	big := strings.Repeat("x", 1<<20)
	for i := range 70 {
		response, _ := b.send(http.MethodPost, fmt.Sprintf("/v1/payments/%d/cancel", i), big, nil)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	}
	assert.LessOrEqual(t, b.sandbox.feed.lists[requests].size, maxBytes)
	for _, path := range []string{"/sandbox/act", "/sandbox/shop/order", "/sandbox/shop/confirm"} {
		response, _ := b.send(http.MethodPost, path, `{"do":"`+big+`"}`, nil)
		assert.Equal(t, http.StatusBadRequest, response.StatusCode, path)
	}
	response, _ := b.send(http.MethodGet, "/v1/payments/x", "", func(r *http.Request) { r.Header.Set("X-Big", strings.Repeat("x", 100<<10)) })
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
	_, text := b.send(http.MethodPost, "/window", `{"kind":"payment","clientKey":"`+b.sandbox.keys.Client+`","customerKey":"@@ANONYMOUS","request":{"method":"CARD",
		"amount":{"currency":"KRW","value":1},"orderId":"order-0001","orderName":"socks","failUrl":"http://localhost/","successUrl":"http://localhost/`+big[:100_000]+`"}}`, nil)
	assert.Contains(t, text, "INCORRECT_SUCCESS_URL_FORMAT")
}

func TestFollowersAreBounded(t *testing.T) {
	b := openSandbox(t)
	for range maxFollowers {
		b.follow()
	}
	// Where it is let in, its answer has no end.
	response, err := b.server.Client().Get(b.server.URL + "/sandbox/events")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	b.server.CloseClientConnections()
	require.Eventually(t, func() bool {
		response, err := http.Get(b.server.URL + "/sandbox/events")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond, "a page that has gone leaves its place")
}

// A request that never ends is given up; a page that follows is not.
func TestTimeLimits(t *testing.T) {
	t.Parallel()
	b := openSandbox(t)
	server := b.sandbox.server()
	assert.Positive(t, server.ReadHeaderTimeout)
	assert.Positive(t, server.IdleTimeout)
	server.ReadTimeout = 300 * time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = server.Close() }()
	dial := func(text string) *bufio.Reader {
		connection, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = connection.Close() })
		_, err = io.WriteString(connection, text)
		require.NoError(t, err)
		require.NoError(t, connection.SetReadDeadline(time.Now().Add(time.Minute)))
		return bufio.NewReader(connection)
	}
	events := dial("GET /sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	stuck := dial("POST /v1/payments/confirm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
	go func() { _ = server.Serve(listener) }()
	_, err = io.ReadAll(stuck)
	require.NoError(t, err, "the connection ends")
	time.Sleep(300 * time.Millisecond)
	b.press(act{Do: "fault", Of: "502"})
	for line := ""; !strings.Contains(line, `"of":"502"`); {
		line, err = events.ReadString('\n')
		require.NoError(t, err)
	}
}
