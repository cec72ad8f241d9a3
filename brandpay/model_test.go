package brandpay_test

import (
	"context"
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
	"github.com/seed238ab19c/tosspayments/brandpay"
)

// model is a small and exact server for one payment: what it has approved, and its store of
// answers by idempotency key. It approves a payment once and an order once, whatever the key.
// faults choose how each request is answered; after the last of them everything goes well.
type model struct {
	faults []fault
	modelRules

	status string // of the payment; "" for none
	kept   map[string]answer
	// running are the keys of requests that take their effect later.
	running []string
	// moved counts approvals, sent the requests that arrived.
	moved, sent int
}

// modelRules are what may be so of the server, and of what is asked.
type modelRules struct {
	// keeps5xx: a 5xx answer is kept for its key, as a 4xx is.
	keeps5xx bool
	// refuses: the server refuses what is asked.
	refuses answer
	// other is what the payment of the order has that was there before; "" for none.
	other string
}

type fault uint8

const (
	fine fault = iota
	neverArrived
	answerLost
	cut        // The answer ends in the middle.
	broke      // 500 without an effect.
	brokeAfter // 500 after the effect.
	stillRuns  // 500, and the effect comes later; a 409 under its key meanwhile.
	tooMany
	noKeys    // 401, as from a gateway.
	unheardOf // 400 with a code that is in no document, kept.
	somePage  // 403 with HTML.
	readFails // A read is answered with a 500; a POST goes well.
	readLags  // A read shows the state before; a POST goes well.
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
	return httpmock.NewStringResponse(a.status, a.body), nil
}

func (m *model) answer(r *http.Request, f fault) answer {
	defer m.land()
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
	key := r.Header.Get("Idempotency-Key")
	a, replayed := m.kept[key]
	switch {
	case len(m.running) > 0 && m.running[0] == key:
		return refusal(409, "IDEMPOTENT_REQUEST_PROCESSING")
	case len(m.running) > 0:
		return refusal(400, "ALREADY_PROCESSING_REQUEST")
	case !replayed:
		a = m.perform(key, strings.HasSuffix(r.URL.Path, "confirm"), f)
		if a.status < 500 || m.keeps5xx {
			m.kept[key] = a
		}
	}
	switch f {
	case answerLost:
		return lost
	case cut:
		a.body = a.body[:len(a.body)/2]
	}
	return a
}

// perform does what a request asks for, or what the fault says of it.
func (m *model) perform(key string, isConfirm bool, f fault) answer {
	switch {
	case f == broke:
		return refusal(500, "COMMON_ERROR")
	case f == unheardOf:
		return refusal(400, "OF_TOMORROW")
	case m.status == "DONE" && isConfirm:
		return refusal(400, "ALREADY_PROCESSED_PAYMENT")
	case m.status == "DONE":
		return refusal(400, "DUPLICATED_ORDER_ID")
	case m.refuses.status != 0:
		return m.refuses
	case f == stillRuns:
		m.running = append(m.running, key)
		return refusal(500, "COMMON_ERROR")
	}
	m.approve()
	if f == brokeAfter {
		return refusal(500, "COMMON_ERROR")
	}
	return m.payment(m.status)
}

func (m *model) approve() { m.status, m.moved = "DONE", m.moved+1 }

// land lets what runs take its effect once another request has been answered.
func (m *model) land() {
	if len(m.running) == 0 || m.sent < 2 {
		return
	}
	m.approve()
	m.kept[m.running[0]], m.running = m.payment(m.status), nil
}

func (m *model) read(f fault) answer {
	status := m.status
	switch {
	case f == readFails, f == broke, f == brokeAfter:
		return refusal(500, "COMMON_ERROR")
	case f == answerLost:
		return lost
	case f == readLags && m.other == "":
		status = strings.Replace(status, "DONE", "IN_PROGRESS", 1)
	}
	if status == "" {
		return refusal(404, "NOT_FOUND_PAYMENT")
	}
	return m.payment(status)
}

func (m *model) payment(status string) answer {
	body := strings.Replace(paymentJSON, "DONE", status, 1)
	if m.other == "NORMAL" {
		return okAnswer(strings.Replace(body, "BRANDPAY", m.other, 1))
	}
	if m.other != "" {
		return okAnswer(strings.Replace(body, "3월 구독", m.other, 1))
	}
	return okAnswer(body)
}

