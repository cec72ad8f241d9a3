package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/reconcile"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

var day = tosspayments.Date{Year: 2026, Month: time.March, Day: 1}

// ledgerOf is a ledger that does not break off.
func ledgerOf(list ...reconcile.Entry) iter.Seq2[reconcile.Entry, error] {
	return brokenLedger(nil, list...)
}

// brokenLedger is a ledger that ends with the error.
func brokenLedger(err error, list ...reconcile.Entry) iter.Seq2[reconcile.Entry, error] {
	return func(yield func(reconcile.Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(reconcile.Entry{}, err)
		}
	}
}

func entry(key string, won int64) reconcile.Entry {
	return reconcile.Entry{TransactionKey: key, Amount: tosspayments.Won(won)}
}

type object map[string]any

func transactionRow(key string, won int64, status tosspayments.PaymentStatus) object {
	return object{"transactionKey": key, "amount": won, "status": status, "orderId": "order-" + key, "currency": "KRW"}
}

// clientOfList is a client of a server that answers each list with the body.
func clientOfList(t testing.TB, status int, rows any) *tosspayments.Client {
	mock := httpmock.NewMockTransport()
	body, err := json.Marshal(rows)
	require.NoError(t, err)
	mock.RegisterNoResponder(httpmock.NewBytesResponder(status, body))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R",
		tosspayments.WithHTTPClient(&http.Client{Transport: mock}), tosspayments.WithMaxRetries(0))
	require.NoError(t, err)
	return client
}

// differencesOf collects the differences, each as its kind and key.
func differencesOf(t testing.TB, differences iter.Seq2[reconcile.Difference, error]) (list []string) {
	for d, err := range differences {
		require.NoError(t, err)
		list = append(list, string(d.Kind)+" "+d.TransactionKey)
	}
	slices.Sort(list)
	return list
}

func TestBookedTwice(t *testing.T) {
	text, err := os.ReadFile("testdata/booked-twice.json")
	require.NoError(t, err)
	var cases []struct {
		Name         string
		Transactions []object
		Ledger       []struct {
			TransactionKey string
			Amount         tosspayments.Amount
			Note           string
		}
		Differences []struct {
			Kind                   reconcile.Kind
			TransactionKey, Ledger string
		}
	}
	require.NoError(t, json.Unmarshal(text, &cases))
	require.Len(t, cases, 2)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			var ledger []reconcile.Entry
			for _, e := range c.Ledger {
				ledger = append(ledger, reconcile.Entry{TransactionKey: e.TransactionKey, Amount: e.Amount, Note: e.Note})
			}
			n := 0
			for d, err := range reconcile.Transactions(t.Context(), clientOfList(t, 200, c.Transactions), day, ledgerOf(ledger...)) {
				require.NoError(t, err)
				require.Less(t, n, len(c.Differences), d)
				assert.Equal(t, c.Differences[n].Kind, d.Kind)
				assert.Equal(t, c.Differences[n].TransactionKey, d.TransactionKey)
				assert.Equal(t, c.Differences[n].Ledger, d.Ledger.Note)
				assert.Nil(t, d.Transaction)
				n++
			}
			assert.Len(t, c.Differences, n)
		})
	}
}

