package payouts_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func eventOf(t *testing.T, kind, entity string) *webhook.Event {
	t.Helper()
	event, err := webhook.Parse([]byte(`{"eventType":"` + kind + `","createdAt":"2026-03-06T09:30:00+09:00","version":"2022-11-16","eventId":"evt_1","entityType":"x","entityBody":` + entity + `}`))
	require.NoError(t, err)
	return event
}

func TestPayoutOf(t *testing.T) {
	payout, err := payouts.PayoutOf(eventOf(t, "payout.changed", payoutJSON("p-1", "COMPLETED", 50000)))
	require.NoError(t, err)
	assert.Equal(t, payouts.PayoutStatusCompleted, payout.Status)
	assert.Equal(t, "p-1", payout.RefPayoutID)
}

func TestPayoutOfRefuses(t *testing.T) {
	_, err := payouts.PayoutOf(eventOf(t, "seller.changed", payoutJSON("p-1", "COMPLETED", 50000)))
	require.ErrorContains(t, err, "must be payout.changed")
	for _, entity := range []string{`{}`, `{"id":"FPA_1","status":"COMPLETED"}`, `{"id":"FPA_1","refPayoutId":"p","amount":7,"status":"COMPLETED"}`, `[]`} {
		_, err = payouts.PayoutOf(eventOf(t, "payout.changed", entity))
		require.Error(t, err, entity)
	}
}

func TestSellerOf(t *testing.T) {
	seller, err := payouts.SellerOf(eventOf(t, "seller.changed", sellerJSON))
	require.NoError(t, err)
	assert.Equal(t, "seller_a01example", seller.ID)
	_, err = payouts.SellerOf(nil)
	require.Error(t, err)
	_, err = payouts.SellerOf(eventOf(t, "seller.changed", `{"id":"seller_1"}`))
	require.ErrorContains(t, err, "status")
}
