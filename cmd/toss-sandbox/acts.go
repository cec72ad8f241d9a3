package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// maxAct bounds what a page sends.
const maxAct = 16 << 10

// answering serves a function that takes and gives JSON. Its error is shown to the reader
// of the page.
func answering[In, Out any](do func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAct)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(encode(out))
	}
}

// act is a press of a button.
type act struct {
	Do string `json:"do"`
	// Of is the payment key, transmission id, duration, fault, seller, payout, customer or
	// held request that it is about.
	Of string `json:"of"`
	// Operation is whose next request goes wrong; "" is any.
	Operation tosstest.Operation `json:"operation"`
	// Payment is the key of the payment whose next request goes wrong; "" is any.
	Payment string `json:"payment"`
	// Code is that of a refusal.
	Code tosspayments.ErrorCode `json:"code"`
	// Amount is what is given back, "" for all that is left, or what is added or paid out.
	Amount string `json:"amount"`
	// Method is the key of a BrandPay method.
	Method string `json:"method"`
}

type done struct{}

// do does what a button says.
func (b *sandbox) do(ctx context.Context, a act) (done, error) {
	defer b.feed.touch()
	switch a.Do {
	case "deposit", "bounce", "overdue", "refund", "authenticate":
		return done{}, b.atPayment(a)
	case "identify", "kyc", "require-kyc":
		return done{}, b.atSeller(a)
	case "register-seller":
		return done{}, b.registerSeller(ctx)
	case "pay-out", "pay-out-later":
		return done{}, b.payOut(ctx, a)
	case "payday", "complete", "fail":
		return done{}, b.atPayout(a)
	case "add-balance":
		return done{}, b.addBalance(a)
	case "agree", "add-card", "add-account", "remove-method", "expire-token":
		return done{}, b.atCustomer(a)
	case "release":
		return done{}, b.release(a.Of)
	case "resend":
		return done{}, b.toss.ResendWebhook(a.Of)
	case "advance":
		d, err := time.ParseDuration(a.Of)
		if err != nil || d <= 0 {
			return done{}, errors.New("a duration such as 30m is missing")
		}
		b.toss.Advance(d)
	case "fault":
		return done{}, b.inject(a)
	case "clear":
		b.toss.ClearFaults()
	default:
		return done{}, fmt.Errorf("no button is called %q", a.Do)
	}
	return done{}, nil
}

// slowness is how long a slow answer takes.
const slowness = 20 * time.Second

// inject lets the next request, or event, go wrong.
func (b *sandbox) inject(a act) error {
	f := tosstest.Fault{Operation: a.Operation, PaymentKey: a.Payment}
	switch a.Of {
	case "gate", "gate-answer":
		b.hold(a)
		return nil
	case "refuse":
		if _, known := a.Code.Info(); !known {
			return fmt.Errorf("no error code is called %q", a.Code)
		}
		f.Kind, f.Code = tosstest.Refuse, a.Code
	case "500":
		f.Kind, f.Code = tosstest.Refuse, tosspayments.ErrFailedInternalSystemProcessing
	case "502":
		f.Kind = tosstest.BadGateway
	case "429":
		f.Kind, f.RetryAfter = tosstest.RateLimit, "1"
	case "slow":
		f.Kind, f.Delay = tosstest.Delay, slowness
	case "lose":
		f.Kind, f.AfterEffect = tosstest.Drop, true
	case "drop":
		f.Kind = tosstest.Drop
	case "duplicate", "hold", "delay":
		w := tosstest.WebhookFault{Kind: tosstest.WebhookFaultKind(a.Of), Delay: slowness}
		b.toss.InjectWebhook(w)
		return nil
	case "lose-webhook":
		b.toss.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook})
		return nil
	default:
		return fmt.Errorf("no fault is called %q", a.Of)
	}
	b.toss.Inject(f)
	return nil
}

// waiting is a fault that nothing has met yet.
type waiting struct {
	Of        string                 `json:"of"`
	Operation tosstest.Operation     `json:"operation,omitempty"`
	Payment   string                 `json:"payment,omitempty"`
	Code      tosspayments.ErrorCode `json:"code,omitempty"`
}

// faults are those that nothing has met yet, in the words of the buttons.
func (b *sandbox) faults() []waiting {
	list := []waiting{}
	for _, f := range b.toss.Faults() {
		w := waiting{Operation: f.Operation, Payment: f.PaymentKey}
		switch f.Kind {
		case tosstest.Refuse:
			w.Of, w.Code = "refuse", f.Code
			if f.Code == tosspayments.ErrFailedInternalSystemProcessing {
				w.Of, w.Code = "500", ""
			}
		case tosstest.BadGateway:
			w.Of = "502"
		case tosstest.RateLimit:
			w.Of = "429"
		case tosstest.Delay:
			w.Of = "slow"
		case "":
			w.Of = "gate"
			if f.AfterEffect {
				w.Of = "gate-answer"
			}
		default:
			w.Of = "drop"
			if f.AfterEffect {
				w.Of = "lose"
			}
		}
		list = append(list, w)
	}
	for _, f := range b.toss.WebhookFaults() {
		of := string(f.Kind)
		if f.Kind == tosstest.LoseWebhook {
			of = "lose-webhook"
		}
		list = append(list, waiting{Of: of})
	}
	return list
}

// payment is one that the page shows.
func (b *sandbox) payment(key string) (p tosspayments.Payment, err error) {
	detail, ok := b.feed.detail(payments, key).(*documentDetail)
	if !ok {
		return p, errors.New("the sandbox does not know this payment")
	}
	return p, json.Unmarshal(detail.Document, &p)
}

// atPayment does what a button of a payment says.
func (b *sandbox) atPayment(a act) error {
	p, err := b.payment(a.Of)
	if err != nil {
		return err
	}
	switch a.Do {
	case "authenticate":
		if p.Status != tosspayments.PaymentStatusReady {
			return fmt.Errorf("a payment that is %s has no window", p.Status)
		}
		b.toss.AuthenticatePayment(a.Of)
		return nil
	case "deposit":
		return b.toss.Deposit(p.OrderID, p.TotalAmount)
	case "bounce":
		return b.toss.Bounce(p.OrderID)
	case "overdue":
		return b.toss.ExpireAccount(p.OrderID)
	}
	var part tosspayments.Amount
	if a.Amount != "" {
		if part, err = tosspayments.ParseAmount(a.Amount); err != nil || part.Sign() <= 0 {
			return fmt.Errorf("%q is no amount", a.Amount)
		}
	}
	return b.toss.Refund(p.OrderID, part, "샌드박스에서 환불")
}
