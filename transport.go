package tosspayments

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxResponseBytes  = 16 << 20
	maxExcerptBytes   = 512
	maxMessageBytes   = 2048
	maxIdempotencyKey = 300
)

var (
	headerJSON      = []string{"application/json"}
	headerEnglish   = []string{string(English)}
	headerUserAgent = []string{"tosspayments-go/" + Version}
)

// operation is what the calls of one method have in common.
type operation struct {
	name     string
	method   string
	template string
	timeout  time.Duration
	// moves is set for calls that move money.
	moves bool
	// refusedWhenDone lists the codes of ClassAlreadyDone that are a refusal when
	// no earlier attempt of the call can have caused them.
	refusedWhenDone []ErrorCode
}

func (op *operation) alreadyDoneIsRefusal(code ErrorCode) bool {
	for _, c := range op.refusedWhenDone {
		if c == code {
			return true
		}
	}
	return false
}

// call is one call of the caller: one or more attempts with the same bytes.
type call struct {
	op    *operation
	path  string // percent-encoded
	query string
	body  []byte
	// sensitive are values of the request that an error must not repeat.
	sensitive []string

	idempotencyKey    string
	hasIdempotencyKey bool
	testCode          ErrorCode
	response          *Response

	attempts int
	deadline time.Time
}

func (c *Client) newCall(ctx context.Context, op *operation, path string, body []byte, opts []CallOption) (*call, error) {
	if ctx == nil {
		return nil, &ValidationError{Field: "ctx", Reason: "must not be nil"}
	}
	call := &call{op: op, path: path, body: body}
	for _, opt := range opts {
		if opt == nil {
			return nil, &ValidationError{Field: "option", Reason: "must not be nil"}
		}
		opt(call)
	}
	switch key := call.idempotencyKey; {
	case op.method != http.MethodPost:
		call.idempotencyKey = ""
	case !call.hasIdempotencyKey:
		call.idempotencyKey = rand.Text()
	case key == "":
		return nil, &ValidationError{Field: "idempotencyKey", Reason: "must not be empty"}
	case len(key) > maxIdempotencyKey:
		return nil, &ValidationError{Field: "idempotencyKey", Reason: "must have at most 300 characters"}
	case !isVisible(key):
		return nil, &ValidationError{Field: "idempotencyKey", Reason: "must have visible ASCII characters only"}
	}
	if call.testCode != "" {
		if !c.key.IsTest() {
			return nil, &ValidationError{Field: "WithTestCode", Reason: "needs a test key (test_…)"}
		}
		if !isVisible(string(call.testCode)) {
			return nil, &ValidationError{Field: "WithTestCode", Reason: "must be an error code"}
		}
	}
	if call.response != nil {
		*call.response = Response{IdempotencyKey: call.idempotencyKey}
	}
	var ok bool
	if call.deadline, ok = ctx.Deadline(); !ok {
		call.deadline = time.Now().Add(wholeCallTimeout)
	}
	return call, nil
}

func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' })
}

