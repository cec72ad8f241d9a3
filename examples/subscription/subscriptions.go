package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// state is where a subscription, a charge or a card stands.
type state string

const (
	// A subscription is active, past_due (it waits for another card) or canceled.
	active   state = "active"
	pastDue  state = "past_due"
	canceled state = "canceled"

	// A charge is due, then charging: claimed, and its outcome is not recorded yet. It
	// ends as one of these, or void: never made, since its period was over. Only paid
	// gives access.
	paid state = "paid"
	// refused: the card was not charged; another attempt may follow.
	refused state = "refused"
	// refunded: paid, and given back since by a person.
	refunded state = "refunded"
	// review: a person has to look at it; see resume.
	review state = "review"

	// A card is active, doubted (somebody says that its billing key is deleted), gone (a
	// charge says so), deleting (its key is to be deleted) or deleted.
)

type subscription struct {
	ID, CustomerID, CardID string

	Amount    tosspayments.Amount
	State     state
	StartedAt time.Time
	// NextDue is when the next period begins.
	NextDue time.Time
}

// charge is one attempt to charge one period: the intent, written before Toss Payments
// is asked, and then how it ended.
type charge struct {
	// OrderID names subscription, period and attempt. Toss Payments makes one payment
	// for an order id, so a customer who subscribes again must get new ones: they have
	// another subscription.
	OrderID, SubscriptionID, Period string

	Attempt int
	Amount  tosspayments.Amount
	State   state
	// Due is when it is to be made, FirstDue the day that the calendar counts from.
	Due, FirstDue time.Time
	CardID        string
	// Lease tells claims apart, and when a claim without an outcome is looked up.
	Lease int64
	// Tries counts the idempotency keys that are used up.
	Tries int
	// Code says why it was refused, or why the scheduler stopped at it.
	Code       tosspayments.ErrorCode
	PaymentKey string
	Receipt    string
}

// idempotencyKey is the same for every try of a charge, whoever makes it. Only after a
// stop it is another one; see stop.
func (c *charge) idempotencyKey() string { return fmt.Sprintf("%s.%d", c.OrderID, c.Tries) }

func (c *charge) orderName() string { return planName + " " + c.Period }

type card struct {
	// ID is the fingerprint of the authKey that it was registered with.
	ID, CustomerID string

	// SealedKey is the encrypted billing key, KeyHash its fingerprint.
	SealedKey, KeyHash string
	Company, Number    string
	State              state
}

type subscriptions struct{ db *sql.DB }

// one_charge_per_period is what the whole example rests on: a period has one charge that
// is not refused.
const schema = `
CREATE TABLE IF NOT EXISTS customers (
	id           TEXT PRIMARY KEY,
	customer_key TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS cards (
	id          TEXT PRIMARY KEY,
	customer_id TEXT NOT NULL REFERENCES customers (id),
	sealed_key  TEXT NOT NULL,
	key_hash    TEXT NOT NULL,
	company     TEXT NOT NULL,
	number      TEXT NOT NULL,
	state       TEXT NOT NULL,
	lease       BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS cards_of_key ON cards (key_hash);
CREATE INDEX IF NOT EXISTS cards_of_customer ON cards (customer_id);
CREATE INDEX IF NOT EXISTS cards_in_state ON cards (state, lease);
CREATE TABLE IF NOT EXISTS subscriptions (
	id          TEXT PRIMARY KEY,
	customer_id TEXT NOT NULL REFERENCES customers (id),
	card_id     TEXT NOT NULL REFERENCES cards (id),
	amount      BIGINT NOT NULL,
	state       TEXT NOT NULL,
	started_at  BIGINT NOT NULL,
	next_due    BIGINT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_subscription ON subscriptions (customer_id) WHERE state <> 'canceled';
CREATE INDEX IF NOT EXISTS subscriptions_due ON subscriptions (state, next_due);
CREATE TABLE IF NOT EXISTS charges (
	order_id        TEXT PRIMARY KEY,
	subscription_id TEXT NOT NULL REFERENCES subscriptions (id),
	period          TEXT NOT NULL,
	attempt         BIGINT NOT NULL,
	amount          BIGINT NOT NULL,
	state           TEXT NOT NULL,
	due             BIGINT NOT NULL,
	first_due       BIGINT NOT NULL,
	card_id         TEXT NOT NULL,
	lease           BIGINT NOT NULL,
	tries           BIGINT NOT NULL,
	code            TEXT NOT NULL,
	payment_key     TEXT NOT NULL,
	receipt         TEXT NOT NULL,
	UNIQUE (subscription_id, period, attempt)
);
CREATE UNIQUE INDEX IF NOT EXISTS one_charge_per_period ON charges (subscription_id, period) WHERE state <> 'refused';
CREATE INDEX IF NOT EXISTS charges_in_state ON charges (state, due);`

