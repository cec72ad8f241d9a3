package tosspayments

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// WebhookEventType is the kind of an event. The list is open.
type WebhookEventType string

const (
	// WebhookPaymentStatusChanged tells of a payment; unsigned.
	WebhookPaymentStatusChanged WebhookEventType = "PAYMENT_STATUS_CHANGED"
	// WebhookDepositCallback tells of a virtual account. It has no eventType of its
	// own, and no payment key; it is matched by the payment's secret.
	WebhookDepositCallback WebhookEventType = "DEPOSIT_CALLBACK"
	// WebhookCancelStatusChanged tells of a cancel of a foreign wallet; unsigned. It
	// names neither the payment nor the order: find them by the cancel's
	// TransactionKey or CancelRequestID.
	WebhookCancelStatusChanged WebhookEventType = "CANCEL_STATUS_CHANGED"
	// WebhookBillingDeleted tells that a billing key has ended; unsigned.
	WebhookBillingDeleted WebhookEventType = "BILLING_DELETED"
	// WebhookMethodUpdated tells of a customer's BrandPay method; unsigned.
	WebhookMethodUpdated WebhookEventType = "METHOD_UPDATED"
	// WebhookCustomerStatusChanged tells of a BrandPay customer; unsigned.
	WebhookCustomerStatusChanged WebhookEventType = "CUSTOMER_STATUS_CHANGED"
	// WebhookOrderPaymentStatusChanged tells of an order of Link Pay; unsigned.
	WebhookOrderPaymentStatusChanged WebhookEventType = "ORDER_PAYMENT_STATUS_CHANGED"
	// WebhookPayoutStatusChanged tells of a payout of version 1; unsigned.
	WebhookPayoutStatusChanged WebhookEventType = "PAYOUT_STATUS_CHANGED"
	// WebhookSubmallStatusChanged tells of a sub-mall of version 1; unsigned.
	WebhookSubmallStatusChanged WebhookEventType = "SUBMALL_STATUS_CHANGED"
	// WebhookPayoutChanged tells that a payout is COMPLETED or FAILED; signed.
	WebhookPayoutChanged WebhookEventType = "payout.changed"
	// WebhookSellerChanged tells of a seller; signed.
	WebhookSellerChanged WebhookEventType = "seller.changed"
	// WebhookARSReservationChanged tells of a payment by telephone. Whether it is
	// signed is not documented; it is taken as unsigned.
	WebhookARSReservationChanged WebhookEventType = "ars-reservation.changed"
)

const maxWebhookBody = 1 << 20

// WebhookEvent is an event as it arrived. It says nothing about who has sent it: see
// [WebhookVerifier.Verify] and [WebhookEvent.MatchesSecret], and
// [WebhookEvent.FetchPayment] for what is really so.
//
// fmt and slog print its type and identity, and nothing of its content.
//
// Source: https://docs.tosspayments.com/reference/using-api/webhook-events
type WebhookEvent struct {
	Type WebhookEventType
	// CreatedAt is in Korean time where the event has no offset; zero where it is
	// missing or cannot be read.
	CreatedAt time.Time
	// Version, EventID and EntityType are set for the events in lower case, such as
	// payout.changed.
	Version, EventID, EntityType string
	// Data is the event's data or entityBody; the whole body of a deposit callback.
	Data json.RawMessage
	// Body is the whole event, as it arrived.
	Body json.RawMessage

	// Of the following the one that fits the type is set, none for a type that is not
	// known. They are what the event claims.
	Payment        *Payment
	Deposit        *DepositCallback
	Cancel         *Cancel
	Billing        *BillingDeleted
	Method         *MethodUpdated
	Customer       *CustomerStatusChanged
	LinkPay        *LinkPayOrder
	Payout         *Payout
	Seller         *Seller
	ARSReservation *ARSReservation
	LegacyPayout   *LegacyPayout
	Submall        *Submall
}

