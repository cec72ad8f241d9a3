package recipes

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

type holds struct{ until time.Time }

func (h *holds) Extend(_ context.Context, _ string, until time.Time) (bool, error) {
	if !h.until.After(time.Now()) {
		return false, nil
	}
	h.until = until
	return true, nil
}

func TestHoldIsExtendedOrNothingIsSent(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		err := s.ConfirmHeld(s.ctx(), &holds{until: time.Now().Add(-time.Second)}, s.order(), s.request)
		require.ErrorIs(t, err, ErrHoldOver)
		assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment))

		h := &holds{until: time.Now().Add(time.Second)}
		require.NoError(t, s.ConfirmHeld(s.ctx(), h, s.order(), s.request))
		assert.Equal(t, "paid", s.order().State)
		assert.Greater(t, time.Until(h.until), 10*time.Minute)
	})
}

func TestAConfirmThatComesTooLate(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.server.Advance(11 * time.Minute)
		s.confirm()
		assert.Equal(t, "failed", s.order().State)
		assert.Equal(t, tosspayments.ClassBuyerRestart, s.order().Code.Class())
		assert.Equal(t, tosspayments.ClassBuyerRestart, tosspayments.ErrExpiredPayment.Class())
	})
}

func TestWhyNoSession(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		assert.Contains(t, s.WhyNoSession(s.ctx(), s.request.PaymentKey), "IN_PROGRESS")
		s.server.Advance(11 * time.Minute)
		assert.Contains(t, s.WhyNoSession(s.ctx(), s.request.PaymentKey), "too late")
		assert.Contains(t, s.WhyNoSession(s.ctx(), "nobody"), "pair")
		breakDown(s.server, false)
		assert.Contains(t, s.WhyNoSession(s.ctx(), s.request.PaymentKey), "cannot tell")
	})
}
