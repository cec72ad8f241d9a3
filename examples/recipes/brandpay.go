package recipes

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
)

// TokenStore keeps one token for a customer, encrypted: what Stored returns is a text column.
type TokenStore interface {
	Save(ctx context.Context, token brandpay.Token) error
	Load(ctx context.Context, customerKey string) (brandpay.Token, error)
}

// Wallet is the part of a shop that has to do with BrandPay.
type Wallet struct {
	Shop
	BrandPay *brandpay.Client
	Tokens   TokenStore
}

// Agreed handles the redirect URL that is registered in the developer centre. It is called by
// the customer's browser, or a server, when a customer has agreed to the terms.
func (w *Wallet) Agreed(rw http.ResponseWriter, r *http.Request) {
	auth, err := brandpay.ParseRedirectURL(r.URL)
	if err != nil {
		http.Error(rw, "not a redirect of BrandPay", http.StatusBadRequest)
		return
	}
	token, err := w.BrandPay.IssueToken(r.Context(), auth)
	if err == nil {
		err = w.Tokens.Save(r.Context(), *token)
	}
	if err != nil {
		http.Error(rw, "try again", http.StatusServiceUnavailable)
	}
}

// Customer returns a handle for the calls that go with a customer's token.
func (w *Wallet) Customer(ctx context.Context, customerKey string) (*brandpay.Customer, error) {
	token, err := w.Tokens.Load(ctx, customerKey)
	if err != nil {
		return nil, err
	}
	return w.BrandPay.Customer(token, w.Tokens.Save), nil
}

// Methods returns the methods of a customer; again is set when the customer has to agree to
// the terms once more.
func Methods(ctx context.Context, customer *brandpay.Customer) (methods *brandpay.Methods, again bool, err error) {
	methods, err = customer.GetMethods(ctx)
	if errors.Is(err, brandpay.ErrAuthorize) {
		return nil, true, nil
	}
	return methods, false, err
}

// ConfirmBrandPay confirms an order that was paid with BrandPay, and records how that has
// ended, as a confirm of the payment window does.
func (w *Wallet) ConfirmBrandPay(ctx context.Context, order Order, customerKey string) error {
	payment, err := w.BrandPay.ConfirmPayment(ctx, brandpay.ConfirmPaymentRequest{
		ConfirmPaymentRequest: order.request(),
		CustomerKey:           customerKey,
	}, tosspayments.WithIdempotencyKey(order.IdempotencyKey))
	return w.record(ctx, order, payment, err)
}

// ChargeBrandPay charges an order without the customer being present.
func (w *Wallet) ChargeBrandPay(ctx context.Context, order Order, customerKey, methodKey string) error {
	payment, err := w.BrandPay.Charge(ctx, brandpay.ChargeRequest{
		CustomerKey: customerKey,
		MethodKey:   methodKey,
		OrderID:     order.ID,
		OrderName:   order.Name,
		Amount:      order.Amount,
	}, tosspayments.WithIdempotencyKey(order.ID))
	return w.record(ctx, order, payment, err)
}
