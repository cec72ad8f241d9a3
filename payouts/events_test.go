package payouts_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func TestEvents(t *testing.T) {
	parse := func(kind, entity string) *webhook.Event {
		event, err := webhook.Parse([]byte(`{"eventType":"` + kind + `","createdAt":"2026-03-06T09:30:00+09:00","version":"2022-11-16","eventId":"evt_1","entityType":"x","entityBody":` + entity + `}`))
		require.NoError(t, err)
		return event
	}
	payout, err := payouts.PayoutOf(parse("payout.changed", payoutJSON("p-1", "COMPLETED", 50000)))
	require.NoError(t, err)
	assert.Equal(t, payouts.PayoutStatusCompleted, payout.Status)
	assert.Equal(t, "p-1", payout.RefPayoutID)
	seller, err := payouts.SellerOf(parse("seller.changed", sellerJSON))
	require.NoError(t, err)
	assert.Equal(t, "seller_a01example", seller.ID)

	_, err = payouts.PayoutOf(parse("seller.changed", payoutJSON("p-1", "COMPLETED", 50000)))
	require.ErrorContains(t, err, "must be payout.changed")
	_, err = payouts.SellerOf(nil)
	require.Error(t, err)
	for _, entity := range []string{`{}`, `{"id":"FPA_1","status":"COMPLETED"}`, `{"id":"FPA_1","refPayoutId":"p","amount":7,"status":"COMPLETED"}`, `[]`} {
		_, err = payouts.PayoutOf(parse("payout.changed", entity))
		require.Error(t, err, entity)
	}
	_, err = payouts.SellerOf(parse("seller.changed", `{"id":"seller_1"}`))
	require.ErrorContains(t, err, "status")
}
