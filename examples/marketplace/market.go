package main

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

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
	status  TEXT NOT NULL DEFAULT '',
	made_at BIGINT NOT NULL,
	look_at BIGINT NOT NULL                -- for a registration that was interrupted
);
CREATE TABLE IF NOT EXISTS orders (
	id TEXT PRIMARY KEY, seller TEXT NOT NULL, amount BIGINT NOT NULL,
	refunded BIGINT NOT NULL DEFAULT 0,
	state TEXT NOT NULL DEFAULT 'new',     -- new, confirming, paid, failed, review
	payment_key TEXT NOT NULL DEFAULT '', idempotency_key TEXT NOT NULL DEFAULT '', key_id TEXT NOT NULL DEFAULT '',
	made_at BIGINT NOT NULL,
	look_at BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS refunds (
	id TEXT PRIMARY KEY,                   -- RefundID
	order_id TEXT NOT NULL, amount BIGINT NOT NULL,
	refundable BIGINT NOT NULL,            -- what was left when it was planned
	state TEXT NOT NULL DEFAULT 'open',    -- open, done, refused, review
	code TEXT NOT NULL DEFAULT '',
	made_at BIGINT NOT NULL,
	look_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_refund_at_a_time ON refunds (order_id) WHERE state IN ('open', 'review');
-- What the marketplace owes to a seller is the sum of the seller's entries; below 0 the
-- seller owes it. The id says what an entry is for, so that nothing is entered twice.
CREATE TABLE IF NOT EXISTS entries (
	id TEXT PRIMARY KEY, seller TEXT NOT NULL, amount BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
	id TEXT PRIMARY KEY,
	state TEXT NOT NULL DEFAULT 'open',    -- open, requested, refused, review
	code TEXT NOT NULL DEFAULT '',
	made_at BIGINT NOT NULL,
	look_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS one_open_batch ON batches (state) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS payouts (
	ref TEXT PRIMARY KEY,                  -- refPayoutId
	batch TEXT NOT NULL, seller TEXT NOT NULL, destination TEXT NOT NULL, amount BIGINT NOT NULL,
	state TEXT NOT NULL DEFAULT 'new',     -- new, requested, completed, unpaid
	toss_id TEXT NOT NULL DEFAULT '',
	code TEXT NOT NULL DEFAULT '',
	made_at BIGINT NOT NULL,
	look_at BIGINT NOT NULL DEFAULT 0
);`

// commission is what the marketplace keeps of a sale, in per cent.
const commission = 10

// share is what a seller gets of what is left of a sale.
func share(won int64) int64 { return won - won*commission/100 }

type market struct {
	db      *sql.DB
	toss    *shop.Toss
	payouts *payouts.Client
	pages   *shop.Pages
	logger  *slog.Logger
	limits  shop.Limiter
	// again is how long what is not known yet is left alone.
	again time.Duration
	now   func() time.Time
}

func (m *market) later() int64 { return m.now().Add(m.again).Unix() }

// round does what is due: it may be run by every instance at any time.
func (m *market) round(ctx context.Context) {
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"orders", m.settleOrders}, {"refunds", m.runRefunds},
		{"registrations", m.findSellers}, {"sellers", m.readSellers},
		{"batch", m.makeBatch}, {"request", m.runBatches}, {"payouts", m.checkPayouts},
	} {
		if err := part.do(ctx); err != nil {
			m.logger.ErrorContext(ctx, "round", "part", part.name, "error", err)
		}
	}
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

// enter writes an entry into the ledger of a seller, unless it is there.
func enter(ctx context.Context, db shop.Execer, id, seller string, won int64) error {
	_, err := db.ExecContext(ctx, `INSERT INTO entries (id, seller, amount) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, id, seller, won)
	return err
}

// takeBack writes the reverse of an entry, unless it is there.
func takeBack(ctx context.Context, db shop.Execer, id string) error {
	_, err := db.ExecContext(ctx, `INSERT INTO entries (id, seller, amount) SELECT 'back ' || id, seller, -amount FROM entries WHERE id = $1
		ON CONFLICT DO NOTHING`, id)
	return err
}
