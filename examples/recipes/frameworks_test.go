package recipes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// serveFiber listens, and returns the address.
func serveFiber(t *testing.T, app *fiber.App) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		assert.NoError(t, app.Shutdown())
		assert.NoError(t, <-done)
	})
	return listener.Addr().String()
}

// servers mount the same receiver in each framework, each behind a listener.
func servers(t *testing.T, handler *webhook.Handler) map[string]string {
	gin.SetMode(gin.ReleaseMode)
	mux := http.NewServeMux()
	Mount(mux, handler)
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	router := gin.New()
	MountGin(router, handler)
	withGin := httptest.NewServer(router)
	t.Cleanup(withGin.Close)
	withChi := chi.NewRouter()
	new(Shop).MountChi(withChi, handler)
	chiServer := httptest.NewServer(withChi)
	t.Cleanup(chiServer.Close)
	withEcho := echo.New()
	MountEcho(withEcho, handler)
	echoServer := httptest.NewServer(withEcho)
	t.Cleanup(echoServer.Close)
	app := NewFiber()
	MountFiber(app, handler)
	return map[string]string{
		"net/http": plain.Listener.Addr().String(), "gin": withGin.Listener.Addr().String(), "fiber": serveFiber(t, app),
		"chi": chiServer.Listener.Addr().String(), "echo": echoServer.Listener.Addr().String(),
	}
}

const sentAt = "2026-03-01T12:19:21+09:00"

func send(t *testing.T, address, body, id, signature string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/webhooks/toss", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("tosspayments-webhook-transmission-id", id)
	r.Header.Set("tosspayments-webhook-transmission-time", sentAt)
	if signature != "" {
		r.Header.Set("tosspayments-webhook-signature", signature)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, response.Body)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestWebhooksInEveryFramework(t *testing.T) {
	database := newMemory()
	database.orders["order-0001"] = Order{ID: "order-0001", Payment: &tosspayments.Payment{Secret: tosspayments.NewSensitive("ps_right")}}
	handler, err := Receiver(database, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	handler.Logger = nil
	var got []webhook.Delivery
	handle := handler.Handle
	handler.Handle = func(ctx context.Context, d webhook.Delivery) error {
		got = append(got, d)
		return handle(ctx, d)
	}
	deposit := func(secret string) string {
		return `{"createdAt":"2026-03-01T13:05:44.000000","secret":"` + secret + `","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`
	}
	for name, address := range servers(t, handler) {
		t.Run(name, func(t *testing.T) {
			got, database.woken = nil, 0
			clear(database.events)
			// Every byte counts: spaces, escapes and Korean are kept as they are.
			payout := "{ \"eventType\": \"payout.changed\",\n\t\"eventId\":\"evt_1\", \"entityBody\":{\"id\":\"FPA_1\",\"transactionDescription\":\"3월\\u0020정산\"} }\n"
			signature, err := webhook.Sign(tosstest.DefaultSecurityKey, []byte(payout), sentAt, true)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, send(t, address, payout, "whtrans_signed", signature))
			require.Len(t, got, 1)
			assert.Equal(t, webhook.BySignature, got[0].Verified)
			assert.Equal(t, payout, database.events["event/evt_1"])
			assert.Equal(t, http.StatusUnauthorized, send(t, address, strings.TrimSpace(payout), "x", signature), "other bytes")
			assert.Equal(t, http.StatusUnauthorized, send(t, address, payout, "x", ""))

			assert.Equal(t, http.StatusOK, send(t, address, deposit("ps_right"), "whtrans_deposit", ""))
			assert.Equal(t, http.StatusUnauthorized, send(t, address, deposit("ps_wrong"), "x", ""))
			assert.Equal(t, http.StatusBadRequest, send(t, address, "not JSON", "x", ""))
			assert.Equal(t, 1, database.woken)

			database.broken = errors.New("the database is away")
			assert.Equal(t, http.StatusInternalServerError, send(t, address, deposit("ps_right"), "x", ""))
			database.broken = nil

			response, err := http.Get("http://" + address + "/webhooks/toss")
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Contains(t, []int{http.StatusMethodNotAllowed, http.StatusNotFound}, response.StatusCode)

			// What was handed over is still the same after other requests.
			assert.Equal(t, "whtrans_signed", got[0].Transmission.ID)
			assert.Equal(t, sentAt, got[0].Transmission.Time)
			assert.Equal(t, "whtrans_deposit", got[1].Transmission.ID)
			assert.Equal(t, http.StatusRequestEntityTooLarge, flood(t, address))
		})
	}
}

// flood sends two MiB, and returns the status that comes in between.
func flood(t *testing.T, address string) int {
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	require.NoError(t, connection.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = fmt.Fprintf(connection, "POST /webhooks/toss HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n", 2<<20)
	require.NoError(t, err)
	// The other side stops reading somewhere.
	go func() { _, _ = connection.Write(bytes.Repeat([]byte(" "), 1<<20+1)) }()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

func TestSuccessRedirectInEveryFramework(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for name, serve := range map[string]func(*Shop) string{
		"gin": func(shop *Shop) string {
			router := gin.New()
			router.GET("/success", shop.GinSuccess)
			server := httptest.NewServer(router)
			t.Cleanup(server.Close)
			return server.Listener.Addr().String()
		},
		"chi": func(shop *Shop) string {
			router := chi.NewRouter()
			shop.MountChi(router, &webhook.Handler{})
			server := httptest.NewServer(router)
			t.Cleanup(server.Close)
			return server.Listener.Addr().String()
		},
		"echo": func(shop *Shop) string {
			router := echo.New()
			router.GET("/success", shop.EchoSuccess)
			server := httptest.NewServer(router)
			t.Cleanup(server.Close)
			return server.Listener.Addr().String()
		},
		"fiber": func(shop *Shop) string {
			app := NewFiber()
			app.Get("/success", shop.FiberSuccess)
			return serveFiber(t, app)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, tosstest.NewServer(t))
			s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0001"})
			address := serve(s.Shop)
			get := func(query string) (int, string, string) {
				response, err := client.Get("http://" + address + "/success?" + query)
				require.NoError(t, err)
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				return response.StatusCode, response.Header.Get("Location"), string(body)
			}
			tampered := back(s.request)
			tampered.Set("amount", "100")
			status, _, body := get(tampered.Encode())
			assert.Equal(t, http.StatusBadRequest, status)
			assert.Contains(t, body, "결제되지 않았어요")
			status, _, _ = get("paymentKey=%zz")
			assert.Equal(t, http.StatusBadRequest, status)
			status, _, _ = get("paymentKey=p&orderId=order-none&amount=1")
			assert.Equal(t, http.StatusNotFound, status)
			assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment))

			for range 2 {
				status, location, _ := get(back(s.request).Encode())
				assert.Equal(t, http.StatusSeeOther, status)
				assert.Equal(t, "/orders/order-0001", location)
			}
			assert.Equal(t, 1, s.server.Charges("order-0001"))

			s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0002", Refusal: tosspayments.ErrRejectCardCompany})
			status, _, _ = get(back(s.request).Encode())
			assert.Equal(t, http.StatusSeeOther, status)
			assert.Contains(t, s.page(), "다른 카드")

			s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0003"})
			s.broken = errors.New("the database is away")
			status, _, body = get(back(s.request).Encode())
			assert.Equal(t, http.StatusServiceUnavailable, status)
			assert.Contains(t, body, "새로고침")
		})
	}
}
