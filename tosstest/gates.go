package tosstest

import (
	"sync"
	"time"
)

// Gate holds requests until it is opened; see [Server.Gate].
type Gate struct {
	arrived, opened chan struct{}
	arrive, open    sync.Once
}

// Gate injects a fault that holds the requests it hits until the gate is opened. They are
// held before the effect, while the payment is being worked on; with AfterEffect, after it.
// Then they go wrong as Kind says, or not at all if it is empty.
//
//	gate := server.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment})
//	go confirm()
//	<-gate.Arrived()
//	// The first confirm is under way: see what a second one gets.
//	gate.Open()
//
// [Server.Close] opens all gates, and ends all delays.
func (s *Server) Gate(f Fault) *Gate {
	f.gate = s.newGate()
	s.Inject(f)
	return f.gate
}

func (s *Server) newGate() *Gate {
	g := &Gate{arrived: make(chan struct{}), opened: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates == nil { // closed
		g.Open()
		return g
	}
	s.gates[g] = true
	return g
}

// wait is a gate that time opens.
func (s *Server) wait(d time.Duration) {
	g := s.newGate()
	timer := time.AfterFunc(d, g.Open)
	g.hold()
	timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.gates, g)
}

// Arrived returns a channel that is closed when the first request has reached the gate.
func (g *Gate) Arrived() <-chan struct{} { return g.arrived }

// Open lets everything through, now and later.
func (g *Gate) Open() { g.open.Do(func() { close(g.opened) }) }

func (g *Gate) hold() {
	g.arrive.Do(func() { close(g.arrived) })
	<-g.opened
}
