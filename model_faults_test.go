package tosspayments_test

import (
	"net/http"
	"strings"
)

// modelFault is one way in which a request is answered. The first of each list is the
// right one.
type modelFault struct {
	name string
	// when are the states of the server in which the fault differs from the others.
	when modelPhase
	// needs reports whether it can happen to such a request; nil: always.
	needs func(*modelServer, *modelRequest) bool
	act   func(*modelServer, *modelRequest) modelAnswer
}

// modelPhase is what a request will meet if nothing goes wrong.
type modelPhase uint8

const (
	held     modelPhase = 1 << iota // its key has an answer, or is running
	refused                         // the guards refuse it
	free                            // it takes its effect
	anyPhase = held | refused | free
)

func (m *modelServer) phase(q *modelRequest) modelPhase {
	if _, ok := m.kept[q.scope()]; ok && q.key != "" {
		return held
	}
	target := m.target(q)
	for _, r := range m.running {
		if r.key == q.scope() && q.key != "" || r.target == target && target != "" && !m.rules.unguarded {
			return held
		}
	}
	if m.refuses(q) {
		return refused
	}
	return free
}

func connected(act func(*modelServer, *modelRequest) modelAnswer) func(*modelServer, *modelRequest) modelAnswer {
	return func(m *modelServer, q *modelRequest) modelAnswer {
		q.connect()
		return act(m, q)
	}
}

// says answers without doing anything, or remembering that it was asked.
func says(a modelAnswer) func(*modelServer, *modelRequest) modelAnswer {
	return connected(func(*modelServer, *modelRequest) modelAnswer { return a })
}

// decides answers in place of performing; the key keeps it.
func decides(a modelAnswer) func(*modelServer, *modelRequest) modelAnswer {
	return connected(func(m *modelServer, q *modelRequest) modelAnswer {
		m.keep(q, a)
		return a
	})
}

// spoils does what was asked, and loses or replaces the answer on its way.
func spoils(spoil func(modelAnswer) modelAnswer) func(*modelServer, *modelRequest) modelAnswer {
	return connected(func(m *modelServer, q *modelRequest) modelAnswer { return spoil(m.answer(q)) })
}

// runs answers at once and takes the effect later; the key then has what keep says.
func runs(a modelAnswer, lands modelLanding, keep func(m *modelServer, q *modelRequest, end modelAnswer)) func(*modelServer, *modelRequest) modelAnswer {
	return connected(func(m *modelServer, q *modelRequest) modelAnswer {
		m.run(q, lands, func(end modelAnswer) { keep(m, q, end) })
		return a
	})
}

func keepsEnd(m *modelServer, q *modelRequest, end modelAnswer) { m.keep(q, end) }
func keepsNone(*modelServer, *modelRequest, modelAnswer)        {}
func keepsThis(a modelAnswer) func(*modelServer, *modelRequest, modelAnswer) {
	return func(m *modelServer, q *modelRequest, _ modelAnswer) { m.keep(q, a) }
}

func runsLong(m *modelServer, q *modelRequest) bool { return m.rules.runsLong && q.key != "" }

// marksReplays: without the mark, an answer that comes before the store cannot be told from
// one that the store has kept, and nobody can say whether another key is safe.
func marksReplays(m *modelServer, _ *modelRequest) bool { return m.rules.marksReplays }

func limitFirst(m *modelServer, _ *modelRequest) bool { return m.rules.limitFirst }

// guarded leaves out what nobody can decide: an endpoint without a guard, whose server dies
// between effect and store, does it again under the same key.
func guarded(m *modelServer, q *modelRequest) bool { return !strings.HasSuffix(q.path, "/transfers") }

func guardedOrKept(m *modelServer, q *modelRequest) bool { return m.rules.keeps5xx || guarded(m, q) }

func both(a, b func(*modelServer, *modelRequest) bool) func(*modelServer, *modelRequest) bool {
	return func(m *modelServer, q *modelRequest) bool { return a(m, q) && b(m, q) }
}

// checkable leaves out answers of which nobody can see that they are not the server's.
func checkable(_ *modelServer, q *modelRequest) bool {
	return q.method != http.MethodDelete && !strings.HasSuffix(q.path, "/transfers")
}

