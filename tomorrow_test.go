package tosspayments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// TestTomorrow runs through the API against a server that answers as the service may
// answer tomorrow, in each API version.
func TestTomorrow(t *testing.T) {
	for _, version := range []string{"2022-11-16", "2024-06-01"} {
		t.Run(version, func(t *testing.T) {
			server := tosstest.New(tosstest.WithTomorrow(), tosstest.WithAPIVersion(version))
			client := server.Client()
			payment, err := client.ConfirmPayment(t.Context(), pay(t, server, checkout()))
			require.NoError(t, err)
			assert.Equal(t, version, payment.Version)
			assert.True(t, payment.IsPaid())
			assert.Equal(t, "Z9", payment.Card.IssuerCode)
			assert.Nil(t, payment.Receipt)
			payment, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
				CancelReason: "test", CancelAmount: tosspayments.Won(500), RefundableAmount: payment.Cancelable(),
			})
			require.NoError(t, err)
			payment, err = client.CancelPayment(t.Context(), payment.PaymentKey, cancelAllRequest())
			require.NoError(t, err)
			assert.True(t, payment.IsFullyCanceled())

			billing, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
			require.NoError(t, err)
			assert.Equal(t, version == "2022-11-16", billing.CardCompany != "")
			r := chargeRequest()
			r.OrderID = "order-billing"
			_, err = client.ChargeBilling(t.Context(), billing.BillingKey, r)
			require.NoError(t, err)
			a := accountRequest()
			a.OrderID = "order-account"
			_, err = client.IssueVirtualAccount(t.Context(), a)
			require.NoError(t, err)
			c := cashReceiptRequest()
			receipt, err := client.IssueCashReceipt(t.Context(), c)
			require.NoError(t, err)
			assert.Equal(t, "NEW_STATUS", receipt.IssueStatus)

			today := tosspayments.DateOf(server.Now())
			server.Advance(24 * time.Hour)
			n := 0
			for _, err := range client.AllTransactions(t.Context(), tosspayments.TransactionQuery{StartDate: today.Start(), EndDate: today.AddDays(1).Start()}) {
				require.NoError(t, err)
				n++
			}
			assert.Equal(t, 4, n)
			_, err = client.ListSettlements(t.Context(), tosspayments.SettlementQuery{StartDate: today, EndDate: today})
			require.NoError(t, err)
			_, err = client.GetPromotions(t.Context())
			require.NoError(t, err)
			_, err = client.GetCardPromotions(t.Context())
			require.NoError(t, err)
			_, err = client.ListCashReceipts(t.Context(), tosspayments.CashReceiptQuery{RequestDate: today})
			require.NoError(t, err)
			_, err = client.GetPayment(t.Context(), "none")
			require.ErrorIs(t, err, tosspayments.ErrNotFoundPayment)
		})
	}
}
