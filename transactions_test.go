package tosspayments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

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

func TestPlainListTransactions(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/transactions", httpmock.NewStringResponder(200, `[{
		"transactionKey": "T1", "paymentKey": "pay-1", "orderId": "order-0001", "method": "카드", "status": "DONE",
		"transactionAt": "2026-03-01T10:15:30+09:00", "currency": "KRW", "amount": 15000}]`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	transactions, err := client.ListTransactions(t.Context(), tosspayments.TransactionQuery{StartDate: day, EndDate: day.AddDate(0, 0, 1)})
	require.NoError(t, err)
	require.Len(t, transactions, 1)
	assert.Equal(t, tosspayments.Won(15000), transactions[0].Amount)
}
