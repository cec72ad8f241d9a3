// Package jobs keeps the orders of the recipes' shop in PostgreSQL, and its unfinished
// business in jobs of River, which any number of processes work on.
package jobs

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/recipes"
	"github.com/seed238ab19c/tosspayments/webhook"
)

//go:embed schema.sql
var schema string

// Database keeps orders, refunds, events and subscriptions. Whatever leaves something to
// be done enqueues it in the same transaction.
type Database struct {
	Pool *pgxpool.Pool
	// Queue only enqueues; see [Work].
	Queue *river.Client[pgx.Tx]
}

// Open connects to a database that has been migrated.
func Open(ctx context.Context, address string) (*Database, error) {
	pool, err := pgxpool.New(ctx, address)
	if err != nil {
		return nil, err
	}
	queue, err := river.NewClient(riverpgxv5.New(pool), &river.Config{})
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &Database{Pool: pool, Queue: queue}, nil
}

// Migrate creates the tables of the shop and of River. Run it before a release, once.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, schema); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// Create stores a new order. One that exists stays as it is.
func (d *Database) Create(ctx context.Context, order recipes.Order) error {
	_, err := d.Pool.Exec(ctx, `INSERT INTO orders (id, name, amount) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		order.ID, order.Name, order.Amount)
	return err
}

// Get reads an order.
func (d *Database) Get(ctx context.Context, id string) (recipes.Order, error) {
	order := recipes.Order{ID: id}
	var stored tosspayments.Stored[tosspayments.Payment]
	err := d.Pool.QueryRow(ctx, `SELECT name, amount, state, payment_key, idempotency_key, key_id, code, payment, version
		FROM orders WHERE id = $1`, id).Scan(&order.Name, &order.Amount, &order.State,
		&order.PaymentKey, &order.IdempotencyKey, &order.KeyID, &order.Code, &stored, &order.Version)
	if err != nil {
		return order, fmt.Errorf("order %q: %w", id, err)
	}
	if !stored.IsZero() {
		payment := stored.Get()
		order.Payment = &payment
	}
	return order, nil
}

// Claim makes a new order "confirming", and enqueues the look that finishes it if this
// process dies.
func (d *Database) Claim(ctx context.Context, order *recipes.Order) (claimed bool, err error) {
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `UPDATE orders
			SET state = 'confirming', payment_key = $2, idempotency_key = $3, key_id = $4, version = version + 1, looked_at = now()
			WHERE id = $1 AND state = 'new' RETURNING state, version`,
			order.ID, order.PaymentKey, order.IdempotencyKey, order.KeyID).Scan(&order.State, &order.Version)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // another request or process was faster
		}
		if err != nil {
			return err
		}
		claimed = true
		return d.look(ctx, tx, order.ID, order.Version, time.Now().Add(time.Minute))
	})
	return claimed && err == nil, err
}

// Save stores an order, and enqueues the next look at it and what the warehouse has to do.
// An order that has changed since it was read is left alone and looked at once more: what
// was seen here may be newer.
func (d *Database) Save(ctx context.Context, order recipes.Order, task string) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		var woken bool
		var again time.Time
		err := tx.QueryRow(ctx, `UPDATE orders
			SET state = $3, payment_key = $4, code = $5, payment = $6, version = version + 1
			WHERE id = $1 AND version = $2 RETURNING woken, looked_at + interval '10 seconds'`,
			order.ID, order.Version, order.State, order.PaymentKey, order.Code, order.Payment.Stored()).Scan(&woken, &again)
		if errors.Is(err, pgx.ErrNoRows) {
			return d.wake(ctx, tx, order.ID)
		}
		if err != nil {
			return err
		}
		if task != "" {
			if _, err := d.Queue.InsertTx(ctx, tx, WarehouseArgs{order.ID, task}, nil); err != nil {
				return err
			}
		}
		if woken {
			order.LookAt = again
		}
		if order.LookAt.IsZero() {
			return nil
		}
		return d.look(ctx, tx, order.ID, order.Version+1, order.LookAt)
	})
}

// Wake enqueues a look at an order that is open or paid, and fails if there is no such
// order. An event changes no version, so that what is under way is recorded; then Save
// enqueues one more look. However many events somebody sends, looks begin ten seconds apart.
func (d *Database) Wake(ctx context.Context, id string) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error { return d.wake(ctx, tx, id) })
}

func (d *Database) wake(ctx context.Context, tx pgx.Tx, id string) error {
	var version int
	var at time.Time
	err := tx.QueryRow(ctx, `UPDATE orders SET woken = true
		WHERE id = $1 AND state IN ('confirming', 'waiting', 'paid') AND NOT woken
		RETURNING version, greatest(now(), looked_at + interval '10 seconds')`, id).Scan(&version, &at)
	if err == nil {
		return d.look(ctx, tx, id, version, at)
	}
	if errors.Is(err, pgx.ErrNoRows) { // closed, to be looked at soon, or unknown
		err = tx.QueryRow(ctx, `SELECT version FROM orders WHERE id = $1`, id).Scan(&version)
	}
	return err
}

// begin begins the look of a job, unless its order has changed since.
func (d *Database) begin(ctx context.Context, job LookArgs) (begun bool, err error) {
	tag, err := d.Pool.Exec(ctx, `UPDATE orders SET woken = false, looked_at = now() WHERE id = $1 AND version = $2`,
		job.OrderID, job.Version)
	return err == nil && tag.RowsAffected() == 1, err
}

// look enqueues a look at an order, in the transaction that writes it.
func (d *Database) look(ctx context.Context, tx pgx.Tx, id string, version int, at time.Time) error {
	_, err := d.Queue.InsertTx(ctx, tx, LookArgs{id, version}, &river.InsertOpts{ScheduledAt: at})
	return err
}

// Due returns nothing: River knows what is due.
func (d *Database) Due(context.Context) (orders []string, refunds []recipes.Refund, err error) {
	return nil, nil, nil
}

// Secret returns the secret of an order's payment.
func (d *Database) Secret(ctx context.Context, id string) (secret tosspayments.Sensitive, err error) {
	order, err := d.Get(ctx, id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return secret, webhook.ErrNotMine
	case err != nil || order.Payment == nil:
		return secret, err
	}
	return order.Payment.Secret, nil
}

// Once stores an event that is signed, and enqueues the work on it.
func (d *Database) Once(ctx context.Context, identity string, body []byte) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO events (identity, body) VALUES ($1, $2) ON CONFLICT DO NOTHING`, identity, body)
		if err != nil || tag.RowsAffected() == 0 {
			return err // or it has come before
		}
		_, err = d.Queue.InsertTx(ctx, tx, EventArgs{identity}, nil)
		return err
	})
}
