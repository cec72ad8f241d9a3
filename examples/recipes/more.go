package recipes

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/reconcile"
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

// ChargeMonth charges one month of a subscription, once.
func (s *Shop) ChargeMonth(ctx context.Context, subscription string, month time.Time, key tosspayments.BillingKey) (*tosspayments.Payment, error) {
	payment, err := s.Toss.ChargeBilling(ctx, key, tosspayments.ChargeBillingRequest{
		OrderID:   subscription + "-" + month.Format("2006-01"),
		OrderName: "원두 구독 " + month.Format("1월"),
		Amount:    tosspayments.Won(9900),
	})
	var duplicate *tosspayments.Error
	if errors.Is(err, tosspayments.ErrDuplicatedOrderID) && errors.As(err, &duplicate) && duplicate.Payment != nil {
		return duplicate.Payment, nil // charged before, by an earlier run
	}
	return payment, err
}

// Account issues a virtual account for an order.
func (s *Shop) Account(ctx context.Context, order Order, bank, customer string) (*tosspayments.Payment, error) {
	payment, err := s.Toss.IssueVirtualAccount(ctx, tosspayments.IssueVirtualAccountRequest{
		OrderID: order.ID, OrderName: order.Name, Amount: order.Amount,
		CustomerName: customer, Bank: bank, ValidHours: 24,
	})
	if err != nil {
		return nil, err
	}
	fmt.Println(payment.VirtualAccount.AccountNumber.Reveal(), payment.VirtualAccount.DueDate)
	return payment, nil
}

// Webhooks receives events: deposits are matched by the stored secret, everything else
// is read from Toss Payments.
func (s *Shop) Webhooks(secret func(context.Context, string) (tosspayments.Sensitive, error), store func(context.Context, tosspayments.WebhookDelivery) error) http.Handler {
	return &tosspayments.WebhookHandler{
		Client: s.Toss,
		Secret: secret,
		Handle: store,
	}
}

// Reconcile compares a day of the shop's own books with Toss Payments.
func (s *Shop) Reconcile(ctx context.Context, ledger iter.Seq2[reconcile.Entry, error]) error {
	yesterday := tosspayments.DateOf(time.Now()).AddDays(-1)
	for difference, err := range reconcile.Transactions(ctx, s.Toss, yesterday, ledger) {
		if err != nil {
			return err
		}
		fmt.Println(difference)
	}
	return nil
}
