package tosspayments

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	maxResponseBytes = 16 << 20
	maxExcerptBytes  = 512
	// An excerpt is taken after secrets are hidden, of which a cut would leave a half.
	maxScrubbedBytes = 64 << 10
	maxMessageBytes  = 2048
)

// answer is the end of one attempt.
type answer struct {
	status     int // 0 when no answer arrived
	header     http.Header
	traceID    string
	retryAfter time.Duration
	body       []byte
	// unread are the fields of a good answer that could not be read.
	unread []string
	// err is why no answer arrived, or why its body is incomplete.
	err error
	// silent is set when that was the connection's fault.
	silent bool
	// notSent is set when nothing of the request can have reached the server.
	notSent bool
	// repeated is set when the transport has sent the request more than once.
	repeated bool
}

// ok reports whether a whole answer of success arrived.
func (a *answer) ok() bool { return a.err == nil && a.status >= 200 && a.status < 300 }

// send makes one attempt. limit is how long it may take.
func (c *Client) send(ctx context.Context, call *call, limit time.Duration) (a answer) {
	start := time.Now()
	attempt, cancel := context.WithDeadline(ctx, start.Add(limit))
	defer cancel()
	var seen traces
	request, err := c.newRequest(httptrace.WithClientTrace(attempt, seen.hooks()), call, &seen)
	if err != nil {
		return answer{err: err, notSent: true}
	}
	connections := c.connections()
	a = c.roundTrip(request, call)
	// What may still be at work behind a wrapping transport stops before it is judged.
	cancel()
	a.notSent = a.err != nil && a.status == 0 && seen.nothing()
	a.err = c.scrubError(a.err, call)
	a.repeated = seen.got.Load() > 1
	// A caller that gives up at once says nothing about the connection.
	if a.silent && !a.notSent && (ctx.Err() == nil || time.Since(start) > time.Second) {
		connections.drop()
	}
	c.observe(ctx, call, &a, start)
	return a
}

func (c *Client) newRequest(ctx context.Context, call *call, seen *traces) (*http.Request, error) {
	body := call.body
	if call.seal != nil {
		var err error
		if body, err = call.seal(body); err != nil {
			return nil, err
		}
	}
	address := c.base + call.path
	if call.query != "" {
		address += "?" + call.query
	}
	var reader io.Reader
	if body != nil {
		seen.body = bytes.NewReader(body)
		reader = seen.body
	}
	request, err := http.NewRequestWithContext(ctx, call.op.method, address, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
		seen.watchBody(request)
	}
	request.Header.Set("User-Agent", "tosspayments-go/"+Version)
	request.Header.Set("Authorization", c.authorization())
	if c.language == LanguageEnglish {
		request.Header.Set("Accept-Language", string(LanguageEnglish))
	}
	if call.testCode != "" {
		request.Header.Set("Tosspayments-Test-Code", string(call.testCode))
	}
	for name, values := range call.header {
		request.Header[name] = append([]string(nil), values...)
	}
	if call.sentKey != "" {
		request.Header.Set("Idempotency-Key", call.sentKey)
	}
	return request, nil
}

func (c *Client) roundTrip(request *http.Request, call *call) (a answer) {
	response, err := c.http.Do(request)
	if err != nil {
		// The text of a url.Error repeats the path, which may hold keys.
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		a.err, a.silent = err, true
		return a
	}
	defer func() { _ = response.Body.Close() }()
	a.status = response.StatusCode
	a.header = response.Header
	a.traceID = c.hideSecrets(traceID(response.Header), call)
	a.retryAfter = retryAfter(response.Header)
	a.body, a.err = readBounded(response)
	switch {
	case a.err != nil:
		a.silent = !errors.Is(a.err, errTooLarge)
	case call.open != nil:
		a.open(call.open)
	}
	return a
}

// open decrypts the body. An error answer that is not encrypted stays as it is.
func (a *answer) open(open func([]byte) ([]byte, error)) {
	plain, err := open(a.body)
	switch {
	case err == nil:
		a.body = plain
	case a.status < 300:
		a.err = err
	}
}

