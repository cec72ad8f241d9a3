package tosstest

import (
	"cmp"
	"container/heap"
	"encoding/json"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// clock is the time of a server: the real one, moved forward.
type clock struct{ skew atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.skew.Load())) }

// alarm calls ring when the clock reaches a time. Its owner's lock guards it.
type alarm struct {
	clock *clock
	ring  func()
	timer *time.Timer
	wake  time.Time // in real time
}

// set replaces the time; zero is never.
func (a *alarm) set(at time.Time) {
	wake := at
	if !at.IsZero() {
		wake = at.Add(-time.Duration(a.clock.skew.Load()))
	}
	if wake.Equal(a.wake) {
		return
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.wake = wake; !wake.IsZero() {
		a.timer = time.AfterFunc(time.Until(wake), a.ring)
	}
}

// change changes the server's state under its lock, and hands on the events of the
// change. It returns when those that come early have been answered.
func (s *Server) change(do func()) {
	for _, answered := range s.locked(do) {
		<-answered
	}
}

func (s *Server) locked(do func()) (early []<-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		s.sweep()
		s.save()
		s.tellTouched()
		s.touched = nil
		early = s.webhooks.hand(s.events)
		s.events = nil
	}()
	s.sweep()
	do()
	return nil
}

// work is the time in which the card company is asked. Like [sync.Cond.Wait] it gives
// up the lock meanwhile, so that other requests go on.
func (s *Server) work(p *payment, r *request) {
	if r.pause == nil {
		return
	}
	p.busy = true
	s.mu.Unlock()
	r.hold()
	s.mu.Lock()
	p.busy = false
	s.watch(p)
}

// deadline is the end of a payment's time, unless its state changes before.
type deadline struct {
	at      time.Time
	payment *payment
}

type deadlines []deadline

func (d deadlines) Len() int      { return len(d) }
func (d deadlines) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d deadlines) Less(i, j int) bool {
	return cmp.Or(d[i].at.Compare(d[j].at), cmp.Compare(d[i].payment.key, d[j].payment.key)) < 0
}
func (d *deadlines) Push(x any) { *d = append(*d, x.(deadline)) }
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	(*d)[last] = deadline{}
	*d = (*d)[:last]
	return x
}

// watch notes when the payment's time is over.
func (s *Server) watch(p *payment) {
	s.touch(p)
	if at := p.deadline(); !at.IsZero() {
		heap.Push(&s.deadlines, deadline{at, p})
	}
}

// sweep expires the payments whose time is over. Where somebody wants to be told, an
// alarm calls for the next.
func (s *Server) sweep() {
	now := s.clock.now()
	for len(s.deadlines) > 0 && !now.Before(s.deadlines[0].at) {
		d := heap.Pop(&s.deadlines).(deadline)
		if d.payment.deadline().Equal(d.at) {
			d.payment.status = tosspayments.PaymentStatusExpired
			d.payment.failure = tosspayments.ErrExpiredPayment
			s.changed(d.payment, d.at, true)
		}
	}
	s.sweepPayouts(now)
	if !s.webhooks.wanted.Load() {
		return
	}
	next := s.payouts.next
	if len(s.deadlines) > 0 && (next.IsZero() || s.deadlines[0].at.Before(next)) {
		next = s.deadlines[0].at
	}
	s.alarm.set(next)
}

// Entry is one movement of money.
type Entry struct {
	Kind                EntryKind
	PaymentKey, OrderID string
	TransactionKey      string
	Amount              tosspayments.Amount
	At                  time.Time
}

// EntryKind is what has happened to money.
type EntryKind string

const (
	// Approved is an approval, or a deposit.
	Approved EntryKind = "approved"
	// Canceled is a cancel of all or of a part.
	Canceled EntryKind = "canceled"
	// Bounced is a deposit that was taken back.
	Bounced EntryKind = "bounced"
	// Withdrawn is a virtual account that was cancelled before the deposit: no
	// money has moved.
	Withdrawn EntryKind = "withdrawn"
)

// ledger is every movement of money, oldest first, and where to find it.
type ledger struct {
	movements []movement
	byKey     map[string]int   // of the transaction
	byOrder   map[string][]int // id
}

// movement is an entry with its payment, and with its cancel where it is one.
type movement struct {
	Entry
	payment *payment
	cancel  *cancel
}

func (l *ledger) add(m movement) {
	n := len(l.movements)
	l.byKey[m.TransactionKey] = n
	l.byOrder[m.OrderID] = append(l.byOrder[m.OrderID], n)
	l.movements = append(l.movements, m)
}

// since is the index of the first movement that is not before a time.
func (l *ledger) since(from time.Time) int {
	return sort.Search(len(l.movements), func(i int) bool { return !l.movements[i].At.Before(from) })
}

// ofOrder are the amounts of an order's movements of one kind, in order.
func (l *ledger) ofOrder(orderID string, kind EntryKind) (amounts []tosspayments.Amount) {
	for _, i := range l.byOrder[orderID] {
		if m := &l.movements[i]; m.Kind == kind {
			amounts = append(amounts, m.Amount)
		}
	}
	return amounts
}

