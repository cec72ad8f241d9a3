package shop

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Limiter bounds how often somebody can make the shop write rows and call Toss Payments,
// by session and by address: anybody gets a new session by asking for one. Each instance
// counts for itself.
type Limiter struct {
	// Count is how often in a Period; high enough for an office that shares one address.
	Count  int
	Period time.Duration

	mu     sync.Mutex
	since  time.Time
	counts map[string]int
}

// Allow reports whether neither the customer nor the address of the request has reached
// the limit, and counts this time. Visitors count by their address alone.
func (l *Limiter) Allow(now time.Time, r *http.Request, customer string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil || now.Sub(l.since) >= l.Period {
		l.since, l.counts = now, map[string]int{}
	}
	who := []string{addressOf(r)}
	if customer != "" {
		who = append(who, customer)
	}
	for _, name := range who {
		if l.counts[name] >= l.Count {
			return false
		}
	}
	for _, name := range who {
		l.counts[name]++
	}
	return true
}

// addressOf returns who has connected; of IPv6 the network, since one customer has many
// addresses. Behind a proxy of your own, take the address that it vouches for instead.
func addressOf(r *http.Request) string {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address, bits := remote.Addr().Unmap(), 32
	if address.Is6() {
		bits = 64
	}
	network, _ := address.Prefix(bits)
	return network.String()
}