func openSubscriptions(ctx context.Context, address string) (*subscriptions, error) {
	db, err := shop.OpenDatabase(ctx, address, schema)
	return &subscriptions{db}, err
}

func (s *subscriptions) close() { _ = s.db.Close() }

// customerKey returns the key with which a customer has registered a card; "" before the
// first one.
func (s *subscriptions) customerKey(ctx context.Context, customerID string) (key string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT customer_key FROM customers WHERE id = $1`, customerID).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return key, err
}

func (s *subscriptions) hasCard(ctx context.Context, id string) (has bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM cards WHERE id = $1)`, id).Scan(&has)
	return has, err
}

var errCanceledMeanwhile = errors.New("the subscription was canceled meanwhile")

// register stores a card. The customer's subscription begins with it, or goes on with
// it: what is open is charged once, now, and the keys of other cards are to be deleted.
func (s *subscriptions) register(ctx context.Context, c *card, customerKey string, amount tosspayments.Amount, now time.Time) error {
	return shop.InTransaction(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO customers (id, customer_key) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			c.CustomerID, customerKey); err != nil {
			return err
		}
		added, err := shop.Change(ctx, tx, `
			INSERT INTO cards (id, customer_id, sealed_key, key_hash, company, number, state, lease)
			VALUES ($1, $2, $3, $4, $5, $6, 'active', 0) ON CONFLICT DO NOTHING`,
			c.ID, c.CustomerID, c.SealedKey, c.KeyHash, c.Company, c.Number)
		if err != nil || !added {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO subscriptions (id, customer_id, card_id, amount, state, started_at, next_due)
			VALUES ($1, $2, $3, $4, 'active', $5, $5) ON CONFLICT DO NOTHING`,
			strings.ToLower(rand.Text()[:16]), c.CustomerID, c.ID, amount, now.Unix()); err != nil {
			return err
		}
		sub, err := scanSubscription(tx.QueryRowContext(ctx, `
			UPDATE subscriptions SET card_id = $2, state = 'active' WHERE customer_id = $1 AND state <> 'canceled'
			RETURNING `+subscriptionColumns, c.CustomerID, c.ID))
		if errors.Is(err, sql.ErrNoRows) {
			return errCanceledMeanwhile
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE charges SET due = $2, first_due = $2 WHERE subscription_id = $1 AND state = 'due' AND due > $2`,
			sub.ID, now.Unix()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE cards SET state = 'deleting' WHERE customer_id = $1 AND id <> $2 AND state <> 'deleted'`,
			c.CustomerID, c.ID); err != nil {
			return err
		}
		return openPeriod(ctx, tx, sub, now)
	})
}

const subscriptionColumns = `id, customer_id, card_id, amount, state, started_at, next_due`

func scanSubscription(row interface{ Scan(...any) error }) (*subscription, error) {
	var x subscription
	var startedAt, nextDue int64
	err := row.Scan(&x.ID, &x.CustomerID, &x.CardID, &x.Amount, &x.State, &startedAt, &nextDue)
	x.StartedAt, x.NextDue = time.Unix(startedAt, 0).In(kst), time.Unix(nextDue, 0).In(kst)
	return &x, err
}

// lock reads a subscription and keeps others from changing it until the transaction
// ends. SQLite does not know FOR UPDATE.
func lock(ctx context.Context, tx *sql.Tx, id string) (*subscription, error) {
	return scanSubscription(tx.QueryRowContext(ctx, `UPDATE subscriptions SET state = state WHERE id = $1 RETURNING `+subscriptionColumns, id))
}

// openPeriod plans the charge of the period that has begun, unless it has one. Periods
// that went by while the shop was down, or no card worked, are not charged any more:
// nobody got coffee for them.
func openPeriod(ctx context.Context, tx *sql.Tx, sub *subscription, now time.Time) error {
	n := currentPeriod(sub.StartedAt, now)
	period := periodName(sub.StartedAt, n)
	if _, err := tx.ExecContext(ctx, `UPDATE charges SET state = 'void' WHERE subscription_id = $1 AND period <> $2 AND state = 'due'`,
		sub.ID, period); err != nil {
		return err
	}
	var attempts int
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(attempt), 0) FROM charges WHERE subscription_id = $1 AND period = $2`,
		sub.ID, period).Scan(&attempts); err != nil {
		return err
	}
	if err := plan(ctx, tx, sub, period, attempts+1, now, now); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET next_due = $2 WHERE id = $1`, sub.ID, periodStart(sub.StartedAt, n+1).Unix())
	return err
}

// plan writes the intent of a charge. One that the period has already stays.
func plan(ctx context.Context, tx *sql.Tx, sub *subscription, period string, attempt int, at, firstDue time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO charges (order_id, subscription_id, period, attempt, amount, state, due, first_due, card_id, lease, tries, code, payment_key, receipt)
		VALUES ($1, $2, $3, $4, $5, 'due', $6, $7, '', 0, 0, '', '', '') ON CONFLICT DO NOTHING`,
		fmt.Sprintf("sub-%s-%s-%d", sub.ID, period, attempt), sub.ID, period, attempt, sub.Amount, at.Unix(), firstDue.Unix())
	return err
}

