package main

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// claimed is an order whose confirm is about to be sent.
func (st *stand) claimed() *order {
	st.t.Helper()
	id := newBuyer(st.t, st.url).order()
	taken, err := st.store.orders.claim(st.t.Context(), st.find(id), authenticate(st.toss, id).PaymentKey)
	require.NoError(st.t, err)
	require.True(st.t, taken)
	return st.find(id)
}

// charged is an order whose confirm was sent and has charged it, and whose answer was lost.
func (st *stand) charged() *order {
	st.t.Helper()
	x := st.claimed()
	_, err := st.toss.Client().ConfirmPayment(st.t.Context(), x.request(), tosspayments.WithIdempotencyKey(x.ConfirmKey))
	require.NoError(st.t, err)
	require.Equal(st.t, 1, st.toss.Charges(x.ID))
	return x
}

// paid is an order that is paid by card.
func (st *stand) paid() *order {
	st.t.Helper()
	x := st.claimed()
	st.store.confirm(st.t.Context(), x)
	x = st.find(x.ID)
	require.Equal(st.t, paid, x.State)
	return x
}

// plan writes a refund down.
func (st *stand) plan(x *order, amount int64, account *tosspayments.RefundReceiveAccount) *refund {
	st.t.Helper()
	r, err := st.store.orders.planRefund(st.t.Context(), x, tosspayments.Won(amount), account)
	require.NoError(st.t, err)
	require.NotNil(st.t, r)
	return r
}

// refundRow is what the books say of a refund.
func (st *stand) refundRow(r *refund) (in refundState, reason string) {
	st.t.Helper()
	require.NoError(st.t, st.store.orders.db.QueryRow(`SELECT state, reason FROM refunds WHERE id = $1`, r.ID).Scan(&in, &reason))
	return in, reason
}

// noReads keeps the shop from reading a payment, which it is told at once.
var noReads = tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrForbiddenRequest, Unstored: true, Times: 1000}

// TestFatesOfAnOrder records each way in which a call may end.
func TestFatesOfAnOrder(t *testing.T) {
	approved := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		// payment and err are what the call returns for the payment of the order.
		payment func(p *tosspayments.Payment) (*tosspayments.Payment, error)
		outcome tosspayments.Outcome
		ends    state
		goods   int
		code    tosspayments.ErrorCode
	}{
		"paid": {func(p *tosspayments.Payment) (*tosspayments.Payment, error) {
			p.Status = tosspayments.PaymentStatusDone
			return p, nil
		}, tosspayments.OutcomePaid, paid, 1, ""},
		"waiting": {func(p *tosspayments.Payment) (*tosspayments.Payment, error) {
			p.Status = tosspayments.PaymentStatusWaitingForDeposit
			return p, nil
		}, tosspayments.OutcomeWaiting, waiting, 0, ""},
		"canceled": {func(p *tosspayments.Payment) (*tosspayments.Payment, error) {
			p.Status, p.ApprovedAt = tosspayments.PaymentStatusCanceled, approved
			return nil, &tosspayments.CanceledError{Payment: p}
		}, tosspayments.OutcomeCanceled, canceled, 0, ""},
		"refused": {func(*tosspayments.Payment) (*tosspayments.Payment, error) {
			return nil, &tosspayments.Error{Code: tosspayments.ErrRejectCardCompany}
		}, tosspayments.OutcomeRefused, failed, 0, tosspayments.ErrRejectCardCompany},
		"not sent": {func(*tosspayments.Payment) (*tosspayments.Payment, error) {
			return nil, &tosspayments.ValidationError{Field: "paymentKey", Reason: "is empty"}
		}, tosspayments.OutcomeNotSent, created, 0, ""},
		"mismatch": {func(p *tosspayments.Payment) (*tosspayments.Payment, error) {
			return nil, &tosspayments.MismatchError{Field: "amount", Payment: p}
		}, tosspayments.OutcomeMismatch, review, 0, ""},
		"unknown": {func(*tosspayments.Payment) (*tosspayments.Payment, error) {
			return nil, &tosspayments.OutcomeUnknownError{Repeatable: true}
		}, tosspayments.OutcomeUnknown, confirming, 0, ""},
		"another error": {func(*tosspayments.Payment) (*tosspayments.Payment, error) {
			return nil, errors.New("?")
		}, tosspayments.OutcomeUnknown, confirming, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			st := newShopStand(t)
			x := st.claimed()
			payment, err := row.payment(&tosspayments.Payment{
				PaymentKey: x.PaymentKey, OrderID: x.ID, TotalAmount: x.Amount, BalanceAmount: &x.Amount,
			})
			require.Equal(t, row.outcome, tosspayments.OutcomeOf(payment, err))
			require.False(t, st.store.record(t.Context(), x, payment, err))
			x = st.find(x.ID)
			assert.Equal(t, row.ends, x.State)
			assert.Equal(t, row.code, x.FailureCode)
			out, back := st.goods(x.ID)
			assert.Equal(t, row.goods, out-back)
			waits := row.ends == waiting || row.ends == confirming
			assert.Equal(t, waits, x.dueAt != never, "due again")
		})
	}
}

