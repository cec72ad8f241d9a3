package tosstest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments/webhook"
)

// DefaultSecurityKey signs payout.changed and seller.changed when [WithSecurityKey]
// has not named another.
const DefaultSecurityKey = "7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57"

// WithSecurityKey sets the keys that sign payout.changed and seller.changed: two while
// a key is being replaced, which both sign. It panics when there is none, or one
// without 64 hexadecimal digits.
func WithSecurityKey(keys ...string) Option {
	if len(keys) == 0 {
		panic("tosstest: a security key is missing")
	}
	for _, key := range keys {
		if decoded, err := hex.DecodeString(key); err != nil || len(decoded) != 32 {
			panic("tosstest: a security key must have 64 hexadecimal digits")
		}
	}
	return func(s *Server) { s.webhooks.securityKeys = keys }
}

// WithSignatureByKeyBytes signs with the 32 bytes that a security key's digits stand
// for. By default its text signs: which of the two is real is not known.
func WithSignatureByKeyBytes() Option { return func(s *Server) { s.webhooks.signsByKeyBytes = true } }

// WithNewTransmissionIDs gives each delivery of an event an id of its own. By default
// an event keeps the id of its first delivery to a receiver: which of the two is real
// is not known.
func WithNewTransmissionIDs() Option { return func(s *Server) { s.webhooks.newTransmissionIDs = true } }

// WithRandomWebhookFaults lets a share of all events (0 to 1) arrive twice, up to 100
// seconds late, or after the next one; repeatable by the seed as far as the order of
// events is. None is lost.
func WithRandomWebhookFaults(seed uint64, share float64) Option {
	return func(s *Server) {
		s.webhooks.chaos = share
		s.webhooks.chaosRng = rand.New(rand.NewPCG(seed, ^seed))
	}
}

// WebhookFaultKind is a way in which an event reaches its receivers other than once, at
// once and in order.
type WebhookFaultKind string

const (
	// DuplicateWebhook delivers twice at the same moment. The second is not retried.
	DuplicateWebhook WebhookFaultKind = "duplicate"
	// DelayWebhook delivers for the first time only after Delay, on the server's clock.
	DelayWebhook WebhookFaultKind = "delay"
	// HoldWebhook delivers after the next event to the same receiver; after a minute
	// where none follows.
	HoldWebhook WebhookFaultKind = "hold"
	// EarlyWebhook delivers, and waits for the receiver's answer, before the call that
	// caused the event is answered. That includes [Server.Deposit] and the window.
	EarlyWebhook WebhookFaultKind = "early"
	// LoseWebhook never delivers, as after the last retry.
	LoseWebhook WebhookFaultKind = "lose"
)

// WebhookFault changes how an event is delivered; see [Server.InjectWebhook].
type WebhookFault struct {
	// Event is the type; "" is any.
	Event webhook.EventType
	// OrderID is the order that the event is about; "" is any.
	OrderID string
	Kind    WebhookFaultKind
	// Times is how many events it hits; 0 is one.
	Times int
	// Delay is how long DelayWebhook waits.
	Delay time.Duration
}

// InjectWebhook queues faults of deliveries. An event that somebody receives takes the
// first one that fits it, for all of its receivers.
func (s *Server) InjectWebhook(faults ...WebhookFault) {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		s.webhooks.script = append(s.webhooks.script, f)
	}
}

// Delivery is one transmission of an event to one receiver.
type Delivery struct {
	// ID is the transmission id of the header.
	ID    string
	Event webhook.EventType
	// OrderID is the order that the event is about, or "".
	OrderID string
	// RetriedCount is how often the event was sent to this receiver again, this time
	// included.
	RetriedCount int
	Header       http.Header
	Body         []byte
	// At is when it was due on the server's clock, and its transmission time.
	At time.Time
	// Status is what the receiver has answered; 0 means no answer within ten seconds, and
	// Err says why.
	Status int
	Err    error
}

// RegisterWebhook delivers events to an address from now on, as the developer centre
// does: those that are named, or all. Several receivers may be registered; each gets
// its own deliveries and retries.
//
// A delivery has succeeded when it is answered with 200 within ten seconds. Otherwise
// it is repeated 1, 4, 16, 64, 256, 1024 and 4096 minutes after the attempt before, on
// the server's clock: when that time has passed, or when [Server.Advance] passes it. An
// Advance over several retries sends each of them, with the time at which it was due.
//
// A receiver gets one event after the other, in the order in which they happened,
// unless a fault changes that ([Server.InjectWebhook]).
func (s *Server) RegisterWebhook(url string, events ...webhook.EventType) {
	if s.tb != nil {
		s.tb.Helper()
	}
	if !isAddress(url) {
		s.misuse(errors.New("the address of a webhook must be an absolute URL"))
		return
	}
	s.addReceiver(&receiver{name: url, events: events, send: func(ctx context.Context, header http.Header, body []byte) (int, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		r.Header = header
		response, err := s.webhooks.client.Do(r)
		if err != nil {
			return 0, err
		}
		// What is left unread costs the connection.
		_, _ = io.CopyN(io.Discard, response.Body, maxBody)
		return response.StatusCode, response.Body.Close()
	}})
}