// planDue plans the charges of all periods that have begun.
func (s *subscriptions) planDue(ctx context.Context, now time.Time) error {
	ids, err := shop.Texts(ctx, s.db, `SELECT id FROM subscriptions WHERE state = 'active' AND next_due <= $1 ORDER BY next_due LIMIT 1000`, now.Unix())
	for _, id := range ids {
		planErr := shop.InTransaction(ctx, s.db, func(tx *sql.Tx) error {
			sub, err := lock(ctx, tx, id)
			if err != nil || sub.State != active || sub.NextDue.After(now) {
				return err
			}
			return openPeriod(ctx, tx, sub, now)
		})
		err = errors.Join(err, planErr)
	}
	return err
}

// due returns the order ids of charges to be made.
func (s *subscriptions) due(ctx context.Context, now time.Time) ([]string, error) {
	return shop.Texts(ctx, s.db, `SELECT order_id FROM charges WHERE state = 'due' AND due <= $1 ORDER BY due LIMIT 1000`, now.Unix())
}

// open returns the order ids of charges that were claimed and have no outcome although
// their lease is over.
func (s *subscriptions) open(ctx context.Context, wall time.Time) ([]string, error) {
	return shop.Texts(ctx, s.db, `SELECT order_id FROM charges WHERE state = 'charging' AND lease <= $1 ORDER BY lease LIMIT 1000`, wall.UnixMilli())
}

// claimed is a charge that this call, and nobody else, is to bring to its end.
type claimed struct {
	charge
	SealedKey, CustomerKey string
}

const notStopped = ` AND NOT EXISTS (SELECT 1 FROM settings WHERE name = 'stopped')`