// TestOrderOfRows: the rows of both sides in every order give the same differences.
func TestOrderOfRows(t *testing.T) {
	for name, c := range map[string]struct{ ours, theirs, want []string }{
		"the same":                  {ours: []string{"a", "b", "c"}, theirs: []string{"a", "b", "c"}},
		"nothing":                   {},
		"only ours":                 {ours: []string{"a", "b"}, want: []string{"extra a", "extra b"}},
		"only theirs":               {theirs: []string{"a", "b"}, want: []string{"missing a", "missing b"}},
		"twice in the ledger":       {ours: []string{"a", "b", "a"}, theirs: []string{"a", "b"}, want: []string{"repeated a"}},
		"twice at Toss Payments":    {ours: []string{"a", "b"}, theirs: []string{"a", "b", "a"}, want: []string{"repeated a"}},
		"twice on both sides":       {ours: []string{"a", "a", "b"}, theirs: []string{"a", "b", "a"}, want: []string{"repeated a", "repeated a"}},
		"three times":               {ours: []string{"a", "a", "a"}, theirs: []string{"a"}, want: []string{"repeated a", "repeated a"}},
		"twice, and unknown there":  {ours: []string{"a", "a", "b"}, theirs: []string{"b"}, want: []string{"extra a", "repeated a"}},
		"twice, and not booked":     {ours: []string{"b"}, theirs: []string{"a", "b", "a"}, want: []string{"missing a", "repeated a"}},
		"without a key":             {ours: []string{"", "a", ""}, theirs: []string{"a", ""}, want: []string{"extra ", "extra ", "missing "}},
		"without a key, each alone": {ours: []string{""}, theirs: []string{""}, want: []string{"extra ", "missing "}},
	} {
		t.Run(name, func(t *testing.T) {
			for ours := range permutations(c.ours) {
				var ledger []reconcile.Entry
				for _, key := range ours {
					ledger = append(ledger, entry(key, 1000))
				}
				for theirs := range permutations(c.theirs) {
					rows := []object{}
					for _, key := range theirs {
						rows = append(rows, transactionRow(key, 1000, "DONE"))
					}
					assert.Equal(t, c.want, differencesOf(t, reconcile.Transactions(t.Context(), clientOfList(t, 200, rows), day, ledgerOf(ledger...))), "%q %q", ours, theirs)
				}
			}
		})
	}
}

// permutations yields the texts in every order.
func permutations(list []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if len(list) == 0 {
			yield(nil)
			return
		}
		for i := range list {
			for rest := range permutations(slices.Delete(slices.Clone(list), i, i+1)) {
				if !yield(append([]string{list[i]}, rest...)) {
					return
				}
			}
		}
	}
}

func TestWhatIsNoMoney(t *testing.T) {
	rows := []object{
		transactionRow("a", 1000, "DONE"), transactionRow("b", 1000, "CANCELED"), transactionRow("c", -500, "PARTIAL_CANCELED"),
		transactionRow("d", 1000, "WAITING_FOR_DEPOSIT"), transactionRow("a", 1000, "WAITING_FOR_DEPOSIT"), transactionRow("", 1000, "EXPIRED"),
		transactionRow("e", 1000, "READY"), transactionRow("f", 1000, "IN_PROGRESS"), transactionRow("g", 1000, "ABORTED"),
		transactionRow("h", 1000, "NEW_IN_2030"),
	}
	ledger := ledgerOf(entry("a", 1000), entry("b", -1000), entry("c", -500), entry("d", 1000))
	assert.Equal(t, []string{"extra d", "missing h"}, differencesOf(t, reconcile.Transactions(t.Context(), clientOfList(t, 200, rows), day, ledger)))
}

func TestABrokenLedger(t *testing.T) {
	lost := errors.New("connection lost")
	rows := []object{transactionRow("a", 1000, "DONE"), transactionRow("b", 1000, "DONE"), transactionRow("c", 1000, "DONE")}
	for name, c := range map[string]struct {
		ledger iter.Seq2[reconcile.Entry, error]
		want   []string
	}{
		"at once":           {ledger: brokenLedger(lost)},
		"half-way":          {ledger: brokenLedger(lost, entry("z", 1), entry("", 1))},
		"at the end":        {ledger: brokenLedger(lost, entry("a", 1000), entry("b", 1000), entry("c", 1000), entry("d", 1000))},
		"what is certain":   {ledger: brokenLedger(lost, entry("a", 1), entry("a", 1), entry("z", 1)), want: []string{"amount a", "repeated a"}},
		"and it goes on":    {ledger: func(yield func(reconcile.Entry, error) bool) { yield(entry("z", 1), lost) }},
		"before the others": {ledger: brokenLedger(lost, entry("x", 1), entry("y", 1))},
	} {
		t.Run(name, func(t *testing.T) {
			var list []string
			var end error
			for d, err := range reconcile.Transactions(t.Context(), clientOfList(t, 200, rows), day, c.ledger) {
				require.NoError(t, end, "the error comes last")
				if end = err; err == nil {
					list = append(list, string(d.Kind)+" "+d.TransactionKey)
				} else {
					assert.Zero(t, d)
				}
			}
			assert.Equal(t, lost, end)
			assert.Equal(t, c.want, list)
		})
	}
}

