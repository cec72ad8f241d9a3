package tosstest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Operation names an endpoint.
type Operation string

// The operations that the server knows.
const (
	ConfirmPayment      Operation = "confirm payment"
	GetPayment          Operation = "get payment"
	GetPaymentByOrderID Operation = "get payment by order id"
	CancelPayment       Operation = "cancel payment"

	CreatePayment         Operation = "create payment"
	IssueBillingKey       Operation = "issue billing key"
	IssueBillingKeyByCard Operation = "issue billing key by card"
	ChargeBilling         Operation = "charge billing"
	DeleteBillingKey      Operation = "delete billing key"
	KeyIn                 Operation = "key-in payment"
	IssueVirtualAccount   Operation = "issue virtual account"

	ListTransactions  Operation = "list transactions"
	ListSettlements   Operation = "list settlements"
	RequestSettlement Operation = "request settlement"
	IssueCashReceipt  Operation = "issue cash receipt"
	CancelCashReceipt Operation = "cancel cash receipt"
	ListCashReceipts  Operation = "list cash receipts"
	GetCardPromotions Operation = "get card promotions"
	GetPromotions     Operation = "get promotions"
)

// asksCompany reports whether a card company or a bank is asked, for which the payment
// is busy meanwhile.
func (o Operation) asksCompany() bool {
	switch o {
	case ConfirmPayment, ConfirmBrandPay, ChargeBrandPay, CancelPayment, ChargeBilling, KeyIn, IssueVirtualAccount:
		return true
	}
	return false
}

// FaultKind is a way in which a request goes wrong.
type FaultKind string

const (
	// Refuse answers with an error code.
	Refuse FaultKind = "refuse"
	// Delay answers late.
	Delay FaultKind = "delay"
	// Drop closes the connection without an answer.
	Drop FaultKind = "drop"
	// Reset resets the connection without an answer.
	Reset FaultKind = "reset"
	// Cut closes the connection in the middle of the answer.
	Cut FaultKind = "cut"
	// BadGateway answers 502 with an HTML page.
	BadGateway FaultKind = "bad gateway"
	// RateLimit answers 429 without a body.
	RateLimit FaultKind = "rate limit"
	// Rewrite passes the answer through the function Rewrite of the fault.
	Rewrite FaultKind = "rewrite"
)

// Answer is an answer to a client. Its Content-Length is always the length of Body.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Fault makes requests go wrong; see [Server.Inject]. Operation to Match say which: it hits
// requests that fit each of them that is set.
type Fault struct {
	// Operation is the endpoint; "" is any.
	Operation Operation
	// PaymentKey, OrderID, BillingKey and IdempotencyKey are what the request is about or
	// carries, as [Request] has it; "" is any.
	PaymentKey, OrderID, BillingKey, IdempotencyKey string
	// Match reports whether to hit a request, by anything else: a cursor in the query, a
	// header, the body. It must not call the server, which is locked meanwhile.
	Match func(*Request) bool

	Kind FaultKind
	// Times is how many requests it hits; 0 is one.
	Times int
	// AfterEffect performs the operation first, so that only the answer is lost or
	// replaced. Otherwise nothing happens.
	AfterEffect bool
	// Unstored forgets the answer, so that the same idempotency key performs the
	// operation again. Otherwise the key replays it: the answer that was lost, or
	// the refusal. A request that was lost before the effect is never stored.
	Unstored bool
	// Rewrite is given the true answer if AfterEffect is set, and otherwise an empty one
	// with the status 200 and the content type of JSON. The idempotency key keeps the true
	// answer.
	Rewrite func(*Answer)
	// Code is the answer of Refuse. Status overrides its documented HTTP status.
	Code   tosspayments.ErrorCode
	Status int
	// Delay is how long Delay waits: before the effect, or after it.
	Delay time.Duration
	// RetryAfter is the header of RateLimit and BadGateway; "" is none.
	RetryAfter string

	gate *Gate
}

func (f *Fault) fits(r *Request) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(string(f.Operation), string(r.Operation)) && is(f.PaymentKey, r.PaymentKey) && is(f.OrderID, r.OrderID) &&
		is(f.BillingKey, r.BillingKey) && is(f.IdempotencyKey, r.Header.Get("Idempotency-Key")) &&
		(f.Match == nil || f.Match(r))
}

// pause holds a request as long as its fault says.
func (s *Server) pause(f *Fault) {
	if f == nil {
		return
	}
	if f.gate != nil {
		f.gate.hold()
	}
	if f.Kind == Delay {
		s.wait(f.Delay)
	}
}

