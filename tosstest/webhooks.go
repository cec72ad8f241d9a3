package tosstest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
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
	return func(s *Server) { s.securityKeys = keys }
}

// WithSignatureByKeyBytes signs with the 32 bytes that a security key's digits stand
// for. By default its text signs: which of the two is real is not known.
func WithSignatureByKeyBytes() Option { return func(s *Server) { s.signsByKeyBytes = true } }

// WithNewTransmissionIDs gives each delivery of an event an id of its own. By default
// an event keeps the id of its first delivery to a receiver: which of the two is real
// is not known.
func WithNewTransmissionIDs() Option { return func(s *Server) { s.newTransmissionIDs = true } }

// WithRandomWebhookFaults lets a share of all events (0 to 1) arrive twice, up to 100
// seconds late, or after the next one; repeatable by the seed as far as the order of
// events is. None is lost.
func WithRandomWebhookFaults(seed uint64, share float64) Option {
	return func(s *Server) {
		s.webhookChaos = share
		s.webhookChaosRng = rand.New(rand.NewPCG(seed, ^seed))
	}
}

// WebhookFaultKind is a way in which an event reaches its receivers otherwise than once,
// at once and in order.
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		s.webhookScript = append(s.webhookScript, f)
	}
}

// nextWebhookFault takes the fault for an event.
func (s *Server) nextWebhookFault(event webhook.EventType, orderID string) WebhookFault {
	for i, f := range s.webhookScript {
		if f.Event != "" && f.Event != event || f.OrderID != "" && f.OrderID != orderID {
			continue
		}
		if s.webhookScript[i].Times--; s.webhookScript[i].Times == 0 {
			s.webhookScript = slices.Delete(s.webhookScript, i, i+1)
		}
		return f
	}
	if s.webhookChaosRng == nil || s.webhookChaosRng.Float64() >= s.webhookChaos {
		return WebhookFault{}
	}
	kinds := []WebhookFaultKind{DuplicateWebhook, DelayWebhook, HoldWebhook}
	return WebhookFault{
		Kind:  kinds[s.webhookChaosRng.IntN(len(kinds))],
		Delay: time.Duration(1+s.webhookChaosRng.IntN(100)) * time.Second,
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
	// Status is what the receiver has answered; 0 is no answer within ten seconds, and
	// Err tells why.
	Status int
	Err    error
}

const (
	maxDeliveries   = 10_000
	deliveryTimeout = 10 * time.Second
	holdPeriod      = time.Minute
)

// retryPeriods are each counted from the attempt before: the last one is 3 days and 19
// hours after the first.
var retryPeriods = [...]time.Duration{
	time.Minute, 4 * time.Minute, 16 * time.Minute, 64 * time.Minute, 256 * time.Minute, 1024 * time.Minute, 4096 * time.Minute,
}

// receiver is where events go.
type receiver struct {
	events []webhook.EventType // none: all
	send   func(ctx context.Context, header http.Header, body []byte) (status int, err error)
	// queue is in the order in which it is due.
	queue   []transmission
	running bool
}

// notice is an event for one receiver. Its body does not change any more.
type notice struct {
	to      *receiver
	event   webhook.EventType
	orderID string
	body    []byte
	id      string
	resent  int // whatever for
	retries int // by the schedule
}

// transmission is one sending of a notice.
type transmission struct {
	*notice
	due    time.Time
	resend bool // not the first
	extra  bool // is not retried
	twice  bool
	held   bool
}

type loggedDelivery struct {
	Delivery
	notice *notice
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
	s.addReceiver(&receiver{events: events, send: func(ctx context.Context, header http.Header, body []byte) (int, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		r.Header = header
		response, err := s.webhookClient.Do(r)
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
	s.mu.Lock()
	defer s.release()
	if len(s.receivers) == 0 {
		s.webhookIDs = rand.New(rand.NewPCG(s.random.Uint64(), s.random.Uint64()))
		s.webhookContext, s.stopWebhooks = context.WithCancel(context.Background())
		s.webhookClient = &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	// What has expired before is no news for this receiver.
	s.nextExpiry = s.now()
	s.sweep()
	s.receivers = append(s.receivers, r)
	s.nextExpiry = s.now()
}

// Deliveries returns the last transmissions, at most 10,000, in the order in which they
// ended.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	deliveries := make([]Delivery, len(s.deliveries))
	for i := range s.deliveries {
		deliveries[i] = s.deliveries[i].Delivery
	}
	return deliveries
}

// WaitWebhooks waits until everything that is due on the server's clock has been
// delivered, or has failed. It does not wait for retries and delays of the future. A
// receiver must not call it: it would wait for itself.
func (s *Server) WaitWebhooks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.dispatch(); s.running > 0; s.dispatch() {
		s.idle.Wait()
	}
}

// ResendWebhook sends an event once more to its receiver, as the developer centre does
// on request. id is the id of one of its transmissions. The retries of the event go on
// as they would have.
func (s *Server) ResendWebhook(id string) error {
	s.mu.Lock()
	defer s.release()
	for _, d := range slices.Backward(s.deliveries) {
		if d.ID == id {
			d.notice.to.push(transmission{notice: d.notice, due: s.now(), resend: true, extra: true})
			return nil
		}
	}
	return fmt.Errorf("tosstest: no webhook has the transmission id %q", id)
}

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
	s.mu.Lock()
	defer s.release()
	if len(s.receivers) == 0 {
		return
	}
	body, at := encode(data), s.now()
	var about struct {
		OrderID string `json:"orderId"`
		Payment struct {
			OrderID string `json:"orderId"`
		} `json:"payment"`
	}
	_ = json.Unmarshal(body, &about)
	entity, _, lowerCase := strings.Cut(string(event), ".")
	switch {
	case event == webhook.DepositCallback:
		var flat map[string]json.RawMessage
		if json.Unmarshal(body, &flat) == nil && flat != nil && flat["createdAt"] == nil {
			flat["createdAt"] = encode(localStamp(at))
			body = encode(flat)
		}
	case lowerCase:
		body = fixtures().entityEvent.fill(map[string]any{
			"eventType": event, "createdAt": stamp(at), "eventId": "evt_" + s.ulid(at), "entityType": entity, "entityBody": body,
		})
	default:
		body = eventJSON(event, at, body)
	}
	s.emit(event, cmp.Or(about.OrderID, about.Payment.OrderID), at, body)
}

func eventJSON(event webhook.EventType, at time.Time, data json.RawMessage) json.RawMessage {
	return fixtures().event.fill(map[string]any{"eventType": event, "createdAt": localStamp(at), "data": data})
}

// localStamp is how most events write their time: without an offset.
func localStamp(t time.Time) string { return t.In(kst()).Format("2006-01-02T15:04:05.000000") }

// changed tells of the new status of a payment.
func (s *Server) changed(p *payment, at time.Time) {
	if len(s.receivers) == 0 {
		return
	}
	s.emit(webhook.PaymentStatusChanged, p.checkout.OrderID, at,
		eventJSON(webhook.PaymentStatusChanged, at, p.json(false)))
	if p.account == nil {
		return
	}
	s.emit(webhook.DepositCallback, p.checkout.OrderID, at, fixtures().depositCallback.fill(map[string]any{
		"createdAt": localStamp(at), "secret": p.secret(), "status": p.status, "transactionKey": p.lastTransaction, "orderId": p.checkout.OrderID,
	}))
}

// removeBilling ends a billing key; reason is nil where there is none.
func (s *Server) removeBilling(b *billing, reason any) {
	b.removed = true
	if len(s.receivers) == 0 {
		return
	}
	at := s.now()
	s.emit(webhook.BillingDeleted, "", at, eventJSON(webhook.BillingDeleted, at,
		fixtures().billingDeleted.fill(map[string]any{"billingKey": b.key, "reason": reason})))
}

// emit hands an event to its receivers. It goes out when the lock is released.
func (s *Server) emit(event webhook.EventType, orderID string, at time.Time, body []byte) {
	var receivers []*receiver
	for _, r := range s.receivers {
		if len(r.events) == 0 || slices.Contains(r.events, event) {
			receivers = append(receivers, r)
		}
	}
	if len(receivers) == 0 || s.closed {
		return
	}
	fault := s.nextWebhookFault(event, orderID)
	if fault.Kind == LoseWebhook {
		return
	}
	body = s.present(reply{body: body}).body
	for _, r := range receivers {
		t := transmission{notice: &notice{to: r, event: event, orderID: orderID, body: body}, due: at}
		switch fault.Kind {
		case EarlyWebhook:
			s.early = append(s.early, s.transmitBeside(t))
			continue
		case DuplicateWebhook:
			t.twice = true
		case DelayWebhook:
			t.due = at.Add(fault.Delay)
		case HoldWebhook:
			t.held, t.due = true, at.Add(holdPeriod)
			r.push(t)
			continue
		}
		r.push(t)
		r.unhold(t.due)
	}
}

func (r *receiver) push(t transmission) {
	i, _ := slices.BinarySearchFunc(r.queue, t.due, func(queued transmission, due time.Time) int {
		if queued.due.After(due) {
			return 1
		}
		return -1
	})
	r.queue = slices.Insert(r.queue, i, t)
}

// unhold lets what was held go out after what is due then.
func (r *receiver) unhold(due time.Time) {
	var held []transmission
	r.queue = slices.DeleteFunc(r.queue, func(t transmission) bool {
		if t.held {
			held = append(held, t)
		}
		return t.held
	})
	for _, t := range held {
		t.held, t.due = false, due
		r.push(t)
	}
}

// release unlocks, and lets the events of the change go out. Those that come early are
// delivered when it returns, and so before the call is answered.
func (s *Server) release() {
	if len(s.receivers) == 0 {
		s.mu.Unlock()
		return
	}
	s.dispatch()
	early := s.early
	s.early = nil
	s.mu.Unlock()
	for _, delivered := range early {
		<-delivered
	}
}

// dispatch starts what is due, and the timer for what is not.
func (s *Server) dispatch() {
	if s.closed {
		return
	}
	s.sweep()
	now, next := s.now(), s.nextExpiry
	for _, r := range s.receivers {
		switch {
		case r.running || len(r.queue) == 0:
		case !r.queue[0].due.After(now):
			r.running = true
			s.running++
			go s.deliver(r)
		case next.IsZero() || r.queue[0].due.Before(next):
			next = r.queue[0].due
		}
	}
	wake := next.Add(-s.skew)
	if next.IsZero() || wake.Equal(s.wake) {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.wake = wake
	s.timer = time.AfterFunc(time.Until(wake), func() {
		s.mu.Lock()
		s.wake = time.Time{}
		s.release()
	})
}

// watch makes the timer look at the payments at their deadline, so that their expiry is
// told.
func (s *Server) watch(p *payment) {
	deadline := p.deadline()
	if len(s.receivers) > 0 && !deadline.IsZero() && (s.nextExpiry.IsZero() || deadline.Before(s.nextExpiry)) {
		s.nextExpiry = deadline
	}
}

// sweep expires all payments whose time is over, once the first one's is.
func (s *Server) sweep() {
	now := s.now()
	if s.nextExpiry.IsZero() || now.Before(s.nextExpiry) {
		return
	}
	s.nextExpiry = time.Time{}
	var late []*payment
	for _, p := range s.payments {
		if deadline := p.deadline(); deadline.IsZero() || now.Before(deadline) {
			s.watch(p)
		} else {
			late = append(late, p)
		}
	}
	slices.SortFunc(late, func(a, b *payment) int {
		return cmp.Or(a.deadline().Compare(b.deadline()), cmp.Compare(a.key, b.key))
	})
	// No call has caused these: none waits for them.
	early := s.early
	for _, p := range late {
		s.expire(p)
	}
	s.early = early
}

// deliver works off what is due for a receiver.
func (s *Server) deliver(r *receiver) {
	s.mu.Lock()
	for len(r.queue) > 0 && !r.queue[0].due.After(s.now()) {
		t := r.queue[0]
		r.queue = slices.Delete(r.queue, 0, 1)
		if t.twice {
			t.twice = false
			again := t
			again.extra = true
			s.transmitBeside(again)
		}
		s.transmit(t)
	}
	r.running = false
	s.running--
	s.idle.Broadcast()
	s.release()
}

// transmitBeside sends without waiting for what is before it in the queue.
func (s *Server) transmitBeside(t transmission) (done <-chan struct{}) {
	delivered := make(chan struct{})
	s.running++
	go func() {
		s.mu.Lock()
		s.transmit(t)
		close(delivered)
		s.running--
		s.idle.Broadcast()
		s.release()
	}()
	return delivered
}

// transmit sends, unlocked meanwhile, and plans the retry.
func (s *Server) transmit(t transmission) {
	if s.closed {
		return
	}
	if t.resend {
		t.resent++
	}
	if t.id == "" || s.newTransmissionIDs {
		t.id = "whtrans_a" + s.ulid(t.due)
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("Tosspayments-Webhook-Transmission-Time", stamp(t.due))
	header.Set("Tosspayments-Webhook-Transmission-Retried-Count", strconv.Itoa(t.resent))
	header.Set("Tosspayments-Webhook-Transmission-Id", t.id)
	if t.event == webhook.PayoutChanged || t.event == webhook.SellerChanged {
		header.Set("Tosspayments-Webhook-Signature", s.signature(t.body, stamp(t.due)))
	}
	d := Delivery{ID: t.id, Event: t.event, OrderID: t.orderID, RetriedCount: t.resent, Header: header, Body: t.body, At: t.due}
	ctx, cancel := context.WithTimeout(s.webhookContext, deliveryTimeout)
	s.mu.Unlock()
	d.Status, d.Err = t.to.send(ctx, header.Clone(), t.body)
	cancel()
	s.mu.Lock()
	if len(s.deliveries) == maxDeliveries {
		s.deliveries = append(s.deliveries[:0], s.deliveries[maxDeliveries/10:]...)
	}
	s.deliveries = append(s.deliveries, loggedDelivery{d, t.notice})
	if d.Status == http.StatusOK || t.extra || t.retries == len(retryPeriods) {
		return
	}
	t.to.push(transmission{notice: t.notice, due: t.due.Add(retryPeriods[t.retries]), resend: true})
	t.retries++
}

// signature is written without the library's help: a mistake on both sides would agree
// with itself.
func (s *Server) signature(body []byte, at string) string {
	var items []string
	for _, text := range s.securityKeys {
		key := []byte(text)
		if s.signsByKeyBytes {
			key, _ = hex.DecodeString(text)
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		mac.Write([]byte(":" + at))
		items = append(items, "v1:"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(items, ",")
}

// ulid is 48 bits of time and 80 random ones, in lower case.
func (s *Server) ulid(at time.Time) string {
	const crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	var text [26]byte
	high, low := uint64(at.UnixMilli())<<16|uint64(s.webhookIDs.Uint32()&0xffff), s.webhookIDs.Uint64()
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = crockford[low&31]
		low, high = low>>5|high<<59, high>>5
	}
	return string(text[:])
}

// stopDeliveries ends what is being delivered; nothing is sent after it.
func (s *Server) stopDeliveries() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.receivers) == 0 || s.closed {
		return
	}
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.stopWebhooks()
	for s.running > 0 {
		s.idle.Wait()
	}
	s.webhookClient.CloseIdleConnections()
}
