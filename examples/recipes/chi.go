package recipes

import (
	"github.com/go-chi/chi/v5"

	"github.com/seed238ab19c/tosspayments/webhook"
)

// MountChi mounts the shop with chi, whose handlers are those of net/http.
func (s *Shop) MountChi(router chi.Router, handler *webhook.Handler) {
	router.Method("POST", "/webhooks/toss", handler)
	router.Get("/success", s.Success)
	router.Get("/fail", s.Fail)
	router.Post("/confirm", s.Confirm) // the success page that posts the values as JSON
}