func readBounded(response *http.Response) ([]byte, error) {
	const usual = 64 << 10
	var body bytes.Buffer
	body.Grow(int(min(max(response.ContentLength, 0), usual)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(response.Body, maxResponseBytes+1))
	if err == nil && body.Len() > maxResponseBytes {
		return nil, errTooLarge
	}
	return body.Bytes(), err
}

var errTooLarge = error(sentinel("the answer is larger than 16 MiB"))

// isReplay reports whether an answer is marked as a stored one: its trace id has the
// id of the first request behind that of this one. An answer without the mark may be
// one too.
func (a *answer) isReplay() bool { return strings.Contains(a.traceID, ", ") }

// traceID reads the trace id; a replayed answer has two.
func traceID(header http.Header) string {
	id := strings.Join(header.Values("X-Tosspayments-Trace-Id"), ", ")
	if len(id) <= 64 && isVisible(id) {
		return id
	}
	return oneLine(strings.ReplaceAll(id, ",", ", "), maxExcerptBytes)
}

// traces is what net/http's own trace tells of one attempt. A request is written only
// after a connection was got.
type traces struct {
	asked, got atomic.Int32
	body       *bytes.Reader
	rewound    atomic.Bool
}

func (t *traces) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Add(1) },
		GotConn: func(httptrace.GotConnInfo) { t.got.Add(1) },
	}
}

// watchBody keeps an eye on the body, since a transport that traces a failed dial may
// go on over another one that traces nothing.
func (t *traces) watchBody(r *http.Request) {
	again := r.GetBody
	r.GetBody = func() (io.ReadCloser, error) {
		t.rewound.Store(true)
		return again()
	}
}

// nothing reports whether no connection was got, and so nothing was sent. Where nothing
// was traced, the request may have been sent.
func (t *traces) nothing() bool {
	if t.asked.Load() == 0 || t.got.Load() > 0 || t.rewound.Load() {
		return false
	}
	return t.body == nil || t.body.Len() == int(t.body.Size())
}

// pool is the transport that a client makes for itself. It can start afresh: a
// connection that was silent once stays silent, and HTTP/2 shares it with all others.
type pool struct {
	current atomic.Pointer[http.Transport]
}

// newPool is the default transport with room for many idle connections to one host
// (with the usual two, most calls of a busy backend dial again), with pings on HTTP/2
// and with a short life for idle connections, so that dead ones are noticed.
func newPool() http.RoundTripper {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	transport := base.Clone()
	// A clone of a transport that has negotiated HTTP/2 by itself would not speak it.
	transport.ForceAttemptHTTP2 = true
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 1024
	transport.IdleConnTimeout = 30 * time.Second
	if transport.HTTP2 == nil {
		transport.HTTP2 = new(http.HTTP2Config)
	}
	transport.HTTP2.SendPingTimeout = 10 * time.Second
	transport.HTTP2.PingTimeout = 5 * time.Second
	p := new(pool)
	p.current.Store(transport)
	return p
}

// RoundTrip sends through the present connections.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	return p.current.Load().RoundTrip(r)
}

// CloseIdleConnections gives idle connections back.
func (p *pool) CloseIdleConnections() { p.current.Load().CloseIdleConnections() }

// connectionsInUse are those that an attempt may get.
type connectionsInUse struct {
	client    *http.Client
	pool      *pool
	transport *http.Transport
}

func (c *Client) connections() connectionsInUse {
	p, ok := c.http.Transport.(*pool)
	if !ok {
		return connectionsInUse{client: c.http}
	}
	return connectionsInUse{c.http, p, p.current.Load()}
}

// drop is called after an attempt without an answer: no later one uses these
// connections. Requests that are under way on them go on. Of a transport that is not
// the client's own only the idle connections can be closed.
func (u connectionsInUse) drop() {
	closeIdle := u.client.CloseIdleConnections
	if u.pool != nil {
		closeIdle = u.transport.CloseIdleConnections
		if !u.pool.current.CompareAndSwap(u.transport, u.transport.Clone()) {
			return
		}
	}
	closeIdle()
	// A connection is idle only once net/http has forgotten the abandoned request.
	time.AfterFunc(firstBackoff/4, closeIdle)
}

