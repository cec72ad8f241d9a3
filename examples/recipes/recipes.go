// Package recipes holds the Go code of the README and the guides, so that it is
// compiled and tested. A block of code there is a run of lines here.
package recipes

import (
	"context"
	"os"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Shop is as much of a backend as the recipes need.
type Shop struct {
	Toss   *tosspayments.Client
	Orders Orders
}

// Orders keeps orders and refunds; in a real shop it is a database. The guides show its
// SQL.
type Orders interface {
	// Create stores a new order. One that exists stays as it is.
	Create(ctx context.Context, order Order) error
	Get(ctx context.Context, id string) (Order, error)
	// Claim stores the payment key, the idempotency key and the key id, if the order is
	// still new, and makes it "confirming", to be looked at in a minute. It reports
	// whether it was this call that did.
	Claim(ctx context.Context, order *Order) (bool, error)
	// Save stores an order and, in the same transaction, a task for the warehouse
	// ("release", "stop", or "" for none). It fails if the order has changed since it was
	// read: an old look must not overwrite a newer one.
	Save(ctx context.Context, order Order, task string) error
	// Wake makes the job look at an order, after whoever is confirming it or looking at it.
	// It fails if there is no such order.
	Wake(ctx context.Context, id string) error
	// Due returns the ids of the orders that are due or were woken, and takes each for a
	// minute; and the pending refunds whose next run is due.
	Due(ctx context.Context) (orders []string, refunds []Refund, err error)
	// CreateRefund stores a pending refund, to be run by the job in a minute. It fails
	// if there is one with its id, or if the order has another one that is pending.
	CreateRefund(ctx context.Context, refund Refund) error
	// SaveRefund stores a refund, if it is still pending there. One that is done wakes
	// its order.
	SaveRefund(ctx context.Context, refund Refund) error
}

// Order is a purchase.
type Order struct {
	ID, Name string
	Amount   tosspayments.Amount
	// State is new, confirming, paid, waiting (for a deposit), canceled, failed or review
	// (a person has to look).
	State string
	// PaymentKey is known once the buyer is back from the payment window.
	PaymentKey string
	// IdempotencyKey is the key of the confirm, and KeyID names the secret key under
	// which the server keeps it. Both are stored before the first call.
	IdempotencyKey, KeyID string
	// Code says why it failed.
	Code tosspayments.ErrorCode
	// Payment is the payment as it was last recorded.
	Payment *tosspayments.Payment
	// LookAt is when the job looks again; zero is not before it is woken.
	LookAt time.Time
	// Version counts the changes of the row.
	Version int
}

// request is what was confirmed, or is to be.
func (o *Order) request() tosspayments.ConfirmPaymentRequest {
	return tosspayments.ConfirmPaymentRequest{PaymentKey: o.PaymentKey, OrderID: o.ID, Amount: o.Amount}
}

// NewShop reads the key from the environment.
func NewShop(orders Orders) (*Shop, error) {
	client, err := tosspayments.New(os.Getenv("TOSS_SECRET_KEY"))
	if err != nil {
		return nil, err
	}
	return &Shop{Toss: client, Orders: orders}, nil
}
