package tosspayments_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"os/exec"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// plainProxy stands before a tosstest server, without TLS.
func plainProxy(t testing.TB, server *tosstest.Server, faults ...connectionFault) *faultProxy {
	t.Helper()
	return newFaultProxy(t, strings.TrimPrefix(server.URL, "http://"), faults...)
}

func (p *faultProxy) client(server *tosstest.Server, opts ...tosspayments.Option) *tosspayments.Client {
	return server.Client(append([]tosspayments.Option{tosspayments.WithBaseURL("http://" + p.address())}, opts...)...)
}

// TestNetwork runs what waits for a network that misbehaves, all at once. It is not beside
// the tests that keep the processors busy: on a slow machine they would use up its time.
func TestNetwork(t *testing.T) {
	atOnce(t, map[string]func(*testing.T){
		"confirm":                         testConfirmOverABadNetwork,
		"partial cancel":                  testPartialCancelOverABadNetwork,
		"slow and cut bodies":             testSlowAndCutBodies,
		"lost, then no connection":        testLostAttemptThenNoConnection,
		"another way after a dial":        testAnotherWayAfterADialThatFails,
		"silent connections":              testSilentConnections,
		"callers who give up":             testCallersGiveUp,
		"silence on a caller's transport": testSilenceOnAnotherTransport,
	})
}

func testConfirmOverABadNetwork(t *testing.T) {
	tests := map[string]func(*testing.T){}
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
		tests[name] = func(t *testing.T) {
			server := tosstest.NewServer(t)
			var opts []tosspayments.Option
			if slices.ContainsFunc(faults, func(f connectionFault) bool { return f == swallow || f == stallAnswer || f == stallMidBody }) {
				opts = append(opts, tosspayments.WithTimeout(time.Second)) // for who never answers
			}
			client := plainProxy(t, server, faults...).client(server, opts...)
			order := checkout()
			payment, err := client.ConfirmPayment(t.Context(), pay(t, server, order))
			if name == "requests never got across" {
				require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
				assert.Zero(t, server.Charges(order.OrderID))
				return
			}
			require.NoError(t, err)
			assert.True(t, payment.IsPaid())
			assert.Equal(t, 1, server.Charges(order.OrderID))
		}
	}
	atOnce(t, tests)
}

func testPartialCancelOverABadNetwork(t *testing.T) {
	tests := map[string]func(*testing.T){}
	for name, faults := range map[string][]connectionFault{
		"answer lost": {loseAnswer}, "answer lost twice": {loseAnswer, loseAnswer}, "answer cut": {cutAnswer}, "answer stalled": {stallAnswer},
	} {
		tests[name] = func(t *testing.T) {
			server := tosstest.NewServer(t)
			order := checkout()
			payment, err := server.Client().ConfirmPayment(t.Context(), pay(t, server, order))
			require.NoError(t, err)
			client := plainProxy(t, server, faults...).client(server, tosspayments.WithTimeout(time.Second))
			payment, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
				CancelReason: "reason", CancelAmount: tosspayments.Won(1000), RefundableAmount: payment.Cancelable(),
			})
			require.NoError(t, err)
			assert.Equal(t, tosspayments.Won(32000), payment.Cancelable())
			assert.Len(t, server.Refunds(order.OrderID), 1)
		}
	}
	atOnce(t, tests)
}

// An idle connection that the server has closed is the usual stumble of a quiet
// backend: the HTTP client repeats by itself, and the money moves once.
func TestIdleConnectionClosedByTheServer(t *testing.T) {
	t.Parallel()
	server := tosstest.NewServer(t)
	client := plainProxy(t, server, closeWhenIdle, closeWhenIdle).client(server)
	for range 3 {
		order := checkout()
		payment, err := client.ConfirmPayment(t.Context(), pay(t, server, order))
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		assert.Equal(t, 1, server.Charges(order.OrderID))
		time.Sleep(100 * time.Millisecond)
	}
}

// nobody listens here. The port of a listener that was closed may soon be another test's.
const nobody = "127.0.0.1:1"