// arrives lets the request reach the server later.
func arrives(lands modelLanding) func(*modelServer, *modelRequest) modelAnswer {
	return connected(func(m *modelServer, q *modelRequest) modelAnswer {
		m.arrive(q, lands)
		return answerLost
	})
}

var (
	answerLost     = modelAnswer{err: errModelLost}
	answerHangs    = modelAnswer{hangs: true}
	answer429      = modelAnswer{status: 429}
	answer429Hour  = modelAnswer{status: 429, header: http.Header{"Retry-After": {"3600"}}}
	answerForeign  = modelAnswer{status: 200, body: `{"status":"ok"}`}
	answer502      = modelAnswer{status: 502, body: "<html>Bad Gateway</html>"}
	answer504      = modelAnswer{status: 504, body: "<html>Gateway Time-out</html>"}
	answer404      = modelAnswer{status: 404, body: "<html>Not Found</html>"}
	answer302      = modelAnswer{status: 302, body: "<html>Moved</html>", header: http.Header{"Location": {"https://login.example/"}}}
	answer401      = modelRefusal(401, "UNAUTHORIZED_KEY")
	answer500      = modelRefusal(500, "COMMON_ERROR")
	answerProvider = modelRefusal(400, "PROVIDER_ERROR")
	answerBusy     = modelRefusal(400, "ALREADY_PROCESSING_REQUEST")
	answerOften    = modelRefusal(403, "FORBIDDEN_CONSECUTIVE_REQUEST")
	answerNew      = modelRefusal(400, "CODE_OF_TOMORROW")
	answerInvalid  = modelRefusal(400, "INVALID_REQUEST")
)

// rejects is the refusal of a card company, or of a refund.
func rejects(m *modelServer, q *modelRequest) modelAnswer {
	q.connect()
	a := modelRefusal(403, "REJECT_CARD_COMPANY")
	if m.isCancel(q) {
		a = modelRefusal(400, "REFUND_REJECTED")
	}
	if !m.refuses(q) {
		m.abort(q)
	}
	m.keep(q, a)
	return a
}

// dialFault: there is no connection, and nothing of the request is read.
var dialFault = modelFault{name: "dial", act: func(*modelServer, *modelRequest) modelAnswer { return modelAnswer{err: errModelDial} }}

