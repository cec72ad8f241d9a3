package tosspayments_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestPlainIssueCashReceipt(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/cash-receipts", httpmock.NewStringResponder(200, `{
		"receiptKey": "receipt-1", "orderId": "order-0001", "type": "소득공제", "amount": 15000, "issueStatus": "COMPLETED",
		"requestedAt": "2026-03-01T10:15:30+09:00"}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	receipt, err := client.IssueCashReceipt(t.Context(), tosspayments.IssueCashReceiptRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), Type: "소득공제",
		CustomerIdentityNumber: tosspayments.NewSensitive("01012345678"),
	})
	require.NoError(t, err)
	assert.Equal(t, "receipt-1", receipt.ReceiptKey)
}
