package tosstest

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// past is what the lines of a file come to.
type past struct {
	skew      *time.Duration
	payments  map[string]*storedPayment
	order     []string // the keys of payments, the oldest first
	ofOrder   map[orderOf]string
	billings  []storedBilling
	receipts  map[bool][]storedReceipt
	movements []Entry
	answers   map[savedID]savedAnswer
	lastEvent int // number of it
	undelivered
	brandPay []*storedBrandPay
	windows  map[string]storedWindow
	payouts  []*storedPayouts
}

type orderOf struct {
	widget bool
	id     string
}

type savedID struct {
	widget            bool
	key, method, path string
}

type deliveryOf struct {
	event int
	to    string
}

func newPast() *past {
	return &past{
		payments: map[string]*storedPayment{}, ofOrder: map[orderOf]string{}, receipts: map[bool][]storedReceipt{},
		answers: map[savedID]savedAnswer{}, undelivered: newUndelivered(), windows: map[string]storedWindow{},
	}
}

func (h *past) add(line *stored) {
	if line.Skew != nil {
		h.skew = line.Skew
	}
	for i := range line.Payments {
		p := &line.Payments[i]
		if h.payments[p.Key] == nil {
			h.order = append(h.order, p.Key)
		}
		h.payments[p.Key] = p
		if p.OfOrder {
			h.ofOrder[orderOf{p.Checkout.Widget, p.Checkout.OrderID}] = p.Key
		}
	}
	for _, b := range line.Billings {
		h.billings = put(h.billings, b.Number-1, b)
	}
	for _, c := range line.Receipts {
		h.receipts[c.Widget] = put(h.receipts[c.Widget], c.Number, c)
	}
	if line.BrandPay != nil {
		h.brandPay = append(h.brandPay, line.BrandPay)
	}
	for _, w := range line.Windows {
		h.windows[w.ID] = w
	}
	if line.Payouts != nil {
		h.payouts = append(h.payouts, line.Payouts)
	}
	h.movements = append(h.movements, line.Movements...)
	for _, a := range line.Answers {
		h.answers[savedID{a.Widget, a.Key, a.Method, a.Path}] = a
	}
	for _, e := range line.Events {
		h.events[e.Number] = e
		h.lastEvent = max(h.lastEvent, e.Number)
	}
	for _, d := range line.Deliveries {
		h.note(d)
	}
}

// put sets a thing of a list that is numbered from 0.
func put[T any](list []T, n int, thing T) []T {
	if n == len(list) {
		return append(list, thing)
	}
	list[n] = thing
	return list
}

func (s *Server) restore(h *past) {
	if h.skew != nil {
		s.clock.skew.Store(int64(*h.skew))
		s.unsaved.skew = *h.skew
	}
	for i := range h.billings {
		b := h.billings[i].billing
		s.number(&b)
		if b.Key != "" {
			s.billings[b.Key] = &b
		} else {
			s.authKeys[b.AuthKey] = &b
		}
	}
	for _, key := range h.order {
		s.restorePayment(h.payments[key])
	}
	for order, key := range h.ofOrder {
		s.shop(order.widget).byOrder[order.id] = s.payments[key]
	}
	for widget, list := range h.receipts {
		for i := range list {
			c := list[i].cashReceipt
			c.shop = s.shop(widget)
			c.shop.receipts.add(&c)
		}
	}
	for _, e := range h.movements {
		s.ledger.add(s.movement(e))
	}
	answers := slices.SortedFunc(maps.Values(h.answers), func(a, b savedAnswer) int { return a.At.Compare(b.At) })
	for _, a := range answers {
		id := idempotencyID{s.shop(a.Widget), a.Key, a.Method, a.Path}
		s.addAnswer(&storedAnswer{id: id, at: a.At, status: a.Status, body: []byte(a.Body), traceID: a.TraceID})
	}
	for _, line := range h.brandPay {
		s.brandPay.restore(line)
	}
	for _, w := range h.windows {
		s.restoreWindow(w)
	}
	for _, line := range h.payouts {
		s.payouts.restore(line)
	}
	s.webhooks.restore(h)
}

// movement finds what an entry of the ledger is about.
func (s *Server) movement(e Entry) movement {
	m := movement{Entry: e, payment: s.payments[e.PaymentKey]}
	for _, x := range m.payment.cancels {
		if x.Transaction == e.TransactionKey {
			m.cancel = x
		}
	}
	return m
}

// snapshot are the lines of a file with all of the state, in the order in which they can
// be read.
func (s *Server) snapshot(run int) iter.Seq[*stored] {
	return func(yield func(*stored) bool) {
		skew := time.Duration(s.clock.skew.Load())
		ok := yield(&stored{Version: journalVersion, Run: run, Skew: &skew, BrandPay: s.brandPay.all(), Payouts: s.payouts.all()})
		ok = ok && each(yield, s.allBillings, func(o *stored, b *billing) { o.Billings = append(o.Billings, storedBilling{b.number, *b}) })
		ok = ok && each(yield, s.opened, func(o *stored, p *payment) { o.Payments = append(o.Payments, s.storedPayment(p)) })
		for _, shop := range []*merchant{&s.individual, &s.widget} {
			ok = ok && each(yield, shop.receipts.all, func(o *stored, c *cashReceipt) {
				o.Receipts = append(o.Receipts, storedReceiptOf(c, shop == &s.widget))
			})
		}
		ok = ok && each(yield, s.ledger.movements, func(o *stored, m movement) { o.Movements = append(o.Movements, m.Entry) })
		ok = ok && each(yield, slices.Collect(maps.Values(s.answers)), func(o *stored, a *storedAnswer) {
			if a.status != 0 { // it is there
				o.Answers = append(o.Answers, s.savedAnswer(a))
			}
		})
		ok = ok && each(yield, slices.Collect(maps.Values(s.windows)), func(o *stored, w *openWindow) { o.Windows = append(o.Windows, w.stored()) })
		if line := s.webhooks.undelivered.line(); ok && len(line.Events) > 0 {
			yield(line)
		}
	}
}

// each yields lines with parts of a list.
func each[T any](yield func(*stored) bool, list []T, add func(*stored, T)) bool {
	for part := range slices.Chunk(list, 100) {
		line := &stored{}
		for _, x := range part {
			add(line, x)
		}
		if !yield(line) {
			return false
		}
	}
	return true
}
