// Package webhook receives the events that Toss Payments sends to a merchant's server.
//
// An event is a reason to look, never a result. Most events are not signed, so anybody
// can send them, and a genuine one may be days old: a payment that was EXPIRED in one
// window may be DONE in the next. Do not record what an event says. Let it wake the job
// that looks at the order, or pass the payment that the handler has read through
// [tosspayments.ConfirmPaymentRequest.Check].
//
// What to call:
//
//   - To receive events in net/http, use a [Handler]: it checks, stores and answers, and
//     says of each event how it was proven (Delivery.Verified) and what the server says
//     now (Delivery.Payment). In another framework, call [Handler.Receive].
//   - To take the same steps one by one, call [Parse]; for what is signed,
//     [ParseTransmission] and [Verifier.Verify] of a [NewVerifier]; for a deposit,
//     [Event.MatchesSecret]; and then [Event.FetchPayment].
//   - To see what an event is about, call [Event.OrderID] and [Event.ClaimedStatus].
//   - To recognise a repeated event, call [Event.Identity].
//   - To read an event of another product, call [Event.Decode].
//   - To sign events in the tests of a receiver, call [Sign].
//
// Events about payments, deposits, cancels and deleted billing keys are typed. Those of
// other products stay raw.
//
// Source: https://docs.tosspayments.com/guides/webhook
package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// EventType is the kind of an event. The list is open.
type EventType string

const (
	// PaymentStatusChanged is about a payment. It is not signed.
	PaymentStatusChanged EventType = "PAYMENT_STATUS_CHANGED"
	// DepositCallback is about a virtual account. It has no eventType of its own and
	// no payment key, and is proven by the payment's secret.
	DepositCallback EventType = "DEPOSIT_CALLBACK"
	// CancelStatusChanged is about a cancel of a foreign wallet. It is not signed and
	// names neither the payment nor the order: find them by the cancel's
	// TransactionKey or CancelRequestID.
	CancelStatusChanged EventType = "CANCEL_STATUS_CHANGED"
	// BillingDeleted says that a billing key has ended. It is not signed.
	BillingDeleted EventType = "BILLING_DELETED"
	// MethodUpdated is about a customer's BrandPay method. It is not signed.
	MethodUpdated EventType = "METHOD_UPDATED"
	// CustomerStatusChanged is about a BrandPay customer. It is not signed.
	CustomerStatusChanged EventType = "CUSTOMER_STATUS_CHANGED"
	// OrderPaymentStatusChanged is about an order of Link Pay. It is not signed.
	OrderPaymentStatusChanged EventType = "ORDER_PAYMENT_STATUS_CHANGED"
	// PayoutStatusChanged is about a payout of version 1. It is not signed.
	PayoutStatusChanged EventType = "PAYOUT_STATUS_CHANGED"
	// SubmallStatusChanged is about a sub-mall of version 1. It is not signed.
	SubmallStatusChanged EventType = "SUBMALL_STATUS_CHANGED"
	// PayoutChanged says that a payout is COMPLETED or FAILED. It is signed.
	PayoutChanged EventType = "payout.changed"
	// SellerChanged is about a seller. It is signed.
	SellerChanged EventType = "seller.changed"
	// ARSReservationChanged is about a payment by telephone. Whether it is signed is
	// not documented.
	ARSReservationChanged EventType = "ars-reservation.changed"
)

// maxBody holds a payment with some three hundred cancels.
const maxBody = 128 << 10

// Event is an event as it arrived. Nothing in it is proven: see [Verifier.Verify],
// [Event.MatchesSecret], and [Event.FetchPayment] for what the server says now.
//
// fmt and slog print its type and identity only. encoding/json refuses it, since it
// holds secrets: to keep an event, keep its Body, and Parse that again.
//
// Source: https://docs.tosspayments.com/reference/using-api/webhook-events
type Event struct {
	Type EventType
	// CreatedAt is Korean time where the event gives no offset. It is zero if it is
	// missing or unreadable.
	CreatedAt time.Time
	// Version, EventID and EntityType are set for the events in lower case, such as
	// payout.changed.
	Version, EventID, EntityType string
	// Data is the event's data or entityBody, or the whole body of a deposit callback.
	Data json.RawMessage
	// Body is the whole event.
	Body json.RawMessage

	// The one that fits the type is set: Payment for PaymentStatusChanged, Deposit for
	// DepositCallback, Cancel for CancelStatusChanged, Billing for BillingDeleted. All
	// are nil for the other types.
	Payment *tosspayments.Payment
	Deposit *Deposit
	Cancel  *tosspayments.Cancel
	Billing *DeletedBillingKey
}