func TestNothingIsSentWithoutAConnection(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		client, err := tosspayments.New(testKey, tosspayments.WithBaseURL("http://"+nobody), tosspayments.WithMaxRetries(1))
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
	t.Parallel()
	server := tosstest.NewServer(t)
	server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Delay, AfterEffect: true, Delay: time.Hour})
	client := server.Client(tosspayments.WithHTTPClient(&http.Client{Timeout: time.Second}), tosspayments.WithMaxRetries(0))
	order := checkout()
	var response tosspayments.Response
	payment, err := client.ConfirmPayment(t.Context(), pay(t, server, order), tosspayments.WithResponse(&response))
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
	assert.True(t, response.SettledByLookup)
	assert.Equal(t, 1, server.Charges(order.OrderID))
}

// forwarding is a function that stands where a transport would.
type forwarding func(*http.Request) (*http.Response, error)

func (f forwarding) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// untraced sends without the trace that a request carries in its context.
func untraced(r *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(r.WithContext(context.Background()))
}

// way is one in which requests get to the network. Where they are not traced, nobody
// can say that nothing was sent.
type way struct {
	traced bool
	opts   []tosspayments.Option
}

func ways() map[string]way {
	through := func(traced bool, transport http.RoundTripper) way {
		return way{traced, []tosspayments.Option{tosspayments.WithHTTPClient(&http.Client{Transport: transport})}}
	}
	registered := &http.Transport{}
	registered.RegisterProtocol("http", forwarding(untraced))
	return map[string]way{
		"as New makes it": {traced: true},
		"a transport":     through(true, &http.Transport{}),
		"no transport":    through(true, nil),
		"no keep-alive":   through(true, &http.Transport{DisableKeepAlives: true}),
		"a wrapped transport": through(true, forwarding(func(r *http.Request) (*http.Response, error) {
			return http.DefaultTransport.RoundTrip(r.Clone(r.Context()))
		})),
		"a registered one":    through(false, registered),
		"a wrapper, untraced": through(false, forwarding(untraced)),
	}
}

// bodiless are calls without a body, which cannot be told apart by its being read.
var bodiless = map[string]func(context.Context, *tosspayments.Client) error{
	"DeleteBillingKey": func(ctx context.Context, c *tosspayments.Client) error {
		return c.DeleteBillingKey(ctx, tosspayments.NewBillingKey("bk_case_0001", "customer-0001"))
	},
	"GetPayment": func(ctx context.Context, c *tosspayments.Client) error {
		_, err := c.GetPayment(ctx, "pay-1")
		return err
	},
	"ListTransactions": func(ctx context.Context, c *tosspayments.Client) error {
		_, err := c.ListTransactions(ctx, tosspayments.TransactionQuery{StartDate: time.Now().Add(-time.Hour), EndDate: time.Now()})
		return err
	},
	"Do POST": func(ctx context.Context, c *tosspayments.Client) error {
		return c.Do(ctx, tosspayments.Request{Method: http.MethodPost, Path: "/v1/anything"}, nil)
	},
	"Do PUT": func(ctx context.Context, c *tosspayments.Client) error {
		return c.Do(ctx, tosspayments.Request{Method: http.MethodPut, Path: "/v1/anything"}, nil)
	},
}

// hangUp reads a request, counts it, and resets the connection without an answer.
func hangUp(t testing.TB, seen *atomic.Int32) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		seen.Add(1)
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = connection.(*net.TCPConn).SetLinger(0)
			_ = connection.Close()
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// A request that was read and not answered was possibly sent, whatever carried it.
func TestALostAnswerIsPossiblySent(t *testing.T) {
	for name, way := range ways() {
		for operation, call := range bodiless {
			t.Run(name+", "+operation, func(t *testing.T) {
				var seen atomic.Int32
				server := hangUp(t, &seen)
				client, err := tosspayments.New(testKey, append(way.opts, tosspayments.WithBaseURL(server.URL), tosspayments.WithMaxRetries(0))...)
				require.NoError(t, err)
				err = call(t.Context(), client)
				require.Error(t, err)
				assert.EqualValues(t, 1, seen.Load())
				assert.NotErrorIs(t, err, tosspayments.ErrNotSent)
				assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), err)
			})
		}
	}
}

