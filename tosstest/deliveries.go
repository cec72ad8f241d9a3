package tosstest

import (
	"cmp"
	"container/heap"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed238ab19c/tosspayments/webhook"
)

const (
	deliveryTimeout = 10 * time.Second
	holdPeriod      = time.Minute
)

// retryPeriods are each counted from the attempt before: the last one is 3 days and 19
// hours after the first.
var retryPeriods = [...]time.Duration{
	time.Minute, 4 * time.Minute, 16 * time.Minute, 64 * time.Minute, 256 * time.Minute, 1024 * time.Minute, 4096 * time.Minute,
}

// webhooks delivers the events that it is handed. It has a lock of its own, and never
// calls the server, whose lock may be held when it is called.
type webhooks struct {
	clock              *clock
	securityKeys       []string
	signsByKeyBytes    bool
	newTransmissionIDs bool
	client             *http.Client
	context            context.Context
	stop               context.CancelFunc
	// wanted is set once there is a receiver, until the end.
	wanted atomic.Bool

	mu        sync.Mutex
	receivers []*receiver
	handlers  int       // among the receivers
	running   int       // deliveries, and workers of receivers
	idle      sync.Cond // tells that running has changed
	alarm     alarm
	sequence  int
	log       history[loggedDelivery]
	script    []WebhookFault
	chaos     float64
	chaosRng  *rand.Rand
	ids       *rand.Rand
	closed    bool
	observe   func(Change)

	journal     *journal // nil unless the state is kept
	lastNumber  int      // of an event in it
	lastOfPast  int      // of an event of an earlier server
	undelivered undelivered
}

// event is what has happened, as the receivers are told it.
type event struct {
	kind    webhook.EventType
	orderID string
	at      time.Time
	body    []byte
	// number is that of the journal, 0 where it is not there.
	number int
	// uncaused is set when no call has caused it, so that none waits for it.
	uncaused bool
}

// receiver is where events go.
type receiver struct {
	// name is the address, or for a handler its place among the handlers.
	name   string
	events []webhook.EventType // none: all
	send   func(ctx context.Context, header http.Header, body []byte) (status int, err error)
	queue  queue
	// held are those of the queue that go out after the next event.
	held    []*transmission
	running bool
}

func (r *receiver) wants(kind webhook.EventType) bool {
	return len(r.events) == 0 || slices.Contains(r.events, kind)
}

// notice is an event for one receiver. Its body does not change any more.
type notice struct {
	event
	to      *receiver
	id      string
	resent  int // whatever for
	retries int // by the schedule
}

// transmission is one sending of a notice.
type transmission struct {
	*notice
	due      time.Time
	sequence int  // among those that are due at the same time
	resend   bool // not the first
	extra    bool // is not retried
	twice    bool
	void     bool // goes out in another place
}

// queue is a heap, what is due next first.
type queue []*transmission

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	return cmp.Or(q[i].due.Compare(q[j].due), cmp.Compare(q[i].sequence, q[j].sequence)) < 0
}
func (q *queue) Push(x any) { *q = append(*q, x.(*transmission)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return x
}

type loggedDelivery struct {
	Delivery
	notice *notice
}

func (w *webhooks) init(clock *clock) {
	w.clock = clock
	w.undelivered = newUndelivered()
	w.idle.L = &w.mu
	w.securityKeys = []string{DefaultSecurityKey}
	w.alarm = alarm{clock: clock, ring: func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.alarm.wake = time.Time{}
		w.dispatch()
	}}
}

// add registers a receiver. The ids of events come from the seed given with the first.
func (w *webhooks) add(r *receiver, seed func() *rand.Rand) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.receivers) == 0 {
		w.ids = seed()
		w.context, w.stop = context.WithCancel(context.Background())
		w.client = &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		w.wanted.Store(!w.closed)
	}
	if r.name == "" {
		w.handlers++
		r.name = "handler " + strconv.Itoa(w.handlers)
	}
	w.receivers = append(w.receivers, r)
	w.resume(r)
}

