package recipes

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// These are the blocks of the README and of the guide to testing.

func TestABuyerPays(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)
	payment, err := client.ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
	assert.Equal(t, 1, server.Charges("order-0001"))
}

func TestTheAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New() // no listener: it works in a bubble
		redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
		request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
		require.NoError(t, err)
		server.Inject(
			tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true, Times: 100},
			tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway, Times: 100},
		)
		_, err = server.Client().ConfirmPayment(t.Context(), request)
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown) // after seconds that take no time
		assert.Equal(t, 1, server.Charges("order-0001"))
	})
}

func TestDepositAndWebhook(t *testing.T) {
	s := openAccount(t)
	server := s.server
	receiver, err := Receiver(s, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	before := len(server.Deliveries())

	server.RegisterWebhookHandler(receiver)
	server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook})
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	server.WaitWebhooks()
	for _, delivery := range server.Deliveries() {
		assert.Equal(t, http.StatusOK, delivery.Status)
	}

	assert.Greater(t, len(server.Deliveries()), before+2)
}

func TestACardIsRefused(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	billing, err := client.IssueBillingKey(t.Context(), redirect)
	require.NoError(t, err)
	server.SetRefusal(billing.BillingKey, tosspayments.ErrRejectCardPayment)
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, tosspayments.ChargeBillingRequest{
		OrderID: "sub7-2026-03-0", OrderName: "구독 3월", Amount: tosspayments.Won(9900),
	})
	require.ErrorIs(t, err, tosspayments.ErrRejectCardPayment)
	server.RevokeBillingKey(billing.BillingKey)

	require.ErrorIs(t, client.DeleteBillingKey(t.Context(), billing.BillingKey), tosspayments.ErrAlreadyRemovedBillingKey)
}

func TestTheTestEnvironmentIsAskedForAnError(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	request := tosspayments.ConfirmPaymentRequest{PaymentKey: "none", OrderID: "order-0001", Amount: tosspayments.Won(15000)}
	_, err := client.ConfirmPayment(t.Context(), request, tosspayments.WithTestCode(tosspayments.ErrRejectCardCompany))
	require.ErrorIs(t, err, tosspayments.ErrRejectCardCompany)

	live, err := tosspayments.New("live_sk_abcdefghijklmnop", tosspayments.WithBaseURL(server.URL))
	require.NoError(t, err)
	_, err = live.ConfirmPayment(t.Context(), request, tosspayments.WithTestCode(tosspayments.ErrRejectCardCompany))
	var invalid *tosspayments.ValidationError
	require.ErrorAs(t, err, &invalid)
}