// claim takes a charge that is due until the lease is over; nil when somebody else has
// taken it, or the scheduler is stopped. Nothing has been sent under its order id yet.
func (s *subscriptions) claim(ctx context.Context, orderID string, now, wall time.Time, lease time.Duration) (*claimed, error) {
	mine, err := shop.Change(ctx, s.db, `
		UPDATE charges SET state = 'charging', lease = $2, card_id = (SELECT card_id FROM subscriptions s WHERE s.id = subscription_id)
		WHERE order_id = $1 AND state = 'due' AND due <= $3
		AND EXISTS (SELECT 1 FROM subscriptions s WHERE s.id = subscription_id AND s.state = 'active')`+notStopped,
		orderID, wall.Add(lease).UnixMilli(), now.Unix())
	if err != nil || !mine {
		return nil, err
	}
	return s.claimed(ctx, orderID)
}

// takeOver takes a charge that was claimed before and has no outcome, in the same way.
func (s *subscriptions) takeOver(ctx context.Context, orderID string, wall time.Time, lease time.Duration) (*claimed, error) {
	mine, err := shop.Change(ctx, s.db, `UPDATE charges SET lease = $2 WHERE order_id = $1 AND state = 'charging' AND lease <= $3`+notStopped,
		orderID, wall.Add(lease).UnixMilli(), wall.UnixMilli())
	if err != nil || !mine {
		return nil, err
	}
	return s.claimed(ctx, orderID)
}

func (s *subscriptions) claimed(ctx context.Context, orderID string) (*claimed, error) {
	var c claimed
	row := s.db.QueryRowContext(ctx, `
		SELECT `+chargeColumns+`, k.sealed_key, u.customer_key
		FROM charges c JOIN cards k ON k.id = c.card_id JOIN customers u ON u.id = k.customer_id WHERE c.order_id = $1`, orderID)
	if err := c.scan(row, &c.SealedKey, &c.CustomerKey); err != nil {
		return nil, err
	}
	return &c, nil
}

const chargeColumns = `c.order_id, c.subscription_id, c.period, c.attempt, c.amount, c.state, c.due, c.first_due, c.card_id, c.lease, c.tries, c.code, c.payment_key, c.receipt`

func (c *charge) scan(row interface{ Scan(...any) error }, more ...any) error {
	var at, firstDue int64
	err := row.Scan(append([]any{&c.OrderID, &c.SubscriptionID, &c.Period, &c.Attempt, &c.Amount, &c.State, &at, &firstDue,
		&c.CardID, &c.Lease, &c.Tries, (*string)(&c.Code), &c.PaymentKey, &c.Receipt}, more...)...)
	c.Due, c.FirstDue = time.Unix(at, 0).In(kst), time.Unix(firstDue, 0).In(kst)
	return err
}

// end writes down how a charge has ended, and what follows, in one transaction. A call
// whose lease is over records nothing: the next one finds the same.
func (s *subscriptions) end(ctx context.Context, c *charge, as state, code tosspayments.ErrorCode, p *tosspayments.Payment, follows func(*sql.Tx, *subscription) error) error {
	var paymentKey, receipt string
	if p != nil {
		paymentKey = p.PaymentKey
		if p.Receipt != nil {
			receipt = p.Receipt.URL
		}
	}
	return shop.InTransaction(ctx, s.db, func(tx *sql.Tx) error {
		sub, err := lock(ctx, tx, c.SubscriptionID)
		if err != nil {
			return err
		}
		mine, err := shop.Change(ctx, tx, `UPDATE charges SET state = $3, code = $4, payment_key = $5, receipt = $6
			WHERE order_id = $1 AND state = 'charging' AND lease = $2`, c.OrderID, c.Lease, as, string(code), paymentKey, receipt)
		if err != nil || !mine || follows == nil {
			return err
		}
		return follows(tx, sub)
	})
}

func (s *subscriptions) paid(ctx context.Context, c *charge, p *tosspayments.Payment) error {
	return s.end(ctx, c, paid, "", p, func(tx *sql.Tx, _ *subscription) error {
		_, err := tx.ExecContext(ctx, `UPDATE cards SET state = 'active' WHERE id = $1 AND state = 'doubted'`, c.CardID)
		return err
	})
}

