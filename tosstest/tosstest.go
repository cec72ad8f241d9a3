// Package tosstest is an in-process fake of Toss Payments: with state, a clock that can be
// moved, faults, and a ledger to assert on. It needs no account and no network.
//
//	server := tosstest.NewServer(t)
//	client := server.Client()
//	redirect := server.Authenticate(tosstest.Checkout{
//		OrderID: tosspayments.NewOrderID(), OrderName: "socks", Amount: tosspayments.Won(15000),
//	})
//	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
//	payment, err := client.ConfirmPayment(ctx, request)
//
// There are three ways to make one:
//
//   - [NewServer] listens on a port of this machine, and is closed when the test ends. Use
//     it where the code under test, or a browser, needs an address.
//   - [New] has no port: its clients call it directly. It is quick, and the only one that
//     works in a testing/synctest bubble, where time costs nothing. As an [http.Handler] it
//     can be mounted anywhere.
//   - [Start] is NewServer for programs.
//
// A call whose outcome stays unknown has looked for it, which takes time: about 8 seconds
// when every answer is lost, and up to two minutes when none ever comes. A test that wants
// to see that outcome need not wait. With [New] inside testing/synctest.Test the waiting
// takes no real time. Over a port, give the call a context with a deadline of a second, and
// the client [tosspayments.WithLookupGrace] of 0 if the lookup gets no answer either.
//
// The server knows the whole Core API: payments of every domestic method, virtual accounts
// with deposits, billing keys, transactions, settlements, cash receipts and promotions;
// payouts with encrypted bodies, sellers and balances that are made of the sales; and
// BrandPay with customers, tokens that expire and methods. It checks keys, requests and
// states as the real service does, answers with its codes, statuses and messages in Korean
// and English, keeps answers under their idempotency keys, and honours
// TossPayments-Test-Code. It has two pairs of keys, as merchants do; see
// [DefaultSecretKey]. Where the behaviour of the real service is not known, an option
// chooses; see [WithGuess].
//
// What to call:
//
//   - To make a server, call [NewServer], [New] or [Start]; to end one, [Server.Close].
//   - To call it, use [Server.Client], or [Server.WidgetClient] for the widget pair of
//     keys; from code without the library, [Server.Transport] or [Server.ServeHTTP].
//   - To pay as a buyer, call [Server.Authenticate]; in two steps, [Server.OpenWindow]
//     and [Server.AuthenticatePayment].
//   - To pay into a virtual account, call [Server.Deposit]; to undo that, [Server.Bounce];
//     to let its time run out, [Server.ExpireAccount].
//   - To register a card, call [Server.Register]; to let its charges fail,
//     [Server.SetRefusal]; to end it, [Server.RevokeBillingKey].
//   - To refund as somebody does in the dashboard, call [Server.Refund].
//   - To let time pass, call [Server.Advance]; to read the clock, [Server.Now].
//   - To spoil requests, call [Server.Inject]; to hold one, [Server.Gate] with
//     [Gate.Arrived] and [Gate.Open]; to see which faults are left, [Server.Faults] and
//     [Server.WebhookFaults]; to drop them, [Server.ClearFaults]. To spoil requests at
//     random, pass [WithRandomFaults] and call [Server.SetRandomFaults].
//   - To receive webhooks, call [Server.RegisterWebhook] or
//     [Server.RegisterWebhookHandler], and [Server.WaitWebhooks]; to spoil them,
//     [Server.InjectWebhook] or [WithRandomWebhookFaults]; to send one yourself,
//     [Server.SendWebhook] or [Server.ResendWebhook]; to see what was sent,
//     [Server.Deliveries].
//   - To assert what has moved, call [Server.Charges], [Server.Refunds] and
//     [Server.Ledger]; what was asked, [Server.Requests] and [Server.Calls]; what there is,
//     [Server.Payments]. To follow it, pass [WithObserver].
//   - To play sellers and payouts, call [Server.CompleteIdentityCheck],
//     [Server.CompleteKYC] or [Server.RequireKYC], [Server.AddBalance], and
//     [Server.CompletePayouts], [Server.CompletePayout] or [Server.FailPayout]; to assert
//     on them, [Server.PaidOut], [Server.Payouts] and [Server.Balance].
//   - To play customers of BrandPay, call [Server.AgreeBrandPay],
//     [Server.AddBrandPayCard], [Server.AddBrandPayAccount],
//     [Server.RemoveBrandPayMethod], [Server.AuthenticateBrandPay] and
//     [Server.ExpireBrandPayToken].
//   - To keep everything in a file, call [Server.KeepState].
//   - To choose keys, pass [WithClientKey], [WithSecretKey], [WithWidgetKeys],
//     [WithSecurityKey] or [WithPreviousSecurityKey]; to repeat what is random,
//     [WithSeed].
//   - To set what a contract sets, pass [WithAPIVersion], [WithMaximumAmount],
//     [WithRateLimit], [WithPayoutHours] or [WithBrowser].
//   - To try what is not known of the real service, pass [WithGuess], [WithTomorrow],
//     [WithConsecutiveCancelRule], [WithServerErrorsForgotten], [WithBounceRows],
//     [WithNewTransmissionIDs], [WithSignatureByKeyBytes] or [WithPlainPayoutErrors].
//
// [Server.Inject] makes requests go wrong in every way that a network and a server can,
// and [Server.Gate] holds one while the test looks at the rest.
//
// It delivers webhooks to an address or a handler, with the real headers, retries and
// signatures, and twice, late, out of order or never where a test asks for it; see
// [Server.RegisterWebhook].
//
// For a browser it serves, at [ScriptPath], a script with the interface of the official
// one. It opens a payment window in which a developer picks the card or wallet, and the
// outcome.
//
// The command cmd/toss-sandbox runs it as a program, for code in any language.
package tosstest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// TB is what [NewServer] needs of a test; [*testing.T] fits.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is an in-process fake of Toss Payments. It is safe for concurrent use, and an
// [http.Handler].
type Server struct {
	// URL is its address, for [tosspayments.WithBaseURL].
	URL string

	tb       TB
	http     *http.Server
	listener net.Listener

	individual, widget merchant

	guesses            map[Guess]tosspayments.ErrorCode
	consecutiveCancels bool
	bounceRows         bool
	maximum            tosspayments.Amount
	forgetsServerError bool
	tomorrow           bool
	browser            Browser

	clock    clock
	webhooks webhooks

	mu       sync.Mutex
	random   *rand.Rand
	payments map[string]*payment
	opened   []*payment          // oldest first
	billings map[string]*billing // by key
	authKeys map[string]*billing
	// allBillings has those with a key and those without, oldest first.
	allBillings []*billing
	windows     map[string]*openWindow
	brandPay    brandPay
	payouts     payoutBook
	answers     map[idempotencyID]*storedAnswer
	// answerTimes are the answers, oldest first.
	answerTimes []*storedAnswer
	ledger      ledger
	requests    history[Request]
	script      []Fault
	gates       map[*Gate]bool // that hold somebody, or may; nil once closed
	rate        rate
	chaos       float64
	chaosRng    *rand.Rand
	// deadlines are those of the payments that wait for somebody, the next one first.
	deadlines deadlines
	alarm     alarm
	// events are those of the change that is being made, touched its payments where
	// somebody observes.
	events  []event
	touched []*payment
	unsaved unsaved
	journal *journal // nil unless the state is kept
	observe func(Change)
}

