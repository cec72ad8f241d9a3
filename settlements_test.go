package tosspayments_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestPlainListSettlements(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/settlements", httpmock.NewStringResponder(200, `[{
		"paymentKey": "pay-1", "transactionKey": "T1", "orderId": "order-0001", "currency": "KRW", "amount": 15000,
		"payOutAmount": 14505, "soldDate": "2026-03-01", "paidOutDate": "2026-03-04"}]`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	day, err := tosspayments.ParseDate("2026-03-01")
	require.NoError(t, err)
	settlements, err := client.ListSettlements(t.Context(), tosspayments.SettlementQuery{StartDate: day, EndDate: day})
	require.NoError(t, err)
	require.Len(t, settlements, 1)
	assert.Equal(t, tosspayments.Won(14505), settlements[0].PayOutAmount)
}
