package recipes

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Refund is a refund of an order. Its row is stored before Toss Payments is asked, and
// only State, Problem and NextAt change afterwards.
type Refund struct {
	// ID is the RefundID.
	ID, OrderID, PaymentKey string
	Reason                  string
	// Amount is given back; with Whole all that is left.
	Amount tosspayments.Amount
	Whole  bool
	// Balance is what was left before.
	Balance tosspayments.Amount
	// Account is for a virtual account that has been paid into, else nil.
	Account *tosspayments.RefundReceiveAccount
	// State is pending, done, refused or review (a person has to look).
	State, Problem string
	// NextAt is when the job makes the call again.
	NextAt time.Time
}

// RefundPart gives a part of an order back. The id is made with the form that asks for the
// refund, so that a form that is sent twice is one refund.
func (s *Shop) RefundPart(ctx context.Context, order Order, id string, amount tosspayments.Amount, reason string) error {
	payment, err := s.Toss.GetPayment(ctx, order.PaymentKey)
	if err != nil {
		return err
	}
	refund := Refund{
		ID: id, OrderID: order.ID, PaymentKey: order.PaymentKey, Reason: reason,
		Amount: amount, Balance: payment.Cancelable(), State: "pending",
	}
	if err := s.Orders.CreateRefund(ctx, refund); err != nil { // once for each id, one at a time for each order
		return err
	}
	return s.RunRefund(ctx, refund)
}

// RunRefund makes the call of a pending refund: when it is stored, and from the job until
// its state is another one.
func (s *Shop) RunRefund(ctx context.Context, refund Refund) error {
	if refund.Whole {
		return s.giveBack(ctx, refund)
	}
	_, err := s.Toss.CancelPaymentPartially(ctx, refund.PaymentKey, tosspayments.PartialCancelRequest{
		RefundID:             refund.ID,
		CancelReason:         refund.Reason,
		CancelAmount:         refund.Amount,
		RefundableAmount:     refund.Balance,
		RefundReceiveAccount: refund.Account,
	})
	return s.recordRefund(ctx, refund, err)
}

// giveBack cancels all that is left. If nothing is, whoever has cancelled it, the refund
// is done.
func (s *Shop) giveBack(ctx context.Context, refund Refund) error {
	_, err := s.Toss.CancelPayment(ctx, refund.PaymentKey, tosspayments.CancelPaymentRequest{
		CancelReason:         refund.Reason,
		RefundReceiveAccount: refund.Account,
	}, tosspayments.WithIdempotencyKey("refund-"+refund.ID))
	return s.recordRefund(ctx, refund, err)
}

// recordRefund writes down what the result of a cancel means for the refund. It leaves
// the order alone: SaveRefund wakes it, and record says how it stands.
func (s *Shop) recordRefund(ctx context.Context, refund Refund, err error) error {
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case err == nil:
		refund.State = "done"
	case outcome == tosspayments.OutcomeRefused, outcome == tosspayments.OutcomeNotSent:
		refund.State, refund.Problem = "refused", err.Error() // nothing was refunded
	case outcome == tosspayments.OutcomeMismatch:
		refund.State, refund.Problem = "review", err.Error()
	default: // unknown: the same call again, later
		refund.NextAt = time.Now().Add(time.Minute)
	}
	if err != nil {
		slog.WarnContext(ctx, "refund", "refund", refund.ID, "state", refund.State, "error", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.Orders.SaveRefund(ctx, refund)
}
