package tosspayments

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	firstBackoff   = 500 * time.Millisecond
	longestBackoff = 8 * time.Second
)

// backoff returns how long to wait before the given retry (1 is the first): half a
// second, doubled each time up to 8 seconds, of which a random half is taken off,
// and at least what the server asked for.
func backoff(retry int, retryAfter time.Duration) time.Duration {
	d := longestBackoff
	if retry <= 4 {
		d = firstBackoff << (retry - 1)
	}
	return max(d-rand.N(d/2), retryAfter)
}

// poll returns how long to wait before a request that is running is asked for again:
// half a second at first, and always a small part of the time that has passed, so that
// a call of a day does not ask ten thousand times.
func poll(elapsed, retryAfter time.Duration) time.Duration {
	return max(firstBackoff, elapsed/20, retryAfter)
}

// retryAfter reads the header of the same name; 0 when it is missing or in the past.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// attemptTime returns how long one attempt may take when the whole call has left:
// enough of it is kept for a lookup.
func attemptTime(limit, left time.Duration) time.Duration {
	reserve := min(max(2*time.Second, left/5), left/2)
	return min(limit, left-reserve)
}
