package tosspayments_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// connectionFault is what the proxy does to one TCP connection.
type connectionFault int

const (
	pass          connectionFault = iota
	resetAtOnce                   // before anything is read
	swallow                       // the request is read, and never forwarded
	loseAnswer                    // the request is forwarded, the answer dropped, the connection reset
	stallAnswer                   // the request is forwarded, the answer never comes
	cutAnswer                     // the answer ends in the middle
	stallMidBody                  // the answer stops in the middle, the connection stays
	closeWhenIdle                 // one answer passes, then the connection closes
)

// faultProxy stands between client and server and spoils connections, in the order
// in which they are opened; those beyond the list pass.
type faultProxy struct {
	t        testing.TB
	target   string
	listener net.Listener
	faults   []connectionFault
	opened   atomic.Int32
	done     chan struct{}
	wait     sync.WaitGroup
}

func newFaultProxy(t testing.TB, server *tosstest.Server, faults ...connectionFault) *faultProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &faultProxy{
		t: t, target: strings.TrimPrefix(server.URL, "http://"), listener: listener, faults: faults, done: make(chan struct{}),
	}
	p.wait.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			fault := pass
			if n := int(p.opened.Add(1)); n <= len(faults) {
				fault = faults[n-1]
			}
			p.wait.Go(func() { p.serve(connection.(*net.TCPConn), fault) })
		}
	})
	t.Cleanup(func() {
		close(p.done)
		_ = listener.Close()
		p.wait.Wait()
	})
	return p
}

func (p *faultProxy) serve(client *net.TCPConn, fault connectionFault) {
	defer func() { _ = client.Close() }()
	if fault == resetAtOnce {
		_ = client.SetLinger(0)
		return
	}
	if fault == swallow {
		_, _ = client.Read(make([]byte, 64<<10))
		return
	}
	upstream, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer func() { _ = upstream.Close() }()
	stop := context.AfterFunc(p.context(), func() { _, _ = client.Close(), upstream.Close() })
	defer stop()
	go func() {
		_, _ = io.Copy(upstream, client)
		_ = upstream.Close()
	}()
	switch fault {
	case pass:
		_, _ = io.Copy(client, upstream)
	case loseAnswer:
		_, _ = upstream.Read(make([]byte, 64<<10))
		_ = client.SetLinger(0)
	case stallAnswer:
		_, _ = io.Copy(io.Discard, upstream)
	case cutAnswer:
		_, _ = io.CopyN(client, upstream, 700)
	case stallMidBody:
		_, _ = io.CopyN(client, upstream, 700)
		_, _ = io.Copy(io.Discard, upstream)
	case closeWhenIdle:
		buffer := make([]byte, 64<<10)
		n, _ := upstream.Read(buffer)
		_, _ = client.Write(buffer[:n])
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *faultProxy) context() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-p.done; cancel() }()
	return ctx
}

func (p *faultProxy) client(server *tosstest.Server, opts ...tosspayments.Option) *tosspayments.Client {
	return server.Client(append([]tosspayments.Option{tosspayments.WithBaseURL("http://" + p.listener.Addr().String())}, opts...)...)
}

func TestConfirmOverABadNetwork(t *testing.T) {
	for name, faults := range map[string][]connectionFault{
		"reset at once":             {resetAtOnce},
		"reset twice":               {resetAtOnce, resetAtOnce},
		"request swallowed":         {swallow, swallow},
		"answer lost":               {loseAnswer},
		"answer lost twice":         {loseAnswer, loseAnswer},
		"every answer lost":         {loseAnswer, loseAnswer, loseAnswer},
		"answer stalled":            {stallAnswer},
		"every answer stalled":      {stallAnswer, stallAnswer, stallAnswer},
		"answer cut":                {cutAnswer, cutAnswer},
		"answer stalled in a body":  {stallMidBody},
		"lookups spoiled too":       {loseAnswer, stallAnswer, cutAnswer, resetAtOnce, loseAnswer},
		"requests never got across": {swallow, swallow, swallow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := tosstest.NewServer(t)
			proxy := newFaultProxy(t, server, faults...)
			client := proxy.client(server, tosspayments.WithTimeout(300*time.Millisecond))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			order := checkout()
			payment, err := client.ConfirmPayment(ctx, pay(t, server, order))
			if name == "requests never got across" {
				require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
				assert.Zero(t, server.Charges(order.OrderID))
				return
			}
			require.NoError(t, err)
			assert.True(t, payment.IsPaid())
			assert.Equal(t, 1, server.Charges(order.OrderID))
		})
	}
}

