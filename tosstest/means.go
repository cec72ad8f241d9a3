package tosstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// plastic is a card as answers show it.
type plastic struct{ Issuer, Acquirer, Number, Kind string }

const (
	creditCard  = "신용"
	unknownCard = "미확인"
)

// cardOf is a card of an issuer, of which no number was given.
func cardOf(issuer string) plastic {
	if issuer == "" {
		issuer = institutions.CardHyundai
	}
	acquirer := issuer
	if issuer == institutions.CardHyundai {
		acquirer = institutions.CardBC
	}
	return plastic{issuer, acquirer, "43301234****123*", creditCard}
}

// typedCard is the card of a number. The issuer follows from the first digits as far as
// public answers show it.
func typedCard(number string) plastic {
	c := cardOf("")
	if strings.HasPrefix(number, "941000") {
		c = cardOf(institutions.CardHana)
	}
	if unsupportedCard(number) {
		c.Kind = unknownCard
	}
	last := len(number) - 4
	c.Number = number[:8] + strings.Repeat("*", last-8) + number[last:last+3] + "*"
	return c
}

// unsupportedCard reports whether the real test environment registers a card and then
// refuses its charges with NOT_SUPPORTED_CARD_TYPE. That was measured for two numbers.
func unsupportedCard(number string) bool {
	return number == "4330121234567890" || number == "5520221234567890"
}

// card is the one that a payment was made with.
func (p *payment) card() plastic {
	switch {
	case p.typed != nil:
		return *p.typed
	case p.billing != nil:
		return p.billing.Card
	}
	return cardOf(p.checkout.CardCompany)
}

func (p *payment) cardJSON(amount tosspayments.Amount, inEnglish bool) json.RawMessage {
	c := p.card()
	return fixtures().card.fill(map[string]any{
		"amount":                amount,
		"issuerCode":            c.Issuer,
		"acquirerCode":          c.Acquirer,
		"number":                c.Number,
		"approveNo":             p.approveNo,
		"installmentPlanMonths": p.checkout.InstallmentPlanMonths,
		"useCardPoint":          p.cardPoint,
		"cardType":              cardType(c.Kind, inEnglish),
		"ownerType":             word(inEnglish, "개인", "Personal"),
	})
}

func cardType(kind string, inEnglish bool) string {
	if kind == unknownCard {
		return word(inEnglish, kind, "Unknown")
	}
	return word(inEnglish, kind, "Credit")
}

// meansJSON adds what a payment was made with, under the names that payments and
// settlements share.
func (p *payment) meansJSON(values map[string]any, inEnglish bool) {
	c := &p.checkout
	switch {
	case p.account != nil:
		values["virtualAccount"] = p.account.json(inEnglish)
	case c.Method == tosspayments.MethodTransfer:
		values["transfer"] = map[string]any{"bankCode": c.bank(), "settlementStatus": "INCOMPLETED"}
	case c.Method == tosspayments.MethodMobilePhone:
		values["mobilePhone"] = map[string]any{
			"customerMobilePhone": "01012345678", "settlementStatus": "INCOMPLETED", "receiptUrl": p.receipt,
		}
	case c.Method == tosspayments.MethodForeignEasyPay:
		values["easyPay"] = p.walletJSON(c.Amount, inEnglish)
	case isGiftCertificate(c.Method):
		values["giftCertificate"] = map[string]any{"approveNo": p.approveNo, "settlementStatus": "INCOMPLETED"}
	case c.EasyPay == "":
		values["card"] = p.cardJSON(c.Amount, inEnglish)
	default:
		// What the points leave is paid by the card that was asked for, or with money.
		rest := c.Amount.Sub(c.EasyPayPoints)
		if c.CardCompany != "" && !rest.IsZero() {
			values["card"] = p.cardJSON(rest, inEnglish)
			rest = tosspayments.Amount{}
		}
		values["easyPay"] = p.walletJSON(rest, inEnglish)
	}
}

func (p *payment) walletJSON(money tosspayments.Amount, inEnglish bool) map[string]any {
	return map[string]any{
		"provider": wallet(string(p.checkout.EasyPay), inEnglish), "amount": money, "discountAmount": p.checkout.EasyPayPoints,
	}
}

// validateMeans checks what a purchase is paid with.
func (c *Checkout) validateMeans() error {
	method, isKnown := institutions.LookupMethod(c.Method)
	switch {
	case c.Method != "" && (!isKnown || !isMethod(tosspayments.Method(method.Code))):
		return fmt.Errorf("method %q is not known", c.Method)
	case c.Bank != "" && bankCode(c.Bank) == "":
		return fmt.Errorf("bank %q is not known", c.Bank)
	case c.CardCompany != "" && cardCode(c.CardCompany) == "":
		return fmt.Errorf("card company %q is not known", c.CardCompany)
	}
	if _, known := institutions.LookupEasyPay(c.EasyPay); c.EasyPay != "" && !known {
		return fmt.Errorf("easyPay %q is not known", c.EasyPay)
	}
	points := c.EasyPayPoints
	if points.Cmp(tosspayments.Amount{}) < 0 || points.Cmp(c.Amount) > 0 || c.EasyPay == "" && !points.IsZero() {
		return errors.New("easyPayPoints must be between 0 and the amount, and need a wallet")
	}
	return nil
}

// useCodes replaces the spellings of a purchase that was checked.
func (c *Checkout) useCodes() {
	method, _ := institutions.LookupMethod(c.Method)
	if c.Method = tosspayments.Method(method.Code); c.Method == tosspayments.MethodCard {
		c.Method = ""
	}
	c.Bank, c.CardCompany = bankCode(c.Bank), cardCode(c.CardCompany)
	if provider, known := institutions.LookupEasyPay(c.EasyPay); known {
		c.EasyPay = tosspayments.EasyPayProvider(provider.Code)
	}
}

// bankCode is the code of a bank in any spelling; "" where it is not known.
func bankCode(text string) string {
	bank, _ := institutions.LookupBank(text)
	return bank.Code
}

// cardCode is the code of a card company in any spelling; "" where it is not known.
func cardCode(text string) string {
	company, _ := institutions.LookupCardCompany(text)
	return company.Code
}

// WithMaximumAmount refuses larger payments with EXCEED_MAX_AMOUNT, as a contract may.
// Without this option there is no maximum. The minimum is always the documented one, 100
// won by card and 200 won from or into an account; less is BELOW_MINIMUM_AMOUNT.
func WithMaximumAmount(amount tosspayments.Amount) Option {
	return func(s *Server) { s.maximum = amount }
}

// refuseAmount is the code for an amount that cannot be paid.
func (s *Server) refuseAmount(c *Checkout) tosspayments.ErrorCode {
	minimum := int64(0)
	switch c.Method {
	case "", tosspayments.MethodCard:
		minimum = 100
	case tosspayments.MethodVirtualAccount, tosspayments.MethodTransfer:
		minimum = 200
	}
	isWon := c.Currency == "" || c.Currency == tosspayments.CurrencyKRW
	switch {
	case isWon && c.Amount.Cmp(tosspayments.Won(minimum)) < 0:
		return tosspayments.ErrBelowMinimumAmount
	case !s.maximum.IsZero() && c.Amount.Cmp(s.maximum) > 0:
		return tosspayments.ErrExceedMaxAmount
	}
	return ""
}
