package recipes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestABridgeToTheOlderCalls(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		bridge := Bridge{Client: s.Toss}
		key, id := s.request.PaymentKey, s.request.OrderID
		outcome, err := bridge.Unfinished(t.Context(), key, id, 15000)
		assert.Equal(t, tosspayments.OutcomeUnknown, outcome, err) // the buyer is still to be confirmed

		s.server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
		payment, err := bridge.PaymentConfirm(t.Context(), key, id, 15000)
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		outcome, err = bridge.Unfinished(t.Context(), key, id, 15000)
		require.NoError(t, err)
		assert.Equal(t, tosspayments.OutcomePaid, outcome)

		for range 2 { // the second time finds the refund of the first
			_, err = bridge.PaymentCancelPart(t.Context(), key, "refund-1", "사이즈 교환", 5000, 15000)
			require.NoError(t, err)
		}
		_, err = bridge.PaymentCancel(t.Context(), key, "구매자 요청")
		require.NoError(t, err)
		assert.Equal(t, 1, s.server.Charges(id))
		assert.Len(t, s.server.Refunds(id), 2)

		rows := 0
		for _, err := range bridge.TransactionsCheck(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)) {
			require.NoError(t, err)
			rows++
		}
		assert.Equal(t, 3, rows)
	})
}

func TestABridgeToAnOlderBillingKey(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		billing, err := s.Toss.IssueBillingKey(t.Context(), s.server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
		require.NoError(t, err)
		stored := billing.Key.Reveal() // as an older table has it
		for range 2 {
			_, err = Bridge{Client: s.Toss}.BillingConfirm(t.Context(), stored, "customer-1", "sub7-2026-03", "구독 3월", 9900)
			require.NoError(t, err)
		}
		assert.Equal(t, 1, s.server.Charges("sub7-2026-03"))
	})
}
