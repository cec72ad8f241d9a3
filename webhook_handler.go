package tosspayments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// webhookTime is how long a delivery may take; Toss Payments waits ten seconds.
const webhookTime = 9 * time.Second

// WebhookTrust is why an event may be believed.
type WebhookTrust uint8

const (
	// WebhookUnverified is a hint: do not act on what it says.
	WebhookUnverified WebhookTrust = iota
	// WebhookFetched: the payment was read from the server after the event arrived.
	// Act on the payment, not on the event.
	WebhookFetched
	// WebhookSecretMatched: it has brought the secret of the payment.
	WebhookSecretMatched
	// WebhookSigned: it was signed with the security key.
	WebhookSigned
)

// String returns the trust as a word or two.
func (t WebhookTrust) String() string {
	switch t {
	case WebhookFetched:
		return "fetched"
	case WebhookSecretMatched:
		return "secret matched"
	case WebhookSigned:
		return "signed"
	}
	return "unverified"
}

// WebhookDelivery is an event with what is known of it.
type WebhookDelivery struct {
	Event        *WebhookEvent
	Transmission WebhookTransmission
	Trust        WebhookTrust
	// Payment is what the server says now; nil without a Client, and for events that
	// are not about one payment. Act on it, not on the event: even a genuine event may
	// be days old.
	Payment *Payment
}

// WebhookHandler receives webhooks. Handle is required; without Client, Verifier or
// Secret the events that need them are handed over unverified.
//
// Toss Payments waits ten seconds, then delivers again: seven times in all, the last
// one almost four days later. A handler that takes nine seconds has failed.
type WebhookHandler struct {
	// Handle stores the event, and returns nil once it is stored. It must not take
	// long: store first, work later. Deliveries come more than once, late and in any
	// order; see [WebhookEvent.Identity] and [PaymentStatus.CanChange].
	Handle func(context.Context, WebhookDelivery) error
	// Client fetches the payment that an event is about, before Handle is called: one
	// GET for an event. Where that takes too long for the number of events, leave it
	// nil, store the event, and call [WebhookEvent.FetchPayment] later.
	Client *Client
	// Verifier verifies payout.changed and seller.changed.
	Verifier *WebhookVerifier
	// Secret returns the stored Payment.Secret of an order, for deposit callbacks and
	// payment events; the zero Sensitive when there is none.
	Secret func(ctx context.Context, orderID string) (Sensitive, error)
	// Logger tells why a delivery was not accepted; nil is no log.
	Logger *slog.Logger
}

// ServeHTTP answers 200 once the event is stored, 5xx when that failed and the event
// should come again, and 4xx for what is no genuine event.
func (h *WebhookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	// Not every ResponseWriter can; then the server's own limits count.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(webhookTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhookBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(h.Receive(r.Context(), body, ParseWebhookTransmission(r.Header.Get)))
	}
}

// Receive is ServeHTTP for servers that are not net/http: it takes the raw body, of
// which it keeps nothing, and returns the status to answer with.
func (h *WebhookHandler) Receive(ctx context.Context, body []byte, t WebhookTransmission) (status int) {
	ctx, cancel := context.WithTimeout(ctx, webhookTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			h.log(ctx, "the receiver has panicked", fmt.Errorf("%v\n%s", p, debug.Stack()))
			status = http.StatusInternalServerError
		}
	}()
	if h.Handle == nil {
		h.log(ctx, "not stored", &ValidationError{Field: "WebhookHandler.Handle", Reason: "is nil"})
		return http.StatusInternalServerError
	}
	if len(body) > maxWebhookBody {
		return http.StatusRequestEntityTooLarge
	}
	event, err := ParseWebhook(body)
	if err != nil {
		h.log(ctx, "not an event", err)
		return http.StatusBadRequest
	}
	delivery, err := h.trust(ctx, body, WebhookDelivery{Event: event, Transmission: t})
	switch {
	case errors.Is(err, errWebhookForged):
		h.log(ctx, "not genuine", err)
		return http.StatusUnauthorized
	case err != nil:
		h.log(ctx, "cannot be checked now", err)
		return http.StatusServiceUnavailable
	}
	if err := h.Handle(ctx, delivery); err != nil {
		h.log(ctx, "not stored", err)
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

var errWebhookForged error = sentinel("tosspayments: webhook: the signature or the secret does not match")

// trust finds out why an event may be believed.
func (h *WebhookHandler) trust(ctx context.Context, body []byte, d WebhookDelivery) (WebhookDelivery, error) {
	e := d.Event
	switch {
	case e.Type == WebhookPayoutChanged || e.Type == WebhookSellerChanged:
		if h.Verifier == nil {
			return d, nil
		}
		if err := h.Verifier.Verify(body, d.Transmission); err != nil {
			return d, errors.Join(errWebhookForged, err)
		}
		d.Trust = WebhookSigned
		return d, nil
	case !e.namesPayment():
		return d, nil
	}
	if h.Secret != nil && e.OrderID() != "" {
		stored, err := h.Secret(ctx, e.OrderID())
		if err != nil {
			return d, err
		}
		if e.MatchesSecret(stored) {
			d.Trust = WebhookSecretMatched
		} else if e.Deposit != nil && !stored.IsZero() {
			return d, errWebhookForged
		}
	}
	if h.Client == nil {
		return d, nil
	}
	payment, err := e.FetchPayment(ctx, h.Client)
	if errors.Is(err, ErrNotFoundPayment) {
		return d, errors.Join(errWebhookForged, err)
	}
	if err != nil {
		return d, err
	}
	d.Payment, d.Trust = payment, max(d.Trust, WebhookFetched)
	return d, nil
}

func (h *WebhookHandler) log(ctx context.Context, message string, err error) {
	if h.Logger != nil {
		h.Logger.WarnContext(ctx, "tosspayments webhook: "+message, "error", err)
	}
}
