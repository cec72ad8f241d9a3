package recipes

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Subscribe exchanges what the registration window has brought for a billing key.
func (s *Shop) Subscribe(ctx context.Context, redirect tosspayments.BillingRedirect, signedIn string, store func(tosspayments.BillingKey) error) error {
	if redirect.CustomerKey != signedIn {
		return errors.New("the registration is another customer's")
	}
	billing, err := s.Toss.IssueBillingKey(ctx, redirect)
	if err != nil {
		return err
	}
	return store(billing.BillingKey)
}

// ChargeMonth charges one month of a subscription, once. Running it again, by another
// process or in a year, finds the same charge.
func (s *Shop) ChargeMonth(ctx context.Context, subscription string, month time.Time, key tosspayments.BillingKey) error {
	id := subscription + "-" + month.Format("2006-01")
	if err := s.Orders.Create(ctx, Order{ID: id, Name: "원두 구독 " + month.Format("1월"), Amount: tosspayments.Won(9900)}); err != nil {
		return err
	}
	order, err := s.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	payment, err := s.Toss.ChargeBilling(ctx, key, tosspayments.ChargeBillingRequest{
		OrderID: order.ID, OrderName: order.Name, Amount: order.Amount,
	}, tosspayments.WithIdempotencyKey(order.ID))
	return s.record(ctx, order, payment, err)
}

// RegisterCard handles successUrl of a registration. Reloading the page gets the same
// billing key, also after a crash: the authKey works once, its idempotency key again.
func (s *Shop) RegisterCard(ctx context.Context, u *url.URL, signedIn string, store func(tosspayments.BillingKey) error) error {
	redirect, err := tosspayments.ParseBillingURL(u)
	if err != nil {
		return err
	}
	if redirect.CustomerKey != signedIn {
		return errors.New("the registration is another customer's")
	}
	sum := sha256.Sum256([]byte(redirect.AuthKey.Reveal()))
	billing, err := s.Toss.IssueBillingKey(ctx, redirect, tosspayments.WithIdempotencyKey(hex.EncodeToString(sum[:])))
	if err != nil {
		return err
	}
	return store(billing.BillingKey)
}

// SealBillingKey encrypts a billing key for the database. The secret has 32 bytes, and
// is not kept there; the row can only be opened for the same owner.
func SealBillingKey(secret []byte, owner string, key tosspayments.BillingKey) ([]byte, error) {
	aead, err := sealer(secret)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(key.Stored())
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, text, []byte(owner)), nil
}

// OpenBillingKey is the reverse.
func OpenBillingKey(secret []byte, owner string, sealed []byte) (key tosspayments.BillingKey, err error) {
	aead, err := sealer(secret)
	if err != nil {
		return key, err
	}
	text, err := aead.Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return key, err
	}
	var stored tosspayments.Stored[tosspayments.BillingKey]
	if err := json.Unmarshal(text, &stored); err != nil {
		return key, err
	}
	return stored.Get(), nil
}

func sealer(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Charge is one row: one period of one subscription. (subscription, period) is its
// primary key.
type Charge struct {
	Subscription, Period string
	Amount               tosspayments.Amount
	// State is due, charging, paid, card (a new one is needed), failed, canceled (charged,
	// and refunded since) or review (a person has to look).
	State string
	// Attempt is part of the order id; it grows when an attempt was refused.
	Attempt int
	// Refusals counts those that the calendar knows.
	Refusals int
	// NextAt is when a due row is run, or one that is still charging is run again.
	NextAt     time.Time
	Code       tosspayments.ErrorCode
	PaymentKey string
}

// OrderID is that of the current attempt, such as sub7-2026-03-0.
func (c *Charge) OrderID() string {
	return fmt.Sprintf("%s-%s-%d", c.Subscription, c.Period, c.Attempt)
}

// retryGaps are days: a charge that was refused is tried again after 1, 3 and 5 days.
var retryGaps = []int{1, 2, 2}

// RunCharge makes the call of a row that this process has claimed: its state was set to
// charging, by a conditional update that is committed. Store the row afterwards. Until
// its state is another one, running it again is the same charge.
func (s *Shop) RunCharge(ctx context.Context, key tosspayments.BillingKey, row *Charge) error {
	payment, err := s.Toss.ChargeBilling(ctx, key, tosspayments.ChargeBillingRequest{
		OrderID:   row.OrderID(),
		OrderName: "원두 구독 " + row.Period,
		Amount:    row.Amount,
	}, tosspayments.WithIdempotencyKey(row.OrderID()))
	row.record(payment, err)
	return err
}

// record writes down what the result of a charge means for the row.
func (c *Charge) record(payment *tosspayments.Payment, err error) {
	switch tosspayments.OutcomeOf(payment, err) {
	case tosspayments.OutcomePaid:
		c.State, c.PaymentKey = "paid", payment.PaymentKey
	case tosspayments.OutcomeRefused:
		c.refuse(tosspayments.CodeOf(err))
	case tosspayments.OutcomeCanceled:
		c.State = "canceled" // charged, and refunded since
	case tosspayments.OutcomeUnknown:
		c.NextAt = time.Now().Add(5 * time.Minute) // still charging: the same call again
	case tosspayments.OutcomeWaiting, tosspayments.OutcomeMismatch, tosspayments.OutcomeNotSent:
		c.State = "review" // another payment has this order id, or the row makes no request
	}
}

// refuse plans what comes after a refusal: never another attempt at once.
func (c *Charge) refuse(code tosspayments.ErrorCode) {
	c.Code = code
	switch code {
	case tosspayments.ErrAlreadyRemovedBillingKey, tosspayments.ErrNotFoundBilling, tosspayments.ErrNotFoundBillingKey,
		tosspayments.ErrInvalidBillKeyRequest,
		tosspayments.ErrInvalidCardExpiration, tosspayments.ErrInvalidStoppedCard, tosspayments.ErrInvalidCardLostOrStolen:
		c.State = "card" // no day will make this card work: ask for another one
		c.Attempt++
		return
	}
	if code.Class() != tosspayments.ClassBuyerOtherMethod {
		c.State = "review" // keys, data, a bug: alert somebody; the card is not to blame
		return
	}
	c.Attempt++
	c.Refusals++
	if c.Refusals > len(retryGaps) {
		c.State = "failed"
		return
	}
	c.State = "due"
	c.NextAt = time.Now().AddDate(0, 0, retryGaps[c.Refusals-1])
}
