package tosspayments

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

const (
	billingPath    = "/v1/billing/"
	maxBillingKey  = 200
	billingTimeout = 65 * time.Second
)

// BillingKey is the right to charge a registered card or account: the key and the
// customer it belongs to, which are of no use apart. fmt and slog print neither; JSON
// keeps both, for storing. It cannot be looked up again: losing it means asking the
// buyer to register again.
type BillingKey struct {
	// Key is at most 200 characters.
	Key Sensitive `json:"billingKey"`
	// CustomerKey is that of the registration; a charge with another one is refused
	// with [ErrNotMatchesCustomerKey].
	CustomerKey Sensitive `json:"customerKey"`
}

// NewBillingKey puts stored keys together again.
func NewBillingKey(billingKey, customerKey string) BillingKey {
	return BillingKey{NewSensitive(billingKey), NewSensitive(customerKey)}
}

func (k *BillingKey) path() (string, error) {
	return segment("billingKey", k.Key.Reveal(), maxBillingKey)
}

// Billing is a registration.
//
// Source: https://docs.tosspayments.com/reference#billing-객체
type Billing struct {
	BillingKey
	MID             string    `json:"mId,omitzero"`
	AuthenticatedAt time.Time `json:"authenticatedAt,omitzero"`
	// Method is 카드 or 계좌이체, or English.
	Method string `json:"method,omitzero"`
	// Card is set for a card, Transfers for an account.
	Card      *BillingCard      `json:"card,omitzero"`
	Transfers []BillingTransfer `json:"transfers,omitzero"`
	EasyPay   json.RawMessage   `json:"easyPay,omitzero"`

	// CardCompany and CardNumber occur before version 2024-06-01 only.
	CardCompany string `json:"cardCompany,omitzero"`
	CardNumber  string `json:"cardNumber,omitzero"`
}

// BillingCard is a registered card.
type BillingCard struct {
	IssuerCode   string `json:"issuerCode,omitzero"`
	AcquirerCode string `json:"acquirerCode,omitzero"`
	// Number is masked by the server.
	Number string `json:"number,omitzero"`
	// CardType is 신용, 체크, 기프트 or 미확인, or English.
	CardType string `json:"cardType,omitzero"`
	// OwnerType is 개인, 법인 or 미확인, or English.
	OwnerType string `json:"ownerType,omitzero"`
}

// BillingTransfer is a registered account.
type BillingTransfer struct {
	BankName string `json:"bankName,omitzero"`
	// BankAccountNumber is masked by the server.
	BankAccountNumber string `json:"bankAccountNumber,omitzero"`
}

// BillingCardRequest registers a card that was typed in.
type BillingCardRequest struct {
	// CustomerKey is the merchant's key for the buyer.
	CustomerKey string
	// CardNumber has at most 20 digits.
	CardNumber Sensitive
	// CardExpirationYear and CardExpirationMonth have two digits each.
	CardExpirationYear, CardExpirationMonth Sensitive
	// CustomerIdentityNumber is the date of birth (YYMMDD) or the ten digits of the
	// business number.
	CustomerIdentityNumber Sensitive
	// CardPassword is the first two digits.
	CardPassword  Sensitive
	CustomerName  string
	CustomerEmail string
}

// ChargeBillingRequest is one charge of a registered card or account.
type ChargeBillingRequest struct {
	// OrderID should name what is charged for, such as the subscription and its
	// period: the server accepts it once, so the period cannot be charged twice.
	OrderID   string
	OrderName string
	// Amount is in won.
	Amount        Amount
	CustomerEmail string
	CustomerName  string
	// CustomerIP is the buyer's address, never the server's.
	CustomerIP         string
	TaxFreeAmount      Amount
	TaxExemptionAmount Amount
	// CardInstallmentPlan is 0 or 2 to 12 months; for 50,000 won and more. Newer
	// documents do not have it.
	CardInstallmentPlan int
}

