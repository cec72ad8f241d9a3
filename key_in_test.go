package tosspayments_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestPlainChargeKeyIn(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/payments/key-in", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "DONE", "method": "카드", "currency": "KRW",
		"totalAmount": 15000, "balanceAmount": 15000}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := client.ChargeKeyIn(t.Context(), tosspayments.ChargeKeyInRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000),
		CardNumber:         tosspayments.NewSensitive("4330123412341234"),
		CardExpirationYear: tosspayments.NewSensitive("30"), CardExpirationMonth: tosspayments.NewSensitive("01"),
	})
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
}
