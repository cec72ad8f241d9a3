package recipes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestAmountAndCurrencyAreChecked(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		redirect := s.server.Authenticate(tosstest.Checkout{
			OrderID: "order-2", OrderName: "원두", Amount: tosspayments.Won(100), Currency: "USD",
		})
		_, err := CheckedRequest(redirect, tosspayments.Won(200), "USD")
		require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
		_, approved := ApprovedOtherwise(err)
		assert.False(t, approved, "nothing was sent")

		request, err := CheckedRequest(redirect, tosspayments.Won(100), "KRW")
		require.NoError(t, err, "the redirect has no currency")
		payment, err := s.Toss.ConfirmPayment(s.ctx(), request)
		require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
		assert.Equal(t, tosspayments.OutcomeMismatch, tosspayments.OutcomeOf(payment, err))
		found, approved := ApprovedOtherwise(err)
		assert.True(t, approved)
		assert.Equal(t, "USD", found.Currency)

		request, err = CheckedRequest(redirect, tosspayments.Won(100), "USD")
		require.NoError(t, err)
		_, err = s.Toss.ConfirmPayment(s.ctx(), request)
		require.NoError(t, err)
	})
}

func TestWindowOpenedWithAnotherAmount(t *testing.T) {
	for code, want := range map[tosspayments.ErrorCode]tosspayments.Outcome{
		tosspayments.ErrForbiddenRequest: tosspayments.OutcomeRefused,
		"A_NEW_CODE":                     tosspayments.OutcomeMismatch, // the lookup shows it
	} {
		quietly(t, func(t *testing.T, s *stand) {
			s.request.Amount = tosspayments.Won(100)
			payment, err := s.Toss.ConfirmPayment(s.ctx(), s.request)
			require.Error(t, err)
			assert.Equal(t, want, tosspayments.OutcomeOf(payment, err))
			_, approved := ApprovedOtherwise(err)
			assert.False(t, approved)
			assert.Zero(t, s.server.Charges("order-0001"))
		}, tosstest.WithGuess(tosstest.ConfirmOtherAmount, code))
	}
}
