package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// lost is an order whose answer a visitor has let get lost.
func (st *stand) lost(buyer *buyer) (id string) {
	st.t.Helper()
	redirect := authenticate(st.toss, buyer.order())
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
	status, err := buyer.comeBack(redirect)
	require.NoError(st.t, err)
	assert.Equal(st.t, http.StatusOK, status)
	return redirect.OrderID
}

func newOutage(t *testing.T, lasts time.Duration) *stand {
	down := &outage{lasts: lasts}
	st := newShopStand(t, tosspayments.WithMaxRetries(0), tosspayments.WithObserver(down.observe))
	down.sandbox = st.toss
	return st
}

// TestOutage: what a visitor sees who lets an answer get lost.
func TestOutage(t *testing.T) {
	t.Parallel()
	st := newOutage(t, time.Hour)
	st.store.patience = time.Second
	buyer := newBuyer(t, st.url)
	id := st.lost(buyer)
	assert.Contains(t, buyer.Page("/orders/"+id), "결제 결과를 확인하고 있어요")
	assert.Contains(t, st.steps(id), noLookup)
	st.later(time.Minute)
	assert.Equal(t, confirming, st.find(id).State, "it lasts")
}

func TestOutageEnds(t *testing.T) {
	t.Parallel()
	st := newOutage(t, 100*time.Millisecond)
	id := st.lost(newBuyer(t, st.url))
	st.later(time.Minute)
	assert.Equal(t, paid, st.find(id).State)
	assert.Equal(t, 1, st.toss.Charges(id))
}
