package tosstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// More operations of BrandPay. Those with "customer" go with the token of the customer.
const (
	GetBrandPayTerms           Operation = "get brandpay terms"
	AgreeBrandPayTerms         Operation = "agree to brandpay terms"
	GetBrandPayMethods         Operation = "get brandpay methods"
	GetBrandPayCustomerMethods Operation = "get brandpay customer methods"
	RemoveBrandPayCustomerCard Operation = "remove brandpay customer card"
	RemoveBrandPayCustomerBank Operation = "remove brandpay customer account"
	RemoveBrandPayCustomer     Operation = "remove brandpay customer"
	ChargeBrandPay             Operation = "charge brandpay"
	GetBrandPayPromotions      Operation = "get brandpay promotions"
)

// Situations of BrandPay of which the real answer is not known.
const (
	// WrongAuthorization is a token where the secret key is needed, or the reverse:
	// INVALID_AUTHORIZE_AUTH.
	WrongAuthorization Guess = "token where the secret key is needed, or the reverse"
	// ExpiredBrandPayToken is a token that has expired, was replaced or never issued:
	// UNAUTHORIZED_KEY.
	ExpiredBrandPayToken Guess = "token that has expired"
)

var brandPayGuesses = map[Guess]tosspayments.ErrorCode{
	WrongAuthorization:   tosspayments.ErrInvalidAuthorizeAuth,
	ExpiredBrandPayToken: tosspayments.ErrUnauthorizedKey,
}

var brandPayRoutes = []route{
	{http.MethodGet, "/v1/brandpay/terms", GetBrandPayTerms, (*Server).getBrandPayTerms},
	{http.MethodPost, "/v1/brandpay/terms/agree", AgreeBrandPayTerms, (*Server).agreeBrandPayTerms},
	{http.MethodGet, "/v1/brandpay/payments/methods", GetBrandPayCustomerMethods, (*Server).getBrandPayMethods},
	{http.MethodGet, "/v1/brandpay/payments/methods/{}", GetBrandPayMethods, (*Server).getBrandPayMethods},
	{http.MethodPost, "/v1/brandpay/payments/methods/card/remove", RemoveBrandPayCustomerCard, (*Server).removeBrandPayMethod},
	{http.MethodPost, "/v1/brandpay/payments/methods/account/remove", RemoveBrandPayCustomerBank, (*Server).removeBrandPayMethod},
	{http.MethodPost, "/v1/brandpay/payments", ChargeBrandPay, (*Server).chargeBrandPay},
	{http.MethodPost, "/v1/brandpay/customers/remove", RemoveBrandPayCustomer, (*Server).removeBrandPayCustomer},
	{http.MethodGet, "/v1/brandpay/promotions/card", GetBrandPayPromotions, func(*Server, *request) reply { return ok(brandPayCardPromotionsFixture) }},
	{http.MethodGet, "/v1/brandpay/promotions/bank", GetBrandPayPromotions, func(*Server, *request) reply { return ok(brandPayBankPromotionsFixture) }},
}

// ofCustomer reports whether an operation goes with the token of a customer.
func (o Operation) ofCustomer() bool {
	switch o {
	case GetBrandPayCustomerMethods, RemoveBrandPayCustomerCard, RemoveBrandPayCustomerBank, RemoveBrandPayCustomer:
		return true
	}
	return false
}

