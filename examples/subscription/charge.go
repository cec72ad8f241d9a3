package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// biller charges what is due. Any number of billers may work on one database.
type biller struct {
	subs   *subscriptions
	toss   *shop.Toss
	vault  *vault
	clock  *clock
	logger *slog.Logger
	// lease is how long a charge belongs to the biller that has claimed it.
	lease time.Duration
	woken chan struct{}
}

// atOnce is how many charges a biller makes at the same time.
const atOnce = 8

// callTime is what the calls of one charge may take: less than its lease, so that they
// have ended when the next biller looks.
func (b *biller) callTime() time.Duration { return b.lease * 5 / 6 }

// run does what is due at intervals, and when it is woken.
func (b *biller) run(ctx context.Context, interval time.Duration) {
	shop.Every(ctx, interval, b.woken, func() { b.round(ctx) })
}

// round plans the charges of periods that have begun, makes those that are due, settles
// those that have no outcome, and deletes the billing keys that are not used any more.
// It returns when all of that has ended. While the scheduler is stopped nothing is sent.
func (b *biller) round(ctx context.Context) {
	planErr := b.subs.planDue(ctx, b.clock.now())
	reason, stopErr := b.subs.stopped(ctx)
	due, dueErr := b.subs.due(ctx, b.clock.now())
	open, openErr := b.subs.open(ctx, b.clock.wall())
	if err := errors.Join(planErr, stopErr, dueErr, openErr); err != nil && ctx.Err() == nil {
		b.logger.ErrorContext(ctx, "billing", "error", err)
	}
	if reason != "" {
		b.logger.ErrorContext(ctx, "the scheduler is stopped; put it right, then start with -resume", "reason", reason)
		return
	}
	b.each(ctx, due, b.charge)
	b.each(ctx, open, b.settle)
	b.deleteKeys(ctx)
}

// each does something with every order, a few at a time.
func (b *biller) each(ctx context.Context, orderIDs []string, do func(ctx context.Context, orderID string) error) {
	var workers sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, orderID := range orderIDs {
		slots <- struct{}{}
		workers.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			if err := do(ctx, orderID); err != nil {
				b.logger.ErrorContext(ctx, "charge", "order", orderID, "error", err)
			}
		})
	}
	workers.Wait()
}

// charge is the scheduler: it claims a charge that is due, and makes it outside any
// transaction.
func (b *biller) charge(ctx context.Context, orderID string) error {
	c, err := b.subs.claim(ctx, orderID, b.clock.now(), b.clock.wall(), b.lease)
	if c == nil || err != nil {
		return err
	}
	calls, cancel := b.ownTime(ctx)
	defer cancel()
	payment, err := b.ask(calls, c)
	return b.record(ctx, &c.charge, payment, err)
}

// settle is the job: it takes over a charge whose outcome was not recorded. It reads the
// payment first, because the server repeats the stored answer of an idempotency key even
// after a refund. If that is inconclusive, or fails, it makes the same charge again.
func (b *biller) settle(ctx context.Context, orderID string) error {
	c, err := b.subs.takeOver(ctx, orderID, b.clock.wall(), b.lease)
	if c == nil || err != nil {
		return err
	}
	calls, cancel := b.ownTime(ctx)
	defer cancel()
	payment, err := b.toss.Client.ResolvePaymentByOrderID(calls, c.OrderID, c.Amount)
	if tosspayments.OutcomeOf(payment, err) == tosspayments.OutcomeUnknown {
		payment, err = b.ask(calls, c)
	}
	return b.record(ctx, &c.charge, payment, err)
}

// ownTime is the time of one charge: shutting down does not break it off.
func (b *biller) ownTime(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), b.callTime())
}

// ask makes the charge. It is safe to repeat, at once or next week: an order id is good
// for one payment, and every call returns the one that stands.
func (b *biller) ask(ctx context.Context, c *claimed) (*tosspayments.Payment, error) {
	key, err := b.vault.open(c.SealedKey, c.CustomerKey)
	if err != nil {
		b.logger.ErrorContext(ctx, "a person has to look at a card", "card", c.CardID, "error", err)
		return nil, err
	}
	return b.toss.Client.ChargeBilling(ctx, key, tosspayments.ChargeBillingRequest{
		OrderID: c.OrderID, OrderName: c.orderName(), Amount: c.Amount,
	}, tosspayments.WithIdempotencyKey(c.idempotencyKey()))
}