// fatesOfARefund are the ways in which a refund may end.
var fatesOfARefund = map[string]struct {
	err  error
	ends refundState
}{
	"done":           {nil, refundDone},
	"refused":        {&tosspayments.Error{Code: tosspayments.ErrNotCancelablePayment}, refundRefused},
	"invalid":        {&tosspayments.ValidationError{Field: "cancelAmount", Reason: "must be more than 0"}, refundRefused},
	"mismatch":       {&tosspayments.MismatchError{Field: "cancelAmount"}, refundReview},
	"unknown":        {&tosspayments.OutcomeUnknownError{Repeatable: true}, refundPlanned},
	"not repeatable": {&tosspayments.OutcomeUnknownError{}, refundReview},
}

// TestFatesOfARefund records each. Whatever it is, the order stays paid.
func TestFatesOfARefund(t *testing.T) {
	for name, row := range fatesOfARefund {
		t.Run(name, func(t *testing.T) {
			st := newShopStand(t)
			x := st.paid()
			r := st.plan(x, 5000, nil)
			assert.Equal(t, row.ends, st.store.recordRefund(t.Context(), r, x.Payment, row.err))
			ends, reason := st.refundRow(r)
			assert.Equal(t, row.ends, ends)
			if row.ends == refundRefused || row.ends == refundReview {
				assert.Equal(t, row.err.Error(), reason)
			}
			assert.Equal(t, paid, st.find(x.ID).State)
		})
	}
}

// TestOneRefundAtATime: another one waits for the end of the first.
func TestOneRefundAtATime(t *testing.T) {
	for name, row := range fatesOfARefund {
		t.Run(name, func(t *testing.T) {
			st := newShopStand(t)
			x := st.paid()
			st.store.recordRefund(t.Context(), st.plan(x, 5000, nil), x.Payment, row.err)
			last, err := st.store.orders.lastRefund(t.Context(), x.ID)
			require.NoError(t, err)
			assert.Equal(t, row.ends == refundPlanned || row.ends == refundReview, last.IsOpen())
			another, err := st.store.orders.planRefund(t.Context(), st.find(x.ID), tosspayments.Won(5000), nil)
			require.NoError(t, err)
			assert.Equal(t, last.IsOpen(), another == nil)
		})
	}
}