// answer is the end of one attempt.
type answer struct {
	status  int // 0 when no answer arrived
	header  http.Header
	traceID string
	body    []byte
	buffer  *[]byte
	// err is why no answer arrived, or why its body is incomplete.
	err error
	// notSent tells that nothing of the request can have reached the server.
	notSent bool
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// release gives the body back; it must not be used afterwards.
func (a *answer) release() {
	if a.buffer != nil && cap(a.body) <= 64<<10 {
		*a.buffer = a.body[:0]
		buffers.Put(a.buffer)
	}
	a.buffer, a.body = nil, nil
}

// send makes one attempt. limit is how long it may take.
func (c *Client) send(ctx context.Context, call *call, limit time.Duration) answer {
	start := time.Now()
	attempt, cancel := context.WithDeadline(ctx, start.Add(limit))
	defer cancel()
	var sent sending = new(trackedBody)
	if c.sendsDirectly() {
		sent = new(trackedConnection)
	}
	a := c.roundTrip(c.newRequest(attempt, call, sent))
	a.notSent = a.err != nil && a.status == 0 && sent.nothing(a.err)
	if c.logger != nil {
		c.log(ctx, call, &a, time.Since(start))
	}
	return a
}

// sendsDirectly tells whether nothing of other people's stands between the client
// and the network.
func (c *Client) sendsDirectly() bool {
	_, ok := c.http.Transport.(*http.Transport)
	return ok || c.http.Transport == nil
}

func (c *Client) newRequest(ctx context.Context, call *call, sent sending) *http.Request {
	header := make(http.Header, 7)
	header["Authorization"] = c.authorization()
	header["Accept"] = headerJSON
	header["User-Agent"] = headerUserAgent
	if c.language == English {
		header["Accept-Language"] = headerEnglish
	}
	if call.idempotencyKey != "" {
		header["Idempotency-Key"] = []string{call.idempotencyKey}
	}
	if call.testCode != "" {
		header["Tosspayments-Test-Code"] = []string{string(call.testCode)}
	}
	request := &http.Request{
		Method:     call.op.method,
		URL:        c.address(call),
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     header,
		Host:       c.base.Host,
	}
	if call.body != nil {
		header["Content-Type"] = headerJSON
		request.ContentLength = int64(len(call.body))
		ctx = sent.attach(ctx, request, call.body)
	}
	return request.WithContext(ctx)
}

func (c *Client) address(call *call) *url.URL {
	u := &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path + call.path, RawQuery: call.query}
	if strings.Contains(call.path, "%") {
		u.RawPath = c.base.EscapedPath() + call.path
		u.Path, _ = url.PathUnescape(u.RawPath)
	}
	return u
}

func (c *Client) roundTrip(request *http.Request) (a answer) {
	response, err := c.http.Do(request)
	if err != nil {
		// The text of a url.Error repeats the path, which may hold keys.
		if wrapped, ok := err.(*url.Error); ok {
			err = wrapped.Err
		}
		a.err = err
		return a
	}
	defer func() { _ = response.Body.Close() }()
	a.status = response.StatusCode
	a.header = response.Header
	a.traceID = traceID(response.Header)
	a.buffer = buffers.Get().(*[]byte)
	a.body, a.err = readBounded(response.Body, (*a.buffer)[:0], response.ContentLength)
	return a
}

func traceID(header http.Header) string {
	values := header["X-Tosspayments-Trace-Id"]
	switch {
	case len(values) == 0:
		return ""
	case len(values) == 1 && len(values[0]) <= 64 && isVisible(values[0]):
		return values[0]
	}
	return oneLine(strings.Join(values, ", "), maxExcerptBytes)
}

func readBounded(r io.Reader, b []byte, length int64) ([]byte, error) {
	if length > maxResponseBytes {
		return b, errTooLarge
	}
	if need := max(int(length)+1, 512); cap(b) < need {
		b = make([]byte, 0, need)
	}
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		case len(b) > maxResponseBytes:
			return b, errTooLarge
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}

var errTooLarge error = sentinel("the answer is larger than 16 MiB")

// sending puts the body into a request and tells, after a failure, whether nothing
// of the request can have reached the server, and nothing will.
type sending interface {
	attach(ctx context.Context, request *http.Request, body []byte) context.Context
	nothing(err error) bool
}

// trackedConnection watches an [*http.Transport], which asks for the connection
// before it sends anything. The body stays of a type that net/http knows, or it
// would be sent apart from the header.
type trackedConnection struct {
	trace     httptrace.ClientTrace
	connected atomic.Bool
}

func (t *trackedConnection) attach(ctx context.Context, request *http.Request, body []byte) context.Context {
	request.Body = io.NopCloser(bytes.NewReader(body))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	t.trace.GotConn = func(httptrace.GotConnInfo) { t.connected.Store(true) }
	return httptrace.WithClientTrace(ctx, &t.trace)
}

func (t *trackedConnection) nothing(error) bool { return !t.connected.Load() }

// trackedBody knows whether any of the body was read, by whatever RoundTripper,
// also when that repeats the request by itself. A failure to dial then means that
// nothing was sent.
type trackedBody struct{ used atomic.Int32 }

