package tosspayments

import (
	"context"
	"net/http"
	"net/url"
)

// CreatePaymentRequest opens a payment window from the server.
type CreatePaymentRequest struct {
	// Method is required: [MethodCard], [MethodVirtualAccount], [MethodTransfer],
	// [MethodMobilePhone], a gift certificate or [MethodForeignEasyPay].
	Method    string
	OrderID   string
	OrderName string
	Amount    Amount
	// Currency is KRW when empty; FOREIGN_EASY_PAY takes USD only.
	Currency string
	// SuccessURL and FailURL are required, with http or https and host.
	SuccessURL, FailURL string
	// FlowMode is DEFAULT or DIRECT; DIRECT needs EasyPay or CardCompany.
	FlowMode    string
	EasyPay     string
	CardCompany string
	AppScheme   string
}

var createPayment = &operation{
	name: "create payment", method: http.MethodPost, template: "/v1/payments", timeout: moneyTimeout, moves: true,
	refusedWhenDone: []ErrorCode{ErrDuplicatedOrderID},
}

// CreatePayment opens a payment window from the server, without the browser script: the
// payment is READY, and Payment.Checkout.URL is where to send the buyer. Nothing is
// charged before the confirm.
//
// It is experimental: the current Korean reference does not have the call, only older
// documents and the English guide do. Prefer the browser script.
func (c *Client) CreatePayment(ctx context.Context, req CreatePaymentRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	body := struct {
		Method      string `json:"method"`
		Amount      Amount `json:"amount"`
		Currency    string `json:"currency,omitzero"`
		OrderID     string `json:"orderId"`
		OrderName   string `json:"orderName"`
		SuccessURL  string `json:"successUrl"`
		FailURL     string `json:"failUrl"`
		FlowMode    string `json:"flowMode,omitzero"`
		EasyPay     string `json:"easyPay,omitzero"`
		CardCompany string `json:"cardCompany,omitzero"`
		AppScheme   string `json:"appScheme,omitzero"`
	}{
		req.Method, req.Amount, req.Currency, req.OrderID, req.OrderName, req.SuccessURL, req.FailURL,
		req.FlowMode, req.EasyPay, req.CardCompany, req.AppScheme,
	}
	payment := new(Payment)
	if err := c.post(ctx, createPayment, createPayment.template, body, payment, opts); err != nil {
		return nil, err
	}
	if err := foreign("orderId", req.OrderID, payment.OrderID, payment); err != nil {
		return nil, err
	}
	return payment, nil
}

func (r *CreatePaymentRequest) validate() error {
	if err := ValidateOrderID(r.OrderID); err != nil {
		return err
	}
	if err := ValidateOrderName(r.OrderName); err != nil {
		return err
	}
	if err := checkAmount("amount", r.Amount, orKRW(r.Currency)); err != nil {
		return err
	}
	switch {
	case r.Method == "":
		return &ValidationError{Field: "method", Reason: "is empty"}
	case !isWebAddress(r.SuccessURL):
		return &ValidationError{Field: "successUrl", Reason: "must be an absolute http or https address"}
	case !isWebAddress(r.FailURL):
		return &ValidationError{Field: "failUrl", Reason: "must be an absolute http or https address"}
	case r.FlowMode == "DIRECT" && r.EasyPay == "" && r.CardCompany == "":
		return &ValidationError{Field: "flowMode", Reason: "DIRECT needs easyPay or cardCompany"}
	}
	return nil
}

func isWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
