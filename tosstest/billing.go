package tosstest

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// billing is a registration.
type billing struct {
	number           int // from 1
	AuthKey          string
	Key, CustomerKey string
	RegisteredAt     time.Time
	Removed          bool
	Card             plastic
	// Unsupported is set where every charge is refused for the type of the card.
	Unsupported bool
	// Bank is the code of the bank of an account; "" is a card.
	Bank string
	// Refusal is the code with which charges are refused.
	Refusal tosspayments.ErrorCode
}

// Registration is a card as the buyer registers it for recurring payment.
type Registration struct {
	CustomerKey string
	// CardCompany is the issuer, such as "41", "SHINHAN" or "신한"; "" is "61".
	CardCompany string
	// Bank is the bank, such as "88", where the buyer registers an account; "" is
	// a card.
	Bank string
	// Refusal is the code with which every charge will be refused: an expired card
	// (INVALID_CARD_EXPIRATION), a limit (REJECT_CARD_PAYMENT), a stopped card
	// (INVALID_STOPPED_CARD); "" for a card that works.
	Refusal tosspayments.ErrorCode
}

// Register plays the buyer who registers a card, and returns what the browser brings
// to successUrl. Its authKey works once.
func (s *Server) Register(registration Registration) tosspayments.BillingRedirect {
	if s.tb != nil {
		s.tb.Helper()
	}
	err := tosspayments.ValidateCustomerKey(registration.CustomerKey)
	_, known := registration.Refusal.Info()
	switch {
	case err != nil:
	case registration.Refusal != "" && !known:
		err = errors.New("refusal is not a known error code")
	case registration.CardCompany != "" && cardCode(registration.CardCompany) == "":
		err = errors.New("the card company is not known")
	case registration.Bank != "" && bankCode(registration.Bank) == "":
		err = errors.New("the bank is not known")
	}
	if err != nil {
		s.misuse(err)
		return tosspayments.BillingRedirect{}
	}
	var authKey string
	s.change(func() { authKey = s.register(registration) })
	return tosspayments.BillingRedirect{CustomerKey: registration.CustomerKey, AuthKey: tosspayments.NewSensitive(authKey)}
}

func (s *Server) register(registration Registration) (authKey string) {
	authKey = "bln_" + s.hex(16)
	b := &billing{
		AuthKey: authKey, CustomerKey: registration.CustomerKey, Card: cardOf(cardCode(registration.CardCompany)), Bank: bankCode(registration.Bank), Refusal: registration.Refusal,
	}
	s.authKeys[authKey] = b
	s.number(b)
	return authKey
}

// number adds a registration.
func (s *Server) number(b *billing) {
	s.allBillings = append(s.allBillings, b)
	b.number = len(s.allBillings)
	s.unsaved.billings = append(s.unsaved.billings, b)
}

// SetRefusal changes how later charges of a billing key end; "" lets them succeed.
func (s *Server) SetRefusal(key tosspayments.BillingKey, refusal tosspayments.ErrorCode) {
	s.change(func() {
		b := s.billings[key.Key.Reveal()]
		if b == nil {
			s.misuse(errors.New("no such billing key"))
			return
		}
		b.Refusal = refusal
		s.unsaved.billings = append(s.unsaved.billings, b)
	})
}

// RevokeBillingKey ends a billing key as a card company or the dashboard does.
func (s *Server) RevokeBillingKey(key tosspayments.BillingKey) {
	if s.tb != nil {
		s.tb.Helper()
	}
	s.change(func() {
		b := s.billings[key.Key.Reveal()]
		if b == nil {
			s.misuse(errors.New("no such billing key"))
			return
		}
		if !b.Removed {
			s.removeBilling(b, nil)
		}
	})
}