const (
	bodyUnread int32 = iota
	bodyRead
	bodyAbandoned
)

func (t *trackedBody) attach(ctx context.Context, request *http.Request, body []byte) context.Context {
	request.Body = &trackedReader{Reader: bytes.NewReader(body), tracked: t}
	request.GetBody = func() (io.ReadCloser, error) {
		return &trackedReader{Reader: bytes.NewReader(body), tracked: t}, nil
	}
	return ctx
}

func (t *trackedBody) nothing(err error) bool {
	var op *net.OpError
	return t.used.CompareAndSwap(bodyUnread, bodyAbandoned) &&
		errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

type trackedReader struct {
	io.Reader
	tracked *trackedBody
}

func (r *trackedReader) Read(p []byte) (int, error) {
	if !r.tracked.used.CompareAndSwap(bodyUnread, bodyRead) && r.tracked.used.Load() == bodyAbandoned {
		return 0, http.ErrBodyReadAfterClose
	}
	return r.Reader.Read(p)
}

func (r *trackedReader) Close() error { return nil }

func (c *Client) log(ctx context.Context, call *call, a *answer, took time.Duration) {
	level := slog.LevelDebug
	if a.err != nil || a.status >= 500 {
		level = slog.LevelWarn
	}
	if !c.logger.Enabled(ctx, level) {
		return
	}
	attrs := [7]slog.Attr{
		slog.String("method", call.op.method),
		slog.String("path", call.op.template),
		slog.Int("status", a.status),
		slog.Duration("duration", took),
		slog.String("traceId", a.traceID),
		slog.Int("attempt", call.attempts),
	}
	n := 6
	if a.err != nil {
		attrs[n] = slog.String("error", c.scrub(a.err.Error(), call, maxExcerptBytes))
		n++
	}
	c.logger.LogAttrs(ctx, level, "tosspayments request", attrs[:n]...)
}

// errorOf makes an *Error of an answer that is not a usable success. problem says
// what is wrong with a 2xx answer.
func (c *Client) errorOf(call *call, a *answer, problem error) *Error {
	e := &Error{
		StatusCode:     a.status,
		TraceID:        a.traceID,
		IdempotencyKey: call.idempotencyKey,
		Attempts:       call.attempts,
		Operation:      call.op.name,
	}
	if problem == nil {
		problem = a.err
	}
	if problem != nil {
		e.Message = c.scrub("the answer could not be read: "+problem.Error(), call, maxMessageBytes)
	}
	isJSON := len(a.body) > 0 && (a.body[0] == '{' || a.body[0] == '[')
	success := a.status >= 200 && a.status < 300
	if a.err == nil && isJSON && !success {
		var v struct {
			Code    json.RawMessage `json:"code"`
			Message json.RawMessage `json:"message"`
			TraceID json.RawMessage `json:"traceId"`
			Error   struct {
				Code    json.RawMessage `json:"code"`
				Message json.RawMessage `json:"message"`
			} `json:"error"`
		}
		// What cannot be read stays empty: the status still counts.
		_ = json.Unmarshal(a.body, &v)
		code, message := text(v.Code), text(v.Message)
		if len(v.Error.Code) > 0 {
			code, message = text(v.Error.Code), text(v.Error.Message)
		}
		if len(code) <= 100 && isVisible(code) {
			e.Code = ErrorCode(code)
		}
		if message != "" {
			e.Message = c.scrub(message, call, maxMessageBytes)
		}
		if e.TraceID == "" {
			e.TraceID = oneLine(text(v.TraceID), maxExcerptBytes)
		}
	}
	if e.Code == "" && (!isJSON || !success) {
		e.Excerpt = c.scrub(string(a.body[:min(len(a.body), 2*maxExcerptBytes)]), call, maxExcerptBytes)
	}
	return e
}

// text returns a JSON string's value, or "".
func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

// scrub makes foreign text fit for an error or a log: one line, bounded, without
// the key, the request's sensitive values, and card or account numbers.
func (c *Client) scrub(s string, call *call, limit int) string {
	authorization := c.authorization()[0]
	for _, secret := range append([]string{c.key.text(), strings.TrimPrefix(authorization, "Basic ")}, call.sensitive...) {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, redacted)
		}
	}
	return oneLine(maskNumbers(s), limit)
}

