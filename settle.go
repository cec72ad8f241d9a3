package tosspayments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// verdict is what an answer or a looked-up payment means for a call.
type verdict uint8

const (
	// undecided: ask again.
	undecided verdict = iota
	// settled: it happened.
	settled
	// failed: it is decided otherwise; an error says how.
	failed
	// noEffect: nothing has moved yet.
	noEffect
	// undecidable: no lookup of today can tell.
	undecidable
	// unreadable: the answer cannot be read.
	unreadable
)

// settlement is how the outcome of one call that moves money is found.
type settlement struct {
	paymentKey, orderID string
	// judge says what a payment means for the call; direct tells that it is the
	// answer to the call itself, not to a lookup.
	judge func(p *Payment, direct bool) (verdict, error)
	// decode reads the answer where there is no judge, and nothing to look up.
	decode func(body []byte) error
	// guarded tells that the server performs the operation at most once whatever
	// the idempotency key.
	guarded bool
	// approvesOnce tells that a repeated call finds the effect of an earlier one and
	// reports it as success, so that a new key is safe even after a lost attempt.
	approvesOnce bool
}

// movement is the state of one call that moves money.
type movement struct {
	client *Client
	call   *call
	settlement

	// reached tells that an attempt may have reached the server.
	reached bool
	// unanswered tells that the last attempt had no usable answer, lost that any
	// attempt had none, unclear that any had one that does not tell what happened.
	unanswered, lost, unclear bool
	lastAnswer                *Error
	cause                     error

	lookups    int
	lastLookUp time.Time
	found      verdict
	payment    *Payment
	graceUsed  bool
}

// move makes a call that moves money. Without an error it has happened, and the
// payment is as it was last seen.
func (c *Client) move(ctx context.Context, call *call, s settlement) (*Payment, error) {
	m := movement{client: c, call: call, settlement: s}
	if err := m.run(ctx); err != nil {
		return nil, err
	}
	return m.payment, nil
}

func (m *movement) run(ctx context.Context) error {
	c, call := m.client, m.call
	for {
		if err := ctx.Err(); err != nil {
			return m.end(ctx, err)
		}
		call.attempts++
		a := c.send(ctx, call, c.limit(call, m.judge != nil))
		call.report(&a, false)
		next, err := m.after(&a)
		retryHeader := a.header
		a.release()
		switch next {
		case refuse:
			m.attachFound(ctx, err)
			return err
		case lookUp, lookUpThenResend:
			again, err := m.lookUp(ctx, next == lookUpThenResend && m.guarded && call.attempts <= c.maxRetries)
			if !again {
				return err
			}
		}
		if call.attempts > c.maxRetries || !call.wait(ctx, backoff(call.attempts, retryHeader, time.Now())) {
			return m.end(ctx, nil)
		}
	}
}

// after takes in the end of an attempt. refuse means that the call ends with the
// error, which is nil for success.
func (m *movement) after(a *answer) (reaction, error) {
	earlier := m.reached
	// What was found before this attempt says nothing about it.
	m.found = undecided
	switch {
	case a.notSent:
		m.cause = a.err
		m.unanswered = true
		return resend, nil
	case a.status == 0:
		m.reached, m.unanswered, m.lost, m.cause = true, true, true, a.err
		return resend, nil
	}
	m.reached, m.unanswered, m.cause = true, false, nil
	if a.status >= 200 && a.status < 300 {
		return m.accepted(a)
	}
	m.lastAnswer = m.client.errorOf(m.call, a, nil)
	next := react(a.status, m.lastAnswer.Code, earlier, m.call.op)
	switch next {
	case refuse:
		return refuse, m.lastAnswer
	case resend:
		m.unanswered, m.lost = true, true
	default:
		m.unclear = m.unclear || a.status != http.StatusTooManyRequests && m.lastAnswer.Code.Class() != ClassAlreadyDone
	}
	return next, nil
}

func (m *movement) accepted(a *answer) (reaction, error) {
	v, err := unreadable, a.err
	if err == nil {
		v, err = m.accept(a.body)
	}
	switch v {
	case settled:
		return refuse, nil
	case failed:
		return refuse, m.fill(err, a)
	case unreadable:
		m.lastAnswer = m.client.errorOf(m.call, a, err)
		m.unanswered, m.lost = true, true
		if a.err != nil {
			m.cause = a.err
		}
		return resend, nil
	case undecidable:
		m.lastAnswer = m.client.errorOf(m.call, a, nil)
		return refuse, m.unknown(nil)
	}
	m.lastAnswer = m.client.errorOf(m.call, a, nil)
	return lookUp, nil
}

// accept judges the body of a 2xx answer; with unreadable, the error says why.
func (m *movement) accept(body []byte) (verdict, error) {
	if m.judge == nil {
		if err := m.decode(body); err != nil {
			return unreadable, err
		}
		return settled, nil
	}
	p, err := decodePayment(body)
	if err != nil {
		return unreadable, err
	}
	m.payment = p
	return m.judge(p, true)
}

// end closes a call that will not be sent again.
func (m *movement) end(ctx context.Context, err error) error {
	if !m.reached {
		if m.cause != nil && err == nil {
			err = m.cause
		}
		return &ConnectionError{
			Operation: m.call.op.name, IdempotencyKey: m.call.idempotencyKey,
			Attempts: m.call.attempts, Err: err, notSent: true,
		}
	}
	_, err = m.lookUp(ctx, false)
	return err
}

