package tosspayments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// This file is how a call that moves money ends. resolve sends attempts until one of
// them, or a lookup, tells what has happened: take makes a finding of each attempt,
// next says what to do about it, and look reads the payment where an answer alone
// proves nothing.

// plan is how the outcome of one kind of call is found.
type plan struct {
	// paymentKey or, without one, orderID is what a lookup reads.
	paymentKey, orderID string
	// judge says what a payment means for the call, which for decided has an error.
	// Without it nothing can be looked up, and decode reads the answer.
	judge  func(p *Payment, from origin) (view, error)
	decode func(body []byte) (unread []string, err error)
	// search looks for the effect of a call that is not answered with a payment; it may
	// be nil.
	search func(ctx context.Context) (found bool, err error)
	// shared is set where the operation is the same whoever makes it, and what a
	// lookup finds counts: a confirm, a cancel of all, the payment of an order.
	shared bool
	// reversible is set where what has happened can be undone by a cancel.
	reversible bool
	// essential are fields without which judge cannot say anything.
	essential []string
	// lookFirst looks before the first attempt: the call may be older than the
	// server's memory of its key.
	lookFirst bool
	// needs says what the payment that such a look has found needs in the request.
	needs func(*Payment) error
	// confirmedBy is the code by which a repeated request learns that an earlier one
	// was done.
	confirmedBy ErrorCode
	// movesNothing is set where no money is at stake, so that a call which is made again
	// believes a refusal.
	movesNothing bool
	// once is set where the call must not be made again after an unknown outcome.
	once bool
}

// origin is where a payment comes from that is judged.
type origin uint8

const (
	// fromLook: a lookup.
	fromLook origin = iota
	// fromTaken: a lookup, after the server has said that the order id is taken.
	fromTaken
	// fromAnswer: the answer to the call itself.
	fromAnswer
)

// view is what a payment shows about a call.
type view uint8

const (
	// blurred: it does not tell, or could not be read.
	blurred view = iota
	// noEffect: nothing has moved yet.
	noEffect
	// effect: it has happened.
	effect
	// decided: it has ended otherwise.
	decided
	// suspect: the same, if a second look agrees; one may have seen an old copy.
	suspect
	// pending: a wallet is still working on it.
	pending
)

// finding is what one attempt says.
type finding uint8

const (
	// notSent: no connection was got.
	notSent finding = iota
	// lost: no answer arrived, or none that can be read.
	lost
	// running: a request under this key is being worked on.
	running
	// busy: too many requests; nothing was done.
	busy
	// wait: another reason to ask later; nothing was done.
	wait
	// unclear: an answer that decides nothing.
	unclear
	// opaque: the same from somebody in between; asking again does not help.
	opaque
	// already: the effect may exist, whoever caused it.
	already
	// spent: the balance is not what the request expects.
	spent
	// aside: refused for a reason that says nothing of an earlier request.
	aside
	// refused: decided, and nothing has moved.
	refused
	// ended: the answer is the end of the call, good or bad.
	ended
)

// find says what the answer to an attempt means, other than that of a success.
func (p *plan) find(a *answer, code ErrorCode) finding {
	class := code.Class()
	switch {
	case a.notSent:
		return notSent
	case a.err != nil:
		return lost
	case code == ErrIdempotentRequestProcessing, a.status == http.StatusConflict && code == "":
		return running
	case a.status == http.StatusTooManyRequests, code == ErrForbiddenConsecutiveRequest:
		return busy
	case a.status >= 500:
		return unclear
	case a.status < 400, code == "":
		return opaque
	case code == ErrAlreadyProcessingRequest && p.shared:
		// Somebody's request for this very operation is running, and may succeed.
		return unclear
	case code == ErrNotMatchesRefundableAmount, code == ErrNotCancelableAmount:
		return spent
	case code == ErrAlreadyRemovedBillingKey:
		return refused
	case class == ClassAlreadyDone && p.shared:
		return already
	case class == ClassConfiguration, class == ClassAlreadyDone:
		return aside
	case class == ClassUnknown:
		return unclear
	case class == ClassWait:
		return wait
	}
	return refused
}

