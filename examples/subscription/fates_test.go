package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// TestFatesOfACharge: what each result of a charge makes of its row, of the subscription
// and of the scheduler.
func TestFatesOfACharge(t *testing.T) {
	payment := func(status tosspayments.PaymentStatus) *tosspayments.Payment {
		return &tosspayments.Payment{PaymentKey: "pk", Status: status, TotalAmount: planPrice}
	}
	code := func(c tosspayments.ErrorCode) error { return &tosspayments.Error{Code: c} }
	unknown := func(c tosspayments.ErrorCode) error {
		return &tosspayments.OutcomeUnknownError{Repeatable: true, LastAnswer: &tosspayments.Error{Code: c}}
	}
	const dunning = "\n2027-01 2 due "
	for _, row := range []struct {
		name         string
		payment      *tosspayments.Payment
		err          error
		charges      string
		subscription state
		access       bool
		stopped      string
	}{
		{name: "paid", payment: payment(tosspayments.PaymentStatusDone), charges: "paid ", access: true},
		{name: "given back", err: &tosspayments.CanceledError{Payment: payment(tosspayments.PaymentStatusCanceled)}, charges: "refunded "},
		{name: "other money", err: &tosspayments.MismatchError{Field: "amount", Payment: payment(tosspayments.PaymentStatusDone)}, charges: "review "},
		{name: "an account", payment: payment(tosspayments.PaymentStatusWaitingForDeposit), charges: "review "},

		{name: "balance or limit", err: code(tosspayments.ErrRejectCardPayment), charges: "refused REJECT_CARD_PAYMENT" + dunning},
		{name: "expired card", err: code(tosspayments.ErrInvalidCardExpiration), charges: "refused INVALID_CARD_EXPIRATION" + dunning},
		{name: "came to nothing", err: code(tosspayments.ErrPayProcessAborted), charges: "refused PAY_PROCESS_ABORTED" + dunning},
		{name: "deleted key", err: code(tosspayments.ErrAlreadyRemovedBillingKey), charges: "refused ALREADY_REMOVED_BILLING_KEY", subscription: pastDue},
		{name: "no such key", err: code(tosspayments.ErrNotFoundBilling), charges: "refused NOT_FOUND_BILLING", subscription: pastDue},
		{name: "another customer's key", err: code(tosspayments.ErrNotMatchesCustomerKey), charges: "review NOT_MATCHES_CUSTOMER_KEY"},
		{name: "wrong request", err: code(tosspayments.ErrInvalidRequest), charges: "review INVALID_REQUEST"},
		{name: "wrong secret key", err: code(tosspayments.ErrUnauthorizedKey), charges: "charging UNAUTHORIZED_KEY", stopped: "UNAUTHORIZED_KEY"},
		{name: "wait", err: code(tosspayments.ErrForbiddenConsecutiveRequest), charges: "charging "},

		{name: "not known", err: unknown(tosspayments.ErrFailedInternalSystemProcessing), charges: "charging "},
		{name: "not known, card refused last", err: unknown(tosspayments.ErrRejectCardPayment), charges: "charging "},
		{name: "not known, keys refused last", err: unknown(tosspayments.ErrUnauthorizedKey), charges: "charging UNAUTHORIZED_KEY", stopped: "UNAUTHORIZED_KEY"},
		{name: "no answer at all", err: &tosspayments.OutcomeUnknownError{Repeatable: true}, charges: "charging "},
		{name: "a key that cannot be opened", err: errSealed, charges: "charging "},
		{name: "out of time", err: context.DeadlineExceeded, charges: "charging "},
		{name: "refused by the library", err: &tosspayments.ValidationError{Field: "orderName", Reason: "is too long"}, charges: "charging "},
		{name: "nothing at all", charges: "charging "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			st := newStand(t)
			c := st.claim(st.planned())
			require.NoError(t, st.store.record(t.Context(), c, row.payment, row.err))
			if row.subscription == "" {
				row.subscription = active
			}
			assert.Equal(t, trimLines("2027-01 1 "+row.charges), st.charges())
			assert.Equal(t, string(row.subscription), st.state())
			assert.Equal(t, row.access, st.access())
			reason, err := st.store.subs.stopped(t.Context())
			require.NoError(t, err)
			assert.Contains(t, reason, row.stopped)
			assert.Equal(t, row.stopped == "", reason == "")
		})
	}
}

// access reports whether the only subscription gives what is paid for.
func (st *stand) access() bool {
	st.t.Helper()
	sub, err := st.store.subs.ofCustomer(st.t.Context(), st.rows(`SELECT customer_id FROM subscriptions`))
	require.NoError(st.t, err)
	has, err := st.store.subs.hasAccess(st.t.Context(), sub, st.time())
	require.NoError(st.t, err)
	return has
}

// noReads keeps the shop from reading a payment, which it is told at once.
var noReads = tosstest.Fault{Operation: tosstest.GetPaymentByOrderID, Kind: tosstest.Refuse, Code: tosspayments.ErrForbiddenRequest, Unstored: true, Times: 1000}

// lose lets the next charge go through and hides it: the answer gets lost, and nothing can
// be read.
func (st *stand) lose() {
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Drop, AfterEffect: true}, noReads)
}

