package recipes

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func TestReceiverStoresWhatItIsTold(t *testing.T) {
	s := openAccount(t)
	redirect := s.server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	billing, err := s.Toss.IssueBillingKey(t.Context(), redirect)
	require.NoError(t, err)
	s.server.RevokeBillingKey(billing.BillingKey)
	s.server.SendWebhook("EVENT_OF_TOMORROW", map[string]any{"a": 1})
	s.server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook})
	s.server.SendWebhook(webhook.PayoutChanged, map[string]any{"id": "FPA_1", "refPayoutId": "payout-1", "status": "COMPLETED"})
	s.server.WaitWebhooks()
	assert.Equal(t, []string{billing.Key.Reveal()}, s.ended)
	assert.Len(t, s.events, 1)
	require.Len(t, s.server.Deliveries(), 4)
	for _, delivery := range s.server.Deliveries() {
		assert.Equal(t, http.StatusOK, delivery.Status, "%s", delivery.Event)
	}

	_, err = Receiver(s, "test_sk_no_security_key")
	require.Error(t, err)
}

func TestAnEventThatCouldNotBeStoredComesAgain(t *testing.T) {
	s := openAccount(t)
	s.broken = errors.New("the database is away")
	require.NoError(t, s.server.Deposit("order-0001", tosspayments.Won(15000)))
	s.server.WaitWebhooks()
	require.Len(t, s.server.Deliveries(), 2)
	assert.Equal(t, http.StatusInternalServerError, s.server.Deliveries()[0].Status)

	s.broken = nil
	s.server.Advance(time.Minute)
	s.server.WaitWebhooks()
	require.Len(t, s.server.Deliveries(), 4)
	assert.Equal(t, http.StatusOK, s.server.Deliveries()[3].Status)
	assert.Equal(t, 1, s.server.Deliveries()[3].RetriedCount)
}

func TestForgedEventsWakeNobody(t *testing.T) {
	s := openAccount(t)
	s.server.WaitWebhooks()
	woken, before := s.woken, len(s.server.Deliveries())
	s.server.SendWebhook(webhook.DepositCallback, map[string]string{
		"secret": "forged", "status": "DONE", "transactionKey": "T1", "orderId": "order-0001",
	})
	s.server.SendWebhook(webhook.DepositCallback, map[string]string{
		"secret": "unknown", "status": "DONE", "transactionKey": "T1", "orderId": "order-9999",
	})
	s.server.WaitWebhooks()
	deliveries := s.server.Deliveries()[before:]
	assert.Equal(t, http.StatusUnauthorized, deliveries[0].Status)
	assert.Equal(t, http.StatusInternalServerError, deliveries[1].Status, "the order may not be stored yet: the event comes again")
	assert.Equal(t, woken, s.woken)
}

func TestAnEventOfAnOlderWindowDecidesNothing(t *testing.T) {
	s := newStand(t, tosstest.NewServer(t))
	s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0001"})
	s.confirm()
	receiver, err := Receiver(s, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	s.server.RegisterWebhookHandler(receiver)
	s.server.SendWebhook(webhook.PaymentStatusChanged, map[string]any{
		"paymentKey": "of-an-older-window", "orderId": "order-0001", "status": "EXPIRED", "totalAmount": 15000,
	})
	s.server.WaitWebhooks()
	assert.Equal(t, 1, s.woken)
	require.NoError(t, s.Job(s.ctx()))
	assert.Equal(t, "paid", s.order().State)
}

// TestAnEventDuringAConfirm neither voids the confirm nor is forgotten: it may be about what
// has happened since.
func TestAnEventDuringAConfirm(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.claim("key-1", s.Toss.KeyID())
		order := s.order()
		payment, err := s.Toss.ConfirmPayment(s.ctx(), order.request())
		require.NoError(t, err)
		_, err = s.Toss.CancelPayment(s.ctx(), order.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "in the dashboard"})
		require.NoError(t, err)
		require.NoError(t, s.Wake(s.ctx(), order.ID))
		require.NoError(t, s.Job(s.ctx()))
		assert.Equal(t, "confirming", s.order().State, "whoever confirms it records it")
		require.NoError(t, s.record(s.ctx(), order, payment, nil))
		assert.Equal(t, "paid", s.order().State)
		require.NoError(t, s.Job(s.ctx()))
		assert.Equal(t, "canceled", s.order().State)
	})
}