// Without a connection nothing was sent, and that is seen through what wraps the
// transport; but where there is no trace it cannot be known.
func TestWhatIsSeenOfADialThatFails(t *testing.T) {
	for name, way := range ways() {
		for operation, call := range bodiless {
			t.Run(name+", "+operation, func(t *testing.T) {
				client, err := tosspayments.New(testKey,
					append(way.opts, tosspayments.WithBaseURL("http://"+nobody), tosspayments.WithMaxRetries(0))...)
				require.NoError(t, err)
				err = call(t.Context(), client)
				require.Error(t, err)
				assert.Equal(t, way.traced, errors.Is(err, tosspayments.ErrNotSent), err)
			})
		}
	}
}

// Time limits that end anywhere between dial and answer: what is called not sent has never
// reached the server.
func TestNotSentIsTrue(t *testing.T) {
	t.Parallel()
	for protocol, withHTTP2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			var arrived sync.Map
			server := serveTLS(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				arrived.Store(r.Header.Get("Number"), true)
			}), withHTTP2)
			notSent := map[string]bool{}
			for n := range 200 {
				client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL), tosspayments.WithMaxRetries(0),
					tosspayments.WithTimeout(time.Duration(1+n)*40*time.Microsecond))
				require.NoError(t, err)
				key := strconv.Itoa(n)
				err = client.Do(t.Context(), tosspayments.Request{
					Method: http.MethodPost, Path: "/v1/anything", Header: http.Header{"Number": {key}}, Body: object{"n": n},
				}, nil)
				if errors.Is(err, tosspayments.ErrNotSent) {
					notSent[key] = true
				}
				client.Close()
			}
			// What is on its way arrives meanwhile.
			time.Sleep(100 * time.Millisecond)
			t.Logf("%d of 200 not sent", len(notSent))
			assert.NotEmpty(t, notSent)
			for key := range notSent {
				_, known := arrived.Load(key)
				assert.False(t, known, "request %s arrived", key)
			}
		})
	}
}

// Another http.DefaultTransport counts for clients that are made without a transport. It
// is global, so that each is tried in a process of its own.
func TestAnotherDefaultTransport(t *testing.T) {
	tests := map[string]func(*testing.T){"untraced": testUntracedDefault, "plain": testPlainDefault}
	if test := tests[os.Getenv("TEST_DEFAULT_TRANSPORT")]; test != nil {
		test(t)
		return
	}
	t.Parallel()
	for name := range tests {
		t.Run(name, func(t *testing.T) {
			again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnotherDefaultTransport$", "-test.v")
			again.Env = append(os.Environ(), "TEST_DEFAULT_TRANSPORT="+name)
			output, err := again.CombinedOutput()
			require.NoError(t, err, string(output))
			assert.Contains(t, string(output), "--- PASS: TestAnotherDefaultTransport")
		})
	}
}

func testUntracedDefault(t *testing.T) {
	standard := http.DefaultTransport
	http.DefaultTransport = forwarding(func(r *http.Request) (*http.Response, error) {
		return standard.RoundTrip(r.WithContext(context.Background()))
	})
	var seen atomic.Int32
	server := hangUp(t, &seen)
	for name, opts := range map[string][]tosspayments.Option{
		"as New makes it": nil, "no transport": {tosspayments.WithHTTPClient(&http.Client{})},
	} {
		before := seen.Load()
		client, err := tosspayments.New(testKey, append(opts, tosspayments.WithBaseURL(server.URL), tosspayments.WithMaxRetries(0))...)
		require.NoError(t, err)
		err = client.DeleteBillingKey(t.Context(), tosspayments.NewBillingKey("bk_case_0001", "customer-0001"))
		assert.Equal(t, before+1, seen.Load(), name)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), name)
	}
}

func testPlainDefault(t *testing.T) {
	http.DefaultTransport = &http.Transport{}
	tests := map[string]func(*testing.T){}
	for protocol, withHTTP2 := range protocols {
		tests[protocol] = func(t *testing.T) {
			s := newStation(t, withHTTP2, tosspayments.WithTimeout(2*time.Second))
			s.warm(t, withHTTP2)
			s.proxy.silence()
			assert.Equal(t, 2, s.confirm(t, "silent", s.order(t), time.Minute), "attempts")
		}
	}
	atOnce(t, tests)
}

