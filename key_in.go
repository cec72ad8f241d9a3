package tosspayments

import (
	"context"
	"net/http"
)

// ChargeKeyInRequest asks for a payment with a card that was typed in.
type ChargeKeyInRequest struct {
	OrderID   string `json:"orderId"`
	OrderName string `json:"orderName"`
	// Amount is in won.
	Amount Amount `json:"amount"`
	// CardNumber has at most 20 digits.
	CardNumber Sensitive `json:"cardNumber"`
	// CardExpirationYear and CardExpirationMonth have two digits each.
	CardExpirationYear  Sensitive `json:"cardExpirationYear"`
	CardExpirationMonth Sensitive `json:"cardExpirationMonth"`
	// CustomerIdentityNumber is the date of birth (YYMMDD) or the ten digits of the
	// business number; some contracts need none.
	CustomerIdentityNumber Sensitive `json:"customerIdentityNumber,omitzero"`
	// CardPassword is the first two digits; some contracts need none.
	CardPassword Sensitive `json:"cardPassword,omitzero"`
	// CardInstallmentPlan is 0 or 2 to 12 months; for 50,000 won and more.
	CardInstallmentPlan int `json:"cardInstallmentPlan,omitzero"`
	// UseFreeInstallmentPlan lets the merchant pay the interest.
	UseFreeInstallmentPlan bool `json:"useFreeInstallmentPlan,omitzero"`
	// UseCardPoint pays with the points of the card. Only newer documents have it.
	UseCardPoint  bool   `json:"useCardPoint,omitzero"`
	TaxFreeAmount Amount `json:"taxFreeAmount,omitzero"`
	CustomerEmail string `json:"customerEmail,omitzero"`
	CustomerName  string `json:"customerName,omitzero"`
	// CustomerIP is the buyer's address, never the server's, for the detection of fraud.
	// Only newer documents have it.
	CustomerIP string `json:"customerIp,omitzero"`
}

var chargeKeyIn = &operation{
	name: "charge key-in", method: http.MethodPost, template: "/v1/payments/key-in", timeout: chargeTimeout,
}

// ChargeKeyIn charges a card that was typed in; the merchant needs a contract for it.
//
// The order id identifies the charge: making the call again with the same order id,
// amount and name, now or in a year, returns the payment that stands. A nil error means
// [OutcomePaid]; a payment of that order which is something else is a
// [*MismatchError]. After an [*OutcomeUnknownError] do not charge under another order
// id.
//
// An attempt without an answer is given up after 25 seconds; otherwise time limits are
// those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#카드-번호-결제
func (c *Client) ChargeKeyIn(ctx context.Context, req ChargeKeyInRequest, opts ...CallOption) (*Payment, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	call, err := c.newCall(ctx, chargeKeyIn, chargeKeyIn.template, req, opts)
	if err != nil {
		return nil, err
	}
	return c.resolve(ctx, call, order{
		id: req.OrderID, amount: req.Amount, language: c.language,
		differs: differs(req.OrderName, "key-in", func(p *Payment) bool { return p.Type == PaymentTypeBilling || p.VirtualAccount != nil }),
	}.plan())
}
