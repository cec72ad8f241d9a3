package main

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments/tosstest"
)

// gates are the requests that are held until somebody lets them go.
type gates struct {
	mu   sync.Mutex
	list []*heldRequest
}

// heldRequest is what a page shows of one.
type heldRequest struct {
	ID        string             `json:"id"`
	Operation tosstest.Operation `json:"operation"`
	Method    string             `json:"method"`
	Path      string             `json:"path"`
	OrderID   string             `json:"orderId,omitempty"`
	At        time.Time          `json:"at"`
	// Done is set where the answer is held: what was asked for has happened.
	Done bool `json:"done"`

	gate *tosstest.Gate
}

// held are copies, the oldest first.
func (g *gates) held() []heldRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := []heldRequest{}
	for _, h := range g.list {
		list = append(list, *h)
	}
	return list
}

// hold lets the next request of an operation, or of a payment, wait, before it has an effect or before it is
// answered.
func (b *sandbox) hold(a act) {
	h := &heldRequest{ID: random(), Done: a.Of == "gate-answer"}
	f := tosstest.Fault{Operation: a.Operation, PaymentKey: a.Payment, AfterEffect: h.Done}
	// What fits is held: this is where it shows up.
	f.Match = func(r *tosstest.Request) bool {
		b.gates.mu.Lock()
		defer b.gates.mu.Unlock()
		h.Operation, h.Method, h.Path, h.OrderID, h.At = r.Operation, r.Method, target(r), r.OrderID, r.At
		b.gates.list = append(b.gates.list, h)
		b.feed.touch()
		return true
	}
	gate := b.toss.Gate(f)
	b.gates.mu.Lock()
	defer b.gates.mu.Unlock()
	h.gate = gate
}

// release lets a held request go, or all of them with "".
func (b *sandbox) release(id string) error {
	b.gates.mu.Lock()
	defer b.gates.mu.Unlock()
	before := len(b.gates.list)
	b.gates.list = slices.DeleteFunc(b.gates.list, func(h *heldRequest) bool {
		goes := h.gate != nil && (id == "" || h.ID == id)
		if goes {
			h.gate.Open()
		}
		return goes
	})
	if len(b.gates.list) == before {
		return errors.New("no such request is held")
	}
	return nil
}
