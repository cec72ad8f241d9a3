package main

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// outage is no part of a shop: once the answer to a confirm has got lost, the Toss
// Payments inside this process is down for a while, so that one can watch an order whose
// outcome nobody knows, and how it resolves by itself.
type outage struct {
	lasts time.Duration
	// sandbox is nil with keys.
	sandbox *tosstest.Server
	is      atomic.Bool
}

// observe is told of every request of the client.
func (o *outage) observe(ctx context.Context, a tosspayments.Attempt) {
	observe(ctx, a)
	if o.sandbox == nil || o.lasts == 0 || a.Err == nil || !o.is.CompareAndSwap(false, true) {
		return
	}
	for _, operation := range []tosstest.Operation{tosstest.ConfirmPayment, tosstest.GetPayment} {
		o.sandbox.Inject(tosstest.Fault{Operation: operation, Kind: tosstest.BadGateway, Times: math.MaxInt})
	}
	time.AfterFunc(o.lasts, func() {
		o.sandbox.ClearFaults()
		o.is.Store(false)
	})
}
