package recipes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestAKeyIsChecked(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		require.NoError(t, CheckKey(t.Context(), s.Toss))
		s.server.Inject(tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Status: 401})
		require.ErrorIs(t, CheckKey(t.Context(), s.Toss), tosspayments.ErrUnauthorizedKey)
	})
}

func TestErrorsAreRehearsed(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		for code, want := range map[tosspayments.ErrorCode]tosspayments.Outcome{
			tosspayments.ErrRejectCardCompany:           tosspayments.OutcomeRefused,
			tosspayments.ErrNotFoundPaymentSession:      tosspayments.OutcomeRefused,
			tosspayments.ErrUnauthorizedKey:             tosspayments.OutcomeRefused,
			tosspayments.ErrProviderError:               tosspayments.OutcomeUnknown,
			tosspayments.ErrIdempotentRequestProcessing: tosspayments.OutcomeUnknown,
			tosspayments.ErrAlreadyProcessedPayment:     tosspayments.OutcomeUnknown,
		} {
			outcome, err := Rehearse(t.Context(), s.Toss, code)
			assert.Equal(t, want, outcome, "%s: %v", code, err)
		}
	})
}
