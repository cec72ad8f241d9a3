package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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

	webhookPath = "/webhook"
)

// confirm charges a claimed order, outside any transaction, and records the outcome.
// It runs to its end even if the buyer has closed the page.
func (s *store) confirm(ctx context.Context, x *order) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	payment, err := s.toss.Client.ConfirmPayment(ctx, tosspayments.ConfirmPaymentRequest{
		PaymentKey: x.PaymentKey, OrderID: x.ID, Amount: x.Amount,
	})
	s.record(context.WithoutCancel(ctx), x, payment, err)
}

// record writes down how a confirm has ended. If that fails the order stays as it
// is, and the recovery finds the outcome again.
func (s *store) record(ctx context.Context, x *order, payment *tosspayments.Payment, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var refused *tosspayments.Error
	var mismatch *tosspayments.MismatchError
	recorded := true
	var failure error
	switch {
	case err == nil:
		recorded, failure = s.orders.apply(ctx, x, payment)
	case errors.As(err, &mismatch) && mismatch.Payment != nil:
		recorded, failure = s.orders.apply(ctx, x, mismatch.Payment)
	case errors.Is(err, tosspayments.ErrCanceledSince) && errors.As(err, &refused):
		recorded, failure = s.orders.apply(ctx, x, refused.Payment)
	case errors.As(err, &refused):
		recorded, failure = s.orders.fail(ctx, x, refused.Code)
	case errors.Is(err, tosspayments.ErrNotSent):
		recorded, failure = s.orders.unclaim(ctx, x)
	}
	if !recorded && failure == nil {
		// An event came meanwhile: the payment may have moved on.
		failure = s.refresh(ctx, x.ID)
	}
	level := slog.LevelInfo
	if err != nil || failure != nil {
		level = slog.LevelWarn
	}
	s.logger.Log(ctx, level, "confirm", "order", x.ID, "error", err, "recorded", failure)
}

// webhooks stores what Toss Payments tells and answers; the recovery looks the payment
// up afterwards. An event only says where to look: it may be forged, and a genuine one
// may be days old.
func (s *store) webhooks() http.Handler {
	return &tosspayments.WebhookHandler{
		Logger: s.logger,
		Secret: func(ctx context.Context, orderID string) (secret tosspayments.Sensitive, err error) {
			x, err := s.orders.byID(ctx, orderID)
			if errors.Is(err, errNoOrder) || err == nil && x.Payment == nil {
				return secret, nil
			}
			if err != nil {
				return secret, err
			}
			return x.Payment.Secret, nil
		},
		Handle: func(ctx context.Context, d tosspayments.WebhookDelivery) error {
			if d.Event.OrderID() == "" {
				return nil
			}
			stored, err := s.orders.receive(ctx, d)
			s.logger.InfoContext(ctx, "webhook", "event", d.Event, "trust", d.Trust.String(), "new", stored, "error", err)
			if stored {
				s.wake()
			}
			return err
		},
	}
}

// wake lets the recovery run now.
func (s *store) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// recoverForever looks at all unfinished business at start: nobody knows what was
// missed. Then it looks at what is due, at intervals and when an event has come.
func (s *store) recoverForever(ctx context.Context, interval time.Duration) {
	s.recover(ctx, never-1, time.Now())
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.woken:
		}
		now := time.Now()
		s.recover(ctx, now.Unix(), now.Add(-claimTime))
	}
}

// recover looks up the payments of orders that are due by then, confirms again what
// was claimed before the given time and has no outcome, carries out refunds that have
// none, and closes orders that nobody has paid.
func (s *store) recover(ctx context.Context, by int64, claimedBefore time.Time) {
	list, err := s.orders.due(ctx, by)
	for _, x := range list {
		leased, leaseErr := s.orders.lease(ctx, x, time.Now().Add(s.patience))
		if leased {
			leaseErr = s.recoverOrder(ctx, x, claimedBefore)
		}
		if leaseErr != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "recovery", "order", x.ID, "error", leaseErr)
		}
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