// A dial that fails is not the end where a round tripper has another way, which may not
// be traced.
func testAnotherWayAfterADialThatFails(t *testing.T) {
	tests := map[string]func(*testing.T){}
	for name, again := range map[string]func(*http.Request) io.ReadCloser{
		"with the body": func(r *http.Request) io.ReadCloser { return r.Body },
		"with a new one": func(r *http.Request) io.ReadCloser {
			body, _ := r.GetBody()
			return body
		},
	} {
		tests[name] = func(t *testing.T) {
			var seen atomic.Int32
			server := hangUp(t, &seen)
			transport := forwarding(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodGet {
					return untraced(r)
				}
				elsewhere := r.Clone(r.Context())
				elsewhere.URL.Host, elsewhere.Body = nobody, nil
				elsewhere.ContentLength = 0
				response, err := http.DefaultTransport.RoundTrip(elsewhere)
				if err == nil {
					return response, nil
				}
				second := r.Clone(r.Context())
				second.Body = again(r)
				return untraced(second)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL), tosspayments.WithMaxRetries(0),
				tosspayments.WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, err)
			_, err = client.ConfirmPayment(ctx, confirmRequest())
			assert.Positive(t, seen.Load())
			require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		}
	}
	atOnce(t, tests)
}

// A round tripper may read the body after it has returned, as HTTP/2 does with that of an
// attempt that is given up. Nobody else touches it then; the race detector sees it.
func TestBodyOfALostAttemptIsLeftAlone(t *testing.T) {
	var reading sync.WaitGroup
	transport := forwarding(func(r *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(r.Context())
		trace.GetConn("api.tosspayments.com:443")
		trace.GotConn(httptrace.GotConnInfo{})
		reading.Go(func() { _, _ = io.Copy(io.Discard, r.Body) })
		return nil, io.ErrUnexpectedEOF
	})
	client, err := tosspayments.New(testKey, tosspayments.WithHTTPClient(&http.Client{Transport: transport}), tosspayments.WithMaxRetries(0))
	require.NoError(t, err)
	err = client.Do(t.Context(), tosspayments.Request{Method: http.MethodPost, Path: "/v1/anything", Body: object{"a": 1}}, nil)
	require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	reading.Wait()
}

// That the last attempt has found no connection says nothing of the first.
func testLostAttemptThenNoConnection(t *testing.T) {
	tests := map[string]func(*testing.T){}
	for name, call := range map[string]func(context.Context, *tosspayments.Client) error{
		"DeleteBillingKey": bodiless["DeleteBillingKey"],
		"Do POST":          bodiless["Do POST"],
		"ConfirmPayment": func(ctx context.Context, c *tosspayments.Client) error {
			_, err := c.ConfirmPayment(ctx, confirmRequest())
			return err
		},
	} {
		tests[name] = func(t *testing.T) {
			var seen atomic.Int32
			server := hangUp(t, &seen)
			transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if seen.Load() > 0 {
					address = nobody
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL), tosspayments.WithMaxRetries(1), tosspayments.WithLookupGrace(0),
				tosspayments.WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, err)
			err = call(ctx, client)
			assert.EqualValues(t, 1, seen.Load())
			assert.NotErrorIs(t, err, tosspayments.ErrNotSent)
			var unknown *tosspayments.OutcomeUnknownError
			require.ErrorAs(t, err, &unknown)
			assert.Equal(t, 2, unknown.Attempts)
		}
	}
	atOnce(t, tests)
}

