package recipes

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func TestCallsGoThroughTheProxy(t *testing.T) {
	t.Parallel() // it mostly waits
	var passed, refused atomic.Int32
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.Host = r.Out.URL.Host }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			refused.Add(1)
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		passed.Add(1)
		forward.ServeHTTP(w, r)
	}))
	defer server.Close()
	proxy, err := url.Parse(server.URL)
	require.NoError(t, err)

	s := newStand(t, tosstest.NewServer(t))
	s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0001"})
	s.Toss, err = NewProxiedClient(tosstest.DefaultSecretKey, proxy, tosspayments.WithBaseURL(s.server.URL))
	require.NoError(t, err)
	defer s.Toss.Close()
	s.confirm()
	assert.Equal(t, "paid", s.order().State)
	assert.Positive(t, passed.Load())

	// A proxy that lets nobody out: nothing was sent.
	client, err := NewProxiedClient(tosstest.DefaultSecretKey, proxy, tosspayments.WithMaxRetries(0))
	require.NoError(t, err)
	payment, err := client.ConfirmPayment(s.ctx(), s.request)
	assert.Equal(t, tosspayments.OutcomeNotSent, tosspayments.OutcomeOf(payment, err), "%v", err)
	assert.Positive(t, refused.Load())
	ctx, cancel := context.WithTimeout(s.ctx(), time.Second)
	defer cancel()
	payment, err = client.ConfirmPayment(ctx, s.request, tosspayments.WithIdempotencyKey("key-1"))
	assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(payment, err), "an earlier call under the key may have been sent")
}

// twoMIDs share the address of the webhooks; orders belong to the first, to the second, and
// to one that is closed. An order that is not among them is not known.
type twoMIDs struct {
	*Merchants
	server *tosstest.Server
	got    []webhook.Delivery
	// broken is what the database answers.
	broken error
}

func newTwoMIDs(t *testing.T) *twoMIDs {
	t.Helper()
	server := tosstest.NewServer(t)
	widget, err := tosspayments.New(tosstest.DefaultWidgetSecretKey, tosspayments.WithBaseURL(server.URL))
	require.NoError(t, err)
	t.Cleanup(widget.Close)
	s := &twoMIDs{server: server}
	orders := map[string]string{"order-0001": tosstest.DefaultMID, "order-0002": tosstest.DefaultWidgetMID, "order-0003": "closed"}
	s.Merchants = &Merchants{
		Clients: map[string]*tosspayments.Client{tosstest.DefaultMID: server.Client(), tosstest.DefaultWidgetMID: widget},
		MID:     func(_ context.Context, orderID string) (string, error) { return orders[orderID], s.broken },
	}
	server.RegisterWebhookHandler(s.Webhooks(func(_ context.Context, d webhook.Delivery) error {
		s.got = append(s.got, d)
		return nil
	}))
	return s
}

// deposit issues an account for the first MID's order, and pays into it.
func (s *twoMIDs) deposit(t *testing.T) *tosspayments.Payment {
	t.Helper()
	client, err := s.ClientOf(t.Context(), "order-0001")
	require.NoError(t, err)
	payment, err := client.IssueVirtualAccount(t.Context(), tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20", ValidHours: 24,
	}, tosspayments.WithIdempotencyKey("order-0001"))
	require.NoError(t, err)
	require.NoError(t, s.server.Deposit("order-0001", tosspayments.Won(15000)))
	s.server.WaitWebhooks()
	return payment
}

func TestEventsAreReadWithTheClientOfTheirOrder(t *testing.T) {
	s := newTwoMIDs(t)
	s.deposit(t)
	require.NotEmpty(t, s.got)
	for _, delivery := range s.got {
		require.NotNil(t, delivery.Payment, "%s", delivery)
		assert.Equal(t, tosstest.DefaultMID, delivery.Payment.MID)
	}
}

// An event of the other MID's order is asked for there, where nobody knows the payment.
func TestEventsThatNameAnotherOrder(t *testing.T) {
	s := newTwoMIDs(t)
	payment := s.deposit(t)
	s.got = nil
	for _, orderID := range []string{"order-0002", "order-0003", "order-0009"} {
		s.server.SendWebhook(webhook.PaymentStatusChanged, map[string]any{
			"paymentKey": payment.PaymentKey, "orderId": orderID, "status": "DONE", "mId": tosstest.DefaultMID, "totalAmount": 15000,
		})
	}
	s.server.WaitWebhooks()
	require.Len(t, s.got, 1)
	assert.Nil(t, s.got[0].Payment, "an order that is not known here")
	deliveries := s.server.Deliveries()
	for i, status := range []int{http.StatusServiceUnavailable, http.StatusServiceUnavailable, http.StatusOK} {
		assert.Equal(t, status, deliveries[len(deliveries)-3+i].Status)
	}
}

func TestOrdersWithoutAClient(t *testing.T) {
	s := newTwoMIDs(t)
	_, err := s.ClientOf(t.Context(), "order-0003")
	require.ErrorContains(t, err, "closed")
	s.broken = errors.New("the database is away")
	_, err = s.ClientOf(t.Context(), "order-0001")
	require.ErrorIs(t, err, s.broken)
}
