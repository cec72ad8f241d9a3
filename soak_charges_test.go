package tosspayments_test

import (
	"context"
	"fmt"
	"strconv"
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
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := tosstest.New(tosstest.WithRandomFaults(seed, 0), tosstest.WithSeed(seed))
				client := server.Client()
				good, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-1"}))
				require.NoError(t, err)
				bad, err := client.IssueBillingKey(t.Context(), server.Register(tosstest.Registration{CustomerKey: "customer-2", Refusal: tosspayments.ErrRejectCardPayment}))
				require.NoError(t, err)
				server.SetRandomFaults(0.4)

				type charge struct {
					request tosspayments.ChargeBillingRequest
					key     tosspayments.BillingKey
				}
				var open []charge
				var refusals []string
				ends := map[string]int{}
				// record compares an end with the ledger.
				record := func(c charge, payment *tosspayments.Payment, err error) {
					charges := server.Charges(c.request.OrderID)
					outcome := tosspayments.OutcomeOf(payment, err)
					ends[outcome.String()]++
					require.LessOrEqual(t, charges, 1)
					switch outcome {
					case tosspayments.OutcomePaid:
						require.Equal(t, 1, charges, c.request.OrderID)
						require.Equal(t, c.request.Amount, payment.TotalAmount)
					case tosspayments.OutcomeUnknown:
						require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
						open = append(open, c)
					case tosspayments.OutcomeRefused, tosspayments.OutcomeNotSent:
						require.Zero(t, charges, "%s: %v", c.request.OrderID, err)
						if outcome == tosspayments.OutcomeNotSent || tosspayments.CodeOf(err).Class() == tosspayments.ClassWait {
							open = append(open, c)
							return
						}
						refusals = append(refusals, c.request.OrderID)
					default:
						t.Fatal(err)
					}
				}
				for i := range 500 {
					c := charge{key: good.BillingKey, request: tosspayments.ChargeBillingRequest{
						OrderID: fmt.Sprintf("order-%06d", i), OrderName: "soak", Amount: tosspayments.Won(int64(1000 + i)),
					}}
					if i%5 == 0 {
						c.key = bad.BillingKey
					}
					ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
					payment, err := client.ChargeBilling(ctx, c.key, c.request)
					cancel()
					record(c, payment, err)
				}
				for _, end := range []string{"paid", "refused", "unknown"} {
					assert.NotZero(t, ends[end], "the soak must reach every end: %s", end)
				}
				server.SetRandomFaults(0)
				time.Sleep(5 * time.Minute) // what is still under way takes its effect
				for _, id := range refusals {
					assert.Zero(t, server.Charges(id), id)
				}
				// The order id is the charge: the job needs nothing but the request.
				left := open
				open = nil
				for _, c := range left {
					payment, err := client.ResolvePaymentByOrderID(t.Context(), c.request.OrderID, c.request.Amount)
					if err != nil {
						payment, err = client.ChargeBilling(t.Context(), c.key, c.request)
					}
					record(c, payment, err)
				}
				assert.Empty(t, open, "nothing is unknown for good")
				t.Log(ends)
			})
		})
	}
}
