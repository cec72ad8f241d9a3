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

// frameworkReceiver is a receiver that keeps what it hands over.
type frameworkReceiver struct {
	*webhook.Handler
	database *memory
	got      []webhook.Delivery
}

func newFrameworkReceiver(t *testing.T) *frameworkReceiver {
	t.Helper()
	r := &frameworkReceiver{database: newMemory()}
	r.database.orders["order-0001"] = Order{ID: "order-0001", Payment: &tosspayments.Payment{Secret: tosspayments.NewSensitive("ps_right")}}
	handler, err := Receiver(r.database, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	handler.Logger = nil
	handle := handler.Handle
	handler.Handle = func(ctx context.Context, d webhook.Delivery) error {
		r.got = append(r.got, d)
		return handle(ctx, d)
	}
	r.Handler = handler
	return r
}

func depositEvent(secret string) string {
	return `{"createdAt":"2026-03-01T13:05:44.000000","secret":"` + secret + `","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`
}

// signedPayout is an event of which every byte counts: spaces, escapes and Korean are kept
// as they are.
func signedPayout(t *testing.T) (event, signature string) {
	t.Helper()
	event = "{ \"eventType\": \"payout.changed\",\n\t\"eventId\":\"evt_1\", \"entityBody\":{\"id\":\"FPA_1\",\"transactionDescription\":\"3월\\u0020정산\"} }\n"
	signature, err := webhook.Sign(tosstest.DefaultSecurityKey, []byte(event), sentAt, true)
	require.NoError(t, err)
	return event, signature
}

func TestWebhooksInEveryFramework(t *testing.T) {
	receiver := newFrameworkReceiver(t)
	payout, signature := signedPayout(t)
	for name, address := range servers(t, receiver.Handler) {
		t.Run(name, func(t *testing.T) {
			receiver.got, receiver.database.woken = nil, 0
			clear(receiver.database.events)
			assert.Equal(t, http.StatusOK, send(t, address, payout, "whtrans_signed", signature))
			assert.Equal(t, http.StatusOK, send(t, address, depositEvent("ps_right"), "whtrans_deposit", ""))
			assert.Equal(t, 1, receiver.database.woken)
			assert.Equal(t, payout, receiver.database.events["event/evt_1"])
			require.Len(t, receiver.got, 2)
			assertKept(t, receiver.got, signature)
		})
	}
}

// assertKept wants what was handed over to be the same after other requests.
func assertKept(t *testing.T, got []webhook.Delivery, signature string) {
	t.Helper()
	assert.Equal(t, webhook.BySignature, got[0].Verified)
	assert.Equal(t, webhook.Transmission{ID: "whtrans_signed", Time: sentAt, Signature: signature}, got[0].Transmission)
	assert.Equal(t, webhook.Transmission{ID: "whtrans_deposit", Time: sentAt}, got[1].Transmission)
}

func TestForgedWebhooksInEveryFramework(t *testing.T) {
	receiver := newFrameworkReceiver(t)
	payout, signature := signedPayout(t)
	for name, address := range servers(t, receiver.Handler) {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusUnauthorized, send(t, address, strings.TrimSpace(payout), "x", signature), "other bytes")
			assert.Equal(t, http.StatusUnauthorized, send(t, address, payout, "x", ""))
			assert.Equal(t, http.StatusUnauthorized, send(t, address, depositEvent("ps_wrong"), "x", ""))
			assert.Equal(t, http.StatusBadRequest, send(t, address, "not JSON", "x", ""))
			assert.Empty(t, receiver.got)
		})
	}
}

func TestWhatElseComesInEveryFramework(t *testing.T) {
	receiver := newFrameworkReceiver(t)
	receiver.database.broken = errors.New("the database is away")
	for name, address := range servers(t, receiver.Handler) {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusInternalServerError, send(t, address, depositEvent("ps_right"), "x", ""))
			response, err := http.Get("http://" + address + "/webhooks/toss")
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Contains(t, []int{http.StatusMethodNotAllowed, http.StatusNotFound}, response.StatusCode)
			assert.Equal(t, http.StatusRequestEntityTooLarge, flood(t, address))
		})
	}
}