// net/http sends a POST with an idempotency key again by itself when a connection that
// it has used before breaks. What the second one hears may be about the first.
func TestAttemptThatNetHTTPRepeats(t *testing.T) {
	t.Parallel()
	lostAndForgotten := func(operation tosstest.Operation) tosstest.Fault {
		return tosstest.Fault{Operation: operation, Kind: tosstest.Drop, AfterEffect: true, Unstored: true}
	}
	once := func(t *testing.T, server *tosstest.Server, operation tosstest.Operation, response tosspayments.Response) {
		t.Helper()
		assert.Equal(t, 2, server.Calls(operation), "requests at the server")
		assert.Equal(t, 1, response.Attempts, "attempts, as the client counts them")
	}
	setUp := func(t *testing.T) (*tosstest.Server, *tosspayments.Client, *tosspayments.Payment) {
		t.Helper()
		server := tosstest.NewServer(t)
		client := server.Client(tosspayments.WithMaxRetries(0))
		payment, err := client.ConfirmPayment(t.Context(), pay(t, server, checkout()))
		require.NoError(t, err)
		return server, client, payment
	}
	t.Run("a cancel", func(t *testing.T) {
		server, client, payment := setUp(t)
		server.Inject(lostAndForgotten(tosstest.CancelPayment))
		var response tosspayments.Response
		canceled, err := client.CancelPayment(t.Context(), payment.PaymentKey,
			tosspayments.CancelPaymentRequest{CancelReason: "reason"}, tosspayments.WithResponse(&response))
		require.NoError(t, err)
		assert.Equal(t, tosspayments.OutcomeCanceled, canceled.Outcome())
		assert.Len(t, server.Refunds(payment.OrderID), 1)
		once(t, server, tosstest.CancelPayment, response)
	})
	for name, id := range map[string]string{"a part": "", "a part with a refund id": "refund-1"} {
		t.Run(name, func(t *testing.T) {
			server, client, payment := setUp(t)
			server.Inject(lostAndForgotten(tosstest.CancelPayment))
			var response tosspayments.Response
			canceled, err := client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
				CancelReason: "reason", CancelAmount: tosspayments.Won(1000), RefundableAmount: payment.Cancelable(), RefundID: id,
			}, tosspayments.WithResponse(&response))
			require.NoError(t, err)
			assert.Equal(t, tosspayments.Won(32000), canceled.Cancelable())
			assert.Len(t, server.Refunds(payment.OrderID), 1)
			once(t, server, tosstest.CancelPayment, response)
		})
	}
	t.Run("a charge", func(t *testing.T) {
		server, client, _ := setUp(t)
		billing, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
		require.NoError(t, err)
		server.Inject(lostAndForgotten(tosstest.ChargeBilling))
		var response tosspayments.Response
		payment, err := client.ChargeBilling(t.Context(), billing.BillingKey, tosspayments.ChargeBillingRequest{
			OrderID: "order-0002", OrderName: "socks", Amount: tosspayments.Won(15000),
		}, tosspayments.WithResponse(&response))
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		assert.Equal(t, 1, server.Charges("order-0002"))
		once(t, server, tosstest.ChargeBilling, response)
	})
	t.Run("a confirm", func(t *testing.T) {
		server, client, _ := setUp(t)
		request := pay(t, server, checkout())
		before := server.Calls(tosstest.ConfirmPayment)
		server.Inject(lostAndForgotten(tosstest.ConfirmPayment))
		payment, err := client.ConfirmPayment(t.Context(), request)
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		assert.Equal(t, 1, server.Charges(request.OrderID))
		assert.Equal(t, before+2, server.Calls(tosstest.ConfirmPayment))
	})
}

// A round tripper that writes into what it gets spoils that request and no other.
func TestRequestsShareNothing(t *testing.T) { synctest.Test(t, testRequestsShareNothing) }