// recoverOrder finds out what has become of a payment. A confirm whose claim is over
// is made again: an approved payment answers as approved, whoever has confirmed it, and
// one that was never approved is approved now, once, while its ten minutes last.
func (s *store) recoverOrder(ctx context.Context, x *order, claimedBefore time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	payment, err := s.toss.Client.GetPayment(ctx, x.PaymentKey)
	switch {
	case errors.Is(err, tosspayments.ErrNotFoundPayment) && x.State == confirming:
		_, err = s.orders.fail(ctx, x, tosspayments.ErrNotFoundPayment)
		return err
	case err != nil:
		return err
	}
	if to, _ := x.stateFor(payment); to != "" {
		applied, err := s.orders.apply(ctx, x, payment)
		if err == nil && !applied {
			err = s.refresh(ctx, x.ID)
		}
		return err
	}
	if x.State == confirming && !x.ClaimedAt.After(claimedBefore) {
		s.confirm(ctx, x)
	}
	return nil
}

// refresh records what Toss Payments says now. What an event overtakes is looked up
// again, so that in the end the newest counts.
func (s *store) refresh(ctx context.Context, id string) error {
	for range 5 {
		x, err := s.orders.byID(ctx, id)
		if err != nil {
			return err
		}
		payment, err := s.toss.Client.GetPayment(ctx, x.PaymentKey)
		if err != nil {
			return err
		}
		if applied, err := s.orders.apply(ctx, x, payment); applied || err != nil {
			return err
		}
	}
	return errors.New("the order keeps changing")
}

// refund carries out a planned refund. The balance that it starts from and its
// idempotency key keep it from happening twice, however often it is tried.
func (s *store) refund(ctx context.Context, r *refund) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	err := s.cancelPayment(ctx, r)
	if err != nil {
		err = s.lookForRefund(ctx, r, err)
	}
	var refused *tosspayments.Error
	var unknown *tosspayments.OutcomeUnknownError
	var recorded error
	switch {
	case err == nil:
		recorded = s.orders.endRefund(ctx, r, "done")
	case errors.As(err, &refused):
		recorded = s.orders.endRefund(ctx, r, "refused")
	case errors.As(err, &unknown) && (unknown.Next == tosspayments.NextNewKey || unknown.LastAnswer != nil && unknown.LastAnswer.StatusCode >= 500):
		// The old key may only replay that answer. The server compares the balance, so
		// that of two attempts one refunds.
		recorded = s.orders.nextAttempt(ctx, r)
	}
	if recorded == nil && (err == nil || refused != nil) {
		// The balance may have changed elsewhere, too.
		recorded = s.refresh(ctx, r.OrderID)
	}
	if err != nil || recorded != nil {
		s.logger.WarnContext(ctx, "refund", "order", r.OrderID, "error", err, "recorded", recorded)
	}
	return errors.Join(err, recorded)
}

// lookForRefund returns nil if the refund is in the payment in spite of the error: an
// attempt before this one may have made it, and is what this one was refused for. The
// error stays if that cannot be found out, but not as a refusal.
func (s *store) lookForRefund(ctx context.Context, r *refund, err error) error {
	payment, lookupErr := s.toss.Client.GetPayment(ctx, r.PaymentKey)
	switch {
	case lookupErr != nil:
		return fmt.Errorf("refund: %v; and not looked up: %v", err, lookupErr)
	case r.happened(payment):
		return nil
	}
	return err
}

func (s *store) cancelPayment(ctx context.Context, r *refund) error {
	key := tosspayments.WithIdempotencyKey(r.idempotencyKey())
	if r.Amount == r.Before {
		_, err := s.toss.Client.CancelPayment(ctx, r.PaymentKey, tosspayments.CancelPaymentRequest{
			CancelReason: r.reason(), RefundableAmount: &r.Before, RefundReceiveAccount: r.Account,
		}, key)
		return err
	}
	_, err := s.toss.Client.CancelPaymentPartially(ctx, r.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: r.reason(), CancelAmount: r.Amount, RefundableAmount: &r.Before, RefundReceiveAccount: r.Account,
	}, key)
	return err
}
