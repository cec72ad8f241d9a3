package tosstest

import (
	"encoding/json"
	"maps"
	"slices"
)

// Change is something that has happened on a server. One of its fields is set.
type Change struct {
	// Payment was opened, or has changed. It is the JSON with which the API shows it.
	Payment json.RawMessage
	// Request was answered.
	Request *Request
	// Delivery has ended.
	Delivery *Delivery
	// Entry is a movement of money.
	Entry *Entry
	// Seller was registered, or has changed; Payout was accepted, or has changed. Each is
	// the JSON with which the API shows it. The status of a seller that was removed is
	// DELETED, which the API has no word for.
	Seller, Payout json.RawMessage
	// Customer of BrandPay is new, or has changed.
	Customer *BrandPayCustomer
}

// WithObserver calls observe with everything that happens, as it happens: a page or a
// log can follow the server without asking for all of its state. Calls may be
// concurrent. observe must be quick, and must not call the server, which waits for it.
func WithObserver(observe func(Change)) Option {
	return func(s *Server) { s.observe, s.webhooks.observe = observe, observe }
}

// tell tells the observer, if there is one.
func (s *Server) tell(c Change) {
	if s.observe != nil {
		s.observe(c)
	}
}

// tellAll tells the observer what a file has brought: the last of each kind, oldest first.
func (s *Server) tellAll() {
	if s.observe == nil {
		return
	}
	for _, p := range newest(s.opened) {
		s.refresh(p)
		s.observe(Change{Payment: p.json(false)})
	}
	for i := range newest(s.ledger.movements) {
		s.observe(Change{Entry: &newest(s.ledger.movements)[i].Entry})
	}
	for _, x := range newest(s.payouts.sellers) {
		s.observe(Change{Seller: x.shown()})
	}
	for _, p := range newest(s.payouts.payouts) {
		s.observe(Change{Payout: p.json()})
	}
	for _, key := range newest(slices.Sorted(maps.Keys(s.brandPay.customers))) {
		s.observe(Change{Customer: s.brandPay.shown(key)})
	}
}

func newest[T any](list []T) []T { return list[max(0, len(list)-maxHistory):] }

// touch notes that the change that is being made has changed a payment.
func (s *Server) touch(p *payment) {
	if s.observe != nil || s.journal != nil {
		s.touched = append(s.touched, p)
	}
}

// tellTouched shows the observer each payment of the change, as it is in the end.
func (s *Server) tellTouched() {
	if s.observe == nil {
		return
	}
	seen := map[*payment]bool{}
	for _, p := range s.touched {
		if !seen[p] {
			seen[p] = true
			s.refresh(p)
			s.observe(Change{Payment: p.json(false)})
		}
	}
}

// Faults returns the injected faults that no request has met yet, in order.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.script)
}

// WebhookFaults returns the injected faults that no event has met yet, in order.
func (s *Server) WebhookFaults() []WebhookFault {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	return slices.Clone(s.webhooks.script)
}