// ParseWebhook reads the body of a webhook, in each of the three shapes. Types and
// fields that are not known are kept in Data and Body. It does not tell who has sent
// it.
//
// What is no event, or an event of a known type without its data, is a
// [*ValidationError]: a payment that cannot be read must not pass for none.
func ParseWebhook(body []byte) (*WebhookEvent, error) {
	if len(body) > maxWebhookBody {
		return nil, &ValidationError{Field: "body", Reason: "is longer than 1 MiB"}
	}
	var envelope struct {
		EventType  WebhookEventType `json:"eventType"`
		CreatedAt  json.RawMessage  `json:"createdAt"`
		Version    string           `json:"version"`
		EventID    string           `json:"eventId"`
		EntityType string           `json:"entityType"`
		Data       json.RawMessage  `json:"data"`
		EntityBody json.RawMessage  `json:"entityBody"`
		DepositCallback
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, &ValidationError{Field: "body", Reason: "is not the JSON of an event"}
	}
	e := &WebhookEvent{
		Type: envelope.EventType, Version: envelope.Version, EventID: envelope.EventID, EntityType: envelope.EntityType,
		Data: envelope.Data, Body: bytes.Clone(body),
	}
	// An event is not lost for the way in which it writes its time.
	_, _ = lenient.Unmarshal(envelope.CreatedAt, &e.CreatedAt)
	if e.Data == nil {
		e.Data = envelope.EntityBody
	}
	if e.Type == "" && envelope.OrderID != "" && envelope.Status != "" {
		e.Type = WebhookDepositCallback
	}
	switch {
	case e.Type == "":
		return nil, &ValidationError{Field: "eventType", Reason: "is missing"}
	case e.Type == WebhookDepositCallback && e.Data == nil:
		e.Data, e.Deposit = e.Body, &envelope.DepositCallback
	}
	if !e.decode() {
		return nil, &ValidationError{Field: "data", Reason: "does not fit the event " + oneLine(string(e.Type), 60)}
	}
	return e, nil
}

// decode fills the typed part, and tells whether the data is what the type promises.
func (e *WebhookEvent) decode() bool {
	switch e.Type {
	case WebhookPaymentStatusChanged:
		payment, _, err := readPayment(e.Data)
		e.Payment = payment
		return err == nil
	case WebhookDepositCallback:
		return (e.Deposit != nil || into(e.Data, &e.Deposit)) && e.Deposit.OrderID != "" && e.Deposit.Status != ""
	case WebhookCancelStatusChanged:
		return into(e.Data, &e.Cancel)
	case WebhookBillingDeleted:
		return into(e.Data, &e.Billing)
	case WebhookMethodUpdated:
		return into(e.Data, &e.Method)
	case WebhookCustomerStatusChanged:
		return into(e.Data, &e.Customer)
	case WebhookOrderPaymentStatusChanged:
		if !into(e.Data, &e.LinkPay) {
			return false
		}
		e.Payment = e.LinkPay.Payment
		return true
	case WebhookPayoutChanged:
		return into(e.Data, &e.Payout)
	case WebhookSellerChanged:
		return into(e.Data, &e.Seller)
	case WebhookARSReservationChanged:
		return into(e.Data, &e.ARSReservation)
	case WebhookPayoutStatusChanged:
		return into(e.Data, &e.LegacyPayout)
	case WebhookSubmallStatusChanged:
		return into(e.Data, &e.Submall)
	}
	return true
}

// into decodes an object; null and nothing are none.
func into[T any](data json.RawMessage, object **T) bool {
	_, err := lenient.Unmarshal(data, object)
	return err == nil && *object != nil
}

// Format writes the type and the identity, whatever the verb: the content may hold
// secrets and billing keys.
func (e *WebhookEvent) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// String returns the type and the identity.
func (e *WebhookEvent) String() string {
	if e == nil {
		return "<nil>"
	}
	return oneLine(string(e.Type), 60) + " " + oneLine(e.Identity(), 200)
}

// LogValue returns the type and the identity.
func (e *WebhookEvent) LogValue() slog.Value { return slog.StringValue(e.String()) }

// OrderID returns the order that the event is about, or "".
func (e *WebhookEvent) OrderID() string {
	switch {
	case e.Payment != nil:
		return e.Payment.OrderID
	case e.Deposit != nil:
		return e.Deposit.OrderID
	}
	return ""
}

// ClaimedStatus returns the status that the event claims, or "". It may be forged,
// and it may be old: [WebhookEvent.FetchPayment] returns what is so now.
func (e *WebhookEvent) ClaimedStatus() PaymentStatus {
	switch {
	case e.Payment != nil:
		return e.Payment.Status
	case e.Deposit != nil:
		return e.Deposit.Status
	}
	return ""
}

