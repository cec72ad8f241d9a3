package tosspayments

import (
	"context"
	"net/http"
)

// CreatePaymentRequest opens a payment window from the server.
type CreatePaymentRequest struct {
	// Method is required: [MethodCard], [MethodVirtualAccount], [MethodTransfer],
	// [MethodMobilePhone], a gift certificate or [MethodForeignEasyPay].
	Method    Method `json:"method"`
	OrderID   string `json:"orderId"`
	OrderName string `json:"orderName"`
	Amount    Amount `json:"amount"`
	// Currency is KRW when empty; FOREIGN_EASY_PAY takes USD only.
	Currency string `json:"currency,omitzero"`
	// SuccessURL and FailURL are required, with http or https and host.
	SuccessURL string `json:"successUrl"`
	FailURL    string `json:"failUrl"`
	// FlowMode is DEFAULT or DIRECT; DIRECT needs EasyPay or CardCompany.
	FlowMode    string          `json:"flowMode,omitzero"`
	EasyPay     EasyPayProvider `json:"easyPay,omitzero"`
	CardCompany string          `json:"cardCompany,omitzero"`
	AppScheme   string          `json:"appScheme,omitzero"`
}

var createPayment = &operation{
	name: "create payment", method: http.MethodPost, template: "/v1/payments", timeout: moneyTimeout,
}

// CreatePayment opens a payment window from the server, without the browser script: the
// payment is READY, and Payment.Checkout.URL is where to send the buyer. Nothing is
// charged before the confirm.
//
// It is experimental: the current Korean reference does not have the call, only older
// documents and the English guide do. Prefer the browser script.
//
// A [*MismatchError] says that the answer is the window of another order id, amount or
// currency, as under an idempotency key that was used for another: send nobody there.
func (c *Client) CreatePayment(ctx context.Context, req CreatePaymentRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	var payment *Payment
	err := c.post(ctx, createPayment, createPayment.template, req, func(body []byte) (unread []string, err error) {
		payment, unread, err = readPayment(body)
		return unread, err
	}, opts)
	if err != nil {
		return nil, err
	}
	field, want, got := "", "", ""
	switch currency := orKRW(req.Currency); {
	case payment.OrderID != req.OrderID:
		field, want, got = "orderId", req.OrderID, payment.OrderID
	case payment.TotalAmount != req.Amount:
		field, want, got = "amount", req.Amount.String(), payment.TotalAmount.String()
	case orKRW(payment.Currency) != currency:
		field, want, got = "currency", currency, payment.Currency
	default:
		return payment, nil
	}
	return nil, &MismatchError{
		CallDetails: CallDetails{Operation: createPayment.name}, Field: field, Want: want, Got: got, Payment: payment,
	}
}