// hand takes events over and starts what is due. It does not wait: it returns what
// tells when the early ones have been answered.
func (w *webhooks) hand(events []event) (early []<-chan struct{}) {
	if !w.wanted.Load() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	for _, e := range events {
		answered := w.route(e)
		if !e.uncaused {
			early = append(early, answered...)
		}
	}
	w.dispatch()
	return early
}

// route gives an event to those who receive it, as its fault says.
func (w *webhooks) route(e event) (early []<-chan struct{}) {
	var receivers []*receiver
	for _, r := range w.receivers {
		if r.wants(e.kind) {
			receivers = append(receivers, r)
		}
	}
	if len(receivers) == 0 {
		return nil
	}
	fault := w.nextFault(e.kind, e.orderID)
	for _, r := range receivers {
		t := &transmission{notice: &notice{event: e, to: r}, due: e.at}
		switch fault.Kind {
		case LoseWebhook:
			w.note(t, e.at, true)
			continue
		case EarlyWebhook:
			early = append(early, w.transmitBeside(t))
			continue
		case HoldWebhook:
			t.due = e.at.Add(holdPeriod)
			w.push(t)
			r.held = append(r.held, t)
			continue
		case DuplicateWebhook:
			t.twice = true
		case DelayWebhook:
			t.due = e.at.Add(fault.Delay)
		}
		w.push(t)
		w.unhold(r, t.due)
	}
	return early
}

func (w *webhooks) push(t *transmission) {
	w.sequence++
	t.sequence = w.sequence
	heap.Push(&t.to.queue, t)
}

// unhold lets what was held go out after what is due then.
func (w *webhooks) unhold(r *receiver, due time.Time) {
	for _, t := range r.held {
		// What has gone out meanwhile is void.
		if !t.void {
			again := *t
			again.due, t.void = due, true
			w.push(&again)
		}
	}
	r.held = nil
}

// dispatch starts a worker for each receiver for which something is due, and sets the
// alarm for the rest.
func (w *webhooks) dispatch() {
	if w.closed {
		return
	}
	now, next := w.clock.now(), time.Time{}
	for _, r := range w.receivers {
		switch {
		case r.running || len(r.queue) == 0:
		case !r.queue[0].due.After(now):
			r.running = true
			w.running++
			go w.deliver(r)
		case next.IsZero() || r.queue[0].due.Before(next):
			next = r.queue[0].due
		}
	}
	w.alarm.set(next)
}

// deliver works off what is due for a receiver.
func (w *webhooks) deliver(r *receiver) {
	for t := w.next(r); t != nil; t = w.next(r) {
		w.transmit(t)
	}
}

// next takes what is due for a receiver; nil ends its worker.
func (w *webhooks) next(r *receiver) *transmission {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed && len(r.queue) > 0 && !r.queue[0].due.After(w.clock.now()) {
		t := heap.Pop(&r.queue).(*transmission)
		if t.void {
			continue
		}
		t.void = true
		if t.twice {
			again := *t
			again.extra = true
			w.transmitBeside(&again)
		}
		return t
	}
	r.running = false
	w.ended()
	return nil
}

func (w *webhooks) ended() {
	w.running--
	w.idle.Broadcast()
	w.dispatch()
}

// transmitBeside sends without waiting for what is before it in the queue.
func (w *webhooks) transmitBeside(t *transmission) (answered <-chan struct{}) {
	done := make(chan struct{})
	w.running++
	go func() {
		w.transmit(t)
		close(done)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended()
	}()
	return done
}

// transmit sends, without the lock, and plans the retry.
func (w *webhooks) transmit(t *transmission) {
	d, ok := w.prepare(t)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(w.context, deliveryTimeout)
	d.Status, d.Err = t.to.send(ctx, d.Header.Clone(), t.body)
	cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log.add(loggedDelivery{d, t.notice}, len(d.Body))
	if w.observe != nil {
		w.observe(Change{Delivery: &d})
	}
	if d.Status == http.StatusOK || t.extra || t.retries == len(retryPeriods) {
		w.note(t, t.due, true)
		return
	}
	again := t.due.Add(retryPeriods[t.retries])
	w.push(&transmission{notice: t.notice, due: again, resend: true})
	t.retries++
	w.note(t, again, false)
}

