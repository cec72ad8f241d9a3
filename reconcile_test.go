package tosspayments_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// books plays a shop that keeps its own ledger beside a server: payments, a refund the
// day after, and the entries of each day.
func books(t testing.TB) (server *tosstest.Server, days [2]tosspayments.Date, entries [2][]tosspayments.LedgerEntry) {
	server = tosstest.New()
	client := server.Client()
	var first *tosspayments.Payment
	for i := range 5 {
		c := checkout()
		c.OrderID = fmt.Sprintf("order-%04d", i)
		payment, err := client.ConfirmPayment(t.Context(), pay(t, server, c))
		require.NoError(t, err)
		entries[0] = append(entries[0], tosspayments.LedgerEntry{TransactionKey: payment.LastTransactionKey, Amount: payment.TotalAmount, Note: payment.OrderID})
		if first == nil {
			first = payment
		}
	}
	days[0] = tosspayments.DateOf(server.Now())
	server.Advance(24 * time.Hour)
	days[1] = tosspayments.DateOf(server.Now())
	payment, err := client.CancelPaymentPartially(t.Context(), first.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "test", CancelAmount: tosspayments.Won(1000), RefundableAmount: first.BalanceAmount,
	})
	require.NoError(t, err)
	entries[1] = []tosspayments.LedgerEntry{{TransactionKey: payment.Cancels[0].TransactionKey, Amount: tosspayments.Won(-1000)}}
	server.Advance(24 * time.Hour)
	return server, days, entries
}

func differences(t testing.TB, seq iter.Seq2[tosspayments.Difference, error]) (list []string) {
	for d, err := range seq {
		require.NoError(t, err)
		list = append(list, d.Kind.String()+" "+d.TransactionKey)
	}
	slices.Sort(list)
	return list
}

func TestReconcile(t *testing.T) {
	server, days, entries := books(t)
	client := server.Client()
	for name, compare := range map[string]func(tosspayments.Date, iter.Seq[tosspayments.LedgerEntry]) iter.Seq2[tosspayments.Difference, error]{
		"transactions": func(day tosspayments.Date, ledger iter.Seq[tosspayments.LedgerEntry]) iter.Seq2[tosspayments.Difference, error] {
			return client.ReconcileTransactions(t.Context(), day, ledger)
		},
		"settlements": func(day tosspayments.Date, ledger iter.Seq[tosspayments.LedgerEntry]) iter.Seq2[tosspayments.Difference, error] {
			return client.ReconcileSettlements(t.Context(), day, ledger)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range days {
				assert.Empty(t, differences(t, compare(days[i], slices.Values(entries[i]))), days[i])
			}
			backwards := slices.Clone(entries[0])
			slices.Reverse(backwards)
			assert.Empty(t, differences(t, compare(days[0], slices.Values(backwards))), "whatever the order")

			wrong := slices.Clone(entries[0])
			wrong[1].Amount = wrong[1].Amount.Add(tosspayments.Won(1))
			missing := wrong[2].TransactionKey
			wrong[2] = tosspayments.LedgerEntry{TransactionKey: "made up", Amount: tosspayments.Won(7)}
			want := []string{"missing in the ledger " + missing, "not known to Toss Payments made up", "the amounts differ " + wrong[1].TransactionKey}
			slices.Sort(want)
			assert.Equal(t, want, differences(t, compare(days[0], slices.Values(wrong))))

			for _, err := range compare(days[0], slices.Values(wrong)) {
				require.NoError(t, err)
				break
			}
		})
	}
	t.Run("twice in the ledger", func(t *testing.T) {
		twice := append(slices.Clone(entries[0]), tosspayments.LedgerEntry{TransactionKey: "x"}, tosspayments.LedgerEntry{TransactionKey: "x"})
		list := strings.Join(differences(t, client.ReconcileTransactions(t.Context(), days[0], slices.Values(twice))), "\n")
		assert.Contains(t, list, "more than once in the ledger x")
	})
	t.Run("an error ends it", func(t *testing.T) {
		client, mock := mockClient(t, tosspayments.WithMaxRetries(0))
		mock.RegisterNoResponder((&script{answers: []answer{{status: http.StatusBadGateway}}}).respond)
		n := 0
		for _, err := range client.ReconcileTransactions(t.Context(), days[0], slices.Values(entries[0])) {
			require.Error(t, err)
			n++
		}
		assert.Equal(t, 1, n)
	})
}

func ExampleClient_ReconcileTransactions() {
	server := tosstest.New()
	client := server.Client()
	payment := examplePayment(server)
	ledger := []tosspayments.LedgerEntry{{TransactionKey: payment.LastTransactionKey, Amount: tosspayments.Won(14000), Note: payment.OrderID}}
	for difference, err := range client.ReconcileTransactions(context.Background(), tosspayments.DateOf(server.Now()), slices.Values(ledger)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(difference.Kind, "-", difference.Ledger.Note, difference.Ledger.Amount, difference.Transaction.Amount)
	}
	// Output: the amounts differ - order-0001 14000 15000
}

// TestNetAmount: no document says which sign the row of a cancel has.
func TestNetAmount(t *testing.T) {
	for _, row := range []struct {
		status tosspayments.PaymentStatus
		amount int64
		net    int64
	}{{"DONE", 1000, 1000}, {"CANCELED", 1000, -1000}, {"PARTIAL_CANCELED", -1000, -1000}, {"CANCELED", 0, 0}} {
		transaction := tosspayments.Transaction{Status: row.status, Amount: tosspayments.Won(row.amount)}
		assert.Equal(t, tosspayments.Won(row.net), transaction.NetAmount(), row)
	}
}
