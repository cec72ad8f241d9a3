package tosstest

import (
	"encoding/json"
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
}

// WithObserver calls observe with everything that happens, as it happens: a page or a
// log can follow the server without asking for all of its state. Calls may be
// concurrent. observe must be quick, and must not call the server, which waits for it.
func WithObserver(observe func(Change)) Option {
	return func(s *Server) { s.observe, s.webhooks.observe = observe, observe }
}

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
