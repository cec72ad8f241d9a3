package tosspayments_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// Thousands of payments through random faults. Whatever the library says has to
// agree with the server's ledger, at once and in the end.
func TestSoak(t *testing.T) {
	payments := 1000
	if testing.Short() {
		payments = 100
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				opts := []tosstest.Option{tosstest.WithSeed(seed), tosstest.WithRandomFaults(seed, 0.5)}
				if seed%2 == 1 {
					opts = append(opts, tosstest.WithServerErrorsForgotten())
				}
				s := &soak{
					T: t, server: tosstest.New(opts...), rng: rand.New(rand.NewPCG(seed, 7)),
					ends: map[string]int{},
				}
				s.client = s.server.Client()
				for i := range payments {
					s.payment(i)
				}
				synctest.Wait()
				s.verify()
				t.Log(s.ends)
				for _, end := range []string{"confirm paid", "confirm refused", "confirm unknown", "part refunded", "part unknown", "rest refunded"} {
					require.NotZero(t, s.ends[end], "the soak must reach every end: %s", end)
				}
			})
		})
	}
}

type soak struct {
	*testing.T
	server *tosstest.Server
	client *tosspayments.Client
	rng    *rand.Rand
	ends   map[string]int
	// refused must never be charged, charged exactly once.
	refused, charged []string
	asked            []soakRefund
}

type soakRefund struct {
	order  string
	amount tosspayments.Amount
	// done: refunded exactly once; never: not refunded; else at most once.
	done, never bool
}

func (s *soak) context() (context.Context, context.CancelFunc) {
	switch s.rng.IntN(4) {
	case 0:
		return context.WithTimeout(context.Background(), time.Duration(1+s.rng.IntN(20))*time.Second)
	case 1:
		ctx, cancel := context.WithCancel(context.Background())
		timer := time.AfterFunc(time.Duration(1+s.rng.IntN(90))*time.Second, cancel)
		return ctx, func() { timer.Stop(); cancel() }
	}
	return context.Background(), func() {}
}

func (s *soak) payment(i int) {
	c := tosstest.Checkout{OrderID: fmt.Sprintf("order-%06d", i), OrderName: "soak", Amount: tosspayments.Won(int64(10_000 + i))}
	if s.rng.IntN(10) == 0 {
		c.Refusal = tosspayments.ErrRejectCardCompany
	}
	request := pay(s, s.server, c)

	var options []tosspayments.CallOption
	for round := 0; ; round++ {
		s.server.SetRandomFaults(0.5)
		if round > 5 {
			s.server.SetRandomFaults(0)
		}
		ctx, cancel := s.context()
		payment, err := s.client.ConfirmPayment(ctx, request, options...)
		cancel()
		var unknown *tosspayments.OutcomeUnknownError
		var refused *tosspayments.Error
		switch {
		case err == nil:
			s.ends["confirm paid"]++
			require.True(s, payment.IsPaid())
			require.Equal(s, 1, s.server.Charges(c.OrderID))
			s.charged = append(s.charged, c.OrderID)
			s.refund(payment)
			return
		case errors.As(err, &unknown):
			s.ends["confirm unknown"]++
			require.False(s, errors.As(err, &refused))
			if p := unknown.Payment; p != nil {
				require.Contains(s, []tosspayments.PaymentStatus{"READY", "IN_PROGRESS"}, p.Status, "a lookup could tell")
			}
			switch unknown.Next {
			case tosspayments.NextSameKey:
				options = []tosspayments.CallOption{tosspayments.WithIdempotencyKey(unknown.IdempotencyKey)}
			case tosspayments.NextNewKey:
				options = nil
			default:
				if s.lookedUp(c, request) {
					return
				}
				options = nil
			}
		case errors.Is(err, tosspayments.ErrNotSent):
			require.Zero(s, s.server.Charges(c.OrderID))
		default:
			require.ErrorAs(s, err, &refused)
			s.ends["confirm refused"]++
			require.Zero(s, s.server.Charges(c.OrderID), "%v", err)
			s.refused = append(s.refused, c.OrderID)
			return
		}
	}
}

// lookedUp reads the payment later, as the error advises, and tells whether that
// ended the matter.
func (s *soak) lookedUp(c tosstest.Checkout, request tosspayments.ConfirmPaymentRequest) bool {
	time.Sleep(5 * time.Minute)
	s.server.SetRandomFaults(0)
	payment, err := s.client.GetPayment(context.Background(), request.PaymentKey)
	require.NoError(s, err)
	switch payment.Status {
	case tosspayments.PaymentStatusDone:
		s.charged = append(s.charged, c.OrderID)
		return true
	case tosspayments.PaymentStatusAborted, tosspayments.PaymentStatusExpired:
		s.refused = append(s.refused, c.OrderID)
		return true
	}
	return false
}

