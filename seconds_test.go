package tosspayments_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
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

// protocols are those that net/http speaks with the real service.
var protocols = map[string]bool{"HTTP/1.1": false, "HTTP/2": true}

// station is a server over TLS behind a proxy, and a client as New makes it.
type station struct {
	*tosstest.Server
	proxy  *faultProxy
	client *tosspayments.Client

	major atomic.Int32
	// instead answers every POST, where it is set.
	instead http.HandlerFunc
	mu      sync.Mutex
	// arrived is called when the next request is there, and write, in place of writing
	// the answer's body, when it has had its effect.
	arrived func()
	write   func(http.ResponseWriter, []byte)
}

func newStation(t testing.TB, withHTTP2 bool, opts ...tosspayments.Option) *station {
	t.Helper()
	s := &station{Server: tosstest.New()}
	server := serveTLS(t, s, withHTTP2)
	s.proxy = newFaultProxy(t, server.Listener.Addr().String())
	s.client = s.newClient(t, opts...)
	return s
}

func (s *station) newClient(t testing.TB, opts ...tosspayments.Option) *tosspayments.Client {
	t.Helper()
	client, err := tosspayments.New(tosstest.DefaultSecretKey,
		append([]tosspayments.Option{tosspayments.WithBaseURL("https://" + s.proxy.address())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// once sets what is to happen to the next request; either may be nil.
func (s *station) once(arrived func(), write func(http.ResponseWriter, []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived, s.write = arrived, write
}

func (s *station) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	arrived, write := s.arrived, s.write
	s.arrived, s.write = nil, nil
	s.mu.Unlock()
	s.major.Store(int32(r.ProtoMajor))
	if s.instead != nil && r.Method == http.MethodPost {
		s.instead(w, r)
		return
	}
	if arrived != nil {
		arrived()
	}
	answer := httptest.NewRecorder()
	s.Server.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	if write == nil {
		write = func(w http.ResponseWriter, body []byte) { _, _ = w.Write(body) }
	}
	write(w, answer.Body.Bytes())
}

// order makes an order that the buyer has authenticated.
func (s *station) order(t testing.TB) tosspayments.ConfirmPaymentRequest {
	t.Helper()
	return pay(t, s.Server, checkout())
}

// confirm confirms an order that has to be paid once, within the limit, and returns how
// many attempts it took.
func (s *station) confirm(t testing.TB, what string, request tosspayments.ConfirmPaymentRequest, limit time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var response tosspayments.Response
	start := time.Now()
	payment, err := s.client.ConfirmPayment(ctx, request, tosspayments.WithResponse(&response))
	took := time.Since(start).Round(time.Millisecond)
	measured := fmt.Sprintf("HTTP/%d, %s: %v, %d attempts; %d connections so far", s.major.Load(), what, took, response.Attempts, s.proxy.opened())
	t.Log(measured)
	if assert.NoError(t, err, measured) {
		assert.True(t, payment.IsPaid(), measured)
	}
	assert.Equal(t, 1, s.Charges(request.OrderID), measured)
	assert.LessOrEqual(t, took, limit, measured)
	return response.Attempts
}

// warm makes one call, so that a connection is established.
func (s *station) warm(t testing.TB, withHTTP2 bool) {
	t.Helper()
	s.confirm(t, "first", s.order(t), time.Minute)
	major := int32(1)
	if withHTTP2 {
		major = 2
	}
	require.Equal(t, major, s.major.Load())
}

// pace is how long the attempts of a client take, and what follows from it.
type pace struct {
	opts []tosspayments.Option
	// lost is how long a call may take that loses an attempt.
	lost time.Duration
	// slow is how long a slow server works on a confirm, slowPart on a partial cancel.
	slow, slowPart time.Duration
}

var seconds = flag.Bool("seconds", false, "run the tests TestSeconds…, which take most of a minute")

// inSeconds skips a test that takes long, unless it is asked for.
func inSeconds(t *testing.T) {
	t.Helper()
	if !*seconds {
		t.Skip("takes most of a minute: go test . -v -run '^TestSeconds' -seconds")
	}
}

// TestSeconds measures what a bad network costs, with the client as New makes it. Its
// tests mostly wait, so that they run all at once.
func TestSeconds(t *testing.T) {
	inSeconds(t)
	tests := pace{lost: 20 * time.Second, slow: 40 * time.Second, slowPart: 10 * time.Second}.tests()
	maps.Copy(tests, undecidedRefusals())
	tests["HTTP/1.1, silent while idle"] = func(t *testing.T) { testSilentWhileIdle(t, false, 31*time.Second) }
	tests["HTTP/2, silent while idle"] = func(t *testing.T) { testSilentWhileIdle(t, true, 16*time.Second) }
	atOnce(t, tests)
}

// slowness is 1, or how many times longer than a machine usually needs everything has to
// wait here.
func slowness(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	newStation(t, true).warm(t, true)
	return 1 + time.Since(start)/(300*time.Millisecond)
}

// The same with a client that is in a hurry.
func testSilentConnections(t *testing.T) {
	times := slowness(t)
	atOnce(t, pace{
		opts: []tosspayments.Option{tosspayments.WithTimeout(times * 2 * time.Second)},
		lost: times * 6 * time.Second, slow: times * 5 * time.Second, slowPart: times * 1500 * time.Millisecond,
	}.tests())
}

// A transport of the caller's own, which cannot be replaced, gives its idle connections
// up.
func testSilenceOnAnotherTransport(t *testing.T) {
	times := slowness(t)
	tests := map[string]func(*testing.T){}
	for protocol, withHTTP2 := range protocols {
		for name, test := range map[string]func(*testing.T, *station, pace){
			"silent before the request":              testSilentBefore,
			"silent after the effect":                testSilentAfter,
			"many idle connections have gone silent": testManyIdle,
		} {
			tests[protocol+", "+name] = func(t *testing.T) {
				transport := http.DefaultTransport.(*http.Transport).Clone()
				transport.MaxIdleConnsPerHost = 10
				s := newStation(t, withHTTP2, tosspayments.WithHTTPClient(&http.Client{Transport: transport}), tosspayments.WithTimeout(times*2*time.Second))
				s.warm(t, withHTTP2)
				test(t, s, pace{lost: times * 6 * time.Second})
			}
		}
	}
	atOnce(t, tests)
}

// Callers who give up before the attempt does must not leave the silent connection to
// those who come after them, nor to the lookup that is made in their place.
func testCallersGiveUp(t *testing.T) {
	tests := map[string]func(*testing.T){}
	for protocol, withHTTP2 := range protocols {
		tests[protocol+", a deadline"] = func(t *testing.T) {
			s := newStation(t, withHTTP2)
			s.warm(t, withHTTP2)
			request := s.order(t)
			s.proxy.silence()
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			_, err := s.client.GetPayment(ctx, request.PaymentKey)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 1, s.confirm(t, "the next call", request, 10*time.Second), "attempts")
		}
		tests[protocol+", a cancelled context"] = func(t *testing.T) {
			s := newStation(t, withHTTP2)
			s.warm(t, withHTTP2)
			request := s.order(t)
			s.once(nil, func(http.ResponseWriter, []byte) { s.proxy.silence() })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(1500*time.Millisecond, cancel)
			start := time.Now()
			payment, err := s.client.ConfirmPayment(ctx, request)
			t.Logf("cancelled after 1.5 s, ended after %v", time.Since(start))
			require.NoError(t, err, "the last lookup must not wait on the silent connection")
			assert.True(t, payment.IsPaid())
		}
	}
	atOnce(t, tests)
}

// atOnce runs tests that mostly wait, more of them than there are processors.
func atOnce(t *testing.T, tests map[string]func(*testing.T)) {
	var wait sync.WaitGroup
	for name, test := range tests {
		wait.Go(func() { t.Run(name, test) })
	}
	wait.Wait()
}

func (p pace) tests() map[string]func(*testing.T) {
	tests := map[string]func(*testing.T){}
	for protocol, withHTTP2 := range protocols {
		for name, test := range map[string]func(*testing.T, *station, pace){
			"silent before the request":              testSilentBefore,
			"silent after the effect":                testSilentAfter,
			"silent with many under way":             testSilentMany,
			"many idle connections have gone silent": testManyIdle,
			"a slow server says 409":                 testSlowServer,
			"409 while the first cancel runs":        testSlowPart,
		} {
			tests[protocol+", "+name] = func(t *testing.T) {
				s := newStation(t, withHTTP2, p.opts...)
				s.warm(t, withHTTP2)
				test(t, s, p)
			}
		}
	}
	return tests
}

func testSilentBefore(t *testing.T, s *station, p pace) {
	s.proxy.silence()
	assert.Equal(t, 2, s.confirm(t, "silent before the request", s.order(t), p.lost), "attempts")
	assert.Equal(t, 1, s.confirm(t, "the next call", s.order(t), p.lost), "attempts")
}

func testSilentAfter(t *testing.T, s *station, p pace) {
	s.once(nil, func(http.ResponseWriter, []byte) { s.proxy.silence() })
	assert.Equal(t, 2, s.confirm(t, "silent after the effect", s.order(t), p.lost), "attempts")
	assert.Equal(t, 1, s.confirm(t, "the next call", s.order(t), p.lost), "attempts")
}

// A connection that goes silent while nobody uses it is found out by a ping, or let go
// in time.
func testSilentWhileIdle(t *testing.T, withHTTP2 bool, pause time.Duration) {
	s := newStation(t, withHTTP2)
	s.warm(t, withHTTP2)
	s.proxy.silence()
	time.Sleep(pause)
	assert.Zero(t, s.proxy.open(), "connections open after %v", pause)
	assert.Equal(t, 1, s.confirm(t, fmt.Sprintf("silent while idle, %v before", pause), s.order(t), time.Minute), "attempts")
}

// Calls that begin while others wait on the silent connection meet it too, and lose one
// attempt each at the most.
func testSilentMany(t *testing.T, s *station, p pace) {
	s.proxy.silence()
	var calls sync.WaitGroup
	for n := range 10 {
		request := s.order(t)
		calls.Go(func() {
			time.Sleep(time.Duration(n) * p.lost / 20)
			assert.LessOrEqual(t, s.confirm(t, fmt.Sprintf("call %d", n), request, p.lost), 2, "attempts")
		})
	}
	calls.Wait()
	assert.Equal(t, 1, s.confirm(t, "the next call", s.order(t), p.lost), "attempts")
}

// A pool of several connections that have all gone silent costs one attempt, not one for
// each.
func testManyIdle(t *testing.T, s *station, p pace) {
	var calls sync.WaitGroup
	for range 5 {
		request := s.order(t)
		calls.Go(func() { s.confirm(t, "side by side", request, time.Minute) })
	}
	calls.Wait()
	s.proxy.silence()
	assert.Equal(t, 2, s.confirm(t, "all idle connections silent", s.order(t), p.lost), "attempts")
	assert.Equal(t, 1, s.confirm(t, "the next call", s.order(t), p.lost), "attempts")
}

// A server that is still working says 409 to the same key, and is asked again until its
// answer is there.
func testSlowServer(t *testing.T, s *station, p pace) {
	s.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Delay, Delay: p.slow})
	start := time.Now()
	attempts := s.confirm(t, "a server that is slow", s.order(t), p.slow+3*time.Second)
	assert.GreaterOrEqual(t, time.Since(start), p.slow)
	assert.Greater(t, attempts, 3)
}

func testSlowPart(t *testing.T, s *station, p pace) {
	request := s.order(t)
	s.confirm(t, "to be cancelled", request, time.Minute)
	s.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Delay, Delay: p.slowPart})
	s.once(func() { time.AfterFunc(50*time.Millisecond, s.proxy.reset) }, nil)
	start := time.Now()
	payment, err := s.client.CancelPaymentPartially(t.Context(), request.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "reason", CancelAmount: tosspayments.Won(1000), RefundableAmount: request.Amount,
	})
	took := time.Since(start).Round(time.Millisecond)
	measured := fmt.Sprintf("409 while the first cancel runs: %v, %d requests", took, s.Calls(tosstest.CancelPayment))
	t.Log(measured)
	require.NoError(t, err, measured)
	assert.Equal(t, tosspayments.Won(32000), payment.Cancelable(), measured)
	assert.Len(t, s.Refunds(request.OrderID), 1, measured)
	assert.LessOrEqual(t, took, p.slowPart+3*time.Second, measured)
	assert.Greater(t, s.Calls(tosstest.CancelPayment), 2, measured)
}

