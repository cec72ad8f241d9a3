package tosstest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
)

// ScriptPath is where a [Server] serves its stand-in for the official script,
// https://js.tosspayments.com/v2/standard. It opens the server's own payment window.
const ScriptPath = "/v2/standard"

var (
	//go:embed browser/standard.js
	standardScript []byte
	//go:embed browser/window.html
	windowHTML string
)

var windowPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("window").Parse(windowHTML))
})

// serveBrowser answers what a browser asks for, and reports whether it did.
func (s *Server) serveBrowser(w http.ResponseWriter, r *http.Request) bool {
	key, isWindow := strings.CutPrefix(r.URL.Path, "/window/")
	switch {
	case r.Method == http.MethodGet && r.URL.Path == ScriptPath:
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(standardScript)
	case r.Method == http.MethodPost && r.URL.Path == "/window":
		s.serveOpenWindow(w, r)
	case r.Method == http.MethodGet && isWindow:
		s.showWindow(w, key)
	case r.Method == http.MethodPost && isWindow:
		s.closeWindow(w, r, key)
	default:
		return false
	}
	return true
}

// windowRequest is what the script's requestPayment takes: the parameters that the
// official SDK declares. Those that change nothing here are checked for their type.
type windowRequest struct {
	Method              tosspayments.Method `json:"method"`
	Amount              *windowAmount       `json:"amount"`
	OrderID             string              `json:"orderId"`
	OrderName           string              `json:"orderName"`
	SuccessURL          string              `json:"successUrl"`
	FailURL             string              `json:"failUrl"`
	CustomerEmail       string              `json:"customerEmail"`
	CustomerName        string              `json:"customerName"`
	CustomerMobilePhone string              `json:"customerMobilePhone"`
	TaxFreeAmount       tosspayments.Amount `json:"taxFreeAmount"`
	WindowTarget        string              `json:"windowTarget"`
	Metadata            map[string]string   `json:"metadata"`
	PendingURL          string              `json:"pendingUrl"`
	OrderProductCode    string              `json:"orderProductCode"`
	Sandbox             json.RawMessage     `json:"sandbox"`
	SubOrders           []json.RawMessage   `json:"subOrders"`
	Card                windowCard          `json:"card"`
	VirtualAccount      windowAccount       `json:"virtualAccount"`
	Transfer            windowAccount       `json:"transfer"`
	MobilePhone         struct {
		MobileCarriers []string `json:"mobileCarriers"`
	} `json:"mobilePhone"`
}

// windowAccount is what a virtual account and a transfer may be asked for with.
type windowAccount struct {
	CashReceipt             json.RawMessage     `json:"cashReceipt"`
	UseEscrow               bool                `json:"useEscrow"`
	EscrowProducts          []json.RawMessage   `json:"escrowProducts"`
	ValidHours              int                 `json:"validHours"`
	DueDate                 string              `json:"dueDate"`
	IsCulturalExpenses      bool                `json:"isCulturalExpenses"`
	TaxExemptionAmount      tosspayments.Amount `json:"taxExemptionAmount"`
	ShowCustomerMobilePhone bool                `json:"showCustomerMobilePhone"`
}

type windowAmount struct {
	Currency string              `json:"currency"`
	Value    tosspayments.Amount `json:"value"`
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

// windowRefusal is an error with which the script's promise is rejected. message
// adds to the documented one where that does not name the parameter.
type windowRefusal struct {
	code    tosspayments.ErrorCode
	message string
}

func refuseWindow(code tosspayments.ErrorCode, message string) *windowRefusal {
	return &windowRefusal{code, message}
}

func (s *Server) serveOpenWindow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/json")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	open := s.openPayment
	if e.Kind == "billing" {
		open = s.openRegistration
	}
	var address string
	var refused *windowRefusal
	s.change(func() { address, refused = open(e, "http://"+r.Host+"/window/") })
	if refused == nil {
		_, _ = w.Write(encode(map[string]string{"url": address}))
		return
	}
	info, _ := refused.code.Info()
	message := info.Korean
	if refused.message != "" {
		message += " (" + refused.message + ")"
	}
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write(encode(map[string]string{"code": string(refused.code), "message": message}))
}