func TestPartialCancelOverABadNetwork(t *testing.T) {
	for name, faults := range map[string][]connectionFault{
		"answer lost": {loseAnswer}, "answer lost twice": {loseAnswer, loseAnswer}, "answer cut": {cutAnswer}, "answer stalled": {stallAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := tosstest.NewServer(t)
			order := checkout()
			payment, err := server.Client().ConfirmPayment(t.Context(), pay(t, server, order))
			require.NoError(t, err)
			client := newFaultProxy(t, server, faults...).client(server, tosspayments.WithTimeout(300*time.Millisecond))
			payment, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
				CancelReason: "reason", CancelAmount: tosspayments.Won(1000), RefundableAmount: payment.Cancelable(),
			})
			require.NoError(t, err)
			assert.Equal(t, tosspayments.Won(32000), payment.Cancelable())
			assert.Len(t, server.Refunds(order.OrderID), 1)
		})
	}
}

// An idle connection that the server has closed is the usual stumble of a quiet
// backend: the HTTP client repeats by itself, and the money moves once.
func TestIdleConnectionClosedByTheServer(t *testing.T) {
	server := tosstest.NewServer(t)
	client := newFaultProxy(t, server, closeWhenIdle, closeWhenIdle).client(server)
	for range 3 {
		order := checkout()
		payment, err := client.ConfirmPayment(t.Context(), pay(t, server, order))
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		assert.Equal(t, 1, server.Charges(order.OrderID))
		time.Sleep(100 * time.Millisecond)
	}
}

func TestNothingIsSentWithoutAConnection(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		address := listener.Addr().String()
		require.NoError(t, listener.Close())
		client, err := tosspayments.New(testKey, tosspayments.WithBaseURL("http://"+address), tosspayments.WithMaxRetries(1))
		require.NoError(t, err)
		_, err = client.ConfirmPayment(t.Context(), confirmRequest())
		require.ErrorIs(t, err, tosspayments.ErrNotSent)
		var connection *tosspayments.ConnectionError
		require.ErrorAs(t, err, &connection)
		assert.Equal(t, 2, connection.Attempts)
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		server := httptest.NewTLSServer(http.NotFoundHandler())
		defer server.Close()
		server.Config.ErrorLog = nil
		client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL), tosspayments.WithMaxRetries(0))
		require.NoError(t, err)
		_, err = client.ConfirmPayment(t.Context(), confirmRequest())
		require.ErrorIs(t, err, tosspayments.ErrNotSent)
		assert.ErrorContains(t, err, "certificate")
	})
	t.Run("a connection that never opens", func(t *testing.T) {
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		client, err := tosspayments.New(testKey, tosspayments.WithHTTPClient(&http.Client{Transport: transport}))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err = client.ConfirmPayment(ctx, confirmRequest())
		require.ErrorIs(t, err, tosspayments.ErrNotSent)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// The caller's own time limit counts, and a charge that it interrupts is found.
func TestHTTPClientTimeoutCounts(t *testing.T) {
	server := tosstest.NewServer(t)
	server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Delay, AfterEffect: true, Delay: time.Second})
	client := server.Client(
		tosspayments.WithHTTPClient(&http.Client{Timeout: 100 * time.Millisecond}), tosspayments.WithMaxRetries(0))
	order := checkout()
	var response tosspayments.Response
	payment, err := client.ConfirmPayment(t.Context(), pay(t, server, order), tosspayments.WithResponse(&response))
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
	assert.True(t, response.SettledByLookup)
	assert.Equal(t, 1, server.Charges(order.OrderID))
}
