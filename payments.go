package tosspayments

import (
	"context"
	"net/http"
	"net/url"
)

var (
	getPayment = &operation{
		name: "get payment", method: http.MethodGet, template: "/v1/payments/{paymentKey}", timeout: readTimeout,
	}
	getPaymentByOrderID = &operation{
		name: "get payment by order id", method: http.MethodGet, template: "/v1/payments/orders/{orderId}", timeout: readTimeout,
	}
)

func paymentPath(paymentKey string) string { return "/v1/payments/" + url.PathEscape(paymentKey) }

func orderPath(orderID string) string { return "/v1/payments/orders/" + url.PathEscape(orderID) }

// GetPayment reads a payment, whatever its status. An unknown key gives
// [ErrNotFoundPayment]. To learn what a payment means for an order use
// [Client.ResolvePayment].
//
// Source: https://docs.tosspayments.com/reference#paymentkey로-결제-조회
func (c *Client) GetPayment(ctx context.Context, paymentKey string, opts ...CallOption) (*Payment, error) {
	if err := checkPaymentKey(paymentKey); err != nil {
		return nil, asRead(err)
	}
	p, err := c.getPayment(ctx, getPayment, paymentPath(paymentKey), opts)
	if err == nil && p.PaymentKey != paymentKey {
		return nil, foreign("paymentKey", paymentKey, p.PaymentKey, p)
	}
	return p, err
}

// GetPaymentByOrderID reads the payment of an order. An unknown id gives
// [ErrNotFoundPayment]. When an order had several payments, the server answers with
// one of them.
//
// Source: https://docs.tosspayments.com/reference#orderid로-결제-조회
func (c *Client) GetPaymentByOrderID(ctx context.Context, orderID string, opts ...CallOption) (*Payment, error) {
	if err := checkSegment("orderId", orderID, maxOrderID); err != nil {
		return nil, asRead(err)
	}
	p, err := c.getPayment(ctx, getPaymentByOrderID, orderPath(orderID), opts)
	if err == nil && p.OrderID != orderID {
		return nil, foreign("orderId", orderID, p.OrderID, p)
	}
	return p, err
}

func (c *Client) getPayment(ctx context.Context, op *operation, path string, opts []CallOption) (p *Payment, err error) {
	err = c.get(ctx, op, path, "", func(body []byte) (unread []string, err error) {
		p, unread, err = readPayment(body)
		return unread, err
	}, opts)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// foreign is the error of a read that was answered with another payment.
func foreign(field, want, got string, p *Payment) error {
	return &MismatchError{
		CallDetails: CallDetails{Operation: "get payment", Attempts: 1, read: true},
		Field:       field, Want: want, Got: got, Payment: p,
	}
}