// refusedLists is a client whose lists are refused.
func refusedLists(t *testing.T) *tosspayments.Client {
	return clientOfList(t, 401, object{"code": "UNAUTHORIZED_KEY", "message": "x"})
}

func TestABrokenList(t *testing.T) {
	for name, compare := range map[string]func(context.Context, *tosspayments.Client, tosspayments.Date, iter.Seq2[reconcile.Entry, error], ...tosspayments.CallOption) iter.Seq2[reconcile.Difference, error]{
		"transactions": reconcile.Transactions, "settlements": reconcile.Settlements,
	} {
		n := 0
		for d, err := range compare(t.Context(), refusedLists(t), day, ledgerOf(entry("a", 1), entry("b", 1))) {
			require.ErrorIs(t, err, tosspayments.ErrUnauthorizedKey)
			assert.Zero(t, d)
			n++
		}
		assert.Equal(t, 1, n, name)
		for _, err := range compare(t.Context(), refusedLists(t), tosspayments.Date{}, ledgerOf()) {
			require.ErrorAs(t, err, new(*tosspayments.ValidationError))
		}
	}
}

func TestACallerWhoStopsClosesTheLedger(t *testing.T) {
	closed := false
	ledger := func(yield func(reconcile.Entry, error) bool) {
		defer func() { closed = true }()
		_ = yield(entry("a", 1), nil) && yield(entry("b", 1), nil)
	}
	rows := []object{transactionRow("a", 2, "DONE"), transactionRow("b", 2, "DONE")}
	for _, err := range reconcile.Transactions(t.Context(), clientOfList(t, 200, rows), day, ledger) {
		require.NoError(t, err)
		assert.False(t, closed)
		break
	}
	assert.True(t, closed)
}

func TestDifferencesInWords(t *testing.T) {
	rows := []object{
		transactionRow("a", 1000, "DONE"), transactionRow("b", 2000, "DONE"), transactionRow("b", 2000, "DONE"),
		transactionRow("d\n", 500, "CANCELED"), transactionRow("e", 1000, "DONE"),
	}
	ledger := ledgerOf(
		reconcile.Entry{TransactionKey: "a", Amount: tosspayments.Won(1001), Note: "order-1"}, entry("b", 2000), entry("e", 1000),
		reconcile.Entry{TransactionKey: "c", Amount: tosspayments.Won(7), Note: "원두"}, reconcile.Entry{TransactionKey: "e", Amount: tosspayments.Won(1000), Note: "job"})
	var lines []string
	for d, err := range reconcile.Transactions(t.Context(), clientOfList(t, 200, rows), day, ledger) {
		require.NoError(t, err)
		lines = append(lines, fmt.Sprint(d))
	}
	assert.Equal(t, []string{
		`amount "a": the ledger has 1001 (note "order-1"), Toss Payments has 1000 (order "order-a")`,
		`repeated "b": Toss Payments has 2000 (order "order-b") once more`,
		`repeated "e": the ledger has 1000 (note "job") once more`,
		`missing "d\n": Toss Payments has -500 (order "order-d\n"), the ledger has nothing`,
		`extra "c": the ledger has 7 (note "원두"), Toss Payments has nothing`,
	}, lines)
	settlement := reconcile.Difference{Kind: reconcile.Missing, TransactionKey: "s", Settlement: &tosspayments.Settlement{Amount: tosspayments.Won(-3)}}
	assert.Equal(t, `missing "s": Toss Payments has -3, the ledger has nothing`, settlement.String())
	assert.NotPanics(t, func() {
		for _, kind := range []reconcile.Kind{"", reconcile.Missing, reconcile.Extra, reconcile.AmountDiffers, reconcile.Repeated} {
			_ = reconcile.Difference{Kind: kind}.String()
		}
	})
}

