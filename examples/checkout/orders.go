package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/seed238ab19c/tosspayments"
)

// state is where an order stands. Each change is a conditional update, so that of
// two tabs, two requests or two processes just one makes it.
type state string

const (
	// created: the payment window may be open; nothing is charged.
	created state = "created"
	// confirming: the confirm has been claimed; its outcome is not recorded yet.
	confirming state = "confirming"
	paid       state = "paid"
	// refunded: nothing of the payment is left.
	refunded state = "refunded"
	// failed: refused; nothing is charged.
	failed state = "failed"
	// expired: never paid.
	expired state = "expired"
	// review: the answer does not fit the order; a person has to look at it.
	review state = "review"
)

type order struct {
	ID         string
	CustomerID string
	Name       string
	Amount     tosspayments.Amount
	Balance    tosspayments.Amount
	State      state
	PaymentKey string
	// FailureCode says why the order failed.
	FailureCode tosspayments.ErrorCode
	// Payment is the payment as it was last seen; nil before.
	Payment   *tosspayments.Payment
	CreatedAt time.Time
	ClaimedAt time.Time
}

// refund is the intent to give money back, written before Toss Payments is asked.
type refund struct {
	ID, OrderID, PaymentKey string

	Amount tosspayments.Amount
	// Before is the balance that the refund starts from.
	Before  tosspayments.Amount
	Attempt int
}

// idempotencyKey is one per attempt: a refused attempt would be replayed forever.
func (r *refund) idempotencyKey() string { return r.ID + "-" + string(rune('a'+r.Attempt%26)) }

var errNoOrder = errors.New("no such order")

type orders struct{ db *sql.DB }

const schema = `
CREATE TABLE IF NOT EXISTS orders (
	id           TEXT PRIMARY KEY,
	customer_id  TEXT NOT NULL,
	name         TEXT NOT NULL,
	amount       BIGINT NOT NULL,
	balance      BIGINT NOT NULL,
	state        TEXT NOT NULL,
	payment_key  TEXT NOT NULL,
	failure_code TEXT NOT NULL,
	payment      TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	claimed_at   BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer_id, created_at);
CREATE INDEX IF NOT EXISTS orders_in_state ON orders (state, created_at);
CREATE TABLE IF NOT EXISTS refunds (
	id       TEXT PRIMARY KEY,
	order_id TEXT NOT NULL REFERENCES orders (id),
	amount   BIGINT NOT NULL,
	before   BIGINT NOT NULL,
	attempt  BIGINT NOT NULL,
	state    TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_refund_at_a_time ON refunds (order_id) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);`

// openOrders opens the database and creates what is missing in it.
func openOrders(ctx context.Context, file string) (*orders, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &orders{db}, nil
}

func (o *orders) close() { _ = o.db.Close() }

