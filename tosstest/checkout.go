package tosstest

import (
	"errors"
	"fmt"

	"github.com/seed238ab19c/tosspayments"
)

// Checkout is a purchase as the shop hands it to the payment window.
type Checkout struct {
	OrderID, OrderName string
	Amount             tosspayments.Amount
	// Widget opens the payment with the widget pair of keys, as widgets() in the browser
	// does. [Server.WidgetClient] confirms it. Otherwise it is opened with the individual
	// pair, as by payment().
	Widget bool
	// Currency is KRW when empty.
	Currency string
	// Method is CARD when empty; VIRTUAL_ACCOUNT, TRANSFER, MOBILE_PHONE, FOREIGN_EASY_PAY
	// and the gift certificates are known too. Here and in what follows the API's codes
	// and their Korean and English names are accepted.
	Method tosspayments.Method
	// Bank is that of a virtual account or transfer, such as "88", "SHINHAN" or "신한"; ""
	// is "20".
	Bank string
	// ValidHours is how long a virtual account can be paid into; 0 is 168.
	ValidHours int
	// EasyPay is the wallet that the buyer picks, such as "TOSSPAY" or "토스페이"; ""
	// is a card. A wallet pays with its money, so that Payment.Card is nil, unless
	// CardCompany names the card behind it.
	EasyPay tosspayments.EasyPayProvider
	// EasyPayPoints are points and coupons of the wallet that pay a part of the amount, or
	// all.
	EasyPayPoints tosspayments.Amount
	// CardCompany is the issuer, such as "61"; "" is one that the server picks.
	CardCompany string
	// InstallmentPlanMonths is 0 for one sum.
	InstallmentPlanMonths int
	// CustomerName is the buyer's name; virtual accounts show it.
	CustomerName string
	// Metadata comes back with the payment.
	Metadata map[string]string
	// TaxFreeAmount is the tax-free part of the amount.
	TaxFreeAmount tosspayments.Amount
	// UseEscrow is shown as Payment.UseEscrow, and has no other effect: nothing is known of
	// what escrow changes in the API.
	UseEscrow bool
	// Refusal is the code with which the card company will refuse the confirm.
	Refusal tosspayments.ErrorCode
}

// OpenWindow opens the payment window and returns the payment key: the payment is
// READY, and the buyer has 30 minutes.
func (s *Server) OpenWindow(checkout Checkout) string {
	if s.tb != nil {
		s.tb.Helper()
	}
	if err := checkout.validate(); err != nil {
		s.misuse(err)
		return ""
	}
	var p *payment
	s.change(func() { p = s.open(checkout) })
	return p.key
}

// Authenticate plays the buyer: opens the window, picks the card or wallet and
// authenticates. It returns what the browser brings to successUrl, with a paymentType
// only where Widget is set; the payment is IN_PROGRESS and can be confirmed for ten
// minutes. A purchase that the window would not accept panics, or fails the test.
func (s *Server) Authenticate(checkout Checkout) tosspayments.SuccessRedirect {
	if s.tb != nil {
		s.tb.Helper()
	}
	if err := checkout.validate(); err != nil {
		s.misuse(err)
		return tosspayments.SuccessRedirect{}
	}
	var p *payment
	s.change(func() {
		p = s.open(checkout)
		s.authenticate(p, s.clock.now())
	})
	return p.redirect()
}

// AuthenticatePayment is [Server.Authenticate] for a payment that is open already: by
// [Server.OpenWindow], by the script, or by the API (POST /v1/payments).
func (s *Server) AuthenticatePayment(paymentKey string) tosspayments.SuccessRedirect {
	if s.tb != nil {
		s.tb.Helper()
	}
	var p *payment
	s.change(func() {
		if p = s.payments[paymentKey]; p == nil || p.status != tosspayments.PaymentStatusReady {
			p = nil
			return
		}
		s.authenticate(p, s.clock.now())
	})
	if p == nil {
		s.misuse(fmt.Errorf("the payment %q does not wait for a buyer", paymentKey))
		return tosspayments.SuccessRedirect{}
	}
	return p.redirect()
}

// redirect is what the browser brings to successUrl.
func (p *payment) redirect() tosspayments.SuccessRedirect {
	r := tosspayments.SuccessRedirect{PaymentKey: p.key, OrderID: p.checkout.OrderID, Amount: p.checkout.Amount}
	if p.checkout.Widget {
		r.PaymentType = "NORMAL"
	}
	return r
}

// isWhole reports whether an amount has no decimals that its currency does not have.
func isWhole(amount tosspayments.Amount, currency string) bool {
	_, whole := amount.Int64()
	return whole || currency != "" && currency != tosspayments.CurrencyKRW && currency != tosspayments.CurrencyJPY
}

func (c *Checkout) validate() error {
	if err := tosspayments.ValidateOrderID(c.OrderID); err != nil {
		return err
	}
	if err := tosspayments.ValidateOrderName(c.OrderName); err != nil {
		return err
	}
	switch {
	case c.Amount.Sign() <= 0:
		return errors.New("amount must be more than 0")
	case !isWhole(c.Amount, c.Currency) || !isWhole(c.TaxFreeAmount, c.Currency):
		return errors.New("amounts in won and yen must be whole")
	case c.TaxFreeAmount.Cmp(c.Amount) > 0 || c.TaxFreeAmount.Cmp(tosspayments.Amount{}) < 0:
		return errors.New("taxFreeAmount must be between 0 and the amount")
	case c.Refusal != "":
		if _, ok := c.Refusal.Info(); !ok {
			return fmt.Errorf("refusal %q is not a known error code", c.Refusal)
		}
	}
	return c.validateMeans()
}
