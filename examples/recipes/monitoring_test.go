package recipes

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
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

// A buyer's confirm that is under way when the process is told to stop ends as it would.
func TestServeLetsAConfirmEnd(t *testing.T) {
	s := newStand(t, tosstest.NewServer(t))
	s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0001"})
	gate := s.server.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	mux := http.NewServeMux()
	mux.HandleFunc("GET /confirm", func(w http.ResponseWriter, r *http.Request) {
		order, _ := s.Get(r.Context(), "order-0001")
		_ = s.ConfirmOrder(context.WithoutCancel(r.Context()), order, s.request)
		order, _ = s.Get(r.Context(), "order-0001")
		_, _ = io.WriteString(w, order.State)
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, mux, address) }()
	body := make(chan string, 1)
	go func() {
		for range 100 {
			if response, err := http.Get("http://" + address + "/confirm"); err == nil {
				text, _ := io.ReadAll(response.Body)
				response.Body.Close()
				body <- string(text)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	<-gate.Arrived()
	stop()
	time.Sleep(50 * time.Millisecond)
	gate.Open()
	assert.Equal(t, "paid", <-body)
	require.NoError(t, <-ended)
}