// bearer is the token of a request; "" where it has none.
func (r *request) bearer() string {
	token, ok := strings.CutPrefix(r.header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// customerAccess checks the token of a customer, and returns what is refused.
func (s *Server) customerAccess(r *request) tosspayments.ErrorCode {
	token := r.bearer()
	if token == "" {
		return s.guess(WrongAuthorization)
	}
	r.shop = &s.individual
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, c := range s.brandPay.customers {
		if c.AccessToken == token && s.clock.now().Before(c.TokenUntil) {
			r.customerKey = key
			return ""
		}
	}
	return s.guess(ExpiredBrandPayToken)
}

func (s *Server) getBrandPayTerms(r *request) reply {
	if r.query.Get("customerKey") == "" || len(r.query["scope"]) == 0 {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	var terms []map[string]any
	if err := json.Unmarshal(brandPayTermsFixture, &terms); err != nil {
		panic(err)
	}
	c := s.brandPay.customers[r.query.Get("customerKey")]
	for _, t := range terms {
		t["agreed"] = c != nil && c.Agreed
	}
	return ok(encode(terms))
}

func (s *Server) agreeBrandPayTerms(r *request) reply {
	var body struct {
		CustomerKey string   `json:"customerKey"`
		Scope       []string `json:"scope"`
		TermsID     []int    `json:"termsId"`
	}
	// Terms 1 and 2 are required.
	if !decode(r.body, &body) || body.CustomerKey == "" || len(body.Scope) == 0 || !slices.Contains(body.TermsID, 1) || !slices.Contains(body.TermsID, 2) {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	return ok(encode(map[string]string{"code": s.agree(body.CustomerKey)}))
}

// agree notes that a customer has agreed to the terms, and returns a code.
func (s *Server) agree(customerKey string) (code string) {
	if c := s.brandPay.customer(customerKey); !c.Agreed {
		c.Agreed = true
		s.tellCustomer(customerKey, "CREATED")
	}
	code = s.hex(16)
	s.keepCode(code, customerKey)
	s.keepCustomer(customerKey)
	return code
}

func (s *Server) tellCustomer(customerKey, status string) {
	s.send(webhook.CustomerStatusChanged, encode(map[string]string{"customerKey": customerKey, "status": status, "changedAt": stamp(s.clock.now())}))
}

func (s *Server) tellMethod(customerKey, methodKey, status string) {
	s.send(webhook.MethodUpdated, encode(map[string]string{"customerKey": customerKey, "methodKey": methodKey, "status": status}))
}

func (s *Server) getBrandPayMethods(r *request) reply {
	key := r.customerKey
	if key == "" {
		key = r.subject
	}
	c := s.brandPay.customers[key]
	if c == nil {
		return r.refuse(tosspayments.ErrNotFoundCustomer)
	}
	cards, accounts := []json.RawMessage{}, []json.RawMessage{}
	selected := json.RawMessage("null")
	for i := range c.Methods {
		m := &c.Methods[i]
		if selected = encode(m.ID); m.IsAccount {
			accounts = append(accounts, m.json("ENABLED"))
		} else {
			cards = append(cards, m.json("ENABLED"))
		}
	}
	return ok(encode(map[string]any{"isIdentified": c.Identified, "selectedMethodId": selected, "cards": cards, "accounts": accounts}))
}

func (m *brandPayMethod) json(status string) json.RawMessage {
	values := map[string]any{"id": m.ID, "methodKey": m.Key, "registeredAt": stamp(m.RegisteredAt), "status": status}
	if m.IsAccount {
		values["accountName"], values["bankCode"] = m.name(), m.Code
		return fixtures().brandPayAccount.fill(values)
	}
	values["cardName"], values["issuerCode"] = m.name(), m.Code
	return fixtures().brandPayCard.fill(values)
}

// addMethod registers a card or an account.
func (s *Server) addMethod(customerKey string, isAccount bool, code string) *brandPayMethod {
	c := s.brandPay.customer(customerKey)
	c.Methods = append(c.Methods, brandPayMethod{
		ID: "m_" + s.hex(8), Key: "mkey_" + s.hex(12), IsAccount: isAccount, Code: code, RegisteredAt: s.clock.now(),
	})
	c.Identified = true
	m := &c.Methods[len(c.Methods)-1]
	s.keepCustomer(customerKey)
	s.tellMethod(customerKey, m.Key, "ENABLED")
	return m
}

// removeMethod removes the method with an index.
func (s *Server) removeMethod(customerKey string, i int) {
	c := s.brandPay.customer(customerKey)
	key := c.Methods[i].Key
	c.Methods = slices.Delete(c.Methods, i, i+1)
	s.forgetMethod(key)
	s.keepCustomer(customerKey)
	s.tellMethod(customerKey, key, "DISABLED")
}

// forgetMethod notes that a method is gone for good.
func (s *Server) forgetMethod(key string) {
	s.brandPay.removed[key] = true
	s.unsaved.brandPay.Removed[key] = true
}

// method finds a method of a customer by its key, or why it cannot be used.
func (s *Server) method(customerKey, methodKey string, removed tosspayments.ErrorCode) (c *brandPayCustomer, i int, refused tosspayments.ErrorCode) {
	if s.brandPay.removed[methodKey] {
		return nil, 0, removed
	}
	for key, c := range s.brandPay.customers {
		i := slices.IndexFunc(c.Methods, func(m brandPayMethod) bool { return m.Key == methodKey })
		switch {
		case i >= 0 && key == customerKey:
			return c, i, ""
		case i >= 0:
			return nil, 0, tosspayments.ErrNotFoundMethodOwnership
		}
	}
	return nil, 0, tosspayments.ErrNotFoundMethod
}

func (s *Server) removeBrandPayMethod(r *request) reply {
	var body struct {
		MethodKey string `json:"methodKey"`
	}
	if !decode(r.body, &body) || body.MethodKey == "" {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	c, i, refused := s.method(r.customerKey, body.MethodKey, tosspayments.ErrNotFoundMethod)
	switch {
	case refused != "":
		return r.refuse(refused)
	case c.Methods[i].IsAccount != (r.operation == RemoveBrandPayCustomerBank):
		return r.refuse(tosspayments.ErrNotFoundMethod)
	}
	removed := c.Methods[i]
	s.removeMethod(r.customerKey, i)
	return ok(removed.json("DISABLED"))
}

func (s *Server) removeBrandPayCustomer(r *request) reply {
	for _, m := range s.brandPay.customers[r.customerKey].Methods {
		s.forgetMethod(m.Key)
	}
	delete(s.brandPay.customers, r.customerKey)
	s.keepCustomer(r.customerKey)
	s.tellCustomer(r.customerKey, "REMOVED")
	return ok(encode(map[string]any{"customerKey": r.customerKey, "success": true}))
}

func (s *Server) chargeBrandPay(r *request) reply {
	var body struct {
		orderRequest
		CustomerKey string `json:"customerKey"`
		MethodKey   string `json:"methodKey"`
	}
	decoded := decode(r.body, &body)
	checkout := body.checkout()
	if !decoded || checkout.validate() != nil || body.CustomerKey == "" || body.MethodKey == "" {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	if s.brandPay.customers[body.CustomerKey] == nil {
		return r.refuse(tosspayments.ErrNotFoundCustomer)
	}
	c, i, refused := s.method(body.CustomerKey, body.MethodKey, tosspayments.ErrNotAllowedBrandpayMethod)
	if refused != "" {
		return r.refuse(refused)
	}
	c.Methods[i].use(&checkout)
	p, code := s.openOrder(r, checkout, nil)
	if code != "" {
		return r.refuse(code)
	}
	p.brandPayer, p.cardPoint = body.CustomerKey, body.UseCardPoint
	s.approve(p)
	return s.success(r, p)
}

// use pays a purchase with a method.
func (m *brandPayMethod) use(c *Checkout) {
	c.CardCompany = m.Code
	if m.IsAccount {
		c.Method, c.CardCompany, c.Bank = tosspayments.MethodTransfer, "", m.Code
	}
}

// AgreeBrandPay plays a customer who agrees to the terms in the browser, and returns the code
// with which the redirect URL is called.
func (s *Server) AgreeBrandPay(customerKey string) (code string) {
	s.change(func() { code = s.agree(customerKey) })
	return code
}

// AddBrandPayCard plays a customer who registers a card in the browser, and returns the key
// of the method. issuerCode is that of a card company, such as "61".
func (s *Server) AddBrandPayCard(customerKey, issuerCode string) (methodKey string) {
	s.change(func() { methodKey = s.addMethod(customerKey, false, issuerCode).Key })
	return methodKey
}

// AddBrandPayAccount plays a customer who registers an account in the browser, and returns
// the key of the method. bankCode is that of a bank, such as "88".
func (s *Server) AddBrandPayAccount(customerKey, bankCode string) (methodKey string) {
	s.change(func() { methodKey = s.addMethod(customerKey, true, bankCode).Key })
	return methodKey
}

// RemoveBrandPayMethod plays a customer who removes a method in the browser.
func (s *Server) RemoveBrandPayMethod(customerKey, methodKey string) {
	if s.tb != nil {
		s.tb.Helper()
	}
	var refused tosspayments.ErrorCode
	s.change(func() {
		var i int
		if _, i, refused = s.method(customerKey, methodKey, tosspayments.ErrNotFoundMethod); refused == "" {
			s.removeMethod(customerKey, i)
		}
	})
	if refused != "" {
		s.misuse(fmt.Errorf("the method %q: %w", methodKey, refused))
	}
}

// ExpireBrandPayToken expires a customer's access token, as 30 days would.
func (s *Server) ExpireBrandPayToken(customerKey string) {
	if s.tb != nil {
		s.tb.Helper()
	}
	known := false
	s.change(func() {
		c := s.brandPay.customers[customerKey]
		if known = c != nil && c.AccessToken != ""; known {
			c.TokenUntil = s.clock.now()
			s.keepCustomer(customerKey)
		}
	})
	if !known {
		s.misuse(fmt.Errorf("the customer %q has no token", customerKey))
	}
}

// AuthenticateBrandPay plays a customer who pays with a method in the browser, as
// [Server.Authenticate] plays one in the payment window.
func (s *Server) AuthenticateBrandPay(customerKey, methodKey string, checkout Checkout) tosspayments.SuccessRedirect {
	if s.tb != nil {
		s.tb.Helper()
	}
	err := checkout.validate()
	var p *payment
	s.change(func() {
		c, i, refused := s.method(customerKey, methodKey, tosspayments.ErrNotAllowedBrandpayMethod)
		switch {
		case err != nil:
		case refused != "":
			err = fmt.Errorf("the method %q: %w", methodKey, refused)
		default:
			c.Methods[i].use(&checkout)
			p = s.open(checkout)
			p.brandPayer = customerKey
			s.authenticate(p, s.clock.now())
		}
	})
	if err != nil {
		s.misuse(err)
		return tosspayments.SuccessRedirect{}
	}
	return tosspayments.SuccessRedirect{PaymentType: "BRANDPAY", PaymentKey: p.key, OrderID: checkout.OrderID, Amount: checkout.Amount}
}
