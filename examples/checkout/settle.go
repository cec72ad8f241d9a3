package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

const (
	// confirmTime bounds a confirm while the buyer waits; what is not known by then
	// the recovery finds out.
	confirmTime = 25 * time.Second
	// claimTime is how long a claim belongs to the request that made it.
	claimTime = confirmTime + 10*time.Second
	// openTime is the 30 minutes of the window and the ten before the confirm.
	openTime = 45 * time.Minute
)

// confirm charges a claimed order, outside any transaction, and records the outcome.
// It runs to its end even if the buyer has closed the page.
func (s *shop) confirm(ctx context.Context, x *order, request tosspayments.ConfirmPaymentRequest) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTime)
	defer cancel()
	payment, err := s.service.client.ConfirmPayment(ctx, request)
	s.record(context.WithoutCancel(ctx), x, payment, err)
}

// record writes down how a confirm has ended. If that fails the order stays as it
// is, and the recovery finds the outcome again.
func (s *shop) record(ctx context.Context, x *order, payment *tosspayments.Payment, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var refused *tosspayments.Error
	var mismatch *tosspayments.MismatchError
	var recorded error
	switch {
	case err == nil && payment.IsPaid():
		recorded = s.orders.finish(ctx, x, paid, "", payment)
	case err == nil:
		// Not a state that this shop sells for, such as a virtual account.
		recorded = s.orders.finish(ctx, x, review, "", payment)
	case errors.As(err, &mismatch):
		recorded = s.orders.finish(ctx, x, review, "", mismatch.Payment)
	case errors.Is(err, tosspayments.ErrCanceledSince) && errors.As(err, &refused):
		recorded = s.orders.finish(ctx, x, refunded, "", refused.Payment)
	case errors.As(err, &refused):
		recorded = s.orders.finish(ctx, x, failed, refused.Code, nil)
	case errors.Is(err, tosspayments.ErrNotSent):
		recorded = s.orders.unclaim(ctx, x)
	}
	level := slog.LevelInfo
	if err != nil || recorded != nil {
		level = slog.LevelWarn
	}
	s.logger.Log(ctx, level, "confirm", "order", x.ID, "error", err, "recorded", recorded)
}

// recoverForever looks at unfinished business at start and then at intervals.
func (s *shop) recoverForever(ctx context.Context, interval time.Duration) {
	s.recover(ctx, time.Now())
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.recover(ctx, now.Add(-claimTime))
		}
	}
}

// recover finds the outcome of confirms that were claimed before the given time, and
// of refunds that have none, and closes orders that nobody has paid.
func (s *shop) recover(ctx context.Context, before time.Time) {
	list, err := s.orders.unconfirmed(ctx, before)
	for _, x := range list {
		s.recoverOrder(ctx, x)
	}
	refunds, refundsErr := s.orders.pendingRefunds(ctx)
	for i := range refunds {
		_ = s.refund(ctx, &refunds[i]) // logged; tried again next time
	}
	expiredErr := s.orders.expire(ctx, time.Now().Add(-openTime))
	if err := errors.Join(err, refundsErr, expiredErr); err != nil && ctx.Err() == nil {
		s.logger.WarnContext(ctx, "recovery", "error", err)
	}
}

// recoverOrder confirms again: an approved payment answers as approved, whoever has
// confirmed it, and one that was never approved is approved now, once, while its ten
// minutes last.
func (s *shop) recoverOrder(ctx context.Context, x *order) {
	ctx, cancel := context.WithTimeout(ctx, confirmTime)
	defer cancel()
	payment, err := s.service.client.GetPayment(ctx, x.PaymentKey)
	switch {
	case errors.Is(err, tosspayments.ErrNotFoundPayment):
		s.record(context.WithoutCancel(ctx), x, nil, err)
		return
	case err != nil:
		s.logger.WarnContext(ctx, "recovery", "order", x.ID, "error", err)
		return
	}
	if payment.Status == tosspayments.PaymentStatusExpired {
		if err := s.orders.finish(ctx, x, expired, "", nil); err != nil {
			s.logger.WarnContext(ctx, "recovery", "order", x.ID, "error", err)
		}
		return
	}
	payment, err = s.service.client.ConfirmPayment(ctx, tosspayments.ConfirmPaymentRequest{
		PaymentKey: x.PaymentKey, OrderID: x.ID, Amount: x.Amount,
	})
	s.record(context.WithoutCancel(ctx), x, payment, err)
}

// refund carries out a planned refund. The balance that it starts from and its
// idempotency key keep it from happening twice, however often it is tried.
func (s *shop) refund(ctx context.Context, r *refund) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTime)
	defer cancel()
	payment, err := s.cancelPayment(ctx, r)
	var refused *tosspayments.Error
	var unknown *tosspayments.OutcomeUnknownError
	var recorded error
	switch {
	case err == nil:
		recorded = s.orders.endRefund(ctx, r, "done", payment)
	case errors.As(err, &refused):
		// The balance may have changed elsewhere.
		payment, _ = s.service.client.GetPayment(ctx, r.PaymentKey)
		recorded = s.orders.endRefund(ctx, r, "refused", payment)
	case errors.As(err, &unknown) && unknown.Next == tosspayments.NextNewKey:
		recorded = s.orders.nextAttempt(ctx, r)
	}
	if err != nil || recorded != nil {
		s.logger.WarnContext(ctx, "refund", "order", r.OrderID, "error", err, "recorded", recorded)
	}
	return errors.Join(err, recorded)
}

func (s *shop) cancelPayment(ctx context.Context, r *refund) (*tosspayments.Payment, error) {
	key := tosspayments.WithIdempotencyKey(r.idempotencyKey())
	if r.Amount == r.Before {
		return s.service.client.CancelPayment(ctx, r.PaymentKey, tosspayments.CancelPaymentRequest{
			CancelReason: "구매자 요청", RefundableAmount: &r.Before,
		}, key)
	}
	return s.service.client.CancelPaymentPartially(ctx, r.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "구매자 요청", CancelAmount: r.Amount, RefundableAmount: &r.Before,
	}, key)
}
