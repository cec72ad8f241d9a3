package tosspayments

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

const (
	// A whole call that has no deadline takes at most wholeCallTimeout.
	wholeCallTimeout = 120 * time.Second
	// An attempt that has had no answer for so long is given up and sent again on a
	// fresh connection. A server that is still working on it answers 409 until its
	// answer is there, so little is lost by asking early.
	moneyTimeout  = 15 * time.Second
	chargeTimeout = 25 * time.Second
	// An attempt that is not sent again may take longer.
	onlyAttemptTimeout = 60 * time.Second
	readTimeout        = 15 * time.Second
	listTimeout        = 60 * time.Second

	maxIdempotencyKey = 300
)

// operation is what the calls of one method have in common.
type operation struct {
	name, method, template string
	// timeout bounds one attempt.
	timeout time.Duration
}

// call is one call of the caller: one or more attempts with the same bytes.
type call struct {
	op     *operation
	path   string // percent-encoded
	query  string
	header http.Header
	body   []byte
	// seal makes the bytes of each attempt of body, and open the JSON of an answer's.
	seal, open func([]byte) ([]byte, error)
	// secrets are values of the request that no error may repeat.
	secrets []string

	// idempotencyKey is the key of the operation, which the caller knows; sentKey is
	// what the attempts carry.
	idempotencyKey, sentKey string
	// ownKey is set when the caller chose the key: an earlier call may have used it.
	ownKey   bool
	testCode ErrorCode
	// lookup is set for a read that looks for the outcome of another call.
	lookup   bool
	response *Response

	attempts int
	started  time.Time
	deadline time.Time
}

// newCall prepares a call whose body is encoded from in; nil sends none.
func (c *Client) newCall(ctx context.Context, op *operation, path string, in any, opts []CallOption) (*call, error) {
	if ctx == nil {
		return nil, &ValidationError{Field: "ctx", Reason: "must not be nil"}
	}
	call := &call{op: op, path: path, started: time.Now()}
	for _, opt := range opts {
		if opt == nil {
			return nil, &ValidationError{Field: "option", Reason: "must not be nil"}
		}
		opt(call)
	}
	if err := c.checkOptions(call); err != nil {
		return nil, err
	}
	switch {
	case op.method != http.MethodPost:
		call.idempotencyKey = ""
	case !call.ownKey:
		call.idempotencyKey = rand.Text()
	}
	call.sentKey = call.idempotencyKey
	if in != nil {
		body, secrets, err := encode(in)
		if err != nil {
			return nil, &ValidationError{Field: "body", Reason: "cannot be encoded as JSON: " + err.Error()}
		}
		call.body, call.secrets = body, secrets
	}
	if call.response != nil {
		*call.response = Response{IdempotencyKey: call.idempotencyKey}
	}
	var ok bool
	if call.deadline, ok = ctx.Deadline(); !ok {
		call.deadline = call.started.Add(wholeCallTimeout)
	}
	return call, nil
}

func (call *call) details() CallDetails {
	return CallDetails{
		Operation: call.op.name, IdempotencyKey: call.idempotencyKey, Attempts: call.attempts, read: isRead(call.op.method),
	}
}

// isRead reports whether a method only reads. Every other one may change something.
func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// limit returns how long the next attempt may take. With keep, time for a lookup is
// kept back.
func (c *Client) limit(call *call, keep bool) time.Duration {
	limit := call.op.timeout
	switch {
	case c.timeout > 0:
		limit = c.timeout
	case c.maxRetries == 0 && !isRead(call.op.method):
		limit = onlyAttemptTimeout
	}
	left := time.Until(call.deadline)
	if keep {
		return attemptTime(limit, left)
	}
	return min(limit, left)
}

// wait waits unless the context ends or the call's time does not allow it, and reports
// whether the call may go on.
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
	if call.response == nil {
		return
	}
	*call.response = Response{
		StatusCode:      a.status,
		Header:          a.header,
		TraceID:         a.traceID,
		IdempotencyKey:  call.idempotencyKey,
		Attempts:        call.attempts,
		SettledByLookup: settledByLookup,
		Unread:          a.unread,
		Body:            a.body,
	}
}

// read makes a call that changes nothing, and may therefore be repeated. decode
// returns the fields that it could not read.
func (c *Client) read(ctx context.Context, call *call, decode func([]byte) ([]string, error)) error {
	for {
		if err := ctx.Err(); err != nil {
			return &ConnectionError{CallDetails: call.details(), Err: err, notSent: call.attempts == 0}
		}
		call.attempts++
		a := c.send(ctx, call, c.limit(call, false))
		if a.ok() {
			return c.accept(ctx, call, &a, decode)
		}
		pause := backoff(call.attempts, a.retryAfter)
		if retryRead(&a) && call.attempts <= c.maxRetries && call.wait(ctx, pause) {
			continue
		}
		call.report(&a, false)
		if a.status == 0 {
			return &ConnectionError{CallDetails: call.details(), Err: a.err, notSent: a.notSent}
		}
		return c.errorOf(call, &a, nil)
	}
}

// accept decodes a successful answer and reports it. A body that cannot be read is an
// *Error, which keeps status and trace id.
func (c *Client) accept(ctx context.Context, call *call, a *answer, decode func([]byte) ([]string, error)) (err error) {
	a.unread, err = decode(a.body)
	call.report(a, false)
	if err != nil {
		return c.errorOf(call, a, err)
	}
	c.warnUnread(ctx, call, a)
	return nil
}

// retryRead is the policy for reads.
func retryRead(a *answer) bool {
	return a.err != nil && !errors.Is(a.err, errTooLarge) || a.status == http.StatusTooManyRequests || a.status >= 500
}

// get reads one object or list with GET.
func (c *Client) get(ctx context.Context, op *operation, path, query string, decode func([]byte) ([]string, error), opts []CallOption) error {
	call, err := c.newCall(ctx, op, path, nil, opts)
	if err != nil {
		return asRead(err)
	}
	call.query = query
	return c.read(ctx, call, decode)
}

// post makes a call that moves no money and of which nothing can be looked up.
func (c *Client) post(ctx context.Context, op *operation, path string, in any, decode func([]byte) ([]string, error), opts []CallOption) error {
	call, err := c.newCall(ctx, op, path, in, opts)
	if err != nil {
		return err
	}
	_, err = c.resolve(ctx, call, plan{decode: decode, movesNothing: true})
	return err
}

// decodeInto decodes an answer into out, as far as it can be read.
func decodeInto(out any) func([]byte) ([]string, error) {
	return func(body []byte) ([]string, error) { return lenient.Unmarshal(body, out) }
}
