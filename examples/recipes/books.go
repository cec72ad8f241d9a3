package recipes

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/reconcile"
)

// Movement is a row of the shop's own books: an approval, or a refund.
type Movement struct {
	reconcile.Entry
	// At is the time that Toss Payments gives, not the shop's clock: it decides to which
	// day the movement belongs.
	At time.Time
}

// ApprovalOf is the movement of a payment that has just been approved, or deposited.
func ApprovalOf(payment *tosspayments.Payment) (Movement, bool) {
	if payment.ApprovedAt.IsZero() || len(payment.Cancels) > 0 {
		// Not paid, or cancelled since: then LastTransactionKey is that of the cancel.
		return Movement{}, false
	}
	return Movement{reconcile.Entry{
		TransactionKey: payment.LastTransactionKey, Amount: payment.TotalAmount, Note: payment.OrderID,
	}, payment.ApprovedAt}, true
}

// RefundsOf are the movements of the cancels of a payment.
func RefundsOf(payment *tosspayments.Payment) (movements []Movement) {
	if payment.ApprovedAt.IsZero() {
		return nil // an account was cancelled before the deposit: no money has moved
	}
	for _, c := range payment.Cancels {
		if c.CancelStatus == tosspayments.CancelStatusInProgress || c.CancelStatus == tosspayments.CancelStatusAborted {
			continue
		}
		movements = append(movements, Movement{reconcile.Entry{
			TransactionKey: c.TransactionKey, Amount: tosspayments.Won(0).Sub(c.CancelAmount), Note: payment.OrderID,
		}, c.CanceledAt})
	}
	return movements
}

// Book records a movement. Recording it again does nothing.
func Book(ctx context.Context, db *sql.DB, m Movement) error {
	_, err := db.ExecContext(ctx,
		`INSERT INTO movements (transaction_key, order_id, amount, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		m.TransactionKey, m.Note, m.Amount, m.At.Unix())
	return err
}

// Ledger reads the movements of a day in Korea.
func Ledger(ctx context.Context, db *sql.DB, day tosspayments.Date) iter.Seq2[reconcile.Entry, error] {
	return func(yield func(reconcile.Entry, error) bool) {
		rows, err := db.QueryContext(ctx,
			`SELECT transaction_key, order_id, amount FROM movements WHERE at >= $1 AND at < $2 ORDER BY at`,
			day.Start().Unix(), day.AddDays(1).Start().Unix())
		if err != nil {
			yield(reconcile.Entry{}, err)
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var entry reconcile.Entry
			err := rows.Scan(&entry.TransactionKey, &entry.Note, &entry.Amount)
			if !yield(entry, err) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(reconcile.Entry{}, err) // half a ledger would make false differences
		}
	}
}

// CloseDay compares the shop's books of a day with Toss Payments. After an error there
// are no differences: run the day again.
func (s *Shop) CloseDay(ctx context.Context, db *sql.DB, day tosspayments.Date) ([]reconcile.Difference, error) {
	if time.Now().Before(day.AddDays(1).Start()) {
		return nil, fmt.Errorf("%s is not over", day)
	}
	return collect(reconcile.Transactions(ctx, s.Toss, day, Ledger(ctx, db, day)))
}

// CompareSettlements compares the same books with the settlements of a day of sale.
func (s *Shop) CompareSettlements(ctx context.Context, db *sql.DB, day tosspayments.Date) ([]reconcile.Difference, error) {
	return collect(reconcile.Settlements(ctx, s.Toss, day, Ledger(ctx, db, day)))
}

func collect(found iter.Seq2[reconcile.Difference, error]) (differences []reconcile.Difference, err error) {
	for difference, err := range found {
		if err != nil {
			return nil, err
		}
		differences = append(differences, difference)
	}
	return differences, nil
}

// CloseDays closes each day from first to last that is not closed yet. It may be killed
// at any time: a day and its differences are one row, and the next run goes on with the
// days that have none.
func (s *Shop) CloseDays(ctx context.Context, db *sql.DB, first, last tosspayments.Date) error {
	for day := first; day.Compare(last) <= 0; day = day.AddDays(1) {
		var closed bool
		err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM closed_days WHERE day = $1)`, day.String()).Scan(&closed)
		if err != nil {
			return err
		}
		if closed {
			continue
		}
		differences, err := s.CloseDay(ctx, db, day)
		if err != nil {
			return fmt.Errorf("%s: %w", day, err)
		}
		var report strings.Builder
		for _, difference := range differences {
			fmt.Fprintln(&report, difference)
		}
		_, err = db.ExecContext(ctx, `INSERT INTO closed_days (day, differences) VALUES ($1, $2) ON CONFLICT DO NOTHING`, day.String(), report.String())
		if err != nil {
			return err
		}
	}
	return nil
}

// PaidOut adds up what should arrive on the shop's bank account on a day.
func (s *Shop) PaidOut(ctx context.Context, day tosspayments.Date) (sum tosspayments.Amount, err error) {
	query := tosspayments.SettlementQuery{StartDate: day, EndDate: day, DateType: tosspayments.SettlementPaidOutDate, Size: 1000}
	for row, err := range s.Toss.AllSettlements(ctx, query) {
		if err != nil {
			return tosspayments.Amount{}, err
		}
		sum = sum.Add(row.PayOutAmount)
	}
	return sum, nil
}

// Reconcile compares a day of the shop's own books with Toss Payments.
func (s *Shop) Reconcile(ctx context.Context, ledger iter.Seq2[reconcile.Entry, error]) error {
	yesterday := tosspayments.DateOf(time.Now()).AddDays(-1)
	for difference, err := range reconcile.Transactions(ctx, s.Toss, yesterday, ledger) {
		if err != nil {
			return err
		}
		fmt.Println(difference)
	}
	return nil
}
