package recipes

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// TestFatesOfAConfirm: whatever happens to a confirm, the order ends in the state that
// the ledger says.
func TestFatesOfAConfirm(t *testing.T) {
	for name, test := range map[string]func(*testing.T, *stand){
		"lost after the approval": func(t *testing.T, s *stand) {
			breakDown(s.server, true)
			s.confirm()
			assert.Equal(t, "confirming", s.order().State)
			s.runJob()
			assert.Equal(t, "confirming", s.order().State, "nobody answers the job either")
			s.server.ClearFaults()
			s.runJob()
			assert.Equal(t, "paid", s.order().State)
			assert.Equal(t, 1, s.server.Charges("order-0001"))
		},
		"lost before the approval": func(t *testing.T, s *stand) {
			breakDown(s.server, false)
			s.confirm()
			assert.Equal(t, "confirming", s.order().State)
			assert.Zero(t, s.server.Charges("order-0001"))
			s.server.ClearFaults()
			s.runJob()
			assert.Equal(t, "paid", s.order().State)
			assert.Equal(t, 1, s.server.Charges("order-0001"))
			for _, r := range s.server.Requests() {
				if r.Operation == tosstest.ConfirmPayment {
					assert.Equal(t, s.order().IdempotencyKey, r.Header.Get("Idempotency-Key"))
				}
			}
		},
		"the process dies before the confirm": func(t *testing.T, s *stand) {
			s.claim("key", s.Toss.KeyID())
			s.runJob()
			assert.Equal(t, "paid", s.order().State)
		},
		"the process dies after the confirm": func(t *testing.T, s *stand) {
			s.claim("key", s.Toss.KeyID())
			_, err := s.Toss.ConfirmPayment(s.ctx(), s.request, tosspayments.WithIdempotencyKey("key"))
			require.NoError(t, err)
			s.runJob()
			assert.Equal(t, "paid", s.order().State)
			assert.Equal(t, 1, s.server.Calls(tosstest.ConfirmPayment), "a look was enough")
		},
		"the secret key is replaced": func(t *testing.T, s *stand) {
			s.claim("key", "0123456789abcdef")
			s.runJob()
			assert.Equal(t, "confirming", s.order().State)
			assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment), "another secret key does not know the idempotency key")
			s.server.Advance(11 * time.Minute)
			s.runJob()
			assert.Equal(t, "failed", s.order().State)
		},
		"never approved": func(t *testing.T, s *stand) {
			s.claim("key", s.Toss.KeyID())
			s.server.Advance(11 * time.Minute)
			s.runJob()
			assert.Equal(t, "failed", s.order().State)
			assert.Equal(t, tosspayments.ClassBuyerRestart, s.order().Code.Class())
			assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment))
		},
		"a payment key that is made up": func(t *testing.T, s *stand) {
			s.request.PaymentKey = "made-up-by-somebody"
			s.confirm()
			for range 60 {
				s.runJob()
			}
			assert.Equal(t, "confirming", s.order().State, "nobody can tell it from a payment of another key: a person has to look")
		},
		"a refusal about the key or the contract": func(t *testing.T, s *stand) {
			s.server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Status: http.StatusUnauthorized})
			s.confirm()
			s.runJob()
			assert.Equal(t, "confirming", s.order().State, "it says nothing about an earlier call under the stored key")
			s.server.Advance(11 * time.Minute)
			s.runJob()
			assert.Equal(t, "failed", s.order().State)
		},
		"a refusal that the payment shows": func(t *testing.T, s *stand) {
			s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0002", Refusal: tosspayments.ErrRejectCardCompany})
			start := time.Now()
			s.confirm()
			assert.Equal(t, "failed", s.order().State)
			assert.Zero(t, time.Since(start), "one look")
		},
		"a refusal that the payment does not show": func(t *testing.T, s *stand) {
			s.server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrRejectCardCompany, Status: http.StatusForbidden})
			start := time.Now()
			s.confirm()
			assert.Equal(t, "failed", s.order().State)
			assert.Equal(t, time.Second, time.Since(start), "two looks, a second apart")
		},
		"an answer that decides nothing": func(t *testing.T, s *stand) {
			s.server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrProviderError, Times: 3})
			s.confirm()
			s.runJob()
			assert.Equal(t, "paid", s.order().State)
			assert.Equal(t, 1, s.server.Charges("order-0001"))
		},
		"a job with the wrong key": func(t *testing.T, s *stand) {
			s.claim("key", s.Toss.KeyID())
			_, err := s.Toss.ConfirmPayment(s.ctx(), s.request, tosspayments.WithIdempotencyKey("key"))
			require.NoError(t, err)
			for _, operation := range []tosstest.Operation{tosstest.ConfirmPayment, tosstest.GetPayment} {
				s.server.Inject(tosstest.Fault{Operation: operation, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Status: 401, Times: 1000})
			}
			s.runJob()
			assert.Equal(t, "confirming", s.order().State, "a refusal of the job says nothing of the order")
			s.server.ClearFaults()
			s.runJob()
			assert.Equal(t, "paid", s.order().State)
		},
		"refused": func(t *testing.T, s *stand) {
			s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0002", Refusal: tosspayments.ErrRejectCardCompany})
			s.confirm()
			assert.Equal(t, "failed", s.order().State)
			assert.Equal(t, tosspayments.ErrRejectCardCompany, s.order().Code)
			assert.True(t, s.order().LookAt.IsZero())
		},
		"refunded since": func(t *testing.T, s *stand) {
			s.claim("key", s.Toss.KeyID())
			_, err := s.Toss.ConfirmPayment(s.ctx(), s.request, tosspayments.WithIdempotencyKey("key"))
			require.NoError(t, err)
			_, err = s.Toss.CancelPayment(s.ctx(), s.request.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "상담원"})
			require.NoError(t, err)
			s.runJob()
			assert.Equal(t, "canceled", s.order().State)
			assert.Empty(t, s.tasks, "nothing was ever released")
			assert.NotEmpty(t, s.order().Payment.Cancels)
		},
		"another payment": func(t *testing.T, s *stand) {
			order := s.order()
			order.Amount = tosspayments.Won(100) // the row was changed after the window had opened
			require.NoError(t, s.Save(s.ctx(), order, ""))
			s.claim("key", "")
			_, err := s.Toss.ConfirmPayment(s.ctx(), s.request)
			require.NoError(t, err)
			s.runJob()
			assert.Equal(t, "review", s.order().State)
			assert.Equal(t, s.request.PaymentKey, s.order().Payment.PaymentKey)
		},
		"not sent": func(t *testing.T, s *stand) {
			s.request.PaymentKey = strings.Repeat("k", 201)
			s.confirm()
			assert.Equal(t, "new", s.order().State)
			assert.Empty(t, s.server.Requests())
		},
		"the buyer comes while the job runs": func(t *testing.T, s *stand) {
			old := s.order()
			s.confirm()
			require.NoError(t, s.ConfirmOrder(s.ctx(), old, s.request), "claimed by the other tab")
			assert.Equal(t, 1, s.server.Calls(tosstest.ConfirmPayment))
		},
	} {
		t.Run(name, func(t *testing.T) { quietly(t, test) })
	}
}

