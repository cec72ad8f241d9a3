package tosstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seed238ab19c/tosspayments"
)

// openWindow is a window in a browser, open or over.
type openWindow struct {
	id string // 128 bits, so that nobody guesses the address
	// framed is set where the window is over the page that has asked for it.
	framed bool
	// origin is that of the page.
	origin string
	// Both addresses are "" where the promise resolves.
	successURL, failURL string
	payment             *payment      // nil where nothing is paid
	registration        *registration // nil unless something is registered
	brandPay            *brandPayWindow
	// Of a payment: what may be chosen.
	company        string // the only card company
	direct         bool   // only the company or the wallet that is asked for
	maxInstallment int
	carriers       []string
	provider       string // of a foreign wallet
	// ended is where the window has led to.
	ended *ending
}

// newWindow notes a window for the page that asks for it.
func (s *Server) newWindow(e *envelope) *openWindow {
	o := &openWindow{id: s.hex(16), framed: e.Target != "self", origin: e.Origin}
	s.windows[o.id] = o
	s.unsaved.windows = append(s.unsaved.windows, o)
	return o
}

// redirects reports whether the window ends at successUrl or failUrl.
func (o *openWindow) redirects() bool { return o.successURL != "" }

// ending is what a browser gets from a window: where to go, what to tell the page
// around it, or what is wrong with what was chosen.
type ending struct {
	status  int
	text    string // an address, or what is wrong
	message any
}

func leaveFor(address string) ending { return ending{status: http.StatusSeeOther, text: address} }

// succeed ends the window with what the shop gets, as parameters or as a value.
func (o *openWindow) succeed(pairs [][2]string, value map[string]any) ending {
	if o.redirects() {
		return o.end(leaveFor(withQuery(o.successURL, pairs)))
	}
	message := map[string]any{"type": "result"}
	if value != nil {
		message["value"] = value
	}
	return o.end(ending{status: http.StatusOK, message: message})
}

// fail ends the window without success. orderID is "" where failUrl has none.
func (o *openWindow) fail(code tosspayments.ErrorCode, orderID string) ending {
	info, _ := code.Info()
	if !o.redirects() {
		return o.end(ending{status: http.StatusOK, message: map[string]any{"type": "error", "code": code, "message": info.Korean}})
	}
	pairs := [][2]string{{"code", string(code)}, {"message", info.Korean}}
	if orderID != "" {
		pairs = append(pairs, [2]string{"orderId", orderID})
	}
	return o.end(leaveFor(withQuery(o.failURL, pairs)))
}

func (o *openWindow) end(e ending) ending {
	o.ended = &e
	return e
}

// cancel is what a buyer does who closes the window: the page goes to failUrl, or stays
// and its promise rejects.
func (o *openWindow) cancel(stays bool) ending {
	if !stays {
		return o.fail(tosspayments.ErrPayProcessCanceled, "")
	}
	info, _ := tosspayments.ErrUserCancel.Info()
	return o.end(ending{status: http.StatusOK, message: map[string]any{
		"type": "error", "code": tosspayments.ErrUserCancel, "message": info.Korean,
	}})
}

// staysOnCancel reports whether the visible button leaves the page where it is.
func (s *Server) staysOnCancel(o *openWindow) bool {
	return o.framed && !s.browser.CloseRedirects || !o.redirects() || o.brandPay != nil
}

// closed is how the window ends where the buyer closes it: with "cancel" as set for the
// server, with "leave" and "stay" in one of the two ways. ok is false for other outcomes.
func (s *Server) closed(o *openWindow, outcome string) (e ending, ok bool) {
	switch {
	case outcome == "cancel":
		return o.cancel(s.staysOnCancel(o)), true
	case outcome == "leave" && o.redirects():
		return o.cancel(false), true
	case outcome == "stay" && o.framed:
		return o.cancel(true), true
	}
	return ending{}, false
}

func (s *Server) showWindow(w http.ResponseWriter, id string) {
	var page *windowPage
	s.change(func() { page = s.windowPage(id) })
	status := http.StatusOK
	if page == nil {
		status = http.StatusNotFound
		page = &windowPage{Title: "결제를 찾을 수 없어요."}
	}
	page.write(w, status)
}

func (s *Server) closeWindow(w http.ResponseWriter, r *http.Request, id string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var e ending
	target := ""
	s.change(func() {
		if o := s.windows[id]; o != nil {
			e, target = s.endWindow(o, r.PostForm), o.origin
			s.unsaved.windows = append(s.unsaved.windows, o)
			return
		}
		e = ending{status: http.StatusNotFound, text: "결제를 찾을 수 없어요."}
	})
	switch {
	case e.status == http.StatusSeeOther:
		http.Redirect(w, r, e.text, e.status)
	case e.message != nil:
		(&windowPage{Title: "창을 닫고 있어요.", Target: target, Message: string(encode(e.message))}).write(w, e.status)
	default:
		http.Error(w, e.text, e.status)
	}
}

