package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

const (
	// deliveryTime is how long a delivery may take; Toss Payments waits ten seconds.
	deliveryTime = 9 * time.Second
	// maxAtOnce bounds what a flood of forged events costs.
	maxAtOnce = 32
)

// Verification is how an event was proven to come from Toss Payments. It says nothing
// about its age.
type Verification uint8

const (
	// Unverified: anybody may have sent it. It is good for a look at the payment.
	Unverified Verification = iota
	// BySecret: it has the secret of the payment.
	BySecret
	// BySignature: it is signed with the security key.
	BySignature
)

// String returns "unverified", "by secret" or "by signature".
func (v Verification) String() string {
	switch v {
	case BySecret:
		return "by secret"
	case BySignature:
		return "by signature"
	}
	return "unverified"
}

// Delivery is an event with what is known about it. fmt and slog print no content.
type Delivery struct {
	Event        *Event
	Transmission Transmission
	// Verified is how the event was proven.
	Verified Verification
	// Payment is what the server says now. It is nil if the server was not asked: without a
	// Client, for events of others, and for events that name no order. It belongs to the
	// order of the event. Whether it is what the order asked for is for
	// [tosspayments.ConfirmPaymentRequest.Check] to say.
	Payment *tosspayments.Payment
}

// Format writes what String returns, whatever the verb.
func (d Delivery) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// String returns the event's type and identity, how it was proven, and the id of the
// transmission.
func (d Delivery) String() string {
	event := "no event"
	if d.Event != nil {
		event = d.Event.String()
	}
	return event + " (" + d.Verified.String() + ", transmission " + printable(d.Transmission.ID) + ")"
}

// LogValue returns what String returns.
func (d Delivery) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Handler receives webhooks. Only Handle is required: without Client, Verifier or
// Secret, the events that need them are handed over unverified. A Handler must not be
// copied after first use.
//
// Toss Payments waits ten seconds for an answer of 200. Otherwise it delivers again, up
// to seven times, the last time almost four days later. A Handler works on 32 deliveries
// at once; others wait, within their time.
type Handler struct {
	// Handle stores what the event is good for, mostly a mark on the order for the job
	// that looks at it, and returns nil once that is stored. Deliveries come more than
	// once, late and in any order, so it must not record what an event claims.
	//
	// An error is answered with 500, and the event is delivered again. Return one for an
	// order that is not known, too: the event may have been faster than the transaction that
	// creates the order. A nil there loses it.
	//
	// The context ends after nine seconds. If Handle still returns nil after that, the
	// answer is too late and the event is delivered again: store first, work later.
	Handle func(context.Context, Delivery) error
	// Client returns the client of the merchant id (MID) that an event belongs to; the
	// handler then reads the payment before it calls Handle. A merchant with one MID
	// returns its only client. With several, Event.Payment.MID says which one; a
	// deposit callback names none, so go by its order.
	//
	// nil means that the event is not ours: Handle gets it unverified, without a payment. An
	// error is answered with 503, and the event is delivered again. So is one whose payment
	// the client does not find: it is forged, or another MID's.
	//
	// It is called for events that name an order. Where one GET per event is too much,
	// leave it nil, and call [Event.FetchPayment] in the job.
	Client func(context.Context, *Event) (*tosspayments.Client, error)
	// Verifier verifies every delivery that carries a signature, whatever type it
	// claims, and refuses a payout.changed or seller.changed without one.
	Verifier *Verifier
	// Secret returns the stored Payment.Secret of an order, or the zero Sensitive if
	// there is none. A deposit callback with another secret is refused.
	//
	// [ErrNotMine] says that the order is not known here: the server is not asked, and
	// Handle gets the event unverified. Any other error is answered with 503, and the event
	// is delivered again.
	Secret func(ctx context.Context, orderID string) (tosspayments.Sensitive, error)
	// Logger gets a warning for every delivery that was not accepted, with its type,
	// order and transmission. nil logs nothing.
	Logger *slog.Logger

	once  sync.Once
	slots chan struct{}
}

// ErrNotMine is what [Handler].Secret returns, wrapped or not, for an order that is not
// known here. Handle still gets the event and has the last word: nil acknowledges it, and
// an error makes Toss Payments deliver it again, which is right unless the order id shows
// that the event is for another system of the same merchant.
var ErrNotMine = error(sentinel("tosspayments: webhook: the order is not known here"))

