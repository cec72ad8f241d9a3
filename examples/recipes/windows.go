package recipes

import (
	"embed"
	"html/template"
	"net/http"
)

//go:embed window_*.html
var windowFiles embed.FS

// windowPages are the pages of the guide to the payment windows.
var windowPages = template.Must(template.ParseFS(windowFiles, "window_*.html"))

// PayPage shows an order that is stored, in a page that opens the payment window.
type PayPage struct {
	Shop *Shop
	// Name is window_form.html, window_popup.html, window_old.html or window_paypal.html.
	Name string
	// ClientKey is of the same set as the secret key of the shop: gck for the first two.
	ClientKey string
	// Script is https://js.tosspayments.com/v2/standard, or that of a fake.
	Script string
}

func (p *PayPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	order, err := p.Shop.Orders.Get(r.Context(), r.PathValue("id")) // and check that it is the signed-in buyer's
	if err != nil {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
	_ = windowPages.ExecuteTemplate(w, p.Name, struct {
		*PayPage
		Order Order
	}{p, order})
}
