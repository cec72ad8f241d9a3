package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/payouts"
)

const (
	// leastPayout is what has to be owed before it is paid out.
	leastPayout = 1000
	// A batch has at most 100 payouts.
	mostPayouts = 100
)

// makeBatch writes down whom to pay what, and takes it out of the ledgers, before anything is
// requested. One batch at a time is open, whoever makes it.
func (m *market) makeBatch(ctx context.Context) error {
	balance, err := m.payouts.GetBalance(ctx)
	if err != nil {
		return err
	}
	available, _ := balance.AvailableAmount.Value.Int64()
	batch, now := rand.Text(), m.now().Unix()
	return shop.InTransaction(ctx, m.db, func(tx *sql.Tx) error {
		mine, err := shop.Change(ctx, tx, `INSERT INTO batches (id, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, batch, now)
		if err != nil || !mine {
			return err
		}
		owed, err := owedTo(ctx, tx)
		if err != nil {
			return err
		}
		n := 0
		for _, d := range owed {
			if n == mostPayouts || d.won > available {
				continue
			}
			available -= d.won
			n++
			ref := fmt.Sprintf("%s-%03d", batch, n)
			if _, err := tx.ExecContext(ctx, `INSERT INTO payouts (ref, batch, seller, destination, amount, made_at) VALUES ($1, $2, $3, $4, $5, $6)`,
				ref, batch, d.seller, d.tossID, d.won, now); err != nil {
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
func owedTo(ctx context.Context, tx *sql.Tx) ([]due, error) {
	return shop.List(ctx, tx, func(rows *sql.Rows) (d due, err error) { return d, rows.Scan(&d.seller, &d.tossID, &d.won) },
		`SELECT s.ref, s.toss_id, SUM(e.amount) FROM sellers s JOIN entries e ON e.seller = s.ref
		WHERE s.status IN ('APPROVED', 'PARTIALLY_APPROVED') GROUP BY s.ref, s.toss_id HAVING SUM(e.amount) >= $1 ORDER BY s.ref`, leastPayout)
}

// runBatches requests the open batch. It may be requested again at any time: with the same
// RefPayoutIDs it is the same request.
func (m *market) runBatches(ctx context.Context) error {
	ids, err := shop.Texts(ctx, m.db, `SELECT id FROM batches WHERE state = 'open' AND look_at <= $1`, m.now().Unix())
	for _, id := range ids {
		sent, requestErr := m.request(ctx, id)
		err = errors.Join(err, m.recordBatch(ctx, id, sent, requestErr))
	}
	return err
}

// keysLast is how long Toss Payments is sure to know the key of a batch: 15 days, less one.
const keysLast = 14 * 24 * time.Hour

var errTooOld = errors.New("the batch was not found, and is too old to be requested again")

// request requests a batch. One that is too old is only looked for.
func (m *market) request(ctx context.Context, id string) ([]payouts.Payout, error) {
	var madeAt int64
	if err := m.db.QueryRowContext(ctx, `SELECT made_at FROM batches WHERE id = $1`, id).Scan(&madeAt); err != nil {
		return nil, err
	}
	batch, err := shop.List(ctx, m.db, func(rows *sql.Rows) (payouts.PayoutRequest, error) {
		r := payouts.PayoutRequest{ScheduleType: payouts.ScheduleExpress, Amount: payouts.Won(0), TransactionDescription: "판매대금"}
		return r, rows.Scan(&r.RefPayoutID, &r.Destination, &r.Amount.Value)
	}, `SELECT ref, destination, amount FROM payouts WHERE batch = $1 ORDER BY ref`, id)
	if err != nil {
		return nil, err
	}
	if m.now().Sub(time.Unix(madeAt, 0)) < keysLast {
		return m.payouts.RequestPayouts(ctx, batch)
	}
	sent, err := m.payouts.FindPayouts(ctx, batch)
	if err == nil && len(sent) == 0 {
		err = errTooOld
	}
	return sent, err
}

// recordBatch writes down how the request of a batch has ended.
func (m *market) recordBatch(ctx context.Context, id string, sent []payouts.Payout, err error) error {
	ctx = context.WithoutCancel(ctx)
	state, code := "review", tosspayments.CodeOf(err) // a person looks
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case err == nil:
		state = "requested"
	case outcome == tosspayments.OutcomeRefused:
		state = "refused"
	case outcome == tosspayments.OutcomeUnknown && !errors.Is(err, errTooOld):
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
		return giveUp(ctx, tx, id, code)
	})
}

// giveUp writes off the payouts of a refused batch: the sellers get it with the next one, under
// new RefPayoutIDs. One who cannot be paid any more is left out, since the statuses are read
// before.
func giveUp(ctx context.Context, tx *sql.Tx, batch string, code tosspayments.ErrorCode) error {
	if _, err := tx.ExecContext(ctx, `UPDATE sellers SET status = '' WHERE toss_id IN (SELECT destination FROM payouts WHERE batch = $1)`, batch); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO entries (id, seller, amount) SELECT 'back payout ' || ref, seller, amount FROM payouts
		WHERE batch = $1 AND state = 'new' ON CONFLICT DO NOTHING`, batch); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE payouts SET state = 'unpaid', code = $2 WHERE batch = $1 AND state = 'new'`, batch, string(code))
	return err
}

// checkPayouts reads payouts of which no event has come.
func (m *market) checkPayouts(ctx context.Context) error {
	ids, err := shop.Texts(ctx, m.db, `SELECT toss_id FROM payouts WHERE state = 'requested' AND look_at <= $1`, m.now().Unix())
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
		return takeBack(ctx, tx, "payout "+p.RefPayoutID)
	})
}
