package tosspayments

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBackoff(t *testing.T) {
	for retry, most := range map[int]time.Duration{
		1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 4: 4 * time.Second, 5: 8 * time.Second, 60: 8 * time.Second,
	} {
		for range 50 {
			d := backoff(retry, 0)
			assert.LessOrEqual(t, d, most)
			assert.GreaterOrEqual(t, d, most/2)
		}
	}
	assert.Equal(t, time.Hour, backoff(1, time.Hour), "at least what the server asks for")
}

func TestPoll(t *testing.T) {
	assert.Equal(t, firstBackoff, poll(0, 0))
	assert.Equal(t, 2*time.Second, poll(40*time.Second, 0), "an answer of 40 seconds is there within two more")
	assert.Equal(t, 5*time.Second, poll(0, 5*time.Second))
}

func TestRetryAfter(t *testing.T) { synctest.Test(t, retryAfterInABubble) }

// A bubble's time begins with the year 2000.
func retryAfterInABubble(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, "3600": time.Hour, "Sat, 01 Jan 2000 00:00:09 GMT": 9 * time.Second,
		"": 0, "-1": 0, "soon": 0, "0": 0, "Fri, 31 Dec 1999 23:59:59 GMT": 0, "99999999999999999999": 0,
	} {
		assert.Equal(t, want, retryAfter(http.Header{"Retry-After": {value}}), value)
	}
}

func TestAttemptTime(t *testing.T) {
	for _, row := range [][3]time.Duration{
		{60 * time.Second, 120 * time.Second, 60 * time.Second},
		{60 * time.Second, 50 * time.Second, 40 * time.Second},
		{60 * time.Second, 5 * time.Second, 3 * time.Second},
		{60 * time.Second, 2 * time.Second, time.Second},
		{60 * time.Second, 0, 0},
	} {
		assert.Equal(t, row[2], attemptTime(row[0], row[1]))
	}
}
