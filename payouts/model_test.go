package payouts_test

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/jwe"
	"github.com/seed238ab19c/tosspayments/payouts"
)

// model is a small and exact server for requests of payouts: what it has accepted, and its
// store of answers by idempotency key, into which an effect goes with its answer. It does
// not prevent a second payout with the same reference under another key, since no document
// says that the server does. faults choose how each request is answered; after the last of
// them everything goes well.
type model struct {
	faults []fault
	// keeps5xx: a 5xx answer is kept for its key, as a 4xx is.
	keeps5xx bool
	// refuses: the server refuses what is requested.
	refuses answer

	kept map[string]answer
	// running are the keys of requests that take their effect later.
	running []string
	paid    map[string]int // by reference
	sent    int
}

type fault uint8

const (
	fine fault = iota
	neverArrived
	answerLost
	garbled    // The answer is encrypted with a key that nobody has.
	broke      // 500 without an effect.
	brokeAfter // 500 after the effect.
	stillRuns  // 500, and the effect comes later; a 409 under its key meanwhile.
	tooMany
	noKeys     // 401, as from a gateway.
	unheardOf  // 400 with a code that is in no document, kept.
	somePage   // 403 with HTML.
	listFails  // A list is answered with a 500; a POST goes well.
	listBehind // A list lacks everything; a POST goes well.
	lastFault
)

const modelBatch = 2

var modelDepth = flag.Int("model.depth", 2, "how many faults a sequence has")

func modelPayouts() []payouts.PayoutRequest {
	return []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10"), scheduledRequest("p-2", "2026-03-10")}
}

func (m *model) RoundTrip(r *http.Request) (*http.Response, error) {
	f := fine
	if len(m.faults) > 0 {
		f, m.faults = m.faults[0], m.faults[1:]
	}
	a := m.answer(r, f)
	if a.err != nil {
		return nil, a.err
	}
	body := []byte(a.body)
	if a.key != "" {
		body = parseKey(a.key).Seal(jwe.AnswerHeader(), body)
	}
	return httpmock.NewBytesResponse(a.status, body), nil
}

func (m *model) answer(r *http.Request, f fault) answer {
	key := r.Header.Get("Idempotency-Key")
	defer m.land(key)
	switch {
	case f == neverArrived:
		return lost
	case f == tooMany:
		return refusal(429, "TOO_MANY_REQUESTS")
	case f == noKeys:
		return refusal(401, "UNAUTHORIZED_KEY")
	case f == somePage:
		return answer{status: 403, body: "<html>"}
	case r.Method == http.MethodGet:
		return m.list(f)
	}
	m.sent++
	if slices.Contains(m.running, key) {
		return refusal(409, "IDEMPOTENT_REQUEST_PROCESSING")
	}
	a, replayed := m.kept[key]
	if !replayed {
		a = m.perform(key, f)
		switch {
		case a.status < 500 || m.keeps5xx:
			m.kept[key] = a
		case f == brokeAfter && m.refuses.status == 0:
			m.kept[key] = okAnswer(m.accepted()).sealed()
		}
	}
	switch f {
	case answerLost:
		return lost
	case garbled:
		a.key = strings.Repeat("ff", 32)
	}
	return a
}

// perform does what a request asks for, or what the fault says of it.
func (m *model) perform(key string, f fault) answer {
	switch {
	case f == broke:
		return refusal(500, "COMMON_ERROR")
	case f == unheardOf:
		return refusal(400, "OF_TOMORROW").sealed()
	case m.refuses.status != 0:
		return m.refuses
	case f == stillRuns:
		m.running = append(m.running, key)
		return refusal(500, "COMMON_ERROR")
	}
	m.pay()
	if f == brokeAfter {
		return refusal(500, "COMMON_ERROR")
	}
	return okAnswer(m.accepted()).sealed()
}

func (m *model) pay() {
	m.paid["p-1"]++
	m.paid["p-2"]++
}

func (m *model) accepted() string {
	return listJSON(payoutJSON("p-1", "REQUESTED", 50000), payoutJSON("p-2", "REQUESTED", 50000))
}

// land lets what runs under another request's eyes take its effect: it is done when the
// next request comes, other than for its own key, which was told 409 before.
func (m *model) land(key string) {
	if len(m.running) == 0 {
		return
	}
	if m.sent > 1 || key == "" {
		for _, running := range m.running {
			m.pay()
			m.kept[running] = okAnswer(m.accepted()).sealed()
		}
		m.running = nil
	}
}

func (m *model) list(f fault) answer {
	switch {
	case f == listFails || f == broke:
		return refusal(500, "COMMON_ERROR")
	case f == answerLost || f == garbled:
		return lost
	case f == listBehind || m.paid["p-1"] == 0:
		return okAnswer(listJSON())
	}
	return okAnswer(m.accepted())
}

// Every sequence of faults up to a depth, with a caller who calls once, and one who calls
// again as long as the outcome is unknown: nobody is paid twice, and the last word is true.
func TestEverySequenceOfFaults(t *testing.T) {
	stuck := 0
	for _, keeps5xx := range []bool{false, true} {
		for _, refuses := range []answer{{}, refusal(403, "FORBIDDEN_SELLER_PAYOUT").sealed(), refusal(400, "OF_TOMORROW")} {
			for _, faults := range sequences(*modelDepth) {
				for _, retries := range []int{0, 2} {
					m := &model{faults: faults, keeps5xx: keeps5xx, refuses: refuses, kept: map[string]answer{}, paid: map[string]int{}}
					name := fmt.Sprintf("faults %d, keeps5xx %t, refuses %d, retries %d", faults, keeps5xx, refuses.status, retries)
					synctest.Test(t, func(t *testing.T) {
						stuck += playModel(t, m, name, retries)
					})
					if t.Failed() {
						return
					}
				}
			}
		}
	}
	// A 5xx that is kept without an effect is repeated for 15 days.
	assert.NotZero(t, stuck)
}

func sequences(depth int) (all [][]fault) {
	all = [][]fault{nil}
	for start := 0; depth > 0; depth-- {
		end := len(all)
		for _, head := range all[start:end] {
			for f := range lastFault {
				all = append(all, append(slices.Clip(head), f))
			}
		}
		start = end
	}
	return all
}

// playModel lets a caller call up to four times, and returns 1 if the outcome stays unknown.
func playModel(t *testing.T, m *model, name string, retries int) (stuck int) {
	client := newClient(t, m, tosspayments.WithMaxRetries(retries))
	for range 4 {
		got, err := client.RequestPayouts(t.Context(), modelPayouts())
		moved := m.paid["p-1"] > 0
		assert.LessOrEqual(t, m.paid["p-1"], 1, "paid twice: %s", name)
		var refused *tosspayments.Error
		switch {
		case err == nil:
			assert.True(t, moved, "accepted, but not so: %s", name)
			assert.Len(t, got, modelBatch, name)
			return 0
		case errors.As(err, &refused):
			assert.False(t, moved || len(m.running) > 0, "refused, but it moved: %s", name)
			return 0
		default:
			assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, name)
		}
	}
	assert.True(t, m.keeps5xx, "unknown for good: %s: %v", name, m.kept)
	return 1
}
