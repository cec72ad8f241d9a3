package recipes

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// A buyer goes through each of them, and the confirm needs the secret key of the set.
func TestWindowPages(t *testing.T) {
	t.Parallel()
	for name, pay := range map[string]func(b *shoptest.Browser){
		"window_form.html": func(b *shoptest.Browser) {
			b.Click("#pay:enabled")
			b.FinishWindow("", "pay")
		},
		"window_popup.html": func(b *shoptest.Browser) {
			b.Click("#pay")
			b.Frame(`iframe[data-tosspayments="checkout"]`).Click("#pay")
			b.FinishWindow("", "pay")
		},
		"window_old.html": func(b *shoptest.Browser) {
			b.Click("#pay")
			b.FinishWindow("", "pay")
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := tosstest.NewServer(t, tosstest.WithBrowser(tosstest.Browser{Method: "KAKAOPAY"}))
			page := PayPage{Name: name, ClientKey: tosstest.DefaultWidgetClientKey, Script: server.URL + tosstest.ScriptPath}
			stand := newStand(t, server)
			page.Shop = &Shop{Toss: server.WidgetClient(), Orders: stand.Orders}
			if name == "window_old.html" {
				page.ClientKey, page.Shop.Toss = tosstest.DefaultClientKey, server.Client()
			}
			b := shoptest.NewBrowser(t)
			mux := http.NewServeMux()
			mux.HandleFunc("GET /order", page.Shop.Order)
			mux.Handle("GET /pay/{id}", &page)
			mux.HandleFunc("GET /success", page.Shop.Success)
			mux.HandleFunc("GET /orders/{id}", page.Shop.OrderPage)
			shop := httptest.NewServer(mux)
			defer shop.Close()

			b.Visit(shop.URL + "/order")
			pay(b)
			b.WaitFor("body", "결제됐어요.")
			assert.Len(t, server.Ledger(), 1)
		})
	}
}