// TestErrorsOfTheJobSayNothing: the order is charged, its answer is lost, and nothing
// that the job meets afterwards makes it failed, or free for another payment.
func TestErrorsOfTheJobSayNothing(t *testing.T) {
	t.Parallel()
	refuse := func(code tosspayments.ErrorCode) tosstest.Fault {
		return tosstest.Fault{Kind: tosstest.Refuse, Code: code, Unstored: true, Times: 1000}
	}
	for name, fault := range map[string]tosstest.Fault{
		"wrong key":    refuse(tosspayments.ErrUnauthorizedKey),
		"IP rule":      refuse(tosspayments.ErrForbiddenRequest),
		"not found":    refuse(tosspayments.ErrNotFoundPayment),
		"server error": refuse(tosspayments.ErrFailedInternalSystemProcessing),
		"rate limit":   {Kind: tosstest.RateLimit, Times: 1000},
		"no network":   {Kind: tosstest.Reset, Times: 1000},
		"proxy":        {Kind: tosstest.BadGateway, Times: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newShopStand(t)
			x := st.charged()
			st.store.patience = time.Second // with those who do not answer
			st.toss.Inject(fault)
			st.later(claimTime)
			assert.Equal(t, confirming, st.find(x.ID).State)
			payment, err := st.toss.Client(tosspayments.WithMaxRetries(0)).ResolvePayment(t.Context(), x.request())
			require.Error(t, err)
			require.False(t, st.store.record(t.Context(), st.find(x.ID), payment, err))
			assert.Equal(t, confirming, st.find(x.ID).State, "nor does a lookup")

			st.toss.ClearFaults()
			st.store.patience = confirmTime
			st.later(time.Hour)
			assert.Equal(t, paid, st.find(x.ID).State)
			assert.Equal(t, 1, st.toss.Charges(x.ID))
		})
	}
}

// TestEventOfAnOlderWindow: the buyer opened the window twice, and has paid in the
// second one. That the first one expires says nothing about the order.
func TestEventOfAnOlderWindow(t *testing.T) {
	st := newShopStand(t)
	st.receive()
	id := newBuyer(t, st.url).order()
	older := st.toss.OpenWindow(tosstest.Checkout{OrderID: id, OrderName: productName + " 1개", Amount: productPrice})
	_, err := st.store.orders.claim(t.Context(), st.find(id), authenticate(st.toss, id).PaymentKey)
	require.NoError(t, err)
	st.store.confirm(t.Context(), st.find(id))
	st.toss.Advance(time.Hour)
	st.toss.WaitWebhooks()
	st.later(hintTime + time.Second)
	assert.Equal(t, paid, st.find(id).State)

	expired, err := st.toss.Client().GetPayment(t.Context(), older)
	require.NoError(t, err)
	require.Equal(t, tosspayments.PaymentStatusExpired, expired.Status)
	x := st.find(id)
	payment, err := x.request().Check(expired)
	require.False(t, st.store.record(t.Context(), x, payment, err))
	assert.Equal(t, paid, st.find(id).State, "also if somebody records what the event brings")
	out, back := st.goods(id)
	assert.Equal(t, [2]int{1, 0}, [2]int{out, back})
}

// TestAnotherPaymentOfTheOrderStands: the confirm is refused as a duplicate, of an order
// that is paid.
func TestAnotherPaymentOfTheOrderStands(t *testing.T) {
	st := newShopStand(t)
	x := st.claimed()
	other := authenticate(st.toss, x.ID)
	request, err := other.ConfirmRequest(productPrice)
	require.NoError(t, err)
	_, err = st.toss.Client().ConfirmPayment(t.Context(), request)
	require.NoError(t, err)
	st.store.confirm(t.Context(), x)
	x = st.find(x.ID)
	assert.Equal(t, review, x.State, "not failed: the buyer has paid")
	require.NotNil(t, x.Payment)
	assert.Equal(t, other.PaymentKey, x.Payment.PaymentKey)
	assert.Equal(t, 1, st.toss.Charges(x.ID))
}

