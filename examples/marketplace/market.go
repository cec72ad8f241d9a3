package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// Amounts are whole won. Times are seconds; 0 is never.
const schema = `
CREATE TABLE IF NOT EXISTS sellers (
	ref     TEXT PRIMARY KEY,              -- refSellerId
	name    TEXT NOT NULL,
	toss_id TEXT NOT NULL DEFAULT '',      -- once registered
	status  TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS orders (
	id TEXT PRIMARY KEY, seller TEXT NOT NULL, amount BIGINT NOT NULL,
	state TEXT NOT NULL DEFAULT 'new',     -- new, confirming, paid, failed, review
	payment_key TEXT NOT NULL DEFAULT '', idempotency_key TEXT NOT NULL DEFAULT '', key_id TEXT NOT NULL DEFAULT '',
	look_at BIGINT NOT NULL DEFAULT 0
);
-- What the marketplace owes to a seller is the sum of the seller's entries. The id says what
-- an entry is for, so that nothing is entered twice.
CREATE TABLE IF NOT EXISTS entries (
	id TEXT PRIMARY KEY, seller TEXT NOT NULL, amount BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
	id TEXT PRIMARY KEY,
	state TEXT NOT NULL DEFAULT 'open',    -- open, requested, refused, review
	code TEXT NOT NULL DEFAULT '',
	look_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS one_open_batch ON batches (state) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS payouts (
	ref TEXT PRIMARY KEY,                  -- refPayoutId
	batch TEXT NOT NULL, seller TEXT NOT NULL, destination TEXT NOT NULL, amount BIGINT NOT NULL,
	state TEXT NOT NULL DEFAULT 'new',     -- new, requested, completed, unpaid
	toss_id TEXT NOT NULL DEFAULT '',
	code TEXT NOT NULL DEFAULT '',
	look_at BIGINT NOT NULL DEFAULT 0
);`

const (
	// commission is what the marketplace keeps of a sale, in per cent.
	commission = 10
	// leastPayout is what has to be owed before it is paid out.
	leastPayout = 1000
	// A batch has at most 100 payouts.
	mostPayouts = 100
)

type market struct {
	db      *sql.DB
	toss    *shop.Toss
	payouts *payouts.Client
	pages   *shop.Pages
	logger  *slog.Logger
	// again is how long what is not known yet is left alone.
	again time.Duration
	now   func() time.Time
}

type order struct {
	ID, Seller, State, PaymentKey, IdempotencyKey, KeyID string
	Amount                                               tosspayments.Amount
}

func (o *order) request() tosspayments.ConfirmPaymentRequest {
	return tosspayments.ConfirmPaymentRequest{PaymentKey: o.PaymentKey, OrderID: o.ID, Amount: o.Amount}
}

func (m *market) order(ctx context.Context, id string) (*order, error) {
	var o order
	err := m.db.QueryRowContext(ctx, `SELECT id, seller, amount, state, payment_key, idempotency_key, key_id FROM orders WHERE id = $1`, id).
		Scan(&o.ID, &o.Seller, &o.Amount, &o.State, &o.PaymentKey, &o.IdempotencyKey, &o.KeyID)
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

func (m *market) later() int64 { return m.now().Add(m.again).Unix() }

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
	case tosspayments.OutcomeUnknown:
		_, err := m.db.ExecContext(ctx, `UPDATE orders SET look_at = $2 WHERE id = $1 AND state = 'confirming'`, o.ID, m.later())
		return err
	}
	ctx = context.WithoutCancel(ctx)
	return shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		changed, err := shop.Change(ctx, tx, `UPDATE orders SET state = $2, look_at = 0 WHERE id = $1 AND state = 'confirming'`, o.ID, state)
		if err != nil || !changed || state != "paid" {
			return err
		}
		won, _ := o.Amount.Int64()
		return enter(ctx, tx, "sale "+o.ID, o.Seller, won-won*commission/100)
	})
}

// enter writes an entry, unless it is there.
func enter(ctx context.Context, tx *sql.Tx, id, seller string, won int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO entries (id, seller, amount) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, id, seller, won)
	return err
}

// round does what is due: it may be run by every instance at any time.
func (m *market) round(ctx context.Context) {
	for name, do := range map[string]func(context.Context) error{
		"orders": m.settleOrders, "batch": m.makeBatch, "request": m.runBatches, "payouts": m.checkPayouts, "sellers": m.readSellers,
	} {
		if err := do(ctx); err != nil {
			m.logger.ErrorContext(ctx, "round", "part", name, "error", err)
		}
	}
}