var (
	issueBillingKey = &operation{
		name: "issue billing key", method: http.MethodPost, template: "/v1/billing/authorizations/issue",
		timeout: billingTimeout, moves: true,
	}
	issueBillingKeyByCard = &operation{
		name: "issue billing key by card", method: http.MethodPost, template: "/v1/billing/authorizations/card",
		timeout: billingTimeout, moves: true,
	}
	chargeBilling = &operation{
		name: "charge billing", method: http.MethodPost, template: "/v1/billing/{billingKey}",
		timeout: billingTimeout, moves: true,
		refusedWhenDone: []ErrorCode{ErrDuplicatedOrderID, ErrAlreadyRemovedBillingKey},
	}
	deleteBillingKey = &operation{
		name: "delete billing key", method: http.MethodDelete, template: "/v1/billing/{billingKey}",
		timeout: billingTimeout,
	}
)

// IssueBillingKey exchanges the authKey of a registration for a billing key. Compare
// redirect.CustomerKey with that of the signed-in buyer before. The authKey works
// once, so after an [*OutcomeUnknownError] repeat with its idempotency key.
//
// One attempt takes at most 65 seconds. A widget key (gsk) is refused before sending.
//
// Source: https://docs.tosspayments.com/reference#authkey로-카드-빌링키-발급
func (c *Client) IssueBillingKey(ctx context.Context, redirect BillingRedirect, opts ...CallOption) (*Billing, error) {
	if err := c.refuseWidgetKey(); err != nil {
		return nil, err
	}
	if err := ValidateCustomerKey(redirect.CustomerKey); err != nil {
		return nil, err
	}
	if err := checkLength("authKey", redirect.AuthKey.Reveal(), 1, maxAuthKey); err != nil {
		return nil, err
	}
	return c.issueBilling(ctx, issueBillingKey, redirect, redirect.CustomerKey, []string{redirect.AuthKey.Reveal()}, opts)
}

// IssueBillingKeyByCard registers a card that was typed in; the merchant needs a
// contract for it and checks by itself who the buyer is. Otherwise it is like
// [Client.IssueBillingKey].
//
// Source: https://docs.tosspayments.com/reference#카드-정보로-빌링키-발급
func (c *Client) IssueBillingKeyByCard(ctx context.Context, req BillingCardRequest, opts ...CallOption) (*Billing, error) {
	if err := c.refuseWidgetKey(); err != nil {
		return nil, err
	}
	if err := ValidateCustomerKey(req.CustomerKey); err != nil {
		return nil, err
	}
	card := cardInput{req.CardNumber, req.CardExpirationYear, req.CardExpirationMonth, req.CustomerIdentityNumber, req.CardPassword}
	if err := card.validate(true); err != nil {
		return nil, err
	}
	if err := checkCustomer(req.CustomerEmail, req.CustomerName, ""); err != nil {
		return nil, err
	}
	body := struct {
		CustomerKey            string    `json:"customerKey"`
		CardNumber             Sensitive `json:"cardNumber"`
		CardExpirationYear     Sensitive `json:"cardExpirationYear"`
		CardExpirationMonth    Sensitive `json:"cardExpirationMonth"`
		CustomerIdentityNumber Sensitive `json:"customerIdentityNumber"`
		CardPassword           Sensitive `json:"cardPassword"`
		CustomerName           string    `json:"customerName,omitzero"`
		CustomerEmail          string    `json:"customerEmail,omitzero"`
	}{
		req.CustomerKey, req.CardNumber, req.CardExpirationYear, req.CardExpirationMonth, req.CustomerIdentityNumber,
		req.CardPassword, req.CustomerName, req.CustomerEmail,
	}
	return c.issueBilling(ctx, issueBillingKeyByCard, body, req.CustomerKey, card.sensitive(), opts)
}

