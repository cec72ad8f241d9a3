package tosstest

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// billing is a registration.
type billing struct {
	key, customerKey string
	registeredAt     time.Time
	removed          bool
	// company is the code of the card's issuer, "" that of the fixture.
	company string
	// refusal is the code with which charges are refused.
	refusal tosspayments.ErrorCode
}

// Registration is a card as the buyer registers it for recurring payment.
type Registration struct {
	CustomerKey string
	// CardCompany is the issuer's code, such as "41"; "" is "61".
	CardCompany string
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
	if _, known := registration.Refusal.Info(); err == nil && registration.Refusal != "" && !known {
		err = errors.New("refusal is not a known error code")
	}
	if err != nil {
		s.misuse(err)
		return tosspayments.BillingRedirect{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return tosspayments.BillingRedirect{CustomerKey: registration.CustomerKey, AuthKey: tosspayments.NewSensitive(s.register(registration))}
}

// registrationWindow is a window in which a buyer registers a card.
type registrationWindow struct{ customerKey, successURL, failURL string }

// registrationRequest is what the script's requestBillingAuth takes.
type registrationRequest struct {
	Method              string   `json:"method"`
	SuccessURL          string   `json:"successUrl"`
	FailURL             string   `json:"failUrl"`
	CustomerName        string   `json:"customerName"`
	CustomerEmail       string   `json:"customerEmail"`
	WindowTarget        string   `json:"windowTarget"`
	SelectableCardTypes []string `json:"selectableCardTypes"`
	FlowMode            string   `json:"flowMode"`
	EasyPay             string   `json:"easyPay"`
	CardCompany         string   `json:"cardCompany"`
}

func (s *Server) openRegistration(e envelope, base string) (address string, refused *windowRefusal) {
	var request registrationRequest
	if refused := s.openEnvelope(e, &request); refused != nil {
		return "", refused
	}
	switch {
	case tosspayments.ValidateCustomerKey(e.CustomerKey) != nil:
		return "", refuseWindow(tosspayments.ErrInvalidCustomerKey, "")
	case request.Method != string(tosspayments.MethodCard):
		return "", refuseWindow(tosspayments.ErrNotSupportedMethod, "tosstest: CARD")
	case !isAddress(request.SuccessURL):
		return "", refuseWindow(tosspayments.ErrIncorrectSuccessURLFormat, "")
	case !isAddress(request.FailURL):
		return "", refuseWindow(tosspayments.ErrIncorrectFailURLFormat, "")
	case request.FlowMode == "DIRECT" && request.CardCompany == "" && request.EasyPay == "":
		return "", refuseWindow(tosspayments.ErrInvalidFlowModeParameters, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "billing-" + s.hex(12)
	s.windows[id] = &registrationWindow{e.CustomerKey, request.SuccessURL, request.FailURL}
	return base + id, nil
}

// closeRegistration ends the window as the developer has chosen, with a card that
// behaves as chosen.
func (s *Server) closeRegistration(w http.ResponseWriter, r *http.Request, id string, window *registrationWindow, outcome string) {
	refusal := tosspayments.ErrorCode(r.PostFormValue("behaviour"))
	if _, known := refusal.Info(); refusal != "" && !known {
		http.Error(w, "behaviour", http.StatusBadRequest)
		return
	}
	code := map[string]tosspayments.ErrorCode{
		"cancel": tosspayments.ErrPayProcessCanceled, "reject": tosspayments.ErrRejectCardCompany, "abort": tosspayments.ErrPayProcessAborted,
	}[outcome]
	if outcome != "pay" && code == "" {
		http.Error(w, "outcome", http.StatusBadRequest)
		return
	}
	delete(s.windows, id)
	if code != "" {
		info, _ := code.Info()
		http.Redirect(w, r, withQuery(window.failURL, [][2]string{{"code", string(code)}, {"message", info.Korean}}), http.StatusSeeOther)
		return
	}
	company, _ := strings.CutPrefix(r.PostFormValue("means"), "card:")
	authKey := s.register(Registration{CustomerKey: window.customerKey, CardCompany: company, Refusal: refusal})
	http.Redirect(w, r, withQuery(window.successURL, [][2]string{{"customerKey", window.customerKey}, {"authKey", authKey}}), http.StatusSeeOther)
}

func (s *Server) register(registration Registration) (authKey string) {
	authKey = "bln_" + s.hex(16)
	s.authKeys[authKey] = &billing{customerKey: registration.CustomerKey, company: registration.CardCompany, refusal: registration.Refusal}
	return authKey
}

// SetRefusal changes how later charges of a billing key end; "" lets them succeed.
func (s *Server) SetRefusal(key tosspayments.BillingKey, refusal tosspayments.ErrorCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.billings[key.Key.Reveal()]
	if b == nil {
		s.misuse(errors.New("no such billing key"))
		return
	}
	b.refusal = refusal
}

// RevokeBillingKey ends a billing key as a card company or the dashboard does.
func (s *Server) RevokeBillingKey(key tosspayments.BillingKey) {
	if s.tb != nil {
		s.tb.Helper()
	}
	s.mu.Lock()
	defer s.release()
	b := s.billings[key.Key.Reveal()]
	if b == nil {
		s.misuse(errors.New("no such billing key"))
		return
	}
	if !b.removed {
		s.removeBilling(b, nil)
	}
}

func routeBilling(method string, p []string) (operation Operation, subject string) {
	switch {
	case method == http.MethodPost && len(p) == 4 && p[2] == "authorizations" && p[3] == "issue":
		return IssueBillingKey, ""
	case method == http.MethodPost && len(p) == 4 && p[2] == "authorizations" && p[3] == "card":
		return IssueBillingKeyByCard, ""
	case method == http.MethodPost && len(p) == 3:
		return ChargeBilling, p[2]
	case method == http.MethodDelete && len(p) == 3:
		return DeleteBillingKey, p[2]
	}
	return "", ""
}

func (s *Server) issueBillingKey(r request, operation Operation, inEnglish bool) reply {
	var body struct {
		AuthKey     string `json:"authKey"`
		CustomerKey string `json:"customerKey"`
		card
	}
	if !decode(r.body, &body) || tosspayments.ValidateCustomerKey(body.CustomerKey) != nil {
		return s.refusal(tosspayments.ErrInvalidRequest, inEnglish)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &billing{customerKey: body.CustomerKey}
	if operation == IssueBillingKey {
		b = s.authKeys[body.AuthKey]
		if b == nil {
			return s.refusal(tosspayments.ErrInvalidBillKeyRequest, inEnglish)
		}
		if b.customerKey != body.CustomerKey {
			return s.refusal(tosspayments.ErrInvalidCustomerKey, inEnglish)
		}
		delete(s.authKeys, body.AuthKey)
	} else if code := body.refusal(); code != "" {
		return s.refusal(code, inEnglish)
	}
	b.key = "Fake" + s.hex(20) + "="
	b.registeredAt = s.now()
	s.billings[b.key] = b
	method := "카드"
	if inEnglish {
		method = "Card"
	}
	values := map[string]any{
		"customerKey": b.customerKey, "authenticatedAt": stamp(b.registeredAt), "billingKey": b.key, "method": method,
	}
	if b.company != "" {
		company, _ := institutions.LookupCardCompany(b.company)
		values["card"] = fixtures().billingCard.fill(map[string]any{"issuerCode": b.company, "acquirerCode": b.company})
		values["cardCompany"] = company.KoreanShort
	}
	return reply{status: http.StatusOK, header: jsonHeader(), body: fixtures().billing.fill(values)}
}

func (s *Server) deleteBillingKey(key string, inEnglish bool) reply {
	s.mu.Lock()
	defer s.release()
	b := s.billings[key]
	switch {
	case b == nil:
		return s.refusal(tosspayments.ErrNotFoundBilling, inEnglish)
	case b.removed:
		return s.refusal(tosspayments.ErrAlreadyRemovedBillingKey, inEnglish)
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

// approveOrder makes a payment under an order id, which is good for one.
func (s *Server) approveOrder(r request, operation Operation, billingKey string, delay time.Duration, inEnglish bool) reply {
	var body struct {
		OrderID       string              `json:"orderId"`
		OrderName     string              `json:"orderName"`
		Amount        tosspayments.Amount `json:"amount"`
		TaxFreeAmount tosspayments.Amount `json:"taxFreeAmount"`
		CustomerKey   string              `json:"customerKey"`
		Installment   int                 `json:"cardInstallmentPlan"`
		UseCardPoint  bool                `json:"useCardPoint"`
		card
		accountRequest
	}
	ok := decode(r.body, &body)
	checkout := Checkout{
		OrderID: body.OrderID, OrderName: body.OrderName, Amount: body.Amount,
		TaxFreeAmount: body.TaxFreeAmount, InstallmentPlanMonths: body.Installment,
	}
	if operation == IssueVirtualAccount {
		checkout.Method = tosspayments.MethodVirtualAccount
	}
	if !ok || checkout.validate() != nil {
		return s.refusal(tosspayments.ErrInvalidRequest, inEnglish)
	}
	s.mu.Lock()
	defer s.release()
	b := s.billings[billingKey]
	refused := tosspayments.ErrorCode("")
	switch operation {
	case ChargeBilling:
		refused = b.refuseCharge(body.CustomerKey)
	case KeyIn:
		refused = body.card.refusal()
	case IssueVirtualAccount:
		refused = body.accountRequest.refusal(s.now())
	}
	first := s.byOrder[body.OrderID]
	switch {
	case refused != "":
		return s.refusal(refused, inEnglish)
	case first != nil && first.busy:
		return s.refusal(tosspayments.ErrAlreadyProcessingRequest, inEnglish)
	case first != nil && first.taken():
		return s.refusal(tosspayments.ErrDuplicatedOrderID, inEnglish)
	}
	p := s.open(checkout)
	s.byOrder[body.OrderID] = p
	p.billing, p.cardPoint = b, body.UseCardPoint
	s.authenticate(p, s.now())
	s.work(p, delay)
	if operation == IssueVirtualAccount {
		s.issueAccount(p, body.accountRequest)
		return s.success(p, inEnglish)
	}
	if b != nil && b.refusal != "" {
		p.status, p.failure = tosspayments.PaymentStatusAborted, b.refusal
		return s.refusal(b.refusal, inEnglish)
	}
	s.approve(p)
	return s.success(p, inEnglish)
}

func (b *billing) refuseCharge(customerKey string) tosspayments.ErrorCode {
	switch {
	case b == nil:
		return tosspayments.ErrNotFoundBilling
	case b.removed:
		return tosspayments.ErrAlreadyRemovedBillingKey
	case b.customerKey != customerKey:
		return tosspayments.ErrNotMatchesCustomerKey
	}
	return ""
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json;charset=UTF-8"}} }