// TestRefundThatIsRefused ends, and says nothing about the order.
func TestRefundThatIsRefused(t *testing.T) {
	t.Parallel()
	st := newShopStand(t)
	x := st.paid()
	st.toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrNotCancelablePayment})
	r := st.plan(x, 5000, nil)
	assert.Equal(t, refundRefused, st.store.refund(t.Context(), r))
	_, reason := st.refundRow(r)
	assert.Contains(t, reason, "NOT_CANCELABLE_PAYMENT")
	assert.Equal(t, paid, st.find(x.ID).State)
	out, back := st.goods(x.ID)
	assert.Equal(t, [2]int{1, 0}, [2]int{out, back})
	assert.Equal(t, refundDone, st.store.refund(t.Context(), st.plan(st.find(x.ID), 5000, nil)), "another one may follow")
}

// TestRefundOfAnOrderThatHasEnded: an event was faster than the answer to the refund. The
// order is not looked at again for it.
func TestRefundOfAnOrderThatHasEnded(t *testing.T) {
	st := newShopStand(t)
	x := st.paid()
	r := st.plan(x, 15_000, nil)
	payment, err := st.store.giveBack(t.Context(), r)
	require.NoError(t, err)
	st.store.look(t.Context(), x.ID)
	require.Equal(t, canceled, st.find(x.ID).State)
	assert.Equal(t, refundDone, st.store.recordRefund(t.Context(), r, payment, err))
	assert.EqualValues(t, never, st.find(x.ID).dueAt)
}

// TestBalanceAfterARefund: the refund has ended, and its order is not looked at yet. Nobody
// plans to give the same money back again.
func TestBalanceAfterARefund(t *testing.T) {
	for amount, left := range map[int64]int64{5000: 10_000, 15_000: 0} {
		st := newShopStand(t)
		x := st.paid()
		assert.Equal(t, refundDone, st.store.recordRefund(t.Context(), st.plan(x, amount, nil), x.Payment, nil))
		assert.Equal(t, tosspayments.Won(left), st.find(x.ID).Balance)
		again, err := st.store.orders.planRefund(t.Context(), x, tosspayments.Won(amount), nil)
		require.NoError(t, err)
		assert.Nil(t, again, "of what was seen before")
	}
}

// TestRefundPlannedWhileAnotherOneEnds: PostgreSQL waits for who is ending it, and must not
// read the balance from before.
func TestRefundPlannedWhileAnotherOneEnds(t *testing.T) {
	shoptest.NeedPostgres(t) // SQLite has one writer at a time
	st := newShopStand(t)
	x := st.paid()
	first := st.plan(x, 15_000, nil)
	planned := make(chan *refund)
	require.NoError(t, shop.InTransaction(t.Context(), st.store.orders.db, func(tx *sql.Tx) error {
		require.NoError(t, endRefund(t.Context(), tx, first, refundDone, ""))
		go func() {
			second, err := st.store.orders.planRefund(t.Context(), x, tosspayments.Won(15_000), nil)
			assert.NoError(t, err)
			planned <- second
		}()
		shoptest.SomebodyWaits(t, st.store.orders.db)
		return nil
	}))
	assert.Nil(t, <-planned)
}

// TestRefundEndsWhileAnotherOneIsPlanned: both lock the order first. Otherwise each of them
// would have what the other one waits for, and PostgreSQL would break one of them off.
func TestRefundEndsWhileAnotherOneIsPlanned(t *testing.T) {
	shoptest.NeedPostgres(t) // SQLite has one writer at a time
	st := newShopStand(t)
	x := st.paid()
	first := st.plan(x, 15_000, nil)
	ended := make(chan refundState)
	require.NoError(t, shop.InTransaction(t.Context(), st.store.orders.db, func(tx *sql.Tx) error {
		if err := shop.LockOrder(t.Context(), tx, x.ID); err != nil { // the first step of planRefund
			return err
		}
		go func() { ended <- st.store.recordRefund(t.Context(), first, x.Payment, nil) }()
		shoptest.SomebodyWaits(t, st.store.orders.db)
		_, err := tx.Exec(`UPDATE refunds SET tries = tries WHERE order_id = $1`, x.ID) // it waits for whoever is ending one
		return err
	}))
	assert.Equal(t, refundDone, <-ended)
}

