package recipes

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// record writes down what the result of a call means for an order. The handler and the
// job call it, with whatever a confirm, a charge or a lookup has returned.
func (s *Shop) record(ctx context.Context, order Order, payment *tosspayments.Payment, err error) error {
	was := order.State
	order.LookAt = time.Time{} // not again, unless a webhook asks for it
	switch tosspayments.OutcomeOf(payment, err) {
	case tosspayments.OutcomePaid:
		order.State, order.Payment = "paid", payment
	case tosspayments.OutcomeWaiting: // a virtual account: no money yet, or no longer
		order.State, order.Payment = "waiting", payment
		order.LookAt = time.Now().Add(time.Hour)
	case tosspayments.OutcomeCanceled:
		order.State, order.Payment = "canceled", tosspayments.PaymentOf(err)
	case tosspayments.OutcomeRefused:
		order.State, order.Code = "failed", tosspayments.CodeOf(err)
	case tosspayments.OutcomeNotSent:
		order.State = "new" // the buyer may try again
	case tosspayments.OutcomeMismatch: // other money, or another payment: a person has to look
		order.State, order.Payment = "review", tosspayments.PaymentOf(err)
	case tosspayments.OutcomeUnknown: // leave the order as it is, and ask again
		order.LookAt = time.Now().Add(time.Minute)
	}
	if err != nil {
		slog.WarnContext(ctx, "payment", "order", order.ID, "state", order.State, "error", err)
	}
	// The call may have used up its time, and is recorded all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.Orders.Save(ctx, order, taskFor(was, order.State))
}

// taskFor is what the warehouse has to do when the state of an order changes.
func taskFor(was, state string) string {
	switch {
	case was != "paid" && state == "paid":
		return "release"
	case was == "paid" && state != "paid":
		return "stop" // the deposit was taken back, or all was refunded
	}
	return ""
}

// Settle finds out how the payment of an order stands, and records it. It may be called
// at any time, by any process.
func (s *Shop) Settle(ctx context.Context, id string) error {
	order, err := s.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	payment, err := s.resolve(ctx, order)
	if order.State == "confirming" && tosspayments.OutcomeOf(payment, err) == tosspayments.OutcomeUnknown && order.KeyID == s.Toss.KeyID() {
		// Not approved, or not to be read: the same call again, under its key.
		payment, err = s.Toss.ConfirmPayment(ctx, order.request(), tosspayments.WithIdempotencyKey(order.IdempotencyKey))
	}
	return s.record(ctx, order, payment, err)
}

// resolve only reads. A charge and an account that the server has asked for are found by
// their order id.
func (s *Shop) resolve(ctx context.Context, order Order) (*tosspayments.Payment, error) {
	if order.PaymentKey == "" {
		return s.Toss.ResolvePaymentByOrderID(ctx, order.ID, order.Amount)
	}
	return s.Toss.ResolvePayment(ctx, order.request())
}

// Job settles what is due. Run it at start, every few seconds, and when a webhook has
// come. What fails stays due.
func (s *Shop) Job(ctx context.Context) error {
	orders, refunds, err := s.Orders.Due(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range orders {
		errs = append(errs, s.Settle(ctx, id))
	}
	for _, refund := range refunds {
		errs = append(errs, s.RunRefund(ctx, refund))
	}
	return errors.Join(errs...)
}

// StatusFor is the HTTP status for the shop's own app, after a call that makes a payment.
// Those of Toss Payments are meant for the shop: a 401 that is passed on would sign the
// buyer out.
func StatusFor(payment *tosspayments.Payment, err error) int {
	code := tosspayments.CodeOf(err)
	switch tosspayments.OutcomeOf(payment, err) {
	case tosspayments.OutcomePaid, tosspayments.OutcomeWaiting:
		return http.StatusOK
	case tosspayments.OutcomeUnknown:
		return http.StatusAccepted // being checked: do not pay again
	case tosspayments.OutcomeCanceled:
		return http.StatusConflict
	case tosspayments.OutcomeNotSent, tosspayments.OutcomeMismatch:
		return http.StatusInternalServerError
	}
	if code == tosspayments.ErrNotFoundPaymentSession { // one code, where you need it
		return http.StatusGone
	}
	switch code.Class() {
	case tosspayments.ClassBuyerOtherMethod, tosspayments.ClassBuyerRestart:
		return http.StatusPaymentRequired
	case tosspayments.ClassWait:
		return http.StatusServiceUnavailable
	}
	slog.Error("refused", "code", code, "class", code.Class(), "error", err)
	return http.StatusInternalServerError // keys, settings or a bug: nothing that the buyer can do
}