// endWindow does what was chosen in the window.
func (s *Server) endWindow(o *openWindow, form url.Values) ending {
	outcome := form.Get("outcome")
	p := o.payment
	if p != nil {
		s.refresh(p)
		if act := s.accountActs(p)[outcome]; act != nil {
			if err := act(); err != nil {
				return ending{status: http.StatusConflict, text: err.Error()}
			}
			return leaveFor(o.path())
		}
	}
	if o.ended != nil {
		return leaveFor(o.path())
	}
	if s.overtaken(o) {
		return *o.ended
	}
	if e, ok := s.closed(o, outcome); ok {
		return e
	}
	switch {
	case o.brandPay != nil:
		return s.endBrandPay(o, form)
	case o.registration != nil:
		return s.endRegistration(o, form)
	}
	if err := o.choose(form.Get("means"), form.Get("installment")); err != nil {
		return ending{status: http.StatusBadRequest, text: err.Error()}
	}
	return s.endPayment(o, outcome)
}

// overtaken ends the window of a payment whose time is over, or for which the buyer has
// done their part elsewhere, and reports whether that is so.
func (s *Server) overtaken(o *openWindow) bool {
	p := o.payment
	switch {
	case o.ended != nil || p == nil || p.status == tosspayments.PaymentStatusReady:
		return false
	case p.status == tosspayments.PaymentStatusExpired || p.status == tosspayments.PaymentStatusAborted:
		o.fail(s.guess(WindowTimeOver), p.checkout.OrderID)
	default:
		o.paid()
	}
	return true
}

// accountActs are what a bank and a depositor do with the account of a payment.
func (s *Server) accountActs(p *payment) map[string]func() error {
	return map[string]func() error{
		"deposit": func() error { return s.deposit(p, p.checkout.Amount) },
		"bounce":  func() error { return s.bounce(p) },
		"overdue": func() error { return s.expireAccount(p) },
	}
}

// endPayment is what the buyer, or the card company, does in the window.
func (s *Server) endPayment(o *openWindow, outcome string) ending {
	p := o.payment
	authenticatedAt := s.clock.now()
	switch outcome {
	case "pay":
	case "refuse":
		p.checkout.Refusal = tosspayments.ErrRejectCardCompany
	case "expire":
		authenticatedAt = authenticatedAt.Add(-confirmPeriod)
	case "lose":
		s.script = append(s.script, Fault{Operation: ConfirmPayment, PaymentKey: p.key, Kind: Drop, AfterEffect: true, Times: 1})
	case "reject", "abort":
		code := tosspayments.ErrRejectCardCompany
		if outcome == "abort" {
			code = tosspayments.ErrPayProcessAborted
		}
		p.status, p.failure = tosspayments.PaymentStatusAborted, code
		s.changed(p, s.clock.now(), false)
		return o.fail(code, p.checkout.OrderID)
	default:
		return ending{status: http.StatusBadRequest, text: "outcome"}
	}
	s.authenticate(p, authenticatedAt)
	return o.paid()
}

// paid ends the window of a payment with what the shop confirms it with. Only widgets()
// adds a paymentType.
func (o *openWindow) paid() ending {
	c := &o.payment.checkout
	pairs := [][2]string{{"orderId", c.OrderID}, {"paymentKey", o.payment.key}, {"amount", c.Amount.String()}}
	value := map[string]any{
		"orderId": c.OrderID, "paymentKey": o.payment.key, "amount": map[string]any{"value": c.Amount, "currency": c.Currency},
	}
	if c.Widget {
		pairs = append([][2]string{{"paymentType", "NORMAL"}}, pairs...)
		value["paymentType"] = "NORMAL"
	}
	return o.succeed(pairs, value)
}

// choose notes the means of payment: "card:61", "easyPay:TOSSPAY", "bank:20".
func (o *openWindow) choose(means, installment string) error {
	c := &o.payment.checkout
	kind, code, _ := strings.Cut(means, ":")
	switch kind {
	case "card":
		c.EasyPay, c.CardCompany = "", code
	case "easyPay":
		c.EasyPay = tosspayments.EasyPayProvider(code)
	case "bank":
		c.Bank = code
	case "carrier", "":
	default:
		return errors.New("means")
	}
	if installment != "" {
		months, err := strconv.Atoi(installment)
		if err != nil || !isInstallment(months) {
			return errors.New("installment")
		}
		c.InstallmentPlanMonths = months
	}
	return nil
}

