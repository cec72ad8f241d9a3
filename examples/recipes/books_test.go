package recipes

import (
	"database/sql"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/reconcile"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// books is a database with the tables of the guide.
func books(t *testing.T) *sql.DB {
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(t.Context(), `CREATE TABLE movements (
  transaction_key TEXT   PRIMARY KEY,
  order_id        TEXT   NOT NULL,
  amount          BIGINT NOT NULL,
  at              BIGINT NOT NULL
);
CREATE TABLE closed_days (
  day         TEXT PRIMARY KEY,
  differences TEXT NOT NULL
)`)
	require.NoError(t, err)
	return db
}

func TestADaysBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, db := tosstest.New(), books(t)
		shop := &Shop{Toss: server.Client()}
		pay := func(id string) *tosspayments.Payment {
			request, err := server.Authenticate(tosstest.Checkout{OrderID: id, OrderName: "원두", Amount: tosspayments.Won(15000)}).ConfirmRequest(tosspayments.Won(15000))
			require.NoError(t, err)
			payment, err := shop.Toss.ConfirmPayment(t.Context(), request)
			require.NoError(t, err)
			return payment
		}
		book := func(payment *tosspayments.Payment) {
			if m, ok := ApprovalOf(payment); ok {
				require.NoError(t, Book(t.Context(), db, m))
			}
			for _, m := range RefundsOf(payment) {
				require.NoError(t, Book(t.Context(), db, m))
			}
		}
		today := tosspayments.DateOf(time.Now())
		_, err := shop.CloseDay(t.Context(), db, today)
		require.Error(t, err, "the day is not over")

		first := pay("order-0001")
		book(first)
		book(first) // the same payment by another road
		lost := pay("order-0002")
		account, err := shop.Toss.IssueVirtualAccount(t.Context(), tosspayments.IssueVirtualAccountRequest{
			OrderID: "order-0003", OrderName: "원두", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
		})
		require.NoError(t, err)
		withdrawn, err := shop.Toss.CancelPayment(t.Context(), account.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "변심"})
		require.NoError(t, err)
		book(withdrawn)

		time.Sleep(24 * time.Hour)
		refunded, err := shop.Toss.CancelPayment(t.Context(), first.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "변심"})
		require.NoError(t, err)
		book(refunded)
		differences, err := shop.CloseDay(t.Context(), db, today)
		require.NoError(t, err)
		require.Len(t, differences, 1)
		assert.Equal(t, reconcile.Missing, differences[0].Kind)
		assert.Equal(t, lost.PaymentKey, differences[0].Transaction.PaymentKey)

		time.Sleep(24 * time.Hour)
		differences, err = shop.CloseDay(t.Context(), db, today.AddDays(1))
		require.NoError(t, err)
		assert.Empty(t, differences, "the refund belongs to its own day")

		book(lost)
		require.NoError(t, Book(t.Context(), db, Movement{reconcile.Entry{
			TransactionKey: "nobody-knows", Note: "order-0009", Amount: tosspayments.Won(1),
		}, today.Start()}))
		differences, err = shop.CompareSettlements(t.Context(), db, today)
		require.NoError(t, err)
		require.Len(t, differences, 1)
		assert.Equal(t, reconcile.Extra, differences[0].Kind)
		assert.Equal(t, "order-0009", differences[0].Ledger.Note)

		sum := tosspayments.Won(0)
		for n := range 7 {
			paidOut, err := shop.PaidOut(t.Context(), today.AddDays(n))
			require.NoError(t, err)
			sum = sum.Add(paidOut)
			assert.Equal(t, n < 3, sum.IsZero(), "sold on a Saturday, paid out two business days later")
		}
		assert.Equal(t, tosspayments.Won(15000-462), sum, "two sales and a refund, less the fees")

		server.Inject(tosstest.Fault{Operation: tosstest.ListTransactions, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey})
		differences, err = shop.CloseDay(t.Context(), db, today)
		require.ErrorIs(t, err, tosspayments.ErrUnauthorizedKey)
		assert.Empty(t, differences)
		require.NoError(t, db.Close())
		differences, err = shop.CloseDay(t.Context(), db, today)
		require.Error(t, err, "half a ledger is no ledger")
		assert.Empty(t, differences)
	})
}

func TestMovements(t *testing.T) {
	payment := &tosspayments.Payment{
		OrderID: "order-0001", TotalAmount: tosspayments.Won(15000), LastTransactionKey: "T3", ApprovedAt: time.Unix(100, 0),
		Cancels: []tosspayments.Cancel{
			{TransactionKey: "T2", CancelAmount: tosspayments.Won(5000), CancelStatus: "DONE", CanceledAt: time.Unix(200, 0)},
			{TransactionKey: "T3", CancelAmount: tosspayments.Won(1), CancelStatus: "IN_PROGRESS"},
		},
	}
	_, ok := ApprovalOf(payment)
	assert.False(t, ok, "T3 is not the approval")
	assert.Equal(t, []Movement{{reconcile.Entry{TransactionKey: "T2", Amount: tosspayments.Won(-5000), Note: "order-0001"}, time.Unix(200, 0)}}, RefundsOf(payment))
}

// TestClosingDaysGoesOn: what stops a run costs the day that it was at.
func TestClosingDaysGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, db := tosstest.New(), books(t)
		shop := &Shop{Toss: server.Client()}
		first := tosspayments.DateOf(time.Now())
		time.Sleep(6 * 24 * time.Hour)
		book := func(key string, day tosspayments.Date) {
			require.NoError(t, Book(t.Context(), db, Movement{reconcile.Entry{TransactionKey: key, Note: "order-" + key, Amount: tosspayments.Won(1)}, day.Start()}))
		}
		book("T1", first)
		book("T3", first.AddDays(2))
		require.NoError(t, shop.CloseDays(t.Context(), db, first, first.AddDays(1)))
		server.Inject(tosstest.Fault{Operation: tosstest.ListTransactions, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey})
		err := shop.CloseDays(t.Context(), db, first, first.AddDays(4))
		require.ErrorIs(t, err, tosspayments.ErrUnauthorizedKey)
		require.ErrorContains(t, err, first.AddDays(2).String())
		book("T2", first) // too late: this day is closed
		require.NoError(t, shop.CloseDays(t.Context(), db, first, first.AddDays(4)))

		rows, err := db.QueryContext(t.Context(), `SELECT day, differences FROM closed_days ORDER BY day`)
		require.NoError(t, err)
		defer func() { _ = rows.Close() }()
		var days []string
		for rows.Next() {
			var day, differences string
			require.NoError(t, rows.Scan(&day, &differences))
			days = append(days, day+" "+differences)
		}
		require.NoError(t, rows.Err())
		assert.Equal(t, []string{
			first.String() + " extra \"T1\": the ledger has 1 (note \"order-T1\"), Toss Payments has nothing\n",
			first.AddDays(1).String() + " ",
			first.AddDays(2).String() + " extra \"T3\": the ledger has 1 (note \"order-T3\"), Toss Payments has nothing\n",
			first.AddDays(3).String() + " ",
			first.AddDays(4).String() + " ",
		}, days)
		require.Error(t, shop.CloseDays(t.Context(), db, first.AddDays(5), first.AddDays(6)), "the last day is not over")
		require.NoError(t, db.Close())
		require.Error(t, shop.CloseDays(t.Context(), db, first, first))
	})
}

func TestReconcile(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		require.NoError(t, s.Reconcile(s.ctx(), func(func(reconcile.Entry, error) bool) {}))
	})
}