// record writes down how a charge has ended, and what follows from it, for the scheduler
// and for the job alike. If that fails, the charge is settled when its lease is over.
func (b *biller) record(ctx context.Context, c *charge, payment *tosspayments.Payment, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	outcome, level := tosspayments.OutcomeOf(payment, err), slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	b.logger.Log(ctx, level, "charge", "order", c.OrderID, "outcome", outcome, "error", err)
	switch outcome {
	case tosspayments.OutcomePaid:
		return b.subs.paid(ctx, c, payment)
	case tosspayments.OutcomeCanceled:
		// Paid, and refunded since by a person. The period gives no access, and is not
		// charged again either.
		return b.subs.refunded(ctx, c, tosspayments.PaymentOf(err))
	case tosspayments.OutcomeRefused:
		return b.refuse(ctx, c, tosspayments.CodeOf(err))
	case tosspayments.OutcomeMismatch:
		return b.review(ctx, c, "", tosspayments.PaymentOf(err))
	case tosspayments.OutcomeWaiting:
		// A charge never waits for a deposit; this is not our payment.
		return b.review(ctx, c, "", payment)
	case tosspayments.OutcomeNotSent, tosspayments.OutcomeUnknown:
		// The charge may have been made, so no other order id may be tried. It is settled
		// when the lease is over.
		if code := lastAnswer(err); code.Class() == tosspayments.ClassConfiguration {
			return b.subs.stop(ctx, c, code)
		}
	}
	return nil
}

// refuse goes by who has to act. Nothing was charged, and no request under this order id
// is on its way any more.
func (b *biller) refuse(ctx context.Context, c *charge, code tosspayments.ErrorCode) error {
	switch class := code.Class(); {
	case keyGone(code), class == tosspayments.ClassBuyerOtherMethod, class == tosspayments.ClassBuyerRestart:
		return b.subs.refused(ctx, c, code, b.clock.now())
	case class == tosspayments.ClassConfiguration:
		return b.subs.stop(ctx, c, code)
	case class == tosspayments.ClassWait:
		return nil // asked again when the lease is over
	}
	// A mistake of our own, such as NOT_MATCHES_CUSTOMER_KEY. No other day and no other
	// card will cure it.
	return b.review(ctx, c, code, nil)
}

func (b *biller) review(ctx context.Context, c *charge, code tosspayments.ErrorCode, payment *tosspayments.Payment) error {
	b.logger.ErrorContext(ctx, "a person has to look at a charge", "order", c.OrderID, "code", code)
	return b.subs.review(ctx, c, code, payment)
}

// lastAnswer returns the code of the last answer to a charge that is not decided. A
// server that refuses keys or contract does so before it looks at the order, so this
// says nothing about the charge, but the next customer will be refused as well.
func lastAnswer(err error) tosspayments.ErrorCode {
	var unknown *tosspayments.OutcomeUnknownError
	if errors.As(err, &unknown) && unknown.LastAnswer != nil {
		return unknown.LastAnswer.Code
	}
	return ""
}

// keyGone reports whether a code says that the billing key cannot be charged any more,
// so that the customer has to register another card.
func keyGone(code tosspayments.ErrorCode) bool {
	switch code {
	case tosspayments.ErrNotFoundBilling, tosspayments.ErrNotFoundBillingKey,
		tosspayments.ErrAlreadyRemovedBillingKey, tosspayments.ErrInvalidBillKeyRequest:
		return true
	}
	return false
}

// deleteKeys deletes the billing keys that are to be deleted. One that is deleted
// already is as good.
func (b *biller) deleteKeys(ctx context.Context) {
	for ctx.Err() == nil {
		card, customerKey, err := b.subs.claimDeletion(ctx, b.clock.wall(), b.lease)
		if card == nil || err != nil {
			if err != nil {
				b.logger.ErrorContext(ctx, "deletion", "error", err)
			}
			return
		}
		key, err := b.vault.open(card.SealedKey, customerKey)
		if err == nil {
			err = b.toss.Client.DeleteBillingKey(ctx, key)
		}
		if err == nil || keyGone(tosspayments.CodeOf(err)) {
			err = b.subs.forget(ctx, card.ID)
		}
		if err != nil {
			b.logger.WarnContext(ctx, "deletion", "error", err)
		}
	}
}

// webhooks receives BILLING_DELETED, the only event of a subscription: a charge that
// succeeds sends none. Events are not signed, and nothing at Toss Payments shows whether
// a key still works, so the event marks the card at most, which asks the customer to
// look. Whether the key is gone the next charge decides. A forged event needs the key
// itself, and the next charge that succeeds wipes its mark.
func (b *biller) webhooks() *webhook.Handler {
	return &webhook.Handler{
		Logger: b.logger,
		Handle: func(ctx context.Context, d webhook.Delivery) error {
			if d.Event.Billing == nil {
				return nil
			}
			inUse, err := b.subs.doubt(ctx, fingerprint(d.Event.Billing.BillingKey.Reveal()))
			b.logger.InfoContext(ctx, "webhook", "event", d.Event, "card in use", inUse, "error", err)
			return err
		},
	}
}
