package tosspayments_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestPlainGetCardPromotions(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/promotions/card", httpmock.NewStringResponder(200, `{"discountCards": [], "interestFreeCards": [
		{"issuerCode": "61", "cardCompany": "현대", "installmentFreeMonths": [2, 3], "minimumPaymentAmount": 50000, "dueDate": "2026-03-31"}]}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	promotions, err := client.GetCardPromotions(t.Context())
	require.NoError(t, err)
	require.Len(t, promotions.InterestFreeCards, 1)
	assert.Equal(t, []int{2, 3}, promotions.InterestFreeCards[0].InstallmentFreeMonths)
}
