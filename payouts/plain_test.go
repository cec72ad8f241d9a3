package payouts_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/payouts"
)

// A test of your own service with httpmock needs no more than one of these. An answer that
// is encrypted in production is read in plain JSON too.

func TestPlainGetSeller(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v2/sellers/seller-1", httpmock.NewStringResponder(200, `{
		"version": "2022-11-16", "entityType": "seller",
		"entityBody": {"id": "seller-1", "refSellerId": "shop-0077", "status": "APPROVED"}}`))
	toss, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	client, err := payouts.New(toss, "7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57")
	require.NoError(t, err)

	seller, err := client.GetSeller(t.Context(), "seller-1")
	require.NoError(t, err)
	assert.True(t, seller.Status.IsPayable())
}

func TestPlainRequestPayouts(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v2/payouts", httpmock.NewStringResponder(200, `{
		"version": "2022-11-16", "entityType": "payout-list",
		"entityBody": {"items": [{"id": "FPA_1", "refPayoutId": "pay-2026-03-0001", "destination": "seller-1", "status": "IN_PROGRESS",
			"payoutDate": "2026-03-10", "amount": {"currency": "KRW", "value": 50000}}]}}`))
	toss, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	client, err := payouts.New(toss, "7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57")
	require.NoError(t, err)

	sent, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{{
		RefPayoutID: "pay-2026-03-0001", Destination: "seller-1", ScheduleType: payouts.ScheduleExpress,
		Amount: payouts.Won(50_000), TransactionDescription: "3월정산",
	}})
	require.NoError(t, err)
	assert.Equal(t, payouts.PayoutStatusInProgress, sent[0].Status)
}

func TestPlainGetBalance(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v2/balances", httpmock.NewStringResponder(200, `{
		"version": "2022-11-16", "entityType": "balance",
		"entityBody": {"pendingAmount": {"currency": "KRW", "value": 120000}, "availableAmount": {"currency": "KRW", "value": 880000}}}`))
	toss, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	client, err := payouts.New(toss, "7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57")
	require.NoError(t, err)

	balance, err := client.GetBalance(t.Context())
	require.NoError(t, err)
	assert.Equal(t, payouts.Won(880_000), balance.AvailableAmount)
}

func TestPlainVerifyHolderName(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v2/bank-accounts/verify-holder-name", httpmock.NewStringResponder(200, `{
		"version": "2022-11-16", "entityType": "bank-account", "entityBody": {"isValid": true}}`))
	toss, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	client, err := payouts.New(toss, "7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57")
	require.NoError(t, err)

	valid, err := client.VerifyHolderName(t.Context(), payouts.Account{
		BankCode: "092", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: tosspayments.NewSensitive("김토스"),
	})
	require.NoError(t, err)
	assert.True(t, valid)
}