// Ledger returns every movement of money so far, in order: what really happened,
// whatever the answers said.
func (s *Server) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var entries []Entry
	for i := range s.ledger.movements {
		entries = append(entries, s.ledger.movements[i].Entry)
	}
	return entries
}

// Charges counts how often an order was charged.
func (s *Server) Charges(orderID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ledger.ofOrder(orderID, Approved))
}

// Refunds returns the amounts that were cancelled of an order, in order.
func (s *Server) Refunds(orderID string) []tosspayments.Amount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.ofOrder(orderID, Canceled)
}

// enter writes a movement into the ledger and returns its transaction key.
func (s *Server) enter(kind EntryKind, p *payment, amount tosspayments.Amount, x *cancel) string {
	key := s.transactionKey()
	if x != nil {
		x.Transaction = key
	}
	e := Entry{Kind: kind, PaymentKey: p.key, OrderID: p.checkout.OrderID, TransactionKey: key, Amount: amount, At: s.clock.now()}
	s.ledger.add(movement{e, p, x})
	s.unsaved.movements = append(s.unsaved.movements, e)
	s.touch(p)
	s.tell(Change{Entry: &e})
	return key
}

const (
	maxHistory      = 10_000
	maxHistoryBytes = 64 << 20
)

// history keeps the last entries, up to a number of them and a size.
type history[T any] struct {
	entries []T
	sizes   []int
	size    int
}

func (h *history[T]) add(entry T, size int) {
	h.entries, h.sizes, h.size = append(h.entries, entry), append(h.sizes, size), h.size+size
	for len(h.entries) > maxHistory || h.size > maxHistoryBytes {
		h.size -= h.sizes[0]
		clear(h.entries[:1])
		h.entries, h.sizes = h.entries[1:], h.sizes[1:]
	}
}

// Payments returns the newest payments, at most n, as the API would show them, newest
// first.
func (s *Server) Payments(n int) []tosspayments.Payment {
	var documents [][]byte
	s.change(func() {
		for i := len(s.opened) - 1; i >= 0 && len(documents) < n; i-- {
			s.refresh(s.opened[i])
			documents = append(documents, s.opened[i].json(false))
		}
	})
	payments := make([]tosspayments.Payment, len(documents))
	for i, document := range documents {
		if err := json.Unmarshal(document, &payments[i]); err != nil {
			panic(err)
		}
	}
	return payments
}

// Request is one request as it reached the server.
type Request struct {
	Operation Operation
	Method    string
	Path      string
	Query     url.Values
	// Header is without Authorization.
	Header http.Header
	Body   []byte
	// PaymentKey and OrderID are the payment that the request is about, whether it names
	// its key or its order; BillingKey is that of a charge. "" is none.
	PaymentKey, OrderID, BillingKey string
	// CustomerKey is whose BrandPay token the request has, or the one that it names.
	CustomerKey string
	At          time.Time
	// Status is what was answered, or would have been when a fault ate it.
	Status int
	// Answer is the body that was answered; nil when a fault ate it.
	Answer []byte
	// Fault is what went wrong on purpose; nil mostly.
	Fault *Fault
}

// logged is a request for the log.
func (s *Server) logged(r *request) Request {
	l := Request{
		Operation: r.operation, Method: r.method, Path: r.path, Query: r.query,
		Header: r.header.Clone(), Body: r.body, At: s.clock.now(),
	}
	l.Header.Del("Authorization")
	var body struct {
		PaymentKey string `json:"paymentKey"`
		OrderID    string `json:"orderId"`
		Customer   string `json:"customerKey"`
	}
	if r.method == http.MethodPost {
		_ = json.Unmarshal(r.body, &body)
	}
	l.PaymentKey, l.OrderID = body.PaymentKey, body.OrderID
	if strings.HasPrefix(r.path, "/v1/brandpay/") {
		l.CustomerKey = cmp.Or(body.Customer, r.query.Get("customerKey"))
	}
	switch r.operation {
	case GetPayment, CancelPayment:
		l.PaymentKey = r.subject
	case GetPaymentByOrderID:
		l.OrderID = r.subject
	case ChargeBilling, DeleteBillingKey:
		l.BillingKey = r.subject
	case GetBrandPayMethods:
		l.CustomerKey = r.subject
	}
	s.identify(r, &l)
	return l
}

// identify adds what is known of the payment that a request is about.
func (s *Server) identify(r *request, l *Request) {
	l.CustomerKey = cmp.Or(r.customerKey, l.CustomerKey)
	p := s.payments[l.PaymentKey]
	if p == nil && r.shop != nil {
		p = r.shop.byOrder[l.OrderID]
	} else if p == nil {
		p = s.order(l.OrderID)
	}
	if p != nil {
		l.PaymentKey, l.OrderID = cmp.Or(l.PaymentKey, p.key), cmp.Or(l.OrderID, p.checkout.OrderID)
	}
}

// Requests returns the last requests, in the order in which they were answered: at most
// 10,000, with at most 64 MiB of bodies.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests.entries...)
}

// Calls counts the requests of an operation in the log.
func (s *Server) Calls(operation Operation) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.requests.entries {
		if s.requests.entries[i].Operation == operation {
			n++
		}
	}
	return n
}
