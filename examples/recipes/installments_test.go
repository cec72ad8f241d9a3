package recipes

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestOffersOfInterestFreeInstallments(t *testing.T) {
	client, mock := mocked(t)
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/promotions/card", httpmock.NewStringResponder(http.StatusOK, `{"interestFreeCards": [
		{"issuerCode": "61", "dueDate": "2026-12-31", "installmentFreeMonths": [3, 2], "minimumPaymentAmount": 50000},
		{"companyCode": "61", "dueDate": "2026-12-31", "installmentFreeMonths": [2, 6], "minimumPaymentAmount": 50000},
		{"cardCompany": "새 카드", "dueDate": "2026-12-30", "installmentFreeMonths": [2], "minimumPaymentAmount": 50000},
		{"issuerCode": "51", "dueDate": "2026-12-31", "installmentFreeMonths": [12], "minimumPaymentAmount": 500000}]}`))
	offers := func(amount int64, today string) map[string][]int {
		day, err := tosspayments.ParseDate(today)
		require.NoError(t, err)
		months, err := InterestFree(t.Context(), client, tosspayments.Won(amount), day)
		require.NoError(t, err)
		return months
	}
	assert.Equal(t, map[string][]int{"현대카드": {2, 3, 6}, "새 카드": {2}}, offers(50000, "2026-12-30"))
	assert.Equal(t, map[string][]int{"현대카드": {2, 3, 6}}, offers(50000, "2026-12-31"))
	assert.Empty(t, offers(49999, "2026-12-31"))
	assert.Empty(t, offers(50000, "2027-01-01"))
}

func TestInstallmentsOfAPayment(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		redirect := s.server.Authenticate(tosstest.Checkout{
			OrderID: "order-0002", OrderName: "원두 한 해", Amount: tosspayments.Won(180000), InstallmentPlanMonths: 6,
		})
		request, err := redirect.ConfirmRequest(tosspayments.Won(180000))
		require.NoError(t, err)
		payment, err := s.Toss.ConfirmPayment(t.Context(), request)
		require.NoError(t, err)
		assert.Contains(t, ShowInstallments(payment.Card), "6개월")
	})
	assert.Equal(t, "일시불", ShowInstallments(&tosspayments.Card{}))
	assert.Equal(t, "3개월 무이자", ShowInstallments(&tosspayments.Card{InstallmentPlanMonths: 3, IsInterestFree: true}))
}