// errorOf makes an *Error of an answer that is not a usable success. problem says
// what is wrong with a 2xx answer.
func (c *Client) errorOf(call *call, a *answer, problem error) *Error {
	e := &Error{CallDetails: call.details(), StatusCode: a.status, RetryAfter: a.retryAfter}
	e.TraceID = a.traceID
	if problem == nil {
		problem = a.err
	}
	if problem != nil {
		e.Message = c.scrub("the answer could not be read: "+problem.Error(), call, maxMessageBytes)
	}
	// A payment has secrets, also where it is cut off; a page of somebody in between has none.
	isPage := bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<"))
	if a.ok() && !errors.Is(problem, errAnswered) && !isPage {
		return e
	}
	body := c.errorBody(call, a.body)
	e.Code = body.code
	if body.message != "" {
		e.Message = c.scrub(body.message, call, maxMessageBytes)
	}
	if e.TraceID == "" {
		e.TraceID = body.traceID
	}
	if e.Code == "" && (a.status >= 300 || isPage) {
		e.Excerpt = c.scrub(string(a.body[:min(len(a.body), maxScrubbedBytes)]), call, maxExcerptBytes)
	}
	if e.Code == "" && a.status == http.StatusTooManyRequests {
		// It is documented without a code, and says to wait.
		e.Code = ErrTooManyRequests
	}
	return e
}

// errorBody is what an error answer of either API version says.
type errorBody struct {
	code             ErrorCode
	message, traceID string
}

// errorBody reads what it can; the status counts in any case. A key is no code.
func (c *Client) errorBody(call *call, data []byte) (body errorBody) {
	type texts struct {
		Code    json.RawMessage `json:"code"`
		Message json.RawMessage `json:"message"`
		TraceID json.RawMessage `json:"traceId"`
	}
	var v struct {
		texts
		Error texts `json:"error"`
	}
	_ = json.Unmarshal(data, &v)
	said := v.texts
	if len(v.Error.Code) > 0 {
		said = v.Error
	}
	if code := text(said.Code); len(code) <= 100 && isVisible(code) && c.hideSecrets(code, call) == code {
		body.code = ErrorCode(code)
	}
	body.message = text(said.Message)
	body.traceID = oneLine(c.hideSecrets(text(v.TraceID), call), maxExcerptBytes)
	return body
}

// text returns a JSON string's value, or "".
func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

// Attempt is one request of a call, for [WithObserver].
type Attempt struct {
	// Operation is the call in words, such as "confirm payment".
	Operation string
	// Number counts the requests of the call from 1, lookups apart.
	Number int
	// Lookup is set for a read that looks for the outcome of another call.
	Lookup bool
	// Status is the HTTP status; 0 when no answer arrived.
	Status int
	// Code is the code of an error answer; "" when it had none.
	Code ErrorCode
	// Duration is from the start of the request to the end of its answer, or to its failure.
	Duration time.Duration
	// TraceID identifies the answer to Toss Payments' support.
	TraceID string
	// Err is why no answer arrived; nil when one did.
	Err error
}

// observe tells the caller's observer and log of one attempt.
func (c *Client) observe(ctx context.Context, call *call, a *answer, start time.Time) {
	if c.observer == nil && c.logger == nil {
		return
	}
	took := time.Since(start)
	attempt := Attempt{
		Operation: call.op.name, Number: call.attempts, Lookup: call.lookup,
		Status: a.status, Duration: took, TraceID: a.traceID, Err: a.err,
	}
	if a.status >= 300 {
		attempt.Code = c.errorBody(call, a.body).code
	}
	if c.observer != nil {
		c.observer(ctx, attempt)
	}
	if c.logger == nil {
		return
	}
	level := slog.LevelDebug
	if a.err != nil || a.status >= 500 {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("operation", attempt.Operation),
		slog.String("method", call.op.method),
		slog.String("path", call.op.template),
		slog.Int("attempt", attempt.Number),
		slog.Bool("lookup", attempt.Lookup),
		slog.Int("status", attempt.Status),
		slog.Duration("duration", took),
		slog.String("traceId", attempt.TraceID),
	}
	if attempt.Code != "" {
		attrs = append(attrs, slog.String("code", string(attempt.Code)))
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("error", c.scrub(a.err.Error(), call, maxExcerptBytes)))
	}
	c.logger.LogAttrs(ctx, level, "tosspayments request", attrs...)
}

// warnUnread logs which fields of a good answer could not be read.
func (c *Client) warnUnread(ctx context.Context, call *call, a *answer) {
	if c.logger != nil && len(a.unread) > 0 {
		c.logger.WarnContext(ctx, "tosspayments: fields of the answer could not be read",
			"operation", call.op.name, "fields", a.unread, "traceId", a.traceID)
	}
}