// withQuery adds parameters to an address and keeps those that it has. Some addresses end
// with a separator of their own.
func withQuery(address string, pairs [][2]string) string {
	address, fragment, _ := strings.Cut(address, "#")
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	if strings.HasSuffix(address, "&") || strings.HasSuffix(address, "?") {
		separator = ""
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

// windowPage is what a window shows.
type windowPage struct {
	Title, Amount string
	Does          string // what the page is for
	// Target is the origin that Message is for.
	Target, Message string
	Choices         []choice
	Methods         []tile // that can be removed
	Instalments     []int
	Terms           []string
	Registering     bool
	Pay, Close      string // of the buttons; without Pay there is nothing to do
	ClosesItself    bool
	FormTarget      string
	Others          []outcome
	Account         *accountView
	Exchange        string // an address that the browser asks while the buyer waits
	Back            string
}

type choice struct {
	Legend, Name string
	Tiles        []tile
}

// outcome is another way to end a window.
type outcome struct {
	Value, Text string
	Self        bool // leaves the page around the window
}

type accountView struct {
	Number                         string
	CanDeposit, CanBounce, Overdue bool
}

// Assets is where the files of the page are.
func (page *windowPage) Assets() string { return ScriptPath }

func (page *windowPage) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = browserPages().ExecuteTemplate(w, "window.html", page)
}

// windowPage is what a window shows now; nil when there is none.
func (s *Server) windowPage(id string) *windowPage {
	o := s.windows[id]
	if o == nil {
		return nil
	}
	page := &windowPage{Target: o.origin, FormTarget: "_self", ClosesItself: s.staysOnCancel(o)}
	if o.redirects() {
		page.FormTarget = "_top"
	}
	p := o.payment
	if p != nil {
		s.refresh(p)
		page.Title, page.Amount = p.checkout.OrderName, price(p.checkout.Amount, p.checkout.Currency)
	}
	switch {
	case o.ended != nil || s.overtaken(o):
		s.overPage(page, o)
	case o.brandPay != nil:
		s.brandPayPage(page, o)
	case o.registration != nil:
		o.registrationPage(page)
		s.addOutcomes(page, o)
	default:
		o.paymentPage(page)
		s.addOutcomes(page, o)
	}
	return page
}

// overPage shows a window that has ended, with the account where one was issued.
func (s *Server) overPage(page *windowPage, o *openWindow) {
	if p := o.payment; p != nil && p.account != nil {
		page.Does = "상점이 구매자에게 안내한 가상계좌예요. 은행과 구매자가 할 일을 여기서 대신해 볼 수 있어요."
		page.Account = &accountView{
			Number:     p.account.number,
			CanDeposit: p.status == tosspayments.PaymentStatusWaitingForDeposit && !p.account.expired,
			CanBounce:  p.status == tosspayments.PaymentStatusDone, Overdue: p.account.expired,
		}
	} else {
		page.Title, page.Amount, page.Does = "이미 끝난 결제예요.", "", "상점으로 돌아가 주문을 확인해 주세요."
		if p == nil {
			page.Title, page.Does = "이미 끝난 창이에요.", "상점으로 돌아가 확인해 주세요."
		}
		if r := o.registration; r != nil {
			page.Title = "이미 끝난 " + r.title() + "이에요."
		}
	}
	if o.ended.status == http.StatusSeeOther {
		page.Back = o.ended.text
	}
}

// addOutcomes lists the other ways in which a window can end.
func (s *Server) addOutcomes(page *windowPage, o *openWindow) {
	place := "failUrl"
	if !o.redirects() {
		place = "promise"
	}
	page.Others = []outcome{
		{Value: "reject", Text: "카드사가 인증을 거절 → " + place + ", REJECT_CARD_COMPANY"},
		{Value: "abort", Text: "진행 중 중단 → " + place + ", PAY_PROCESS_ABORTED"},
	}
	switch {
	case !o.framed || !o.redirects():
	case s.staysOnCancel(o):
		page.Others = append(page.Others, outcome{Value: "leave", Text: "창 안에서 취소 → failUrl, PAY_PROCESS_CANCELED"})
	default:
		page.Others = append(page.Others, outcome{Value: "stay", Text: "창 닫기 → promise, USER_CANCEL", Self: true})
	}
	if o.registration == nil {
		page.Others = append(page.Others,
			outcome{Value: "refuse", Text: "인증은 성공, 승인 때 카드사가 거절 → REJECT_CARD_COMPANY"},
			outcome{Value: "expire", Text: "인증 뒤 10분이 지남 → NOT_FOUND_PAYMENT_SESSION"},
			outcome{Value: "lose", Text: "승인됐지만 응답을 받지 못함"})
	}
}

// paymentPage shows what a payment is made with.
func (o *openWindow) paymentPage(page *windowPage) {
	c := &o.payment.checkout
	page.Pay, page.Close = "결제하기", "결제창 닫기"
	switch c.Method {
	case tosspayments.MethodVirtualAccount:
		page.Pay, page.Close = "계좌 발급받기", "발급창 닫기"
		page.Does = "입금할 가상계좌를 발급받아요. 입금해야 결제가 끝나요."
		page.Choices = []choice{{"은행", "means", check(tiles("bank:", banks), "")}}
	case tosspayments.MethodTransfer:
		page.Does = "고른 은행의 계좌에서 바로 출금돼요."
		page.Choices = []choice{{"은행", "means", check(tiles("bank:", banks), "")}}
	case tosspayments.MethodMobilePhone:
		page.Does = "휴대폰 요금에 합산돼요."
		page.Choices = []choice{{"통신사", "means", check(o.carrierTiles(), "")}}
	case tosspayments.MethodForeignEasyPay:
		page.Does = o.provider + " 계정으로 결제돼요."
	case "":
		o.addMeans(page, c)
	default:
		page.Does = "상품권 잔액으로 결제돼요."
	}
}

func (o *openWindow) carrierTiles() (list []tile) {
	for _, t := range tiles("carrier:", carriers) {
		if len(o.carriers) == 0 || slices.Contains(o.carriers, strings.TrimPrefix(t.Code, "carrier:")) {
			list = append(list, t)
		}
	}
	return list
}

// addMeans lists the cards and wallets: all, or the one that was asked for.
func (o *openWindow) addMeans(page *windowPage, c *Checkout) {
	easyPay := wallet(string(c.EasyPay), true)
	cards, easyPays := tiles("card:", cardCompanies), tiles("easyPay:", wallets)
	switch {
	case o.company != "":
		cards, easyPays = check([]tile{companyTile(o.company)}, ""), nil
	case easyPay != "" && o.direct:
		cards, easyPays = nil, check([]tile{{Code: "easyPay:" + easyPay, Name: wallet(easyPay, false)}}, "")
	case easyPay != "":
		check(easyPays, "easyPay:"+easyPay)
	default:
		check(cards, "card:41")
	}
	if cards != nil {
		page.Choices = append(page.Choices, choice{"카드", "means", cards})
	}
	if easyPays != nil {
		page.Choices = append(page.Choices, choice{"간편결제", "means", easyPays})
	}
	if o.maxInstallment > 0 && c.Amount.Cmp(tosspayments.Won(50_000)) >= 0 {
		page.Instalments = []int{0}
		for months := 2; months <= o.maxInstallment; months++ {
			page.Instalments = append(page.Instalments, months)
		}
	}
}

// serveOpenWindow opens a window for the script.
func (s *Server) serveOpenWindow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/json")
	var e envelope
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&e); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var answer map[string]any
	var refused *windowRefusal
	base := "http://" + r.Host
	if r.TLS != nil {
		base = "https://" + r.Host
	}
	s.change(func() { answer, refused = s.openFor(&e, base) })
	if refused == nil {
		_, _ = w.Write(encode(answer))
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

// openFor answers with the path of a window, or with what needs none.
func (s *Server) openFor(e *envelope, base string) (answer map[string]any, refused *windowRefusal) {
	var o *openWindow
	switch e.Kind {
	case "payment":
		o, refused = s.openPayment(e)
	case "widgets":
		o, refused = s.openWidgetPayment(e)
	case "billing":
		o, refused = s.openRegistration(e)
	case "brandpay":
		return s.openBrandPay(e, base)
	default:
		refused = refuseWindow(tosspayments.ErrInvalidParameters, "kind")
	}
	if refused != nil {
		return nil, refused
	}
	if o.payment != nil {
		o.payment.page = base + o.path()
	}
	if !e.fails() {
		return map[string]any{"path": o.path()}, nil
	}
	if end := o.fail(tosspayments.ErrPayProcessAborted, o.orderID()); o.redirects() {
		return map[string]any{"go": end.text}, nil
	}
	return nil, refuseWindow(tosspayments.ErrPayProcessAborted, "")
}

// orderID is that of the window's payment; "" where there is none.
func (o *openWindow) orderID() string {
	if o.payment == nil {
		return ""
	}
	return o.payment.checkout.OrderID
}