// Deposit says that the status of a virtual account has changed.
type Deposit struct {
	// Secret is the Payment.Secret of the payment.
	Secret tosspayments.Sensitive     `json:"secret"`
	Status tosspayments.PaymentStatus `json:"status"`
	// TransactionKey is that of the change: of a deposit, its return or a cancel.
	TransactionKey string `json:"transactionKey"`
	OrderID        string `json:"orderId"`
}

// DeletedBillingKey is a billing key that can no longer be charged. The event also
// follows a deletion of the merchant's own.
type DeletedBillingKey struct {
	BillingKey tosspayments.Sensitive `json:"billingKey"`
	// Reason may be "".
	Reason string `json:"reason"`
}

// Parse reads the body of a webhook. It returns a [*tosspayments.ValidationError] if
// body is not an event, or if an event of a known type lacks its data; if it is longer
// than 128 KiB or has lists of more than 1,000 elements; and if a name occurs twice, in
// whatever letters, since programs disagree about which of two counts.
//
// Types and fields that are not known are kept in Data and Body. Parse keeps nothing of
// body.
func Parse(body []byte) (*Event, error) {
	switch {
	case len(body) > maxBody:
		return nil, invalid("body", "is longer than 128 KiB")
	case !json.Valid(body):
		return nil, invalid("body", "is not JSON")
	case elements(body) > maxElements:
		return nil, invalid("body", "has lists of more than 1,000 elements")
	}
	top, err := members(body)
	if err != nil {
		return nil, invalid("body", err.Error())
	}
	e := &Event{
		Type: EventType(text(top["eventType"])), Version: text(top["version"]),
		EventID: text(top["eventId"]), EntityType: text(top["entityType"]),
		Body: bytes.Clone(body),
	}
	// An unreadable createdAt must not lose the event.
	e.CreatedAt, _ = lenient.ParseTime(text(top["createdAt"]))
	flat := top["orderId"] != nil || top["secret"] != nil || top["transactionKey"] != nil
	data, entity := top["data"], top["entityBody"]
	if e.Type == "" && flat && data == nil && text(top["orderId"]) != "" && text(top["status"]) != "" {
		e.Type = DepositCallback
	}
	switch {
	case e.Type == "":
		return nil, invalid("eventType", "is missing")
	case data != nil && entity != nil:
		return nil, invalid("entityBody", "is given beside data")
	}
	e.Data = data
	if entity != nil {
		e.Data = entity
	}
	switch {
	case e.Type != PaymentStatusChanged && e.Type != DepositCallback:
	case e.Data == nil && e.Type == DepositCallback:
		e.Data = e.Body
	case e.Data != nil && flat:
		return nil, invalid("data", "is given beside the fields of a flat event")
	}
	if err := e.decode(); err != nil {
		return nil, invalid("data", "of "+printable(string(e.Type))+" "+err.Error())
	}
	return e, nil
}

func invalid(field, reason string) error {
	return &tosspayments.ValidationError{Field: field, Reason: reason}
}

// decode reads the data of the types that are typed.
func (e *Event) decode() error {
	switch e.Type {
	case PaymentStatusChanged:
		// A Payment reads itself leniently, save what is essential.
		if err := read(e.Data, &e.Payment, json.Unmarshal); err != nil {
			return err
		}
		if p := e.Payment; p.PaymentKey == "" || p.OrderID == "" || p.Status == "" || p.TotalAmount.Sign() <= 0 {
			return errors.New("lacks the paymentKey, orderId, status or totalAmount of a payment")
		}
	case DepositCallback:
		if err := read(e.Data, &e.Deposit, unmarshal); err != nil {
			return err
		}
		if e.Deposit.OrderID == "" || e.Deposit.Status == "" {
			return errors.New("lacks the orderId or status of a deposit")
		}
	case CancelStatusChanged:
		if err := read(e.Data, &e.Cancel, unmarshal); err != nil {
			return err
		}
		if e.Cancel.CancelStatus == "" {
			return errors.New("lacks the cancelStatus of a cancel")
		}
	case BillingDeleted:
		if err := read(e.Data, &e.Billing, unmarshal); err != nil {
			return err
		}
		if e.Billing.BillingKey.IsZero() {
			return errors.New("lacks the billingKey")
		}
	}
	return nil
}

// read reads an object whose names occur once.
func read[T any](data json.RawMessage, object **T, unmarshal func([]byte, any) error) error {
	if _, err := members(data); err != nil {
		return err
	}
	return unmarshal(data, object)
}

// unmarshal leaves what cannot be read zero.
func unmarshal(data []byte, v any) error {
	_, err := lenient.Unmarshal(data, v)
	return err
}

