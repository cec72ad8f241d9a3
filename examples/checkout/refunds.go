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

// refundState is where a refund stands.
type refundState string

const (
	// refundPlanned: written down; Toss Payments may have been asked.
	refundPlanned refundState = "planned"
	refundDone    refundState = "done"
	// refundRefused: nothing was refunded; another one may be planned.
	refundRefused refundState = "refused"
	// refundReview: a person has to look at it before another one is planned.
	refundReview refundState = "review"
)

// IsOpen reports whether a refund has not ended.
func (in refundState) IsOpen() bool { return in == refundPlanned || in == refundReview }

// refund is the intent to give money back, written before Toss Payments is asked.
type refund struct {
	// ID tells this refund from all others, in the shop and at Toss Payments.
	ID, OrderID, PaymentKey string

	Amount tosspayments.Amount
	// Refundable is the balance that the refund was planned with. It is sent each time:
	// a refund that has happened has changed it, and cannot happen again.
	Refundable tosspayments.Amount
	// Account is where the money of a virtual account goes; nil for others. It is
	// stored only until the refund has ended.
	Account *tosspayments.RefundReceiveAccount

	dueAt int64
	tries int
}

// planRefund writes the intent. It refuses when the balance is not what the buyer saw,
// or another refund of the order has not ended: then nothing is planned.
func (o *orders) planRefund(ctx context.Context, x *order, amount tosspayments.Amount, account *tosspayments.RefundReceiveAccount) (*refund, error) {
	r := &refund{ID: rand.Text(), OrderID: x.ID, PaymentKey: x.PaymentKey, Amount: amount, Refundable: x.Balance, Account: account}
	now, planned := time.Now(), false
	err := shop.InTransaction(ctx, o.db, func(tx *sql.Tx) error {
		err := shop.LockOrder(ctx, tx, x.ID)
		if err != nil {
			return err
		}
		planned, err = shop.Change(ctx, tx, `
			INSERT INTO refunds (id, order_id, amount, refundable, account, state, reason, planned_at, due_at, tries)
			SELECT CAST($1 AS TEXT), id, CAST($2 AS BIGINT), balance, CAST($5 AS TEXT), 'planned', '', CAST($7 AS BIGINT), CAST($8 AS BIGINT), 0
			FROM orders WHERE id = $3 AND state = $6 AND balance = $4 AND balance > 0
			ON CONFLICT DO NOTHING`, r.ID, amount, x.ID, x.Balance, tosspayments.Store(account), string(x.State), now.UnixMicro(), now.Add(claimTime).Unix())
		if err != nil || !planned {
			return err
		}
		return noteChange(ctx, tx, x.ID, refundEvent+event(refundPlanned), "")
	})
	if err != nil || !planned {
		return nil, err
	}
	return r, nil
}

// nextRefund takes the planned refund that has been due for the longest time, for as
// long as one try may take; nil when none is due.
func (o *orders) nextRefund(ctx context.Context) (*refund, error) {
	for {
		now := time.Now()
		var r refund
		var account tosspayments.Stored[*tosspayments.RefundReceiveAccount]
		err := o.db.QueryRowContext(ctx, `
			SELECT r.id, r.order_id, o.payment_key, r.amount, r.refundable, r.account, r.due_at, r.tries
			FROM refunds r JOIN orders o ON o.id = r.order_id WHERE r.due_at <= $1 ORDER BY r.due_at LIMIT 1`, now.Unix()).
			Scan(&r.ID, &r.OrderID, &r.PaymentKey, &r.Amount, &r.Refundable, &account, &r.dueAt, &r.tries)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		r.Account = account.Get()
		if err != nil {
			return nil, err
		}
		taken, err := shop.Change(ctx, o.db, `UPDATE refunds SET due_at = $3 WHERE id = $1 AND due_at = $2`, r.ID, r.dueAt, now.Add(claimTime).Unix())
		if taken || err != nil {
			return &r, err
		}
	}
}

// lastRefund returns where the last refund of the order stands; "" if there was none.
func (o *orders) lastRefund(ctx context.Context, id string) (in refundState, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT state FROM refunds WHERE order_id = $1 ORDER BY planned_at DESC LIMIT 1`, id).Scan(&in)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return in, err
}

// postponeRefund leaves a refund planned, to be tried again.
func (o *orders) postponeRefund(ctx context.Context, r *refund) error {
	_, err := shop.Change(ctx, o.db, `UPDATE refunds SET due_at = $2, tries = tries + 1 WHERE id = $1 AND state = 'planned'`,
		r.ID, time.Now().Add(pause(r.tries)).Unix())
	return err
}

// endRefund records how a refund has ended, and forgets the account. While the order is
// open, what has gone back is taken off its balance at once, so that nobody plans to
// refund it again, and the job reads how the payment stands.
func endRefund(ctx context.Context, tx *sql.Tx, r *refund, to refundState, reason string) error {
	if err := shop.LockOrder(ctx, tx, r.OrderID); err != nil {
		return err
	}
	ended, err := shop.Change(ctx, tx, `
		UPDATE refunds SET state = $2, reason = $3, account = 'null', due_at = $4 WHERE id = $1 AND state = 'planned'`,
		r.ID, string(to), reason, int64(never))
	if err != nil || !ended {
		return err
	}
	if err := noteChange(ctx, tx, r.OrderID, refundEvent+event(to), ""); err != nil {
		return err
	}
	_, err = shop.Change(ctx, tx, `
		UPDATE orders SET balance = CASE WHEN $2 = 'done' THEN CAST($3 AS BIGINT) ELSE balance END, due_at = 0, version = version + 1
		WHERE id = $1 AND state IN `+openStates, r.OrderID, string(to), r.Refundable.Sub(r.Amount))
	return err
}
