// Package reconcile compares a merchant's own books with those of Toss Payments, one day
// at a time and to the won. It finds what crashes, lost webhooks and refunds made in the
// dashboard have left behind.
//
// The caller records each movement of money as an [Entry]: an approval or a cancel, with
// its transaction key and the time that Toss Payments gives it. When the day is over in
// Korea, [Transactions] reads the day's list and yields what differs:
//
//	for difference, err := range reconcile.Transactions(ctx, client, day, ledger) {
//		if err != nil {
//			return err // nothing is known about this day yet: compare it again
//		}
//		fmt.Println(difference)
//	}
//
// What to call:
//
//   - To compare what was paid and refunded on a day, call [Transactions].
//   - To compare what is paid out to the merchant for a day, call [Settlements].
//   - To compare a longer period, loop over its days; the last day that was compared to
//     the end is all that the next run has to know, as the example (Month) of
//     [Transactions] shows.
package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/ofread"
)

// pageSize is how many rows are asked for at once.
const pageSize = 1000

// Entry is one movement of money in the caller's own books.
type Entry struct {
	// TransactionKey identifies the movement: Payment.LastTransactionKey when a payment
	// is approved, Cancel.TransactionKey of a cancel.
	TransactionKey string
	// Amount is positive for an approval and negative for a cancel.
	Amount tosspayments.Amount
	// Note is the caller's own, such as the order id. It is printed with a difference.
	Note string
}

// Kind is how the books differ.
type Kind string

const (
	// Missing: Toss Payments has the movement, the ledger does not.
	Missing Kind = "missing"
	// Extra: the ledger has the movement, Toss Payments does not.
	Extra Kind = "extra"
	// AmountDiffers: both have the movement, with different amounts.
	AmountDiffers Kind = "amount"
	// Repeated: one side has the movement more than once. There is one such difference
	// for each time after the first.
	Repeated Kind = "repeated"
)

// Difference is one movement on which the books do not agree. Kind says which of the
// other fields are set; of a repeated movement it is the side that repeats it.
type Difference struct {
	Kind           Kind
	TransactionKey string
	// Ledger is the caller's side.
	Ledger *Entry
	// Transaction or Settlement is the side of Toss Payments, by what was compared.
	Transaction *tosspayments.Transaction
	Settlement  *tosspayments.Settlement
}

// String describes the difference in one line for people, such as:
//
//	missing "A1B2": Toss Payments has 15000 (order "order-0001"), the ledger has nothing
func (d Difference) String() string {
	what := fmt.Sprintf("%s %q", d.Kind, d.TransactionKey)
	switch d.Kind {
	case Missing:
		return fmt.Sprintf("%s: Toss Payments has %s, the ledger has nothing", what, d.theirs())
	case Extra:
		return fmt.Sprintf("%s: the ledger has %s, Toss Payments has nothing", what, d.ours())
	case AmountDiffers:
		return fmt.Sprintf("%s: the ledger has %s, Toss Payments has %s", what, d.ours(), d.theirs())
	case Repeated:
		if d.Ledger != nil {
			return fmt.Sprintf("%s: the ledger has %s once more", what, d.ours())
		}
		return fmt.Sprintf("%s: Toss Payments has %s once more", what, d.theirs())
	}
	return what
}

func (d *Difference) ours() string {
	if d.Ledger == nil {
		return "nothing"
	}
	return amountOf(d.Ledger.Amount, "note", d.Ledger.Note)
}

func (d *Difference) theirs() string {
	switch {
	case d.Transaction != nil:
		return amountOf(d.Transaction.NetAmount(), "order", d.Transaction.OrderID)
	case d.Settlement != nil:
		return amountOf(d.Settlement.Amount, "order", d.Settlement.OrderID)
	}
	return "nothing"
}

func amountOf(amount tosspayments.Amount, name, text string) string {
	if text == "" {
		return amount.String()
	}
	return fmt.Sprintf("%s (%s %q)", amount, name, text)
}

// Transactions compares a ledger with the transactions of one day in Korea and yields the
// differences. The ledger holds the movements of that day; a refund belongs to the day on
// which it was made, whatever the day of the payment. Compare a day that is over, since
// the list of today still grows.
//
// Each side counts a movement once, and reports it as [Repeated] wherever it stands again.
// Rows without a transaction key are never taken for each other: each is a difference.
// Transactions that move no money, such as an account that waits for its deposit, are left
// out; a status that this version does not know counts as money.
//
// If the ledger or the list of Toss Payments ends with an error, that error is yielded
// last, as it is. Until then only differences have been yielded that hold in any case:
// what is [Missing] or [Extra] is known only when both sides have been read to the end.
//
// Both sides are read side by side. In memory are the rows without a counterpart so far,
// which are few if the ledger is in the order of time, and the keys of the others.
func Transactions(ctx context.Context, client *tosspayments.Client, day tosspayments.Date, ledger iter.Seq2[Entry, error], opts ...tosspayments.CallOption) iter.Seq2[Difference, error] {
	if day.IsZero() {
		return failed(ofread.Mark(&tosspayments.ValidationError{Field: "day", Reason: "is missing"}))
	}
	query := tosspayments.TransactionQuery{StartDate: day.Start(), EndDate: day.AddDays(1).Start().Add(-time.Second), Limit: pageSize}
	list := client.AllTransactions(ctx, query, opts...)
	return compare(ledger, func(yield func(row, error) bool) {
		for t, err := range list {
			if err == nil && !movesMoney(t.Status) {
				continue
			}
			if !yield(row{Difference: Difference{TransactionKey: t.TransactionKey, Transaction: &t}, amount: t.NetAmount()}, err) {
				return
			}
		}
	})
}

