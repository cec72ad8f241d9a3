package recipes

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// NewPayouts reads the keys from the environment. While the security key is being replaced
// the newest comes first.
func NewPayouts(toss *tosspayments.Client) (*payouts.Client, error) {
	return payouts.New(toss, os.Getenv("TOSS_SECURITY_KEY"))
}

// RegisterSeller registers a person who sells in the shop.
func RegisterSeller(ctx context.Context, client *payouts.Client, id string, person *payouts.Individual, account payouts.Account) (*payouts.Seller, error) {
	return client.RegisterSeller(ctx, payouts.RegisterSellerRequest{
		RefSellerID:  id,
		BusinessType: payouts.BusinessTypeIndividual,
		Individual:   person,
		Account:      account,
	}, tosspayments.WithIdempotencyKey("seller-"+id))
}

// Batch is a batch of payouts, stored before it is requested.
type Batch struct {
	Payouts []payouts.PayoutRequest
	// State is open, requested, refused or review (a person has to look).
	State string
	// Code says why it was refused.
	Code tosspayments.ErrorCode
	// NextAt is when an open batch is requested, or requested again.
	NextAt time.Time
}

// Run requests a batch that is open. It may be run again at any time within 15 days.
func (b *Batch) Run(ctx context.Context, client *payouts.Client) error {
	_, err := client.RequestPayouts(ctx, b.Payouts)
	b.record(err)
	return err
}

// record notes how a request has ended.
func (b *Batch) record(err error) {
	if err == nil {
		b.State = "requested"
		return
	}
	switch tosspayments.OutcomeOf(nil, err) {
	case tosspayments.OutcomeRefused:
		b.State, b.Code = "refused", tosspayments.CodeOf(err) // nothing was requested
	case tosspayments.OutcomeUnknown:
		b.NextAt = time.Now().Add(5 * time.Minute) // still open: the same batch again
	default:
		b.State = "review" // other payouts have these ids, or the batch makes no request
	}
}

// PayoutHandler receives what happens to payouts and sellers, verified with the security key.
func PayoutHandler(securityKey string, save func(*payouts.Payout) error, wake func(*payouts.Seller) error) (http.Handler, error) {
	verifier, err := webhook.NewVerifier(securityKey)
	if err != nil {
		return nil, err
	}
	return &webhook.Handler{Verifier: verifier, Handle: func(_ context.Context, d webhook.Delivery) error {
		switch d.Event.Type {
		case webhook.PayoutChanged:
			payout, err := payouts.PayoutOf(d.Event)
			if err != nil {
				return err
			}
			return save(payout)
		case webhook.SellerChanged:
			seller, err := payouts.SellerOf(d.Event)
			if err != nil {
				return err
			}
			return wake(seller)
		}
		return nil
	}}, nil
}

// CheckPayout reads a payout of which no event has come, and saves it if it has ended.
func CheckPayout(ctx context.Context, client *payouts.Client, id string, save func(*payouts.Payout) error) error {
	payout, err := client.GetPayout(ctx, id)
	if err != nil || !payout.Status.IsFinal() {
		return err
	}
	return save(payout)
}

// CheckAccount reports whether an account belongs to the name that the seller has typed in.
func CheckAccount(ctx context.Context, client *payouts.Client, account payouts.Account) (bool, error) {
	valid, err := client.VerifyHolderName(ctx, account)
	if err != nil {
		return false, fmt.Errorf("the account could not be checked: %w", err)
	}
	return valid, nil
}
