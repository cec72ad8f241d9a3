package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

type order struct {
	ID, Seller, State, PaymentKey, IdempotencyKey, KeyID string
	Amount, Refunded                                     tosspayments.Amount
	MadeAt                                               time.Time
}

// Left is what can be refunded.
func (o *order) Left() tosspayments.Amount { return o.Amount.Sub(o.Refunded) }

func (o *order) request() tosspayments.ConfirmPaymentRequest {
	return tosspayments.ConfirmPaymentRequest{PaymentKey: o.PaymentKey, OrderID: o.ID, Amount: o.Amount}
}

func (m *market) order(ctx context.Context, id string) (*order, error) {
	var o order
	var madeAt int64
	err := m.db.QueryRowContext(ctx, `SELECT id, seller, amount, refunded, state, payment_key, idempotency_key, key_id, made_at FROM orders WHERE id = $1`, id).
		Scan(&o.ID, &o.Seller, &o.Amount, &o.Refunded, &o.State, &o.PaymentKey, &o.IdempotencyKey, &o.KeyID, &madeAt)
	o.MadeAt = time.Unix(madeAt, 0)
	return &o, err
}

// confirm claims a new order with its keys, confirms its payment and records how that ended.
func (m *market) confirm(ctx context.Context, o *order, request tosspayments.ConfirmPaymentRequest) error {
	claimed, err := shop.Change(ctx, m.db, `UPDATE orders SET state = 'confirming', payment_key = $2, idempotency_key = $3, key_id = $4, look_at = $5
		WHERE id = $1 AND state = 'new'`, o.ID, request.PaymentKey, rand.Text(), m.toss.Client.KeyID(), m.later())
	if err != nil || !claimed {
		return err
	}
	if o, err = m.order(ctx, o.ID); err != nil {
		return err
	}
	payment, err := m.toss.Client.ConfirmPayment(ctx, request, tosspayments.WithIdempotencyKey(o.IdempotencyKey))
	return m.record(ctx, o, payment, err)
}

// record writes down what a confirm or a lookup means for an order. A sale goes into the
// ledger of its seller in the same transaction.
func (m *market) record(ctx context.Context, o *order, payment *tosspayments.Payment, err error) error {
	state := "review" // a person looks: canceled since, an account, another amount
	switch tosspayments.OutcomeOf(payment, err) {
	case tosspayments.OutcomePaid:
		state = "paid"
	case tosspayments.OutcomeRefused:
		state = "failed"
	case tosspayments.OutcomeNotSent:
		state = "new"
	case tosspayments.OutcomeUnknown: // after two hours, ever more rarely: anybody can make up a payment key
		wait := max(m.again, m.now().Sub(o.MadeAt)/2-time.Hour)
		_, err := m.db.ExecContext(ctx, `UPDATE orders SET look_at = $2 WHERE id = $1 AND state = 'confirming'`, o.ID, m.now().Add(wait).Unix())
		return err
	}
	ctx = context.WithoutCancel(ctx)
	return shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		changed, err := shop.Change(ctx, tx, `UPDATE orders SET state = $2, look_at = 0 WHERE id = $1 AND state = 'confirming'`, o.ID, state)
		if err != nil || !changed || state != "paid" {
			return err
		}
		won, _ := o.Amount.Int64()
		return enter(ctx, tx, "sale "+o.ID, o.Seller, share(won))
	})
}

// settleOrders finds out how the payments of orders stand whose confirm was interrupted, a
// few in a round: each may take seconds.
func (m *market) settleOrders(ctx context.Context) error {
	ids, err := shop.Texts(ctx, m.db, `SELECT id FROM orders WHERE state = 'confirming' AND look_at <= $1 ORDER BY look_at LIMIT 5`, m.now().Unix())
	for _, id := range ids {
		o, orderErr := m.order(ctx, id)
		if orderErr == nil {
			payment, err := m.toss.Client.ResolvePayment(ctx, o.request())
			if tosspayments.OutcomeOf(payment, err) == tosspayments.OutcomeUnknown && o.KeyID == m.toss.Client.KeyID() {
				payment, err = m.toss.Client.ConfirmPayment(ctx, o.request(), tosspayments.WithIdempotencyKey(o.IdempotencyKey))
			}
			orderErr = m.record(ctx, o, payment, err)
		}
		err = errors.Join(err, orderErr)
	}
	return err
}