func (c *Client) issueBilling(ctx context.Context, op *operation, req any, customerKey string, sensitive []string, opts []CallOption) (*Billing, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	call, err := c.newCall(ctx, op, op.template, body, opts)
	if err != nil {
		return nil, err
	}
	call.sensitive = sensitive
	billing := new(Billing)
	_, err = c.move(ctx, call, settlement{decode: func(data []byte) error {
		*billing = Billing{}
		if err := json.Unmarshal(data, billing); err != nil {
			return err
		}
		if billing.Key.IsZero() {
			return errNoBillingKey
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	if billing.CustomerKey.Reveal() != customerKey {
		return nil, &MismatchError{
			Operation: op.name, Field: "customerKey", Want: redacted, Got: "that of another customer",
			IdempotencyKey: call.idempotencyKey, Attempts: call.attempts,
		}
	}
	return billing, nil
}

var errNoBillingKey error = sentinel("it has no billingKey")

// ChargeBilling charges a registered card or account. No webhook tells of it.
//
// A nil error means that this call has made the payment. [ErrDuplicatedOrderID] means
// that the order id was used before, by this period's charge or by another one; the
// payment found under it is attached to the [*Error], and which it is the caller can
// tell. After an [*OutcomeUnknownError] do not charge under another order id.
//
// One attempt takes at most 65 seconds. A widget key (gsk) is refused before sending.
//
// Source: https://docs.tosspayments.com/reference#카드-자동결제-승인
func (c *Client) ChargeBilling(ctx context.Context, key BillingKey, req ChargeBillingRequest, opts ...CallOption) (*Payment, error) {
	if err := c.refuseWidgetKey(); err != nil {
		return nil, err
	}
	path, err := key.path()
	if err != nil {
		return nil, err
	}
	if err := ValidateCustomerKey(key.CustomerKey.Reveal()); err != nil {
		return nil, err
	}
	if err := checkOrder(req.OrderID, req.OrderName, req.Amount); err != nil {
		return nil, err
	}
	if err := checkTaxParts(req.Amount, req.TaxFreeAmount, req.TaxExemptionAmount); err != nil {
		return nil, err
	}
	if err := checkInstallment(req.CardInstallmentPlan, req.Amount); err != nil {
		return nil, err
	}
	if err := checkCustomer(req.CustomerEmail, req.CustomerName, ""); err != nil {
		return nil, err
	}
	body := struct {
		Amount              Amount    `json:"amount"`
		CustomerKey         Sensitive `json:"customerKey"`
		OrderID             string    `json:"orderId"`
		OrderName           string    `json:"orderName"`
		CustomerEmail       string    `json:"customerEmail,omitzero"`
		CustomerName        string    `json:"customerName,omitzero"`
		CustomerIP          string    `json:"customerIp,omitzero"`
		TaxFreeAmount       Amount    `json:"taxFreeAmount,omitzero"`
		TaxExemptionAmount  Amount    `json:"taxExemptionAmount,omitzero"`
		CardInstallmentPlan int       `json:"cardInstallmentPlan,omitzero"`
	}{
		req.Amount, key.CustomerKey, req.OrderID, req.OrderName, req.CustomerEmail, req.CustomerName, req.CustomerIP,
		req.TaxFreeAmount, req.TaxExemptionAmount, req.CardInstallmentPlan,
	}
	return c.approve(ctx, chargeBilling, billingPath+path, body, approval{
		orderID: req.OrderID, orderName: req.OrderName, amount: req.Amount,
		fits: func(p *Payment) bool {
			return p.Type == PaymentTypeBilling && (p.Card != nil || p.Transfer != nil || p.EasyPay != nil)
		},
	}, []string{key.Key.Reveal(), key.CustomerKey.Reveal()}, opts)
}

// DeleteBillingKey ends the right to charge. It is repeated like a read: a key that
// an earlier attempt of this call may have deleted counts as deleted. One that was
// deleted before gives [ErrAlreadyRemovedBillingKey].
//
// Source: https://docs.tosspayments.com/reference#빌링키-삭제
func (c *Client) DeleteBillingKey(ctx context.Context, key BillingKey, opts ...CallOption) error {
	if err := c.refuseWidgetKey(); err != nil {
		return err
	}
	path, err := key.path()
	if err != nil {
		return err
	}
	call, err := c.newCall(ctx, deleteBillingKey, billingPath+path, nil, opts)
	if err != nil {
		return err
	}
	call.sensitive = []string{key.Key.Reveal()}
	err = c.read(ctx, call, func([]byte) error { return nil })
	if refusal, ok := err.(*Error); ok && refusal.Code == ErrAlreadyRemovedBillingKey && call.attempts > 1 {
		return nil
	}
	return err
}

// refuseWidgetKey refuses a key of the widget set, which the server would refuse with
// NOT_SUPPORTED_WIDGET_KEY or another code.
func (c *Client) refuseWidgetKey() error {
	if c.key.IsWidget() {
		return &ValidationError{Field: "secretKey", Reason: "is a widget key (gsk): this call needs the API key (sk)"}
	}
	return nil
}