// RegisterWebhookHandler is RegisterWebhook for a handler in the process: it needs no
// network, and works in a testing/synctest bubble with [New]. Its requests are for the
// path /webhook. A panic counts as no answer.
func (s *Server) RegisterWebhookHandler(h http.Handler, events ...webhook.EventType) {
	s.addReceiver(&receiver{events: events, send: func(ctx context.Context, header http.Header, body []byte) (int, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/webhook", bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		r.Header, r.RequestURI, r.RemoteAddr = header, r.URL.Path, "127.0.0.1:80"
		type answer struct {
			status int
			err    error
		}
		done := make(chan answer, 1)
		go func() {
			a := answer{err: errors.New("tosstest: the handler has ended without an answer")}
			defer func() {
				if p := recover(); p != nil {
					a.err = fmt.Errorf("tosstest: the handler has panicked: %v", p)
				}
				done <- a
			}()
			w := statusWriter{header: http.Header{}}
			h.ServeHTTP(&w, r)
			a = answer{status: cmp.Or(w.status, http.StatusOK)}
		}()
		select {
		case a := <-done:
			return a.status, a.err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}})
}

// statusWriter keeps nothing of an answer but its status.
type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header { return w.header }

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *statusWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(data), nil
}

func (s *Server) addReceiver(r *receiver) {
	s.change(func() {
		s.webhooks.add(r, func() *rand.Rand { return rand.New(rand.NewPCG(s.random.Uint64(), s.random.Uint64())) })
	})
}

// Deliveries returns the last transmissions, in the order in which they ended: at most
// 10,000, with at most 64 MiB of bodies.
func (s *Server) Deliveries() []Delivery {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	deliveries := make([]Delivery, len(s.webhooks.log.entries))
	for i := range s.webhooks.log.entries {
		deliveries[i] = s.webhooks.log.entries[i].Delivery
	}
	return deliveries
}

// WaitWebhooks waits until everything that is due on the server's clock has been
// delivered, or has failed. It does not wait for retries and delays of the future. A
// receiver must not call it: it would wait for itself.
func (s *Server) WaitWebhooks() {
	s.change(func() {})
	s.webhooks.wait()
}

// ResendWebhook sends an event once more to its receiver, as the developer centre does
// on request. id is the id of one of its transmissions. The retries of the event go on
// as they would have.
func (s *Server) ResendWebhook(id string) error { return s.webhooks.resend(id) }

// SendWebhook sends any event to those who receive it, also of a type that the server
// does not send by itself. data is anything that JSON can encode: the data of an event in
// upper case, the entityBody of one in lower case, the whole body of a
// DEPOSIT_CALLBACK, where createdAt is added when it is missing.
func (s *Server) SendWebhook(event webhook.EventType, data any) {
	if s.tb != nil {
		s.tb.Helper()
	}
	if _, err := json.Marshal(data); err != nil {
		s.misuse(err)
		return
	}
	s.change(func() { s.send(event, encode(data)) })
}

func (s *Server) send(kind webhook.EventType, body json.RawMessage) {
	if !s.webhooks.wanted.Load() {
		return
	}
	at := s.clock.now()
	var about struct {
		OrderID string `json:"orderId"`
		Payment struct {
			OrderID string `json:"orderId"`
		} `json:"payment"`
	}
	_ = json.Unmarshal(body, &about)
	entity, _, lowerCase := strings.Cut(string(kind), ".")
	switch {
	case kind == webhook.DepositCallback:
		var flat map[string]json.RawMessage
		if json.Unmarshal(body, &flat) == nil && flat != nil && flat["createdAt"] == nil {
			flat["createdAt"] = encode(localStamp(at))
			body = encode(flat)
		}
	case lowerCase:
		body = fixtures().entityEvent.fill(map[string]any{
			"eventType": kind, "createdAt": stamp(at), "eventId": s.webhooks.eventID(at), "entityType": entity, "entityBody": body,
		})
	default:
		body = eventJSON(kind, at, body)
	}
	s.emit(&s.individual, event{kind: kind, orderID: cmp.Or(about.OrderID, about.Payment.OrderID), at: at, body: body})
}

func eventJSON(event webhook.EventType, at time.Time, data json.RawMessage) json.RawMessage {
	return fixtures().event.fill(map[string]any{"eventType": event, "createdAt": localStamp(at), "data": data})
}

// localStamp is how most events write their time: without an offset.
func localStamp(t time.Time) string { return t.In(kst()).Format("2006-01-02T15:04:05.000000") }

// changed tells of the new status of a payment. It is uncaused when only time has
// passed.
func (s *Server) changed(p *payment, at time.Time, uncaused bool) {
	s.touch(p)
	if !s.webhooks.wanted.Load() {
		return
	}
	e := event{kind: webhook.PaymentStatusChanged, orderID: p.checkout.OrderID, at: at, uncaused: uncaused}
	e.body = eventJSON(e.kind, at, p.json(false))
	s.emit(p.shop, e)
	if p.account == nil {
		return
	}
	e.kind = webhook.DepositCallback
	e.body = fixtures().depositCallback.fill(map[string]any{
		"createdAt": localStamp(at), "secret": p.secret(), "status": p.status, "transactionKey": p.lastTransaction, "orderId": p.checkout.OrderID,
	})
	s.emit(p.shop, e)
}

// removeBilling ends a billing key; reason is nil where there is none.
func (s *Server) removeBilling(b *billing, reason any) {
	b.Removed = true
	s.unsaved.billings = append(s.unsaved.billings, b)
	if !s.webhooks.wanted.Load() {
		return
	}
	at := s.clock.now()
	s.emit(&s.individual, event{kind: webhook.BillingDeleted, at: at, body: eventJSON(webhook.BillingDeleted, at,
		fixtures().billingDeleted.fill(map[string]any{"billingKey": b.Key, "reason": reason}))})
}

// emit notes an event of a merchant. It goes out at the end of the change.
func (s *Server) emit(shop *merchant, e event) {
	e.body = s.present(reply{body: e.body}, shop).body
	s.events = append(s.events, e)
}
