package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// event posts a payment event that nothing proves.
func (st *stand) event(x *order, transaction string) {
	st.t.Helper()
	response, err := http.Post(st.url+webhookPath, "application/json", strings.NewReader(fmt.Sprintf(
		`{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-03-01T13:05:44","data":{"paymentKey":%q,"orderId":%q,"status":"DONE","totalAmount":15000,"lastTransactionKey":%q}}`,
		x.PaymentKey, x.ID, transaction)))
	require.NoError(st.t, err)
	require.NoError(st.t, response.Body.Close())
	require.Equal(st.t, http.StatusOK, response.StatusCode)
}

// TestEventsOfOrdersThatHaveEnded cause nothing, whoever sends them.
func TestEventsOfOrdersThatHaveEnded(t *testing.T) {
	st := newShopStand(t)
	x := st.paid()
	for _, ended := range []state{created, canceled, failed, expired, review} {
		_, err := st.store.orders.db.Exec(`UPDATE orders SET state = $1 WHERE id = $2`, string(ended), x.ID)
		require.NoError(t, err)
		calls := len(st.toss.Requests())
		st.event(x, string(ended))
		st.later(24 * time.Hour)
		assert.Len(t, st.toss.Requests(), calls, ended)
		x = st.find(x.ID)
		assert.Equal(t, ended, x.State)
		assert.EqualValues(t, never, x.dueAt, ended)
	}
}

// TestForgedEventsCostLittle: however many there are, they cause one lookup in so much time.
func TestForgedEventsCostLittle(t *testing.T) {
	st := newShopStand(t)
	x := st.paid()
	calls, start := st.toss.Calls(tosstest.GetPayment), time.Now()
	for i := range 50 {
		st.event(x, strconv.Itoa(i))
		st.later(0)
	}
	soFar := st.toss.Calls(tosstest.GetPayment)
	assert.LessOrEqual(t, soFar-calls, int(time.Since(start)/(hintTime-time.Second)), "not yet, unless it has taken long")
	st.event(x, "the last")
	st.later(hintTime + time.Second)
	assert.Equal(t, soFar+1, st.toss.Calls(tosstest.GetPayment))
	assert.Equal(t, paid, st.find(x.ID).State)
}

// TestDepositAmongMadeUpPayments: orders with payment keys that somebody has made up
// are all due, and each keeps a worker busy. A deposit waits for one of them, no more.
func TestDepositAmongMadeUpPayments(t *testing.T) {
	t.Parallel()
	st := newShopStand(t)
	id, _ := st.issue(newBuyer(t, st.url))
	var busy [workers]*tosstest.Gate
	for i := range busy {
		busy[i] = st.toss.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment})
	}
	st.toss.Gate(tosstest.Fault{Operation: tosstest.ConfirmPayment, Times: 1000}) // never opened
	unread := noReads
	unread.PaymentKey = "made-up"
	st.toss.Inject(unread)
	for range 3 * workers {
		made, err := st.store.orders.create(t.Context(), "somebody", productName, productPrice)
		require.NoError(t, err)
		x := st.find(made)
		_, err = st.store.orders.claim(t.Context(), x, "made-up")
		require.NoError(t, err)
		_, err = st.store.orders.db.Exec(`UPDATE orders SET due_at = 1 WHERE id = $1`, made)
		require.NoError(t, err)
	}
	st.receive()
	for _, gate := range busy {
		<-gate.Arrived()
	}
	require.NoError(t, st.toss.Deposit(id, productPrice))
	st.toss.WaitWebhooks()
	busy[0].Open()
	st.becomes(id, paid)
}

// often is how many tries were in vain before a test: the pauses are longer by then than a
// test may take on a slow machine.
const often = 6

// TestRefundsInVain are tried ever more rarely, and hold up no other.
func TestRefundsInVain(t *testing.T) {
	t.Parallel()
	st := newShopStand(t, tosspayments.WithMaxRetries(0))
	vain, fine := st.paid(), st.paid()
	unread := noReads
	unread.PaymentKey = vain.PaymentKey
	st.toss.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, PaymentKey: vain.PaymentKey, Kind: tosstest.Drop, Times: 1000}, unread)
	tried, done := st.plan(vain, 5000, nil), st.plan(fine, 5000, nil)
	st.later(claimTime)
	first, _ := st.refundRow(tried)
	other, _ := st.refundRow(done)
	assert.Equal(t, []refundState{refundPlanned, refundDone}, []refundState{first, other})

	_, err := st.store.orders.db.Exec(`UPDATE refunds SET tries = $1 WHERE id = $2`, often, tried.ID)
	require.NoError(t, err)
	tries := func() (n int) {
		require.NoError(t, st.store.orders.db.QueryRow(`SELECT tries FROM refunds WHERE id = $1`, tried.ID).Scan(&n))
		return n
	}
	st.later(time.Hour)
	assert.Equal(t, often+1, tries())
	st.later(pause(often) / 2)
	assert.Equal(t, often+1, tries(), "not yet")
	st.later(pause(often))
	assert.Equal(t, often+2, tries())
	st.later(pause(often))
	assert.Equal(t, often+2, tries(), "twice as long")
	st.toss.ClearFaults()
	st.later(time.Hour)
	in, _ := st.refundRow(tried)
	assert.Equal(t, refundDone, in)
}
