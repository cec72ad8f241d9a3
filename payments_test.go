package tosspayments_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestPlainGetPayment(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/payments/orders/order-0001", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "WAITING_FOR_DEPOSIT", "method": "가상계좌", "currency": "KRW",
		"totalAmount": 15000, "balanceAmount": 15000}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := client.GetPaymentByOrderID(t.Context(), "order-0001")
	require.NoError(t, err)
	assert.Equal(t, "pay-1", payment.PaymentKey)
	assert.Equal(t, tosspayments.OutcomeWaiting, payment.Outcome())
}

func TestPlainGetPaymentThatIsUnknown(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/payments/pay-1", httpmock.NewStringResponder(404, `{"code": "NOT_FOUND_PAYMENT", "message": "존재하지 않는 결제 입니다."}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	_, err = client.GetPayment(t.Context(), "pay-1")
	require.ErrorIs(t, err, tosspayments.ErrNotFoundPayment)
	assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), "a read says nothing of the order")
}
