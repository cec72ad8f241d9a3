package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// steps is what the history of an order says.
func (st *stand) steps(id string) (list []event) {
	st.t.Helper()
	history, err := st.store.orders.history(st.t.Context(), id)
	require.NoError(st.t, err)
	for _, s := range history {
		assert.NotEmpty(st.t, s.Text(), s.What)
		list = append(list, s.What)
	}
	return list
}

func TestHistory(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		faults []tosstest.Fault
		steps  []event
	}{
		"all is well":    {nil, []event{event(confirming), event(paid)}},
		"a lost answer":  {[]tosstest.Fault{{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true}}, []event{event(confirming), noAnswer, sentAgain, lookedUp, event(paid)}},
		"a lost request": {[]tosstest.Fault{{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop}}, []event{event(confirming), noAnswer, sentAgain, event(paid)}},
		"a refused card": {[]tosstest.Fault{{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrRejectCardCompany}}, []event{event(confirming), lookedUp, lookedUp, event(failed)}},
	} {
		t.Run(name, func(t *testing.T) {
			st := newShopStand(t)
			x := st.claimed()
			st.toss.Inject(row.faults...)
			st.store.confirm(t.Context(), x)
			assert.Equal(t, row.steps, st.steps(x.ID))
		})
	}
}

func TestHistoryOfARefund(t *testing.T) {
	st := newShopStand(t)
	x := st.paid()
	before := st.steps(x.ID)
	st.store.refund(t.Context(), st.plan(x, 15000, nil))
	assert.Equal(t, append(before, refundEvent+event(refundPlanned), refundEvent+event(refundDone), event(canceled)), st.steps(x.ID))
}

// TestHistoryIsBounded: an order whose answers stay away for days has a history of a page,
// and its end is in it.
func TestHistoryIsBounded(t *testing.T) {
	st := newShopStand(t)
	x := st.claimed()
	for range maxSteps + 20 {
		require.NoError(t, st.store.orders.note(t.Context(), st.store.orders.db, x.ID, noAnswer, ""))
	}
	st.store.confirm(t.Context(), x)
	var rows int
	require.NoError(t, st.store.orders.db.QueryRow(`SELECT COUNT(*) FROM history WHERE order_id = $1`, x.ID).Scan(&rows))
	assert.Equal(t, maxSteps+1, rows)
	steps := st.steps(x.ID)
	assert.Equal(t, event(paid), steps[len(steps)-1])
}

// TestForgedEventsLeaveNoTrace, and proven ones do.
func TestForgedEventsLeaveNoTrace(t *testing.T) {
	st := newShopStand(t)
	x := st.paid()
	before := st.steps(x.ID)
	st.event(x, "forged")
	st.later(time.Minute)
	assert.Equal(t, before, st.steps(x.ID))

	st.receive()
	id, _ := st.issue(newBuyer(t, st.url))
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.becomes(id, paid)
	st.toss.WaitWebhooks()
	assert.Contains(t, st.steps(id), received)
}
