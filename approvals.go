package tosspayments

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// approval is a call that makes a payment under an order id: a charge with a billing
// key, a key-in payment, a virtual account. The server refuses a second one under the
// same id, so the order id is what a lost answer is settled by.
type approval struct {
	client             *Client
	orderID, orderName string
	amount             Amount
	started            time.Time
	// fits tells whether a payment is of the kind that the call makes.
	fits func(*Payment) bool
}

// clockTolerance is how far the server's clock may be behind.
const clockTolerance = 5 * time.Minute

func (c *Client) approve(ctx context.Context, op *operation, path string, req any, a approval, sensitive []string, opts []CallOption) (*Payment, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	call, err := c.newCall(ctx, op, path, body, opts)
	if err != nil {
		return nil, err
	}
	call.sensitive = sensitive
	a.client, a.started = c, time.Now()
	return c.move(ctx, call, settlement{orderID: a.orderID, guarded: true, judge: a.judge})
}

func (a *approval) judge(p *Payment, direct bool) (verdict, error) {
	switch {
	case p.OrderID != a.orderID:
		return failed, &MismatchError{Field: "orderId", Want: a.orderID, Got: p.OrderID, Payment: p}
	case !direct && !a.made(p):
		// An older payment under the same order id must never pass for this one.
		return undecidable, nil
	case p.TotalAmount != a.amount:
		return failed, &MismatchError{Field: "amount", Want: a.amount.String(), Got: p.TotalAmount.String(), Payment: p}
	case orKRW(p.Currency) != CurrencyKRW:
		return failed, &MismatchError{Field: "currency", Want: CurrencyKRW, Got: p.Currency, Payment: p}
	}
	return a.client.judgeStatus(p)
}

// made tells whether a payment that was looked up can only be that of this call.
func (a *approval) made(p *Payment) bool {
	return p.TotalAmount == a.amount && orKRW(p.Currency) == CurrencyKRW && p.OrderName == a.orderName && a.fits(p) &&
		!p.RequestedAt.Before(a.started.Add(-clockTolerance))
}

func checkOrder(id, name string, amount Amount) error {
	if err := ValidateOrderID(id); err != nil {
		return err
	}
	if err := ValidateOrderName(name); err != nil {
		return err
	}
	return checkAmount("amount", amount, CurrencyKRW)
}

// checkCustomer checks what the server is told of a buyer; all of it is optional.
func checkCustomer(email, name, phone string) error {
	if err := checkLength("customerEmail", email, 0, 100); err != nil {
		return err
	}
	if err := checkLength("customerName", name, 0, 100); err != nil {
		return err
	}
	if phone != "" && (len(phone) < 8 || len(phone) > 15 || !isDigits(phone)) {
		return &ValidationError{Field: "customerMobilePhone", Reason: "must have 8 to 15 digits and nothing else"}
	}
	return nil
}

func checkTaxParts(amount, taxFree, taxExemption Amount) error {
	zero := Amount{}
	switch {
	case taxFree.Cmp(zero) < 0 || taxFree.Cmp(amount) > 0:
		return &ValidationError{Field: "taxFreeAmount", Reason: "must be between 0 and the amount"}
	case taxExemption.Cmp(zero) < 0 || taxExemption.Cmp(amount) > 0:
		return &ValidationError{Field: "taxExemptionAmount", Reason: "must be between 0 and the amount"}
	}
	return nil
}

// cardInput is a card as it is typed in.
type cardInput struct {
	number, year, month, identity, password Sensitive
}

func (c *cardInput) sensitive() []string {
	return []string{c.number.Reveal(), c.identity.Reveal()}
}

func (c *cardInput) validate(passwordRequired bool) error {
	number, identity, password := c.number.Reveal(), c.identity.Reveal(), c.password.Reveal()
	month := c.month.Reveal()
	switch {
	case number == "" || len(number) > 20 || !isDigits(number):
		return &ValidationError{Field: "cardNumber", Reason: "must have 1 to 20 digits and nothing else"}
	case !isTwoDigits(c.year.Reveal()):
		return &ValidationError{Field: "cardExpirationYear", Reason: "must have two digits"}
	case !isTwoDigits(month) || month < "01" || month > "12":
		return &ValidationError{Field: "cardExpirationMonth", Reason: "must be 01 to 12"}
	case len(identity) != 6 && len(identity) != 10 || !isDigits(identity):
		return &ValidationError{Field: "customerIdentityNumber", Reason: "must have 6 digits (date of birth) or 10 (business number)"}
	case (passwordRequired || password != "") && !isTwoDigits(password):
		return &ValidationError{Field: "cardPassword", Reason: "must be the first two digits"}
	}
	return nil
}

func isTwoDigits(s string) bool { return len(s) == 2 && isDigits(s) }