// prepare writes the headers of a transmission.
func (w *webhooks) prepare(t *transmission) (d Delivery, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return d, false
	}
	if t.resend {
		t.resent++
	}
	if t.id == "" || w.newTransmissionIDs {
		t.id = "whtrans_a" + ulid(t.due, w.ids)
	}
	w.note(t, t.due, false)
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("Tosspayments-Webhook-Transmission-Time", stamp(t.due))
	header.Set("Tosspayments-Webhook-Transmission-Retried-Count", strconv.Itoa(t.resent))
	header.Set("Tosspayments-Webhook-Transmission-Id", t.id)
	if t.kind == webhook.PayoutChanged || t.kind == webhook.SellerChanged {
		header.Set("Tosspayments-Webhook-Signature", w.signature(t.body, stamp(t.due)))
	}
	return Delivery{ID: t.id, Event: t.kind, OrderID: t.orderID, RetriedCount: t.resent, Header: header, Body: t.body, At: t.due}, true
}

// signature is written without the library's help: a mistake on both sides would agree
// with itself.
func (w *webhooks) signature(body []byte, at string) string {
	var items []string
	for _, text := range w.securityKeys {
		key := []byte(text)
		if w.signsByKeyBytes {
			key, _ = hex.DecodeString(text)
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		mac.Write([]byte(":" + at))
		items = append(items, "v1:"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(items, ",")
}

// eventID is an id for an event in lower case.
func (w *webhooks) eventID(at time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return "evt_" + ulid(at, w.ids)
}

// ulid is 48 bits of time and 80 random ones, in lower case.
func ulid(at time.Time, random *rand.Rand) string {
	const crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	var text [26]byte
	high, low := uint64(at.UnixMilli())<<16|uint64(random.Uint32()&0xffff), random.Uint64()
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = crockford[low&31]
		low, high = low>>5|high<<59, high>>5
	}
	return string(text[:])
}

// wait returns when nothing is being delivered, and nothing is due.
func (w *webhooks) wait() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.dispatch(); w.running > 0; w.dispatch() {
		w.idle.Wait()
	}
}

// resend sends an event once more to its receiver, by the id of a transmission.
func (w *webhooks) resend(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range slices.Backward(w.log.entries) {
		if d.ID == id {
			w.push(&transmission{notice: d.notice, due: w.clock.now(), resend: true, extra: true})
			w.dispatch()
			return nil
		}
	}
	return fmt.Errorf("tosstest: no webhook has the transmission id %q", id)
}

// close ends what is being delivered; nothing is sent after it.
func (w *webhooks) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.receivers) == 0 || w.closed {
		return
	}
	w.closed = true
	w.wanted.Store(false)
	w.alarm.set(time.Time{})
	w.stop()
	for w.running > 0 {
		w.idle.Wait()
	}
	w.client.CloseIdleConnections()
}

// nextFault takes the fault for an event.
func (w *webhooks) nextFault(kind webhook.EventType, orderID string) WebhookFault {
	for i, f := range w.script {
		if f.Event != "" && f.Event != kind || f.OrderID != "" && f.OrderID != orderID {
			continue
		}
		if w.script[i].Times--; w.script[i].Times == 0 {
			w.script = slices.Delete(w.script, i, i+1)
		}
		return f
	}
	if w.chaosRng == nil || w.chaosRng.Float64() >= w.chaos {
		return WebhookFault{}
	}
	kinds := []WebhookFaultKind{DuplicateWebhook, DelayWebhook, HoldWebhook}
	return WebhookFault{
		Kind:  kinds[w.chaosRng.IntN(len(kinds))],
		Delay: time.Duration(1+w.chaosRng.IntN(100)) * time.Second,
	}
}

func (w *webhooks) clearFaults() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.script = nil
}