// undecidedRefusals are answers that decide nothing: they cost seconds and a handful of
// lookups, whatever time the call has.
func undecidedRefusals() map[string]func(*testing.T) {
	tests := map[string]func(*testing.T){}
	for name, spoil := range map[string]http.HandlerFunc{
		"PROVIDER_ERROR":     refuse(http.StatusBadRequest, tosspayments.ErrProviderError),
		"NOT_AVAILABLE_BANK": refuse(http.StatusForbidden, tosspayments.ErrNotAvailableBank),
		"an unheard-of code": refuse(http.StatusForbidden, "A_CODE_OF_TOMORROW"),
		"HTML":               func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>not found", http.StatusNotFound) },
		"a redirect":         func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
	} {
		tests["no deadline, "+name] = func(t *testing.T) { testUndecided(t, spoil) }
	}
	return tests
}

func testUndecided(t *testing.T, spoil http.HandlerFunc) {
	s := newStation(t, true)
	s.instead = spoil
	request := s.order(t)
	start := time.Now()
	_, err := s.client.ConfirmPayment(context.Background(), request)
	took := time.Since(start).Round(time.Millisecond)
	measured := fmt.Sprintf("%v, %d lookups, %v", took, s.Calls(tosstest.GetPayment), err)
	t.Log(measured)
	assert.Contains(t, []tosspayments.Outcome{tosspayments.OutcomeUnknown, tosspayments.OutcomeRefused}, tosspayments.OutcomeOf(nil, err), measured)
	assert.LessOrEqual(t, took, 12*time.Second, measured+" (10 s, and 2 for a busy machine)")
	assert.LessOrEqual(t, s.Calls(tosstest.GetPayment), 6, measured)
	assert.Zero(t, s.Charges(request.OrderID))
}

func refuse(status int, code tosspayments.ErrorCode) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = strings.NewReader(`{"code":"` + string(code) + `","message":"message"}`).WriteTo(w)
	}
}