// refund cancels in parts, then maybe the rest.
func (s *soak) refund(payment *tosspayments.Payment) {
	for n := range s.rng.IntN(3) {
		amount := tosspayments.Won(int64(1000 + 100*n))
		request := tosspayments.PartialCancelRequest{CancelReason: fmt.Sprintf("part %d", n), CancelAmount: amount}
		if s.rng.IntN(2) == 0 {
			s.server.SetRandomFaults(0)
			fresh, err := s.client.GetPayment(context.Background(), payment.PaymentKey)
			require.NoError(s, err)
			request.RefundableAmount = fresh.BalanceAmount
		}
		s.settleRefund("part", payment.OrderID, amount, func(ctx context.Context, opts ...tosspayments.CallOption) error {
			_, err := s.client.CancelPaymentPartially(ctx, payment.PaymentKey, request, opts...)
			return err
		})
	}
	if s.rng.IntN(2) == 0 {
		return
	}
	s.server.SetRandomFaults(0)
	fresh, err := s.client.GetPayment(context.Background(), payment.PaymentKey)
	require.NoError(s, err)
	s.settleRefund("rest", payment.OrderID, fresh.Cancelable(), func(ctx context.Context, opts ...tosspayments.CallOption) error {
		p, err := s.client.CancelPayment(ctx, payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "rest"}, opts...)
		require.True(s, err != nil || p.IsFullyCanceled())
		return err
	})
}

func (s *soak) settleRefund(kind, order string, amount tosspayments.Amount, cancel func(context.Context, ...tosspayments.CallOption) error) {
	result := soakRefund{order: order, amount: amount}
	defer func() { s.asked = append(s.asked, result) }()
	var options []tosspayments.CallOption
	for round := 0; round < 12; round++ {
		s.server.SetRandomFaults(0.5)
		if round > 5 {
			s.server.SetRandomFaults(0)
		}
		ctx, stop := s.context()
		err := cancel(ctx, options...)
		stop()
		var unknown *tosspayments.OutcomeUnknownError
		var refused *tosspayments.Error
		switch {
		case err == nil:
			s.ends[kind+" refunded"]++
			result.done = true
			require.Equal(s, 1, s.refunded(order, amount), "%s", kind)
			return
		case errors.As(err, &unknown):
			s.ends[kind+" unknown"]++
			require.LessOrEqual(s, s.refunded(order, amount), 1)
			require.False(s, kind == "rest" && unknown.Payment != nil && unknown.Payment.IsFullyCanceled(), "a lookup could tell")
			switch unknown.Next {
			case tosspayments.NextSameKey:
				time.Sleep(30 * time.Second)
				options = []tosspayments.CallOption{tosspayments.WithIdempotencyKey(unknown.IdempotencyKey)}
			case tosspayments.NextNewKey:
				options = nil
			default:
				time.Sleep(5 * time.Minute)
				return
			}
		case errors.Is(err, tosspayments.ErrNotSent):
		default:
			require.ErrorAs(s, err, &refused)
			s.ends[kind+" refused"]++
			require.Zero(s, s.refunded(order, amount), "%v", err)
			result.never = true
			return
		}
	}
}

func (s *soak) refunded(order string, amount tosspayments.Amount) (n int) {
	for _, a := range s.server.Refunds(order) {
		if a == amount {
			n++
		}
	}
	return n
}

// verify compares what the library has said with the ledger, once everything that
// was under way has come to rest.
func (s *soak) verify() {
	time.Sleep(time.Hour)
	charges, refunds := map[string]int{}, map[string]int{}
	for _, e := range s.server.Ledger() {
		if e.Kind == tosstest.Approval {
			charges[e.OrderID]++
		} else {
			refunds[e.OrderID+" "+e.Amount.String()]++
		}
	}
	for order, n := range charges {
		require.Equal(s, 1, n, "%s was charged twice", order)
	}
	for refund, n := range refunds {
		require.Equal(s, 1, n, "%s was refunded twice", refund)
	}
	for _, order := range s.charged {
		require.Equal(s, 1, charges[order], "%s was reported as paid", order)
	}
	for _, order := range s.refused {
		require.Zero(s, charges[order], "%s was reported as refused", order)
	}
	for _, r := range s.asked {
		n := refunds[r.order+" "+r.amount.String()]
		require.False(s, r.done && n != 1, "%s %s was reported as refunded", r.order, r.amount)
		require.False(s, r.never && n != 0, "%s %s was reported as not refunded", r.order, r.amount)
	}
}
