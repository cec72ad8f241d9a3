package tosspayments_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestBillingKeysAreNotPrinted(t *testing.T) {
	billing := &tosspayments.Billing{BillingKey: testBillingKey, MID: "shop"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", testBillingKey.Key, "customer", testBillingKey.CustomerKey)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", billing, billing, testBillingKey, testBillingKey), log.String()} {
		assert.NotContains(t, text, "billing-key=1")
		assert.NotContains(t, text, "customer-1")
	}
}

// registeredCard is a card that a buyer has registered, and its server.
func registeredCard(t *testing.T) (*tosstest.Server, *tosspayments.Client, *tosspayments.Billing) {
	t.Helper()
	server := tosstest.New()
	client := server.Client()
	billing, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
	require.NoError(t, err)
	return server, client, billing
}

func TestRegistration(t *testing.T) {
	_, _, billing := registeredCard(t)
	assert.Equal(t, "customer-1", billing.CustomerKey.Reveal())
	assert.NotEmpty(t, billing.Card.Number)
	assert.False(t, billing.AuthenticatedAt.IsZero())
}

func TestAnAuthKeyWorksOnce(t *testing.T) {
	server := tosstest.New()
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	_, err := server.Client().IssueBillingKey(t.Context(), redirect)
	require.NoError(t, err)
	_, err = server.Client().IssueBillingKey(t.Context(), redirect)
	require.ErrorIs(t, err, tosspayments.ErrInvalidBillKeyRequest)
}

func TestAChargeIsMadeOnce(t *testing.T) {
	server, client, billing := registeredCard(t)
	payment, err := client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
	assert.Equal(t, tosspayments.PaymentTypeBilling, payment.Type)
	again, err := client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.NoError(t, err)
	assert.Equal(t, payment, again)
	assert.Equal(t, 1, server.Charges("order-0001"))
}

func TestAnotherChargeUnderTheSameOrderID(t *testing.T) {
	server, client, billing := registeredCard(t)
	payment, err := client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.NoError(t, err)
	other := chargeRequest()
	other.Amount = tosspayments.Won(9900)
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, other)
	require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
	assert.Equal(t, payment.PaymentKey, tosspayments.PaymentOf(err).PaymentKey)
	assert.Equal(t, 1, server.Charges("order-0001"))
}

func TestAChargeOfAnotherCustomer(t *testing.T) {
	_, client, billing := registeredCard(t)
	_, err := client.ChargeBilling(t.Context(), tosspayments.NewBillingKey(billing.Key.Reveal(), "customer-2"), chargeRequest())
	require.ErrorIs(t, err, tosspayments.ErrNotMatchesCustomerKey)
}

func TestTheOrderIDOfARefusedChargeCanBeUsedAgain(t *testing.T) {
	server, client, billing := registeredCard(t)
	server.SetRefusal(billing.BillingKey, tosspayments.ErrRejectCardPayment)
	_, err := client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.ErrorIs(t, err, tosspayments.ErrRejectCardPayment)
	server.SetRefusal(billing.BillingKey, "")
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.NoError(t, err)
}

func TestADeletedBillingKey(t *testing.T) {
	t.Parallel()
	server, client, billing := registeredCard(t)
	server.Inject(tosstest.Fault{Operation: tosstest.DeleteBillingKey, Kind: tosstest.Drop, AfterEffect: true})
	require.NoError(t, client.DeleteBillingKey(t.Context(), billing.BillingKey))
	require.ErrorIs(t, client.DeleteBillingKey(t.Context(), billing.BillingKey), tosspayments.ErrAlreadyRemovedBillingKey)
	_, err := client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.ErrorIs(t, err, tosspayments.ErrAlreadyRemovedBillingKey)
	require.ErrorIs(t, client.DeleteBillingKey(t.Context(), tosspayments.NewBillingKey("none", "customer-1")), tosspayments.ErrNotFoundBilling)
}