func (s *subscriptions) refunded(ctx context.Context, c *charge, p *tosspayments.Payment) error {
	return s.end(ctx, c, refunded, "", p, nil)
}

func (s *subscriptions) review(ctx context.Context, c *charge, code tosspayments.ErrorCode, p *tosspayments.Payment) error {
	return s.end(ctx, c, review, code, p, nil)
}

// refused ends an attempt that the card company, or whoever it was, has refused.
func (s *subscriptions) refused(ctx context.Context, c *charge, code tosspayments.ErrorCode, now time.Time) error {
	return s.end(ctx, c, refused, code, nil, func(tx *sql.Tx, sub *subscription) error {
		return afterRefusal(ctx, tx, sub, c, keyGone(code), now)
	})
}

// afterRefusal plans the next attempt, or asks for another card. The next attempt has a
// new order id, as Toss Payments may not accept a refused one again. This cannot charge
// the period twice: the attempt before it is decided, nothing was charged, and no request
// of it is on its way. After an unknown outcome it would not be safe.
func afterRefusal(ctx context.Context, tx *sql.Tx, sub *subscription, c *charge, cardGone bool, now time.Time) error {
	if cardGone {
		if _, err := tx.ExecContext(ctx, `UPDATE cards SET state = 'gone' WHERE id = $1 AND state IN ('active', 'doubted')`, c.CardID); err != nil {
			return err
		}
	}
	at, again := nextAttempt(c.FirstDue, now)
	switch {
	case sub.State != active:
		return nil
	case sub.CardID != c.CardID:
		// Another card was registered meanwhile, which has not been asked yet.
		return openPeriod(ctx, tx, sub, now)
	case !cardGone && c.Period != periodName(sub.StartedAt, currentPeriod(sub.StartedAt, now)):
		return nil
	case !cardGone && again:
		return plan(ctx, tx, sub, c.Period, c.Attempt+1, at, c.FirstDue)
	}
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET state = 'past_due' WHERE id = $1`, sub.ID)
	return err
}

// stop keeps every instance from charging until a person resumes: with wrong keys, or
// without a contract, every customer would be refused. The charge is not decided and
// keeps its order id. Its next try has a new idempotency key, because Toss Payments may
// repeat the answer of this one for 15 days. Two keys cannot charge twice, since the
// order id is good for one payment.
func (s *subscriptions) stop(ctx context.Context, c *charge, code tosspayments.ErrorCode) error {
	return shop.InTransaction(ctx, s.db, func(tx *sql.Tx) error {
		mine, err := shop.Change(ctx, tx, `UPDATE charges SET tries = tries + 1, code = $3 WHERE order_id = $1 AND state = 'charging' AND lease = $2`,
			c.OrderID, c.Lease, string(code))
		if err != nil || !mine {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('stopped', $1) ON CONFLICT DO NOTHING`, string(code)+", order "+c.OrderID)
		return err
	})
}

