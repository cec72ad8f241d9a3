package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

func TestMain(m *testing.M) {
	shoptest.RunAsProgram(main)
	shoptest.Main(m)
}

// A buyer pays in the window, and the seller is owed the price less the commission.
func TestBuyInABrowser(t *testing.T) {
	b := shoptest.NewBrowser(t)
	st := newStand(t, 1)
	ref, id := st.seller("김판매")
	st.toss.CompleteIdentityCheck(id)
	b.Visit(st.shops[0].Shop)
	b.Shoot("marketplace")
	b.Click("form[action='/orders'] button")
	b.Click("#pay")
	b.FinishWindow("card:61", "pay")
	b.WaitFor("#state", "결제됐어요.")
	b.Visit(st.shops[0].Shop)
	assert.Equal(t, "27,000원", b.Text(".owed"))
	st.assertConserved(map[string]string{ref: id})
}