// ServeHTTP answers 200 once Handle has stored the event, 5xx if that failed or the event
// could not be checked and should be delivered again, and 4xx for what is not a genuine
// event.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	// Not every ResponseWriter can; then the server's own limits count.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(deliveryTime))
	t := ParseTransmission(r.Header.Get)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		h.log(r.Context(), status, Delivery{Transmission: t}, err)
		w.WriteHeader(status)
		return
	}
	w.WriteHeader(h.Receive(r.Context(), body, t))
}

// Receive is ServeHTTP for servers that are not net/http. It takes the raw body, of which
// it keeps nothing, and returns the status to answer with.
func (h *Handler) Receive(ctx context.Context, body []byte, t Transmission) (status int) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	d := Delivery{Transmission: t}
	status, err := h.receive(ctx, body, &d)
	if err == nil && ctx.Err() != nil {
		err = errors.New("stored, but too late: the event is delivered again")
	}
	if err != nil {
		h.log(ctx, status, d, err)
	}
	return status
}

func (h *Handler) receive(ctx context.Context, body []byte, d *Delivery) (status int, err error) {
	h.once.Do(func() { h.slots = make(chan struct{}, maxAtOnce) })
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return http.StatusServiceUnavailable, errors.New("too many deliveries at once")
	}
	defer func() {
		if p := recover(); p != nil {
			status, err = http.StatusInternalServerError, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if h.Handle == nil {
		return http.StatusInternalServerError, invalid("Handler.Handle", "is nil")
	}
	if len(body) > maxBody {
		return http.StatusRequestEntityTooLarge, invalid("body", "is longer than 128 KiB")
	}
	if d.Event, err = Parse(body); err != nil {
		return http.StatusBadRequest, err
	}
	if err := h.check(ctx, body, d); err != nil {
		if forged := (*forgedError)(nil); errors.As(err, &forged) {
			return http.StatusUnauthorized, err
		}
		return http.StatusServiceUnavailable, fmt.Errorf("cannot be checked now: %w", err)
	}
	if err := h.Handle(ctx, *d); err != nil {
		return http.StatusInternalServerError, fmt.Errorf("not stored: %w", err)
	}
	return http.StatusOK, nil
}

// forgedError says that an event is not genuine.
type forgedError struct{ err error }

func (e *forgedError) Error() string { return "not genuine: " + e.err.Error() }

// check finds out how the event is proven and what the server says now.
func (h *Handler) check(ctx context.Context, body []byte, d *Delivery) error {
	e := d.Event
	signed := d.Transmission.Signature != "" || e.Type == PayoutChanged || e.Type == SellerChanged
	if signed && h.Verifier != nil {
		if err := h.Verifier.Verify(body, d.Transmission); err != nil {
			return &forgedError{err}
		}
		d.Verified = BySignature
	}
	if e.OrderID() == "" {
		return nil
	}
	if h.Secret != nil {
		stored, err := h.Secret(ctx, e.OrderID())
		switch {
		case errors.Is(err, ErrNotMine):
			return nil
		case err != nil:
			return err
		case e.MatchesSecret(stored):
			d.Verified = max(d.Verified, BySecret)
		case e.Deposit != nil && !stored.IsZero():
			return &forgedError{errors.New("the secret does not match")}
		}
	}
	return h.fetch(ctx, d)
}

// fetch reads the payment, if it is ours.
func (h *Handler) fetch(ctx context.Context, d *Delivery) error {
	if h.Client == nil {
		return nil
	}
	client, err := h.Client(ctx, d.Event)
	if err != nil || client == nil {
		return err
	}
	payment, err := d.Event.FetchPayment(ctx, client)
	if invalid := (*tosspayments.ValidationError)(nil); errors.Is(err, ErrOtherOrder) || errors.As(err, &invalid) {
		return &forgedError{err}
	}
	d.Payment = payment
	return err
}

// log writes why a delivery was not accepted.
func (h *Handler) log(ctx context.Context, status int, d Delivery, err error) {
	if h.Logger == nil {
		return
	}
	var event, order string
	if d.Event != nil {
		event, order = printable(string(d.Event.Type)), printable(d.Event.OrderID())
	}
	h.Logger.LogAttrs(ctx, slog.LevelWarn, "tosspayments webhook: not accepted",
		slog.Int("status", status), slog.String("type", event), slog.String("order", order),
		slog.String("transmission", printable(d.Transmission.ID)), slog.Int("retried", d.Transmission.RetriedCount),
		slog.Any("error", err))
}
