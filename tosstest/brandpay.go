package tosstest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// The operations of BrandPay.
const (
	ConfirmBrandPay    Operation = "confirm brandpay payment"
	IssueBrandPayToken Operation = "issue brandpay token"
)

// brandPayTokenPeriod is how long an access token lives.
const brandPayTokenPeriod = 30 * 24 * time.Hour

// brandPayCustomer is a buyer with a wallet under the shop's name.
type brandPayCustomer struct {
	Agreed, OneTouch, Identified bool
	Methods                      []brandPayMethod
	AccessToken, RefreshToken    string
	TokenUntil                   time.Time
}

// brandPayMethod is a card or an account in a wallet.
type brandPayMethod struct {
	ID, Key      string
	IsAccount    bool
	Code         string // of the card company or the bank
	RegisteredAt time.Time
}

func (m *brandPayMethod) name() string {
	if m.IsAccount {
		bank, _ := institutions.LookupBank(m.Code)
		return bank.KoreanShort + " 계좌"
	}
	company, _ := institutions.LookupCardCompany(m.Code)
	return company.KoreanShort + " 카드"
}

// brandPay is all wallets, by customer key, and the codes that were not exchanged yet.
type brandPay struct {
	customers map[string]*brandPayCustomer
	codes     map[string]string
	removed   map[string]bool // by the key of the method
}

func newBrandPay() brandPay {
	return brandPay{customers: map[string]*brandPayCustomer{}, codes: map[string]string{}, removed: map[string]bool{}}
}

// BrandPayCustomer is a customer of BrandPay as an observer sees them; see [Change].
type BrandPayCustomer struct {
	CustomerKey string
	// Agreed is set if they have agreed to the terms, Identified if they have proved who
	// they are, OneTouch if they pay without a password, and Removed if they have left.
	Agreed, Identified, OneTouch, Removed bool
	// AccessToken is that of the last exchange; "" until there was one. It is good until
	// TokenUntil.
	AccessToken string
	TokenUntil  time.Time
	Methods     []BrandPayMethod
}

// BrandPayMethod is a card or an account that a customer of BrandPay has registered.
type BrandPayMethod struct {
	ID, Key      string
	Name         string // in Korean
	IsAccount    bool
	RegisteredAt time.Time
}

// shown is a customer for the observer.
func (b *brandPay) shown(key string) *BrandPayCustomer {
	c := b.customers[key]
	if c == nil {
		return &BrandPayCustomer{CustomerKey: key, Removed: true}
	}
	out := &BrandPayCustomer{
		CustomerKey: key, Agreed: c.Agreed, Identified: c.Identified, OneTouch: c.OneTouch, AccessToken: c.AccessToken, TokenUntil: c.TokenUntil,
	}
	for i := range c.Methods {
		m := &c.Methods[i]
		out.Methods = append(out.Methods, BrandPayMethod{m.ID, m.Key, m.name(), m.IsAccount, m.RegisteredAt})
	}
	return out
}

// keepCustomer notes that a customer has changed, or is gone.
func (s *Server) keepCustomer(key string) {
	s.unsaved.brandPay.Customers[key] = s.brandPay.customers[key]
	s.tell(Change{Customer: s.brandPay.shown(key)})
}

// keepCode notes a code that can be exchanged for a token, or with "" that it cannot any
// more.
func (s *Server) keepCode(code, customerKey string) {
	s.unsaved.brandPay.Codes[code] = customerKey
	if s.brandPay.codes[code] = customerKey; customerKey == "" {
		delete(s.brandPay.codes, code)
	}
}

func (b *brandPay) customer(key string) *brandPayCustomer {
	c := b.customers[key]
	if c == nil {
		c = &brandPayCustomer{}
		b.customers[key] = c
	}
	return c
}

// brandPayWindow is a window of brandpay(). It begins with the terms, and the exchange of
// a code, where the buyer has not agreed yet.
type brandPayWindow struct {
	operation, customerKey string
	// methodID is the method to pay with; "" leaves the choice to the buyer.
	methodID string
	// exchange is the address that the browser asks before it goes on.
	redirectURL, exchange string
}