// namesPayment tells whether there is a payment to fetch.
func (e *WebhookEvent) namesPayment() bool {
	return e.Deposit != nil || e.Payment != nil && e.Payment.PaymentKey != ""
}

// Identity returns what is the same for every delivery of one change, and for the two
// kinds of event of one change of a virtual account: store it to tell duplicates, and
// with it the trust: a forged event must not pass for the first of a genuine one. It
// holds no secret.
func (e *WebhookEvent) Identity() string {
	switch {
	case e.EventID != "":
		return "event/" + e.EventID
	case e.Payment != nil && e.LinkPay == nil:
		key := e.Payment.LastTransactionKey
		if key == "" {
			key = e.Payment.TransactionKey
		}
		return changeIdentity(e.Payment.OrderID, e.Payment.Status, key)
	case e.Deposit != nil:
		return changeIdentity(e.Deposit.OrderID, e.Deposit.Status, e.Deposit.TransactionKey)
	case e.Cancel != nil:
		return "cancel/" + e.Cancel.TransactionKey + "/" + string(e.Cancel.CancelStatus)
	}
	sum := sha256.Sum256(append([]byte(e.Type+"/"), e.Data...))
	return "data/" + hex.EncodeToString(sum[:])
}

func changeIdentity(orderID string, status PaymentStatus, transactionKey string) string {
	return "payment/" + orderID + "/" + string(status) + "/" + transactionKey
}

// MatchesSecret tells whether the event brings the secret of the payment as it was
// stored at the confirm or issue. It takes the same time wherever they differ. An event
// without a secret never matches.
func (e *WebhookEvent) MatchesSecret(stored Sensitive) bool {
	secret := ""
	switch {
	case e.Deposit != nil:
		secret = e.Deposit.Secret.Reveal()
	case e.Payment != nil:
		secret = e.Payment.Secret.Reveal()
	}
	return secret != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(stored.Reveal())) == 1
}

// FetchPayment reads the payment that the event is about: what the server says now, and
// the only thing to act upon after an event that is neither signed nor matched.
func (e *WebhookEvent) FetchPayment(ctx context.Context, client *Client, opts ...CallOption) (*Payment, error) {
	switch {
	case e.Deposit != nil:
		return client.GetPaymentByOrderID(ctx, e.Deposit.OrderID, opts...)
	case e.namesPayment():
		return client.GetPayment(ctx, e.Payment.PaymentKey, opts...)
	}
	return nil, &ValidationError{Field: "event", Reason: "names no payment"}
}

// WebhookTransmission is what the headers of a delivery say.
type WebhookTransmission struct {
	// ID may or may not be the same for repeated deliveries: no document says. Tell
	// duplicates by [WebhookEvent.Identity] too.
	ID string
	// Time is the time of this delivery, as it was written: the signature covers it.
	Time string
	// RetriedCount is how often it was delivered before.
	RetriedCount int
	// Signature is "" for events that are not signed.
	Signature string
}

// ParseWebhookTransmission reads the headers of a delivery, through what the server
// has for it: r.Header.Get of net/http, c.GetHeader of gin. It keeps none of the
// memory of what it gets.
func ParseWebhookTransmission(header func(name string) string) WebhookTransmission {
	retried, _ := strconv.Atoi(header("Tosspayments-Webhook-Transmission-Retried-Count"))
	return WebhookTransmission{
		ID:           strings.Clone(header("Tosspayments-Webhook-Transmission-Id")),
		Time:         strings.Clone(header("Tosspayments-Webhook-Transmission-Time")),
		RetriedCount: retried,
		Signature:    strings.Clone(header("Tosspayments-Webhook-Signature")),
	}
}

var (
	// ErrWebhookBody says that there is no body to verify.
	ErrWebhookBody error = sentinel("tosspayments: webhook: the body is empty")
	// ErrWebhookHeader says that the signature or the transmission time is missing. Only
	// payout.changed and seller.changed are signed.
	ErrWebhookHeader error = sentinel("tosspayments: webhook: the signature or transmission-time header is missing")
	// ErrWebhookVersion says that no signature is of a version that is known (v1).
	ErrWebhookVersion error = sentinel("tosspayments: webhook: no signature of a known version (v1)")
	// ErrWebhookSignature says that no signature matches any of the keys.
	ErrWebhookSignature error = sentinel("tosspayments: webhook: no signature matches: verify the raw bytes of the body, before any JSON decoding, with the security key (64 hexadecimal digits), not the secret key")
)