func (s *Server) issueBillingKey(r *request) reply {
	var body struct {
		AuthKey     string `json:"authKey"`
		CustomerKey string `json:"customerKey"`
	}
	if !decode(r.body, &body) {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	if code := refuseCustomerKey(body.CustomerKey); code != "" {
		return r.refuse(code)
	}
	b := s.authKeys[body.AuthKey]
	switch {
	case b == nil:
		return r.refuse(s.guess(UnknownAuthKey))
	case b.CustomerKey != body.CustomerKey:
		return r.refuse(s.guess(OtherCustomersAuthKey))
	}
	delete(s.authKeys, body.AuthKey)
	return s.issue(r, b)
}

func (s *Server) issueBillingKeyByCard(r *request) reply {
	var body struct {
		CustomerKey string `json:"customerKey"`
		card
	}
	if !decode(r.body, &body) {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	if code := cmp.Or(refuseCustomerKey(body.CustomerKey), body.refusal()); code != "" {
		return r.refuse(code)
	}
	return s.issue(r, &billing{CustomerKey: body.CustomerKey, Card: typedCard(body.Number), Unsupported: unsupportedCard(body.Number)})
}

// refuseCustomerKey is as lenient as the real service was measured to be: any characters,
// and a broken database for 301 of them.
func refuseCustomerKey(key string) tosspayments.ErrorCode {
	switch n := utf8.RuneCountInString(key); {
	case n == 0:
		return tosspayments.ErrInvalidRequest
	case n > 300:
		return tosspayments.ErrFailedDBProcessing
	}
	return ""
}

func (s *Server) issue(r *request, b *billing) reply {
	b.Key = "Fake" + s.hex(20) + "="
	b.RegisteredAt = s.clock.now()
	s.billings[b.Key] = b
	if b.number == 0 {
		s.number(b)
	} else {
		s.unsaved.billings = append(s.unsaved.billings, b)
	}
	values := map[string]any{
		"customerKey": b.CustomerKey, "authenticatedAt": stamp(b.RegisteredAt), "billingKey": b.Key, "method": word(r.english, "카드", "Card"),
	}
	company, _ := institutions.LookupCardCompany(b.Card.Issuer)
	values["cardCompany"], values["cardNumber"] = company.KoreanShort, b.Card.Number
	values["card"] = fixtures().billingCard.fill(map[string]any{
		"issuerCode": b.Card.Issuer, "acquirerCode": b.Card.Acquirer, "number": b.Card.Number, "cardType": cardType(b.Card.Kind, r.english),
		"ownerType": word(r.english, "개인", "Personal"),
	})
	if b.Bank != "" {
		bank, _ := institutions.LookupBank(b.Bank)
		values["method"] = word(r.english, "계좌이체", "Account transfer")
		values["card"], values["cardCompany"], values["cardNumber"] = nil, nil, nil
		values["transfers"] = []any{map[string]string{"bankName": bank.Korean, "bankAccountNumber": "100******789"}}
	}
	return ok(fixtures().billing.fill(values))
}

func (s *Server) deleteBillingKey(r *request) reply {
	b := s.billings[r.subject]
	switch {
	case b == nil:
		return r.refuse(s.guess(UnknownBillingKey))
	case b.Removed:
		return r.refuse(s.guess(SecondDelete))
	}
	s.removeBilling(b, "API를 통한 삭제 요청")
	return reply{status: http.StatusOK}
}

// card is a card as it is typed in.
type card struct {
	Number   string `json:"cardNumber"`
	Year     string `json:"cardExpirationYear"`
	Month    string `json:"cardExpirationMonth"`
	Identity string `json:"customerIdentityNumber"`
}

// refusal is what a card company says about what was typed in; "" accepts it.
func (c *card) refusal() tosspayments.ErrorCode {
	switch {
	case len(c.Number) < 14 || len(c.Number) > 20 || strings.Trim(c.Number, "0123456789") != "":
		return tosspayments.ErrInvalidCardNumber
	case len(c.Year) != 2 || len(c.Month) != 2 || c.Month < "01" || c.Month > "12":
		return tosspayments.ErrInvalidCardExpiration
	case len(c.Identity) != 6 && len(c.Identity) != 10:
		return tosspayments.ErrInvalidCardIdentity
	}
	return ""
}

// orderRequest is what every payment that needs no window is asked for with.
type orderRequest struct {
	OrderID       string              `json:"orderId"`
	OrderName     string              `json:"orderName"`
	Amount        tosspayments.Amount `json:"amount"`
	TaxFreeAmount tosspayments.Amount `json:"taxFreeAmount"`
	Installment   int                 `json:"cardInstallmentPlan"`
	UseCardPoint  bool                `json:"useCardPoint"`
	UseEscrow     bool                `json:"useEscrow"`
}

// refuseInstallment is what a card company says about the months; "" accepts them.
func (o *orderRequest) refuseInstallment() tosspayments.ErrorCode {
	switch {
	case !isInstallment(o.Installment):
		return tosspayments.ErrInvalidCardInstallmentPlan
	case o.Installment > 0 && o.Amount.Cmp(tosspayments.Won(50_000)) < 0:
		return tosspayments.ErrNotSupportedMonthlyInstallmentPlanBelowAmount
	}
	return ""
}

func (o *orderRequest) checkout() Checkout {
	return Checkout{
		OrderID: o.OrderID, OrderName: o.OrderName, Amount: o.Amount,
		TaxFreeAmount: o.TaxFreeAmount, InstallmentPlanMonths: o.Installment, UseEscrow: o.UseEscrow,
	}
}

// openOrder opens a payment under an order id, which is good for one, and asks the
// company.
func (s *Server) openOrder(r *request, checkout Checkout, b *billing) (*payment, tosspayments.ErrorCode) {
	switch first := r.shop.byOrder[checkout.OrderID]; {
	case first == nil:
	case first.busy:
		return nil, tosspayments.ErrAlreadyProcessingRequest
	case first.taken():
		return nil, tosspayments.ErrDuplicatedOrderID
	}
	p := s.open(checkout)
	p.shop.byOrder[p.checkout.OrderID] = p
	p.billing = b
	s.authenticate(p, s.clock.now())
	s.work(p, r)
	return p, ""
}

func (s *Server) chargeBilling(r *request) reply {
	var body struct {
		orderRequest
		CustomerKey string `json:"customerKey"`
	}
	ok := decode(r.body, &body)
	checkout := body.checkout()
	if !ok || checkout.validate() != nil {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	b := s.billings[r.subject]
	if code := cmp.Or(s.refuseCharge(b, body.CustomerKey, &checkout), body.refuseInstallment()); code != "" {
		return r.refuse(code)
	}
	if b.Bank != "" {
		checkout.Method, checkout.Bank = tosspayments.MethodTransfer, b.Bank
	}
	p, code := s.openOrder(r, checkout, b)
	if code != "" {
		return r.refuse(code)
	}
	if b.Refusal != "" {
		p.status, p.failure = tosspayments.PaymentStatusAborted, b.Refusal
		s.touch(p)
		return r.refuse(b.Refusal)
	}
	p.cardPoint = body.UseCardPoint
	s.approve(p)
	return s.success(r, p)
}

func (s *Server) keyIn(r *request) reply {
	var body struct {
		orderRequest
		card
	}
	ok := decode(r.body, &body)
	checkout := body.checkout()
	if !ok || checkout.validate() != nil {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	code := cmp.Or(body.refusal(), s.refuseAmount(&checkout), body.refuseInstallment())
	if code == "" && unsupportedCard(body.Number) {
		code = tosspayments.ErrNotSupportedCardType
	}
	if code != "" {
		return r.refuse(code)
	}
	p, code := s.openOrder(r, checkout, nil)
	if code != "" {
		return r.refuse(code)
	}
	typed := typedCard(body.Number)
	p.cardPoint, p.typed = body.UseCardPoint, &typed
	s.approve(p)
	return s.success(r, p)
}

func (s *Server) refuseCharge(b *billing, customerKey string, checkout *Checkout) tosspayments.ErrorCode {
	switch {
	case b == nil:
		return s.guess(UnknownBillingKey)
	case b.Removed:
		return tosspayments.ErrAlreadyRemovedBillingKey
	case b.CustomerKey != customerKey:
		return tosspayments.ErrNotMatchesCustomerKey
	case b.Unsupported:
		return tosspayments.ErrNotSupportedCardType
	}
	return s.refuseAmount(checkout)
}
