package tosspayments

import (
	"context"
	"iter"
	"time"
)

// LedgerEntry is one movement of money in the caller's own books.
type LedgerEntry struct {
	// TransactionKey identifies it: Payment.LastTransactionKey of the approval,
	// Cancel.TransactionKey of a cancel.
	TransactionKey string
	// Amount is more than 0 for an approval, less than 0 for a cancel.
	Amount Amount
	// Note is the caller's own, such as the order id.
	Note string
}

// DifferenceKind says how the books differ.
type DifferenceKind uint8

const (
	// DifferenceMissing: Toss Payments has it, the ledger does not.
	DifferenceMissing DifferenceKind = iota + 1
	// DifferenceExtra: the ledger has it, Toss Payments does not.
	DifferenceExtra
	// DifferenceAmount: both have it, with other amounts.
	DifferenceAmount
	// DifferenceRepeated: the ledger has it more than once.
	DifferenceRepeated
)

// String returns the kind in a few words.
func (k DifferenceKind) String() string {
	switch k {
	case DifferenceMissing:
		return "missing in the ledger"
	case DifferenceExtra:
		return "not known to Toss Payments"
	case DifferenceAmount:
		return "the amounts differ"
	case DifferenceRepeated:
		return "more than once in the ledger"
	default:
		return "unknown difference"
	}
}

// Difference is one movement on which the books do not agree.
type Difference struct {
	Kind           DifferenceKind
	TransactionKey string
	// Ledger is the caller's side; nil when it is missing there.
	Ledger *LedgerEntry
	// Transaction or Settlement is the other side, by what was compared; nil when it
	// is missing there.
	Transaction *Transaction
	Settlement  *Settlement
}

// ReconcileTransactions compares a ledger with the transactions of one day in Korea, to
// the won. Give it the movements of that day: a refund belongs to the day on which it
// was made, whatever the day of the payment. Compare a day that is over.
//
// Both sides are read side by side, and only rows without a counterpart so far are
// kept: give the ledger in the order of time. An error is yielded last; the
// differences "missing" and "extra" are known only at the end, so there are none with
// an error.
func (c *Client) ReconcileTransactions(ctx context.Context, day Date, ledger iter.Seq[LedgerEntry], opts ...CallOption) iter.Seq2[Difference, error] {
	query := TransactionQuery{StartDate: day.Start(), EndDate: day.AddDays(1).Start().Add(-time.Second), Limit: reconcilePage}
	return reconcile(ledger, c.AllTransactions(ctx, query, opts...), func(t Transaction) remoteEntry {
		return remoteEntry{t.TransactionKey, t.NetAmount(), Difference{Transaction: &t}}
	})
}

// ReconcileSettlements compares a ledger with the settlements of the movements of one
// day in Korea, as [Client.ReconcileTransactions] does. Settlements appear the day
// after, and with live keys only. They are asked for by their sold date, which for
// some merchants follows the settlement cycle and not the day of the movement: then
// rows of other days are missing or extra.
func (c *Client) ReconcileSettlements(ctx context.Context, day Date, ledger iter.Seq[LedgerEntry], opts ...CallOption) iter.Seq2[Difference, error] {
	query := SettlementQuery{StartDate: day, EndDate: day, DateType: SettlementSoldDate, Size: reconcilePage}
	return reconcile(ledger, c.AllSettlements(ctx, query, opts...), func(s Settlement) remoteEntry {
		return remoteEntry{s.TransactionKey, s.Amount, Difference{Settlement: &s}}
	})
}

const reconcilePage = 1000

// remoteEntry is one movement as Toss Payments has it.
type remoteEntry struct {
	key    string
	amount Amount
	row    Difference
}

// matcher holds the rows of each side that have no counterpart yet.
type matcher struct {
	ours   map[string]LedgerEntry
	theirs map[string]remoteEntry
	yield  func(Difference, error) bool
}

func reconcile[T any](ledger iter.Seq[LedgerEntry], remote iter.Seq2[T, error], entry func(T) remoteEntry) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		next, stop := iter.Pull(ledger)
		defer stop()
		m := matcher{map[string]LedgerEntry{}, map[string]remoteEntry{}, yield}
		for row, err := range remote {
			if err != nil {
				yield(Difference{}, err)
				return
			}
			if !m.addTheirs(entry(row)) {
				return
			}
			if e, ok := next(); ok && !m.addOurs(e) {
				return
			}
		}
		for e, ok := next(); ok; e, ok = next() {
			if !m.addOurs(e) {
				return
			}
		}
		m.rest()
	}
}

func (m *matcher) addTheirs(theirs remoteEntry) bool {
	ours, ok := m.ours[theirs.key]
	if !ok {
		m.theirs[theirs.key] = theirs
		return true
	}
	delete(m.ours, theirs.key)
	return m.compare(ours, theirs)
}

func (m *matcher) addOurs(ours LedgerEntry) bool {
	if _, again := m.ours[ours.TransactionKey]; again {
		return m.yield(Difference{Kind: DifferenceRepeated, TransactionKey: ours.TransactionKey, Ledger: &ours}, nil)
	}
	theirs, ok := m.theirs[ours.TransactionKey]
	if !ok {
		m.ours[ours.TransactionKey] = ours
		return true
	}
	delete(m.theirs, ours.TransactionKey)
	return m.compare(ours, theirs)
}

func (m *matcher) compare(ours LedgerEntry, theirs remoteEntry) bool {
	if ours.Amount == theirs.amount {
		return true
	}
	d := theirs.row
	d.Kind, d.TransactionKey, d.Ledger = DifferenceAmount, theirs.key, &ours
	return m.yield(d, nil)
}

func (m *matcher) rest() {
	for key, theirs := range m.theirs {
		d := theirs.row
		d.Kind, d.TransactionKey = DifferenceMissing, key
		if !m.yield(d, nil) {
			return
		}
	}
	for key, ours := range m.ours {
		if !m.yield(Difference{Kind: DifferenceExtra, TransactionKey: key, Ledger: &ours}, nil) {
			return
		}
	}
}
