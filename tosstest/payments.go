package tosstest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

const (
	windowPeriod  = 30 * time.Minute
	confirmPeriod = 10 * time.Minute
)

// payment is the server's record of one payment.
type payment struct {
	key         string
	checkout    Checkout
	shop        *merchant
	status      tosspayments.PaymentStatus
	requestedAt time.Time
	// page is where the buyer pays, receipt where the receipt is shown.
	page, receipt string
	// authenticatedAt starts the ten minutes for the confirm.
	authenticatedAt time.Time
	approvedAt      time.Time
	approveNo       string
	balance         tosspayments.Amount
	taxFree         tosspayments.Amount
	lastTransaction string
	cancels         []*cancel
	failure         tosspayments.ErrorCode
	// busy is set while a confirm or cancel is being worked on.
	busy bool
	// cardPoint is set when the points of the card were asked for.
	cardPoint bool
	// typed is the card of a key-in.
	typed *plastic
	// billing is set for a charge of a billing key.
	billing *billing
	account *virtualAccount
	// dueDate and refund are what a virtual account was asked for with.
	dueDate string
	refund  *refundAccount
	// brandPayer is the customer key of a BrandPay payment.
	brandPayer string
}

type cancel struct {
	Amount, TaxFree, Left tosspayments.Amount
	Reason, Transaction   string
	At                    time.Time
}

// kst is how the service writes its times.
func kst() *time.Location { return time.FixedZone("KST", 9*60*60) }

func stamp(t time.Time) string { return t.In(kst()).Format("2006-01-02T15:04:05-07:00") }

func (s *Server) open(checkout Checkout) *payment {
	if checkout.Currency == "" {
		checkout.Currency = tosspayments.CurrencyKRW
	}
	checkout.useCodes()
	now := s.clock.now()
	shop := s.shop(checkout.Widget)
	p := &payment{
		// Five characters of the MID, the time, and five of chance.
		key:         shop.mid[:5] + now.In(kst()).Format("20060102150405") + s.alphanumeric(5),
		checkout:    checkout,
		shop:        shop,
		status:      tosspayments.PaymentStatusReady,
		requestedAt: now,
		balance:     checkout.Amount,
		taxFree:     checkout.TaxFreeAmount,
	}
	for s.payments[p.key] != nil {
		p.key = p.key[:19] + s.alphanumeric(5)
	}
	s.add(p)
	p.page = s.URL + "/window/" + p.key
	p.receipt = s.receiptURL(p.key)
	s.watch(p)
	if !s.taken(&checkout) {
		p.shop.byOrder[p.checkout.OrderID] = p
	}
	return p
}

func (s *Server) add(p *payment) {
	s.payments[p.key] = p
	s.opened = append(s.opened, p)
}

// authenticate notes that the buyer has done their part.
func (s *Server) authenticate(p *payment, at time.Time) {
	p.status = tosspayments.PaymentStatusInProgress
	p.authenticatedAt = at
	s.watch(p)
}

// deadline is when a payment expires by itself; zero when it does not.
func (p *payment) deadline() time.Time {
	switch {
	case p.account != nil || p.busy:
	case p.status == tosspayments.PaymentStatusReady:
		return p.requestedAt.Add(windowPeriod)
	case p.status == tosspayments.PaymentStatusInProgress:
		return p.authenticatedAt.Add(confirmPeriod)
	}
	return time.Time{}
}

// refresh notes whether the time of a virtual account is over. That of other payments is
// watched.
func (s *Server) refresh(p *payment) {
	if p.account != nil {
		p.account.expired = p.status == tosspayments.PaymentStatusWaitingForDeposit && s.clock.now().After(p.account.due)
	}
}

// success answers with a payment.
func (s *Server) success(r *request, p *payment) reply {
	s.refresh(p)
	return ok(p.json(r.english))
}

func (s *Server) getPayment(r *request) reply { return s.found(r, s.paymentOf(r, r.subject)) }

func (s *Server) getPaymentByOrderID(r *request) reply {
	return s.found(r, r.shop.byOrder[r.subject])
}

// paymentOf is the payment of a key; nil where it was opened with the other pair.
func (s *Server) paymentOf(r *request, key string) *payment {
	if p := s.payments[key]; p != nil && p.shop == r.shop {
		return p
	}
	return nil
}

func (s *Server) found(r *request, p *payment) reply {
	if p == nil {
		return r.refuse(tosspayments.ErrNotFoundPayment)
	}
	return s.success(r, p)
}

