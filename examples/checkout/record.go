package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

const (
	// confirmTime bounds a confirm while the buyer waits; what is not known by then
	// the job finds out.
	confirmTime = 25 * time.Second
	// claimTime is how long an order or a refund belongs to whoever has taken it.
	claimTime = confirmTime + 10*time.Second
	// recordTime bounds writing down an outcome.
	recordTime = 10 * time.Second
)

// confirm charges a claimed order, outside any transaction, and records the outcome.
// The handler calls it once and the job as often as needed: under the key of the order
// it happens once, and each call returns how it has ended.
func (s *store) confirm(ctx context.Context, x *order) {
	var response tosspayments.Response
	payment, err := s.toss.Client.ConfirmPayment(s.watched(ctx, x), x.request(),
		tosspayments.WithIdempotencyKey(x.ConfirmKey), tosspayments.WithResponse(&response))
	if response.SettledByLookup {
		s.logger.InfoContext(ctx, "no answer to the confirm; its outcome was read from the payment", "order", x.ID, "attempts", response.Attempts)
	}
	if overtaken := s.record(ctx, x, payment, err); overtaken {
		s.look(ctx, x.ID)
	}
}

// look reads how the payment of an open order stands, and records that. What an event
// has overtaken is looked up again, so that in the end the newest counts.
func (s *store) look(ctx context.Context, id string) {
	for range 5 {
		x, err := s.orders.byID(ctx, id)
		if err != nil {
			s.logger.WarnContext(ctx, "look", "order", id, "error", err)
			return
		}
		if !x.isOpen() {
			return
		}
		payment, err := s.toss.Client.ResolvePayment(ctx, x.request())
		if overtaken := s.record(ctx, x, payment, err); !overtaken {
			return
		}
	}
}

// record writes down what a confirm or a lookup has told about an order. It is the one
// place that knows what an outcome means for an order, and the handler and the job both
// end in it. It reports whether the order has changed since it was read: then what was
// seen may be old, and nothing is recorded. What cannot be written stays due.
func (s *store) record(ctx context.Context, x *order, payment *tosspayments.Payment, err error) (overtaken bool) {
	// A call that has used up its time is recorded, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	outcome := tosspayments.OutcomeOf(payment, err)
	if payment == nil {
		payment = tosspayments.PaymentOf(err)
	}
	var recorded bool
	var failure error
	switch outcome {
	case tosspayments.OutcomePaid:
		recorded, failure = s.orders.move(ctx, x, paid, payment, "")
	case tosspayments.OutcomeWaiting:
		recorded, failure = s.orders.move(ctx, x, waiting, payment, "")
	case tosspayments.OutcomeCanceled:
		recorded, failure = s.orders.move(ctx, x, canceled, payment, "")
	case tosspayments.OutcomeRefused:
		recorded, failure = s.orders.move(ctx, x, failed, payment, tosspayments.CodeOf(err))
	case tosspayments.OutcomeMismatch:
		recorded, failure = s.orders.move(ctx, x, review, payment, "")
	case tosspayments.OutcomeNotSent:
		recorded, failure = s.orders.unclaim(ctx, x)
	case tosspayments.OutcomeUnknown:
		recorded, failure = s.orders.postpone(ctx, x)
	}
	s.logger.Log(ctx, level(err, failure), "payment", "order", x.ID, "outcome", outcome.String(), "error", err, "recorded", recorded, "failure", failure)
	return !recorded && failure == nil
}

// refund gives money back as planned, and records the outcome. It may be called again
// at any time: what has happened is found by the refund's id, and does not happen again.
func (s *store) refund(ctx context.Context, r *refund) refundState {
	payment, err := s.giveBack(ctx, r)
	to := s.recordRefund(ctx, r, payment, err)
	if to == refundDone || to == refundRefused {
		s.look(ctx, r.OrderID)
	}
	return to
}

// giveBack cancels all that is left, which is also possible where a part is not, or a
// part.
func (s *store) giveBack(ctx context.Context, r *refund) (*tosspayments.Payment, error) {
	const reason = "구매자 요청"
	if r.Amount == r.Refundable && !r.Refundable.IsZero() {
		return s.toss.Client.CancelPayment(ctx, r.PaymentKey, tosspayments.CancelPaymentRequest{
			CancelReason: reason, RefundReceiveAccount: r.Account,
		}, tosspayments.WithIdempotencyKey("refund-"+r.ID))
	}
	return s.toss.Client.CancelPaymentPartially(ctx, r.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: reason, CancelAmount: r.Amount, RefundableAmount: r.Refundable, RefundID: r.ID, RefundReceiveAccount: r.Account,
	})
}

// recordRefund writes down how a refund has ended. It never touches the state of the
// order: a paid order stays paid when its refund is refused.
func (s *store) recordRefund(ctx context.Context, r *refund, payment *tosspayments.Payment, err error) refundState {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	to, reason := refundDone, ""
	if err != nil {
		reason = err.Error()
		switch tosspayments.OutcomeOf(payment, err) {
		case tosspayments.OutcomeRefused, tosspayments.OutcomeNotSent:
			to = refundRefused
		case tosspayments.OutcomeUnknown:
			to = refundPlanned
			var unknown *tosspayments.OutcomeUnknownError
			if errors.As(err, &unknown) && !unknown.Repeatable {
				to = refundReview
			}
		case tosspayments.OutcomeMismatch, tosspayments.OutcomePaid, tosspayments.OutcomeWaiting, tosspayments.OutcomeCanceled:
			to = refundReview
		}
	}
	var failure error
	if to == refundPlanned {
		failure = s.orders.postponeRefund(ctx, r)
	} else {
		failure = shop.InTransaction(ctx, s.orders.db, func(tx *sql.Tx) error { return endRefund(ctx, tx, r, to, reason) })
	}
	s.logger.Log(ctx, level(err, failure), "refund", "order", r.OrderID, "refund", r.ID, "state", string(to), "error", err, "failure", failure)
	if failure != nil {
		return refundPlanned
	}
	return to
}