// TestRefundsThatCannotBeSent end at once: of more than is left, of nothing, and to an
// account that is none.
func TestRefundsThatCannotBeSent(t *testing.T) {
	for name, row := range map[string]struct {
		amount  int64
		account *tosspayments.RefundReceiveAccount
	}{
		"more than is left": {20_000, nil},
		"nothing":           {0, nil},
		"no account number": {5000, &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("１２３"), HolderName: "김토스"}},
	} {
		t.Run(name, func(t *testing.T) {
			st := newShopStand(t)
			x := st.paid()
			r := st.plan(x, row.amount, row.account)
			st.later(claimTime) // the process that planned it has died
			ends, _ := st.refundRow(r)
			assert.Equal(t, refundRefused, ends)
			assert.Zero(t, st.toss.Calls(tosstest.CancelPayment))
			assert.Equal(t, refundDone, st.store.refund(t.Context(), st.plan(st.find(x.ID), 15_000, nil)))
		})
	}
}

// TestNoRefundWithoutABalance: without the balance of a payment that was loaded, nothing
// would keep a refund from happening twice.
func TestNoRefundWithoutABalance(t *testing.T) {
	st := newShopStand(t)
	x := st.paid()
	_, err := st.store.orders.db.Exec(`UPDATE orders SET balance = 0 WHERE id = $1`, x.ID)
	require.NoError(t, err)
	x = st.find(x.ID)
	for _, amount := range []int64{0, 5000} {
		r, err := st.store.orders.planRefund(t.Context(), x, tosspayments.Won(amount), nil)
		require.NoError(t, err)
		assert.Nil(t, r)
		unguarded := &refund{ID: "unguarded", OrderID: x.ID, PaymentKey: x.PaymentKey, Amount: tosspayments.Won(amount)}
		assert.Equal(t, refundRefused, st.store.refund(t.Context(), unguarded))
	}
	assert.Empty(t, st.toss.Refunds(x.ID))
}

// TestRefundsMeetUnderOneID: a refund is carried out by the handler and by the job, its
// answers get lost, and it happens once.
func TestRefundsMeetUnderOneID(t *testing.T) {
	st := newShopStand(t, tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0))
	x := st.paid()
	r := st.plan(x, 5000, nil)
	st.toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: true, Unstored: true}, noReads)
	assert.Equal(t, refundPlanned, st.store.refund(t.Context(), r))
	st.toss.ClearFaults()
	st.later(time.Minute)
	ends, _ := st.refundRow(r)
	assert.Equal(t, refundDone, ends)
	assert.Equal(t, refundDone, st.store.refund(t.Context(), r), "once more, by whoever has it")
	assert.Equal(t, []tosspayments.Amount{tosspayments.Won(5000)}, st.toss.Refunds(x.ID))
	assert.Equal(t, tosspayments.Won(10000), st.find(x.ID).Balance)
}

// TestHandlerAndJobSendOneKey: what the handler has sent, the job repeats.
func TestHandlerAndJobSendOneKey(t *testing.T) {
	st := newShopStand(t, tosspayments.WithMaxRetries(0), tosspayments.WithLookupGrace(0))
	buyer := newBuyer(t, st.url)
	id := buyer.order()
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop}, noReads)
	_, err := buyer.comeBack(authenticate(st.toss, id))
	require.NoError(t, err)
	require.Equal(t, confirming, st.find(id).State)
	st.toss.ClearFaults()
	st.later(time.Minute)
	assert.Equal(t, paid, st.find(id).State)
	var keys []string
	for _, r := range st.toss.Requests() {
		if r.Operation == tosstest.ConfirmPayment {
			keys = append(keys, r.Header.Get("Idempotency-Key"))
		}
	}
	require.Len(t, keys, 2)
	assert.Equal(t, keys[0], keys[1])
	assert.NotEmpty(t, keys[0])
}