// WebhookVerifier verifies the signature of payout.changed and seller.changed. No other
// event is signed.
type WebhookVerifier struct{ macs [][]byte }

// NewWebhookVerifier takes the security keys: two while a key is being replaced. Which
// bytes of a key sign is not documented, so its text and its decoded form both count.
func NewWebhookVerifier(securityKeys ...string) (*WebhookVerifier, error) {
	if len(securityKeys) == 0 {
		return nil, &ValidationError{Field: "securityKey", Reason: "is missing"}
	}
	v := new(WebhookVerifier)
	for _, key := range securityKeys {
		key = strings.TrimSpace(key)
		decoded, err := hex.DecodeString(key)
		if err != nil || len(decoded) != 32 {
			return nil, &ValidationError{Field: "securityKey", Reason: "must have 64 hexadecimal digits"}
		}
		v.macs = append(v.macs, []byte(key), decoded)
	}
	return v, nil
}

// Format keeps the keys from being printed.
func (v *WebhookVerifier) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// Verify checks the raw body. Its error is one of [ErrWebhookBody],
// [ErrWebhookHeader], [ErrWebhookVersion] and [ErrWebhookSignature].
func (v *WebhookVerifier) Verify(body []byte, t WebhookTransmission) error {
	switch {
	case len(body) == 0:
		return ErrWebhookBody
	case t.Signature == "" || t.Time == "":
		return ErrWebhookHeader
	}
	known, matches := false, 0
	for item := range strings.SplitSeq(t.Signature, ",") {
		// Some deliveries have the version on the first signature only.
		version, encoded, found := strings.Cut(strings.TrimSpace(item), ":")
		if !found {
			version, encoded = "v1", version
		}
		if version != "v1" {
			continue
		}
		known = true
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			continue
		}
		for _, key := range v.macs {
			matches |= subtle.ConstantTimeCompare(signature, webhookMAC(key, body, t.Time))
		}
	}
	switch {
	case !known:
		return ErrWebhookVersion
	case matches == 0:
		return ErrWebhookSignature
	}
	return nil
}

func webhookMAC(key, body []byte, time string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	mac.Write([]byte(":" + time))
	return mac.Sum(nil)
}

// SignWebhook signs a body as Toss Payments does, for tests of a receiver. decoded
// signs with the bytes that the key's digits stand for, otherwise with its text.
func SignWebhook(securityKey string, body []byte, transmissionTime string, decoded bool) (string, error) {
	key := []byte(securityKey)
	if decoded {
		var err error
		if key, err = hex.DecodeString(securityKey); err != nil {
			return "", &ValidationError{Field: "securityKey", Reason: "must have 64 hexadecimal digits"}
		}
	}
	return "v1:" + base64.StdEncoding.EncodeToString(webhookMAC(key, body, transmissionTime)), nil
}

// CanChange tells whether a payment may go from one status to another; the same status
// is no change. Use it where events arrive late or out of order: what cannot follow
// the stored status is old. What can follow may be old as well (a deposit, its bounce,
// and the deposit's event once more), so money is moved by [WebhookEvent.FetchPayment]
// alone. A status that is not known may come and go: false would hide it.
func (s PaymentStatus) CanChange(to PaymentStatus) bool {
	if s == to {
		return false
	}
	switch s {
	case PaymentStatusReady:
		return true
	case PaymentStatusInProgress:
		return to != PaymentStatusReady
	case PaymentStatusWaitingForDeposit:
		return to != PaymentStatusReady && to != PaymentStatusInProgress && to != PaymentStatusPartialCanceled
	case PaymentStatusDone:
		// Back to waiting: the deposit has bounced.
		return to == PaymentStatusCanceled || to == PaymentStatusPartialCanceled || to == PaymentStatusWaitingForDeposit
	case PaymentStatusPartialCanceled:
		return to == PaymentStatusCanceled
	case PaymentStatusCanceled, PaymentStatusAborted, PaymentStatusExpired:
		return false
	}
	return true
}
