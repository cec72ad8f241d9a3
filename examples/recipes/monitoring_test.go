package recipes

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func counted(name string) string {
	if v := tossRequests.Get(name); v != nil {
		return v.String()
	}
	return "0"
}

func TestEveryRequestIsCounted(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		tossRequests.Init()
		s.Toss = s.server.Client(tosspayments.WithObserver(Count))
		s.server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
		s.confirm()
		assert.Equal(t, "paid", s.order().State)
		assert.Equal(t, "1", counted("confirm payment: no answer"))
		assert.Equal(t, "1", counted("confirm payment: 200"), tossRequests.String())
	})
}

func TestTheLogHasTheTraceID(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		var out bytes.Buffer
		order := s.order()
		order.PaymentKey, order.IdempotencyKey = s.request.PaymentKey, "key-1"
		_, err := s.ConfirmLogged(s.ctx(), slog.New(slog.NewTextHandler(&out, nil)), order)
		require.NoError(t, err)
		assert.Regexp(t, `level=INFO msg=confirm order=order-0001 outcome=paid .*trace_id=\w+ attempts=1 looked_up=\w+`, out.String())
	})
}

func TestAMonitoredClientIsMade(t *testing.T) {
	client, err := NewMonitoredClient(tosstest.DefaultSecretKey, slog.Default())
	require.NoError(t, err)
	client.Close()
}

// freeAddress is one at which nobody listened a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// A buyer's confirm that is under way when the process is told to stop ends as it would.
func TestServeLetsAConfirmEnd(t *testing.T) {
	s := newStand(t, tosstest.NewServer(t))
	s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0001"})
	gate := s.server.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment})
	mux := http.NewServeMux()
	var isThere atomic.Bool
	mux.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) { isThere.Store(true) })
	mux.HandleFunc("GET /confirm", func(w http.ResponseWriter, r *http.Request) {
		order, _ := s.Get(r.Context(), "order-0001")
		_ = s.ConfirmOrder(context.WithoutCancel(r.Context()), order, s.request)
		order, _ = s.Get(r.Context(), "order-0001")
		_, _ = io.WriteString(w, order.State)
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	address := ""
	get := func(path string) string {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(response.Body)
		return string(text)
	}
	start := func() {
		address = freeAddress(t)
		go func() { ended <- s.Serve(ctx, mux, address) }()
	}
	start()
	require.Eventually(t, func() bool {
		select {
		case err := <-ended:
			assert.ErrorIs(t, err, syscall.EADDRINUSE)
			start()
		default:
		}
		get("/")
		return isThere.Load()
	}, 30*time.Second, 10*time.Millisecond)
	body := make(chan string, 1)
	go func() { body <- get("/confirm") }()
	<-gate.Arrived()
	stop()
	time.Sleep(50 * time.Millisecond)
	gate.Open()
	assert.Equal(t, "paid", <-body)
	require.NoError(t, <-ended)
}