func testRequestsShareNothing(t *testing.T) {
	server := tosstest.New()
	var seen []http.Header
	spoiling := forwarding(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet {
			return server.Transport().RoundTrip(r)
		}
		seen = append(seen, r.Header.Clone())
		for _, values := range r.Header {
			for i := range values {
				values[i] = "spoiled"
			}
		}
		r.URL.Host, r.URL.Path = "spoiled.example", "/spoiled"
		return nil, io.ErrUnexpectedEOF
	})
	client := server.Client(tosspayments.WithHTTPClient(&http.Client{Transport: spoiling}))
	order := checkout()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	_, err := client.ConfirmPayment(ctx, pay(t, server, order), tosspayments.WithIdempotencyKey("key-1"))
	require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	header := http.Header{"Tosspayments-Own": {"own"}}
	for range 2 {
		_ = client.Do(t.Context(), tosspayments.Request{Method: http.MethodPost, Path: "/v1/anything", Header: header}, nil,
			tosspayments.WithIdempotencyKey("key-2"))
	}
	require.Len(t, seen, 9, "three calls of three attempts")
	for n := range seen {
		assert.Equal(t, seen[min(n/3*3, 3)], seen[n], "request %d", n)
	}
	assert.Equal(t, http.Header{"Tosspayments-Own": {"own"}}, header)
	for _, h := range seen {
		assert.Equal(t, "Basic dGVzdF9za196WExrS0V5cE5BcldtbzUwblgzbG1lYXhZRzVSOg==", h.Get("Authorization"))
	}
}

func TestBaseURLKeepsItsEscapes(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.RequestURI) }))
	defer server.Close()
	for _, base := range []string{"/a%2Fb", "/a%2Fb/", "/%EA%B0%80", "", "/"} {
		client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL+base), tosspayments.WithMaxRetries(0))
		require.NoError(t, err)
		_, err = client.GetPaymentByOrderID(t.Context(), "order=1")
		require.Error(t, err)
		_ = client.Do(t.Context(), tosspayments.Request{Method: http.MethodGet, Path: "/v1/x%2Fy", Query: url.Values{"q": {"a/b"}}}, nil)
	}
	assert.Equal(t, []string{
		"/a%2Fb/v1/payments/orders/order=1", "/a%2Fb/v1/x%2Fy?q=a%2Fb",
		"/a%2Fb/v1/payments/orders/order=1", "/a%2Fb/v1/x%2Fy?q=a%2Fb",
		"/%EA%B0%80/v1/payments/orders/order=1", "/%EA%B0%80/v1/x%2Fy?q=a%2Fb",
		"/v1/payments/orders/order=1", "/v1/x%2Fy?q=a%2Fb",
		"/v1/payments/orders/order=1", "/v1/x%2Fy?q=a%2Fb",
	}, seen)
}

// An answer that trickles counts when it is there in time; one that stops or breaks off
// is an attempt without an answer.
func testSlowAndCutBodies(t *testing.T) {
	half := func(w http.ResponseWriter, body []byte) {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond)
	}
	trickle := func(w http.ResponseWriter, body []byte, pause time.Duration) {
		for rest := body; len(rest) > 0; rest = rest[min(len(rest), 50):] {
			if _, err := w.Write(rest[:min(len(rest), 50)]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(pause)
		}
	}
	times := slowness(t)
	tests := map[string]func(*testing.T){}
	for protocol, withHTTP2 := range protocols {
		for name, row := range map[string]struct {
			attempts int // at the most: net/http may repeat by itself what breaks very early
			write    func(*station, http.ResponseWriter, []byte)
		}{
			"a body that trickles":          {1, func(_ *station, w http.ResponseWriter, body []byte) { trickle(w, body, time.Millisecond) }},
			"a body that trickles too long": {2, func(_ *station, w http.ResponseWriter, body []byte) { trickle(w, body, times*200*time.Millisecond) }},
			"a body that stops":             {2, func(s *station, w http.ResponseWriter, body []byte) { half(w, body); s.proxy.silence() }},
			"a body that is cut":            {2, func(_ *station, w http.ResponseWriter, body []byte) { half(w, body); panic(http.ErrAbortHandler) }},
			"a connection that breaks":      {2, func(s *station, w http.ResponseWriter, body []byte) { half(w, body); s.proxy.reset() }},
		} {
			tests[protocol+", "+name] = func(t *testing.T) {
				s := newStation(t, withHTTP2, tosspayments.WithTimeout(times*2*time.Second))
				s.warm(t, withHTTP2)
				s.once(nil, func(w http.ResponseWriter, body []byte) { row.write(s, w, body) })
				assert.LessOrEqual(t, s.confirm(t, name, s.order(t), time.Minute), row.attempts, "attempts")
				assert.Equal(t, 1, s.confirm(t, "the next call", s.order(t), time.Minute), "attempts")
			}
		}
	}
	atOnce(t, tests)
}

