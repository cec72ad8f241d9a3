package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"slices"
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
	// confirming: the confirm has been claimed; its outcome is not recorded yet.
	confirming state = "confirming"
	// waiting: a virtual account is open; nothing is paid, or the deposit has bounced.
	waiting state = "waiting"
	paid    state = "paid"
	// refunded: nothing of the payment is left.
	refunded state = "refunded"
	// canceled: the virtual account was closed before anybody paid.
	canceled state = "canceled"
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
	// version counts changes and events. What was looked up before one of them is old,
	// and is not recorded.
	version int64
	lookAt  int64
}

// stateFor is what a payment makes of its order; "" while it is not decided.
func (x *order) stateFor(p *tosspayments.Payment) (to state, code tosspayments.ErrorCode) {
	if p.PaymentKey != x.PaymentKey || p.OrderID != x.ID || p.TotalAmount != x.Amount ||
		p.Currency != "" && p.Currency != tosspayments.CurrencyKRW {
		return review, ""
	}
	switch p.Status {
	case tosspayments.PaymentStatusWaitingForDeposit:
		if p.VirtualAccount != nil && p.VirtualAccount.Expired {
			return expired, ""
		}
		return waiting, ""
	case tosspayments.PaymentStatusDone, tosspayments.PaymentStatusPartialCanceled, tosspayments.PaymentStatusCanceled:
		switch {
		case p.IsPaid():
			return paid, ""
		case p.ApprovedAt.IsZero():
			return canceled, ""
		}
		return refunded, ""
	case tosspayments.PaymentStatusExpired:
		return expired, ""
	case tosspayments.PaymentStatusAborted:
		if p.Failure != nil {
			code = p.Failure.Code
		}
		return failed, code
	}
	return "", ""
}

// refund is the intent to give money back, written before Toss Payments is asked.
type refund struct {
	ID, OrderID, PaymentKey string

	Amount tosspayments.Amount
	// Before is the balance that the refund starts from.
	Before  tosspayments.Amount
	Attempt int
	// Account is where the money of a virtual account goes; nil for others. It is
	// stored only until the refund has ended.
	Account *tosspayments.RefundReceiveAccount
}

// reason tells this refund from all others in the payment.
func (r *refund) reason() string { return "구매자 요청 " + r.ID }

// happened tells whether the payment has this refund.
func (r *refund) happened(p *tosspayments.Payment) bool {
	return slices.ContainsFunc(p.Cancels, func(c tosspayments.Cancel) bool {
		return c.CancelReason == r.reason() && c.CancelStatus != tosspayments.CancelStatusAborted
	})
}

// idempotencyKey is one per attempt: a refused attempt would be replayed forever.
func (r *refund) idempotencyKey() string { return r.ID + "-" + string(rune('a'+r.Attempt%26)) }

var errNoOrder = errors.New("no such order")

// never is when an order is looked at that is waiting for nothing.
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
	failure_code TEXT NOT NULL,
	payment      TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	claimed_at   BIGINT NOT NULL,
	version      BIGINT NOT NULL,
	look_at      BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer_id, created_at);
CREATE INDEX IF NOT EXISTS orders_in_state ON orders (state, created_at);
CREATE INDEX IF NOT EXISTS orders_to_look_at ON orders (look_at);
CREATE TABLE IF NOT EXISTS releases (
	id          TEXT PRIMARY KEY,
	order_id    TEXT NOT NULL REFERENCES orders (id),
	released_at BIGINT NOT NULL,
	returned_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS goods_out_once ON releases (order_id) WHERE returned_at = 0;
CREATE TABLE IF NOT EXISTS events (
	id          TEXT PRIMARY KEY,
	order_id    TEXT NOT NULL REFERENCES orders (id),
	type        TEXT NOT NULL,
	received_at BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS refunds (
	id       TEXT PRIMARY KEY,
	order_id TEXT NOT NULL REFERENCES orders (id),
	amount   BIGINT NOT NULL,
	before   BIGINT NOT NULL,
	attempt  BIGINT NOT NULL,
	account  TEXT NOT NULL,
	state    TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_refund_at_a_time ON refunds (order_id) WHERE state = 'pending';`

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
		INSERT INTO orders (id, customer_id, name, amount, balance, state, payment_key, failure_code, payment, created_at, claimed_at, version, look_at)
		VALUES ($1, $2, $3, $4, 0, 'created', '', '', '', $5, 0, 0, $6)`,
		id, customerID, name, amount, time.Now().Unix(), int64(never))
	return id, err
}

const columns = `id, customer_id, name, amount, balance, state, payment_key, failure_code, payment, created_at, claimed_at, version, look_at`

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
	return o.query(ctx, `SELECT `+columns+` FROM orders WHERE customer_id = $1 AND state <> 'created' ORDER BY created_at DESC LIMIT 50`, customerID)
}

