package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/reconcile"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// A day on which the shop has booked 14,000 won for a payment of 15,000. The server here
// is tosstest; in production the client comes from tosspayments.New.
func Example() {
	server := tosstest.New()
	client := server.Client()
	ctx := context.Background()

	amount := tosspayments.Won(15000)
	request, err := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: amount}).ConfirmRequest(amount)
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := client.ConfirmPayment(ctx, request)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The ledger is read row by row, as from a database. Yield an error and the
	// comparison ends with it.
	ledger := func(yield func(reconcile.Entry, error) bool) {
		yield(reconcile.Entry{TransactionKey: payment.LastTransactionKey, Amount: tosspayments.Won(14000), Note: payment.OrderID}, nil)
	}
	for difference, err := range reconcile.Transactions(ctx, client, tosspayments.DateOf(server.Now()), ledger) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(difference.Kind, difference.Ledger.Note, difference.Ledger.Amount, difference.Transaction.Amount)
	}
	// Output: amount order-0001 14000 15000
}

// A month, compared by a job that may be killed at any time. The last day that was
// compared to the end is stored together with its differences, and the next run goes on
// behind it.
func ExampleTransactions_month() {
	client := tosstest.New().Client()

	// These stand for two tables of the shop.
	lastDay := tosspayments.Date{Year: 2026, Month: time.February, Day: 28}
	var differences []reconcile.Difference

	run := func(ctx context.Context, ledger func(tosspayments.Date) iter.Seq2[reconcile.Entry, error]) error {
		end := tosspayments.Date{Year: 2026, Month: time.March, Day: 31}
		for day := lastDay.AddDays(1); day.Compare(end) <= 0; day = day.AddDays(1) {
			var found []reconcile.Difference
			for difference, err := range reconcile.Transactions(ctx, client, day, ledger(day)) {
				if err != nil {
					return fmt.Errorf("%s: %w", day, err)
				}
				found = append(found, difference)
			}
			// Store both in one database transaction.
			differences, lastDay = append(differences, found...), day
		}
		return nil
	}

	fails := true
	ledger := func(day tosspayments.Date) iter.Seq2[reconcile.Entry, error] {
		return func(yield func(reconcile.Entry, error) bool) {
			switch {
			case day.Day == 10:
				yield(reconcile.Entry{TransactionKey: "A1B2C3", Amount: tosspayments.Won(15000), Note: "order-0001"}, nil)
			case day.Day == 15 && fails:
				yield(reconcile.Entry{}, errors.New("the database is being restarted"))
			}
		}
	}
	fmt.Println(run(context.Background(), ledger))
	fmt.Println("done until", lastDay)
	fails = false
	fmt.Println(run(context.Background(), ledger))
	fmt.Println("done until", lastDay)
	for _, difference := range differences {
		fmt.Println(difference)
	}
	// Output:
	// 2026-03-15: the database is being restarted
	// done until 2026-03-14
	// <nil>
	// done until 2026-03-31
	// extra "A1B2C3": the ledger has 15000 (note "order-0001"), Toss Payments has nothing
}

// What will be paid out for a day. With a test key the list of Toss Payments is empty, so
// the shop's row is one that they do not have.
func ExampleSettlements() {
	server := tosstest.New()
	ledger := func(yield func(reconcile.Entry, error) bool) {
		yield(reconcile.Entry{TransactionKey: "A1B2C3", Amount: tosspayments.Won(15000), Note: "order-0001"}, nil)
	}
	day := tosspayments.DateOf(server.Now().AddDate(0, 0, -1))
	for difference, err := range reconcile.Settlements(context.Background(), server.Client(), day, ledger) {
		fmt.Println(difference, err)
	}
	// Output: extra "A1B2C3": the ledger has 15000 (note "order-0001"), Toss Payments has nothing <nil>
}
