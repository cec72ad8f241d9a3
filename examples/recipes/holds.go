package recipes

import (
	"context"
	"errors"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Holds keeps stock, seats or rooms for orders that are being paid.
type Holds interface {
	// Extend moves the end of the order's hold and reports whether it still stood:
	// UPDATE holds SET ends_at = ? WHERE order_id = ? AND ends_at > now().
	Extend(ctx context.Context, orderID string, until time.Time) (bool, error)
}

// ErrHoldOver says that the goods went to somebody else. Nothing was charged.
var ErrHoldOver = errors.New("the hold of the order is over")

// ConfirmHeld confirms only while the goods are held. ErrHoldOver says that nothing was
// sent; another error is that of a database.
func (s *Shop) ConfirmHeld(ctx context.Context, holds Holds, order Order, request tosspayments.ConfirmPaymentRequest) error {
	// Long enough for the confirm, and for the job that looks again after a lost answer.
	held, err := holds.Extend(ctx, order.ID, time.Now().Add(15*time.Minute))
	if err != nil {
		return err
	}
	if !held {
		return ErrHoldOver // not confirmed: the payment expires by itself
	}
	return s.ConfirmOrder(ctx, order, request)
}

// WhyNoSession tells the causes of NOT_FOUND_PAYMENT_SESSION apart, for the log.
func (s *Shop) WhyNoSession(ctx context.Context, paymentKey string) string {
	payment, err := s.Toss.GetPayment(ctx, paymentKey)
	switch {
	case errors.Is(err, tosspayments.ErrNotFoundPayment):
		return "this secret key has no such payment: wrong paymentKey, or keys that are not a pair"
	case err != nil:
		return "cannot tell: " + err.Error()
	case payment.Status == tosspayments.PaymentStatusExpired:
		return "too late: the window was opened at " + payment.RequestedAt.Format(time.TimeOnly)
	}
	return "the payment is " + string(payment.Status)
}