// claim is as far as a handler has come that died before the confirm.
func (s *stand) claim(key, keyID string) {
	s.t.Helper()
	order := s.order()
	order.PaymentKey, order.IdempotencyKey, order.KeyID = s.request.PaymentKey, key, keyID
	claimed, err := s.Claim(s.ctx(), &order)
	require.NoError(s.t, err)
	require.True(s.t, claimed)
}

func TestALateLookDoesNotOverwrite(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.confirm()
		stale := s.order()
		payment := stale.Payment
		_, err := s.Toss.CancelPayment(s.ctx(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "in the dashboard"})
		require.NoError(t, err)
		require.NoError(t, s.Settle(s.ctx(), stale.ID))
		require.ErrorIs(t, s.record(s.ctx(), stale, payment, nil), errChanged)
		assert.Equal(t, "canceled", s.order().State)
	})
}

func TestTheRecordHasItsOwnTime(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		payment, err := s.Toss.ConfirmPayment(s.ctx(), s.request)
		require.NoError(t, err)
		require.NoError(t, s.record(ctx, s.order(), payment, nil))
		assert.Equal(t, "paid", s.order().State)
	})
}

func TestSecondConfirmReturnsThePayment(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		for range 2 {
			payment, err := s.Toss.ConfirmPayment(s.ctx(), s.request)
			require.NoError(t, err)
			assert.True(t, payment.IsPaid())
		}
		assert.Equal(t, 1, s.server.Charges("order-0001"))

		_, err := s.Toss.ConfirmPayment(s.ctx(), s.request, tosspayments.WithTestCode(tosspayments.ErrAlreadyProcessedPayment))
		require.NoError(t, err, "the code never reaches the caller")
	})
}

func TestJobReportsWhatFails(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.broken = errors.New("connection refused")
		require.ErrorIs(t, s.Job(s.ctx()), s.broken)
		require.Error(t, s.Settle(s.ctx(), "order-9999"))
	})
}

func TestStatusFor(t *testing.T) {
	refused := func(code tosspayments.ErrorCode) error { return &tosspayments.Error{Code: code} }
	assert.Equal(t, http.StatusOK, StatusFor(&tosspayments.Payment{Status: tosspayments.PaymentStatusDone}, nil))
	for want, errs := range map[int][]error{
		http.StatusAccepted:            {&tosspayments.OutcomeUnknownError{}, errors.New("no answer")},
		http.StatusGone:                {refused(tosspayments.ErrNotFoundPaymentSession)},
		http.StatusPaymentRequired:     {refused(tosspayments.ErrRejectCardCompany), refused(tosspayments.ErrExpiredPayment)},
		http.StatusConflict:            {&tosspayments.CanceledError{}},
		http.StatusServiceUnavailable:  {refused(tosspayments.ErrNotAvailableBank)},
		http.StatusInternalServerError: {refused(tosspayments.ErrUnauthorizedKey), refused("NEW_CODE"), &tosspayments.MismatchError{}, &tosspayments.ValidationError{}},
	} {
		for _, err := range errs {
			assert.Equal(t, want, StatusFor(nil, err), "%v", err)
		}
	}
}
