package tosspayments

import (
	"context"
	"encoding/json"
	"net/http"
)

// ConfirmPaymentRequest asks for the approval of a payment that the buyer has
// authenticated. [SuccessRedirect.ConfirmRequest] makes one from a redirect.
type ConfirmPaymentRequest struct {
	// PaymentKey comes with the redirect; at most 200 characters.
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
	name:     "confirm payment",
	method:   http.MethodPost,
	template: "/v1/payments/confirm",
	timeout:  moneyTimeout,
	moves:    true,
}

// ConfirmPayment approves a payment. It must be called within ten minutes after
// the buyer's authentication; nothing is charged without it.
//
// A nil error means that the payment exists with the requested amount and
// currency: DONE, or WAITING_FOR_DEPOSIT when a virtual account was issued and is
// not paid yet ([Payment.IsPaid] tells). Calling it again for an approved payment
// returns that payment. Otherwise the error is one of those that the package
// comment lists; a refusal is an [*Error], among others [ErrRejectCardCompany],
// [ErrNotFoundPaymentSession] (too late, or keys that are not a pair),
// [ErrForbiddenRequest] and [ErrUnauthorizedKey]. A payment that was cancelled
// since matches [ErrCanceledSince].
//
// One attempt takes at most 60 seconds, a call without a deadline 120 seconds in
// all. Cancelling the context does not undo a request that is under way; see
// [WithSettleGrace].
//
// Source: https://docs.tosspayments.com/reference#결제-승인
func (c *Client) ConfirmPayment(ctx context.Context, req ConfirmPaymentRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	call, err := c.newCall(ctx, confirmPayment, confirmPayment.template, body, opts)
	if err != nil {
		return nil, err
	}
	return c.move(ctx, call, settlement{
		paymentKey:   req.PaymentKey,
		orderID:      req.OrderID,
		guarded:      true,
		approvesOnce: true,
		judge:        func(p *Payment, _ bool) (verdict, error) { return c.judgeConfirm(&req, p) },
	})
}

func (r *ConfirmPaymentRequest) validate() error {
	if err := checkPaymentKey(r.PaymentKey); err != nil {
		return err
	}
	if err := ValidateOrderID(r.OrderID); err != nil {
		return err
	}
	return checkAmount("amount", r.Amount, orKRW(r.Currency))
}

// judgeConfirm is the table of what a payment means for a confirm.
func (c *Client) judgeConfirm(req *ConfirmPaymentRequest, p *Payment) (verdict, error) {
	if err := req.mismatch(p); err != nil {
		return failed, err
	}
	return c.judgeStatus(p)
}

// judgeStatus is the table of what a payment's status means for its approval.
func (c *Client) judgeStatus(p *Payment) (verdict, error) {
	switch p.Status {
	case PaymentStatusDone, PaymentStatusWaitingForDeposit:
		return settled, nil
	case PaymentStatusPartialCanceled:
		if !p.IsFullyCanceled() {
			return settled, nil
		}
		return failed, canceledSince(p)
	case PaymentStatusCanceled:
		return failed, canceledSince(p)
	case PaymentStatusAborted:
		return failed, c.failureOf(p, ErrPayProcessAborted)
	case PaymentStatusExpired:
		return failed, c.failureOf(p, ErrNotFoundPaymentSession)
	case PaymentStatusReady, PaymentStatusInProgress:
		return noEffect, nil
	}
	return undecided, nil
}

// mismatch compares identity first: the money of another payment says nothing.
func (r *ConfirmPaymentRequest) mismatch(p *Payment) error {
	field, want, got := "", "", ""
	switch currency := orKRW(r.Currency); {
	case p.PaymentKey != r.PaymentKey:
		field, want, got = "paymentKey", r.PaymentKey, p.PaymentKey
	case p.OrderID != r.OrderID:
		field, want, got = "orderId", r.OrderID, p.OrderID
	case p.TotalAmount != r.Amount:
		field, want, got = "amount", r.Amount.String(), p.TotalAmount.String()
	case orKRW(p.Currency) != currency:
		field, want, got = "currency", currency, p.Currency
	default:
		return nil
	}
	return &MismatchError{Field: field, Want: want, Got: got, Payment: p}
}

func orKRW(currency string) string {
	if currency == "" {
		return CurrencyKRW
	}
	return currency
}

func canceledSince(p *Payment) error {
	return &Error{
		Code:    ErrAlreadyCanceledPayment,
		Message: "the payment was approved and has been cancelled since",
		Payment: p,
		cause:   ErrCanceledSince,
	}
}

func (c *Client) failureOf(p *Payment, code ErrorCode) error {
	e := &Error{Code: code, Payment: p}
	if p.Failure != nil && p.Failure.Code != "" {
		e.Code, e.Message = p.Failure.Code, p.Failure.Message
	}
	if e.Message == "" {
		e.Message = e.Code.message(c.language)
	}
	return e
}