func TestRegistrationByCard(t *testing.T) {
	t.Parallel()
	server := tosstest.NewServer(t)
	client := server.Client()
	request := registrationByCardRequest()
	server.Inject(tosstest.Fault{Operation: tosstest.IssueBillingKeyByCard, Kind: tosstest.Drop, AfterEffect: true})
	billing, err := client.IssueBillingKeyByCard(t.Context(), request)
	require.NoError(t, err, "the idempotency key replays the answer")
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, chargeRequest())
	require.NoError(t, err)
	request.CardNumber = tosspayments.NewSensitive("943400")
	_, err = client.IssueBillingKeyByCard(t.Context(), request)
	require.ErrorIs(t, err, tosspayments.ErrInvalidCardNumber)
	_, err = client.ChargeKeyIn(t.Context(), keyInRequest())
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer, "the order is one of a billing key")
}

// The points of a card are asked for in a charge, and the payment says so.
func TestCardPoints(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	billing, err := client.IssueBillingKeyByCard(t.Context(), registrationByCardRequest())
	require.NoError(t, err)
	for _, points := range []bool{true, false} {
		request, typed := chargeRequest(), keyInRequest()
		request.OrderID, request.UseCardPoint, request.CustomerMobilePhone = tosspayments.NewOrderID(), points, "01012345678"
		typed.OrderID, typed.UseCardPoint = tosspayments.NewOrderID(), points
		charged, err := client.ChargeBilling(t.Context(), billing.BillingKey, request)
		require.NoError(t, err)
		assert.Equal(t, points, charged.Card.UseCardPoint)
		assert.Equal(t, points, strings.Contains(string(lastBody(server)), `"useCardPoint":true`))
		assert.Contains(t, string(lastBody(server)), `"customerMobilePhone":"01012345678"`)
		charged, err = client.ChargeKeyIn(t.Context(), typed)
		require.NoError(t, err)
		assert.Equal(t, points, charged.Card.UseCardPoint)
	}
}

func lastBody(server *tosstest.Server) []byte {
	requests := server.Requests()
	return requests[len(requests)-1].Body
}

func TestRegistrationOfSomebodyElse(t *testing.T) {
	client, mock := mockClient(t)
	mock.RegisterResponder(http.MethodPost, "https://api.tosspayments.com/v1/billing/authorizations/issue",
		(&script{answers: []answer{{status: 200, body: `{"billingKey":"billing-key=1","customerKey":"customer-2"}`}}}).respond)
	_, err := client.IssueBillingKey(t.Context(), tosspayments.BillingRedirect{CustomerKey: "customer-1", AuthKey: tosspayments.NewSensitive("auth")})
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
	assert.NotContains(t, err.Error(), "customer-2")
	assert.NotContains(t, err.Error(), "billing-key")
}

func TestPlainChargeBilling(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/billing/billing-key", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "DONE", "method": "카드", "currency": "KRW",
		"totalAmount": 9900, "balanceAmount": 9900, "type": "BILLING"}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := client.ChargeBilling(t.Context(), tosspayments.NewBillingKey("billing-key", "customer-1"), tosspayments.ChargeBillingRequest{
		OrderID: "order-0001", OrderName: "3월 구독", Amount: tosspayments.Won(9900),
	})
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
}

// Nobody can read a billing key again, so no field of less weight may lose it.
func TestARegistrationWithoutItsCustomer(t *testing.T) {
	client, mock := mockClient(t)
	mock.RegisterResponder(http.MethodPost, "https://api.tosspayments.com/v1/billing/authorizations/issue",
		(&script{answers: []answer{{status: 200, body: `{"billingKey":"billing-key=1","customerKey":null}`}}}).respond)
	registration, err := client.IssueBillingKey(t.Context(), tosspayments.BillingRedirect{CustomerKey: "customer-1", AuthKey: tosspayments.NewSensitive("auth")})
	require.NoError(t, err)
	assert.Equal(t, "billing-key=1", registration.Key.Reveal())
	assert.Equal(t, "customer-1", registration.CustomerKey.Reveal())
}
