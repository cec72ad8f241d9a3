package tosspayments_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// TestSoakCharges charges billing keys through random faults, and compares every answer
// with the ledger: nothing is charged twice, nothing is reported wrongly, and what was
// unknown is known once the faults are over.
func TestSoakCharges(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := tosstest.New(tosstest.WithRandomFaults(seed, 0), tosstest.WithSeed(seed))
				client := server.Client()
				good, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
				require.NoError(t, err)
				bad, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-2", Refusal: tosspayments.ErrRejectCardPayment}))
				require.NoError(t, err)
				server.SetRandomFaults(0.4)

				type open struct {
					request        tosspayments.ChargeBillingRequest
					key            tosspayments.BillingKey
					idempotencyKey string
				}
				var unknowns []open
				var refusals []string
				ends := map[string]int{}
				for i := range 500 {
					request := tosspayments.ChargeBillingRequest{
						OrderID: fmt.Sprintf("order-%06d", i), OrderName: "soak", Amount: tosspayments.Won(int64(1000 + i)),
					}
					key := good.BillingKey
					if i%5 == 0 {
						key = bad.BillingKey
					}
					ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
					payment, err := client.ChargeBilling(ctx, key, request)
					cancel()
					var refused *tosspayments.Error
					var unknown *tosspayments.OutcomeUnknownError
					charges := server.Charges(request.OrderID)
					require.LessOrEqual(t, charges, 1)
					switch {
					case err == nil:
						ends["charged"]++
						assert.Equal(t, 1, charges, request.OrderID)
						assert.Equal(t, request.Amount, payment.TotalAmount)
					case errors.As(err, &unknown):
						ends["unknown"]++
						unknowns = append(unknowns, open{request, key, unknown.IdempotencyKey})
					case errors.As(err, &refused):
						ends["refused"]++
						refusals = append(refusals, request.OrderID)
						assert.Zero(t, charges, "%s: %v", request.OrderID, err)
					default:
						ends["not sent"]++
						assert.Zero(t, charges, "%s: %v", request.OrderID, err)
					}
				}
				for _, end := range []string{"charged", "refused", "unknown"} {
					assert.NotZero(t, ends[end], "the soak must reach every end: %s", end)
				}
				server.SetRandomFaults(0)
				time.Sleep(5 * time.Minute) // what is still under way takes its effect
				for _, id := range refusals {
					assert.Zero(t, server.Charges(id), id)
				}
				for _, u := range unknowns {
					_, err := client.ChargeBilling(t.Context(), u.key, u.request, tosspayments.WithIdempotencyKey(u.idempotencyKey))
					charges := server.Charges(u.request.OrderID)
					require.LessOrEqual(t, charges, 1)
					var refused *tosspayments.Error
					switch {
					case err == nil:
						assert.Equal(t, 1, charges, u.request.OrderID)
					case errors.As(err, &refused) && refused.Payment != nil:
						// The order id is used; the payment is there for the caller to judge.
						assert.Equal(t, u.request.Amount, refused.Payment.TotalAmount)
					case errors.As(err, &refused):
						assert.Zero(t, charges, "%s: %v", u.request.OrderID, err)
					default:
						require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, "the key replays an answer that decides nothing")
					}
				}
			})
		})
	}
}