// Close gives idle connections back; calls that are under way go on, and the client can
// be used again.
func TestCloseGivesConnectionsBack(t *testing.T) {
	t.Parallel()
	for protocol, withHTTP2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			s := newStation(t, withHTTP2)
			s.warm(t, withHTTP2)
			under := s.order(t)
			gate := s.Gate(tosstest.Fault{PaymentKey: under.PaymentKey})
			var first, others sync.WaitGroup
			first.Go(func() { s.confirm(t, "under way", under, time.Minute) })
			for range 4 {
				request := s.order(t)
				others.Go(func() { s.confirm(t, "side by side", request, time.Minute) })
			}
			<-gate.Arrived()
			others.Wait()
			s.client.Close()
			assert.Eventually(t, func() bool { return s.proxy.open() <= 1 }, 10*time.Second, 5*time.Millisecond, "connections that are idle stay open")
			gate.Open()
			first.Wait()
			s.client.Close()
			assert.Eventually(t, func() bool { return s.proxy.open() == 0 }, 10*time.Second, 5*time.Millisecond, "connections stay open")
			s.confirm(t, "after Close", s.order(t), time.Minute)
		})
	}
}

// Two hundred lost attempts leave neither connections nor goroutines.
func TestSecondsLeaveNothing(t *testing.T) {
	inSeconds(t)
	tests := map[string]func(*testing.T){}
	for protocol, withHTTP2 := range protocols {
		tests[protocol+", as New makes it"] = func(t *testing.T) { testLeaks(t, withHTTP2, nil) }
		tests[protocol+", a transport"] = func(t *testing.T) {
			transport := http.DefaultTransport.(*http.Transport).Clone()
			transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = 10, 30*time.Second
			testLeaks(t, withHTTP2, transport)
		}
	}
	atOnce(t, tests)
}

func testLeaks(t *testing.T, withHTTP2 bool, transport http.RoundTripper) {
	opts := []tosspayments.Option{tosspayments.WithTimeout(200 * time.Millisecond), tosspayments.WithMaxRetries(0)}
	if transport != nil {
		opts = append(opts, tosspayments.WithHTTPClient(&http.Client{Transport: transport}))
	}
	s := newStation(t, withHTTP2, opts...)
	request := s.order(t)
	const rounds, workers = 20, 10
	var lost atomic.Int32
	getTogether := func() {
		var calls sync.WaitGroup
		for range workers {
			calls.Go(func() {
				if _, err := s.client.GetPayment(t.Context(), request.PaymentKey); err != nil {
					lost.Add(1)
				}
			})
		}
		calls.Wait()
	}
	// Goroutines inherit the label, so that those of net/http can be told from others'.
	pprof.Do(t.Context(), pprof.Labels("client", t.Name()), func(context.Context) {
		for range rounds {
			s.Inject(tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.Delay, Delay: 20 * time.Millisecond, Times: workers})
			getTogether()
			s.ClearFaults()
			s.proxy.silence()
			getTogether()
		}
	})
	t.Logf("%d attempts lost, %d connections opened, %d open", lost.Load(), s.proxy.opened(), s.proxy.open())
	assert.Greater(t, lost.Load(), int32(rounds*workers/2))
	left := func() int {
		s.client.Close()
		return max(s.proxy.open(), labelled(t.Name()))
	}
	// A dial that was abandoned may end later, and its connection lives until it has been
	// idle for long enough.
	assert.Eventually(t, func() bool { return left() <= 5 }, 5*time.Second, 50*time.Millisecond, "many are left")
	assert.Eventually(t, func() bool { return left() == 0 }, 40*time.Second, 50*time.Millisecond, "some are left")
}

// labelled counts the goroutines with the label.
func labelled(client string) (n int) {
	var profile strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1)
	for record := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(record, strconv.Quote(client)) {
			count, _, _ := strings.Cut(record, " @")
			k, _ := strconv.Atoi(count[strings.LastIndexByte(count, '\n')+1:])
			n += k
		}
	}
	return n
}
