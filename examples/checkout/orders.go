package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// state is where an order stands. Each change is a conditional update, so that of
// two tabs, two requests or two processes just one makes it.
type state string

const (
	// created: the payment window may be open; nothing is charged.
	created state = "created"
	// authenticated: the buyer has come back from the window, and nothing is claimed yet.
	authenticated state = "authenticated"
	// confirming: the confirm has been claimed; its outcome is not recorded yet.
	confirming state = "confirming"
	// waiting: a virtual account is open; nothing is paid, or the deposit has bounced.
	waiting state = "waiting"
	paid    state = "paid"
	// canceled: refunded in full, or the account was closed before anybody paid.
	canceled state = "canceled"
	// failed: refused, or the account has expired; nothing is charged.
	failed state = "failed"
	// expired: nobody has paid in time.
	expired state = "expired"
	// review: the payment does not fit the order; a person has to look at it.
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
	// ConfirmKey is the idempotency key of the confirm, which the handler and the job
	// both send: however often it is asked for, it happens once.
	ConfirmKey string
	// FailureCode says why the order failed.
	FailureCode tosspayments.ErrorCode
	// Payment is the payment as it was last seen; nil before.
	Payment   *tosspayments.Payment
	CreatedAt time.Time
	// version counts changes and events. What was looked up before one of them is old,
	// and is not recorded.
	version int64
	// dueAt is when the job looks at the order, tries how often that told nothing.
	dueAt int64
	tries int
}

// request is the confirm of the order. Every payment is compared with it before
// anything is recorded.
func (x *order) request() tosspayments.ConfirmPaymentRequest {
	return tosspayments.ConfirmPaymentRequest{PaymentKey: x.PaymentKey, OrderID: x.ID, Amount: x.Amount}
}

// isOpen reports whether something may still happen to the payment of the order. An
// order that has ended is not looked at again.
func (x *order) isOpen() bool { return x.State == confirming || x.State == waiting || x.State == paid }

// openStates are those of isOpen.
const openStates = `('confirming', 'waiting', 'paid')`

var errNoOrder = errors.New("no such order")

// never is when an order is due that waits for nothing.
const never = math.MaxInt64

type orders struct {
	db *sql.DB
	// poll is how often an open virtual account is looked at without an event.
	poll time.Duration
}

const schema = `
CREATE TABLE IF NOT EXISTS orders (
	id           TEXT PRIMARY KEY,
	customer_id  TEXT NOT NULL,
	name         TEXT NOT NULL,
	amount       BIGINT NOT NULL,
	balance      BIGINT NOT NULL,
	state        TEXT NOT NULL,
	payment_key  TEXT NOT NULL,
	confirm_key  TEXT NOT NULL,
	failure_code TEXT NOT NULL,
	payment      TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	version      BIGINT NOT NULL,
	due_at       BIGINT NOT NULL,
	tries        BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer_id, created_at);
CREATE INDEX IF NOT EXISTS orders_in_state ON orders (state, created_at);
CREATE INDEX IF NOT EXISTS orders_due ON orders (due_at);
CREATE TABLE IF NOT EXISTS history (
	order_id TEXT NOT NULL REFERENCES orders (id),
	at       BIGINT NOT NULL,
	what     TEXT NOT NULL,
	detail   TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS history_of_order ON history (order_id, at);
CREATE TABLE IF NOT EXISTS releases (
	id          TEXT PRIMARY KEY,
	order_id    TEXT NOT NULL REFERENCES orders (id),
	released_at BIGINT NOT NULL,
	returned_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS goods_out_once ON releases (order_id) WHERE returned_at = 0;
CREATE TABLE IF NOT EXISTS refunds (
	id         TEXT PRIMARY KEY,
	order_id   TEXT NOT NULL REFERENCES orders (id),
	amount     BIGINT NOT NULL,
	refundable BIGINT NOT NULL,
	account    TEXT NOT NULL,
	state      TEXT NOT NULL,
	reason     TEXT NOT NULL,
	planned_at BIGINT NOT NULL,
	due_at     BIGINT NOT NULL,
	tries      BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_of_order ON refunds (order_id, planned_at);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due_at);
CREATE UNIQUE INDEX IF NOT EXISTS one_refund_at_a_time ON refunds (order_id) WHERE state IN ('planned', 'review');`

// openOrders opens the database and creates what is missing in it.
func openOrders(ctx context.Context, address string) (*orders, error) {
	db, err := shop.OpenDatabase(ctx, address, schema)
	if err != nil {
		return nil, err
	}
	return &orders{db: db, poll: 10 * time.Minute}, nil
}

func (o *orders) close() { _ = o.db.Close() }