// known is what all answers so far prove.
type known struct {
	// earlier is set when the key is not of this call alone: a call before it may have
	// had the effect. lost is set when a request of this call may have had an effect
	// that no answer told.
	earlier, lost bool
	// told is set when an attempt was told to wait, and has done nothing.
	told bool
	// useless counts equal answers in a row under one key that have a code and decide
	// nothing, with a look between that showed no effect: the server may have stored
	// them, and then repeats them for 15 days. exhausted is set when they are enough to
	// say that nothing is under way under that key.
	useless   int
	exhausted bool
	// renewed is set while a key is in use that this call has been the first to use.
	renewed bool
}

// doubt reports whether something may have had the effect already.
func (k known) doubt() bool { return k.earlier || k.lost }

// action is what to do next.
type action uint8

const (
	// finish: the call ends with what the attempt says.
	finish action = iota
	// again: send the same request again.
	again
	// renew: send it again under a new key.
	renew
	// lookThenGoOn: look once; see afterLook.
	lookThenGoOn
	// lookThenFinish: look once; if that shows no effect, finish.
	lookThenFinish
	// lookTwiceThenFinish: look; when two looks have shown no effect, finish.
	lookTwiceThenFinish
	// lookOut: look; if that does not tell, the outcome is unknown.
	lookOut
)

// next is what to do about an attempt.
func next(k known, f finding, p *plan, mayRepeat bool) action {
	switch f {
	case lost, running, notSent, busy:
		if f == busy && k.exhausted && (p.shared || k.doubt()) {
			return lookThenGoOn
		}
		if mayRepeat {
			return again
		}
	case unclear:
		return lookThenGoOn
	case wait:
		if k.doubt() {
			return lookThenGoOn
		}
	case refused:
		if k.lost || k.earlier && !p.movesNothing {
			return lookTwiceThenFinish
		}
		return finish
	}
	// What remains was not decided, or not about an earlier request.
	switch {
	case k.doubt(), f == already:
		return lookOut
	case p.shared && (f == busy || f == wait || f == spent || k.told):
		// This call has done nothing, but somebody else may have done the same.
		return lookThenFinish
	}
	return finish
}

// afterLook is what to do about an unclear answer after a look; quiet is set if that
// showed no effect. A new key is safe only when the old one is exhausted: then nothing
// is under way under it, and the server itself prevents a second effect. A call is the
// first to use at most one.
func afterLook(k known, quiet, mayRepeat bool) action {
	switch {
	case k.renewed && k.useless > 0:
		return lookOut
	case quiet && k.exhausted:
		return renew
	case quiet && k.useless > 0 && k.earlier, mayRepeat:
		// The first is no retry: without it a stored answer would have no way out.
		return again
	}
	return lookOut
}

// All lookups of one call together are so many and take so long at the most, and are
// so far apart at the least.
const (
	maxLookups   = 6
	lookupTime   = 8 * time.Second
	lookInterval = time.Second
)

// resolution is the state of one call.
type resolution struct {
	*plan
	known
	client *Client
	call   *call

	// retries counts how often the request was sent again, other than because it was
	// running or under a new key.
	retries int
	// verdict is what the last attempt says; nil for a success.
	verdict error
	// payment is the payment as it was last seen.
	payment *Payment
	// lastAnswer is the server's last error answer, lastWait the last that said to wait.
	lastAnswer, lastWait *Error
	// cause is why the last attempt had no answer, lookCause why a lookup had none.
	cause, lookCause error
	uselessCode      ErrorCode

	byOrder, isTaken bool
	// isQuiet is set when a look since the last new answer has shown no effect.
	isQuiet bool
	pending bool
	// isRunning is set while the server says that a request under the key is running.
	isRunning bool
	suspects  int
	lookups   int
	lastLook  time.Time
	lookLeft  time.Duration
	lateLook  bool
}