// lookUp reads the payment until it decides the call or the time is over. With
// mayResend it returns true as soon as the payment shows that nothing has moved.
func (m *movement) lookUp(ctx context.Context, mayResend bool) (again bool, err error) {
	if m.judge == nil {
		return false, m.unknown(ctx.Err())
	}
	for interval := lookupInterval; ; interval = min(2*interval, longestBackoff) {
		if pause := lookupInterval - time.Since(m.lastLookUp); m.lookups > 0 && pause > 0 && !m.call.wait(ctx, pause) {
			break
		}
		v, err := m.lookUpOnce(ctx)
		switch v {
		case settled, failed:
			return false, err
		case undecidable:
			return false, m.unknown(ctx.Err())
		case noEffect:
			if mayResend {
				return true, nil
			}
		}
		if !m.call.wait(ctx, interval) {
			break
		}
	}
	if ctx.Err() != nil {
		if v, err := m.lookUpOnce(ctx); v == settled || v == failed {
			return false, err
		}
	}
	return false, m.unknown(ctx.Err())
}

var errLookUpRefused error = sentinel("the payment could not be looked up either")

// lookUpOnce reads the payment once. When the context has ended it does so at
// most one more time, within the grace.
func (m *movement) lookUpOnce(ctx context.Context) (verdict, error) {
	c := m.client
	op := getPayment
	if m.paymentKey == "" {
		op = getPaymentByOrderID
	}
	call := call{
		op: op, path: paymentsPath + m.lookUpPath(),
		deadline: m.call.deadline, sensitive: m.call.sensitive, attempts: 1,
	}
	if ctx.Err() != nil {
		if m.graceUsed || c.grace == 0 {
			return undecided, nil
		}
		m.graceUsed = true
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.grace)
		defer cancel()
		ctx, call.deadline = late, time.Now().Add(c.grace)
	}
	limit := c.limit(&call, false)
	if limit <= 0 {
		return undecided, nil
	}
	m.lookups++
	a := c.send(ctx, &call, limit)
	defer a.release()
	defer func() { m.lastLookUp = time.Now() }()
	if a.err != nil {
		if m.cause == nil {
			m.cause = a.err
		}
		return undecided, nil
	}
	if a.status < 200 || a.status >= 300 {
		refusal := c.errorOf(&call, &a, nil)
		class := refusal.Code.Class()
		if refusal.Code == ErrNotFoundPayment && m.paymentKey == "" {
			m.found = noEffect
			return noEffect, nil
		}
		if a.status != 404 && a.status < 500 && (class == ClassConfiguration || class == ClassRequest) {
			m.cause = fmt.Errorf("%w: %s (HTTP %d)", errLookUpRefused, refusal.Code, a.status)
			return undecidable, nil
		}
		return undecided, nil
	}
	payment, err := decodePayment(a.body)
	if err != nil {
		return undecided, nil
	}
	m.payment = payment
	if m.paymentKey == "" && !m.lost && !m.unclear {
		// No attempt of this call can have made it: whose it is the caller knows.
		return undecidable, nil
	}
	v, err := m.judge(payment, false)
	m.found = v
	switch v {
	case settled:
		m.call.report(&a, true)
	case failed:
		m.call.report(&a, true)
		err = m.fill(err, &a)
	}
	return v, err
}

// lookUpPath is the payment's own path where it has one: an order id may belong to
// another session.
func (m *movement) lookUpPath() string {
	if m.paymentKey == "" {
		path, _ := segment("orderId", m.orderID, maxOrderID)
		return "orders/" + path
	}
	path, _ := segment("paymentKey", m.paymentKey, maxPaymentKey)
	return path
}

// attachFound adds the payment to a refusal that says that the order has one.
func (m *movement) attachFound(ctx context.Context, err error) {
	refusal, ok := err.(*Error)
	if !ok || refusal.Code != ErrDuplicatedOrderID || m.judge == nil || m.paymentKey != "" {
		return
	}
	if payment, err := m.client.GetPaymentByOrderID(ctx, m.orderID); err == nil {
		refusal.Payment = payment
	}
}

// fill completes an error that was made from a payment.
func (m *movement) fill(err error, a *answer) error {
	switch e := err.(type) {
	case *Error:
		e.Operation, e.IdempotencyKey, e.Attempts = m.call.op.name, m.call.idempotencyKey, m.call.attempts
		e.TraceID = a.traceID
	case *MismatchError:
		e.Operation, e.IdempotencyKey, e.Attempts = m.call.op.name, m.call.idempotencyKey, m.call.attempts
		e.TraceID = a.traceID
	}
	return err
}

// unknown makes the error for an outcome that is not known. ended is the error of
// the caller's context, or nil.
func (m *movement) unknown(ended error) error {
	cause := m.cause
	switch {
	case ended != nil && cause == nil:
		cause = ended
	case ended != nil && !errors.Is(cause, ended):
		cause = fmt.Errorf("%w; before that: %w", ended, cause)
	}
	e := &OutcomeUnknownError{
		Operation:      m.call.op.name,
		PaymentKey:     m.paymentKey,
		OrderID:        m.orderID,
		IdempotencyKey: m.call.idempotencyKey,
		Payment:        m.payment,
		LastAnswer:     m.lastAnswer,
		Attempts:       m.call.attempts,
		cause:          cause,
	}
	switch {
	case m.unanswered:
		e.Next = NextSameKey
	case m.found == noEffect && m.guarded && (m.approvesOnce || !m.lost) &&
		m.lastAnswer.StatusCode >= 400 && m.lastAnswer.StatusCode < 500:
		e.Next = NextNewKey
	}
	return e
}

// decodePayment reads a payment. A payment without its keys or status is none.
func decodePayment(body []byte) (*Payment, error) {
	p := new(Payment)
	if err := json.Unmarshal(body, p); err != nil {
		return nil, err
	}
	if p.PaymentKey == "" || p.OrderID == "" || p.Status == "" {
		return nil, errNoPayment
	}
	return p, nil
}

var errNoPayment error = sentinel("it is not a payment: paymentKey, orderId or status is missing")
