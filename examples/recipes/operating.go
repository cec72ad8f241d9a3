package recipes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// NewProxiedClient sends through a proxy that the environment does not name.
func NewProxiedClient(secretKey string, proxy *url.URL, opts ...tosspayments.Option) (*tosspayments.Client, error) {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("somebody has replaced http.DefaultTransport")
	}
	transport := standard.Clone()
	transport.Proxy = http.ProxyURL(proxy)
	transport.ForceAttemptHTTP2 = true
	transport.MaxIdleConnsPerHost = 100
	// Shorter than the proxy keeps idle connections.
	transport.IdleConnTimeout = 30 * time.Second
	// A connection that has gone dead is noticed in 15 seconds.
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
	opts = append(opts, tosspayments.WithHTTPClient(&http.Client{Transport: transport}))
	return tosspayments.New(secretKey, opts...)
}

// Merchants has one client for each MID of the shop.
type Merchants struct {
	Clients map[string]*tosspayments.Client
	// MID reads from an order the MID that its window was opened with. It is "" if there
	// is no such order.
	MID func(ctx context.Context, orderID string) (string, error)
}

// ClientOf returns the client for everything about an order: confirm, lookups, refunds.
func (m *Merchants) ClientOf(ctx context.Context, orderID string) (*tosspayments.Client, error) {
	mid, err := m.MID(ctx, orderID)
	if err != nil {
		return nil, err
	}
	client, ok := m.Clients[mid]
	if !ok {
		return nil, fmt.Errorf("order %q: no secret key for the MID %q", orderID, mid)
	}
	return client, nil
}

// Webhooks receives the events of all MIDs at one address, and reads the payment of each
// with the client of its order. An event may claim any MID, and a deposit callback has
// none.
func (m *Merchants) Webhooks(store func(context.Context, webhook.Delivery) error) *webhook.Handler {
	return &webhook.Handler{
		Client: func(ctx context.Context, event *webhook.Event) (*tosspayments.Client, error) {
			mid, err := m.MID(ctx, event.OrderID())
			if err != nil || mid == "" {
				return nil, err // not known: store gets the event unverified
			}
			return m.ClientOf(ctx, event.OrderID())
		},
		Handle: store,
	}
}