// brandPayRequest is what requestPayment of brandpay() takes.
type brandPayRequest struct {
	OrderID       string              `json:"orderId"`
	OrderName     string              `json:"orderName"`
	Amount        *windowAmount       `json:"amount"`
	SuccessURL    string              `json:"successUrl"`
	FailURL       string              `json:"failUrl"`
	CustomerEmail string              `json:"customerEmail"`
	CustomerName  string              `json:"customerName"`
	TaxFreeAmount tosspayments.Amount `json:"taxFreeAmount"`
	// MethodID is the method to pay with.
	MethodID        string         `json:"methodId"`
	Metadata        map[string]any `json:"metadata"`
	ShippingAddress map[string]any `json:"shippingAddress"`
	Card            struct {
		CardInstallmentPlan int    `json:"cardInstallmentPlan"`
		UseCardPoint        bool   `json:"useCardPoint"`
		DiscountCode        string `json:"discountCode"`
		AffiliateCards      []any  `json:"affiliateCards"`
		OrderProductCode    string `json:"orderProductCode"`
		DividedSettlements  []any  `json:"dividedSettlements"`
	} `json:"card"`
	Transfer struct {
		CashReceipt *struct {
			Type                   string `json:"type"`
			RegistrationNumberType string `json:"registrationNumberType"`
			RegistrationNumber     string `json:"registrationNumber"`
		} `json:"cashReceipt"`
		IsCulturalExpenses bool   `json:"isCulturalExpenses"`
		DiscountCode       string `json:"discountCode"`
		OrderProductCode   string `json:"orderProductCode"`
		DividedSettlements []any  `json:"dividedSettlements"`
	} `json:"transfer"`
}

// brandPayOperations are the operations with a window and what its page says.
var brandPayOperations = map[string]struct{ title, does, act string }{
	"requestPayment":     {act: "결제하기"},
	"addPaymentMethod":   {"결제수단 등록", "브랜드페이에 등록할 카드나 계좌를 골라 주세요.", "등록하기"},
	"changePassword":     {"비밀번호 변경", "결제할 때 쓰는 비밀번호를 바꿔요.", "변경하기"},
	"openSettings":       {"브랜드페이 설정", "등록한 결제수단을 지우거나 새로 등록해요.", "결제수단 추가하기"},
	"changeOneTouchPay":  {"원터치결제 설정", "", ""},
	"requestBillingAuth": {"자동결제 동의", "등록한 결제수단으로 자동으로 결제하는 데 동의해요.", "동의하기"},
}

// openBrandPay opens a window of brandpay(), or answers where none is needed.
func (s *Server) openBrandPay(e *envelope, base string) (answer map[string]any, refused *windowRefusal) {
	var r brandPayRequest
	if refused := s.decodeRequest(e, &s.individual, &r); refused != nil {
		return nil, refused
	}
	if tosspayments.ValidateCustomerKey(e.CustomerKey) != nil {
		return nil, refuseWindow(tosspayments.ErrInvalidCustomerKey, "")
	}
	redirectURL, known := s.registered(e.RedirectURL)
	if !known {
		return nil, refuseWindow(tosspayments.ErrNotRegisteredRedirectURL, "")
	}
	customer := s.brandPay.customer(e.CustomerKey)
	if e.Operation == "isOneTouchPayEnabled" {
		if !customer.Agreed {
			return nil, refuseWindow(tosspayments.ErrNeedAgreementWithTerms, "")
		}
		return map[string]any{"value": map[string]bool{"isEnabled": customer.OneTouch}}, nil
	}
	if _, ok := brandPayOperations[e.Operation]; !ok {
		return nil, refuseParameter(e.Operation)
	}
	var o *openWindow
	if e.Operation == "requestPayment" {
		if r.MethodID != "" && customer.byID(r.MethodID) == nil {
			return nil, refuseParameter("methodId")
		}
		if o, refused = s.openBrandPayPayment(e, &r); refused != nil {
			return nil, refused
		}
		o.payment.page = base + o.path()
	} else {
		o = s.newWindow(e)
	}
	o.brandPay = &brandPayWindow{operation: e.Operation, customerKey: e.CustomerKey, methodID: r.MethodID, redirectURL: redirectURL}
	return map[string]any{"path": o.path()}, nil
}

// registered is the redirect URL to use: the given one or the first that is registered.
func (s *Server) registered(redirectURL string) (string, bool) {
	all := s.browser.BrandPayRedirectURLs
	if redirectURL == "" && len(all) == 1 {
		return all[0], true
	}
	return redirectURL, isAddress(redirectURL) && (all == nil || slices.Contains(all, redirectURL))
}

