package tosspayments

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
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

// ParseSuccessURL reads the URL of a request to successUrl. A parameter that is
// missing, repeated, malformed or too long gives a [*ValidationError] that names
// it; parameters of the merchant's own are ignored.
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
		q.err = r.validate()
	}
	if q.err != nil {
		return SuccessRedirect{}, q.err
	}
	return r, nil
}

func (r *SuccessRedirect) validate() error {
	request := ConfirmPaymentRequest{PaymentKey: r.PaymentKey, OrderID: r.OrderID, Amount: r.Amount}
	if err := checkPaymentKey(request.PaymentKey); err != nil {
		return err
	}
	if err := ValidateOrderID(request.OrderID); err != nil {
		return err
	}
	// The currency is not part of the redirect.
	return checkAmount("amount", request.Amount, "")
}

// ConfirmRequest checks every field and compares the amount with the one that was
// stored with the order before the window opened. A different amount gives a
// [*MismatchError], which matches [ErrAmountMismatch]: do not confirm, and do not
// cancel either, since an unconfirmed payment expires by itself.
//
// Nothing is sent. For a payment in another currency than KRW set Currency in the
// result.
func (r SuccessRedirect) ConfirmRequest(stored Amount) (ConfirmPaymentRequest, error) {
	if err := r.validate(); err != nil {
		return ConfirmPaymentRequest{}, err
	}
	if r.Amount != stored {
		return ConfirmPaymentRequest{}, &MismatchError{Field: "amount", Want: stored.String(), Got: r.Amount.String()}
	}
	return ConfirmPaymentRequest{PaymentKey: r.PaymentKey, OrderID: r.OrderID, Amount: stored}, nil
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
	// OrderID is "" when the buyer left the window (PAY_PROCESS_CANCELED).
	OrderID string
}

// Error returns code, message and order id on one line.
func (f *FailRedirect) Error() string {
	text := "tosspayments: payment window: " + string(f.Code)
	if f.Message != "" {
		text += ": " + oneLine(maskNumbers(f.Message), maxExcerptBytes)
	}
	if f.OrderID != "" {
		text += " (order " + f.OrderID + ")"
	}
	return text
}

// Is matches the redirect's [ErrorCode].
func (f *FailRedirect) Is(target error) bool {
	code, ok := target.(ErrorCode)
	return ok && code != "" && f.Code.canonical() == code.canonical()
}

// ParseFailURL reads the URL of a request to failUrl. The code is required, the
// message may be empty and orderId may be missing.
func ParseFailURL(u *url.URL) (*FailRedirect, error) {
	q, err := parseRedirect(u)
	if err != nil {
		return nil, err
	}
	f := &FailRedirect{
		Code:    ErrorCode(q.required("code", maxFailCode)),
		Message: q.optional("message", maxFailMessage),
		OrderID: q.optional("orderId", maxOrderID),
	}
	if q.err == nil && !isVisible(string(f.Code)) {
		q.err = &ValidationError{Field: "code", Reason: "must be an error code"}
	}
	if q.err == nil && f.OrderID != "" {
		q.err = ValidateOrderID(f.OrderID)
	}
	if q.err != nil {
		return nil, q.err
	}
	return f, nil
}

// BillingRedirect is what the browser brings to successUrl after a buyer has
// registered a card or account for recurring payment. Compare CustomerKey with
// the one of the signed-in buyer before using AuthKey.
type BillingRedirect struct {
	CustomerKey string `json:"customerKey"`
	// AuthKey is exchanged once for a billing key; at most 300 characters.
	AuthKey Sensitive `json:"authKey"`
}

// ParseBillingURL reads the URL of a request to the successUrl of a registration.
// Its failUrl is read by [ParseFailURL].
func ParseBillingURL(u *url.URL) (BillingRedirect, error) {
	q, err := parseRedirect(u)
	if err != nil {
		return BillingRedirect{}, err
	}
	customerKey := q.required("customerKey", maxCustomerKey)
	authKey := q.required("authKey", maxAuthKey)
	if q.err == nil {
		q.err = ValidateCustomerKey(customerKey)
	}
	if q.err != nil {
		return BillingRedirect{}, q.err
	}
	return BillingRedirect{CustomerKey: customerKey, AuthKey: NewSensitive(authKey)}, nil
}

// redirectQuery reads parameters and keeps the first problem.
type redirectQuery struct {
	values url.Values
	err    error
}

// parseRedirect reads the query strictly: url.URL.Query would drop malformed
// pairs silently.
func parseRedirect(u *url.URL) (*redirectQuery, error) {
	if u == nil {
		return nil, &ValidationError{Field: "url", Reason: "must not be nil"}
	}
	if len(u.RawQuery) > maxRedirectURL {
		return nil, &ValidationError{Field: "query", Reason: "is longer than 16 KiB"}
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		plainName, nameErr := url.QueryUnescape(name)
		plain, err := url.QueryUnescape(value)
		if nameErr != nil || strings.Contains(pair, ";") {
			return nil, &ValidationError{Field: "query", Reason: "is malformed"}
		}
		if err != nil || !utf8.ValidString(plain) {
			return nil, &ValidationError{Field: fieldName(plainName), Reason: "is not percent-encoded UTF-8"}
		}
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, &ValidationError{Field: "query", Reason: "is malformed"}
	}
	return &redirectQuery{values: values}, nil
}

// fieldName keeps a name from the buyer's hands fit for a log.
func fieldName(name string) string {
	if name == "" {
		return "query"
	}
	return oneLine(name, 40)
}

func (q *redirectQuery) optional(name string, limit int) string {
	values := q.values[name]
	switch {
	case q.err != nil || len(values) == 0:
		return ""
	case len(values) > 1:
		q.err = &ValidationError{Field: name, Reason: "is given more than once"}
		return ""
	case utf8.RuneCountInString(values[0]) > limit:
		q.err = &ValidationError{Field: name, Reason: fmt.Sprintf("has more than %d characters", limit)}
		return ""
	}
	return values[0]
}

func (q *redirectQuery) required(name string, limit int) string {
	value := q.optional(name, limit)
	if q.err == nil && value == "" {
		q.err = &ValidationError{Field: name, Reason: "is missing"}
	}
	return value
}
