package tosspayments

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
	"github.com/seed238ab19c/tosspayments/internal/redirect"
)

const (
	maxAuthKey     = 300
	maxRedirectURL = 16 << 10
	maxFailMessage = 2000
	maxFailCode    = 100
)

// SuccessRedirect is what the buyer's browser brings to successUrl, or what the
// success page posts as JSON. It comes through the buyer's hands: nothing is paid
// yet, and nothing of it is trusted before [SuccessRedirect.ConfirmRequest].
//
// Source: https://docs.tosspayments.com/guides/v2/payment-window/integration
type SuccessRedirect struct {
	// PaymentType is NORMAL, BRANDPAY or KEYIN; some integrations do not get it.
	PaymentType string `json:"paymentType,omitempty"`
	PaymentKey  string `json:"paymentKey"`
	OrderID     string `json:"orderId"`
	Amount      Amount `json:"amount"`
}

// UnmarshalJSON reads an object with members of the merchant's own. A name of the
// library's may occur once only, and only as it is written here, since programs disagree
// about which of two counts.
func (r *SuccessRedirect) UnmarshalJSON(data []byte) error {
	if err := checkNames(data, "paymentType", "paymentKey", "orderId", "amount"); err != nil {
		return err
	}
	type plain SuccessRedirect
	return json.Unmarshal(data, (*plain)(r))
}

func checkNames(object []byte, names ...string) error {
	if name := lenient.Ambiguous(object, names...); name != "" {
		return invalid(name, "stands there twice, or in other letters")
	}
	return nil
}

// ParseSuccessURL reads the URL of a request to successUrl. It returns a
// [*ValidationError] that names a parameter if it is missing, malformed or too long, or
// occurs twice with different values. Parameters of the merchant's own are ignored,
// whatever they hold.
func ParseSuccessURL(u *url.URL) (SuccessRedirect, error) {
	q, err := parseRedirect(u)
	if err != nil {
		return SuccessRedirect{}, err
	}
	r := SuccessRedirect{
		PaymentType: q.optional("paymentType", 40),
		PaymentKey:  q.required("paymentKey", maxPaymentKey),
		OrderID:     q.required("orderId", maxOrderID),
	}
	amount := q.required("amount", 100)
	if q.err == nil {
		r.Amount, q.err = ParseAmount(amount)
	}
	if q.err == nil {
		// The currency is not part of the redirect.
		q.err = r.validate("")
	}
	if q.err != nil {
		return SuccessRedirect{}, q.err
	}
	return r, nil
}

func (r *SuccessRedirect) validate(currency string) error {
	return first(
		checkNewPaymentKey(r.PaymentKey),
		ValidateOrderID(r.OrderID),
		checkCurrency(currency),
		checkAmount("amount", r.Amount, currency),
	)
}

// ConfirmRequest checks every field and compares the amount with the one in won that was
// stored with the order before the window opened. It returns a [*MismatchError], which
// matches [ErrAmountMismatch], if they differ: do not confirm, and do not cancel either,
// since an unconfirmed payment expires by itself.
//
// Nothing is sent.
func (r SuccessRedirect) ConfirmRequest(stored Amount) (ConfirmPaymentRequest, error) {
	return r.ConfirmRequestIn("", stored)
}

// ConfirmRequestIn is [SuccessRedirect.ConfirmRequest] for an order in another currency,
// such as [CurrencyUSD]. The redirect has none, so the confirmed payment is checked
// against it.
func (r SuccessRedirect) ConfirmRequestIn(currency string, stored Amount) (ConfirmPaymentRequest, error) {
	if err := r.validate(currency); err != nil {
		return ConfirmPaymentRequest{}, err
	}
	if r.Amount != stored {
		return ConfirmPaymentRequest{}, &MismatchError{Field: "amount", Want: stored.String(), Got: r.Amount.String()}
	}
	return ConfirmPaymentRequest{PaymentKey: r.PaymentKey, OrderID: r.OrderID, Amount: stored, Currency: currency}, nil
}

// Values returns the query that [ParseSuccessURL] reads, for tests of a handler:
//
//	httptest.NewRequest("GET", "/success?"+redirect.Values().Encode(), nil)
func (r SuccessRedirect) Values() url.Values {
	values := url.Values{"paymentKey": {r.PaymentKey}, "orderId": {r.OrderID}, "amount": {r.Amount.String()}}
	if r.PaymentType != "" {
		values.Set("paymentType", r.PaymentType)
	}
	return values
}

// FailRedirect is what the buyer's browser brings to failUrl. It is an error too:
//
//	errors.Is(redirect, tosspayments.ErrPayProcessCanceled)
//
// It comes through the buyer's hands: escape Message before showing it, and do not
// mark an order as failed for it without a look at the payment.
type FailRedirect struct {
	Code    ErrorCode
	Message string
	// OrderID is "" when the buyer left the window (PAY_PROCESS_CANCELED), unless the
	// merchant's failUrl has one of its own.
	OrderID string
}

