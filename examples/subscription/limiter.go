package main

import (
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	limitPeriod = 10 * time.Minute
	// limitCount is high enough for everybody in an office that shares one address.
	limitCount = 30
)

// limiter bounds how often somebody can make the shop call Toss Payments, by session and
// by address: anybody gets a new session by asking for one. Each instance counts for
// itself.
type limiter struct {
	mu     sync.Mutex
	since  time.Time
	counts map[string]int
}

// allow reports whether none of the keys has reached the limit, and counts this time.
func (l *limiter) allow(now time.Time, keys ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil || now.Sub(l.since) >= limitPeriod {
		l.since, l.counts = now, map[string]int{}
	}
	for _, key := range keys {
		if l.counts[key] >= limitCount {
			return false
		}
	}
	for _, key := range keys {
		l.counts[key]++
	}
	return true
}

// addressOf returns who has connected. Behind a proxy of your own, take the address that
// it vouches for instead.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
