package sandboxtest

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// startShop starts an example with a sandbox that tells it what happens.
func startShop(t *testing.T, folder string, environment ...string) (*Sandbox, *shoptest.Process) {
	t.Helper()
	// Each needs the address of the other: events go by one that is there before both.
	address := new(url.URL)
	events := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(address) }})
	t.Cleanup(events.Close)
	s := Start(t, "-secret-key", tosstest.DefaultSecretKey, "-client-key", tosstest.DefaultClientKey, "-webhook", events.URL+"/webhook")
	shop := shoptest.Start(t, shoptest.Build(t, folder), environment, "-toss", s.URL, "-db", filepath.Join(t.TempDir(), "shop.db"))
	address, err := address.Parse(shop.URL)
	require.NoError(t, err)
	return s, shop
}

func TestCheckout(t *testing.T) {
	b := shoptest.NewBrowserForPages(t)
	s, shop := startShop(t, "examples/checkout")
	b.Visit(shop.URL)
	b.Click("#order")
	b.Click("#pay")
	b.FinishWindow("card:41", "pay")
	b.WaitFor("h1", "결제가 완료됐어요")
	live := b.Tab()
	live.Desktop()
	live.Visit(s.URL + "/")
	live.WaitFor("#rows", "Paid")
	live.Click("#rows button")
	live.WaitFor("#detail .life", "PAYMENT_STATUS_CHANGED")
	assert.NotContains(t, live.Text("#detail .life"), "retry")
	live.Click(`#detail [data-key="refund"]`)
	live.WaitFor("#detail .head", "Canceled")
	// The shop has heard of it.
	require.Eventually(t, func() bool {
		b.Visit(shop.URL + "/orders")
		return strings.Contains(b.Text("ul.orders"), "환불 완료")
	}, 40*time.Second, 300*time.Millisecond)
}

func TestSubscription(t *testing.T) {
	b := shoptest.NewBrowserForPages(t)
	s, shop := startShop(t, "examples/subscription", "SUBSCRIPTION_KEY=jZHd2GPHZLvvE64+ebiboXQMDwYh8Vq6s/0GNkqK7FE=")
	b.Visit(shop.URL)
	b.Click("#subscribe")
	b.Visible("#register")
	b.Click("#register")
	b.FinishWindow("card:61", "pay")
	b.WaitFor("#charges", "결제 완료")
	live := b.Tab()
	live.Visit(s.URL + "/")
	live.WaitFor("#rows", "Paid")
	live.Do(chromedp.Click(chromedp.CSS("#tab-requests")))
	live.WaitFor("#rows", "billing charge")
}