func (s *Server) openBrandPayPayment(e *envelope, r *brandPayRequest) (*openWindow, *windowRefusal) {
	amount, refused := r.Amount.amount()
	if refused != nil {
		return nil, refused
	}
	common := commonRequest{
		OrderID: r.OrderID, OrderName: r.OrderName, SuccessURL: r.SuccessURL, FailURL: r.FailURL,
		CustomerEmail: r.CustomerEmail, CustomerName: r.CustomerName, TaxFreeAmount: r.TaxFreeAmount,
	}
	if refused := common.validate(true); refused != nil {
		return nil, refused
	}
	if !isInstallment(r.Card.CardInstallmentPlan) {
		return nil, refuseParameter("card.cardInstallmentPlan")
	}
	c := common.checkout(amount, r.Amount.Currency)
	c.InstallmentPlanMonths = r.Card.CardInstallmentPlan
	o, refused := s.openCheckout(e, c, "", &common)
	if refused != nil {
		return nil, refused
	}
	o.payment.brandPayer = e.CustomerKey
	return o, nil
}

func (s *Server) brandPayPage(page *windowPage, o *openWindow) {
	b, customer := o.brandPay, s.brandPay.customer(o.brandPay.customerKey)
	what := brandPayOperations[b.operation]
	if what.title != "" {
		page.Title = what.title
	}
	page.Does, page.Pay, page.Close = what.does, what.act, "닫기"
	switch {
	case b.exchange != "":
		page.Pay, page.Exchange, page.Does = "", b.exchange, "상점에 인증 코드를 전달하고 있어요."
		return
	case !customer.Agreed:
		page.FormTarget, page.Pay = "_self", "동의하고 계속하기"
		page.Does = "브랜드페이를 처음 사용해요. 약관에 동의하면 상점의 redirectUrl을 호출해요."
		page.Terms = []string{"[필수] 브랜드페이 서비스 이용약관", "[필수] 개인정보 수집 및 이용 동의"}
		return
	}
	switch b.operation {
	case "requestPayment":
		if customer.addWallet(page, b.methodID); len(page.Choices) == 0 {
			page.Does = "등록한 결제수단이 없어요. 고른 카드나 계좌를 등록하고 결제해요."
			page.Choices = newMethodChoices()
		}
		s.addOutcomes(page, o)
	case "addPaymentMethod":
		page.Choices = newMethodChoices()
	case "openSettings":
		for i := range customer.Methods {
			m := &customer.Methods[i]
			page.Methods = append(page.Methods, tile{Code: m.ID, Name: m.name()})
		}
		page.Choices = newMethodChoices()
	case "changeOneTouchPay":
		page.Does, page.Pay = "지금은 꺼져 있어요. 켜면 비밀번호 없이 결제돼요.", "원터치결제 켜기"
		if customer.OneTouch {
			page.Does, page.Pay = "지금은 켜져 있어요.", "원터치결제 끄기"
		}
	}
}

// byID is a method of a customer, or nil.
func (c *brandPayCustomer) byID(id string) *brandPayMethod {
	for i := range c.Methods {
		if c.Methods[i].ID == id {
			return &c.Methods[i]
		}
	}
	return nil
}

// addWallet lists what the buyer has registered, or the one method that was asked for.
func (c *brandPayCustomer) addWallet(page *windowPage, methodID string) {
	var list []tile
	for i := range c.Methods {
		m := &c.Methods[i]
		if methodID != "" && m.ID != methodID {
			continue
		}
		list = append(list, tile{Code: "method:" + m.ID, Name: m.name()})
	}
	if list != nil {
		page.Choices = []choice{{"내 결제수단", "means", check(list, "")}}
	}
}

func newMethodChoices() []choice {
	return []choice{
		{"카드", "means", check(tiles("card:", cardCompanies), "")},
		{"계좌", "means", tiles("bank:", banks)},
	}
}

