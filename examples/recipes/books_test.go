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

// day is a Saturday of a shop, and the two days after it.
type day struct {
	*Shop
	t      *testing.T
	server *tosstest.Server
	db     *sql.DB
	date   tosspayments.Date
}

func (d *day) pay(id string) *tosspayments.Payment {
	d.t.Helper()
	request, err := d.server.Authenticate(tosstest.Checkout{OrderID: id, OrderName: "원두", Amount: tosspayments.Won(15000)}).ConfirmRequest(tosspayments.Won(15000))
	require.NoError(d.t, err)
	payment, err := d.Toss.ConfirmPayment(d.t.Context(), request)
	require.NoError(d.t, err)
	return payment
}

func (d *day) cancel(payment *tosspayments.Payment) *tosspayments.Payment {
	d.t.Helper()
	canceled, err := d.Toss.CancelPayment(d.t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "변심"})
	require.NoError(d.t, err)
	return canceled
}

func (d *day) book(payment *tosspayments.Payment) {
	d.t.Helper()
	if m, ok := ApprovalOf(payment); ok {
		require.NoError(d.t, Book(d.t.Context(), d.db, m))
	}
	for _, m := range RefundsOf(payment) {
		require.NoError(d.t, Book(d.t.Context(), d.db, m))
	}
}

// onASaturday lets test look at a shop two days later: of two payments of that Saturday one
// is in the books, and was refunded on Sunday; lost is the other, which nobody has booked.
func onASaturday(t *testing.T, test func(t *testing.T, d *day, lost *tosspayments.Payment)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		d := &day{&Shop{Toss: server.Client()}, t, server, books(t), tosspayments.DateOf(time.Now())}
		first := d.pay("order-0001")
		d.book(first)
		d.book(first) // the same payment by another road
		lost := d.pay("order-0002")
		account, err := d.Toss.IssueVirtualAccount(t.Context(), tosspayments.IssueVirtualAccountRequest{
			OrderID: "order-0003", OrderName: "원두", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
		})
		require.NoError(t, err)
		d.book(d.cancel(account)) // nobody has paid into it
		time.Sleep(24 * time.Hour)
		d.book(d.cancel(first))
		time.Sleep(24 * time.Hour)
		test(t, d, lost)
	})
}

func TestADayThatIsNotOver(t *testing.T) {
	onASaturday(t, func(t *testing.T, d *day, _ *tosspayments.Payment) {
		_, err := d.CloseDay(t.Context(), d.db, d.date.AddDays(2))
		require.Error(t, err)
	})
}

func TestCloseDayFindsWhatNobodyHasBooked(t *testing.T) {
	onASaturday(t, func(t *testing.T, d *day, lost *tosspayments.Payment) {
		differences, err := d.CloseDay(t.Context(), d.db, d.date)
		require.NoError(t, err)
		require.Len(t, differences, 1)
		assert.Equal(t, reconcile.Missing, differences[0].Kind)
		assert.Equal(t, lost.PaymentKey, differences[0].Transaction.PaymentKey)
		differences, err = d.CloseDay(t.Context(), d.db, d.date.AddDays(1))
		require.NoError(t, err)
		assert.Empty(t, differences, "the refund belongs to its own day")
	})
}

func TestSettlementsFindWhatOnlyTheBooksHave(t *testing.T) {
	onASaturday(t, func(t *testing.T, d *day, lost *tosspayments.Payment) {
		d.book(lost)
		require.NoError(t, Book(t.Context(), d.db, Movement{reconcile.Entry{
			TransactionKey: "nobody-knows", Note: "order-0009", Amount: tosspayments.Won(1),
		}, d.date.Start()}))
		differences, err := d.CompareSettlements(t.Context(), d.db, d.date)
		require.NoError(t, err)
		require.Len(t, differences, 1)
		assert.Equal(t, reconcile.Extra, differences[0].Kind)
		assert.Equal(t, "order-0009", differences[0].Ledger.Note)
	})
}

func TestMoneyIsPaidOutByBusinessDays(t *testing.T) {
	onASaturday(t, func(t *testing.T, d *day, _ *tosspayments.Payment) {
		sum := tosspayments.Won(0)
		for n := range 7 {
			paidOut, err := d.PaidOut(t.Context(), d.date.AddDays(n))
			require.NoError(t, err)
			sum = sum.Add(paidOut)
			assert.Equal(t, n < 3, sum.IsZero(), "sold on a Saturday, paid out two business days later")
		}
		assert.Equal(t, tosspayments.Won(15000-462), sum, "two sales and a refund, less the fees")
	})
}

func TestHalfALedgerIsNoLedger(t *testing.T) {
	onASaturday(t, func(t *testing.T, d *day, _ *tosspayments.Payment) {
		d.server.Inject(tosstest.Fault{Operation: tosstest.ListTransactions, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey})
		differences, err := d.CloseDay(t.Context(), d.db, d.date)
		require.ErrorIs(t, err, tosspayments.ErrUnauthorizedKey)
		assert.Empty(t, differences)
		require.NoError(t, d.db.Close())
		differences, err = d.CloseDay(t.Context(), d.db, d.date)
		require.Error(t, err)
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
