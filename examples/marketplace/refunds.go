package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// refund is the intent to give money back, written before Toss Payments is asked.
type refund struct {
	ID, OrderID, PaymentKey string
	// Refundable is what was left when it was planned. It is sent each time: a refund that has
	// happened has changed it, and cannot happen again.
	Amount, Refundable tosspayments.Amount
}

// planRefund writes the intent, and takes the seller's share out of the ledger, so that it
// is not paid out meanwhile. A seller who was paid already owes it then. It returns "" where
// nothing is planned: less is left, or another refund of the order has not ended.
func (m *market) planRefund(ctx context.Context, o *order, amount tosspayments.Amount) (id string, err error) {
	id = rand.Text()
	planned := false
	err = shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		err := shop.LockOrder(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		planned, err = shop.Change(ctx, tx, `INSERT INTO refunds (id, order_id, amount, refundable, made_at, look_at)
			SELECT CAST($1 AS TEXT), id, CAST($2 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) FROM orders
			WHERE id = $3 AND state = 'paid' AND amount - refunded = $4 ON CONFLICT DO NOTHING`, id, amount, o.ID, o.Left(), m.now().Unix(), m.later())
		if err != nil || !planned {
			return err
		}
		left, _ := o.Left().Int64()
		won, _ := amount.Int64()
		return enter(ctx, tx, "refund "+id, o.Seller, share(left-won)-share(left))
	})
	if err != nil || !planned {
		return "", err
	}
	return id, nil
}

// runRefunds makes the refunds whose request was interrupted.
func (m *market) runRefunds(ctx context.Context) error {
	ids, err := shop.Texts(ctx, m.db, `SELECT id FROM refunds WHERE state = 'open' AND look_at <= $1`, m.now().Unix())
	for _, id := range ids {
		err = errors.Join(err, m.runRefund(ctx, id))
	}
	return err
}

// runRefund gives money back as planned, and records how that ended. It may be called again
// at any time: what has happened is found by the id, and does not happen again.
func (m *market) runRefund(ctx context.Context, id string) error {
	r := refund{ID: id}
	err := m.db.QueryRowContext(ctx, `SELECT r.order_id, o.payment_key, r.amount, r.refundable FROM refunds r JOIN orders o ON o.id = r.order_id
		WHERE r.id = $1`, id).Scan(&r.OrderID, &r.PaymentKey, &r.Amount, &r.Refundable)
	if err != nil {
		return err
	}
	return m.recordRefund(ctx, &r, m.giveBack(ctx, &r))
}

// giveBack cancels all that is left, which is also possible where a part is not, or a part.
func (m *market) giveBack(ctx context.Context, r *refund) error {
	const reason = "구매자 요청"
	if r.Amount == r.Refundable {
		_, err := m.toss.Client.CancelPayment(ctx, r.PaymentKey, tosspayments.CancelPaymentRequest{
			CancelReason: reason, RefundableAmount: r.Refundable,
		}, tosspayments.WithIdempotencyKey("refund-"+r.ID))
		return err
	}
	_, err := m.toss.Client.CancelPaymentPartially(ctx, r.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: reason, CancelAmount: r.Amount, RefundableAmount: r.Refundable, RefundID: r.ID,
	})
	return err
}

// recordRefund writes down how a refund has ended. The order stays paid when it is refused.
func (m *market) recordRefund(ctx context.Context, r *refund, err error) error {
	ctx = context.WithoutCancel(ctx)
	state := "review" // a person looks before another one is planned
	var unknown *tosspayments.OutcomeUnknownError
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case err == nil:
		state = "done"
	case outcome == tosspayments.OutcomeRefused, outcome == tosspayments.OutcomeNotSent:
		state = "refused"
	case errors.As(err, &unknown) && unknown.Repeatable:
		m.logger.WarnContext(ctx, "refund", "order", r.OrderID, "error", err)
		_, err := m.db.ExecContext(ctx, `UPDATE refunds SET look_at = $2 WHERE id = $1 AND state = 'open'`, r.ID, m.later())
		return err
	}
	if err != nil {
		m.logger.ErrorContext(ctx, "refund", "order", r.OrderID, "state", state, "error", err)
	}
	code := tosspayments.CodeOf(err)
	return shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		if err := shop.LockOrder(ctx, tx, r.OrderID); err != nil {
			return err
		}
		changed, err := shop.Change(ctx, tx, `UPDATE refunds SET state = $2, code = $3 WHERE id = $1 AND state = 'open'`, r.ID, state, string(code))
		if err != nil || !changed {
			return err
		}
		switch state {
		case "done":
			_, err = tx.ExecContext(ctx, `UPDATE orders SET refunded = refunded + $2 WHERE id = $1`, r.OrderID, r.Amount)
		case "refused":
			err = takeBack(ctx, tx, "refund "+r.ID)
		}
		return err
	})
}
