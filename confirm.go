package tosspayments

import (
	"context"
	"net/http"
)

// ConfirmPaymentRequest asks for the approval of a payment that the buyer has
// authenticated. [SuccessRedirect.ConfirmRequest] makes one from a redirect.
type ConfirmPaymentRequest struct {
	// PaymentKey comes with the redirect: at most 200 visible ASCII characters.
	PaymentKey string `json:"paymentKey"`
	// OrderID is the id with which the payment window was opened: 6 to 64
	// characters.
	OrderID string `json:"orderId"`
	// Amount is the amount stored with the order, not the one from the redirect.
	Amount Amount `json:"amount"`
	// Currency is what the answer is checked against; "" is KRW. It is not sent.
	Currency string `json:"-"`
}

var confirmPayment = &operation{
	name: "confirm payment", method: http.MethodPost, template: "/v1/payments/confirm", timeout: moneyTimeout,
}

// ConfirmPayment approves a payment. It must be called within ten minutes after the
// buyer's authentication; nothing is charged without it.
//
// A nil error means that the payment stands with the requested amount and currency:
// [OutcomePaid], or [OutcomeWaiting] when a virtual account was issued and is not paid
// yet. Confirming an approved payment again returns that payment. [OutcomeOf] says what
// the result means; a refusal is an [*Error], among others [ErrRejectCardCompany],
// [ErrNotFoundPaymentSession] (too late, or mismatched keys), [ErrForbiddenRequest] and
// [ErrUnauthorizedKey].
//
// An attempt without an answer is given up after 15 seconds and sent again; a call
// without a deadline takes at most 120 seconds in all. Cancelling the context does not
// undo a request that is under way; see [WithLookupGrace].
//
// Source: https://docs.tosspayments.com/reference#결제-승인
func (c *Client) ConfirmPayment(ctx context.Context, req ConfirmPaymentRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	call, err := c.newCall(ctx, confirmPayment, confirmPayment.template, req, opts)
	if err != nil {
		return nil, err
	}
	return c.resolve(ctx, call, c.confirmPlan(req))
}

func (c *Client) confirmPlan(req ConfirmPaymentRequest) plan {
	return plan{
		paymentKey: req.PaymentKey,
		orderID:    req.OrderID,
		shared:     true,
		reversible: true,
		judge:      func(p *Payment, from origin) (view, error) { return req.judge(p, from, c.language) },
	}
}

// ResolvePayment finds out, by reading, how the confirm of a payment has ended. It
// returns what [Client.ConfirmPayment] would, without confirming anything; use it in a
// job, with the request that was stored. While nothing is decided, or when the payment
// cannot be read, the outcome of its error is [OutcomeUnknown].
func (c *Client) ResolvePayment(ctx context.Context, req ConfirmPaymentRequest, opts ...CallOption) (*Payment, error) {
	p, err := c.GetPayment(ctx, req.PaymentKey, opts...)
	if err != nil {
		return nil, err
	}
	return req.check("resolve payment", p, c.language)
}

// ResolvePaymentByOrderID finds out, by reading, how the charge of an order in won has
// ended. It returns what [Client.ChargeBilling], [Client.ChargeKeyIn] or
// [Client.IssueVirtualAccount] would, without charging anything.
//
// Only a payment that stands decides: one that was aborted or has expired may be an
// older attempt of the same order, and gives [OutcomeUnknown].
func (c *Client) ResolvePaymentByOrderID(ctx context.Context, orderID string, amount Amount, opts ...CallOption) (*Payment, error) {
	p, err := c.GetPaymentByOrderID(ctx, orderID, opts...)
	if err != nil {
		return nil, err
	}
	o := order{id: orderID, amount: amount, language: c.language}
	v, err := o.judge(p, fromLook)
	return concluded("resolve payment by order id", p, v, err, OutcomeUnknownError{OrderID: orderID})
}

// Check judges a payment that was read or has come with a webhook as
// [Client.ConfirmPayment] would, without any request. The event of another payment of the
// same order that came to nothing decides nothing: its outcome is [OutcomeUnknown].
func (r ConfirmPaymentRequest) Check(p *Payment) (*Payment, error) {
	if p == nil {
		return nil, &ValidationError{Field: "payment", Reason: "must not be nil", read: true}
	}
	return r.check("check payment", p, LanguageKorean)
}

func (r *ConfirmPaymentRequest) check(operation string, p *Payment, language Language) (*Payment, error) {
	v, err := r.judge(p, fromLook, language)
	return concluded(operation, p, v, err, OutcomeUnknownError{PaymentKey: r.PaymentKey, OrderID: r.OrderID})
}

// concluded turns the view of a payment into the result of a call.
func concluded(operation string, p *Payment, v view, err error, unknown OutcomeUnknownError) (*Payment, error) {
	details := CallDetails{Operation: operation}
	switch e := err.(type) {
	case *Error:
		e.CallDetails = details
	case *CanceledError:
		e.CallDetails = details
	case *MismatchError:
		e.CallDetails = details
	}
	switch v {
	case effect:
		return p, nil
	case decided:
		return nil, err
	}
	unknown.CallDetails, unknown.Repeatable, unknown.Payment = details, true, p
	return nil, &unknown
}

// judge compares identity first: the money of another payment says nothing.
func (r *ConfirmPaymentRequest) judge(p *Payment, from origin, language Language) (view, error) {
	field, want, got := "", "", ""
	switch currency := orKRW(r.Currency); {
	case p.PaymentKey != r.PaymentKey:
		if o := p.Outcome(); from != fromAnswer && o != OutcomePaid && o != OutcomeWaiting {
			return blurred, nil
		}
		field, want, got = "paymentKey", r.PaymentKey, p.PaymentKey
	case p.OrderID != r.OrderID:
		field, want, got = "orderId", r.OrderID, p.OrderID
	case p.TotalAmount != r.Amount:
		field, want, got = "amount", r.Amount.String(), p.TotalAmount.String()
	case orKRW(p.Currency) != currency:
		field, want, got = "currency", currency, p.Currency
	default:
		return p.view(language)
	}
	return decided, &MismatchError{Field: field, Want: want, Got: got, Payment: p}
}

// view is what the payment's status means for the call that makes it.
func (p *Payment) view(language Language) (view, error) {
	switch p.Outcome() {
	case OutcomePaid, OutcomeWaiting:
		return effect, nil
	case OutcomeCanceled:
		return decided, &CanceledError{Payment: p}
	case OutcomeRefused:
		return decided, p.refusal(language)
	}
	if p.Status == PaymentStatusReady || p.Status == PaymentStatusInProgress {
		return noEffect, nil
	}
	return blurred, nil
}

func orKRW(currency string) string {
	if currency == "" {
		return CurrencyKRW
	}
	return currency
}
