package recipes

import (
	"net/http"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestTaxesOfAPaymentAndOfItsRefund(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		redirect := s.server.Authenticate(tosstest.Checkout{
			OrderID: "order-0002", OrderName: "책과 원두", Amount: tosspayments.Won(26000), TaxFreeAmount: tosspayments.Won(11000),
		})
		request, err := redirect.ConfirmRequest(tosspayments.Won(26000))
		require.NoError(t, err)
		payment, err := s.Toss.ConfirmPayment(t.Context(), request)
		require.NoError(t, err)
		taxes, ok := TaxesOf(tosspayments.Won(26000), tosspayments.Won(11000))
		require.True(t, ok)
		assert.Equal(t, Taxes{tosspayments.Won(13636), tosspayments.Won(1364), tosspayments.Won(11000)}, taxes)
		assert.Equal(t, taxes, Taxes{payment.SuppliedAmount, payment.VAT, payment.TaxFreeAmount})

		refund := Refund{ID: "refund-1", PaymentKey: payment.PaymentKey, Reason: "책 반품", Amount: tosspayments.Won(11000), Balance: tosspayments.Won(26000)}
		require.NoError(t, RefundTaxFree(t.Context(), s.Toss, refund, tosspayments.Won(11000)))
		payment, err = s.Toss.GetPayment(t.Context(), payment.PaymentKey)
		require.NoError(t, err)
		taxes, _ = TaxesOf(payment.Cancelable(), tosspayments.Amount{})
		assert.Equal(t, taxes, Taxes{payment.SuppliedAmount, payment.VAT, payment.TaxFreeAmount}, "those of the balance")
	})
	_, ok := TaxesOf(tosspayments.Won(1000), tosspayments.Won(1001))
	assert.False(t, ok)
}

func TestACashReceiptIsIssuedOnce(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.server.Inject(tosstest.Fault{Operation: tosstest.IssueCashReceipt, Kind: tosstest.Drop, AfterEffect: true})
		first, err := CashReceipt(t.Context(), s.Toss, "transfer-17", "강의 수강권", tosspayments.Won(11000), "01012341234")
		require.NoError(t, err)
		again, err := CashReceipt(t.Context(), s.Toss, "transfer-17", "강의 수강권", tosspayments.Won(11000), "01012341234")
		require.NoError(t, err)
		assert.Equal(t, first, again)
		failed, err := FailedCashReceipts(t.Context(), s.Toss, tosspayments.DateOf(time.Now()))
		require.NoError(t, err)
		assert.Empty(t, failed)
		_, err = s.Toss.CancelCashReceipt(t.Context(), first, tosspayments.CancelCashReceiptRequest{})
		require.NoError(t, err)
	})
}

func TestFailedCashReceiptsAreFound(t *testing.T) {
	client, mock := mocked(t)
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/cash-receipts", httpmock.NewStringResponder(http.StatusOK, `{"hasNext": false,
		"lastCursor": 2, "data": [{"receiptKey": "r1", "issueStatus": "COMPLETED", "amount": 1000}, {"receiptKey": "r2", "issueStatus": "FAILED",
		"amount": 2000, "failure": {"code": "NTS_ERROR", "message": "[TS1]"}}]}`))
	failed, err := FailedCashReceipts(t.Context(), client, tosspayments.DateOf(time.Now()))
	require.NoError(t, err)
	require.Len(t, failed, 1)
	assert.Equal(t, "r2", failed[0].ReceiptKey)
}

func TestAnEscrowAccount(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		require.NoError(t, s.Create(t.Context(), Order{ID: "order-0002", Name: "원두 1kg", Amount: tosspayments.Won(15000)}))
		order, err := s.Get(t.Context(), "order-0002")
		require.NoError(t, err)
		require.NoError(t, s.EscrowAccount(t.Context(), order, "20", "김토스", "01012341234"))
		order, err = s.Get(t.Context(), "order-0002")
		require.NoError(t, err)
		assert.Equal(t, "waiting", order.State)
		assert.Contains(t, string(s.server.Requests()[0].Body), `"useEscrow":true`)
	})
}
