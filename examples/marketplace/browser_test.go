package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

func TestMain(m *testing.M) {
	shoptest.RunAsProgram(main)
	shoptest.Main(m)
}

// A buyer pays in the window, and takes a part back. The seller is paid, and owes what was
// refunded since.
func TestBuyInABrowser(t *testing.T) {
	b := shoptest.NewBrowser(t)
	st := newStand(t, 1)
	st.toss.AddBalance(tosspayments.Won(100_000))
	st.added = 100_000
	_, id := st.seller("김판매")
	st.toss.CompleteIdentityCheck(id)
	require.NoError(t, st.markets[0].readSellers(t.Context()))
	b.Visit(st.shops[0].Shop)
	b.Click("form[action='/orders'] button")
	b.FitsAPhone()
	b.Shoot("marketplace-order")
	b.Click("#pay")
	b.FinishWindow("card:61", "pay")
	b.WaitFor("#state", "결제됐어요")
	b.Click("summary")
	b.Do(chromedp.SendKeys(chromedp.CSS("#amount"), "10,000"))
	b.FitsAPhone()
	b.Shoot("marketplace-refund")
	b.Click("#refund")
	b.WaitFor("#state", "일부 환불됐어요")
	order := b.Address()
	b.Visit(st.shops[0].Shop)
	assert.Equal(t, "18,000원", b.Text(".owed"))

	st.markets[0].round(t.Context())
	st.toss.CompletePayouts()
	require.NoError(t, st.markets[0].checkPayouts(t.Context()))
	b.Visit(order)
	b.Click("summary")
	b.Click("#refund")
	b.WaitFor("#state", "전액 환불됐어요")
	b.Visit(st.shops[0].Shop)
	assert.Equal(t, "18,000원", b.Text(".debt"))
	b.FitsAPhone()
	b.Shoot("marketplace")
	st.assertConserved()
}