// Settlements compares a ledger with the settlements of the movements of one day in Korea,
// as [Transactions] does with the transactions. Settlements appear the day after, and with
// live keys only: a test key reads an empty list.
//
// They are asked for by their sold date, which for some merchants follows the settlement
// cycle and not the day of the movement. There, what is missing on one day is extra on
// another: compare it again after the cycle.
func Settlements(ctx context.Context, client *tosspayments.Client, day tosspayments.Date, ledger iter.Seq2[Entry, error], opts ...tosspayments.CallOption) iter.Seq2[Difference, error] {
	query := tosspayments.SettlementQuery{StartDate: day, EndDate: day, DateType: tosspayments.SettlementSoldDate, Size: pageSize}
	list := client.AllSettlements(ctx, query, opts...)
	return compare(ledger, func(yield func(row, error) bool) {
		for s, err := range list {
			if !yield(row{Difference: Difference{TransactionKey: s.TransactionKey, Settlement: &s}, amount: s.Amount}, err) {
				return
			}
		}
	})
}

// movesMoney reports whether a transaction of this status is a movement. An unknown
// status is: what nobody can judge must not vanish from the books.
func movesMoney(status tosspayments.PaymentStatus) bool {
	switch status {
	case tosspayments.PaymentStatusReady, tosspayments.PaymentStatusInProgress, tosspayments.PaymentStatusWaitingForDeposit,
		tosspayments.PaymentStatusAborted, tosspayments.PaymentStatusExpired:
		return false
	}
	return true
}

func failed(err error) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) { yield(Difference{}, err) }
}

// row is one movement as one side has it: a difference of which that side is filled in.
type row struct {
	Difference
	amount tosspayments.Amount
	// place is when the row was read.
	place int
}

func (r *row) isOurs() bool { return r.Ledger != nil }

// as is the difference of this kind.
func (r *row) as(kind Kind) Difference {
	d := r.Difference
	d.Kind = kind
	return d
}

func compare(ledger iter.Seq2[Entry, error], theirs iter.Seq2[row, error]) iter.Seq2[Difference, error] {
	ours := func(yield func(row, error) bool) {
		for e, err := range ledger {
			if !yield(row{Difference: Difference{TransactionKey: e.TransactionKey, Ledger: &e}, amount: e.Amount}, err) {
				return
			}
		}
	}
	return func(yield func(Difference, error) bool) {
		m := matcher{ours: map[string]row{}, theirs: map[string]row{}, paired: map[string]bool{}}
		for r, err := range sideBySide(ours, theirs) {
			if err != nil {
				yield(Difference{}, err)
				return
			}
			if d, differs := m.add(r); differs && !yield(d, nil) {
				return
			}
		}
		for _, r := range m.rest() {
			kind := Missing
			if r.isOurs() {
				kind = Extra
			}
			if !yield(r.as(kind), nil) {
				return
			}
		}
	}
}

// sideBySide takes a row of each side in turn.
func sideBySide(ours, theirs iter.Seq2[row, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		next, stop := iter.Pull2(ours)
		defer stop()
		for r, err := range theirs {
			if !yield(r, err) {
				return
			}
			if r, err, ok := next(); ok && !yield(r, err) {
				return
			}
		}
		for r, err, ok := next(); ok; r, err, ok = next() {
			if !yield(r, err) {
				return
			}
		}
	}
}

// matcher pairs the rows of both sides by their keys.
type matcher struct {
	// ours and theirs are the rows that have no counterpart so far.
	ours, theirs map[string]row
	// paired are the keys of those that have one.
	paired  map[string]bool
	keyless []row
	read    int
}

// add takes the next row, and returns the difference that is now certain, if any.
func (m *matcher) add(r row) (d Difference, differs bool) {
	m.read++
	r.place = m.read
	same, other := m.ours, m.theirs
	if !r.isOurs() {
		same, other = other, same
	}
	key := r.TransactionKey
	_, waiting := same[key]
	counterpart, found := other[key]
	switch {
	case key == "":
		m.keyless = append(m.keyless, r)
	case waiting || m.paired[key]:
		return r.as(Repeated), true
	case found:
		delete(other, key)
		m.paired[key] = true
		if r.amount != counterpart.amount {
			return unequal(r, counterpart), true
		}
	default:
		same[key] = r
	}
	return Difference{}, false
}

// unequal is the difference between the amounts of both sides.
func unequal(a, b row) Difference {
	if a.isOurs() {
		a, b = b, a
	}
	d := a.as(AmountDiffers)
	d.Ledger = b.Ledger
	return d
}

// rest returns the rows that have found no counterpart, in the order in which they were read.
func (m *matcher) rest() []row {
	rows := slices.AppendSeq(m.keyless, maps.Values(m.ours))
	rows = slices.AppendSeq(rows, maps.Values(m.theirs))
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.place, b.place) })
	return rows
}