// account is the virtual account that the checkout asks for.
func (c *windowCheckout) account() accountRequest {
	return accountRequest{Bank: c.bank(), Customer: c.customer(), ValidHours: c.ValidHours, DueDate: c.window.dueDate}
}

func (s *Server) openPayment(e envelope, base string) (address string, refused *windowRefusal) {
	checkout, refused := s.parseWindowRequest(e)
	if refused != nil {
		return "", refused
	}
	if s.taken(&checkout.Checkout) {
		return "", refuseWindow(tosspayments.ErrDuplicatedOrderID, "")
	}
	p := s.open(checkout.Checkout)
	p.window = checkout.window
	p.page = base + p.key
	return p.page, nil
}

// windowCheckout is a checkout that was opened in a browser.
type windowCheckout struct {
	Checkout
	window window
}

// window is what a payment window was opened with, besides the checkout.
type window struct {
	successURL, failURL string
	cardCompany         string
	maxInstallment      int
	dueDate             string // of a virtual account
}

// envelope is what the script sends.
type envelope struct {
	Kind        string          `json:"kind"`
	ClientKey   string          `json:"clientKey"`
	CustomerKey string          `json:"customerKey"`
	Request     json.RawMessage `json:"request"`
}

// openEnvelope checks the client key and decodes the request, strictly.
func (s *Server) openEnvelope(e envelope, request any) *windowRefusal {
	switch {
	case strings.Contains(e.ClientKey, "_gck_"):
		return refuseWindow(tosspayments.ErrNotSupportedWidgetKey, "")
	case e.ClientKey != s.individual.clientKey:
		return refuseWindow(tosspayments.ErrInvalidClientKey, "")
	}
	decoder := json.NewDecoder(bytes.NewReader(e.Request))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(request); err != nil {
		return refuseWindow(tosspayments.ErrInvalidParameters, strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (s *Server) parseWindowRequest(e envelope) (c windowCheckout, refused *windowRefusal) {
	var request windowRequest
	if refused := s.openEnvelope(e, &request); refused != nil {
		return c, refused
	}
	if refused := request.validate(); refused != nil {
		return c, refused
	}
	c = request.checkout()
	if request.Method == tosspayments.MethodVirtualAccount {
		asked := c.account()
		if code := asked.refusal(s.clock.now()); code != "" {
			return c, refuseWindow(code, "virtualAccount")
		}
	}
	if err := c.validate(); err != nil {
		return c, refuseWindow(tosspayments.ErrInvalidParameters, err.Error())
	}
	return c, nil
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
	body.windowRequest.Amount = &windowAmount{body.Currency, body.Amount}
	body.Card.EasyPay, body.Card.CardCompany = body.EasyPay, body.CardCompany
	if refused := body.validate(); refused != nil {
		return r.refuse(refused.code)
	}
	checkout := body.checkout()
	if s.taken(&checkout.Checkout) {
		return r.refuse(tosspayments.ErrDuplicatedOrderID)
	}
	p := s.open(checkout.Checkout)
	p.window = checkout.window
	return s.success(r, p)
}

func (r *windowRequest) validate() *windowRefusal {
	zero := tosspayments.Amount{}
	if !isMethod(r.Method) {
		return refuseWindow(tosspayments.ErrNotSupportedMethod, string(r.Method))
	}
	if r.Amount == nil {
		return refuseWindow(tosspayments.ErrInvalidParameters, "amount")
	}
	_, whole := r.Amount.Value.Int64()
	switch r.Amount.Currency {
	case tosspayments.CurrencyKRW, tosspayments.CurrencyJPY:
		if !whole {
			return refuseWindow(tosspayments.ErrInvalidMinorUnitForCurrency, "")
		}
	case tosspayments.CurrencyUSD:
	default:
		return refuseWindow(tosspayments.ErrInvalidAmountCurrency, r.Amount.Currency)
	}
	switch sign := r.Amount.Value.Cmp(zero); {
	case sign < 0:
		return refuseWindow(tosspayments.ErrBelowZeroAmount, "")
	case sign == 0:
		return refuseWindow(tosspayments.ErrInvalidAmountValue, "")
	}
	// The browser's rule is narrower than that of the server's documents: no dot.
	if tosspayments.ValidateOrderID(r.OrderID) != nil || strings.Contains(r.OrderID, ".") {
		return refuseWindow(tosspayments.ErrInvalidOrderID, "")
	}
	if tosspayments.ValidateOrderName(r.OrderName) != nil {
		return refuseWindow(tosspayments.ErrInvalidOrderName, "")
	}
	switch {
	case r.SuccessURL == "" && r.FailURL == "":
		return refuseWindow(tosspayments.ErrNotSupportedPromise, "tosstest")
	case !isAddress(r.SuccessURL):
		return refuseWindow(tosspayments.ErrIncorrectSuccessURLFormat, "")
	case !isAddress(r.FailURL):
		return refuseWindow(tosspayments.ErrIncorrectFailURLFormat, "")
	}
	return r.validateOptional()
}

func (r *windowRequest) validateOptional() *windowRefusal {
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
	if utf8.RuneCountInString(r.CustomerName) > 100 {
		return refuseWindow(tosspayments.ErrInvalidParameters, "customerName")
	}
	if r.WindowTarget != "" && r.WindowTarget != "self" && r.WindowTarget != "iframe" {
		return refuseWindow(tosspayments.ErrInvalidParameters, "windowTarget")
	}
	if len(r.Metadata) > 5 {
		return refuseWindow(tosspayments.ErrInvalidMetadata, "")
	}
	for name, value := range r.Metadata {
		if utf8.RuneCountInString(name) > 40 || strings.ContainsAny(name, "[]") || utf8.RuneCountInString(value) > 2000 {
			return refuseWindow(tosspayments.ErrInvalidMetadata, "")
		}
	}
	c := &r.Card
	switch {
	case c.CardInstallmentPlan != nil && c.MaxCardInstallmentPlan != nil:
		return refuseWindow(tosspayments.ErrInvalidCardInstallmentPlansWithMaxAndSingle, "")
	case c.CardInstallmentPlan != nil && !isInstallment(*c.CardInstallmentPlan):
		return refuseWindow(tosspayments.ErrInvalidParameters, "card.cardInstallmentPlan")
	case c.MaxCardInstallmentPlan != nil && !isInstallment(*c.MaxCardInstallmentPlan):
		return refuseWindow(tosspayments.ErrInvalidParameters, "card.maxCardInstallmentPlan")
	case c.ValidHours != nil && c.DueDate != "":
		return refuseWindow(tosspayments.ErrInvalidValidHoursWithDueDateAndSingle, "")
	case c.FlowMode != "" && c.FlowMode != "DEFAULT" && c.FlowMode != "DIRECT":
		return refuseWindow(tosspayments.ErrInvalidParameters, "card.flowMode")
	case c.FlowMode == "DIRECT" && c.CardCompany == "" && c.EasyPay == "":
		return refuseWindow(tosspayments.ErrInvalidFlowModeParameters, "")
	case c.EasyPay != "" && wallet(c.EasyPay, true) == c.EasyPay && wallet(c.EasyPay, false) == c.EasyPay:
		return refuseWindow(tosspayments.ErrInvalidEasyPay, "")
	}
	return nil
}

// checkout is what the request asks for.
func (r *windowRequest) checkout() (c windowCheckout) {
	c.Checkout = Checkout{
		OrderID: r.OrderID, OrderName: r.OrderName,
		Amount: r.Amount.Value, Currency: r.Amount.Currency,
		TaxFreeAmount: r.TaxFreeAmount, Metadata: r.Metadata,
		EasyPay: tosspayments.EasyPayProvider(r.Card.EasyPay), Method: r.Method, CustomerName: r.CustomerName, ValidHours: r.VirtualAccount.ValidHours,
	}
	if r.Method == tosspayments.MethodCard {
		c.Method = ""
	}
	c.window = window{successURL: r.SuccessURL, failURL: r.FailURL, cardCompany: r.Card.CardCompany, maxInstallment: 12, dueDate: r.VirtualAccount.DueDate}
	if plan := r.Card.MaxCardInstallmentPlan; plan != nil {
		c.window.maxInstallment = *plan
	}
	if plan := r.Card.CardInstallmentPlan; plan != nil {
		c.InstallmentPlanMonths = *plan
		c.window.maxInstallment = 0
	}
	return c
}

func isInstallment(months int) bool { return months == 0 || months >= 2 && months <= 12 }

// maxAddress bounds what a window keeps. The real limit is not known.
const maxAddress = 4096

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return len(text) <= maxAddress && err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

var banks = [][2]string{
	{"20", "우리"}, {"06", "국민"}, {"88", "신한"}, {"81", "하나"}, {"11", "농협"}, {"03", "기업"},
	{"92", "토스뱅크"}, {"90", "카카오뱅크"}, {"89", "케이뱅크"},
}

type tile struct {
	Code, Name string
	Checked    bool
}

var cardCompanies = [][2]string{
	{"41", "신한"}, {"61", "현대"}, {"51", "삼성"}, {"11", "KB국민"}, {"71", "롯데"}, {"21", "하나"},
	{"91", "NH농협"}, {"24", "토스뱅크"}, {"15", "카카오뱅크"},
}

func (s *Server) showWindow(w http.ResponseWriter, key string) {
	var page *windowPageData
	s.change(func() { page = s.windowPage(key) })
	if page == nil {
		http.Error(w, "결제를 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	page.write(w)
}

// windowPage is what a window shows now; nil when there is none.
func (s *Server) windowPage(key string) *windowPageData {
	if s.windows[key] != nil {
		page := &windowPageData{Registering: true, OrderName: "카드 등록"}
		page.addCards("")
		return page
	}
	p := s.payments[key]
	if p == nil || p.window.successURL == "" {
		return nil
	}
	s.refresh(p)
	page := &windowPageData{
		Over: p.status != tosspayments.PaymentStatusReady, OrderName: p.checkout.OrderName, Amount: price(p.checkout.Amount, p.checkout.Currency),
	}
	if a := p.account; a != nil {
		page.Account = a.number
		page.CanDeposit = p.status == tosspayments.PaymentStatusWaitingForDeposit && !a.expired
		page.CanBounce = p.status == tosspayments.PaymentStatusDone
		page.Overdue = a.expired
	}
	switch p.checkout.Method {
	case tosspayments.MethodVirtualAccount, tosspayments.MethodTransfer:
		for i, b := range banks {
			page.Banks = append(page.Banks, tile{b[0], b[1], i == 0})
		}
	case "":
		page.addMeans(&p.checkout, &p.window)
	}
	return page
}

// windowPageData is what the page shows.
type windowPageData struct {
	Over, Registering     bool
	OrderName, Amount     string
	Cards, Wallets, Banks []tile
	Instalments           []int
	// Account is the number of a virtual account that was issued.
	Account                        string
	CanDeposit, CanBounce, Overdue bool
}

func (page *windowPageData) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = windowPage().Execute(w, page)
}

func (page *windowPageData) addCards(company string) {
	for i, c := range cardCompanies {
		page.Cards = append(page.Cards, tile{c[0], c[1], company == c[0] || company == c[1] || company == "" && i == 0})
	}
}

func (page *windowPageData) addMeans(checkout *Checkout, opened *window) {
	easyPay := wallet(string(checkout.EasyPay), true)
	if easyPay == "" {
		page.addCards(opened.cardCompany)
	} else {
		page.addCards("none")
	}
	for _, x := range wallets {
		page.Wallets = append(page.Wallets, tile{x[0], x[1], x[0] == easyPay})
	}
	if opened.maxInstallment > 0 && checkout.Amount.Cmp(tosspayments.Won(50_000)) >= 0 {
		page.Instalments = []int{0}
		for months := 2; months <= opened.maxInstallment; months++ {
			page.Instalments = append(page.Instalments, months)
		}
	}
}

// ending is where a window leads to, or what is wrong with what was chosen.
type ending struct {
	status int
	text   string // an address when the browser goes there
}

func leaveFor(address string) ending { return ending{http.StatusSeeOther, address} }

func (s *Server) closeWindow(w http.ResponseWriter, r *http.Request, key string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var end ending
	s.change(func() { end = s.endWindow(key, r.PostForm) })
	if end.status == http.StatusSeeOther {
		http.Redirect(w, r, end.text, end.status)
		return
	}
	http.Error(w, end.text, end.status)
}

// endWindow ends the window as the developer has chosen.
func (s *Server) endWindow(key string, form url.Values) ending {
	if window := s.windows[key]; window != nil {
		return s.closeRegistration(key, window, form)
	}
	p, outcome := s.payments[key], form.Get("outcome")
	if p == nil || p.window.successURL == "" {
		return ending{http.StatusNotFound, "결제를 찾을 수 없어요."}
	}
	s.refresh(p)
	if act := map[string]func() error{
		"deposit": func() error { return s.deposit(p, p.checkout.Amount) },
		"bounce":  func() error { return s.bounce(p) },
		"overdue": func() error { return s.expireAccount(p) },
	}[outcome]; act != nil {
		if err := act(); err != nil {
			return ending{http.StatusConflict, err.Error()}
		}
		return leaveFor("/window/" + p.key)
	}
	switch p.status {
	case tosspayments.PaymentStatusReady:
	case tosspayments.PaymentStatusExpired:
		// Which code the real window gives after 30 minutes is not known.
		return leaveFor(p.failRedirect(tosspayments.ErrPayProcessAborted, p.checkout.OrderID))
	default:
		return leaveFor("/window/" + p.key)
	}
	if err := p.choose(form.Get("means"), form.Get("installment")); err != nil {
		return ending{http.StatusBadRequest, err.Error()}
	}
	return s.leaveWindow(p, outcome)
}

// leaveWindow is what the buyer, or the card company, does in the window.
func (s *Server) leaveWindow(p *payment, outcome string) ending {
	authenticatedAt := s.clock.now()
	switch outcome {
	case "pay":
	case "refuse":
		p.checkout.Refusal = tosspayments.ErrRejectCardCompany
	case "expire":
		authenticatedAt = authenticatedAt.Add(-confirmPeriod)
	case "lose":
		s.script = append(s.script, Fault{Operation: ConfirmPayment, PaymentKey: p.key, Kind: Drop, AfterEffect: true, Times: 1})
	case "cancel":
		return leaveFor(p.failRedirect(tosspayments.ErrPayProcessCanceled, ""))
	case "reject", "abort":
		code := tosspayments.ErrRejectCardCompany
		if outcome == "abort" {
			code = tosspayments.ErrPayProcessAborted
		}
		p.status, p.failure = tosspayments.PaymentStatusAborted, code
		s.changed(p, s.clock.now(), false)
		return leaveFor(p.failRedirect(code, p.checkout.OrderID))
	default:
		return ending{http.StatusBadRequest, "outcome"}
	}
	s.authenticate(p, authenticatedAt)
	return leaveFor(p.successRedirect())
}

// choose notes the means of payment: "card:61" or "easyPay:TOSSPAY".
func (p *payment) choose(means, installment string) error {
	kind, code, _ := strings.Cut(means, ":")
	switch kind {
	case "card":
		p.checkout.EasyPay, p.checkout.CardCompany = "", code
	case "easyPay":
		p.checkout.EasyPay = tosspayments.EasyPayProvider(code)
	case "bank":
		p.checkout.Bank = code
	case "":
	default:
		return errors.New("means")
	}
	if installment != "" {
		months, err := strconv.Atoi(installment)
		if err != nil || !isInstallment(months) {
			return errors.New("installment")
		}
		p.checkout.InstallmentPlanMonths = months
	}
	return nil
}

func (p *payment) successRedirect() string {
	return withQuery(p.window.successURL, [][2]string{
		{"paymentType", "NORMAL"}, {"orderId", p.checkout.OrderID},
		{"paymentKey", p.key}, {"amount", p.checkout.Amount.String()},
	})
}

func (p *payment) failRedirect(code tosspayments.ErrorCode, orderID string) string {
	info, _ := code.Info()
	pairs := [][2]string{{"code", string(code)}, {"message", info.Korean}}
	if orderID != "" {
		pairs = append(pairs, [2]string{"orderId", orderID})
	}
	return withQuery(p.window.failURL, pairs)
}

// withQuery adds parameters to an address and keeps those that it has.
func withQuery(address string, pairs [][2]string) string {
	address, fragment, _ := strings.Cut(address, "#")
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	for _, pair := range pairs {
		address += separator + pair[0] + "=" + url.QueryEscape(pair[1])
		separator = "&"
	}
	if fragment != "" {
		address += "#" + fragment
	}
	return address
}

// price writes an amount as people do.
func price(amount tosspayments.Amount, currency string) string {
	text := amount.String()
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if currency == tosspayments.CurrencyKRW {
		return whole + "원"
	}
	return fmt.Sprintf("%s %s", currency, whole)
}
