package recipes

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// Inbox is where events go; in a real shop it is a database.
type Inbox interface {
	// Secret returns the stored Payment.Secret of an order, or the zero Sensitive if none
	// is stored yet, or webhook.ErrNotMine if there is no such order.
	Secret(ctx context.Context, orderID string) (tosspayments.Sensitive, error)
	// Wake makes the job look at an order, after whoever is confirming it or looking at it.
	// It fails if there is no such order.
	Wake(ctx context.Context, orderID string) error
	// Once stores an event that can be believed:
	// INSERT INTO events (identity, body) VALUES (?, ?) ON CONFLICT (identity) DO NOTHING.
	Once(ctx context.Context, identity string, body []byte) error
	// CardEnded marks the subscription that has this billing key.
	CardEnded(ctx context.Context, key tosspayments.Sensitive) error
}

// Receiver receives all webhooks of a shop.
func Receiver(inbox Inbox, securityKeys ...string) (*webhook.Handler, error) {
	verifier, err := webhook.NewVerifier(securityKeys...)
	if err != nil {
		return nil, err
	}
	return &webhook.Handler{
		Verifier: verifier,     // payout.changed, seller.changed
		Secret:   inbox.Secret, // deposit callbacks
		Handle: func(ctx context.Context, d webhook.Delivery) error {
			return Store(ctx, inbox, d)
		},
		Logger: slog.Default(),
	}, nil
}

// Store keeps what an event is good for. nil answers 200, an error 500.
func Store(ctx context.Context, inbox Inbox, d webhook.Delivery) error {
	event := d.Event
	switch {
	case event.OrderID() != "":
		return inbox.Wake(ctx, event.OrderID()) // whatever it claims: the job reads the payment
	case d.Verified == webhook.BySignature:
		return inbox.Once(ctx, event.Identity(), event.Body)
	case event.Billing != nil:
		return inbox.CardEnded(ctx, event.Billing.BillingKey)
	}
	return nil // not for this shop: 200 all the same, or it is delivered seven more times
}

// Mount mounts the receiver with net/http.
func Mount(mux *http.ServeMux, handler *webhook.Handler) {
	mux.Handle("POST /webhooks/toss", handler)
}

// Webhooks also reads the payment of an event before store is called.
func (s *Shop) Webhooks(secret func(context.Context, string) (tosspayments.Sensitive, error), store func(context.Context, webhook.Delivery) error) http.Handler {
	return &webhook.Handler{
		Client: func(context.Context, *webhook.Event) (*tosspayments.Client, error) { return s.Toss, nil },
		Secret: secret,
		Handle: store,
	}
}