// maskNumbers hides what may be a card or account number: nine digits in a row,
// or eleven in groups joined by a hyphen or a space.
func maskNumbers(s string) string {
	b := []byte(s)
	for i := 0; i < len(b); {
		if !isDigit(b[i]) {
			i++
			continue
		}
		end, digits, grouped := i, 0, false
		for end < len(b) {
			if isDigit(b[end]) {
				digits++
				end++
			} else if (b[end] == '-' || b[end] == ' ') && end+1 < len(b) && isDigit(b[end+1]) {
				grouped = true
				end++
			} else {
				break
			}
		}
		if digits >= 11 || digits >= 9 && !grouped {
			for k := i; k < end; k++ {
				if isDigit(b[k]) {
					b[k] = '*'
				}
			}
		}
		i = end
	}
	return string(b)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func oneLine(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}

// read makes a call that moves nothing and may be repeated.
func (c *Client) read(ctx context.Context, call *call, decode func([]byte) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return &ConnectionError{Operation: call.op.name, Attempts: call.attempts, Err: err, notSent: call.attempts == 0}
		}
		call.attempts++
		a := c.send(ctx, call, c.limit(call, false))
		if a.err == nil && a.status >= 200 && a.status < 300 {
			call.report(&a, false)
			err := decode(a.body)
			if err != nil {
				err = c.errorOf(call, &a, err)
			}
			a.release()
			return err
		}
		retry := a.err != nil && !errors.Is(a.err, errTooLarge) || retryRead(a.status)
		if retry && call.attempts <= c.maxRetries && call.wait(ctx, backoff(call.attempts, a.header, time.Now())) {
			a.release()
			continue
		}
		call.report(&a, false)
		defer a.release()
		if a.status == 0 {
			return &ConnectionError{Operation: call.op.name, Attempts: call.attempts, Err: a.err, notSent: a.notSent}
		}
		return c.errorOf(call, &a, nil)
	}
}

// limit returns how long the next attempt may take.
func (c *Client) limit(call *call, lookupMayFollow bool) time.Duration {
	limit := call.op.timeout
	if c.timeout > 0 {
		limit = c.timeout
	}
	left := time.Until(call.deadline)
	if lookupMayFollow {
		return attemptTime(limit, left)
	}
	return min(limit, left)
}

// wait waits unless the context ends or the call's time does not allow it; it
// tells whether the call may go on.
func (call *call) wait(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil || time.Until(call.deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// report fills the caller's Response.
func (call *call) report(a *answer, settledByLookup bool) {
	r := call.response
	if r == nil {
		return
	}
	*r = Response{
		StatusCode:      a.status,
		Header:          a.header,
		TraceID:         a.traceID,
		IdempotencyKey:  call.idempotencyKey,
		Attempts:        call.attempts,
		SettledByLookup: settledByLookup,
		Body:            append([]byte(nil), a.body...),
	}
}

// segment checks a value that becomes one segment of a path, and escapes it.
func segment(field, value string, limit int) (string, error) {
	if err := checkLength(field, value, 1, limit); err != nil {
		return "", err
	}
	if value == "." || value == ".." {
		return "", &ValidationError{Field: field, Reason: "must not be . or .."}
	}
	return url.PathEscape(value), nil
}

func checkLength(field, value string, least, most int) error {
	switch n := utf8.RuneCountInString(value); {
	case !utf8.ValidString(value):
		return &ValidationError{Field: field, Reason: "must be valid UTF-8"}
	case n == 0 && least > 0:
		return &ValidationError{Field: field, Reason: "is empty"}
	case n < least || n > most:
		return &ValidationError{Field: field, Reason: fmt.Sprintf("must have %d to %d characters, has %d", least, most, n)}
	}
	return nil
}
