package main

import (
	"cmp"
	"container/list"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments/tosstest"
)

// What a feed keeps of each kind. What is older is dropped, here and on the page.
const (
	maxItems = 1000
	maxBytes = 32 << 20
)

// kind is a list of the page.
type kind string

const (
	payments  kind = "payments"
	requests  kind = "requests"
	webhooks  kind = "webhooks"
	entries   kind = "entries"
	sellers   kind = "sellers"
	payouts   kind = "payouts"
	customers kind = "customers"
)

// feed keeps what the page shows. A reader that has seen everything up to a number gets
// what is newer: each payment once, however often it has changed meanwhile. So a slow
// reader costs nothing, and misses nothing that still matters.
type feed struct {
	mu    sync.Mutex
	last  int64
	lists map[kind]*items
	now   func() time.Time
	// opened is what an encrypted body says.
	opened func(body []byte) string
	// changed is closed with the next change.
	changed chan struct{}
}

// items are ordered by their last change, and told by their age.
type items struct {
	order list.List // of *item
	byID  map[string]*list.Element
	size  int
}

// item is what the page shows of one thing.
type item struct {
	number  int64
	born    int64 // the first number
	id      string
	summary json.RawMessage
	// detail is what is shown when it is looked at: *documentDetail, *tosstest.Request or
	// *tosstest.Delivery.
	detail any
	size   int
}

func newFeed() *feed {
	f := &feed{changed: make(chan struct{}), lists: map[kind]*items{}}
	for _, k := range []kind{payments, requests, webhooks, entries, sellers, payouts, customers} {
		f.lists[k] = &items{byID: map[string]*list.Element{}}
	}
	return f
}

// put adds an item, or replaces the one with its id. Without an id it gets its number.
func (f *feed) put(k kind, build func(id string) item, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	if id == "" {
		id = strconv.FormatInt(f.last, 10)
	}
	x := build(id)
	x.number, x.id, x.size = f.last, id, x.size+len(x.summary)
	l := f.lists[k]
	x.born = x.number
	if old := l.byID[id]; old != nil {
		x.born = old.Value.(*item).born
		l.remove(old)
	}
	l.byID[id] = l.order.PushBack(&x)
	l.size += x.size
	for l.order.Len() > maxItems || l.size > maxBytes {
		l.remove(l.order.Front())
	}
	f.poke()
}

// touch tells readers that something besides the lists has changed.
func (f *feed) touch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.poke()
}

func (f *feed) poke() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (l *items) remove(e *list.Element) {
	x := l.order.Remove(e).(*item)
	delete(l.byID, x.id)
	l.size -= x.size
}

// detail is that of an item; nil where there is none, or not any more.
func (f *feed) detail(k kind, id string) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.lists[k]; l != nil && l.byID[id] != nil {
		return l.byID[id].Value.(*item).detail
	}
	return nil
}

// summary is what a list shows of an item; nil where there is none, or not any more.
func (f *feed) summary(k kind, id string) json.RawMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.lists[k].byID[id]; e != nil {
		return e.Value.(*item).summary
	}
	return nil
}

// since returns what has changed after a number, by age, and what tells of the next change.
func (f *feed) since(number int64) (news map[kind][]json.RawMessage, last int64, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	news = map[kind][]json.RawMessage{}
	for k, l := range f.lists {
		var fresh []*item
		for e := l.order.Back(); e != nil; e = e.Prev() {
			x := e.Value.(*item)
			if x.number <= number {
				break
			}
			fresh = append(fresh, x)
		}
		slices.SortFunc(fresh, func(a, b *item) int { return cmp.Compare(a.born, b.born) })
		for _, x := range fresh {
			news[k] = append(news[k], x.summary)
		}
	}
	return news, f.last, f.changed
}

// observe takes what the fake tells. It is called under the fake's lock.
func (f *feed) observe(c tosstest.Change) {
	switch {
	case c.Payment != nil:
		f.putPayment(c.Payment)
	case c.Request != nil:
		f.putRequest(c.Request)
	case c.Delivery != nil:
		f.putDelivery(c.Delivery)
	case c.Entry != nil:
		f.putEntry(c.Entry)
	case c.Seller != nil:
		f.putSeller(c.Seller)
	case c.Payout != nil:
		f.putPayout(c.Payout)
	case c.Customer != nil:
		f.putCustomer(c.Customer)
	}
}

// step is a moment in the life of a payment, a seller, a payout or a customer.
type step struct {
	At     time.Time `json:"at"`
	Status string    `json:"status"`
}

const maxSteps = 100

// documentDetail is one of these that is looked at whole.
type documentDetail struct {
	// Document is the JSON with which the API shows it; null where it shows none.
	Document json.RawMessage `json:"document"`
	Life     []step          `json:"life"`
}

// putDocument adds something that has a life, or notes that it has changed.
func (f *feed) putDocument(k kind, id, status string, summary, document json.RawMessage) {
	var life []step
	if old, ok := f.detail(k, id).(*documentDetail); ok {
		life = old.Life
	}
	if n := len(life); n == 0 || life[n-1].Status != status {
		life = append(life[max(0, n-maxSteps+1):n:n], step{f.now(), status})
	}
	f.put(k, func(string) item {
		return item{summary: summary, detail: &documentDetail{document, life}, size: len(document)}
	}, id)
}