// resolve makes a call. Without an error it has happened, and the payment is as it was
// last seen.
func (c *Client) resolve(ctx context.Context, call *call, p plan) (*Payment, error) {
	r := &resolution{client: c, call: call, plan: &p, lookLeft: lookupTime, byOrder: p.paymentKey == ""}
	r.earlier = call.ownKey
	known, err := false, error(nil)
	if p.lookFirst {
		known, err = r.lookBefore(ctx)
	}
	if !known {
		err = r.run(ctx)
	}
	if err != nil {
		return nil, err
	}
	return r.payment, nil
}

// lookBefore looks before anything is sent, and reports whether that ends the call.
// While what it sees contradicts the request, which an old copy does, it looks again.
func (r *resolution) lookBefore(ctx context.Context) (known bool, err error) {
	for pause := time.Duration(0); r.lookups < 3 && r.call.wait(ctx, pause); pause = lookInterval {
		v, err := r.lookOnce(ctx)
		var mismatch *MismatchError
		switch {
		case v == effect, errors.As(err, &mismatch):
			return true, err
		case v == pending:
			return true, r.unknown(ctx)
		case v == noEffect:
			err := r.needs(r.payment)
			return err != nil, err
		case v == blurred:
			return false, nil
		}
	}
	return false, nil
}

func (r *resolution) run(ctx context.Context) error {
	for {
		a := r.attempt(ctx)
		f := r.take(ctx, &a)
		if f == ended {
			return r.verdict
		}
		pause := r.pause(f, &a)
		mayRepeat := r.hasTime(ctx, pause) && (f == running || r.mayRetry())
		act := next(r.known, f, r.plan, mayRepeat)
		if act == lookThenGoOn {
			known, quiet, err := r.lookAfter(ctx, &a)
			if known {
				return err
			}
			act = lookOut
			if r.hasTime(ctx, pause) {
				act = afterLook(r.known, quiet, r.mayRetry())
			}
			if act == renew && r.search != nil {
				act = r.insteadOfRenew(&a)
			}
		}
		switch act {
		case again:
			if f != running {
				r.retries++
			}
		case renew:
			r.renew()
		default:
			return r.finish(ctx, act)
		}
		// When the context ends meanwhile, the next attempt says so.
		r.call.wait(ctx, pause)
	}
}

// insteadOfRenew is for calls of which the server is not known to prevent a second effect
// under another key. What it says twice about this request is its decision.
func (r *resolution) insteadOfRenew(a *answer) action {
	if a.status < 500 && r.lastAnswer.Code.Class() == ClassUnknown {
		return lookTwiceThenFinish
	}
	return lookOut
}

func (r *resolution) finish(ctx context.Context, act action) error {
	looks := 0
	switch act {
	case lookThenFinish:
		looks = 1
	case lookTwiceThenFinish:
		looks = 2
	case lookOut:
		looks = 3
	default:
		return r.verdict
	}
	known, quiet, err := r.look(ctx, looks)
	switch {
	case known:
		return err
	case act == lookThenFinish, act == lookTwiceThenFinish && quiet:
		var refusal *Error
		if errors.As(r.verdict, &refusal) {
			refusal.Payment = r.payment
		}
		return r.verdict
	}
	return r.unknown(ctx)
}

// lookAfter looks once, unless the answer was an old one and a look before it has shown
// no effect.
func (r *resolution) lookAfter(ctx context.Context, a *answer) (known, quiet bool, err error) {
	if a.isReplay() && r.isQuiet {
		return false, true, nil
	}
	return r.look(ctx, 1)
}

// hasTime reports whether another attempt can follow after a pause.
func (r *resolution) hasTime(ctx context.Context, pause time.Duration) bool {
	return ctx.Err() == nil && time.Until(r.call.deadline) > pause
}

