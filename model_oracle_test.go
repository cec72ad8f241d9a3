package tosspayments_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed238ab19c/tosspayments"
)

// wrong compares what was said with what moved. It returns "" if they agree, else what kind
// of disagreement it is.
func (r *modelRun) wrong() string {
	if n := r.count(len(r.words)); n > 1 && !r.blindPin() && !r.forgetful() || r.op.kind == "approval" && r.count(-1) > 1 {
		return "moved twice"
	}
	for i := range r.words {
		if kind := r.wrongWord(&r.words[i]); kind != "" {
			return kind
		}
	}
	if last := &r.words[len(r.words)-1]; last.unknown() && !r.undecidable() {
		return "still unknown at the end"
	}
	return ""
}

func (r *modelRun) wrongWord(w *modelWord) string {
	if w.took > w.limit {
		return "took too long"
	}
	// What the word speaks for: the effects of its own call, or of the operation up to then.
	moved := r.count(w.call)
	if w.fresh {
		moved = r.by(w.call)
	}
	switch {
	case w.happened():
		return r.wrongSuccess(w)
	case w.outcome == tosspayments.OutcomeCanceled && r.op.kind == "approval":
		if !w.gone {
			return "reported as cancelled, and is not"
		}
	case w.outcome == tosspayments.OutcomeRefused:
		return r.wrongRefusal(w, moved)
	case w.outcome == tosspayments.OutcomeNotSent:
		if r.sentBy(w) > 0 || moved > 0 || w.lookup {
			return "reported as not sent, and was sent"
		}
	case w.outcome == tosspayments.OutcomeMismatch:
		if !r.foreign {
			return "reported as a mismatch, and is none"
		}
	case w.outcome == tosspayments.OutcomeUnknown:
		return r.wrongAdvice(w)
	default:
		return fmt.Sprintf("an error that says %s", w.outcome)
	}
	return ""
}

func (r *modelRun) wrongSuccess(w *modelWord) string {
	switch {
	case r.foreign:
		return "took another payment for its own"
	case r.op.kind == "approval" && (w.payment == nil || w.outcome != tosspayments.OutcomePaid && w.outcome != tosspayments.OutcomeWaiting):
		return fmt.Sprintf("no error, and %s", w.outcome)
	case r.op.kind == "approval" && (w.payment.OrderID != modelOrder || w.payment.TotalAmount != tosspayments.Won(modelTotal)):
		return "returned another payment"
	case r.op.refundID && !hasCancel(w.payment, "[refund-1]"):
		return "returned a payment without the refund"
	case r.op.kind == "approval" && w.wasGone && !w.stale && r.modelScenario.rules.marksReplays:
		return "reported as paid, and nothing is left" // without the mark, a kept answer says so for ever
	case r.op.kind == "approval" || r.op.kind == "deletion":
		if w.all == 0 {
			return "reported, and nothing moved"
		}
	case r.op.name == "cancel":
		if !w.gone {
			return "reported, and something is left"
		}
	case w.own == 0 && !r.twin():
		return "reported, and nothing moved"
	}
	return ""
}

func hasCancel(p *tosspayments.Payment, suffix string) bool {
	return p != nil && slices.ContainsFunc(p.Cancels, func(c tosspayments.Cancel) bool { return strings.HasSuffix(c.CancelReason, suffix) })
}

func (r *modelRun) wrongRefusal(w *modelWord, moved int) string {
	already := tosspayments.CodeOf(w.err).Class() == tosspayments.ClassAlreadyDone
	switch {
	case moved > 0 && !r.lagging() && !r.harmless(w):
		return "refused, but it moved"
	case w.stale || w.fresh && !already:
		return ""
	case r.op.kind == "approval" && w.stands:
		return "refused, but a payment stands"
	case r.op.name == "cancel" && w.gone:
		return "refused, but nothing is left"
	}
	return ""
}

// wrongAdvice checks what an unknown outcome says about the next call.
func (r *modelRun) wrongAdvice(w *modelWord) string {
	var unknown *tosspayments.OutcomeUnknownError
	switch {
	case !errors.As(w.err, &unknown):
		if !w.lookup {
			return "unknown, with another error"
		}
	case !unknown.Repeatable && !r.mayNotRepeat():
		return "unknown, and not repeatable"
	case unknown.Repeatable && r.mayNotRepeat() && !r.modelScenario.rules.wallet:
		return "unknown, and said to be repeatable"
	case w.key != "" && unknown.IdempotencyKey != w.key:
		return "unknown, with another key"
	}
	return ""
}

func (r *modelRun) sentBy(w *modelWord) (n int) {
	if w.fresh {
		return r.sent[w.call]
	}
	for call := range w.call {
		n += r.sent[call+1]
	}
	return n
}

// The rest is what nobody can decide.

// lagging: the server checks limits before duplicates, and the reads of more than one
// moment lag behind.
func (r *modelRun) lagging() bool {
	return r.modelScenario.rules.limitFirst && r.path.took("get:stale", "get:404") > 1
}

// twin: somebody else has made a refund like this one, which has no RefundID, and an attempt
// may have been the one that did it. Of one that was told to wait, or not sent, it is known.
func (r *modelRun) twin() bool {
	if r.op.kind != "cancel" || r.op.refundID || r.op.keyed || r.rival != nil {
		return false
	}
	return slices.ContainsFunc(r.path.names, func(name string) bool {
		known := []string{"|", "ok", "get", "rival", "dial", "429", "429-hour", "often", "often-kept", "busy", "401", "reject", "invalid"}
		return !slices.Contains(known, name) && !strings.HasPrefix(name, "get:")
	})
}

// blindPin: a refund is asked for again with another balance, its key has been forgotten, and
// it cannot be looked for before. The same balance is to be passed again.
func (r *modelRun) blindPin() bool { return r.pin != r.pinned && r.words[1].blind }

// forgetful: the server keeps no 5xx and does not mark replays, so that three answers alike
// may be of three requests, of which the last still runs, and its guards do not hold at the end.
func (r *modelRun) forgetful() bool {
	rules := r.modelScenario.rules
	return rules.unguarded && !rules.keeps5xx && !rules.marksReplays && r.path.took("500", "runs-500-call", "runs-500-all", "runs-500-next") > 2
}

// harmless: no money moves, so that a refusal under a stored key is believed, and the buyer
// registers again; the server may have made a billing key and forgotten that it did.
func (r *modelRun) harmless(w *modelWord) bool { return r.op.kind == "billing key" && w.key != "" }

// mayNotRepeat: a wallet is still working on the cancel, or a part without a RefundID was
// asked for, which cannot be told from its twin.
func (r *modelRun) mayNotRepeat() bool {
	return r.modelScenario.rules.wallet || r.op.kind == "cancel" && !r.op.keyed && !r.op.refundID
}

// undecidable: nothing can be read of the operation, and its key has an answer that decides
// nothing, for ever; or two keys have one, and replays are not marked.
func (r *modelRun) undecidable() bool {
	useless := r.path.took("provider", "busy", "new-code", "500", "done-500", "runs-500-next", "runs-500-all", "runs-provider-call")
	return r.mayNotRepeat() || r.op.kind == "billing key" || r.op.kind == "transfer" ||
		useless > 1 && !r.modelScenario.rules.marksReplays
}