// endBrandPay does what was chosen in a window of brandpay().
func (s *Server) endBrandPay(o *openWindow, form url.Values) ending {
	b := o.brandPay
	customer := s.brandPay.customer(b.customerKey)
	if b.exchange != "" {
		b.exchange = ""
		return leaveFor(o.path())
	}
	if !customer.Agreed {
		code := s.agree(b.customerKey)
		b.exchange = withQuery(b.redirectURL, [][2]string{{"code", code}, {"customerKey", b.customerKey}})
		return leaveFor(o.path())
	}
	if id := form.Get("remove"); id != "" {
		if i := slices.IndexFunc(customer.Methods, func(m brandPayMethod) bool { return m.ID == id }); i >= 0 {
			s.removeMethod(b.customerKey, i)
		}
		return leaveFor(o.path())
	}
	means := form.Get("means")
	if customer.byID(b.methodID) != nil {
		means = "method:" + b.methodID
	}
	method := s.brandPayMethod(b.customerKey, means)
	switch b.operation {
	case "requestPayment":
		if method == nil {
			return ending{status: http.StatusBadRequest, text: "means"}
		}
		return s.payByBrandPay(o, method, form.Get("outcome"))
	case "openSettings":
		return leaveFor(o.path())
	case "changeOneTouchPay":
		customer.OneTouch = !customer.OneTouch
		s.keepCustomer(b.customerKey)
	}
	return o.succeed(nil, nil)
}

// brandPayMethod is the method that was chosen, newly registered where it is a card or an
// account; nil where there is none.
func (s *Server) brandPayMethod(customerKey, means string) *brandPayMethod {
	kind, code, _ := strings.Cut(means, ":")
	if kind == "card" || kind == "bank" {
		return s.addMethod(customerKey, kind == "bank", code)
	}
	return s.brandPay.customer(customerKey).byID(code)
}

func (s *Server) payByBrandPay(o *openWindow, m *brandPayMethod, outcome string) ending {
	m.use(&o.payment.checkout)
	return s.endPayment(o, outcome)
}

// issueBrandPayToken exchanges a code, or renews a token.
func (s *Server) issueBrandPayToken(r *request) reply {
	var body struct {
		CustomerKey      string `json:"customerKey"`
		GrantType        string `json:"grantType"`
		Code             string `json:"code"`
		RefreshToken     string `json:"refreshToken"`
		CustomerIdentity *struct {
			CI, MobilePhone, Name, RRN string
		} `json:"customerIdentity"`
	}
	if !decode(r.body, &body) {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	if tosspayments.ValidateCustomerKey(body.CustomerKey) != nil {
		return r.refuse(tosspayments.ErrInvalidCustomerKey)
	}
	c := s.brandPay.customers[body.CustomerKey]
	switch {
	case c == nil:
		return r.refuse(s.guess(UsedBrandPayCode))
	case body.GrantType == "AuthorizationCode" && body.Code != "" && s.brandPay.codes[body.Code] == body.CustomerKey:
		s.keepCode(body.Code, "")
		if c.AccessToken == "" {
			c.AccessToken, c.RefreshToken = s.hex(16), s.hex(16)
		}
	case body.GrantType == "RefreshToken" && body.RefreshToken != "" && body.RefreshToken == c.RefreshToken:
		c.AccessToken, c.RefreshToken = s.hex(16), s.hex(16)
	default:
		return r.refuse(s.guess(UsedBrandPayCode))
	}
	if id := body.CustomerIdentity; id != nil {
		c.Identified = c.Identified || id.CI != "" && id.MobilePhone != "" && id.Name != "" && id.RRN != ""
	}
	c.TokenUntil = s.clock.now().Add(brandPayTokenPeriod)
	s.keepCustomer(body.CustomerKey)
	return ok(encode(map[string]any{
		"accessToken": c.AccessToken, "refreshToken": c.RefreshToken, "tokenType": "bearer", "expiresIn": int(brandPayTokenPeriod.Seconds()),
	}))
}

// confirmBrandPay is a confirm that names the customer.
func (s *Server) confirmBrandPay(r *request) reply {
	var body struct {
		PaymentKey  string `json:"paymentKey"`
		CustomerKey string `json:"customerKey"`
	}
	if !decode(r.body, &body) || body.CustomerKey == "" {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	switch p := s.payments[body.PaymentKey]; {
	case p == nil || p.brandPayer == "":
		return r.refuse(tosspayments.ErrNotFoundPayment)
	case p.brandPayer != body.CustomerKey:
		return r.refuse(tosspayments.ErrNotMatchesCustomerKey)
	}
	return s.confirm(r)
}