// booksOfTwoDays plays a shop that keeps a ledger beside a server: payments on the first day, and a
// refund of one on the second.
func booksOfTwoDays(t testing.TB) (server *tosstest.Server, days [2]tosspayments.Date, ledgers [2][]reconcile.Entry) {
	server = tosstest.New()
	client := server.Client()
	var first *tosspayments.Payment
	for i := range 5 {
		amount := tosspayments.Won(15000)
		request, err := server.Authenticate(tosstest.Checkout{OrderID: fmt.Sprintf("order-%04d", i), OrderName: "원두", Amount: amount}).ConfirmRequest(amount)
		require.NoError(t, err)
		payment, err := client.ConfirmPayment(t.Context(), request)
		require.NoError(t, err)
		ledgers[0] = append(ledgers[0], reconcile.Entry{TransactionKey: payment.LastTransactionKey, Amount: payment.TotalAmount, Note: payment.OrderID})
		if first == nil {
			first = payment
		}
	}
	days[0] = tosspayments.DateOf(server.Now())
	server.Advance(24 * time.Hour)
	days[1] = tosspayments.DateOf(server.Now())
	refunded, err := client.CancelPayment(t.Context(), first.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "변심"})
	require.NoError(t, err)
	ledgers[1] = []reconcile.Entry{{TransactionKey: refunded.Cancels[0].TransactionKey, Amount: tosspayments.Won(-15000)}}
	server.Advance(24 * time.Hour)
	return server, days, ledgers
}

func TestADay(t *testing.T) {
	server, days, ledgers := booksOfTwoDays(t)
	client := server.Client()
	for name, compare := range map[string]func(tosspayments.Date, ...reconcile.Entry) []string{
		"transactions": func(day tosspayments.Date, list ...reconcile.Entry) []string {
			return differencesOf(t, reconcile.Transactions(t.Context(), client, day, ledgerOf(list...)))
		},
		"settlements": func(day tosspayments.Date, list ...reconcile.Entry) []string {
			return differencesOf(t, reconcile.Settlements(t.Context(), client, day, ledgerOf(list...)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range days {
				assert.Empty(t, compare(days[i], ledgers[i]...), days[i])
			}
			wrong := slices.Clone(ledgers[0])
			wrong[1].Amount = wrong[1].Amount.Add(tosspayments.Won(1))
			missing := wrong[2].TransactionKey
			wrong[2] = entry("made up", 7)
			want := []string{"missing " + missing, "extra made up", "amount " + wrong[1].TransactionKey}
			slices.Sort(want)
			assert.Equal(t, want, compare(days[0], wrong...))
		})
	}
}

// BenchmarkInOrder reads two sides in the same order; peak-B is what is alive at the most
// for each movement, beside the pages.
func BenchmarkInOrder(b *testing.B) {
	const total = 50000
	mock := httpmock.NewMockTransport()
	sent := 0
	mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
		rows := []object{}
		for range min(1000, total-sent) {
			rows = append(rows, transactionRow(key(sent), 1000, "DONE"))
			sent++
		}
		return httpmock.NewJsonResponse(200, rows)
	})
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(b, err)
	read := func(each func(n int)) {
		sent = 0
		ledger := func(yield func(reconcile.Entry, error) bool) {
			for n := range total {
				each(n)
				if !yield(entry(key(n), 1000), nil) {
					return
				}
			}
		}
		for d, err := range reconcile.Transactions(b.Context(), client, day, ledger) {
			b.Fatal(d, err)
		}
	}
	peak := uint64(0)
	before := liveHeapBytes()
	read(func(n int) {
		if n%(total/5) == total/5-1 {
			peak = max(peak, liveHeapBytes()-before)
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		read(func(int) {})
	}
	b.ReportMetric(float64(peak)/total, "peak-B")
}

func key(n int) string { return fmt.Sprintf("T%031d", n) }

func liveHeapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What is wrong with the day says nothing of what was paid.
func TestADayThatIsMissing(t *testing.T) {
	client, err := tosspayments.New("test_sk_reconcilereconcile")
	require.NoError(t, err)
	for _, compare := range []func(context.Context, *tosspayments.Client, tosspayments.Date, iter.Seq2[reconcile.Entry, error], ...tosspayments.CallOption) iter.Seq2[reconcile.Difference, error]{
		reconcile.Transactions, reconcile.Settlements,
	} {
		n := 0
		for _, err := range compare(t.Context(), client, tosspayments.Date{}, func(func(reconcile.Entry, error) bool) {}) {
			n++
			var invalid *tosspayments.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err))
		}
		assert.Equal(t, 1, n)
	}
}