// settleOrders finds out how the payments of orders stand whose confirm was interrupted.
func (m *market) settleOrders(ctx context.Context) error {
	ids, err := m.texts(ctx, `SELECT id FROM orders WHERE state = 'confirming' AND look_at <= $1`, m.now().Unix())
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

// register stores a seller and registers them at Toss Payments. Making it again after a crash
// is the same registration: its idempotency key is made from the id.
func (m *market) register(ctx context.Context, ref, name string, account payouts.Account, person *payouts.Individual) error {
	if _, err := m.db.ExecContext(ctx, `INSERT INTO sellers (ref, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, ref, name); err != nil {
		return err
	}
	seller, err := m.payouts.RegisterSeller(ctx, payouts.RegisterSellerRequest{
		RefSellerID: ref, BusinessType: payouts.BusinessTypeIndividual, Individual: person, Account: account,
	}, tosspayments.WithIdempotencyKey("seller-"+ref))
	if err != nil {
		return err
	}
	return m.saveSeller(ctx, seller)
}

func (m *market) saveSeller(ctx context.Context, seller *payouts.Seller) error {
	_, err := m.db.ExecContext(ctx, `UPDATE sellers SET toss_id = $2, status = $3 WHERE ref = $1`, seller.RefSellerID, seller.ID, string(seller.Status))
	return err
}

// readSellers reads those who are not payable: an event about them may be lost.
func (m *market) readSellers(ctx context.Context) error {
	ids, err := m.texts(ctx, `SELECT toss_id FROM sellers WHERE toss_id <> '' AND status NOT IN ('APPROVED', 'PARTIALLY_APPROVED')`)
	for _, id := range ids {
		seller, readErr := m.payouts.GetSeller(ctx, id)
		if readErr == nil {
			readErr = m.saveSeller(ctx, seller)
		}
		err = errors.Join(err, readErr)
	}
	return err
}

// makeBatch writes down whom to pay what, and takes it out of the ledgers, before anything is
// requested. One batch at a time is open, whoever makes it.
func (m *market) makeBatch(ctx context.Context) error {
	balance, err := m.payouts.GetBalance(ctx)
	if err != nil {
		return err
	}
	available, _ := balance.AvailableAmount.Value.Int64()
	batch := rand.Text()
	return shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		mine, err := shop.Change(ctx, tx, `INSERT INTO batches (id) VALUES ($1) ON CONFLICT DO NOTHING`, batch)
		if err != nil || !mine {
			return err
		}
		due, err := owedTo(ctx, tx)
		if err != nil {
			return err
		}
		n := 0
		for _, d := range due {
			if n == mostPayouts || d.won > available {
				continue
			}
			available -= d.won
			n++
			ref := fmt.Sprintf("%s-%03d", batch, n)
			if _, err := tx.ExecContext(ctx, `INSERT INTO payouts (ref, batch, seller, destination, amount) VALUES ($1, $2, $3, $4, $5)`,
				ref, batch, d.seller, d.tossID, d.won); err != nil {
				return err
			}
			if err := enter(ctx, tx, "payout "+ref, d.seller, -d.won); err != nil {
				return err
			}
		}
		if n == 0 {
			_, err = tx.ExecContext(ctx, `DELETE FROM batches WHERE id = $1`, batch)
		}
		return err
	})
}

type due struct {
	seller, tossID string
	won            int64
}

// owedTo returns the payable sellers with what is owed to them.
func owedTo(ctx context.Context, tx *sql.Tx) (list []due, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT s.ref, s.toss_id, SUM(e.amount) FROM sellers s JOIN entries e ON e.seller = s.ref
		WHERE s.status IN ('APPROVED', 'PARTIALLY_APPROVED') GROUP BY s.ref, s.toss_id HAVING SUM(e.amount) >= $1 ORDER BY s.ref`, leastPayout)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var d due
		if err := rows.Scan(&d.seller, &d.tossID, &d.won); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// runBatches requests the open batch. It may be requested again at any time: with the same
// RefPayoutIDs it is the same request.
func (m *market) runBatches(ctx context.Context) error {
	ids, err := m.texts(ctx, `SELECT id FROM batches WHERE state = 'open' AND look_at <= $1`, m.now().Unix())
	for _, id := range ids {
		batch, batchErr := m.batch(ctx, id)
		if batchErr == nil {
			sent, err := m.payouts.RequestPayouts(ctx, batch)
			batchErr = m.recordBatch(ctx, id, sent, err)
		}
		err = errors.Join(err, batchErr)
	}
	return err
}

func (m *market) batch(ctx context.Context, id string) (batch []payouts.PayoutRequest, err error) {
	rows, err := m.db.QueryContext(ctx, `SELECT ref, destination, amount FROM payouts WHERE batch = $1 ORDER BY ref`, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		r := payouts.PayoutRequest{ScheduleType: payouts.ScheduleExpress, Amount: payouts.Won(0), TransactionDescription: "판매대금"}
		if err := rows.Scan(&r.RefPayoutID, &r.Destination, &r.Amount.Value); err != nil {
			return nil, err
		}
		batch = append(batch, r)
	}
	return batch, rows.Err()
}

// recordBatch writes down how the request of a batch has ended.
func (m *market) recordBatch(ctx context.Context, id string, sent []payouts.Payout, err error) error {
	state, code := "review", tosspayments.CodeOf(err)
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case err == nil:
		state = "requested"
	case outcome == tosspayments.OutcomeRefused:
		state = "refused"
	case outcome == tosspayments.OutcomeUnknown:
		m.logger.WarnContext(ctx, "payouts", "batch", id, "error", err)
		_, err := m.db.ExecContext(ctx, `UPDATE batches SET look_at = $2 WHERE id = $1 AND state = 'open'`, id, m.later())
		return err
	}
	if state != "requested" {
		m.logger.ErrorContext(ctx, "payouts", "batch", id, "state", state, "error", err)
	}
	return shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		changed, err := shop.Change(ctx, tx, `UPDATE batches SET state = $2, code = $3 WHERE id = $1 AND state = 'open'`, id, state, string(code))
		if err != nil || !changed {
			return err
		}
		for i := range sent {
			// An event may have come first.
			if _, err := tx.ExecContext(ctx, `UPDATE payouts SET state = 'requested', toss_id = $2, look_at = $3 WHERE ref = $1 AND state = 'new'`,
				sent[i].RefPayoutID, sent[i].ID, m.later()); err != nil {
				return err
			}
		}
		if state != "refused" {
			return nil
		}
		// The sellers get it with the next batch, under new RefPayoutIDs. One that cannot be
		// paid any more is left out, since the statuses are read before.
		if _, err := tx.ExecContext(ctx, `UPDATE sellers SET status = '' WHERE toss_id IN (SELECT destination FROM payouts WHERE batch = $1)`, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO entries (id, seller, amount) SELECT 'back ' || ref, seller, amount FROM payouts WHERE batch = $1 AND state = 'new'
			ON CONFLICT DO NOTHING`, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE payouts SET state = 'unpaid', code = $2 WHERE batch = $1 AND state = 'new'`, id, string(code))
		return err
	})
}