// mayRetry reports whether the request may be sent once more. PUT and PATCH are not
// idempotent, and carry no key.
func (r *resolution) mayRetry() bool {
	method := r.call.op.method
	return r.retries < r.client.maxRetries && (method == http.MethodPost || method == http.MethodDelete)
}

func (r *resolution) pause(f finding, a *answer) time.Duration {
	if f == running {
		return poll(time.Since(r.call.started), a.retryAfter)
	}
	return backoff(r.retries+1, a.retryAfter)
}

// renew goes on under another key, the same for all who repeat the operation.
func (r *resolution) renew() {
	sum := sha256.Sum256([]byte("after a useless answer\n" + r.call.sentKey))
	r.call.sentKey = hex.EncodeToString(sum[:16])
	r.renewed, r.useless, r.exhausted = true, 0, false
}

func (r *resolution) attempt(ctx context.Context) answer {
	if err := ctx.Err(); err != nil {
		return answer{err: err, notSent: true}
	}
	r.call.attempts++
	a := r.client.send(ctx, r.call, r.client.limit(r.call, r.canLook()))
	r.call.report(&a, false)
	return a
}

// take adds an attempt to what is known.
func (r *resolution) take(ctx context.Context, a *answer) finding {
	if a.repeated {
		r.lost = true
	}
	if a.ok() {
		return r.takeSuccess(ctx, a)
	}
	r.cause = nil
	if a.status != 0 {
		r.lastAnswer = r.client.errorOf(r.call, a, nil)
		r.verdict = r.lastAnswer
	}
	if a.err != nil {
		r.cause = &ConnectionError{CallDetails: r.call.details(), Err: a.err}
	}
	code := ErrorCode("")
	if r.lastAnswer != nil && a.status != 0 {
		code = r.lastAnswer.Code
	}
	f := r.find(a, code)
	if f == running && r.call.sentKey == "" {
		// Nothing can be running under a key that there is not.
		f = unclear
	}
	if code != "" && code == r.confirmedBy && r.lost {
		r.verdict = nil
		return ended
	}
	r.isTaken = code == ErrDuplicatedOrderID
	r.byOrder = r.byOrder || r.isTaken && r.orderID != ""
	r.learn(f)
	r.count(f, a, code)
	return f
}

// count keeps account of answers that decide nothing. Two equal ones with a 4xx say
// that it was stored. A 5xx may be new each time, so three are asked for. An answer that
// is marked as a replay was stored for certain, and the key was in use before this call.
func (r *resolution) count(f finding, a *answer, code ErrorCode) {
	replay := a.isReplay()
	r.renewed = r.renewed && !replay
	switch {
	case code == "" || f != unclear && f != wait && f != busy:
		r.useless = 0
	case r.useless == 0 || code != r.uselessCode:
		r.useless, r.uselessCode = 1, code
	case r.isQuiet:
		r.useless++
	}
	r.exhausted = r.useless > 0 && (replay || f != busy && (r.useless >= 3 || r.useless == 2 && a.status < 500))
	r.isQuiet = r.isQuiet && replay
}

func (r *resolution) learn(f finding) {
	r.isRunning = f == running
	switch f {
	case notSent:
		r.cause = errors.Unwrap(r.cause)
		r.verdict = &ConnectionError{CallDetails: r.call.details(), Err: r.cause, notSent: true}
		if r.lastWait != nil {
			r.verdict = r.lastWait
		}
	case busy, wait:
		r.told, r.lastWait = true, r.lastAnswer
	case lost, running, unclear, opaque:
		r.lost = true
	}
}