// Decode reads Data into v, as [json.Unmarshal] does. What cannot be read of it is left
// zero. It returns an error if Data is missing or is not of v's kind.
func (e *Event) Decode(v any) error {
	if err := unmarshal(e.Data, v); err != nil {
		return invalid("data", "of "+printable(string(e.Type))+" cannot be decoded: "+err.Error())
	}
	return nil
}

// Format writes the type and the identity, whatever the verb.
func (e Event) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// String returns the type and the identity.
func (e Event) String() string { return printable(string(e.Type)) + " " + e.Identity() }

// LogValue returns the type and the identity.
func (e Event) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalJSON always fails: an event holds secrets. Keep its Body instead.
func (e Event) MarshalJSON() ([]byte, error) {
	return nil, errors.New("tosspayments: webhook: an Event holds secrets and is not encoded: keep its Body")
}

// OrderID returns the order that the event is about; "" if it names none.
func (e *Event) OrderID() string {
	switch {
	case e.Payment != nil:
		return e.Payment.OrderID
	case e.Deposit != nil:
		return e.Deposit.OrderID
	}
	return ""
}

// ClaimedStatus returns the status that the event claims, or "". It may be forged, and it
// may be old: [Event.FetchPayment] reads the present one.
func (e *Event) ClaimedStatus() tosspayments.PaymentStatus {
	switch {
	case e.Payment != nil:
		return e.Payment.Status
	case e.Deposit != nil:
		return e.Deposit.Status
	}
	return ""
}

// Identity returns a text of at most 200 visible characters that is the same for every
// delivery of one change, and for the two kinds of event about one change of a virtual
// account. It differs between two payments of one order, and holds no secret.
//
// Use it to deduplicate, and store how the event was verified beside it, so that a
// forged event cannot suppress a genuine one.
func (e *Event) Identity() string {
	switch {
	case e.Payment != nil:
		p := e.Payment
		return identity("payment", p.OrderID, string(p.Status), cmp.Or(p.LastTransactionKey, p.TransactionKey, p.PaymentKey))
	case e.Deposit != nil:
		return identity("payment", e.Deposit.OrderID, string(e.Deposit.Status), e.Deposit.TransactionKey)
	case e.Cancel != nil && e.Cancel.TransactionKey != "":
		return identity("cancel", e.Cancel.TransactionKey, string(e.Cancel.CancelStatus))
	case e.EventID != "":
		return identity("event", e.EventID)
	}
	return "data/" + digest(string(e.Type)+"/"+string(e.Data))
}

func identity(kind string, parts ...string) string {
	joined := strings.Join(parts, "/")
	if len(joined) > 180 || strings.ContainsFunc(joined, func(r rune) bool { return r <= ' ' || r > '~' }) {
		joined = digest(joined)
	}
	return kind + "/" + joined
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// MatchesSecret reports whether the event has the secret of the payment as it was stored
// at the confirm or issue. The comparison is constant-time. An event without a secret
// never matches.
func (e *Event) MatchesSecret(stored tosspayments.Sensitive) bool {
	secret := ""
	switch {
	case e.Deposit != nil:
		secret = e.Deposit.Secret.Reveal()
	case e.Payment != nil:
		secret = e.Payment.Secret.Reveal()
	}
	return secret != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(stored.Reveal())) == 1
}

// ErrOtherOrder says that the payment of an event belongs to another order than the
// event says. Such an event is forged.
var ErrOtherOrder = error(sentinel("tosspayments: webhook: the payment belongs to another order than the event says"))

type sentinel string

func (s sentinel) Error() string { return string(s) }

// FetchPayment reads the payment that the event is about, as it is now: by its payment
// key, and for a deposit by its order id. The payment fits the event, but whether it
// fits what the order asks for is for [tosspayments.ConfirmPaymentRequest.Check] to say.
//
// It returns [ErrOtherOrder] if the payment belongs to another order, and
// [tosspayments.ErrNotFoundPayment] if the client's merchant does not have it.
func (e *Event) FetchPayment(ctx context.Context, client *tosspayments.Client, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
	switch {
	case e.Deposit != nil:
		return client.GetPaymentByOrderID(ctx, e.Deposit.OrderID, opts...)
	case e.Payment != nil:
		payment, err := client.GetPayment(ctx, e.Payment.PaymentKey, opts...)
		if err == nil && payment.OrderID != e.Payment.OrderID {
			return nil, ErrOtherOrder
		}
		return payment, err
	}
	return nil, invalid("event", "names no payment")
}

// printable makes foreign text fit for a log.
func printable(s string) string {
	const limit = 80
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s[:min(len(s), limit)])
	return s
}
