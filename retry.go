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
	longestWait    = 60 * time.Second
	lookupInterval = time.Second
)

// reaction is what to do about the end of one attempt of a call that moves money.
type reaction uint8

const (
	// refuse: the server has decided and nothing has moved.
	refuse reaction = iota
	// resend: send again, same key and bytes.
	resend
	// lookUpThenResend: look up, and send again if there is no effect.
	lookUpThenResend
	// lookUp: look up; the request is not sent again.
	lookUp
)

// react is the policy for error answers. lost tells whether an earlier attempt
// may have reached the server without an answer: then an answer to this one is no
// verdict on that one, save a refusal by the buyer's bank, which the key replays.
func react(status int, code ErrorCode, lost bool, op *operation) reaction {
	switch {
	case code == ErrIdempotentRequestProcessing, status == http.StatusConflict && code == "":
		return resend
	case status >= 500, status == http.StatusTooManyRequests:
		return lookUpThenResend
	case status < 400, code == "":
		return lookUp
	}
	class := code.Class()
	switch {
	case !class.decided(), lost && class != ClassBuyerOtherMethod:
		return lookUp
	case class == ClassAlreadyDone && !op.alreadyDoneIsRefusal(code):
		return lookUp
	}
	return refuse
}

// retryRead is the policy for reads.
func retryRead(status int) bool {
	return status == 0 || status == http.StatusTooManyRequests || status >= 500
}

// backoff returns how long to wait before the given retry (1 is the first): half a
// second, doubled each time up to 8 seconds, of which a random half is taken off,
// and at least what the server asked for.
func backoff(retry int, header http.Header, now time.Time) time.Duration {
	d := longestBackoff
	if retry <= 4 {
		d = firstBackoff << (retry - 1)
	}
	d -= rand.N(d / 2)
	return max(d, min(retryAfter(header, now), longestWait))
}

func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now)
	}
	return 0
}

// attemptTime returns how long one attempt may take when the whole call has left:
// enough of it is kept for a lookup.
func attemptTime(limit, left time.Duration) time.Duration {
	reserve := min(max(2*time.Second, left/5), left/2)
	return min(limit, left-reserve)
}