// stopped returns why the scheduler is stopped; "" when it is not.
func (s *subscriptions) stopped(ctx context.Context) (reason string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'stopped'`).Scan(&reason)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return reason, err
}

// resume lets the scheduler go on after a person has put things right. Charges in review
// that were refused, and so have a code, are decided: their period gets another attempt.
// Those whose order id led to another payment stay in review.
func (s *subscriptions) resume(ctx context.Context, now time.Time) error {
	return shop.InTransaction(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE name = 'stopped'`); err != nil {
			return err
		}
		ids, err := shop.Texts(ctx, tx, `SELECT DISTINCT subscription_id FROM charges WHERE state = 'review' AND code <> '' ORDER BY subscription_id`)
		if err != nil {
			return err
		}
		for _, id := range ids {
			sub, err := lock(ctx, tx, id)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE charges SET state = 'refused' WHERE subscription_id = $1 AND state = 'review' AND code <> ''`, id); err != nil {
				return err
			}
			if sub.State != active {
				continue
			}
			if err := openPeriod(ctx, tx, sub, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// cancel ends the customer's subscription. A charge that is under way is brought to its
// end, since nobody knows how far it is; only then the key is deleted.
func (s *subscriptions) cancel(ctx context.Context, customerID string) error {
	return shop.InTransaction(ctx, s.db, func(tx *sql.Tx) error {
		sub, err := scanSubscription(tx.QueryRowContext(ctx, `
			UPDATE subscriptions SET state = 'canceled' WHERE customer_id = $1 AND state <> 'canceled' RETURNING `+subscriptionColumns, customerID))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE charges SET state = 'void' WHERE subscription_id = $1 AND state = 'due'`, sub.ID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE cards SET state = 'deleting' WHERE customer_id = $1 AND state <> 'deleted'`, customerID)
		return err
	})
}

// claimDeletion takes a billing key to delete until the lease is over; nil when there
// is none. A key that is being charged waits.
func (s *subscriptions) claimDeletion(ctx context.Context, wall time.Time, lease time.Duration) (c *card, customerKey string, err error) {
	c = new(card)
	err = s.db.QueryRowContext(ctx, `
		UPDATE cards SET lease = $2 WHERE state = 'deleting' AND lease <= $1 AND id = (
			SELECT id FROM cards k WHERE state = 'deleting' AND lease <= $1
			AND NOT EXISTS (SELECT 1 FROM charges c WHERE c.card_id = k.id AND c.state = 'charging') LIMIT 1)
		RETURNING id, sealed_key, (SELECT customer_key FROM customers u WHERE u.id = customer_id)`,
		wall.UnixMilli(), wall.Add(lease).UnixMilli()).Scan(&c.ID, &c.SealedKey, &customerKey)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", nil
	}
	return c, customerKey, err
}

// forget removes a billing key that is deleted.
func (s *subscriptions) forget(ctx context.Context, cardID string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE cards SET state = 'deleted', sealed_key = '' WHERE id = $1 AND state = 'deleting'`, cardID)
	return err
}

// doubt notes that a billing key is said to be deleted, and reports whether it is one in
// use.
func (s *subscriptions) doubt(ctx context.Context, keyHash string) (bool, error) {
	return shop.Change(ctx, s.db, `UPDATE cards SET state = 'doubted' WHERE key_hash = $1 AND state = 'active'`, keyHash)
}

// ofCustomer returns the customer's subscription, or else the last one that was
// canceled; nil when there was none.
func (s *subscriptions) ofCustomer(ctx context.Context, customerID string) (*subscription, error) {
	sub, err := scanSubscription(s.db.QueryRowContext(ctx, `SELECT `+subscriptionColumns+` FROM subscriptions WHERE customer_id = $1
		ORDER BY CASE WHEN state = 'canceled' THEN 1 ELSE 0 END, started_at DESC LIMIT 1`, customerID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return sub, err
}

// charges returns the newest charges of a subscription, at most 24.
func (s *subscriptions) charges(ctx context.Context, subscriptionID string) ([]*charge, error) {
	return shop.List(ctx, s.db, func(rows *sql.Rows) (*charge, error) {
		c := new(charge)
		return c, c.scan(rows)
	}, `SELECT `+chargeColumns+` FROM charges c WHERE c.subscription_id = $1 AND c.state <> 'void'
		ORDER BY c.period DESC, c.attempt DESC LIMIT 24`, subscriptionID)
}

// hasAccess reports whether the period that a moment is in is paid. A charge that was
// refunded, was refused or is not known gives nothing.
func (s *subscriptions) hasAccess(ctx context.Context, sub *subscription, now time.Time) (has bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM charges WHERE subscription_id = $1 AND period = $2 AND state = 'paid')`,
		sub.ID, periodName(sub.StartedAt, currentPeriod(sub.StartedAt, now))).Scan(&has)
	return has, err
}

func (s *subscriptions) card(ctx context.Context, id string) (*card, error) {
	c := card{ID: id}
	err := s.db.QueryRowContext(ctx, `SELECT company, number, state FROM cards WHERE id = $1`, id).Scan(&c.Company, &c.Number, &c.State)
	return &c, err
}
