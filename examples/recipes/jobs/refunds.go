package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/recipes"
)

// CreateRefund stores a refund, and enqueues the run that finishes it if this process
// dies. It fails if the order has another one that is pending.
func (d *Database) CreateRefund(ctx context.Context, refund recipes.Refund) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO refunds (id, order_id, state, refund) VALUES ($1, $2, $3, $4)`,
			refund.ID, refund.OrderID, refund.State, tosspayments.Store(refund))
		if err != nil {
			return err
		}
		return d.refundAt(ctx, tx, refund.ID, time.Now().Add(time.Minute))
	})
}

// SaveRefund stores a refund that was pending. One that still is, is run again; one that
// is done wakes its order.
func (d *Database) SaveRefund(ctx context.Context, refund recipes.Refund) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE refunds SET state = $2, refund = $3 WHERE id = $1 AND state = 'pending'`,
			refund.ID, refund.State, tosspayments.Store(refund))
		switch {
		case err != nil || tag.RowsAffected() == 0:
			return err
		case refund.State == "pending":
			return d.refundAt(ctx, tx, refund.ID, refund.NextAt)
		case refund.State == "done":
			return d.wake(ctx, tx, refund.OrderID)
		}
		return nil
	})
}

func (d *Database) refundAt(ctx context.Context, tx pgx.Tx, id string, at time.Time) error {
	_, err := d.Queue.InsertTx(ctx, tx, RefundArgs{id}, &river.InsertOpts{ScheduledAt: at})
	return err
}

// refund reads a refund.
func (d *Database) refund(ctx context.Context, id string) (recipes.Refund, error) {
	var stored tosspayments.Stored[recipes.Refund]
	err := d.Pool.QueryRow(ctx, `SELECT refund FROM refunds WHERE id = $1`, id).Scan(&stored)
	return stored.Get(), err
}