func (r *resolution) takeSuccess(ctx context.Context, a *answer) finding {
	v, err := r.accept(a)
	r.call.report(a, false)
	r.client.warnUnread(ctx, r.call, a)
	switch v {
	case effect:
		if r.reversible && r.earlier && a.isReplay() {
			r.payment = nil // It may have been given back since.
			break
		}
		r.verdict = nil
		return ended
	case decided:
		r.verdict = r.complete(err, a)
		return ended
	case pending:
		if !r.earlier {
			r.verdict = r.unknown(ctx)
			return ended
		}
		// The wallet may have finished since an answer that is replayed: a look tells.
	}
	r.lastAnswer = r.client.errorOf(r.call, a, err)
	r.verdict = r.lastAnswer
	f := opaque
	if err != nil {
		f = lost
	}
	r.learn(f)
	r.count(f, a, "")
	return f
}

// accept judges a successful answer. An error with blurred says why it cannot be read.
func (r *resolution) accept(a *answer) (v view, err error) {
	if r.judge == nil {
		if a.unread, err = r.decode(a.body); err != nil {
			return blurred, err
		}
		return effect, nil
	}
	p, err := r.readPayment(a)
	if err != nil {
		return blurred, err
	}
	return r.seen(p, fromAnswer)
}

// readPayment decodes a payment, and refuses one that lacks what judge needs.
func (r *resolution) readPayment(a *answer) (p *Payment, err error) {
	if p, a.unread, err = readPayment(a.body); err != nil {
		return nil, err
	}
	for _, field := range a.unread {
		name, _, _ := strings.Cut(strings.ReplaceAll(field, "[", "."), ".")
		if slices.Contains(r.essential, name) {
			return nil, fmt.Errorf("its field %s cannot be read", field)
		}
	}
	return p, nil
}

// seen keeps a payment and judges it.
func (r *resolution) seen(p *Payment, from origin) (view, error) {
	r.payment = p
	v, err := r.judge(p, from)
	r.pending = r.pending || v == pending
	return v, err
}

// look looks the payment up until that tells how the call has ended, or until so many
// looks have shown no effect. A look that fails counts for nothing. After the context
// has ended it makes one last look.
func (r *resolution) look(ctx context.Context, looks int) (known, quiet bool, err error) {
	if !r.canLook() {
		return false, false, nil
	}
	for pause := r.untilNextLook(); r.lookups < maxLookups; pause = max(2*pause, lookInterval) {
		if !r.hasTime(ctx, pause) {
			pause = min(pause, lookInterval)
		}
		if pause > 0 && (pause >= r.lookLeft || !r.call.wait(ctx, pause)) {
			break
		}
		r.lookLeft -= pause
		v, err := r.lookOnce(ctx)
		switch v {
		case effect, decided:
			return true, false, err
		case pending:
			return true, false, r.unknown(ctx)
		case noEffect:
			looks--
		case suspect:
			if r.suspects++; r.suspects == 2 {
				return true, false, err
			}
		}
		if looks == 0 {
			r.isQuiet = true
			return false, true, nil
		}
	}
	if ctx.Err() != nil {
		if v, err := r.lookOnce(ctx); v == effect || v == decided {
			return true, false, err
		}
	}
	return false, false, nil
}

func (r *resolution) canLook() bool { return r.judge != nil || r.search != nil }

// untilNextLook keeps all looks of a call apart: two in the same moment may see the
// same stale copy.
func (r *resolution) untilNextLook() time.Duration {
	if r.lookups == 0 {
		return 0
	}
	return max(lookInterval-time.Since(r.lastLook), 0)
}

// lookOnce makes one lookup.
func (r *resolution) lookOnce(ctx context.Context) (view, error) {
	limit := min(r.client.limit(&call{op: getPayment, deadline: r.call.deadline}, false), r.lookLeft)
	if ctx.Err() != nil {
		if r.lateLook || r.client.grace == 0 {
			return blurred, nil
		}
		r.lateLook = true
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.client.grace)
		defer cancel()
		ctx, limit = late, r.client.grace
	}
	if limit <= 0 {
		return blurred, nil
	}
	r.lookups++
	start := time.Now()
	defer func() {
		r.lastLook = time.Now()
		r.lookLeft -= r.lastLook.Sub(start)
	}()
	if r.search != nil {
		return r.searchOnce(ctx, limit)
	}
	return r.readOnce(ctx, limit)
}

