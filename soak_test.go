package tosspayments_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

var soakPayments = flag.Int("soak.payments", 300, "how many payments TestSoak makes with each of its six seeds")

// Thousands of payments through random faults. Whatever the library says has to
// agree with the server's ledger, at once and in the end. A million take some minutes:
//
//	go test . -run 'TestSoak$' -soak.payments 166667 -timeout 30m -v
func TestSoak(t *testing.T) {
	t.Parallel()
	payments := *soakPayments
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
				for _, end := range []string{"confirm paid", "confirm refused", "confirm unknown", "part refunded", "named part refunded", "rest refunded"} {
					require.NotZero(t, s.ends[end], "the soak must reach this end: %s", end)
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

// calm switches the faults off from the sixth round on: by then every call has to come
// to an end.
func (s *soak) calm(round int) {
	s.server.SetRandomFaults(0.5)
	if round > 5 {
		s.server.SetRandomFaults(0)
	}
	require.Less(s, round, 12, "unknown for good")
}

func (s *soak) payment(i int) {
	c := tosstest.Checkout{OrderID: fmt.Sprintf("order-%06d", i), OrderName: "soak", Amount: tosspayments.Won(int64(10_000 + i))}
	if s.rng.IntN(10) == 0 {
		c.Refusal = tosspayments.ErrRejectCardCompany
	}
	request := pay(s, s.server, c)

	var options []tosspayments.CallOption
	if s.rng.IntN(3) == 0 {
		options = []tosspayments.CallOption{tosspayments.WithIdempotencyKey("confirm-" + c.OrderID)}
	}
	resolve := false
	for round := 0; ; round++ {
		s.calm(round)
		ctx, cancel := s.context()
		confirm := s.client.ConfirmPayment
		if resolve {
			confirm = s.client.ResolvePayment
		}
		payment, err := confirm(ctx, request, options...)
		cancel()
		switch outcome := tosspayments.OutcomeOf(payment, err); outcome {
		case tosspayments.OutcomePaid:
			s.ends["confirm paid"]++
			require.Equal(s, 1, s.server.Charges(c.OrderID))
			s.charged = append(s.charged, c.OrderID)
			s.refund(payment)
			return
		case tosspayments.OutcomeUnknown:
			s.ends["confirm unknown"]++
			options = s.again(err, options)
			// A job looks first, and makes the same call again if that does not tell.
			resolve = !resolve && s.rng.IntN(3) == 0
		case tosspayments.OutcomeNotSent:
			require.Zero(s, s.server.Charges(c.OrderID))
		default:
			require.Equal(s, tosspayments.OutcomeRefused, outcome, "%v", err)
			require.Zero(s, s.server.Charges(c.OrderID), "%v", err)
			if tosspayments.CodeOf(err).Class() == tosspayments.ClassWait {
				s.ends["confirm told to wait"]++
				time.Sleep(time.Minute)
				continue
			}
			s.ends["confirm refused"]++
			s.refused = append(s.refused, c.OrderID)
			return
		}
	}
}

// again returns the options of a call that is made again after an unknown outcome.
func (s *soak) again(err error, options []tosspayments.CallOption) []tosspayments.CallOption {
	var unknown *tosspayments.OutcomeUnknownError
	if !errors.As(err, &unknown) { // of a read
		return options
	}
	if p := unknown.Payment; p != nil && unknown.OrderID != "" {
		require.Contains(s, []tosspayments.PaymentStatus{"READY", "IN_PROGRESS"}, p.Status, "a lookup could tell")
	}
	require.True(s, unknown.Repeatable)
	time.Sleep(time.Duration(s.rng.IntN(60)) * time.Second)
	if unknown.IdempotencyKey == "" {
		return options
	}
	return []tosspayments.CallOption{tosspayments.WithIdempotencyKey(unknown.IdempotencyKey)}
}

// fresh reads the payment without faults.
func (s *soak) fresh(paymentKey string) *tosspayments.Payment {
	s.server.SetRandomFaults(0)
	payment, err := s.client.GetPayment(context.Background(), paymentKey)
	require.NoError(s, err)
	return payment
}

// refund cancels in parts, half of them with a RefundID, then maybe the rest.
func (s *soak) refund(payment *tosspayments.Payment) {
	for n := range s.rng.IntN(3) {
		amount := tosspayments.Won(int64(1000 + 100*n))
		request := tosspayments.PartialCancelRequest{
			CancelReason: fmt.Sprintf("part %d", n), CancelAmount: amount, RefundableAmount: s.fresh(payment.PaymentKey).Cancelable(),
		}
		kind := "part"
		if s.rng.IntN(2) == 0 {
			kind, request.RefundID = "named part", fmt.Sprint(payment.OrderID, "-", n)
		}
		s.settleRefund(kind, payment.OrderID, amount, func(ctx context.Context, _ ...tosspayments.CallOption) error {
			_, err := s.client.CancelPaymentPartially(ctx, payment.PaymentKey, request)
			return err
		})
	}
	if s.rng.IntN(2) == 0 {
		return
	}
	left := s.fresh(payment.PaymentKey).Cancelable()
	s.settleRefund("rest", payment.OrderID, left, func(ctx context.Context, opts ...tosspayments.CallOption) error {
		p, err := s.client.CancelPayment(ctx, payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "rest"}, opts...)
		require.True(s, err != nil || p.IsFullyCanceled())
		return err
	})
}

// mayRepeat reports whether a cancel of an unknown outcome may be repeated, which all may
// but those of a part without a RefundID.
func (s *soak) mayRepeat(kind string, err error) bool {
	var unknown *tosspayments.OutcomeUnknownError
	require.ErrorAs(s, err, &unknown)
	require.False(s, kind == "rest" && unknown.Payment != nil && unknown.Payment.IsFullyCanceled(), "a lookup could tell")
	require.Equal(s, kind != "part", unknown.Repeatable)
	return unknown.Repeatable
}

func (s *soak) settleRefund(kind, order string, amount tosspayments.Amount, cancel func(context.Context, ...tosspayments.CallOption) error) {
	result := soakRefund{order: order, amount: amount}
	defer func() { s.asked = append(s.asked, result) }()
	var options []tosspayments.CallOption
	for round := 0; ; round++ {
		s.calm(round)
		ctx, stop := s.context()
		err := cancel(ctx, options...)
		stop()
		if err == nil {
			s.ends[kind+" refunded"]++
			result.done = true
			require.Equal(s, 1, s.refunded(order, amount), "%s", kind)
			return
		}
		switch outcome := tosspayments.OutcomeOf(nil, err); outcome {
		case tosspayments.OutcomeUnknown:
			s.ends[kind+" unknown"]++
			require.LessOrEqual(s, s.refunded(order, amount), 1)
			if !s.mayRepeat(kind, err) {
				time.Sleep(5 * time.Minute)
				return
			}
			options = s.again(err, options)
		case tosspayments.OutcomeNotSent:
			require.Zero(s, s.refunded(order, amount))
		default:
			require.Equal(s, tosspayments.OutcomeRefused, outcome, "%v", err)
			require.Zero(s, s.refunded(order, amount), "%v", err)
			if tosspayments.CodeOf(err).Class() == tosspayments.ClassWait {
				s.ends[kind+" told to wait"]++
				time.Sleep(time.Minute)
				continue
			}
			s.ends[kind+" refused"]++
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
		if e.Kind == tosstest.Approved {
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