// Error returns code, message and order id on one line.
func (f *FailRedirect) Error() string {
	text := "tosspayments: payment window: " + oneLine(string(f.Code), maxFailCode)
	if f.Message != "" {
		text += ": " + oneLine(maskNumbers(f.Message), maxExcerptBytes)
	}
	if f.OrderID != "" {
		text += fmt.Sprintf(" (order %q)", f.OrderID)
	}
	return text
}

// Is matches the redirect's [ErrorCode].
func (f *FailRedirect) Is(target error) bool {
	code, ok := target.(ErrorCode)
	return ok && code != "" && f.Code.canonical() == code.canonical()
}

// ParseFailURL reads the URL of a request to failUrl. It returns a [*ValidationError] if
// the code is missing or malformed, or the message is malformed. The message may be
// empty, and orderId may be missing.
//
// Parameters of the merchant's own are ignored, whatever they hold. An orderId that
// cannot be one, such as null, is ignored too; of several the last counts.
func ParseFailURL(u *url.URL) (*FailRedirect, error) {
	q, err := parseRedirect(u)
	if err != nil {
		return nil, err
	}
	f := &FailRedirect{
		Code:    ErrorCode(q.key("code", maxFailCode)),
		Message: q.optional("message", maxFailMessage),
		OrderID: q.orderID(),
	}
	if q.err != nil {
		return nil, q.err
	}
	return f, nil
}

// Values returns the query that [ParseFailURL] reads, for tests of a handler.
func (f *FailRedirect) Values() url.Values {
	values := url.Values{"code": {string(f.Code)}, "message": {f.Message}}
	if f.OrderID != "" {
		values.Set("orderId", f.OrderID)
	}
	return values
}

// BillingRedirect is what the browser brings to successUrl after a buyer has
// registered a card or account for recurring payment. Compare CustomerKey with
// the one of the signed-in buyer before using AuthKey.
type BillingRedirect struct {
	CustomerKey string `json:"customerKey"`
	// AuthKey is exchanged once for a billing key; at most 300 characters.
	AuthKey Sensitive `json:"authKey"`
}

// UnmarshalJSON reads an object, as [SuccessRedirect.UnmarshalJSON] does.
func (r *BillingRedirect) UnmarshalJSON(data []byte) error {
	if err := checkNames(data, "customerKey", "authKey"); err != nil {
		return err
	}
	type plain BillingRedirect
	return json.Unmarshal(data, (*plain)(r))
}

// ParseBillingURL reads the URL of a request to the successUrl of a registration.
// Its failUrl is read by [ParseFailURL].
func ParseBillingURL(u *url.URL) (BillingRedirect, error) {
	q, err := parseRedirect(u)
	if err != nil {
		return BillingRedirect{}, err
	}
	customerKey := q.required("customerKey", maxCustomerKey)
	authKey := q.key("authKey", maxAuthKey)
	if q.err == nil {
		q.err = ValidateCustomerKey(customerKey)
	}
	if q.err != nil {
		return BillingRedirect{}, q.err
	}
	return BillingRedirect{CustomerKey: customerKey, AuthKey: NewSensitive(authKey)}, nil
}

// Values returns the query that [ParseBillingURL] reads, with the authKey in plain text,
// for tests of a handler.
func (r BillingRedirect) Values() url.Values {
	return url.Values{"customerKey": {r.CustomerKey}, "authKey": {r.AuthKey.Reveal()}}
}

// redirectQuery reads the library's own parameters and keeps the first problem. Those of
// the merchant's own may hold anything.
type redirectQuery struct {
	raw string
	err error
}

func parseRedirect(u *url.URL) (*redirectQuery, error) {
	switch {
	case u == nil:
		return nil, invalid("url", "must not be nil")
	case len(u.RawQuery) > maxRedirectURL:
		return nil, invalid("query", "is longer than 16 KiB")
	}
	return &redirectQuery{raw: u.RawQuery}, nil
}

func (q *redirectQuery) optional(name string, limit int) string {
	value, problem := redirect.Value(q.raw, name, limit)
	if problem != "" && q.err == nil {
		q.err = invalid(name, problem)
	}
	return value
}

func (q *redirectQuery) required(name string, limit int) string {
	value := q.optional(name, limit)
	if q.err == nil && value == "" {
		q.err = invalid(name, "is missing")
	}
	return value
}

// key reads a required parameter that has visible characters only.
func (q *redirectQuery) key(name string, limit int) string {
	value := q.required(name, limit)
	if q.err == nil {
		q.err = checkVisible(name, value)
	}
	return value
}

// orderID returns the last value that can be an order id.
func (q *redirectQuery) orderID() (id string) {
	for written := range redirect.Written(q.raw, "orderId") {
		if text, err := url.QueryUnescape(written); err == nil && ValidateOrderID(text) == nil {
			id = text
		}
	}
	return id
}