// searchOnce looks for the effect of a call that is not answered with a payment.
func (r *resolution) searchOnce(ctx context.Context, limit time.Duration) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	found, err := r.search(ctx)
	var mismatch *MismatchError
	switch {
	case errors.As(err, &mismatch):
		return decided, r.complete(mismatch, &answer{})
	case err != nil:
		// Wrapped, an *Error of the search would pass for a refusal of the call.
		r.lookCause = errors.New("its effect could not be looked up either: " + err.Error())
		return blurred, nil
	case !found:
		return noEffect, nil
	}
	if r.call.response != nil {
		r.call.response.SettledByLookup = true
	}
	return effect, nil
}

// readOnce reads the payment.
func (r *resolution) readOnce(ctx context.Context, limit time.Duration) (view, error) {
	lookup := &call{
		op: getPayment, path: paymentPath(r.paymentKey), lookup: true, attempts: r.lookups,
		secrets: r.call.secrets, deadline: r.call.deadline,
	}
	if r.byOrder {
		lookup.op, lookup.path = getPaymentByOrderID, orderPath(r.orderID)
	}
	a := r.client.send(ctx, lookup, limit)
	if !a.ok() {
		return r.failedLook(lookup, &a), nil
	}
	p, err := r.readPayment(&a)
	if err != nil {
		return blurred, nil
	}
	r.client.warnUnread(ctx, lookup, &a)
	from := fromLook
	if r.isTaken {
		from = fromTaken
	}
	v, err := r.seen(p, from)
	if r.isRunning && CodeOf(err) == ErrNotMatchesRefundableAmount {
		// The request under way may have passed the server's check of the balance before.
		return blurred, nil
	}
	if v == effect || v == decided {
		r.call.report(&a, true)
	}
	return v, r.complete(err, &a)
}

// failedLook says what a lookup means that found nothing. An order without a payment
// is none; of a payment key the server might answer the same with the wrong secret key.
func (r *resolution) failedLook(lookup *call, a *answer) view {
	if a.err != nil {
		r.lookCause = &ConnectionError{CallDetails: lookup.details(), Err: a.err}
		return blurred
	}
	refusal := r.client.errorOf(lookup, a, nil)
	switch {
	case refusal.Code == ErrNotFoundPayment && r.byOrder && r.paymentKey == "":
		return noEffect
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		// It will not be allowed in the next seconds either.
		r.lookLeft = 0
		r.lookCause = fmt.Errorf("the payment could not be looked up either: %s (HTTP %d)", refusal.Code, a.status)
	}
	return blurred
}

// complete adds the call to an error that was made from a payment.
func (r *resolution) complete(err error, a *answer) error {
	details := r.call.details()
	details.TraceID = a.traceID
	switch e := err.(type) {
	case *Error:
		e.CallDetails = details
	case *CanceledError:
		e.CallDetails = details
	case *MismatchError:
		e.CallDetails = details
	}
	return err
}

// unknown is the error of a call whose outcome is not known.
func (r *resolution) unknown(ctx context.Context) error {
	cause := r.cause
	if cause == nil {
		cause = r.lookCause
	}
	switch ended := ctx.Err(); {
	case ended == nil || errors.Is(cause, ended):
	case cause == nil:
		cause = ended
	default:
		cause = fmt.Errorf("%w; before that: %w", ended, cause)
	}
	e := &OutcomeUnknownError{
		CallDetails: r.call.details(),
		PaymentKey:  r.paymentKey,
		OrderID:     r.orderID,
		Repeatable:  !r.once && !r.pending,
		Payment:     r.payment,
		LastAnswer:  r.lastAnswer,
		cause:       cause,
	}
	if r.lastAnswer != nil {
		e.TraceID = r.lastAnswer.TraceID
	}
	return e
}