// TestMonthThatWasGivenBack: a person refunds the charge before the shop has recorded
// it. The idempotency key would still bring the answer of before the refund.
func TestMonthThatWasGivenBack(t *testing.T) {
	t.Parallel()
	st := newStand(t, noHelp...)
	st.customer().register("")
	st.lose()
	st.on("2027-02-28 10:00")
	st.toss.ClearFaults()
	orderID := st.rows(`SELECT order_id FROM charges WHERE period = '2027-02'`)
	payment, err := st.toss.Client().GetPaymentByOrderID(t.Context(), orderID)
	require.NoError(t, err)
	_, err = st.toss.Client().CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "in the dashboard"})
	require.NoError(t, err)

	st.pass()
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 refunded ", st.charges())
	assert.False(t, st.access(), "a refunded month gives no access")
	st.on("2027-03-01 10:00")
	st.on("2027-03-03 10:00")
	assert.Equal(t, 1, st.toss.Charges(orderID), "and is not charged again")
}

// TestSecondRunOfAMonth returns the payment that stands, whoever has made it.
func TestSecondRunOfAMonth(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	st.customer().register("")
	orderID := st.rows(`SELECT order_id FROM charges`)
	for name, again := range map[string]struct {
		state string
		tries int
	}{
		"by the job": {"charging", 0}, "by the job, under another key": {"charging", 1},
		"by the scheduler": {"due", 0}, "by the scheduler, under another key": {"due", 1},
	} {
		st.exec(`UPDATE charges SET state = $1, tries = $2, lease = 0 WHERE order_id = $3`, again.state, again.tries, orderID)
		st.round()
		assert.Equal(t, "2027-01 1 paid ", st.charges(), name)
	}
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
}

// TestRefusalThatSaysNothingOfTheCharge: the month is charged, and the answer is lost.
// Then the job is refused, or not let through, by the call, the lookup or both.
func TestRefusalThatSaysNothingOfTheCharge(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]tosstest.Fault{
		"wrong keys":     {Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Unstored: true},
		"no right":       {Kind: tosstest.Refuse, Code: tosspayments.ErrForbiddenRequest, Unstored: true},
		"a server error": {Kind: tosstest.Refuse, Code: tosspayments.ErrFailedInternalSystemProcessing, Unstored: true},
		"no network":     {Kind: tosstest.Drop},
		"rate":           {Kind: tosstest.RateLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newStand(t, noHelp...)
			st.customer().register("")
			st.lose()
			st.on("2027-02-28 10:00")
			st.toss.ClearFaults()
			// The answer is not stored either, as after a crash of the server.
			st.exec(`UPDATE charges SET tries = tries + 1 WHERE state = 'charging'`)
			fault.Times = 1000
			st.toss.Inject(fault)
			st.passInVain()
			assert.Equal(t, "charging", st.rows(`SELECT state FROM charges WHERE period = '2027-02'`))
			st.toss.ClearFaults()
			st.resume()
			assert.Equal(t, "paid", st.rows(`SELECT state FROM charges WHERE period = '2027-02'`))
			assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved())
		})
	}
}

// TestFailedAttemptUnderTheOrderIDDecidesNothing: the lookup shows a payment that came
// to nothing, while the charge that is asked for again has no answer yet.
func TestFailedAttemptUnderTheOrderIDDecidesNothing(t *testing.T) {
	t.Parallel()
	st := newStand(t, noHelp...)
	st.customer().register("")
	key := st.billingKey()
	st.toss.SetRefusal(key, tosspayments.ErrRejectCardCompany)
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Drop, AfterEffect: true, Unstored: true}, noReads)
	st.on("2027-02-28 10:00")
	st.toss.ClearFaults()
	orderID := st.rows(`SELECT order_id FROM charges WHERE period = '2027-02'`)
	payment, err := st.toss.Client().GetPaymentByOrderID(t.Context(), orderID)
	require.NoError(t, err)
	require.Equal(t, tosspayments.PaymentStatusAborted, payment.Status)
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 charging ", st.charges())

	st.toss.SetRefusal(key, "")
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.BadGateway, Times: 1000})
	st.passInVain()
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 charging ", st.charges(), "no other attempt beside it")
	st.toss.ClearFaults()
	st.pass()
	assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved())
}

// TestRefusalWhoseAnswerIsLost: the same charge again, under the same idempotency key,
// brings it. Only the next attempt has another order id.
func TestRefusalWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	st := newStand(t, noHelp...)
	st.customer().register("")
	st.toss.SetRefusal(st.billingKey(), tosspayments.ErrRejectCardPayment)
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ChargeBilling, Kind: tosstest.Drop, AfterEffect: true}, noReads)
	st.on("2027-02-28 10:00")
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 charging ", st.charges())
	st.toss.ClearFaults()
	st.pass()
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 refused REJECT_CARD_PAYMENT\n2027-02 2 due ", st.charges())
	var keys []string
	for _, request := range st.toss.Requests() {
		if request.Operation == tosstest.ChargeBilling {
			keys = append(keys, request.Header.Get("Idempotency-Key"))
		}
	}
	require.Len(t, keys, 3)
	assert.Equal(t, keys[1], keys[2], "the first is another month's")
	assert.NotEqual(t, keys[0], keys[1])
}

// TestSubscribedAgain: the same month of the same customer is another order.
func TestSubscribedAgain(t *testing.T) {
	t.Parallel()
	st := newStand(t)
	c := st.customer()
	c.register("")
	c.cancel()
	c.register("")
	orders := map[string]bool{}
	for _, entry := range st.toss.Ledger() {
		orders[entry.OrderID] = true
	}
	assert.Len(t, orders, 2)
}
