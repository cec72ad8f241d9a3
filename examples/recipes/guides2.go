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
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// AccountOrder is an order that is paid into a virtual account.
type AccountOrder struct {
	ID, PaymentKey string
	Amount         tosspayments.Amount
	// State is waiting, paid, expired, canceled or review (a person has to look).
	State string
	// Version counts the changes of the row.
	Version int
}

// AccountOrders keeps them; in a real shop it is a database.
type AccountOrders interface {
	Get(ctx context.Context, orderID string) (AccountOrder, error)
	// Save writes the row and, in the same transaction, the task for the warehouse. It
	// tells whether the row was still of the same version:
	// UPDATE account_orders SET …, version = version + 1 WHERE id = ? AND version = ?.
	Save(ctx context.Context, order AccountOrder, task string) (bool, error)
}

// ShowAccount is what the buyer is told once the account has been issued.
func ShowAccount(payment *tosspayments.Payment) string {
	account := payment.VirtualAccount
	name := account.BankCode // of a bank that the catalog does not have
	if bank, ok := institutions.LookupBank(account.BankCode); ok {
		name = bank.Korean
	}
	return fmt.Sprintf("%s %s 계좌로 %s까지 %s원을 입금해 주세요.",
		name, account.AccountNumber.Reveal(), account.DueDate.Format("1월 2일 15시 04분"), payment.TotalAmount)
}

// See works out what a payment means for the order, and what the warehouse has to do:
// release the goods, stop them, or nothing ("").
func (o *AccountOrder) See(payment *tosspayments.Payment) (task string) {
	wasPaid := o.State == "paid"
	account := payment.VirtualAccount
	switch {
	case payment.OrderID != o.ID, payment.TotalAmount != o.Amount, account == nil:
		o.State = "review"
	case payment.IsPaid():
		o.State = "paid"
	case payment.Status == tosspayments.PaymentStatusWaitingForDeposit && account.Expired:
		o.State = "expired"
	case payment.Status == tosspayments.PaymentStatusWaitingForDeposit:
		o.State = "waiting"
	case payment.Status == tosspayments.PaymentStatusCanceled, payment.IsFullyCanceled():
		o.State = "canceled"
	default:
		o.State = "review"
	}
	switch {
	case !wasPaid && o.State == "paid":
		return "release"
	case wasPaid && o.State != "paid":
		return "stop" // bounced, or cancelled
	}
	return ""
}

// LookAtAccount asks how an order stands, and records it. It is called for every event,
// and by a job for every account that is open: it may run any number of times, also at
// the same moment.
func (s *Shop) LookAtAccount(ctx context.Context, orders AccountOrders, orderID string) error {
	for {
		order, err := orders.Get(ctx, orderID)
		if err != nil {
			return err
		}
		payment, err := s.Toss.GetPayment(ctx, order.PaymentKey) // no transaction is open
		if err != nil {
			return err
		}
		task := order.See(payment)
		saved, err := orders.Save(ctx, order, task)
		if err != nil || saved {
			return err
		}
		// Somebody else was faster: the payment that was read here may be old.
	}
}

// ErrRefundAccount says that the buyer has to name an account first.
var ErrRefundAccount = errors.New("a deposit can only be refunded to an account")

// CancelAccount cancels a virtual account before the deposit, or refunds it in full.
func (s *Shop) CancelAccount(ctx context.Context, paymentKey string, to *tosspayments.RefundReceiveAccount) (*tosspayments.Payment, error) {
	payment, err := s.Toss.GetPayment(ctx, paymentKey)
	if err != nil {
		return nil, err
	}
	request := tosspayments.CancelPaymentRequest{CancelReason: "구매자 변심"}
	if payment.IsPaid() {
		if to == nil {
			return nil, ErrRefundAccount
		}
		request.RefundReceiveAccount = to
	}
	return s.Toss.CancelPayment(ctx, paymentKey, request)
}

// Inbox is where events go; in a real shop it is a database.
type Inbox interface {
	// Secret returns the stored Payment.Secret of an order, or the zero Sensitive.
	Secret(ctx context.Context, orderID string) (tosspayments.Sensitive, error)
	// LookSoon marks an order for the job that reads its payment:
	// UPDATE orders SET look_at = now() WHERE id = ?.
	LookSoon(ctx context.Context, orderID string) error
	// Once stores an event that can be believed:
	// INSERT INTO events (identity, body) VALUES (?, ?) ON CONFLICT (identity) DO NOTHING.
	Once(ctx context.Context, identity string, body []byte) error
	// CardEnded marks the subscription that has this billing key.
	CardEnded(ctx context.Context, key tosspayments.Sensitive) error
}

