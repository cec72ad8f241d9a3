package tosspayments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// inEachVersion runs test against servers that answer as the service may answer tomorrow.
func inEachVersion(t *testing.T, test func(t *testing.T, version string, server *tosstest.Server)) {
	for _, version := range []string{"2022-11-16", "2024-06-01"} {
		t.Run(version, func(t *testing.T) {
			test(t, version, tosstest.New(tosstest.WithTomorrow(), tosstest.WithAPIVersion(version)))
		})
	}
}

// payAndCancel pays, and then cancels a part and the rest.
func payAndCancel(t *testing.T, server *tosstest.Server) (paid, canceled *tosspayments.Payment) {
	t.Helper()
	client := server.Client()
	paid, err := client.ConfirmPayment(t.Context(), pay(t, server, checkout()))
	require.NoError(t, err)
	_, err = client.CancelPaymentPartially(t.Context(), paid.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "test", CancelAmount: tosspayments.Won(500), RefundableAmount: paid.Cancelable(),
	})
	require.NoError(t, err)
	canceled, err = client.CancelPayment(t.Context(), paid.PaymentKey, cancelAllRequest())
	require.NoError(t, err)
	return paid, canceled
}

// subscribe registers a card and charges it.
func subscribe(t *testing.T, server *tosstest.Server) *tosspayments.Billing {
	t.Helper()
	client := server.Client()
	billing, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
	require.NoError(t, err)
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.NoError(t, err)
	return billing
}

func TestPaymentsOfTomorrow(t *testing.T) {
	inEachVersion(t, func(t *testing.T, version string, server *tosstest.Server) {
		paid, canceled := payAndCancel(t, server)
		assert.Equal(t, version, paid.Version)
		assert.True(t, paid.IsPaid())
		assert.Equal(t, "Z9", paid.Card.IssuerCode)
		assert.Nil(t, paid.Receipt)
		assert.True(t, canceled.IsFullyCanceled())
		_, err := server.Client().GetPayment(t.Context(), "none")
		require.ErrorIs(t, err, tosspayments.ErrNotFoundPayment)
	})
}

func TestOtherMethodsOfTomorrow(t *testing.T) {
	inEachVersion(t, func(t *testing.T, version string, server *tosstest.Server) {
		assert.Equal(t, version == "2022-11-16", subscribe(t, server).CardCompany != "")
		account := accountRequest()
		account.OrderID = "order-account"
		_, err := server.Client().IssueVirtualAccount(t.Context(), account)
		require.NoError(t, err)
		receipt, err := server.Client().IssueCashReceipt(t.Context(), cashReceiptRequest())
		require.NoError(t, err)
		assert.Equal(t, "NEW_STATUS", receipt.IssueStatus)
	})
}

func TestListsOfTomorrow(t *testing.T) {
	inEachVersion(t, func(t *testing.T, _ string, server *tosstest.Server) {
		payAndCancel(t, server)
		subscribe(t, server)
		client := server.Client()
		_, err := client.IssueCashReceipt(t.Context(), cashReceiptRequest())
		require.NoError(t, err)
		today := tosspayments.DateOf(server.Now())
		server.Advance(24 * time.Hour)
		n := 0
		for _, err := range client.AllTransactions(t.Context(), tosspayments.TransactionQuery{StartDate: today.Start(), EndDate: today.AddDays(1).Start()}) {
			require.NoError(t, err)
			n++
		}
		assert.Equal(t, 4, n, "a payment, two cancels and a charge")
		_, err = client.ListSettlements(t.Context(), tosspayments.SettlementQuery{StartDate: today, EndDate: today})
		require.NoError(t, err)
		_, err = client.GetPromotions(t.Context())
		require.NoError(t, err)
		_, err = client.GetCardPromotions(t.Context())
		require.NoError(t, err)
		_, err = client.ListCashReceipts(t.Context(), tosspayments.CashReceiptQuery{RequestDate: today})
		require.NoError(t, err)
	})
}
