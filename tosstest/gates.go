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

// Gate injects a fault that holds the requests it hits until the gate is opened: before
// the effect, while the payment is being worked on, or after it where AfterEffect is set.
// Then they go wrong as Kind says, or not at all where it is empty.
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

// WithRateLimit answers 429 to what exceeds a number of requests to one endpoint, with
// one secret key, within a minute. The real test environment allows 100, says one source;
// whether it counts by the clock's minutes is not known. Without this option there is no
// limit.
func WithRateLimit(perMinute int) Option { return func(s *Server) { s.rate.perMinute = perMinute } }

// rate is when the last requests were let through.
type rate struct {
	perMinute int
	times     map[rateID][]time.Time
}

type rateID struct {
	shop      *merchant
	operation Operation
}

// tooFast reports whether a request exceeds the rate limit.
func (s *Server) tooFast(r *request) bool {
	if s.rate.perMinute <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rate.times == nil {
		s.rate.times = map[rateID][]time.Time{}
	}
	id, now := rateID{r.shop, r.operation}, s.clock.now()
	times := s.rate.times[id]
	if len(times) == s.rate.perMinute {
		if now.Sub(times[0]) < time.Minute {
			return true
		}
		times = times[1:]
	}
	s.rate.times[id] = append(times, now)
	return false
}
