package tosstest

import (
	"bytes"
	"encoding/json"
	"net/mail"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// envelope is what the script sends.
type envelope struct {
	Kind        string          `json:"kind"`
	ClientKey   string          `json:"clientKey"`
	CustomerKey string          `json:"customerKey"`
	Target      string          `json:"target"` // iframe or self
	Origin      string          `json:"origin"`
	Request     json.RawMessage `json:"request"`
	// Of widgets().
	Amount *windowAmount `json:"amount"`
	Chosen struct {
		Method *widgetChoice `json:"method"`
		Agreed bool          `json:"agreed"`
	} `json:"chosen"`
	// Of brandpay().
	Operation   string `json:"operation"`
	RedirectURL string `json:"redirectUrl"`
}

// widgetChoice is what the buyer has chosen in the order form.
type widgetChoice struct {
	Code        string         `json:"code"`
	Company     *string        `json:"company"`
	Installment int            `json:"installment"`
	Refund      *refundAccount `json:"refund"`
}

// fails reports whether the request asks for a failure, which the official types declare
// and do not explain.
func (e *envelope) fails() bool {
	var request struct {
		Sandbox *struct {
			PaymentResult string `json:"paymentResult"`
		} `json:"sandbox"`
	}
	_ = json.Unmarshal(e.Request, &request)
	return request.Sandbox != nil && request.Sandbox.PaymentResult == "FAIL"
}

// commonRequest are the parameters of every request for a payment, as the official types
// declare them. Those that change nothing here are checked for their type.
type commonRequest struct {
	OrderID             string                     `json:"orderId"`
	OrderName           string                     `json:"orderName"`
	SuccessURL          string                     `json:"successUrl"`
	FailURL             string                     `json:"failUrl"`
	CustomerEmail       string                     `json:"customerEmail"`
	CustomerName        string                     `json:"customerName"`
	CustomerMobilePhone string                     `json:"customerMobilePhone"`
	TaxFreeAmount       tosspayments.Amount        `json:"taxFreeAmount"`
	WindowTarget        string                     `json:"windowTarget"`
	Metadata            map[string]json.RawMessage `json:"metadata"`
	PendingURL          string                     `json:"pendingUrl"`
	Sandbox             struct {
		PaymentResult string `json:"paymentResult"`
	} `json:"sandbox"`
	SubOrders []json.RawMessage `json:"subOrders"`
}

// windowRequest is what requestPayment of payment() takes.
type windowRequest struct {
	commonRequest
	Method           tosspayments.Method `json:"method"`
	Amount           *windowAmount       `json:"amount"`
	OrderProductCode string              `json:"orderProductCode"`
	Card             windowCard          `json:"card"`
	VirtualAccount   windowAccount       `json:"virtualAccount"`
	Transfer         windowTransfer      `json:"transfer"`
	MobilePhone      struct {
		MobileCarriers []string `json:"mobileCarriers"`
	} `json:"mobilePhone"`
	ForeignEasyPay struct {
		foreignEasyPay
		Provider string `json:"provider"`
	} `json:"foreignEasyPay"`
}

type cashReceiptType struct {
	Type string `json:"type"`
}

// accountDetails is what virtual accounts and transfers have in common.
type accountDetails struct {
	CashReceipt        *cashReceiptType    `json:"cashReceipt"`
	UseEscrow          bool                `json:"useEscrow"`
	EscrowProducts     []json.RawMessage   `json:"escrowProducts"`
	ValidHours         int                 `json:"validHours"`
	DueDate            string              `json:"dueDate"`
	IsCulturalExpenses bool                `json:"isCulturalExpenses"`
	TaxExemptionAmount tosspayments.Amount `json:"taxExemptionAmount"`
}

type windowAccount struct {
	accountDetails
	ShowCustomerMobilePhone bool            `json:"showCustomerMobilePhone"`
	RefundReceiveAccount    json.RawMessage `json:"refundReceiveAccount"`
}

type windowTransfer struct {
	accountDetails
	EncryptedCustomerCi   string            `json:"encryptedCustomerCi"`
	ShowSecuritiesAccount bool              `json:"showSecuritiesAccount"`
	Provider              string            `json:"provider"`
	DividedSettlements    []json.RawMessage `json:"dividedSettlements"`
}

type foreignEasyPay struct {
	Country              string            `json:"country"`
	Products             []json.RawMessage `json:"products"`
	Shipping             json.RawMessage   `json:"shipping"`
	PaymentMethodOptions json.RawMessage   `json:"paymentMethodOptions"`
}

type windowAmount struct {
	Currency string          `json:"currency"`
	Value    json.RawMessage `json:"value"`
}

type windowCard struct {
	CardCompany              string              `json:"cardCompany"`
	EasyPay                  string              `json:"easyPay"`
	CardInstallmentPlan      *int                `json:"cardInstallmentPlan"`
	MaxCardInstallmentPlan   *int                `json:"maxCardInstallmentPlan"`
	FlowMode                 string              `json:"flowMode"`
	UseEscrow                bool                `json:"useEscrow"`
	TaxExemptionAmount       tosspayments.Amount `json:"taxExemptionAmount"`
	FreeInstallmentPlans     []json.RawMessage   `json:"freeInstallmentPlans"`
	UseCardPoint             bool                `json:"useCardPoint"`
	UseAppCardOnly           bool                `json:"useAppCardOnly"`
	DiscountCode             string              `json:"discountCode"`
	ValidHours               *int                `json:"validHours"`
	DueDate                  string              `json:"dueDate"`
	EscrowProducts           []json.RawMessage   `json:"escrowProducts"`
	UseInternationalCardOnly bool                `json:"useInternationalCardOnly"`
	Language                 string              `json:"language"`
	ShowEstimatedAmount      bool                `json:"showEstimatedAmount"`
	ThreeDS                  json.RawMessage     `json:"threeDS"`
	AppScheme                string              `json:"appScheme"`
	Keyin                    json.RawMessage     `json:"keyin"`
	ShowMobileAppHeader      bool                `json:"showMobileAppHeader"`
	AffiliateCards           []json.RawMessage   `json:"affiliateCards"`
	DividedSettlements       []json.RawMessage   `json:"dividedSettlements"`
}

// widgetRequest is what requestPayment of widgets() takes.
type widgetRequest struct {
	commonRequest
	Card struct {
		TaxExemptionAmount tosspayments.Amount `json:"taxExemptionAmount"`
		AppScheme          string              `json:"appScheme"`
		ThreeDS            json.RawMessage     `json:"threeDS"`
	} `json:"card"`
	Transfer struct {
		UseEscrow          bool              `json:"useEscrow"`
		EscrowProducts     []json.RawMessage `json:"escrowProducts"`
		IsCulturalExpenses bool              `json:"isCulturalExpenses"`
	} `json:"transfer"`
	VirtualAccount struct {
		UseEscrow          bool              `json:"useEscrow"`
		EscrowProducts     []json.RawMessage `json:"escrowProducts"`
		CashReceipt        *cashReceiptType  `json:"cashReceipt"`
		IsCulturalExpenses bool              `json:"isCulturalExpenses"`
	} `json:"virtualAccount"`
	ForeignEasyPay     foreignEasyPay    `json:"foreignEasyPay"`
	SubMerchantSetting map[string]string `json:"subMerchantSetting"`
}

// windowRefusal is an error with which the script's promise is rejected. message
// adds to the documented one where that does not name the parameter.
type windowRefusal struct {
	code    tosspayments.ErrorCode
	message string
}

func refuseWindow(code tosspayments.ErrorCode, message string) *windowRefusal {
	return &windowRefusal{code, message}
}

func refuseParameter(name string) *windowRefusal {
	return refuseWindow(tosspayments.ErrInvalidParameters, name)
}

// decodeRequest checks the client key and decodes the request.
func (s *Server) decodeRequest(e *envelope, shop *merchant, request any) *windowRefusal {
	switch e.ClientKey {
	case shop.clientKey:
	case s.individual.clientKey:
		return refuseWindow(tosspayments.ErrNotSupportedAPIIndividualKey, "")
	case s.widget.clientKey:
		return refuseWindow(tosspayments.ErrNotSupportedWidgetKey, "")
	default:
		return refuseWindow(tosspayments.ErrInvalidClientKey, "")
	}
	if !s.browser.AcceptUndeclared {
		if name := undeclared(e.Request, reflect.TypeOf(request).Elem()); name != "" {
			return refuseParameter(name)
		}
	}
	if len(bytes.TrimSpace(e.Request)) == 0 {
		return refuseParameter("")
	}
	if err := json.Unmarshal(exact(e.Request, reflect.TypeOf(request)), request); err != nil {
		return refuseParameter(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// undeclared finds a parameter that a type does not have, by its exact name.
func undeclared(data json.RawMessage, t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var members map[string]json.RawMessage
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[tosspayments.Amount]() || json.Unmarshal(data, &members) != nil {
		return ""
	}
	known := declared(t)
	for name, value := range members {
		of, ok := known[name]
		if !ok {
			return name
		}
		if inner := undeclared(value, of); inner != "" {
			return name + "." + inner
		}
	}
	return ""
}

// amount is a sum of money as the script takes it.
func (a *windowAmount) amount() (amount tosspayments.Amount, refused *windowRefusal) {
	if a == nil {
		return amount, refuseParameter("amount")
	}
	if !slices.Contains([]string{tosspayments.CurrencyKRW, tosspayments.CurrencyJPY, tosspayments.CurrencyUSD}, a.Currency) {
		return amount, refuseWindow(tosspayments.ErrInvalidAmountCurrency, a.Currency)
	}
	isText := bytes.HasPrefix(a.Value, []byte(`"`))
	if len(a.Value) == 0 || isText || json.Unmarshal(a.Value, &amount) != nil {
		return amount, refuseWindow(tosspayments.ErrInvalidAmountValue, string(a.Value))
	}
	if !isWhole(amount, a.Currency) {
		return amount, refuseWindow(tosspayments.ErrInvalidAmountValue, string(a.Value))
	}
	if amount.Cmp(tosspayments.Amount{}) <= 0 {
		return amount, refuseWindow(tosspayments.ErrBelowZeroAmount, "")
	}
	return amount, nil
}

// validate checks the parameters that all requests have. promise is set where the page
// may be told the result instead of going to an address.
func (r *commonRequest) validate(promise bool) *windowRefusal {
	// The browser's rule is narrower than that of the server's documents: no dot.
	if tosspayments.ValidateOrderID(r.OrderID) != nil || strings.Contains(r.OrderID, ".") {
		return refuseWindow(tosspayments.ErrInvalidOrderID, "")
	}
	if tosspayments.ValidateOrderName(r.OrderName) != nil {
		return refuseWindow(tosspayments.ErrInvalidOrderName, "")
	}
	if refused := validateAddresses(r.SuccessURL, r.FailURL, promise); refused != nil {
		return refused
	}
	if r.CustomerEmail != "" {
		if _, err := mail.ParseAddress(r.CustomerEmail); err != nil || utf8.RuneCountInString(r.CustomerEmail) > 100 {
			return refuseWindow(tosspayments.ErrInvalidEmail, "")
		}
	}
	if phone := r.CustomerMobilePhone; phone != "" {
		if len(phone) < 8 || len(phone) > 15 || strings.Trim(phone, "0123456789") != "" {
			return refuseWindow(tosspayments.ErrInvalidPhone, "")
		}
	}
	switch {
	case utf8.RuneCountInString(r.CustomerName) > 100:
		return refuseParameter("customerName")
	case !oneOf(r.WindowTarget, "self", "iframe"):
		return refuseParameter("windowTarget")
	case !oneOf(r.Sandbox.PaymentResult, "SUCCESS", "FAIL"):
		return refuseParameter("sandbox.paymentResult")
	case len(r.Metadata) > 5:
		return refuseWindow(tosspayments.ErrInvalidMetadata, "")
	}
	for name, value := range r.metadata() {
		if utf8.RuneCountInString(name) > 40 || strings.ContainsAny(name, "[]") || utf8.RuneCountInString(value) > 2000 {
			return refuseWindow(tosspayments.ErrInvalidMetadata, "")
		}
	}
	return nil
}

func validateAddresses(success, fail string, promise bool) *windowRefusal {
	switch {
	case success == "" && fail == "":
		if promise {
			return nil
		}
		return refuseWindow(tosspayments.ErrNotSupportedPromise, "")
	case !isAddress(success):
		return refuseWindow(tosspayments.ErrIncorrectSuccessURLFormat, "")
	case !isAddress(fail):
		return refuseWindow(tosspayments.ErrIncorrectFailURLFormat, "")
	}
	return nil
}

// metadata are the values as text: the types let them be anything.
func (r *commonRequest) metadata() map[string]string {
	texts := map[string]string{}
	for name, value := range r.Metadata {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		texts[name] = text
	}
	return texts
}

func (r *windowRequest) validate(promise bool) *windowRefusal {
	if !isMethod(r.Method) {
		return refuseWindow(tosspayments.ErrNotSupportedMethod, string(r.Method))
	}
	if _, refused := r.Amount.amount(); refused != nil {
		return refused
	}
	isForeign := r.Method == tosspayments.MethodForeignEasyPay
	if refused := r.commonRequest.validate(promise && !isForeign); refused != nil {
		return refused
	}
	for name, receipt := range map[string]*cashReceiptType{
		"virtualAccount.cashReceipt.type": r.VirtualAccount.CashReceipt, "transfer.cashReceipt.type": r.Transfer.CashReceipt,
	} {
		if receipt != nil && (receipt.Type == "" || !oneOf(receipt.Type, "소득공제", "지출증빙", "미발행")) {
			return refuseParameter(name)
		}
	}
	if !oneOf(r.Transfer.Provider, "OPENBANKING", "BANKPAY") {
		return refuseParameter("transfer.provider")
	}
	for _, carrier := range r.MobilePhone.MobileCarriers {
		if !slices.ContainsFunc(carriers, func(c [2]string) bool { return c[0] == carrier }) {
			return refuseParameter("mobilePhone.mobileCarriers")
		}
	}
	if isForeign {
		return r.validateForeign()
	}
	return r.Card.validate()
}

var foreignProviders = []string{
	"PAYPAL", "PAYPAY", "GCASH", "TOUCHNGO", "BOOST", "BPI", "BILLEASE", "DANA", "ALIPAYHK", "TRUEMONEY", "RABBIT_LINE_PAY", "ALIPAY",
}

func (r *windowRequest) validateForeign() *windowRefusal {
	f := &r.ForeignEasyPay
	switch {
	case !slices.Contains(foreignProviders, f.Provider):
		return refuseParameter("foreignEasyPay.provider")
	case len(f.Country) != 2:
		return refuseParameter("foreignEasyPay.country")
	case f.Provider == "PAYPAL" && r.Amount.Currency != tosspayments.CurrencyUSD:
		return refuseWindow(tosspayments.ErrInvalidAmountCurrency, r.Amount.Currency)
	}
	return nil
}

func (c *windowCard) validate() *windowRefusal {
	_, knownCompany := institutions.LookupCardCompany(c.CardCompany)
	_, knownWallet := institutions.LookupEasyPay(c.EasyPay)
	switch {
	case c.CardInstallmentPlan != nil && c.MaxCardInstallmentPlan != nil:
		return refuseWindow(tosspayments.ErrInvalidCardInstallmentPlansWithMaxAndSingle, "")
	case c.CardInstallmentPlan != nil && !isInstallment(*c.CardInstallmentPlan):
		return refuseParameter("card.cardInstallmentPlan")
	case c.MaxCardInstallmentPlan != nil && !isInstallment(*c.MaxCardInstallmentPlan):
		return refuseParameter("card.maxCardInstallmentPlan")
	case c.ValidHours != nil && c.DueDate != "":
		return refuseWindow(tosspayments.ErrInvalidValidHoursWithDueDateAndSingle, "")
	case !oneOf(c.FlowMode, "DEFAULT", "DIRECT"):
		return refuseParameter("card.flowMode")
	case !oneOf(c.Language, "KO", "EN", "JA", "ZH"):
		return refuseParameter("card.language")
	case c.FlowMode == "DIRECT" && c.CardCompany == "" && c.EasyPay == "":
		return refuseWindow(tosspayments.ErrInvalidFlowModeParameters, "")
	case c.CardCompany != "" && !knownCompany:
		return refuseWindow(tosspayments.ErrInvalidCardCompany, c.CardCompany)
	case c.EasyPay != "" && !knownWallet:
		return refuseWindow(tosspayments.ErrInvalidEasyPay, c.EasyPay)
	}
	return nil
}

// checkout is what the request asks for.
func (r *commonRequest) checkout(amount tosspayments.Amount, currency string) Checkout {
	return Checkout{
		OrderID: r.OrderID, OrderName: r.OrderName, Amount: amount, Currency: currency,
		TaxFreeAmount: r.TaxFreeAmount, Metadata: r.metadata(), CustomerName: r.CustomerName,
	}
}

func (r *windowRequest) checkout() Checkout {
	amount, _ := r.Amount.amount()
	c := r.commonRequest.checkout(amount, r.Amount.Currency)
	c.Method, c.ValidHours = r.Method, r.VirtualAccount.ValidHours
	switch r.Method {
	case tosspayments.MethodVirtualAccount:
		c.UseEscrow = r.VirtualAccount.UseEscrow
	case tosspayments.MethodTransfer:
		c.UseEscrow = r.Transfer.UseEscrow
	case tosspayments.MethodCard:
		c.Method, c.EasyPay, c.UseEscrow = "", tosspayments.EasyPayProvider(r.Card.EasyPay), r.Card.UseEscrow
		if r.Card.FlowMode != "DIRECT" && r.Card.CardCompany != "" {
			c.EasyPay = ""
		}
		if plan := r.Card.CardInstallmentPlan; plan != nil {
			c.InstallmentPlanMonths = *plan
		}
	case tosspayments.MethodForeignEasyPay:
		c.EasyPay = tosspayments.EasyPayProvider(r.ForeignEasyPay.Provider)
	}
	return c
}

// openPayment opens the window of payment().
func (s *Server) openPayment(e *envelope) (*openWindow, *windowRefusal) {
	var r windowRequest
	if refused := s.decodeRequest(e, &s.individual, &r); refused != nil {
		return nil, refused
	}
	if refused := r.validate(e.Target != "self"); refused != nil {
		return nil, refused
	}
	o, refused := s.openCheckout(e, r.checkout(), r.VirtualAccount.DueDate, &r.commonRequest)
	if refused != nil {
		return nil, refused
	}
	o.maxInstallment = 12
	if company, ok := institutions.LookupCardCompany(r.Card.CardCompany); ok && o.payment.checkout.EasyPay == "" {
		o.company, o.payment.checkout.CardCompany = company.Code, company.Code
	}
	o.direct = r.Card.FlowMode == "DIRECT"
	if plan := r.Card.MaxCardInstallmentPlan; plan != nil {
		o.maxInstallment = *plan
	}
	if r.Card.CardInstallmentPlan != nil {
		o.maxInstallment = 0
	}
	o.carriers, o.provider = r.MobilePhone.MobileCarriers, r.ForeignEasyPay.Provider
	return o, nil
}

// openWidgetPayment opens the window for what was chosen in the order form.
func (s *Server) openWidgetPayment(e *envelope) (*openWindow, *windowRefusal) {
	var r widgetRequest
	if refused := s.decodeRequest(e, &s.widget, &r); refused != nil {
		return nil, refused
	}
	if refused := r.validate(e.Target != "self"); refused != nil {
		return nil, refused
	}
	if e.Amount == nil {
		return nil, refuseWindow(tosspayments.ErrNotSetupAmount, "")
	}
	amount, refused := e.Amount.amount()
	if refused != nil {
		return nil, refused
	}
	chosen := e.Chosen.Method
	if code := refuseChoice(chosen, e.Chosen.Agreed); code != "" {
		return nil, refuseWindow(code, "")
	}
	c := r.checkout(amount, e.Amount.Currency)
	c.Widget, c.InstallmentPlanMonths = true, chosen.Installment
	isForeign := slices.Contains(foreignProviders, chosen.Code)
	switch {
	case isForeign && !r.redirects():
		return nil, refuseWindow(tosspayments.ErrNotSupportedPromise, "")
	case isForeign:
		c.Method, c.EasyPay = tosspayments.MethodForeignEasyPay, tosspayments.EasyPayProvider(chosen.Code)
	case wallet(chosen.Code, false) != chosen.Code:
		c.EasyPay = tosspayments.EasyPayProvider(chosen.Code)
	case chosen.Code != string(tosspayments.MethodCard):
		c.Method = tosspayments.Method(chosen.Code)
		c.UseEscrow = c.Method == tosspayments.MethodVirtualAccount && r.VirtualAccount.UseEscrow ||
			c.Method == tosspayments.MethodTransfer && r.Transfer.UseEscrow
	}
	o, refused := s.openCheckout(e, c, "", &r.commonRequest)
	if refused != nil {
		return nil, refused
	}
	o.direct, o.provider, o.payment.refund = true, chosen.Code, chosen.Refund
	if chosen.Company != nil {
		o.company, o.payment.checkout.CardCompany = *chosen.Company, *chosen.Company
	}
	return o, nil
}

func (r *commonRequest) redirects() bool { return r.SuccessURL != "" }

// refuseChoice is what the order form still needs.
func refuseChoice(chosen *widgetChoice, agreed bool) tosspayments.ErrorCode {
	switch {
	case chosen == nil:
		return tosspayments.ErrNotSelectedPaymentMethod
	case chosen.Company != nil && *chosen.Company == "":
		return tosspayments.ErrNeedCardPaymentDetail
	case chosen.Refund != nil && (chosen.Refund.Bank == "" || chosen.Refund.AccountNumber == "" || chosen.Refund.HolderName == ""):
		return tosspayments.ErrNeedRefundAccountDetail
	case !agreed:
		return tosspayments.ErrNeedAgreementWithRequiredTerms
	}
	return ""
}

// openCheckout opens the window of a payment.
func (s *Server) openCheckout(e *envelope, c Checkout, dueDate string, r *commonRequest) (*openWindow, *windowRefusal) {
	if c.Method == tosspayments.MethodVirtualAccount {
		asked := accountRequest{Bank: c.bank(), Customer: c.customer(), ValidHours: c.ValidHours, DueDate: dueDate}
		if code := asked.refusal(s.clock.now()); code != "" {
			return nil, refuseWindow(code, "virtualAccount")
		}
	}
	if err := c.validate(); err != nil {
		return nil, refuseParameter(err.Error())
	}
	if s.taken(&c) {
		return nil, refuseWindow(tosspayments.ErrDuplicatedOrderID, "")
	}
	o := s.newWindow(e)
	o.successURL, o.failURL = r.SuccessURL, r.FailURL
	o.payment = s.open(c)
	o.payment.dueDate = dueDate
	return o, nil
}

// createPayment opens a window from the server of the shop.
func (s *Server) createPayment(r *request) reply {
	var body struct {
		windowRequest
		Amount      tosspayments.Amount `json:"amount"`
		Currency    string              `json:"currency"`
		EasyPay     string              `json:"easyPay"`
		CardCompany string              `json:"cardCompany"`
	}
	if !decode(r.body, &body) {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	if body.Currency == "" {
		body.Currency = tosspayments.CurrencyKRW
	}
	if method, known := institutions.LookupMethod(body.Method); known { // 카드 for CARD
		body.Method = tosspayments.Method(method.Code)
	}
	body.windowRequest.Amount = &windowAmount{body.Currency, json.RawMessage(body.Amount.String())}
	body.Card.EasyPay, body.Card.CardCompany = body.EasyPay, body.CardCompany
	if refused := body.validate(false); refused != nil {
		return r.refuse(refused.code)
	}
	o, refused := s.openCheckout(&envelope{Target: "self"}, body.checkout(), body.VirtualAccount.DueDate, &body.commonRequest)
	if refused != nil {
		return r.refuse(refused.code)
	}
	o.maxInstallment = 12
	o.payment.page = s.URL + o.path()
	return s.success(r, o.payment)
}

func isInstallment(months int) bool { return months == 0 || months >= 2 && months <= 12 }

// oneOf reports whether an optional text is one of those that are known.
func oneOf(text string, known ...string) bool { return text == "" || slices.Contains(known, text) }

// maxAddress bounds what a window keeps. The real limit is not known.
const maxAddress = 4096

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return len(text) <= maxAddress && err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
