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

// TestOutage: what a visitor sees who lets an answer get lost.
func TestOutage(t *testing.T) {
	t.Parallel()
	down := &outage{lasts: 1500 * time.Millisecond}
	st := newShopStand(t, tosspayments.WithMaxRetries(0), tosspayments.WithObserver(down.observe))
	down.sandbox = st.toss
	st.store.patience = 500 * time.Millisecond
	buyer := newBuyer(t, st.url)
	redirect := authenticate(st.toss, buyer.order())
	st.toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
	status, err := buyer.comeBack(redirect)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, buyer.Page("/orders/"+redirect.OrderID), "결제 결과를 확인하고 있어요")
	assert.Contains(t, st.steps(redirect.OrderID), noLookup)
	require.Eventually(t, func() bool {
		st.later(time.Minute)
		return st.find(redirect.OrderID).State == paid
	}, 20*time.Second, 100*time.Millisecond)
	assert.Equal(t, 1, st.toss.Charges(redirect.OrderID))
}