// writeFaults are the answers to anything that is not a read.
var writeFaults = []modelFault{
	{name: "ok", when: anyPhase, act: connected((*modelServer).answer)},

	// Nothing arrives.
	{name: "lost", when: anyPhase, act: says(answerLost)},
	{name: "hang", when: anyPhase, act: says(answerHangs)},
	{name: "late-next", when: free, act: arrives(afterNext)},
	{name: "late-call", when: free, act: arrives(afterCall)},

	// Turned away before the key is looked at.
	{name: "429", when: anyPhase, act: says(answer429)},
	{name: "429-hour", when: anyPhase, act: says(answer429Hour)},
	{name: "often", when: anyPhase, act: says(answerOften)},
	{name: "401", when: anyPhase, act: says(answer401)},
	{name: "html-502", when: anyPhase, act: says(answer502)},
	{name: "html-404", when: anyPhase, act: says(answer404)},
	{name: "redirect", when: anyPhase, act: says(answer302)},
	{name: "foreign-200", when: anyPhase, needs: checkable, act: says(answerForeign)},

	// Answered without an effect; the key keeps the answer.
	{name: "provider", when: refused | free, act: decides(answerProvider)},
	{name: "500", when: refused | free, act: decides(answer500)},
	{name: "busy", when: refused | free, act: decides(answerBusy)},
	{name: "often-kept", when: refused | free, needs: marksReplays, act: decides(answerOften)},
	{name: "new-code", when: refused | free, act: decides(answerNew)},
	{name: "reject", when: free, act: rejects},
	{name: "invalid", when: free, act: decides(answerInvalid)},
	{name: "limit-reject", when: refused, needs: limitFirst, act: rejects},
	{name: "limit-invalid", when: refused, needs: limitFirst, act: decides(answerInvalid)},

	// The server does it, and the answer is spoiled.
	{name: "done-lost", when: refused | free, act: spoils(func(modelAnswer) modelAnswer { return answerLost })},
	{name: "done-hang", when: refused | free, act: spoils(func(modelAnswer) modelAnswer { return answerHangs })},
	{name: "done-502", when: free, act: spoils(func(modelAnswer) modelAnswer { return answer502 })},
	{name: "done-foreign-200", when: free, needs: checkable, act: spoils(func(modelAnswer) modelAnswer { return answerForeign })},
	{name: "cut", when: anyPhase, act: spoils(func(a modelAnswer) modelAnswer { a.cut = true; return a })},
	{name: "done-500", when: free, needs: guardedOrKept, act: connected(func(m *modelServer, q *modelRequest) modelAnswer {
		m.perform(q)
		m.keep(q, answer500)
		return answer500
	})},
	{name: "crash", when: free, needs: guarded, act: connected(func(m *modelServer, q *modelRequest) modelAnswer {
		m.perform(q)
		return answerLost
	})},

	// net/http sends the request twice; the first one did it and was forgotten.
	{name: "twice-crash", when: free, needs: guarded, act: connected(func(m *modelServer, q *modelRequest) modelAnswer {
		m.perform(q)
		q.connect()
		return m.answer(q)
	})},
	{name: "twice-crash-401", when: free, needs: guarded, act: connected(func(m *modelServer, q *modelRequest) modelAnswer {
		m.perform(q)
		q.connect()
		return answer401
	})},
	{name: "twice", when: free, act: connected(func(m *modelServer, q *modelRequest) modelAnswer {
		q.connect()
		return m.answer(q)
	})},

	// Answered while it still runs.
	{name: "runs-lost-next", when: free, needs: runsLong, act: runs(answerLost, afterNext, keepsEnd)},
	{name: "runs-lost-crash", when: free, needs: both(runsLong, guarded), act: runs(answerLost, afterNext, keepsNone)},
	{name: "runs-lost-all", when: free, needs: runsLong, act: runs(answerLost, afterAll, keepsEnd)},
	// Somebody in between has sent it twice: this is the answer to the second.
	{name: "runs-409-next", when: free, needs: runsLong, act: runs(modelRefusal(409, "IDEMPOTENT_REQUEST_PROCESSING"), afterNext, keepsEnd)},
	{name: "runs-504-call", when: free, needs: runsLong, act: runs(answer504, afterCall, keepsEnd)},
	{name: "runs-500-next", when: free, needs: both(runsLong, guardedOrKept), act: runs(answer500, afterNext, keepsThis(answer500))},
	{name: "runs-500-call", when: free, needs: runsLong, act: runs(answer500, afterCall, keepsEnd)},
	{name: "runs-500-all", when: free, needs: both(runsLong, guardedOrKept), act: runs(answer500, afterAll, keepsThis(answer500))},
	{name: "runs-provider-call", when: free, needs: runsLong, act: runs(answerProvider, afterCall, keepsThis(answerProvider))},
	{name: "runs-hang-next", when: free, needs: runsLong, act: runs(answerHangs, afterNext, keepsEnd)},
	{name: "runs-hang-call", when: free, needs: runsLong, act: runs(answerHangs, afterCall, keepsEnd)},
}

// readFaults are the answers to lookups.
var readFaults = []modelFault{
	{name: "get", when: anyPhase, act: connected(func(m *modelServer, q *modelRequest) modelAnswer { return m.read(q, m.payments) })},
	{name: "get:stale", when: free, act: connected(func(m *modelServer, q *modelRequest) modelAnswer { return m.read(q, m.old) })},
	{name: "get:404", when: anyPhase, act: says(modelRefusal(404, "NOT_FOUND_PAYMENT"))},
	{name: "get:500", when: anyPhase, act: says(answer500)},
	{name: "get:401", when: anyPhase, act: says(answer401)},
	{name: "get:429", when: anyPhase, act: says(answer429)},
	{name: "get:lost", when: anyPhase, act: says(answerLost)},
	{name: "get:hang", when: anyPhase, act: says(answerHangs)},
	{name: "get:foreign", when: anyPhase, act: says(answerForeign)},
}