func (s *Server) confirm(r *request) reply {
	var body struct {
		PaymentKey string               `json:"paymentKey"`
		OrderID    string               `json:"orderId"`
		Amount     *tosspayments.Amount `json:"amount"`
	}
	if !decode(r.body, &body) || body.PaymentKey == "" || body.OrderID == "" || body.Amount == nil {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	p := s.payments[body.PaymentKey]
	if p != nil && p.shop != r.shop {
		return r.refuse(s.guess(ConfirmOtherKeys))
	}
	if code := s.refuseConfirm(p, body.OrderID, *body.Amount); code != "" {
		return r.refuse(code)
	}
	s.work(p, r)
	if code := p.checkout.Refusal; code != "" {
		p.status = tosspayments.PaymentStatusAborted
		p.failure = code
		s.changed(p, s.clock.now(), false)
		return r.refuse(code)
	}
	if p.checkout.Method == tosspayments.MethodVirtualAccount {
		p.shop.byOrder[p.checkout.OrderID] = p
		c := &p.checkout
		s.issueAccount(p, accountRequest{Bank: c.bank(), Customer: c.customer(), ValidHours: c.ValidHours, DueDate: p.dueDate})
		return s.success(r, p)
	}
	s.approve(p)
	return s.success(r, p)
}

func (s *Server) refuseConfirm(p *payment, orderID string, amount tosspayments.Amount) tosspayments.ErrorCode {
	switch {
	case p == nil:
		return tosspayments.ErrNotFoundPaymentSession
	case p.checkout.OrderID != orderID:
		return tosspayments.ErrForbiddenRequest
	case p.checkout.Amount != amount:
		return s.guess(ConfirmOtherAmount)
	case p.busy:
		return tosspayments.ErrAlreadyProcessingRequest
	case !p.approvedAt.IsZero() || p.account != nil:
		return tosspayments.ErrAlreadyProcessedPayment
	case p.status != tosspayments.PaymentStatusInProgress:
		return tosspayments.ErrNotFoundPaymentSession
	}
	if p.shop.byOrder[p.checkout.OrderID] != p && s.taken(&p.checkout) {
		return tosspayments.ErrDuplicatedOrderID
	}
	return s.refuseAmount(&p.checkout)
}

// approve moves the money.
func (s *Server) approve(p *payment) {
	p.status = tosspayments.PaymentStatusDone
	p.approvedAt = s.clock.now()
	p.approveNo = digits(s.random.Uint32())
	p.shop.byOrder[p.checkout.OrderID] = p
	p.lastTransaction = s.enter(Approved, p, p.checkout.Amount, nil)
	// Charges of a billing key are not told.
	if p.billing == nil {
		s.changed(p, s.clock.now(), false)
	}
}

func digits(n uint32) string {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b)
}

// transactionKey has one of the two forms that are in use.
func (s *Server) transactionKey() string {
	if s.random.Uint32()&1 == 0 {
		return strings.ToUpper(s.hex(16))
	}
	return "txrd_a" + ulid(s.clock.now(), s.random)
}

type cancelRequest struct {
	CancelReason     string               `json:"cancelReason"`
	CancelAmount     *tosspayments.Amount `json:"cancelAmount"`
	RefundableAmount *tosspayments.Amount `json:"refundableAmount"`
	TaxFreeAmount    tosspayments.Amount  `json:"taxFreeAmount"`
	Currency         string               `json:"currency"`

	RefundReceiveAccount *refundAccount `json:"refundReceiveAccount"`
}

