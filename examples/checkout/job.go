package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/webhook"
)

const (
	webhookPath = "/webhook"
	// workers look at orders side by side, so that one that takes long holds up none.
	workers = 4
	// openTime is the 30 minutes of the window and the ten before the confirm.
	openTime = 45 * time.Minute
	// pageTime is how long the success page has to ask for the confirm.
	pageTime = 10 * time.Second
	// hintTime is how soon an event is believed that nothing proves. Whoever forges
	// events of an order causes one lookup in so much time.
	hintTime = 10 * time.Second
)

// webhooks lets the job look at the order that an event is about. Nothing that an event
// says is recorded: it may be forged, be days old, or be about an older window of the
// same order.
func (s *store) webhooks() http.Handler {
	return &webhook.Handler{
		Logger: s.logger,
		Secret: func(ctx context.Context, orderID string) (secret tosspayments.Sensitive, err error) {
			x, err := s.orders.byID(ctx, orderID)
			if errors.Is(err, errNoOrder) || err == nil && x.Payment == nil {
				return secret, nil
			}
			if err != nil {
				return secret, err
			}
			return x.Payment.Secret, nil
		},
		Handle: func(ctx context.Context, d webhook.Delivery) error {
			at := time.Unix(0, 0) // ahead of all others
			proven := d.Verified != webhook.Unverified
			if !proven {
				at = time.Now().Add(hintTime)
			}
			open, err := s.orders.touch(ctx, d.Event.OrderID(), at)
			s.logger.InfoContext(ctx, "webhook", "event", d.Event, "trust", d.Verified.String(), "open", open, "error", err)
			if open && proven {
				shop.Wake(s.woken)
				err = s.orders.note(ctx, s.orders.db, d.Event.OrderID(), received, "")
			}
			return err
		},
	}
}

// work brings all unfinished business to its end, until the context ends: at intervals,
// and when an event has come.
func (s *store) work(ctx context.Context, interval time.Duration) {
	if err := s.orders.hurry(ctx); err != nil {
		s.logger.WarnContext(ctx, "job", "error", err)
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			shop.Every(ctx, interval, s.woken, func() { s.doDue(ctx) })
		})
	}
	shop.Every(ctx, interval, nil, func() {
		if err := s.orders.expire(ctx, time.Now().Add(-openTime)); err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "job", "error", err)
		}
	})
	group.Wait()
}

// doDue does what is due, one thing at a time and first what has been due for the
// longest time: what an event has made due does not wait for what keeps failing.
func (s *store) doDue(ctx context.Context) {
	for ctx.Err() == nil {
		x, err := s.orders.next(ctx)
		r, refundErr := s.orders.nextRefund(ctx)
		if err := errors.Join(err, refundErr); err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "job", "error", err)
		}
		if x == nil && r == nil {
			return
		}
		if x != nil {
			s.resume(ctx, x)
		}
		if r != nil {
			s.resumeRefund(ctx, r)
		}
	}
}

// resume confirms what has no outcome yet, and looks at what may have changed.
func (s *store) resume(ctx context.Context, x *order) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if x.State == authenticated {
		if claimed, err := s.orders.claim(ctx, x, x.PaymentKey); err != nil || !claimed {
			s.logger.InfoContext(ctx, "not claimed", "order", x.ID, "error", err)
			return
		}
	}
	if x.State == confirming {
		s.confirm(ctx, x)
		return
	}
	s.look(ctx, x.ID)
}

func (s *store) resumeRefund(ctx context.Context, r *refund) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	s.refund(ctx, r)
}
