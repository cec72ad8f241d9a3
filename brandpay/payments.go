package brandpay

import (
	"context"
	"fmt"
	"net/http"

	"github.com/seed238ab19c/tosspayments"
)

// ConfirmPaymentRequest asks for the approval of a payment that the customer has
// authenticated. [tosspayments.SuccessRedirect.ConfirmRequest] makes the inner request from a
// redirect and the stored amount.
type ConfirmPaymentRequest struct {
	tosspayments.ConfirmPaymentRequest
	// CustomerKey is the key with which the payment was opened.
	CustomerKey string `json:"customerKey"`
}

// ConfirmPayment approves a payment, within ten minutes after the customer's authentication.
// It ends as [tosspayments.Client.ConfirmPayment] does: [tosspayments.OutcomeOf] says what
// the result means, and [tosspayments.Client.ResolvePayment], with the inner request, settles
// it later.
func (c *Client) ConfirmPayment(ctx context.Context, req ConfirmPaymentRequest, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
	switch {
	case req.PaymentKey == "":
		return nil, invalid("paymentKey", "is empty")
	case req.Currency != "" && req.Currency != tosspayments.CurrencyKRW:
		return nil, invalid("currency", "must be KRW")
	}
	if err := checkCustomerKey(req.CustomerKey); err != nil {
		return nil, err
	}
	return c.toss.DoPayment(ctx, tosspayments.Request{
		Name: "confirm BrandPay payment", Method: http.MethodPost, Path: "/v1/brandpay/payments/confirm", Body: req,
	}, req.ConfirmPaymentRequest, opts...)
}

// ChargeRequest is one automatic charge, without the customer being present.
type ChargeRequest struct {
	CustomerKey string `json:"customerKey"`
	// MethodKey is that of a [Card] or [BankAccount]. It ends when the customer leaves.
	MethodKey string `json:"methodKey"`
	// Amount is in won.
	Amount tosspayments.Amount `json:"amount"`
	// OrderID identifies the charge, and names what is charged for, such as the
	// subscription and its period: the server accepts it once, so the period cannot be
	// charged twice.
	OrderID   string `json:"orderId"`
	OrderName string `json:"orderName"`
	// CardInstallmentPlan is 0 or 2 to 12 months; for cards, from 50,000 won.
	CardInstallmentPlan int                 `json:"cardInstallmentPlan,omitzero"`
	TaxFreeAmount       tosspayments.Amount `json:"taxFreeAmount,omitzero"`
	// CultureExpense is for accounts.
	CultureExpense bool `json:"cultureExpense,omitzero"`
	// CustomerEmail has at most 100 characters.
	CustomerEmail string `json:"customerEmail,omitzero"`
	// DiscountCode is that of a promotion.
	DiscountCode string `json:"discountCode,omitzero"`
	// UseCardPoint needs a contract.
	UseCardPoint bool `json:"useCardPoint,omitzero"`
	// CashReceipt is in older documents only.
	CashReceipt *CashReceipt `json:"cashReceipt,omitzero"`
	// ShippingAddress is where goods go, for the checks against fraud. It is in older
	// documents only, which do not show its members: it is encoded as it is.
	ShippingAddress any `json:"shippingAddress,omitzero"`
}

// CashReceipt asks for a cash receipt with a charge of an account.
type CashReceipt struct {
	// Type is 소득공제 or 지출증빙.
	Type string `json:"type"`
	// RegistrationNumberType is MOBILE, BUSINESS_REGISTRATION or CASH_RECEIPT_CARD.
	RegistrationNumberType string                 `json:"registrationNumberType"`
	RegistrationNumber     tosspayments.Sensitive `json:"registrationNumber"`
}

// Charge charges a method of a customer. The merchant needs a contract for it, and watches
// for fraud by itself.
//
// The order id identifies the charge: making the call again with the same order id, amount
// and name returns the payment that stands, as [tosspayments.Client.ChargeBilling] does.
// A payment of the order that has another name, or was not made with BrandPay, is a
// [*tosspayments.MismatchError]. [tosspayments.Client.ResolvePaymentByOrderID] settles it
// later, but compares order id, amount and currency only.
func (c *Client) Charge(ctx context.Context, req ChargeRequest, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	return c.toss.DoPayment(ctx, tosspayments.Request{
		Name: "charge BrandPay", Method: http.MethodPost, Path: "/v1/brandpay/payments", Body: req, Timeout: chargeTimeout, Compare: req.compare,
	}, tosspayments.ConfirmPaymentRequest{OrderID: req.OrderID, Amount: req.Amount}, opts...)
}

// compare says what another payment of the order has other than what is charged.
func (r *ChargeRequest) compare(p *tosspayments.Payment) *tosspayments.MismatchError {
	switch brandPay := tosspayments.PaymentTypeBrandPay; {
	case p.OrderName != r.OrderName:
		return &tosspayments.MismatchError{Field: "orderName", Want: r.OrderName, Got: p.OrderName}
	case p.Type != "" && p.Type != brandPay:
		return &tosspayments.MismatchError{Field: "method", Want: string(brandPay), Got: string(p.Type)}
	}
	return nil
}

func (r *ChargeRequest) validate() error {
	zero := tosspayments.Amount{}
	switch months := r.CardInstallmentPlan; {
	case months != 0 && (months < 2 || months > 12):
		return invalid("cardInstallmentPlan", "must be 0 or 2 to 12 months")
	case months != 0 && r.Amount.Cmp(tosspayments.Won(50_000)) < 0:
		return invalid("cardInstallmentPlan", "must be 0 for less than 50,000 won")
	case r.Amount.Cmp(zero) <= 0 || !isWhole(r.Amount):
		return invalid("amount", "must be a whole number of won, more than 0")
	case r.TaxFreeAmount.Cmp(zero) < 0 || r.TaxFreeAmount.Cmp(r.Amount) > 0:
		return invalid("taxFreeAmount", "must be between 0 and the amount")
	case len([]rune(r.CustomerEmail)) > 100:
		return invalid("customerEmail", fmt.Sprintf("must have at most %d characters", 100))
	}
	return first(
		checkCustomerKey(r.CustomerKey), checkText("methodKey", r.MethodKey, maxKey),
		tosspayments.ValidateOrderID(r.OrderID), tosspayments.ValidateOrderName(r.OrderName),
	)
}
