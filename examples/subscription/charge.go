package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
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

// wake lets the biller run now.
func (b *biller) wake() {
	select {
	case b.woken <- struct{}{}:
	default:
	}
}

// run does what is due at intervals, and when it is woken.
func (b *biller) run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		b.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-b.woken:
		}
	}
}

// round plans the charges of periods that have begun, makes those that are due, settles
// those that have no outcome, and deletes the billing keys that are not used any more.
// It returns when all of that has ended.
func (b *biller) round(ctx context.Context) {
	planErr := b.subs.planDue(ctx, b.clock.now())
	open, openErr := b.subs.open(ctx, b.clock.now(), b.clock.wall())
	if err := errors.Join(planErr, openErr); err != nil && ctx.Err() == nil {
		b.logger.ErrorContext(ctx, "billing", "error", err)
	}
	var workers sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, orderID := range open {
		slots <- struct{}{}
		workers.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() == nil {
				b.charge(ctx, orderID)
			}
		})
	}
	workers.Wait()
	b.deleteKeys(ctx)
}

// charge claims a charge, makes it outside any transaction, and records the outcome.
// What was claimed before and has no outcome is looked up first: only when Toss Payments
// does not know the order it is made again, under the same order id, which is good for
// one payment, whatever else may be on its way. Shutting down does not break it off.
func (b *biller) charge(ctx context.Context, orderID string) {
	c, err := b.subs.claim(ctx, orderID, b.clock.now(), b.clock.wall(), b.lease)
	if err != nil {
		b.logger.ErrorContext(ctx, "claim", "order", orderID, "error", err)
	}
	if c == nil || err != nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	calls, cancel := context.WithTimeout(ctx, b.callTime())
	defer cancel()
	var o outcome
	if !c.Fresh {
		var payment *tosspayments.Payment
		if payment, err = b.toss.Client.GetPaymentByOrderID(calls, orderID); err == nil {
			o = c.judge(payment)
		}
	}
	if c.Fresh || errors.Is(err, tosspayments.ErrNotFoundPayment) {
		o, err = b.ask(calls, c)
	}
	b.record(ctx, c, o, err)
}

// ask makes the charge. Without an outcome it is not known: the lookup after the lease
// finds it.
func (b *biller) ask(ctx context.Context, c *claimed) (o outcome, err error) {
	key, err := b.vault.open(c.SealedKey, c.CustomerKey)
	if err != nil {
		return outcome{state: review}, err
	}
	payment, err := b.toss.Client.ChargeBilling(ctx, key, tosspayments.ChargeBillingRequest{
		OrderID: c.OrderID, OrderName: c.orderName(), Amount: c.Amount,
	}, tosspayments.WithIdempotencyKey(c.idempotencyKey()))
	var refusal *tosspayments.Error
	var mismatch *tosspayments.MismatchError
	var invalid *tosspayments.ValidationError
	var unknown *tosspayments.OutcomeUnknownError
	switch {
	case err == nil:
		return c.judge(payment), nil
	case errors.As(err, &mismatch):
		return outcome{state: review, payment: mismatch.Payment}, err
	case errors.As(err, &invalid):
		return outcome{state: review}, err
	case errors.As(err, &refusal) && (refusal.Code == tosspayments.ErrDuplicatedOrderID || errors.Is(err, tosspayments.ErrCanceledSince)):
		// This very charge was made before, as its order id names no other.
		if refusal.Payment != nil {
			o = c.judge(refusal.Payment)
		}
		return o, err
	case errors.As(err, &refusal):
		return refusedBy(refusal.Code), err
	case errors.As(err, &unknown) && unknown.LastAnswer != nil && unknown.Next != tosspayments.NextSameKey:
		// The same key would bring the same answer again.
		return o, errors.Join(err, b.subs.useUpKey(ctx, &c.charge))
	}
	return o, err
}

// judge says what a payment that is found under the order id means for the charge.
func (c *charge) judge(p *tosspayments.Payment) outcome {
	switch ours := p.OrderID == c.OrderID && p.TotalAmount == c.Amount && p.Currency == tosspayments.CurrencyKRW &&
		p.Type == tosspayments.PaymentTypeBilling && p.OrderName == c.orderName(); {
	case !ours:
		return outcome{state: review, payment: p}
	case p.IsPaid():
		return outcome{state: paid, payment: p}
	case p.Status == tosspayments.PaymentStatusCanceled || p.IsFullyCanceled():
		return outcome{state: refunded, payment: p}
	case p.Status == tosspayments.PaymentStatusAborted || p.Status == tosspayments.PaymentStatusExpired:
		code := tosspayments.ErrPayProcessAborted
		if p.Failure != nil {
			code = p.Failure.Code
		}
		return refusedBy(code)
	}
	return outcome{}
}

// refusedBy tells cards that were refused from keys that are no more, and both from
// mistakes of our own, such as NOT_MATCHES_CUSTOMER_KEY, which no other day and no other
// card will cure.
func refusedBy(code tosspayments.ErrorCode) outcome {
	switch code {
	case tosspayments.ErrNotFoundBilling, tosspayments.ErrNotFoundBillingKey,
		tosspayments.ErrAlreadyRemovedBillingKey, tosspayments.ErrInvalidBillKeyRequest:
		return outcome{state: refused, code: code, cardGone: true}
	}
	switch code.Class() {
	case tosspayments.ClassConfiguration, tosspayments.ClassRequest, tosspayments.ClassNotCancelable, tosspayments.ClassAlreadyDone:
		return outcome{state: review, code: code}
	}
	return outcome{state: refused, code: code}
}

// record writes down the outcome. If that fails the claim stays without one, and is
// looked up when its lease is over.
func (b *biller) record(ctx context.Context, c *claimed, o outcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var failure error
	if o.state != "" {
		failure = b.subs.record(ctx, &c.charge, o, b.clock.now())
	}
	level := slog.LevelInfo
	switch {
	case o.state == review || failure != nil:
		level = slog.LevelError // somebody is called
	case err != nil:
		level = slog.LevelWarn
	}
	b.logger.Log(ctx, level, "charge", "order", c.OrderID, "outcome", string(o.state), "error", err, "recorded", failure)
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
		if err == nil || refusedBy(codeOf(err)).cardGone {
			err = b.subs.forget(ctx, card.ID)
		}
		if err != nil {
			b.logger.WarnContext(ctx, "deletion", "error", err)
		}
	}
}

// codeOf returns the code of a refusal, or "".
func codeOf(err error) tosspayments.ErrorCode {
	var refusal *tosspayments.Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// webhooks receives BILLING_DELETED, the only event of a subscription: a charge that
// succeeds sends none. Events are not signed, and nothing at Toss Payments tells whether
// a key still works, so the event marks the card at most, which asks the customer to
// look. Whether the key is gone the next charge decides. A forged event needs the key
// itself, and the next charge that succeeds wipes its mark.
func (b *biller) webhooks() *tosspayments.WebhookHandler {
	return &tosspayments.WebhookHandler{
		Logger: b.logger,
		Handle: func(ctx context.Context, d tosspayments.WebhookDelivery) error {
			if d.Event.Billing == nil {
				return nil
			}
			inUse, err := b.subs.doubt(ctx, b.vault.fingerprint(d.Event.Billing.BillingKey.Reveal()))
			b.logger.InfoContext(ctx, "webhook", "event", d.Event, "card in use", inUse, "error", err)
			return err
		},
	}
}