// Option configures a [Server].
type Option func(*Server)

// WithSeed makes keys and ids repeatable.
func WithSeed(seed uint64) Option {
	return func(s *Server) { s.random = rand.New(rand.NewPCG(seed, seed)) }
}

// WithConsecutiveCancelRule refuses a second cancel of a payment within a second
// with FORBIDDEN_CONSECUTIVE_REQUEST. Off by default: the real rule is not known.
func WithConsecutiveCancelRule() Option { return func(s *Server) { s.consecutiveCancels = true } }

// WithBounceRows lists a deposit that was taken back among the transactions and
// settlements, as a cancel. By default it is not listed: which of the two is real is not
// known.
func WithBounceRows() Option { return func(s *Server) { s.bounceRows = true } }

// WithServerErrorsForgotten does not keep 5xx answers under their idempotency key.
// By default they are kept like any other: which of the two is real is not known.
func WithServerErrorsForgotten() Option { return func(s *Server) { s.forgetsServerError = true } }

// WithRandomFaults lets a share of all requests (0 to 1) fail in random ways,
// repeatable by the seed as far as the order of requests is.
func WithRandomFaults(seed uint64, share float64) Option {
	return func(s *Server) {
		s.chaos = share
		s.chaosRng = rand.New(rand.NewPCG(seed, ^seed))
	}
}