// TestEventsDuringEachLook: a stream of forged events keeps nothing from being recorded.
func TestEventsDuringEachLook(t *testing.T) {
	s := openAccount(t)
	require.NoError(t, s.server.Deposit("order-0001", tosspayments.Won(15000)))
	s.server.WaitWebhooks()
	orders, _, err := s.Due(s.ctx())
	require.NoError(t, err)
	require.Equal(t, []string{"order-0001"}, orders)
	look := s.order()
	payment, err := s.resolve(s.ctx(), look)
	require.NoError(t, s.Wake(s.ctx(), look.ID))
	require.NoError(t, s.record(s.ctx(), look, payment, err))
	assert.Equal(t, "paid", s.order().State)
	orders, _, err = s.Due(s.ctx())
	require.NoError(t, err)
	assert.Equal(t, []string{"order-0001"}, orders, "there is another look")
	orders, _, err = s.Due(s.ctx())
	require.NoError(t, err)
	assert.Empty(t, orders, "and one is enough")
}

func TestSignAWebhookYourself(t *testing.T) {
	database := newMemory()
	receiver, err := Receiver(database, tosstest.DefaultSecurityKey)
	require.NoError(t, err)

	body := []byte(`{"eventType":"payout.changed","eventId":"evt_1","entityType":"payout","entityBody":{"id":"FPA_1","status":"COMPLETED"}}`)
	sentAt := "2026-03-01T12:19:21+09:00"
	signature, err := webhook.Sign(tosstest.DefaultSecurityKey, body, sentAt, false)
	require.NoError(t, err)
	request := httptest.NewRequest(http.MethodPost, "/webhooks/toss", bytes.NewReader(body))
	request.Header.Set("tosspayments-webhook-transmission-time", sentAt)
	request.Header.Set("tosspayments-webhook-signature", signature)
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, request)
	assert.Equal(t, http.StatusOK, answer.Code)

	assert.Equal(t, string(body), database.events["event/evt_1"])
	other, err := Receiver(database, "1111111111111111111111111111111111111111111111111111111111111111")
	require.NoError(t, err)
	other.Logger = nil
	answer = httptest.NewRecorder()
	request = httptest.NewRequest(http.MethodPost, "/webhooks/toss", bytes.NewReader(body))
	request.Header.Set("tosspayments-webhook-transmission-time", sentAt)
	request.Header.Set("tosspayments-webhook-signature", signature)
	other.ServeHTTP(answer, request)
	assert.Equal(t, http.StatusUnauthorized, answer.Code)
}

func TestWebhooks(t *testing.T) {
	s := newStand(t, tosstest.NewServer(t))
	require.NoError(t, s.Create(s.ctx(), Order{ID: "order-0001", Name: "원두", Amount: tosspayments.Won(15000)}))
	order, err := s.Get(s.ctx(), "order-0001")
	require.NoError(t, err)
	require.NoError(t, s.Account(s.ctx(), order, "20", "김토스"))
	secret, err := s.Secret(s.ctx(), "order-0001")
	require.NoError(t, err)
	var trust []webhook.Verification
	handler := s.Webhooks(s.Secret, func(_ context.Context, d webhook.Delivery) error {
		trust = append(trust, d.Verified)
		return nil
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(
		`{"createdAt":"2026-03-01T13:05:44.000000","secret":"`+secret.Reveal()+`","status":"DONE","transactionKey":"T1","orderId":"order-0001"}`)))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, []webhook.Verification{webhook.BySecret}, trust)
}