// flood sends two MiB, and returns the status that comes in between.
func flood(t *testing.T, address string) int {
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	require.NoError(t, connection.SetDeadline(time.Now().Add(time.Minute)))
	_, err = fmt.Fprintf(connection, "POST /webhooks/toss HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n", 2<<20)
	require.NoError(t, err)
	// The other side stops reading somewhere.
	go func() { _, _ = connection.Write(bytes.Repeat([]byte(" "), 1<<20+1)) }()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

// inEveryFramework lets a browser come back to a shop that is served by each framework; get
// is what it sees of successUrl.
func inEveryFramework(t *testing.T, test func(t *testing.T, s *stand, get func(query string) page)) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for name, serve := range map[string]func(*testing.T, *Shop) string{
		"gin": func(t *testing.T, shop *Shop) string {
			router := gin.New()
			router.GET("/success", shop.GinSuccess)
			return listen(t, router)
		},
		"chi": func(t *testing.T, shop *Shop) string {
			router := chi.NewRouter()
			shop.MountChi(router, &webhook.Handler{})
			return listen(t, router)
		},
		"echo": func(t *testing.T, shop *Shop) string {
			router := echo.New()
			router.GET("/success", shop.EchoSuccess)
			return listen(t, router)
		},
		"fiber": func(t *testing.T, shop *Shop) string {
			app := NewFiber()
			app.Get("/success", shop.FiberSuccess)
			return serveFiber(t, app)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, tosstest.NewServer(t))
			s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0001"})
			address := serve(t, s.Shop)
			test(t, s, func(query string) page {
				response, err := client.Get("http://" + address + "/success?" + query)
				require.NoError(t, err)
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				return page{response.StatusCode, response.Header.Get("Location"), string(body)}
			})
		})
	}
}

// page is what a browser gets.
type page struct {
	Status         int
	Location, Body string
}

func listen(t *testing.T, handler http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestSuccessRedirectInEveryFramework(t *testing.T) {
	inEveryFramework(t, func(t *testing.T, s *stand, get func(query string) page) {
		for range 2 {
			got := get(back(s.request).Encode())
			assert.Equal(t, page{Status: http.StatusSeeOther, Location: "/orders/order-0001"}, page{Status: got.Status, Location: got.Location})
		}
		assert.Equal(t, 1, s.server.Charges("order-0001"))
	})
}

func TestOtherOrdersInEveryFramework(t *testing.T) {
	inEveryFramework(t, func(t *testing.T, s *stand, get func(query string) page) {
		tampered := back(s.request)
		tampered.Set("amount", "100")
		got := get(tampered.Encode())
		assert.Equal(t, http.StatusBadRequest, got.Status)
		assert.Contains(t, got.Body, "결제되지 않았어요")
		assert.Equal(t, http.StatusBadRequest, get("paymentKey=%zz").Status)
		assert.Equal(t, http.StatusNotFound, get("paymentKey=p&orderId=order-none&amount=1").Status)
		assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment))
	})
}

func TestRefusalsInEveryFramework(t *testing.T) {
	inEveryFramework(t, func(t *testing.T, s *stand, get func(query string) page) {
		s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0002", Refusal: tosspayments.ErrRejectCardCompany})
		assert.Equal(t, http.StatusSeeOther, get(back(s.request).Encode()).Status)
		assert.Contains(t, s.page(), "다른 카드")
	})
}

func TestDatabasesFailInEveryFramework(t *testing.T) {
	inEveryFramework(t, func(t *testing.T, s *stand, get func(query string) page) {
		s.broken = errors.New("the database is away")
		got := get(back(s.request).Encode())
		assert.Equal(t, http.StatusServiceUnavailable, got.Status)
		assert.Contains(t, got.Body, "새로고침")
	})
}