func (o *orders) create(ctx context.Context, customerID, name string, amount tosspayments.Amount) (string, error) {
	id := tosspayments.NewOrderID()
	_, err := o.db.ExecContext(ctx, `
		INSERT INTO orders (id, customer_id, name, amount, balance, state, payment_key, confirm_key, failure_code, payment, created_at, version, due_at, tries)
		VALUES ($1, $2, $3, $4, 0, 'created', '', '', '', '', $5, 0, $6, 0)`,
		id, customerID, name, amount, time.Now().Unix(), int64(never))
	return id, err
}

const columns = `id, customer_id, name, amount, balance, state, payment_key, confirm_key, failure_code, payment, created_at, version, due_at, tries`

// get returns an order of the customer; other people's orders do not exist.
func (o *orders) get(ctx context.Context, id, customerID string) (*order, error) {
	return one(o.query(ctx, `SELECT `+columns+` FROM orders WHERE id = $1 AND customer_id = $2`, id, customerID))
}

func (o *orders) byID(ctx context.Context, id string) (*order, error) {
	return one(o.query(ctx, `SELECT `+columns+` FROM orders WHERE id = $1`, id))
}

func one(list []*order, err error) (*order, error) {
	if err == nil && len(list) == 0 {
		err = errNoOrder
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (o *orders) ofCustomer(ctx context.Context, customerID string) ([]*order, error) {
	return o.query(ctx, `SELECT `+columns+` FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 50`, customerID)
}

func (o *orders) query(ctx context.Context, query string, args ...any) ([]*order, error) {
	return shop.List(ctx, o.db, func(rows *sql.Rows) (*order, error) {
		var x order
		var payment tosspayments.Stored[tosspayments.Payment]
		var createdAt int64
		err := rows.Scan(&x.ID, &x.CustomerID, &x.Name, &x.Amount, &x.Balance, &x.State, &x.PaymentKey, &x.ConfirmKey,
			(*string)(&x.FailureCode), &payment, &createdAt, &x.version, &x.dueAt, &x.tries)
		x.CreatedAt = time.Unix(createdAt, 0)
		if !payment.IsZero() {
			paid := payment.Get()
			x.Payment = &paid
		}
		return &x, err
	}, query, args...)
}

// returned keeps the payment key with which the buyer has come back, so that the job
// confirms the payment if the page does not.
func (o *orders) returned(ctx context.Context, x *order, paymentKey string) error {
	_, err := o.changed(ctx, x, event(authenticated), `
		UPDATE orders SET state = 'authenticated', payment_key = $2, due_at = $3 WHERE id = $1 AND state = 'created' AND version = $4`,
		x.ID, paymentKey, time.Now().Add(pageTime).Unix(), x.version)
	return err
}

// claim takes the order for one confirm, and reports whether it was this call that did.
// The key of the confirm is stored before anything is sent. A claim that is not
// recorded in time is due.
func (o *orders) claim(ctx context.Context, x *order, paymentKey string) (bool, error) {
	confirmKey := "confirm-" + rand.Text()
	claimed, err := o.changed(ctx, x, event(confirming), `
		UPDATE orders SET state = 'confirming', payment_key = $2, confirm_key = $3, due_at = $4, tries = 0, version = version + 1
		WHERE id = $1 AND state IN ('created', 'authenticated') AND version = $5`,
		x.ID, paymentKey, confirmKey, time.Now().Add(claimTime).Unix(), x.version)
	if claimed {
		x.State, x.PaymentKey, x.ConfirmKey = confirming, paymentKey, confirmKey
		x.version++
	}
	return claimed, err
}

// unclaim gives an order back whose confirm was not sent.
func (o *orders) unclaim(ctx context.Context, x *order) (bool, error) {
	return o.changed(ctx, x, notSent, `
		UPDATE orders SET state = 'created', payment_key = '', confirm_key = '', due_at = $3, version = version + 1
		WHERE id = $1 AND state = 'confirming' AND version = $2`, x.ID, x.version, int64(never))
}

// changed makes a change of an order and notes it in its history, or does neither.
func (o *orders) changed(ctx context.Context, x *order, what event, query string, args ...any) (changed bool, err error) {
	err = shop.InTransaction(ctx, o.db, func(tx *sql.Tx) error {
		if changed, err = shop.Change(ctx, tx, query, args...); err != nil || !changed {
			return err
		}
		return noteChange(ctx, tx, x.ID, what, "")
	})
	return changed && err == nil, err
}

// move puts an order into a state, with the payment that has led there (nil if none was
// seen), and lets goods out or takes them back: the one place where that happens. It
// reports whether it did; if not, the order has changed since it was read.
func (o *orders) move(ctx context.Context, x *order, to state, payment *tosspayments.Payment, code tosspayments.ErrorCode) (moved bool, err error) {
	var balance tosspayments.Amount
	if payment != nil {
		balance = payment.Cancelable()
	}
	now := time.Now()
	due := int64(never)
	if to == waiting {
		due = o.nextPoll(payment, now).Unix()
	}
	err = shop.InTransaction(ctx, o.db, func(tx *sql.Tx) error {
		moved, err = shop.Change(ctx, tx, `
			UPDATE orders SET state = $3, failure_code = $4, payment = COALESCE(CAST($5 AS TEXT), payment),
				balance = $6, due_at = $7, tries = 0, version = version + 1
			WHERE id = $1 AND version = $2`, x.ID, x.version, string(to), string(code), payment.Stored(), balance, due)
		if err != nil || !moved {
			return err
		}
		if to != x.State {
			if err := noteChange(ctx, tx, x.ID, event(to), string(code)); err != nil {
				return err
			}
		}
		if to == paid {
			_, err = shop.Change(ctx, tx, `
				INSERT INTO releases (id, order_id, released_at, returned_at) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING`,
				rand.Text(), x.ID, now.Unix())
		} else {
			_, err = shop.Change(ctx, tx, `UPDATE releases SET returned_at = $2 WHERE order_id = $1 AND returned_at = 0`, x.ID, now.Unix())
		}
		return err
	})
	return moved && err == nil, err
}

// nextPoll is when an open virtual account is looked at without an event: no event
// tells that the due date has passed, and any event may get lost.
func (o *orders) nextPoll(payment *tosspayments.Payment, now time.Time) time.Time {
	next := now.Add(o.poll)
	if account := payment.VirtualAccount; account != nil && account.DueDate.After(now) && account.DueDate.Before(next) {
		next = account.DueDate.Add(time.Second)
	}
	return next
}

// postpone leaves an order as it is, to be looked at again.
func (o *orders) postpone(ctx context.Context, x *order) (bool, error) {
	return shop.Change(ctx, o.db, `UPDATE orders SET due_at = $3, tries = tries + 1 WHERE id = $1 AND version = $2`,
		x.ID, x.version, time.Now().Add(pause(x.tries)).Unix())
}

// pause grows with each try that has told nothing, from ten seconds to a day: what will
// never be told does not crowd out what will.
func pause(tries int) time.Duration {
	return min(10*time.Second<<min(tries, 14), 24*time.Hour)
}

// touch makes an open order due, and what was looked up before it old. It reports
// whether there is such an order.
func (o *orders) touch(ctx context.Context, id string, at time.Time) (bool, error) {
	return shop.Change(ctx, o.db, `
		UPDATE orders SET due_at = CASE WHEN due_at < $2 THEN due_at ELSE $2 END, version = version + 1
		WHERE id = $1 AND state IN `+openStates, id, at.Unix())
}

// next takes the order that has been due for the longest time, for as long as one look
// may take; nil when none is due.
func (o *orders) next(ctx context.Context) (*order, error) {
	for {
		now := time.Now()
		x, err := one(o.query(ctx, `SELECT `+columns+` FROM orders WHERE due_at <= $1 ORDER BY due_at LIMIT 1`, now.Unix()))
		if errors.Is(err, errNoOrder) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		taken, err := shop.Change(ctx, o.db, `UPDATE orders SET due_at = $3 WHERE id = $1 AND due_at = $2`, x.ID, x.dueAt, now.Add(claimTime).Unix())
		if taken || err != nil {
			return x, err
		}
	}
}

// goods returns how often the goods of an order went out, and came back.
func (o *orders) goods(ctx context.Context, id string) (out, back int, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(CASE WHEN returned_at <> 0 THEN 1 END) FROM releases WHERE order_id = $1`, id).Scan(&out, &back)
	return out, back, err
}

// expire closes orders that nobody has paid.
func (o *orders) expire(ctx context.Context, before time.Time) error {
	_, err := o.db.ExecContext(ctx, `UPDATE orders SET state = 'expired', version = version + 1 WHERE state = 'created' AND created_at < $1`, before.Unix())
	return err
}

// hurry makes everything due that is waited for: when a shop starts, nobody knows what
// it has missed.
func (o *orders) hurry(ctx context.Context) error {
	now := time.Now().Unix()
	for _, statement := range []string{
		`UPDATE orders SET due_at = $1 WHERE due_at > $1 AND due_at < $2`,
		`UPDATE refunds SET due_at = $1 WHERE due_at > $1 AND due_at < $2`,
	} {
		if _, err := o.db.ExecContext(ctx, statement, now, int64(never)); err != nil {
			return err
		}
	}
	return nil
}