func (s *Server) cancel(r *request) reply {
	var body cancelRequest
	length := 0
	if decode(r.body, &body) {
		length = utf8.RuneCountInString(body.CancelReason)
	}
	if length == 0 || length > 200 || body.CancelAmount != nil && body.CancelAmount.Cmp(tosspayments.Amount{}) <= 0 {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	p := s.paymentOf(r, r.subject)
	if p == nil {
		return r.refuse(tosspayments.ErrNotFoundPayment)
	}
	if p.busy {
		return r.refuse(tosspayments.ErrAlreadyProcessingRequest)
	}
	s.work(p, r)
	if code := s.giveBack(p, &body); code != "" {
		return r.refuse(code)
	}
	return s.success(r, p)
}

// Refund cancels an amount of what an order has paid, or all that is left if the amount is
// 0, as somebody does in the merchant's dashboard: no request is made, and the webhook is
// sent. A deposit needs no account to go back to.
func (s *Server) Refund(orderID string, amount tosspayments.Amount, reason string) (err error) {
	body := cancelRequest{CancelReason: reason, RefundReceiveAccount: &refundAccount{"20", "123456789", "dashboard"}}
	if !amount.IsZero() {
		body.CancelAmount = &amount
	}
	s.change(func() {
		p := s.order(orderID)
		switch {
		case p == nil:
			err = fmt.Errorf("tosstest: there is no order %q", orderID)
		case p.busy:
			err = fmt.Errorf("tosstest: a request is working on order %q", orderID)
		default:
			if code := s.giveBack(p, &body); code != "" {
				err = fmt.Errorf("tosstest: refund of order %q: %s", orderID, code)
			}
		}
	})
	return err
}

// giveBack cancels a payment, or returns the code of why not.
func (s *Server) giveBack(p *payment, body *cancelRequest) tosspayments.ErrorCode {
	if p.account != nil && p.status == tosspayments.PaymentStatusWaitingForDeposit {
		switch {
		case body.CancelAmount != nil:
			return tosspayments.ErrNotAllowedPartialRefundWaitingDeposit
		case body.RefundableAmount != nil && *body.RefundableAmount != p.balance:
			return tosspayments.ErrNotMatchesRefundableAmount
		}
		s.withdraw(p, body.CancelReason)
		return ""
	}
	if code := s.refuseCancel(p, body); code != "" {
		return code
	}
	s.refund(p, body)
	return ""
}

func (s *Server) refuseCancel(p *payment, body *cancelRequest) tosspayments.ErrorCode {
	switch p.status {
	case tosspayments.PaymentStatusDone, tosspayments.PaymentStatusPartialCanceled:
	case tosspayments.PaymentStatusCanceled:
		return tosspayments.ErrAlreadyCanceledPayment
	default:
		return tosspayments.ErrNotCancelablePayment
	}
	if code := s.refuseRefundAccount(p, body.RefundReceiveAccount); code != "" {
		return code
	}
	amount := body.amount(p)
	switch {
	case body.Currency != "" && body.Currency != p.checkout.Currency:
		return tosspayments.ErrInvalidRequest
	case !isWhole(amount, p.checkout.Currency) || !isWhole(body.TaxFreeAmount, p.checkout.Currency) || body.TaxFreeAmount.Sign() < 0:
		return tosspayments.ErrInvalidRequest
	case p.balance.IsZero():
		return tosspayments.ErrNotCancelableAmount
	case body.RefundableAmount != nil && *body.RefundableAmount != p.balance:
		return tosspayments.ErrNotMatchesRefundableAmount
	case amount.Cmp(p.balance) > 0 || body.TaxFreeAmount.Cmp(p.taxFree) > 0 || body.TaxFreeAmount.Cmp(amount) > 0:
		return tosspayments.ErrNotCancelableAmount
	}
	if n := len(p.cancels); s.consecutiveCancels && n > 0 && s.clock.now().Sub(p.cancels[n-1].At) < time.Second {
		return tosspayments.ErrForbiddenConsecutiveRequest
	}
	return ""
}

// amount is what is to be cancelled: all that is left where nothing is said.
func (r *cancelRequest) amount(p *payment) tosspayments.Amount {
	if r.CancelAmount != nil {
		return *r.CancelAmount
	}
	return p.balance
}

// refund moves money back.
func (s *Server) refund(p *payment, body *cancelRequest) {
	amount := body.amount(p)
	p.balance = p.balance.Sub(amount)
	p.taxFree = p.taxFree.Sub(body.TaxFreeAmount)
	p.status = tosspayments.PaymentStatusPartialCanceled
	if p.balance.IsZero() && len(p.cancels) == 0 {
		p.status = tosspayments.PaymentStatusCanceled
	}
	if p.balance.IsZero() {
		p.taxFree = tosspayments.Amount{}
	}
	x := &cancel{Amount: amount, TaxFree: body.TaxFreeAmount, Left: p.balance, Reason: body.CancelReason, At: s.clock.now()}
	p.lastTransaction = s.enter(Canceled, p, amount, x)
	p.cancels = append(p.cancels, x)
	s.changed(p, s.clock.now(), false)
}

// json writes the payment as the service does.
func (p *payment) json(inEnglish bool) []byte {
	c := &p.checkout
	vat := vat(p.balance.Sub(p.taxFree))
	values := map[string]any{
		"mId":            p.shop.mid,
		"paymentKey":     p.key,
		"orderId":        c.OrderID,
		"orderName":      c.OrderName,
		"currency":       c.Currency,
		"status":         p.status,
		"requestedAt":    stamp(p.requestedAt),
		"totalAmount":    c.Amount,
		"balanceAmount":  p.balance,
		"suppliedAmount": p.balance.Sub(p.taxFree).Sub(vat),
		"vat":            vat,
		"taxFreeAmount":  p.taxFree,
		"checkout":       link(p.page),
		"useEscrow":      c.UseEscrow,
	}
	if p.status == tosspayments.PaymentStatusExpired {
		values["useEscrow"] = nil
	}
	if len(c.Metadata) > 0 {
		values["metadata"] = c.Metadata
	}
	if p.failure != "" {
		info, _ := p.failure.Info()
		message := info.Korean
		if inEnglish {
			message = info.English
		}
		values["failure"] = map[string]string{"code": string(p.failure), "message": message}
	}
	if p.billing != nil {
		values["type"] = tosspayments.PaymentTypeBilling
	}
	if p.brandPayer != "" {
		values["type"] = tosspayments.PaymentTypeBrandPay
	}
	if !p.approvedAt.IsZero() || p.account != nil {
		p.approvedJSON(values, inEnglish)
	}
	if p.brandPayer != "" {
		return fixtures().brandPayPayment.fill(values)
	}
	return fixtures().payment.fill(values)
}

// approvedJSON adds what a payment has once it is approved.
func (p *payment) approvedJSON(values map[string]any, inEnglish bool) {
	values["method"] = p.method(inEnglish)
	p.meansJSON(values, inEnglish)
	if !p.approvedAt.IsZero() {
		values["approvedAt"] = stamp(p.approvedAt)
	}
	values["lastTransactionKey"] = p.lastTransaction
	if p.brandPayer == "" {
		values["secret"] = p.secret()
	} else {
		values["transactionKey"] = p.lastTransaction
	}
	values["receipt"] = link(p.receipt)
	if len(p.cancels) == 0 {
		return
	}
	cancels := make([]json.RawMessage, len(p.cancels))
	for i := range p.cancels {
		cancels[i] = p.cancels[i].json()
	}
	values["cancels"] = cancels
}

func (p *payment) secret() string { return "ps_" + p.key }

// taken reports whether the order id can no longer be used.
func (p *payment) taken() bool { return !p.approvedAt.IsZero() || p.account != nil }

func isMethod(method tosspayments.Method) bool {
	switch method {
	case tosspayments.MethodCard, tosspayments.MethodVirtualAccount, tosspayments.MethodTransfer,
		tosspayments.MethodMobilePhone, tosspayments.MethodForeignEasyPay:
		return true
	}
	return isGiftCertificate(method)
}

func isGiftCertificate(method tosspayments.Method) bool {
	return strings.HasSuffix(string(method), "_GIFT_CERTIFICATE")
}

func (c *Checkout) bank() string {
	if c.Bank == "" {
		return "20"
	}
	return c.Bank
}

func (c *Checkout) customer() string {
	if c.CustomerName == "" {
		return "김토스"
	}
	return c.CustomerName
}

// word picks a language. The English words are a guess: the real ones are not
// documented.
func word(inEnglish bool, korean, english string) string {
	if inEnglish {
		return english
	}
	return korean
}

func (p *payment) method(inEnglish bool) string {
	switch {
	case p.account != nil:
		return word(inEnglish, "가상계좌", "Virtual account")
	case p.checkout.EasyPay != "" && p.checkout.Method == "":
		return word(inEnglish, "간편결제", "EasyPay")
	case p.checkout.Method != "":
		method, _ := institutions.LookupMethod(p.checkout.Method)
		return word(inEnglish, method.Korean, method.English)
	}
	return word(inEnglish, "카드", "Card")
}

func (x *cancel) json() json.RawMessage {
	return fixtures().cancel.fill(map[string]any{
		"cancelAmount": x.Amount, "cancelReason": x.Reason, "taxFreeAmount": x.TaxFree,
		"refundableAmount": x.Left, "canceledAt": stamp(x.At), "transactionKey": x.Transaction,
	})
}

func link(address string) map[string]string { return map[string]string{"url": address} }

var wallets = [][2]string{
	{"TOSSPAY", "토스페이"}, {"NAVERPAY", "네이버페이"}, {"SAMSUNGPAY", "삼성페이"}, {"APPLEPAY", "애플페이"},
	{"LPAY", "엘페이"}, {"KAKAOPAY", "카카오페이"}, {"PINPAY", "핀페이"}, {"PAYCO", "페이코"}, {"SSG", "SSG페이"},
}

func wallet(name string, inEnglish bool) string {
	for _, w := range wallets {
		if name != w[0] && name != w[1] {
			continue
		}
		if inEnglish {
			return w[0]
		}
		return w[1]
	}
	return name
}

// vat is a rounded eleventh, in whole units.
func vat(taxed tosspayments.Amount) tosspayments.Amount {
	units, ok := taxed.Int64()
	if !ok {
		return tosspayments.Amount{}
	}
	return tosspayments.Won((units + 5) / 11)
}