// sessionKey returns the key that signs sessions, made at the first start.
func (o *orders) sessionKey(ctx context.Context) (key string, err error) {
	_, err = o.db.ExecContext(ctx,
		`INSERT INTO settings (name, value) VALUES ('session_key', $1) ON CONFLICT DO NOTHING`, rand.Text()+rand.Text())
	if err == nil {
		err = o.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'session_key'`).Scan(&key)
	}
	return key, err
}

func (o *orders) create(ctx context.Context, customerID, name string, amount tosspayments.Amount) (string, error) {
	id := tosspayments.NewOrderID()
	_, err := o.db.ExecContext(ctx, `
		INSERT INTO orders (id, customer_id, name, amount, balance, state, payment_key, failure_code, payment, created_at, claimed_at)
		VALUES ($1, $2, $3, $4, 0, $5, '', '', '', $6, 0)`,
		id, customerID, name, amount, created, time.Now().Unix())
	return id, err
}

const columns = `id, customer_id, name, amount, balance, state, payment_key, failure_code, payment, created_at, claimed_at`

// get returns an order of the customer; other people's orders do not exist.
func (o *orders) get(ctx context.Context, id, customerID string) (*order, error) {
	list, err := o.query(ctx, `SELECT `+columns+` FROM orders WHERE id = $1 AND customer_id = $2`, id, customerID)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNoOrder
	}
	return list[0], nil
}

func (o *orders) ofCustomer(ctx context.Context, customerID string) ([]*order, error) {
	return o.query(ctx, `SELECT `+columns+` FROM orders WHERE customer_id = $1 AND state <> 'created' ORDER BY created_at DESC LIMIT 50`, customerID)
}

// unconfirmed returns orders whose confirm was claimed before the given time.
func (o *orders) unconfirmed(ctx context.Context, before time.Time) ([]*order, error) {
	return o.query(ctx, `SELECT `+columns+` FROM orders WHERE state = 'confirming' AND claimed_at <= $1 ORDER BY claimed_at LIMIT 100`, before.Unix())
}

func (o *orders) query(ctx context.Context, query string, args ...any) (list []*order, err error) {
	rows, err := o.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var x order
		var payment string
		var createdAt, claimedAt int64
		if err := rows.Scan(&x.ID, &x.CustomerID, &x.Name, &x.Amount, &x.Balance, &x.State, &x.PaymentKey,
			(*string)(&x.FailureCode), &payment, &createdAt, &claimedAt); err != nil {
			return nil, err
		}
		x.CreatedAt, x.ClaimedAt = time.Unix(createdAt, 0), time.Unix(claimedAt, 0)
		if payment != "" {
			x.Payment = new(tosspayments.Payment)
			if err := json.Unmarshal([]byte(payment), x.Payment); err != nil {
				return nil, err
			}
		}
		list = append(list, &x)
	}
	return list, rows.Err()
}

// claim takes the order for one confirm, and tells whether it was this call that did.
func (o *orders) claim(ctx context.Context, id, paymentKey string) (bool, error) {
	return o.change(ctx, `UPDATE orders SET state = 'confirming', payment_key = $2, claimed_at = $3 WHERE id = $1 AND state = 'created'`,
		id, paymentKey, time.Now().Unix())
}

// unclaim gives an order back whose confirm was not sent.
func (o *orders) unclaim(ctx context.Context, x *order) error {
	_, err := o.change(ctx, `UPDATE orders SET state = 'created', payment_key = '', claimed_at = 0
		WHERE id = $1 AND state = 'confirming' AND payment_key = $2`, x.ID, x.PaymentKey)
	return err
}

// finish records the outcome of a confirm. A second record of it changes nothing.
func (o *orders) finish(ctx context.Context, x *order, to state, code tosspayments.ErrorCode, payment *tosspayments.Payment) error {
	text, balance, err := encodePayment(payment)
	if err != nil {
		return err
	}
	_, err = o.change(ctx, `UPDATE orders SET state = $3, failure_code = $4, payment = $5, balance = $6
		WHERE id = $1 AND payment_key = $2 AND state = 'confirming'`, x.ID, x.PaymentKey, to, string(code), text, balance)
	return err
}

func encodePayment(payment *tosspayments.Payment) (text string, balance tosspayments.Amount, err error) {
	if payment == nil {
		return "", balance, nil
	}
	data, err := json.Marshal(payment)
	return string(data), payment.Cancelable(), err
}

// expire closes orders that nobody has paid.
func (o *orders) expire(ctx context.Context, before time.Time) error {
	_, err := o.change(ctx, `UPDATE orders SET state = 'expired' WHERE state = 'created' AND created_at < $1`, before.Unix())
	return err
}

func (o *orders) change(ctx context.Context, query string, args ...any) (bool, error) {
	result, err := o.db.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// planRefund writes the intent. It refuses when the balance is not what the buyer saw,
// or another refund of the order is under way: then nothing is planned.
func (o *orders) planRefund(ctx context.Context, x *order, amount tosspayments.Amount) (*refund, error) {
	r := &refund{ID: "refund-" + rand.Text(), OrderID: x.ID, PaymentKey: x.PaymentKey, Amount: amount, Before: x.Balance}
	planned, err := o.change(ctx, `
		INSERT INTO refunds (id, order_id, amount, before, attempt, state)
		SELECT $1, id, $2, balance, 0, 'pending' FROM orders WHERE id = $3 AND state = 'paid' AND balance = $4 AND balance >= $2
		ON CONFLICT DO NOTHING`, r.ID, amount, x.ID, x.Balance)
	if err != nil || !planned {
		return nil, err
	}
	return r, nil
}

func (o *orders) pendingRefunds(ctx context.Context) (list []refund, err error) {
	rows, err := o.db.QueryContext(ctx, `
		SELECT r.id, r.order_id, o.payment_key, r.amount, r.before, r.attempt
		FROM refunds r JOIN orders o ON o.id = r.order_id WHERE r.state = 'pending' LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r refund
		if err := rows.Scan(&r.ID, &r.OrderID, &r.PaymentKey, &r.Amount, &r.Before, &r.Attempt); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

func (o *orders) isRefunding(ctx context.Context, id string) (pending bool, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM refunds WHERE order_id = $1 AND state = 'pending')`, id).Scan(&pending)
	return pending, err
}

// nextAttempt moves a refund to a new idempotency key.
func (o *orders) nextAttempt(ctx context.Context, r *refund) error {
	_, err := o.change(ctx, `UPDATE refunds SET attempt = attempt + 1 WHERE id = $1 AND attempt = $2 AND state = 'pending'`, r.ID, r.Attempt)
	return err
}

// endRefund records the outcome of a refund together with the payment.
func (o *orders) endRefund(ctx context.Context, r *refund, outcome string, payment *tosspayments.Payment) (err error) {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	if _, err := tx.ExecContext(ctx, `UPDATE refunds SET state = $2 WHERE id = $1 AND state = 'pending'`, r.ID, outcome); err != nil {
		return err
	}
	if payment != nil {
		text, balance, err := encodePayment(payment)
		if err != nil {
			return err
		}
		to := paid
		if balance.IsZero() {
			to = refunded
		}
		if _, err := tx.ExecContext(ctx, `UPDATE orders SET payment = $2, balance = $3, state = $4 WHERE id = $1 AND state IN ('paid', 'refunded')`,
			r.OrderID, text, balance, to); err != nil {
			return err
		}
	}
	return tx.Commit()
}
