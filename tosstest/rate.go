package tosstest

import "time"

// WithRateLimit limits the requests to one endpoint with one secret key to a number in any
// 60 seconds. What exceeds it is answered with 429 and not counted. The real test
// environment allows 100 a minute according to one source; whether it counts by the
// clock's minutes is not known. Without this option there is no limit.
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
