package tosspayments

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// BillingKey is the right to charge a registered card or account: the key and the
// customer it belongs to, which are of no use apart. It cannot be looked up again:
// losing it means asking the buyer to register again.
//
// fmt and slog print neither, and encoding/json fails rather than lose them: store what
// [BillingKey.Stored] returns, encrypted, or both texts by [Sensitive.Reveal].
type BillingKey struct {
	// Key is at most 200 characters.
	Key Sensitive `json:"billingKey"`
	// CustomerKey is that of the registration; a charge with another one is refused
	// with [ErrNotMatchesCustomerKey].
	CustomerKey Sensitive `json:"customerKey"`
}

// Stored returns the key for storing, with everything in it.
func (k BillingKey) Stored() Stored[BillingKey] { return Store(k) }

// MarshalJSON fails: see [BillingKey.Stored].
func (k BillingKey) MarshalJSON() ([]byte, error) { return nil, errStoreByName }

// MarshalBSONValue fails: see [BillingKey.Stored].
func (k BillingKey) MarshalBSONValue() (byte, []byte, error) { return 0, nil, errStoreByName }

// lost says that a stored key was redacted before it was stored.
func (k *BillingKey) lost() error {
	if k.Key.IsZero() || k.CustomerKey.IsZero() {
		return errRedactedKey
	}
	return nil
}