// Inject queues faults. A request takes the first one that fits it.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if f.Kind == Rewrite && f.Rewrite == nil {
			s.misuse(errors.New("the fault has no Rewrite"))
			return
		}
		f.Times = max(f.Times, 1)
		s.script = append(s.script, f)
	}
}

// ClearFaults forgets the injected faults that no request, and no event, has met yet.
func (s *Server) ClearFaults() {
	s.webhooks.clearFaults()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = nil
}

// SetRandomFaults changes the share of requests that fail at random (see
// [WithRandomFaults]); 0 stops them.
func (s *Server) SetRandomFaults(share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = share
}

// nextFault takes the fault for a request, or nil.
func (s *Server) nextFault(r *Request) *Fault {
	for i := range s.script {
		f := s.script[i]
		if !f.fits(r) {
			continue
		}
		if s.script[i].Times--; s.script[i].Times == 0 {
			s.script = append(s.script[:i:i], s.script[i+1:]...)
		}
		return &f
	}
	if s.chaosRng == nil || s.chaosRng.Float64() >= s.chaos {
		return nil
	}
	return s.randomFault(r.Operation)
}

func (s *Server) randomFault(operation Operation) *Fault {
	kinds := []FaultKind{Refuse, Delay, Drop, Reset, Cut, BadGateway, RateLimit}
	codes := []tosspayments.ErrorCode{
		tosspayments.ErrFailedInternalSystemProcessing, tosspayments.ErrProviderError,
		tosspayments.ErrForbiddenConsecutiveRequest, "A_CODE_OF_TOMORROW",
	}
	f := &Fault{
		Operation:   operation,
		Kind:        kinds[s.chaosRng.IntN(len(kinds))],
		AfterEffect: s.chaosRng.IntN(2) == 0,
		Unstored:    s.chaosRng.IntN(2) == 0,
		Code:        codes[s.chaosRng.IntN(len(codes))],
		Delay:       time.Duration(1+s.chaosRng.IntN(100)) * time.Second,
	}
	if f.Code == "A_CODE_OF_TOMORROW" && s.chaosRng.IntN(2) == 0 {
		f.Status = http.StatusInternalServerError
	}
	switch f.Kind {
	case RateLimit:
		f.AfterEffect = false
	case Refuse:
		// Nothing is done of what is told to wait.
		f.AfterEffect = f.AfterEffect && f.Code.Class() != tosspayments.ClassWait
	}
	return f
}

var errReset = errors.New("connection reset by peer")

// losesRequest reports whether the request does not reach the operation at all.
func (f *Fault) losesRequest() bool {
	return f.prevents() && f.Kind != Refuse && f.Kind != Cut
}

// prevents reports whether the operation has no effect.
func (f *Fault) prevents() bool {
	return f != nil && !f.AfterEffect && f.Kind != Delay && f.Kind != ""
}

// spoil turns the true answer into what the client gets.
func (f *Fault) spoil(r *request, truth reply) reply {
	if f == nil {
		return truth
	}
	switch f.Kind {
	case Drop:
		return reply{status: truth.status, broken: io.EOF}
	case Reset:
		return reply{status: truth.status, broken: errReset}
	case Cut:
		truth.cut = true
		return truth
	case BadGateway:
		a := reply{
			status: http.StatusBadGateway,
			header: http.Header{"Content-Type": {"text/html"}},
			body:   []byte("<html><body><h1>502 Bad Gateway</h1></body></html>"),
		}
		return a.retryAfter(f.RetryAfter)
	case RateLimit:
		a := reply{status: http.StatusTooManyRequests, header: http.Header{}}
		return a.retryAfter(f.RetryAfter)
	case Refuse:
		a := r.refuse(f.Code)
		if f.Status != 0 {
			a.status = f.Status
		}
		return a
	case Rewrite:
		return f.rewrite(truth)
	}
	return truth
}

func (f *Fault) rewrite(truth reply) reply {
	if truth.status == 0 {
		truth = ok(nil)
	}
	a := Answer{truth.status, truth.header.Clone(), bytes.Clone(truth.body)}
	f.Rewrite(&a)
	if a.Header == nil {
		a.Header = http.Header{}
	}
	return reply{status: a.Status, header: a.Header, body: a.Body}
}

func (a reply) retryAfter(value string) reply {
	if value != "" {
		a.header.Set("Retry-After", value)
	}
	return a
}