// modelCall is a call of which the end is compared with what has moved.
type modelCall struct {
	name string
	// before is the status of the payment before.
	before string
	make   func(context.Context, *brandpay.Client, ...tosspayments.CallOption) (*tosspayments.Payment, error)
	settle func(context.Context, *tosspayments.Client) (*tosspayments.Payment, error)
}

var modelCalls = []modelCall{
	{"confirm", "IN_PROGRESS", func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (*tosspayments.Payment, error) {
		return c.ConfirmPayment(ctx, confirmRequest(), o...)
	}, func(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
		return c.ResolvePayment(ctx, confirmRequest().ConfirmPaymentRequest)
	}},
	{"charge", "", func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (*tosspayments.Payment, error) {
		return c.Charge(ctx, chargeRequest(), o...)
	}, func(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
		return c.ResolvePaymentByOrderID(ctx, chargeRequest().OrderID, chargeRequest().Amount)
	}},
}

// Every sequence of faults up to a depth, with callers who go on while the outcome is unknown:
// under their key, as a new process without one, or by looking. Nobody pays twice, the last word
// is true, and nothing stays unknown.
func TestEverySequenceOfFaults(t *testing.T) {
	rules := []modelRules{{}, {keeps5xx: true}, {refuses: refusal(403, "INVALID_PASSWORD")}, {refuses: refusal(400, "OF_TOMORROW"), keeps5xx: true}}
	for _, call := range modelCalls {
		all := rules
		if call.name == "charge" {
			all = append(all, modelRules{other: "NORMAL"}, modelRules{other: "4월 구독"})
		}
		for _, rules := range all {
			for _, faults := range sequences(*modelDepth) {
				for _, caller := range []string{"its key", "a new key", "looks"} {
					if caller == "looks" && rules.other != "" {
						continue // It compares order id and amount only.
					}
					m := &model{faults: faults, modelRules: rules, status: call.before, kept: map[string]answer{}}
					if rules.other != "" {
						m.status = "DONE"
					}
					name := fmt.Sprintf("%s, %s, faults %d, rules %+v", call.name, caller, faults, rules)
					synctest.Test(t, func(t *testing.T) { m.play(t, &call, caller, name) })
					if t.Failed() {
						return
					}
				}
			}
		}
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

// play lets a caller call up to four times, and compares each word with what has moved.
func (m *model) play(t *testing.T, call *modelCall, caller, name string) {
	toss, err := tosspayments.New("test_sk_brandpaybrandpay", tosspayments.WithHTTPClient(&http.Client{Transport: m}))
	if !assert.NoError(t, err) {
		return
	}
	var opts []tosspayments.CallOption
	if caller == "its key" {
		opts = append(opts, tosspayments.WithIdempotencyKey("operation-1"))
	}
	for n := range 4 {
		var payment *tosspayments.Payment
		before := m.moved
		if n > 0 && caller == "looks" {
			payment, err = call.settle(t.Context(), toss)
		} else {
			payment, err = call.make(t.Context(), brandpay.New(toss), opts...)
		}
		// A refusal of a call without a key speaks for that call alone.
		fresh := caller == "a new key" || n == 0 && caller == "looks"
		outcome := tosspayments.OutcomeOf(payment, err)
		isOwn := fresh && outcome == tosspayments.OutcomeRefused && m.moved == before && len(m.running) == 0
		if !isOwn && !m.agrees(outcome) {
			assert.Fail(t, "the word is not true", "%s after %d approvals: %s: %v", outcome, m.moved, name, err)
			return
		}
		if outcome != tosspayments.OutcomeUnknown {
			return
		}
		if unknown := (*tosspayments.OutcomeUnknownError)(nil); n == 0 && assert.ErrorAs(t, err, &unknown) {
			assert.True(t, unknown.Repeatable, name)
		}
	}
	// A lookup alone cannot tell that nothing will come of it, and an unheard-of code is no
	// decision however often it comes.
	assert.True(t, m.moved == 0 && (caller == "looks" || strings.Contains(m.refuses.body, "OF_TOMORROW")), "unknown for good: %s: %v", name, err)
}

// agrees compares a word with what has moved.
func (m *model) agrees(outcome tosspayments.Outcome) bool {
	switch outcome {
	case tosspayments.OutcomePaid:
		return m.moved == 1 && m.other == ""
	case tosspayments.OutcomeRefused:
		return m.moved == 0 && len(m.running) == 0 && m.other == ""
	case tosspayments.OutcomeMismatch:
		return m.moved == 0 && m.other != ""
	case tosspayments.OutcomeUnknown:
		return m.moved <= 1
	}
	return false
}
