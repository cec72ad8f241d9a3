package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// shop is the server side of the test shop, with which the first payment in a browser
// needs no code. It keeps its orders while the program runs.
type shop struct {
	*sandbox
	mu     sync.Mutex
	orders map[string]order
	cards  map[string]tosspayments.BillingKey
	// oldest first, to forget
	ids []string
}

// maxOrders bounds what the shop keeps.
const maxOrders = 1000

// order is what the server of a shop has to know by itself: the amount must not come from
// the browser.
type order struct {
	ID     string              `json:"orderId"`
	Name   string              `json:"orderName"`
	Amount tosspayments.Amount `json:"amount"`
	// Widget is set for an order of the widgets, which have a pair of keys of their own.
	Widget bool `json:"-"`
}

// buyer is what the browser needs for the script.
type buyer struct {
	CustomerKey     string `json:"customerKey"`
	ClientKey       string `json:"clientKey"`
	WidgetClientKey string `json:"widgetClientKey"`
}

func newShop(b *sandbox) *shop {
	return &shop{sandbox: b, orders: map[string]order{}, cards: map[string]tosspayments.BillingKey{}}
}

func (s *shop) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /sandbox/shop/buyer", answering(s.buyer))
	mux.HandleFunc("POST /sandbox/shop/order", answering(s.open))
	mux.HandleFunc("POST /sandbox/shop/confirm", answering(s.confirm))
	mux.HandleFunc("POST /sandbox/shop/card", answering(s.register))
	mux.HandleFunc("POST /sandbox/shop/charge", answering(s.charge))
}

// keep remembers something under an id, and forgets the oldest.
func keep[T any](s *shop, in map[string]T, id string, value T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in[id] = value
	s.ids = append(s.ids, id)
	if len(s.ids) > maxOrders {
		delete(s.orders, s.ids[0])
		delete(s.cards, s.ids[0])
		s.ids = s.ids[1:]
	}
}

func kept[T any](s *shop, in map[string]T, id string) (value T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok = in[id]
	return value, ok
}

func (s *shop) buyer(context.Context, struct{}) (buyer, error) {
	return buyer{"shop-" + random(), s.keys.Client, s.keys.WidgetClient}, nil
}

// open writes an order down before the payment window opens.
func (s *shop) open(_ context.Context, in struct{ Kind string }) (order, error) {
	o := order{ID: tosspayments.NewOrderID(), Name: "원두 1kg", Amount: tosspayments.Won(15_000)}
	switch in.Kind {
	case "payment":
	case "widget":
		o.Widget = true
	case "billing":
		o.Name, o.Amount = "원두 구독", tosspayments.Won(9_900)
	default:
		return o, fmt.Errorf("the shop sells nothing of the kind %q", in.Kind)
	}
	keep(s, s.orders, o.ID, o)
	return o, nil
}

// result is how a payment of the shop has ended.
type result struct {
	Outcome string                 `json:"outcome"`
	Code    tosspayments.ErrorCode `json:"code,omitempty"`
	Message string                 `json:"message,omitempty"`
	Payment *paymentView           `json:"payment,omitempty"`
}

func (s *shop) result(p *tosspayments.Payment, err error) result {
	r := result{Outcome: tosspayments.OutcomeOf(p, err).String(), Code: tosspayments.CodeOf(err)}
	if err != nil {
		r.Message = err.Error()
	}
	if p == nil {
		p = tosspayments.PaymentOf(err)
	}
	if p != nil {
		v := viewPayment(encode(p.Stored()))
		r.Payment = &v
	}
	return r
}

// confirmTime bounds a confirm while the buyer waits.
const confirmTime = 25 * time.Second

// moneyTime gives a call that moves money its own time: it does not end with the buyer's
// patience.
func moneyTime(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), confirmTime)
}

// confirm takes what the browser has brought to the success URL.
func (s *shop) confirm(ctx context.Context, in struct{ Query string }) (result, error) {
	redirect, err := tosspayments.ParseSuccessURL(&url.URL{RawQuery: in.Query})
	if err != nil {
		return result{}, err
	}
	o, ok := kept(s, s.orders, redirect.OrderID)
	if !ok {
		return result{}, errors.New("the shop does not know this order: was the sandbox started anew?")
	}
	request, err := redirect.ConfirmRequest(o.Amount)
	if err != nil {
		return result{}, err
	}
	client := s.client(o.Widget)
	defer client.Close()
	ctx, cancel := moneyTime(ctx)
	defer cancel()
	return s.result(client.ConfirmPayment(ctx, request)), nil
}

// card is a registered card.
type card struct {
	ID     string `json:"id"`
	Number string `json:"number"`
}

// register turns what the browser has brought into a billing key, which stays here.
func (s *shop) register(ctx context.Context, in struct{ Query string }) (card, error) {
	redirect, err := tosspayments.ParseBillingURL(&url.URL{RawQuery: in.Query})
	if err != nil {
		return card{}, err
	}
	client := s.client(false)
	defer client.Close()
	ctx, cancel := moneyTime(ctx)
	defer cancel()
	billing, err := client.IssueBillingKey(ctx, redirect)
	if err != nil {
		return card{}, err
	}
	c := card{ID: random()}
	if billing.Card != nil {
		c.Number = billing.Card.Number
	}
	keep(s, s.cards, c.ID, billing.BillingKey)
	return c, nil
}

// charge takes a month's money from a registered card.
func (s *shop) charge(ctx context.Context, in struct{ ID string }) (result, error) {
	key, ok := kept(s, s.cards, in.ID)
	if !ok {
		return result{}, errors.New("the shop does not know this card: was the sandbox started anew?")
	}
	o, err := s.open(ctx, struct{ Kind string }{"billing"})
	if err != nil {
		return result{}, err
	}
	client := s.client(false)
	defer client.Close()
	ctx, cancel := moneyTime(ctx)
	defer cancel()
	return s.result(client.ChargeBilling(ctx, key, tosspayments.ChargeBillingRequest{OrderID: o.ID, OrderName: o.Name, Amount: o.Amount})), nil
}