// Format writes "[redacted]" whatever the verb.
func (BillingKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns "[redacted]".
func (BillingKey) String() string { return redacted }

// LogValue returns "[redacted]".
func (BillingKey) LogValue() slog.Value { return slog.StringValue(redacted) }

var (
	errStoreByName = error(sentinel("tosspayments: a billing key is not encoded by accident, since nobody can read it again: encode what its Stored() returns"))
	errRedactedKey = error(sentinel("tosspayments: the stored billing key is incomplete or was redacted when it was stored, and is lost: ask the buyer to register again"))
)

// NewBillingKey puts stored keys together again.
func NewBillingKey(billingKey, customerKey string) BillingKey {
	return BillingKey{NewSensitive(billingKey), NewSensitive(customerKey)}
}

func (k *BillingKey) path() string { return "/v1/billing/" + url.PathEscape(k.Key.Reveal()) }

// Billing is a registration. Like its BillingKey it is not encoded by accident.
//
// Source: https://docs.tosspayments.com/reference#billing-객체
type Billing struct {
	BillingKey
	MID             string    `json:"mId,omitzero"`
	AuthenticatedAt time.Time `json:"authenticatedAt,omitzero"`
	// Method is 카드 or 계좌이체, or English.
	Method MethodName `json:"method,omitzero"`
	// Card is set for a card, Transfers for an account.
	Card      *BillingCard      `json:"card,omitzero"`
	Transfers []BillingTransfer `json:"transfers,omitzero"`
	EasyPay   json.RawMessage   `json:"easyPay,omitzero"`

	// CardCompany and CardNumber occur before version 2024-06-01 only.
	CardCompany string `json:"cardCompany,omitzero"`
	CardNumber  string `json:"cardNumber,omitzero"`
}

// Stored returns the registration for storing, with everything in it.
func (b Billing) Stored() Stored[Billing] { return Store(b) }

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

// IssueBillingKeyByCardRequest registers a card that was typed in.
type IssueBillingKeyByCardRequest struct {
	// CustomerKey is the merchant's key for the buyer.
	CustomerKey string `json:"customerKey"`
	// CardNumber has at most 20 digits.
	CardNumber Sensitive `json:"cardNumber"`
	// CardExpirationYear and CardExpirationMonth have two digits each.
	CardExpirationYear  Sensitive `json:"cardExpirationYear"`
	CardExpirationMonth Sensitive `json:"cardExpirationMonth"`
	// CustomerIdentityNumber is the date of birth (YYMMDD) or the ten digits of the
	// business number; some contracts need none.
	CustomerIdentityNumber Sensitive `json:"customerIdentityNumber,omitzero"`
	// CardPassword is the first two digits; some contracts need none.
	CardPassword  Sensitive `json:"cardPassword,omitzero"`
	CustomerName  string    `json:"customerName,omitzero"`
	CustomerEmail string    `json:"customerEmail,omitzero"`
}

// ChargeBillingRequest is one charge of a registered card or account.
type ChargeBillingRequest struct {
	// OrderID identifies the charge, and names what is charged for, such as the
	// subscription and its period: the server accepts it once, so the period cannot be
	// charged twice. A subscription that begins anew needs order ids of its own.
	OrderID   string `json:"orderId"`
	OrderName string `json:"orderName"`
	// Amount is in won.
	Amount        Amount `json:"amount"`
	CustomerEmail string `json:"customerEmail,omitzero"`
	CustomerName  string `json:"customerName,omitzero"`
	// CustomerIP is the buyer's address, never the server's.
	CustomerIP         string `json:"customerIp,omitzero"`
	TaxFreeAmount      Amount `json:"taxFreeAmount,omitzero"`
	TaxExemptionAmount Amount `json:"taxExemptionAmount,omitzero"`
	// CardInstallmentPlan is 0 or 2 to 12 months; for 50,000 won and more. Newer
	// documents do not have it.
	CardInstallmentPlan int `json:"cardInstallmentPlan,omitzero"`
	// UseCardPoint and CustomerMobilePhone are in no document: the server's own log of a
	// charge lists them. They are sent unchecked, and may have no effect.
	UseCardPoint        bool   `json:"useCardPoint,omitzero"`
	CustomerMobilePhone string `json:"customerMobilePhone,omitzero"`
}

var (
	issueBillingKey = &operation{
		name: "issue billing key", method: http.MethodPost, template: "/v1/billing/authorizations/issue", timeout: chargeTimeout,
	}
	issueBillingKeyByCard = &operation{
		name: "issue billing key by card", method: http.MethodPost, template: "/v1/billing/authorizations/card", timeout: chargeTimeout,
	}
	chargeBilling = &operation{
		name: "charge billing", method: http.MethodPost, template: "/v1/billing/{billingKey}", timeout: chargeTimeout,
	}
	deleteBillingKey = &operation{
		name: "delete billing key", method: http.MethodDelete, template: "/v1/billing/{billingKey}", timeout: moneyTimeout,
	}
)

// IssueBillingKey exchanges the authKey of a registration for a billing key. Compare
// redirect.CustomerKey with that of the signed-in buyer before. The authKey works
// once, so after an [*OutcomeUnknownError] repeat with its idempotency key.
//
// A widget key (gsk) is refused before sending.
//
// Source: https://docs.tosspayments.com/reference#authkey로-카드-빌링키-발급
func (c *Client) IssueBillingKey(ctx context.Context, redirect BillingRedirect, opts ...CallOption) (*Billing, error) {
	if err := first(c.refuseWidgetKey(), redirect.validate()); err != nil {
		return nil, err
	}
	return c.issueBilling(ctx, issueBillingKey, redirect, redirect.CustomerKey, opts)
}

// IssueBillingKeyByCard registers a card that was typed in; the merchant needs a contract
// for it, and has to check who the buyer is. Otherwise it is like
// [Client.IssueBillingKey].
//
// Source: https://docs.tosspayments.com/reference#카드-정보로-빌링키-발급
func (c *Client) IssueBillingKeyByCard(ctx context.Context, req IssueBillingKeyByCardRequest, opts ...CallOption) (*Billing, error) {
	if err := first(c.refuseWidgetKey(), req.validate()); err != nil {
		return nil, err
	}
	return c.issueBilling(ctx, issueBillingKeyByCard, req, req.CustomerKey, opts)
}

func (c *Client) issueBilling(ctx context.Context, op *operation, req any, customerKey string, opts []CallOption) (*Billing, error) {
	call, err := c.newCall(ctx, op, op.template, req, opts)
	if err != nil {
		return nil, err
	}
	var billing *Billing
	_, err = c.resolve(ctx, call, plan{movesNothing: true, decode: func(body []byte) (unread []string, err error) {
		billing = new(Billing)
		if unread, err = lenient.Unmarshal(body, billing); err == nil && billing.Key.IsZero() {
			err = errNoBillingKey
		}
		return unread, err
	}})
	if err != nil {
		return nil, err
	}
	if billing.CustomerKey.IsZero() {
		// The key cannot be read again, and the server refuses a charge with the wrong customer.
		billing.CustomerKey = NewSensitive(customerKey)
	}
	if billing.CustomerKey.Reveal() != customerKey {
		return nil, &MismatchError{CallDetails: call.details(), Field: "customerKey", Want: redacted, Got: "that of another customer"}
	}
	return billing, nil
}

var errNoBillingKey = error(sentinel("it has no billingKey"))

// ChargeBilling charges a registered card or account. No webhook reports it.
//
// The order id identifies the charge: making the call again with the same order id,
// amount and name, now or in a year, by whichever process, returns the payment that
// stands. A nil error means [OutcomePaid]; a payment of that order which is something
// else is a [*MismatchError], one that was refunded since a [*CanceledError]. After an
// [*OutcomeUnknownError] do not charge under another order id.
//
// An attempt without an answer is given up after 25 seconds; otherwise time limits are
// those of [Client.ConfirmPayment]. A widget key (gsk) is refused before sending.
//
// Source: https://docs.tosspayments.com/reference#카드-자동결제-승인
func (c *Client) ChargeBilling(ctx context.Context, key BillingKey, req ChargeBillingRequest, opts ...CallOption) (*Payment, error) {
	if err := first(c.refuseWidgetKey(), key.validate(), req.validate()); err != nil {
		return nil, err
	}
	body := struct {
		CustomerKey Sensitive `json:"customerKey"`
		ChargeBillingRequest
	}{key.CustomerKey, req}
	call, err := c.newCall(ctx, chargeBilling, key.path(), body, opts)
	if err != nil {
		return nil, err
	}
	call.secrets = append(call.secrets, key.Key.Reveal(), url.PathEscape(key.Key.Reveal()))
	return c.resolve(ctx, call, order{
		id: req.OrderID, amount: req.Amount, language: c.language,
		differs: differs(req.OrderName, "billing", func(p *Payment) bool { return p.Type == PaymentTypeNormal || p.VirtualAccount != nil }),
	}.plan())
}

// DeleteBillingKey ends the right to charge. It is sent again after an attempt without
// an answer, which counts as done if the key is gone then. If no answer arrives at all
// the error is an [*OutcomeUnknownError] that wraps a [*ConnectionError]; the call may
// be made again. A key that was deleted before gives [ErrAlreadyRemovedBillingKey].
//
// Source: https://docs.tosspayments.com/reference#빌링키-삭제
func (c *Client) DeleteBillingKey(ctx context.Context, key BillingKey, opts ...CallOption) error {
	if err := first(c.refuseWidgetKey(), checkSegment("billingKey", key.Key.Reveal(), maxBillingKey)); err != nil {
		return err
	}
	call, err := c.newCall(ctx, deleteBillingKey, key.path(), nil, opts)
	if err != nil {
		return err
	}
	call.secrets = append(call.secrets, key.Key.Reveal(), url.PathEscape(key.Key.Reveal()))
	_, err = c.resolve(ctx, call, plan{
		decode:      func([]byte) ([]string, error) { return nil, nil },
		confirmedBy: ErrAlreadyRemovedBillingKey,
	})
	return err
}
