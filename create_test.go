package tosspayments_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestPlainCreatePayment(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/payments", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "READY", "method": "카드", "currency": "KRW",
		"totalAmount": 15000, "balanceAmount": 15000,
		"checkout": {"url": "https://pay.example/window"}}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := client.CreatePayment(t.Context(), tosspayments.CreatePaymentRequest{
		Method: tosspayments.MethodCard, OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000),
		SuccessURL: "https://shop.example/success", FailURL: "https://shop.example/fail",
	})
	require.NoError(t, err)
	assert.Equal(t, "https://pay.example/window", payment.Checkout.URL)
}

// An idempotency key that was used before is answered with the window of another purchase.
func TestTheWindowOfAnotherPurchase(t *testing.T) {
	for field, changes := range map[string]object{
		"orderId":  {"orderId": "order-0002"},
		"amount":   {"totalAmount": 1500},
		"currency": {"currency": "USD"},
	} {
		client, mock := mockClient(t)
		mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: paymentJSON("READY", changes)}}}).respond)
		_, err := client.CreatePayment(t.Context(), tosspayments.CreatePaymentRequest{
			Method: tosspayments.MethodCard, OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000),
			SuccessURL: "https://shop.example/success", FailURL: "https://shop.example/fail",
		})
		var mismatch *tosspayments.MismatchError
		require.ErrorAs(t, err, &mismatch)
		assert.Equal(t, field, mismatch.Field)
	}
}
