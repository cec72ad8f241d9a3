package brandpay_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
)

// A test of your own service with httpmock needs no more than one of these.

func TestPlainIssueToken(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/brandpay/authorizations/access-token", httpmock.NewStringResponder(200, `{
		"accessToken": "access-1", "refreshToken": "refresh-1", "tokenType": "bearer", "expiresIn": 2592000}`))
	toss, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	token, err := brandpay.New(toss).IssueToken(t.Context(), brandpay.Authorization{CustomerKey: "customer-1", Code: tosspayments.NewSensitive("code-1")})
	require.NoError(t, err)
	assert.Equal(t, "access-1", token.AccessToken.Reveal())
}

func TestPlainGetMethods(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("GET", "https://api.tosspayments.com/v1/brandpay/payments/methods", httpmock.NewStringResponder(200, `{
		"cards": [{"methodKey": "card-1", "cardNumber": "43301299****001*", "issuerCode": "61", "status": "ENABLED"}], "accounts": []}`))
	toss, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	customer := brandpay.New(toss).Customer(brandpay.Token{
		CustomerKey: "customer-1", AccessToken: tosspayments.NewSensitive("access-1"), RefreshToken: tosspayments.NewSensitive("refresh-1"),
	}, nil)

	methods, err := customer.GetMethods(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "card-1", methods.Cards[0].MethodKey)
}

func TestPlainCharge(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/brandpay/payments", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "orderName": "3월 구독", "type": "BRANDPAY", "status": "DONE", "method": "카드",
		"currency": "KRW", "totalAmount": 9900, "balanceAmount": 9900}`))
	toss, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := brandpay.New(toss).Charge(t.Context(), brandpay.ChargeRequest{
		CustomerKey: "customer-1", MethodKey: "card-1", OrderID: "order-0001", OrderName: "3월 구독", Amount: tosspayments.Won(9900),
	})
	assert.Equal(t, tosspayments.OutcomePaid, tosspayments.OutcomeOf(payment, err))
}
