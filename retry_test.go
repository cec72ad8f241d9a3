package tosspayments

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestReact(t *testing.T) {
	for _, row := range []struct {
		status int
		code   ErrorCode
		op     *operation
		first  reaction // without an earlier attempt that was lost
		lost   reaction // after one
	}{
		{403, ErrRejectCardCompany, confirmPayment, refuse, refuse},
		{400, ErrInvalidRequest, confirmPayment, refuse, lookUp},
		{401, ErrUnauthorizedKey, confirmPayment, refuse, lookUp},
		{404, ErrNotFoundPaymentSession, confirmPayment, refuse, lookUp},
		{403, ErrForbiddenRequest, confirmPayment, refuse, lookUp},
		{400, ErrAlreadyProcessedPayment, confirmPayment, lookUp, lookUp},
		{400, ErrAlreadyProcessingRequest, confirmPayment, lookUp, lookUp},
		{400, ErrProviderError, confirmPayment, lookUp, lookUp},
		{400, ErrCardProcessingError, confirmPayment, lookUp, lookUp},
		{403, ErrForbiddenConsecutiveRequest, confirmPayment, lookUp, lookUp},
		{400, "OF_TOMORROW", confirmPayment, lookUp, lookUp},
		{400, "", confirmPayment, lookUp, lookUp},
		{302, "", confirmPayment, lookUp, lookUp},
		{302, ErrRejectCardCompany, confirmPayment, lookUp, lookUp},
		{500, ErrCommonError, confirmPayment, lookUpThenResend, lookUpThenResend},
		{500, ErrRejectCardCompany, confirmPayment, lookUpThenResend, lookUpThenResend},
		{502, "", confirmPayment, lookUpThenResend, lookUpThenResend},
		{429, "", confirmPayment, lookUpThenResend, lookUpThenResend},
		{409, ErrIdempotentRequestProcessing, confirmPayment, resend, resend},
		{409, "", confirmPayment, resend, resend},
		{409, ErrRejectCardCompany, confirmPayment, refuse, refuse},
		{400, ErrAlreadyCanceledPayment, cancelPayment, refuse, lookUp},
		{400, ErrAlreadyProcessedPayment, cancelPayment, lookUp, lookUp},
		{403, ErrNotCancelableAmount, cancelPayment, refuse, lookUp},
		{400, ErrRefundRejected, cancelPayment, refuse, lookUp},
		{403, ErrNotAvailableBank, cancelPayment, lookUp, lookUp},
	} {
		assert.Equal(t, row.first, react(row.status, row.code, false, row.op), "%d %s", row.status, row.code)
		assert.Equal(t, row.lost, react(row.status, row.code, true, row.op), "%d %s after a lost attempt", row.status, row.code)
	}
}

func TestBackoff(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for retry, most := range map[int]time.Duration{
		1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 4: 4 * time.Second, 5: 8 * time.Second, 60: 8 * time.Second,
	} {
		for range 50 {
			d := backoff(retry, nil, now)
			assert.LessOrEqual(t, d, most)
			assert.GreaterOrEqual(t, d, most/2)
		}
	}
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, "100000": longestWait, "Sun, 01 Mar 2026 00:00:09 GMT": 9 * time.Second,
	} {
		assert.Equal(t, want, backoff(1, http.Header{"Retry-After": {value}}, now), value)
	}
	for _, value := range []string{"-1", "soon", "0", "Sun, 01 Mar 2020 00:00:09 GMT", "99999999999999999999"} {
		assert.LessOrEqual(t, backoff(1, http.Header{"Retry-After": {value}}, now), 500*time.Millisecond, value)
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

func TestMaskNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"card 4330123412341234.": "card ****************.",
		"4330-1234-1234-1234":    "****-****-****-****",
		"4330 1234 1234 1234":    "**** **** **** ****",
		"account 110-123-456789": "account ***-***-******",
		"123456789":              "*********",
		"call 1644-8051":         "call 1644-8051",
		"at 2026-03-01 10:15:30": "at 2026-03-01 10:15:30",
		"amount 1,000,000":       "amount 1,000,000",
		"12345678":               "12345678",
		"가 1234567890 나":         "가 ********** 나",
		"":                       "",
	} {
		assert.Equal(t, want, maskNumbers(text))
	}
}

func TestOneLine(t *testing.T) {
	assert.Equal(t, "a b c", oneLine(" a\r\n\tb\x00c ", 100))
	assert.Equal(t, "가나…", oneLine("가나다라", 7))
	assert.Equal(t, "\uFFFD", oneLine("\xff", 10))
}

func TestBodyThatWasAbandonedIsNeverRead(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	tracked, request := new(trackedBody), new(http.Request)
	tracked.attach(t.Context(), request, []byte("x"))
	assert.True(t, tracked.nothing(dial))
	_, err := request.Body.Read(make([]byte, 1))
	assert.ErrorIs(t, err, http.ErrBodyReadAfterClose)

	tracked = new(trackedBody)
	tracked.attach(t.Context(), request, []byte("x"))
	again, err := request.GetBody()
	assert.NoError(t, err)
	_, err = again.Read(make([]byte, 1))
	assert.NoError(t, err)
	assert.False(t, tracked.nothing(dial), "a repeat by the HTTP client counts as sent")
}
