package tosspayments_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestPayConfirmRefund(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	order := checkout()
	payment, err := client.ConfirmPayment(t.Context(), pay(t, server, order))
	require.NoError(t, err)
	t.Run("paid", func(t *testing.T) {
		assert.True(t, payment.IsPaid())
		assert.Equal(t, tosspayments.PaymentStatusDone, payment.Status)
		assert.Equal(t, order.Amount, payment.TotalAmount)
		assert.Equal(t, order.Amount, payment.Cancelable())
		assert.Equal(t, "61", payment.Card.IssuerCode)
		assert.NotEmpty(t, payment.Receipt.URL)
	})
	t.Run("read", func(t *testing.T) {
		byKey, err := client.GetPayment(t.Context(), payment.PaymentKey)
		require.NoError(t, err)
		assert.Equal(t, payment, byKey)
		byOrder, err := client.GetPaymentByOrderID(t.Context(), order.OrderID)
		require.NoError(t, err)
		assert.Equal(t, payment, byOrder)
	})
	t.Run("refunded in part", func(t *testing.T) {
		part, err := client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
			CancelReason: "한 상품 품절", CancelAmount: tosspayments.Won(11000), RefundableAmount: payment.Cancelable(),
		})
		require.NoError(t, err)
		assert.True(t, part.IsPaid())
		assert.Equal(t, tosspayments.Won(22000), part.Cancelable())
		assert.Equal(t, tosspayments.PaymentStatusPartialCanceled, part.Status)
	})
	t.Run("refunded", func(t *testing.T) {
		rest, err := client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "고객 변심"})
		require.NoError(t, err)
		assert.True(t, rest.IsFullyCanceled())
		assert.False(t, rest.IsPaid())
		assert.Equal(t, tosspayments.PaymentStatusPartialCanceled, rest.Status, "a payment refunded in parts stays PARTIAL_CANCELED")
		assert.True(t, rest.Cancelable().IsZero())
	})
	t.Run("refunded again", func(t *testing.T) {
		again, err := client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "again"})
		require.NoError(t, err, "nothing is left, as was asked for")
		assert.True(t, again.IsFullyCanceled())
	})
	assert.Equal(t, 1, server.Charges(order.OrderID))
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(11000), tosspayments.Won(22000)}, server.Refunds(order.OrderID))
}
