package payouts_test

import (
	"context"
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

// model is a small and exact server for one operation: how often it has taken effect, and
// its store of answers by idempotency key, into which an effect goes with its answer. faults
// choose how each request is answered; after the last of them everything goes well.
type model struct {
	operation
	faults []fault
	// keeps5xx: a 5xx answer is kept for its key, as a 4xx is.
	keeps5xx bool
	// refuses: the server refuses what is requested.
	refuses answer

	kept map[string]answer
	// running are the keys of requests that take their effect later.
	running []string
	effects int
	sent    int
}

// operation is what a POST answers once it has taken effect, and a GET before and after.
type operation struct {
	call                func(context.Context, *payouts.Client) error
	done, before, after string
	// again is what a POST under another key is answered after the effect, if it is not
	// done again. No document says that the server prevents a second payout with the same
	// reference.
	again answer
	// sealed: requests and answers are encrypted.
	sealed bool
	// newKeys: each call has a key of its own, so that a caller without retries hears a
	// reason that is in no document only once under each, and it decides nothing.
	newKeys bool
	// keyless: requests have no key, and there is nothing to look at, so that a reason that
	// is in no document never decides.
	keyless bool
}

func operations() map[string]operation {
	both := listJSON(payoutJSON("p-1", "REQUESTED", 50000), payoutJSON("p-2", "REQUESTED", 50000))
	canceled := payoutJSON("p-1", "CANCELED", 50000)
	batch := []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10"), scheduledRequest("p-2", "2026-03-10")}
	return map[string]operation{
		"request": {sealed: true, done: both, before: listJSON(), after: both, call: func(ctx context.Context, client *payouts.Client) error {
			got, err := client.RequestPayouts(ctx, batch)
			if err == nil && len(got) != len(batch) {
				return fmt.Errorf("%d payouts", len(got))
			}
			return err
		}},
		"cancel": {newKeys: true, done: canceled, before: payoutJSON("p-1", "REQUESTED", 50000), after: canceled, again: refusal(400, "INVALID_REQUEST"),
			call: func(ctx context.Context, client *payouts.Client) error {
				got, err := client.CancelPayout(ctx, "FPA_p-1")
				if err == nil && got.Status != payouts.PayoutStatusCanceled {
					return fmt.Errorf("a payout that is %s", got.Status)
				}
				return err
			}},
		"delete": {keyless: true, done: `{"id":"seller_1","refSellerId":null}`, again: refusal(404, "NOT_FOUND"),
			call: func(ctx context.Context, client *payouts.Client) error {
				_, err := client.DeleteSeller(ctx, "seller_1")
				return err
			}},
	}
}

type fault uint8

const (
	fine fault = iota
	neverArrived
	answerLost
	garbled    // The answer cannot be read; it may be encrypted with a key that nobody has.
	broke      // 500 without an effect.
	brokeAfter // 500 after the effect.
	stillRuns  // 500, and the effect comes later; a 409 under its key meanwhile.
	tooMany
	noKeys     // 401, as from a gateway.
	unheardOf  // 400 with a code that is in no document, kept.
	somePage   // 403 with HTML.
	readFails  // A GET is answered with a 500; a POST goes well.
	readBehind // A GET shows no effect; a POST goes well.
	lastFault
)

var modelDepth = flag.Int("model.depth", 2, "how many faults a sequence has")

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
	if a.key != "" && m.sealed {
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
		return m.read(f)
	}
	m.sent++
	if slices.Contains(m.running, key) {
		return refusal(409, "IDEMPOTENT_REQUEST_PROCESSING")
	}
	a, replayed := m.kept[key]
	if !replayed || m.keyless {
		a = m.perform(key, f)
		switch {
		case a.status < 500 || m.keeps5xx:
			m.kept[key] = a
		case f == brokeAfter && m.refuses.status == 0:
			m.kept[key] = okAnswer(m.done).sealed()
		}
	}
	switch {
	case f == answerLost:
		return lost
	case f == garbled && m.sealed:
		a.key = strings.Repeat("ff", 32)
	case f == garbled:
		a.body = a.body[1:]
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
	case m.effects > 0 && m.again.status != 0:
		return m.again
	case f == stillRuns:
		m.running = append(m.running, key)
		return refusal(500, "COMMON_ERROR")
	}
	m.effects++
	if f == brokeAfter {
		return refusal(500, "COMMON_ERROR")
	}
	return okAnswer(m.done).sealed()
}

// land lets what runs under another request's eyes take its effect: it is done when the
// next request comes, other than for its own key, which was told 409 before.
func (m *model) land(key string) {
	if len(m.running) == 0 {
		return
	}
	if m.sent > 1 || key == "" {
		for _, running := range m.running {
			m.effects++
			m.kept[running] = okAnswer(m.done).sealed()
		}
		m.running = nil
	}
}

func (m *model) read(f fault) answer {
	switch {
	case f == readFails || f == broke:
		return refusal(500, "COMMON_ERROR")
	case f == answerLost || f == garbled:
		return lost
	case f == readBehind || m.effects == 0:
		return okAnswer(m.before)
	}
	return okAnswer(m.after)
}

// Every sequence of faults up to a depth, with a caller who calls once, and one who calls
// again as long as the outcome is unknown: nothing happens twice, and the last word is true.
func TestEverySequenceOfFaults(t *testing.T) {
	for name, operation := range operations() {
		t.Run(name, func(t *testing.T) {
			stuck := 0
			for _, keeps5xx := range []bool{false, true} {
				for _, refuses := range []answer{{}, refusal(403, "FORBIDDEN_SELLER_PAYOUT").sealed(), refusal(400, "OF_TOMORROW")} {
					for _, faults := range sequences(*modelDepth) {
						for _, retries := range []int{0, 2} {
							m := &model{operation: operation, faults: faults, keeps5xx: keeps5xx, refuses: refuses, kept: map[string]answer{}}
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
		})
	}
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
	for n := range 4 {
		err := m.call(t.Context(), client)
		assert.LessOrEqual(t, m.effects, 1, "done twice: %s", name)
		var refused *tosspayments.Error
		switch {
		case err == nil:
			assert.Equal(t, 1, m.effects, "accepted, but not so: %s", name)
			return 0
		case n > 0 && m.keyless && errors.As(err, &refused):
			return 0 // Without a key it speaks for that call alone.
		case errors.As(err, &refused):
			assert.False(t, m.effects > 0 || len(m.running) > 0, "refused, but it moved: %s", name)
			return 0
		default:
			assert.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, name)
		}
	}
	isUnheardOf := m.refuses.status == 400
	assert.True(t, m.keeps5xx || isUnheardOf && (m.keyless || m.newKeys && retries == 0), "unknown for good: %s: %v", name, m.kept)
	return 1
}