// Receiver receives all webhooks of a shop.
func Receiver(inbox Inbox, securityKeys ...string) (*tosspayments.WebhookHandler, error) {
	verifier, err := tosspayments.NewWebhookVerifier(securityKeys...)
	if err != nil {
		return nil, err
	}
	return &tosspayments.WebhookHandler{
		Verifier: verifier,     // payout.changed, seller.changed
		Secret:   inbox.Secret, // deposit callbacks
		Handle: func(ctx context.Context, d tosspayments.WebhookDelivery) error {
			return Store(ctx, inbox, d)
		},
		Logger: slog.Default(),
	}, nil
}

// Store keeps what an event is good for. nil answers 200, an error 500.
func Store(ctx context.Context, inbox Inbox, d tosspayments.WebhookDelivery) error {
	event := d.Event
	switch {
	case event.OrderID() != "":
		return inbox.LookSoon(ctx, event.OrderID()) // whatever it claims: a job reads the payment
	case d.Trust == tosspayments.WebhookSigned:
		return inbox.Once(ctx, event.Identity(), event.Body)
	case event.Billing != nil:
		return inbox.CardEnded(ctx, event.Billing.BillingKey)
	}
	return nil // not for this shop: 200 all the same, else it comes seven times more
}

// Mount mounts the receiver with net/http.
func Mount(mux *http.ServeMux, handler *tosspayments.WebhookHandler) {
	mux.Handle("POST /webhooks/toss", handler)
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
	text, err := json.Marshal(key)
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
	return key, json.Unmarshal(text, &key)
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
	// State is due, charging, paid, card (a new one is needed), failed or review.
	State string
	// Attempt is part of the order id; it grows when an attempt was refused.
	Attempt int
	// Refusals counts those that the calendar knows.
	Refusals int
	// NextAt is when a due row is run.
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

// RunCharge runs a row that this process has claimed: its state was set to charging, by
// a conditional update that is committed. Store the row afterwards.
func (s *Shop) RunCharge(ctx context.Context, key tosspayments.BillingKey, row *Charge) error {
	payment, err := s.Toss.ChargeBilling(ctx, key, tosspayments.ChargeBillingRequest{
		OrderID:   row.OrderID(),
		OrderName: "원두 구독 " + row.Period,
		Amount:    row.Amount,
	})
	var refused *tosspayments.Error
	switch {
	case err == nil:
		row.State, row.PaymentKey = "paid", payment.PaymentKey
	case errors.Is(err, tosspayments.ErrDuplicatedOrderID) && errors.As(err, &refused):
		row.found(refused.Payment) // this attempt was made before
		return nil
	case errors.Is(err, tosspayments.ErrOutcomeUnknown), errors.Is(err, tosspayments.ErrNotSent):
		return err // the row stays charging: SettleCharge looks again
	case errors.As(err, &refused):
		row.refuse(refused.Code)
	default:
		row.State = "review" // *ValidationError, *MismatchError
	}
	return err
}

// SettleCharge finds out how a row has ended that has been charging for five minutes:
// longer than a call takes.
func (s *Shop) SettleCharge(ctx context.Context, key tosspayments.BillingKey, row *Charge) error {
	payment, err := s.Toss.GetPaymentByOrderID(ctx, row.OrderID())
	if errors.Is(err, tosspayments.ErrNotFoundPayment) {
		return s.RunCharge(ctx, key, row) // never made: the same order id again
	}
	if err == nil {
		row.found(payment)
	}
	return err
}

// found takes the payment that the order id belongs to.
func (c *Charge) found(payment *tosspayments.Payment) {
	switch {
	case payment == nil: // not found out yet
	case payment.OrderID != c.OrderID(), payment.TotalAmount != c.Amount, payment.Type != tosspayments.PaymentTypeBilling:
		c.State = "review"
	case payment.IsPaid():
		c.State, c.PaymentKey = "paid", payment.PaymentKey
	case payment.Status == tosspayments.PaymentStatusAborted && payment.Failure != nil:
		c.refuse(payment.Failure.Code)
	case payment.Status != tosspayments.PaymentStatusInProgress:
		c.State = "review" // cancelled, for instance
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