// New returns a server without a listener: the clients of [Server.Client] call it
// directly, which also works in a testing/synctest bubble. Whoever serves it as an
// [http.Handler] sets URL to its address before the first payment.
func New(opts ...Option) *Server {
	s := &Server{
		URL:        inProcessURL,
		individual: newMerchant(DefaultMID, DefaultClientKey, DefaultSecretKey),
		widget:     newMerchant(DefaultWidgetMID, DefaultWidgetClientKey, DefaultWidgetSecretKey),
		guesses:    map[Guess]tosspayments.ErrorCode{},
		gates:      map[*Gate]bool{},
		random:     rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		payments:   map[string]*payment{},
		billings:   map[string]*billing{},
		authKeys:   map[string]*billing{},
		windows:    map[string]*openWindow{},
		brandPay:   newBrandPay(),
		payouts:    newPayoutBook(),
		unsaved:    unsaved{brandPay: newStoredBrandPay()},
		answers:    map[idempotencyID]*storedAnswer{},
		ledger:     ledger{byKey: map[string]int{}, byOrder: map[string][]int{}},
	}
	s.webhooks.init(&s.clock)
	s.alarm = alarm{clock: &s.clock, ring: func() {
		s.change(func() { s.alarm.wake = time.Time{} })
	}}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// localOnly refuses requests for names that are not this machine's, so that no web page
// whose name was pointed here (DNS rebinding) drives the server.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, fmt.Sprintf("tosstest: requests for the host %q are refused", host), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Start returns a server that listens on a free port of 127.0.0.1, over plain HTTP, and
// answers requests for this machine's names only. Close it when you are done. In a test
// [NewServer] is simpler.
func Start(opts ...Option) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tosstest: %w", err)
	}
	s := New(opts...)
	s.URL = "http://" + listener.Addr().String()
	s.listener = listener
	s.http = &http.Server{
		Handler:           localOnly(s),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       20 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// NewServer is [Start] for tests: the server listens on a port, is closed when the test
// ends, and misuse fails the test. See [New] for a server without a port.
func NewServer(tb TB, opts ...Option) *Server {
	tb.Helper()
	s, err := Start(opts...)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	s.tb = tb
	tb.Cleanup(s.Close)
	return s
}

// Close stops listening, closes all connections, ends the deliveries of webhooks, lets go
// of what faults still hold, and releases the file of [Server.KeepState]. A server of
// [New] needs it only for the last three.
func (s *Server) Close() {
	if s.http != nil {
		_ = s.http.Close()
	}
	s.webhooks.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil {
		s.webhooks.keep(nil)
		s.journal.close()
		s.journal = nil
	}
	s.alarm.set(time.Time{})
	for gate := range s.gates {
		gate.Open()
	}
	s.gates = nil
}

// Client returns a client of this server with the individual secret key. Options come
// after the server's own. It panics, or fails the test, when an option is refused.
func (s *Server) Client(opts ...tosspayments.Option) *tosspayments.Client {
	return s.client(&s.individual, opts)
}

// WidgetClient is [Server.Client] with the secret key of the widget pair, for payments
// with [Checkout].Widget.
func (s *Server) WidgetClient(opts ...tosspayments.Option) *tosspayments.Client {
	return s.client(&s.widget, opts)
}

func (s *Server) client(shop *merchant, opts []tosspayments.Option) *tosspayments.Client {
	own := []tosspayments.Option{tosspayments.WithBaseURL(s.URL)}
	if s.listener == nil {
		own = append(own, tosspayments.WithHTTPClient(&http.Client{Transport: s.Transport()}))
	}
	client, err := tosspayments.New(shop.secretKey, append(own, opts...)...)
	if err != nil {
		s.misuse(err)
	}
	return client
}

// misuse reports a mistake of the caller.
func (s *Server) misuse(err error) {
	if s.tb != nil {
		s.tb.Helper()
		s.tb.Fatalf("tosstest: %v", err)
		return
	}
	panic(fmt.Sprintf("tosstest: %v", err))
}

// Now returns the server's time.
func (s *Server) Now() time.Time { return s.clock.now() }

// Advance moves the server's clock forward, past time limits for instance. Webhooks that
// become due go out, those of payments that expire among them; [Server.WaitWebhooks]
// waits for them.
func (s *Server) Advance(d time.Duration) {
	s.change(func() { s.clock.skew.Add(int64(d)) })
}

// Transport returns a way into the server without a network. Faults appear as the
// errors that a network would give.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	// The server works on when the client has gone, as over a network.
	request, err := readRequest(r)
	if r.Body != nil {
		_ = r.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	done := make(chan reply, 1)
	go func() { done <- t.server.serve(request) }()
	var a reply
	select {
	case a = <-done:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if a.broken != nil {
		return nil, a.broken
	}
	return a.response(r), nil
}

// ServeHTTP answers a request over the network: the API, the script at [ScriptPath], the
// payment window and the receipts.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.serveReceipt(w, r) || s.serveBrowser(w, r) {
		return
	}
	request, err := readRequest(r)
	if err != nil {
		return
	}
	a := s.serve(request)
	switch {
	case errors.Is(a.broken, errReset):
		reset(w)
	case a.broken != nil:
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if !a.cut {
		_, _ = w.Write(a.body)
		return
	}
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// reset closes the connection so that the other side sees a reset, where the
// protocol allows it.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
	panic(http.ErrAbortHandler)
}
