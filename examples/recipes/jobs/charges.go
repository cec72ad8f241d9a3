package jobs

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/recipes"
)

// Subscribe stores a subscription that is charged on the first of each month.
func (d *Database) Subscribe(ctx context.Context, secret []byte, id string, amount tosspayments.Amount, begins time.Time, key tosspayments.BillingKey) error {
	sealed, err := recipes.SealBillingKey(secret, id, key)
	if err != nil {
		return err
	}
	_, err = d.Pool.Exec(ctx, `INSERT INTO subscriptions (id, amount, begins, billing_key, key_hash) VALUES ($1, $2, $3, $4, $5)`,
		id, amount, begins, sealed, hash(key.Key))
	return err
}

func hash(key tosspayments.Sensitive) []byte {
	sum := sha256.Sum256([]byte(key.Reveal()))
	return sum[:]
}

// CardEnded marks the subscription whose customer has to register another card.
func (d *Database) CardEnded(ctx context.Context, key tosspayments.Sensitive) error {
	_, err := d.Pool.Exec(ctx, `UPDATE subscriptions SET card_ended = true WHERE key_hash = $1`, hash(key))
	return err
}

// Plan writes the rows of all months that have begun and have none yet, and enqueues
// their charges. It counts from the beginning of each subscription, so that no month is
// forgotten if nothing ran on the first.
func (d *Database) Plan(ctx context.Context) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `INSERT INTO charges (subscription, period, amount)
			SELECT s.id, to_char(month, 'YYYY-MM'), s.amount
			FROM subscriptions s, generate_series(s.begins, now() AT TIME ZONE 'Asia/Seoul', interval '1 month') AS month
			WHERE NOT s.ended
			ON CONFLICT DO NOTHING RETURNING subscription, period`)
		if err != nil {
			return err
		}
		due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (many river.InsertManyParams, err error) {
			var args ChargeArgs
			err = row.Scan(&args.Subscription, &args.Period)
			return river.InsertManyParams{Args: args}, err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		_, err = d.Queue.InsertManyFastTx(ctx, tx, due)
		return err
	})
}

// claimCharge makes a row "charging", if it is still as it was when the job was enqueued,
// and returns it with its sealed key.
func (d *Database) claimCharge(ctx context.Context, args ChargeArgs) (row *recipes.Charge, sealed []byte, err error) {
	row = &recipes.Charge{Subscription: args.Subscription, Period: args.Period}
	err = d.Pool.QueryRow(ctx, `UPDATE charges c SET state = 'charging' FROM subscriptions s
		WHERE s.id = c.subscription AND c.subscription = $1 AND c.period = $2 AND c.version = $3 AND c.state IN ('due', 'charging')
		RETURNING c.amount, c.state, c.attempt, c.refusals, s.billing_key`, args.Subscription, args.Period, args.Version).
		Scan(&row.Amount, &row.State, &row.Attempt, &row.Refusals, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, nil
	}
	return row, sealed, err
}

// saveCharge stores how the charge has ended, and enqueues the next attempt if there is
// to be one.
func (d *Database) saveCharge(ctx context.Context, args ChargeArgs, row *recipes.Charge) error {
	// The call may have used up its time, and is recorded all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE charges
			SET state = $4, attempt = $5, refusals = $6, code = $7, payment_key = $8, version = version + 1
			WHERE subscription = $1 AND period = $2 AND version = $3`, args.Subscription, args.Period, args.Version,
			row.State, row.Attempt, row.Refusals, row.Code, row.PaymentKey)
		if err != nil || tag.RowsAffected() == 0 || row.State != "due" && row.State != "charging" {
			return err
		}
		args.Version++
		_, err = d.Queue.InsertTx(ctx, tx, args, &river.InsertOpts{ScheduledAt: row.NextAt})
		return err
	})
}