// due returns orders that are to be looked at by the given time.
func (o *orders) due(ctx context.Context, by int64) ([]*order, error) {
	return o.query(ctx, `SELECT `+columns+` FROM orders WHERE look_at <= $1 ORDER BY look_at LIMIT 100`, by)
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
			(*string)(&x.FailureCode), &payment, &createdAt, &claimedAt, &x.version, &x.lookAt); err != nil {
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
// A claim that is not recorded in time is looked at.
func (o *orders) claim(ctx context.Context, x *order, paymentKey string) (bool, error) {
	now := time.Now()
	claimed, err := shop.Change(ctx, o.db, `
		UPDATE orders SET state = 'confirming', payment_key = $2, claimed_at = $3, look_at = $4, version = version + 1
		WHERE id = $1 AND state = 'created' AND version = $5`,
		x.ID, paymentKey, now.Unix(), now.Add(claimTime).Unix(), x.version)
	if claimed {
		x.State, x.PaymentKey, x.ClaimedAt = confirming, paymentKey, now
		x.version++
	}
	return claimed, err
}

// unclaim gives an order back whose confirm was not sent.
func (o *orders) unclaim(ctx context.Context, x *order) (bool, error) {
	return shop.Change(ctx, o.db, `
		UPDATE orders SET state = 'created', payment_key = '', claimed_at = 0, look_at = $3, version = version + 1
		WHERE id = $1 AND state = 'confirming' AND version = $2`, x.ID, x.version, int64(never))
}

// fail closes an order whose confirm was refused.
func (o *orders) fail(ctx context.Context, x *order, code tosspayments.ErrorCode) (bool, error) {
	return shop.Change(ctx, o.db, `
		UPDATE orders SET state = 'failed', failure_code = $3, look_at = $4, version = version + 1
		WHERE id = $1 AND state = 'confirming' AND version = $2`, x.ID, x.version, string(code), int64(never))
}

// apply records a payment that was looked up after the order was read, and lets goods
// out or takes them back: the one place where that happens. It tells whether it did;
// if not, the order has changed since, and what was looked up may be old.
func (o *orders) apply(ctx context.Context, x *order, payment *tosspayments.Payment) (applied bool, err error) {
	to, code := x.stateFor(payment)
	if to == "" {
		return false, nil
	}
	text, err := json.Marshal(payment)
	if err != nil {
		return false, err
	}
	now := time.Now()
	lookAt := int64(never)
	if to == waiting {
		// No event tells that the due date has passed, and any event may get lost.
		next := now.Add(o.poll)
		if account := payment.VirtualAccount; account != nil && account.DueDate.After(now) && account.DueDate.Before(next) {
			next = account.DueDate.Add(time.Second)
		}
		lookAt = next.Unix()
	}
	err = shop.InTransaction(ctx, o.db, func(tx *sql.Tx) error {
		applied, err = shop.Change(ctx, tx, `
			UPDATE orders SET state = $3, failure_code = $4, payment = $5, balance = $6, look_at = $7, version = version + 1
			WHERE id = $1 AND version = $2`, x.ID, x.version, string(to), string(code), string(text), payment.Cancelable(), lookAt)
		if err != nil || !applied {
			return err
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
	return applied && err == nil, err
}

// lease keeps other instances from looking at the order meanwhile.
func (o *orders) lease(ctx context.Context, x *order, until time.Time) (bool, error) {
	return shop.Change(ctx, o.db, `UPDATE orders SET look_at = $3 WHERE id = $1 AND look_at = $2`, x.ID, x.lookAt, until.Unix())
}

// receive stores an event about an order whose payment is known, and lets the order be
// looked at. A duplicate, or an event about anything else, changes nothing.
func (o *orders) receive(ctx context.Context, d tosspayments.WebhookDelivery) (stored bool, err error) {
	event := d.Event
	// With the trust: a forged event must not pass for the first of a genuine one.
	id := d.Trust.String() + " " + event.Identity()
	err = shop.InTransaction(ctx, o.db, func(tx *sql.Tx) error {
		stored, err = shop.Change(ctx, tx, `
			INSERT INTO events (id, order_id, type, received_at)
			SELECT CAST($1 AS TEXT), id, CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM orders WHERE id = $2 AND payment_key <> ''
			ON CONFLICT DO NOTHING`, id, event.OrderID(), string(event.Type), time.Now().Unix())
		if err != nil || !stored {
			return err
		}
		_, err = shop.Change(ctx, tx, `UPDATE orders SET look_at = 0, version = version + 1 WHERE id = $1`, event.OrderID())
		return err
	})
	return stored && err == nil, err
}

// goods tells how often the goods of an order went out, and came back.
func (o *orders) goods(ctx context.Context, id string) (out, back int, err error) {
	err = o.db.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(CASE WHEN returned_at <> 0 THEN 1 END) FROM releases WHERE order_id = $1`, id).Scan(&out, &back)
	return out, back, err
}

// expire closes orders that nobody has paid.
func (o *orders) expire(ctx context.Context, before time.Time) error {
	_, err := o.db.ExecContext(ctx, `UPDATE orders SET state = 'expired', version = version + 1 WHERE state = 'created' AND created_at < $1`, before.Unix())
	return err
}

// planRefund writes the intent. It refuses when the balance is not what the buyer saw,
// or another refund of the order is under way: then nothing is planned.
func (o *orders) planRefund(ctx context.Context, x *order, amount tosspayments.Amount, account *tosspayments.RefundReceiveAccount) (*refund, error) {
	r := &refund{ID: "refund-" + rand.Text(), OrderID: x.ID, PaymentKey: x.PaymentKey, Amount: amount, Before: x.Balance, Account: account}
	text, err := json.Marshal(account)
	if err != nil {
		return nil, err
	}
	planned, err := shop.Change(ctx, o.db, `
		INSERT INTO refunds (id, order_id, amount, before, attempt, account, state)
		SELECT CAST($1 AS TEXT), id, CAST($2 AS BIGINT), balance, 0, CAST($5 AS TEXT), 'pending'
		FROM orders WHERE id = $3 AND state = $6 AND balance = $4 AND balance >= $2
		ON CONFLICT DO NOTHING`, r.ID, amount, x.ID, x.Balance, string(text), string(x.State))
	if err != nil || !planned {
		return nil, err
	}
	return r, nil
}

func (o *orders) pendingRefunds(ctx context.Context) (list []refund, err error) {
	rows, err := o.db.QueryContext(ctx, `
		SELECT r.id, r.order_id, o.payment_key, r.amount, r.before, r.attempt, r.account
		FROM refunds r JOIN orders o ON o.id = r.order_id WHERE r.state = 'pending' LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r refund
		var account string
		if err := rows.Scan(&r.ID, &r.OrderID, &r.PaymentKey, &r.Amount, &r.Before, &r.Attempt, &account); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(account), &r.Account); err != nil {
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
	_, err := shop.Change(ctx, o.db, `UPDATE refunds SET attempt = attempt + 1 WHERE id = $1 AND attempt = $2 AND state = 'pending'`, r.ID, r.Attempt)
	return err
}

// endRefund records the outcome of a refund, forgets the account, and lets the order
// be looked at.
func (o *orders) endRefund(ctx context.Context, r *refund, outcome string) error {
	return shop.InTransaction(ctx, o.db, func(tx *sql.Tx) error {
		if _, err := shop.Change(ctx, tx, `UPDATE refunds SET state = $2, account = 'null' WHERE id = $1 AND state = 'pending'`, r.ID, outcome); err != nil {
			return err
		}
		_, err := shop.Change(ctx, tx, `UPDATE orders SET look_at = 0, version = version + 1 WHERE id = $1`, r.OrderID)
		return err
	})
}