// checkPayouts reads payouts of which no event has come.
func (m *market) checkPayouts(ctx context.Context) error {
	ids, err := m.texts(ctx, `SELECT toss_id FROM payouts WHERE state = 'requested' AND look_at <= $1`, m.now().Unix())
	for _, id := range ids {
		payout, readErr := m.payouts.GetPayout(ctx, id)
		if readErr == nil {
			readErr = m.endPayout(ctx, payout)
		}
		err = errors.Join(err, readErr)
	}
	return err
}

// endPayout records what the bank has done. What it has not paid is owed again.
func (m *market) endPayout(ctx context.Context, p *payouts.Payout) error {
	if !p.Status.IsFinal() {
		_, err := m.db.ExecContext(ctx, `UPDATE payouts SET look_at = $2 WHERE ref = $1`, p.RefPayoutID, m.later())
		return err
	}
	state, code := "completed", tosspayments.ErrorCode("")
	if p.Status.IsUnpaid() {
		state = "unpaid"
		if p.Error != nil {
			code = p.Error.Code
		}
	}
	return shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		changed, err := shop.Change(ctx, tx, `UPDATE payouts SET state = $2, code = $3, toss_id = $4, look_at = 0 WHERE ref = $1 AND state IN ('new', 'requested')`,
			p.RefPayoutID, state, string(code), p.ID)
		if err != nil || !changed || state == "completed" {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO entries (id, seller, amount) SELECT 'back ' || ref, seller, amount FROM payouts WHERE ref = $1
			ON CONFLICT DO NOTHING`, p.RefPayoutID)
		return err
	})
}

// received takes events, which are verified by their signature. What a seller is now is read,
// since events may come late.
func (m *market) received(ctx context.Context, d webhook.Delivery) error {
	switch d.Event.Type {
	case webhook.PayoutChanged:
		payout, err := payouts.PayoutOf(d.Event)
		if err != nil {
			return err
		}
		return m.endPayout(ctx, payout)
	case webhook.SellerChanged:
		seller, err := payouts.SellerOf(d.Event)
		if err != nil {
			return err
		}
		if seller, err = m.payouts.GetSeller(ctx, seller.ID); err != nil {
			return err
		}
		return m.saveSeller(ctx, seller)
	}
	return nil
}

func (m *market) texts(ctx context.Context, query string, args ...any) (list []string, err error) {
	rows, err := m.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