func checkInstallment(months int, amount Amount) error {
	switch {
	case months != 0 && (months < 2 || months > 12):
		return &ValidationError{Field: "cardInstallmentPlan", Reason: "must be 0 or 2 to 12 months"}
	case months != 0 && amount.Cmp(Won(50_000)) < 0:
		return &ValidationError{Field: "cardInstallmentPlan", Reason: "must be 0 for less than 50,000 won"}
	}
	return nil
}

// KeyInRequest asks for a payment with a card that was typed in.
type KeyInRequest struct {
	OrderID   string
	OrderName string
	Amount    Amount
	// CardNumber has at most 20 digits.
	CardNumber Sensitive
	// CardExpirationYear and CardExpirationMonth have two digits each.
	CardExpirationYear, CardExpirationMonth Sensitive
	// CustomerIdentityNumber is the date of birth (YYMMDD) or the ten digits of the
	// business number.
	CustomerIdentityNumber Sensitive
	// CardPassword is the first two digits; some contracts need none.
	CardPassword Sensitive
	// CardInstallmentPlan is 0 or 2 to 12 months; for 50,000 won and more.
	CardInstallmentPlan int
	// UseFreeInstallmentPlan lets the merchant pay the interest.
	UseFreeInstallmentPlan bool
	UseCardPoint           bool
	TaxFreeAmount          Amount
	CustomerEmail          string
	CustomerName           string
	// CustomerIP is the buyer's address, never the server's.
	CustomerIP string
}

var keyIn = &operation{
	name:            "key-in payment",
	method:          http.MethodPost,
	template:        "/v1/payments/key-in",
	timeout:         moneyTimeout,
	moves:           true,
	refusedWhenDone: []ErrorCode{ErrDuplicatedOrderID},
}

// ChargeKeyIn charges a card that was typed in; the merchant needs a contract for it.
//
// A nil error means that this call has made the payment. [ErrDuplicatedOrderID] means
// that the order id was used before; the payment found under it is attached to the
// [*Error], and whether it is this order's is for the caller to say. After an
// [*OutcomeUnknownError] do not charge under another order id.
//
// Time limits are those of [Client.ConfirmPayment].
//
// Source: https://docs.tosspayments.com/reference#카드-번호-결제
func (c *Client) ChargeKeyIn(ctx context.Context, req KeyInRequest, opts ...CallOption) (*Payment, error) {
	card := cardInput{req.CardNumber, req.CardExpirationYear, req.CardExpirationMonth, req.CustomerIdentityNumber, req.CardPassword}
	if err := checkOrder(req.OrderID, req.OrderName, req.Amount); err != nil {
		return nil, err
	}
	if err := card.validate(false); err != nil {
		return nil, err
	}
	if err := checkInstallment(req.CardInstallmentPlan, req.Amount); err != nil {
		return nil, err
	}
	if err := checkTaxParts(req.Amount, req.TaxFreeAmount, Amount{}); err != nil {
		return nil, err
	}
	if err := checkCustomer(req.CustomerEmail, req.CustomerName, ""); err != nil {
		return nil, err
	}
	body := struct {
		Amount                 Amount    `json:"amount"`
		OrderID                string    `json:"orderId"`
		OrderName              string    `json:"orderName"`
		CardNumber             Sensitive `json:"cardNumber"`
		CardExpirationYear     Sensitive `json:"cardExpirationYear"`
		CardExpirationMonth    Sensitive `json:"cardExpirationMonth"`
		CustomerIdentityNumber Sensitive `json:"customerIdentityNumber"`
		CardPassword           Sensitive `json:"cardPassword,omitzero"`
		CardInstallmentPlan    int       `json:"cardInstallmentPlan,omitzero"`
		UseFreeInstallmentPlan bool      `json:"useFreeInstallmentPlan,omitzero"`
		UseCardPoint           bool      `json:"useCardPoint,omitzero"`
		TaxFreeAmount          Amount    `json:"taxFreeAmount,omitzero"`
		CustomerEmail          string    `json:"customerEmail,omitzero"`
		CustomerName           string    `json:"customerName,omitzero"`
		CustomerIP             string    `json:"customerIp,omitzero"`
	}{
		req.Amount, req.OrderID, req.OrderName, req.CardNumber, req.CardExpirationYear, req.CardExpirationMonth,
		req.CustomerIdentityNumber, req.CardPassword, req.CardInstallmentPlan, req.UseFreeInstallmentPlan, req.UseCardPoint,
		req.TaxFreeAmount, req.CustomerEmail, req.CustomerName, req.CustomerIP,
	}
	return c.approve(ctx, keyIn, keyIn.template, body, approval{
		orderID: req.OrderID, orderName: req.OrderName, amount: req.Amount,
		fits: func(p *Payment) bool { return p.Card != nil && p.Type != PaymentTypeBilling },
	}, card.sensitive(), opts)
}
