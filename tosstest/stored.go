package tosstest

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// stored is a line of the file: what one change has changed, so that it is there as a
// whole or not at all. The last line about a thing counts.
type stored struct {
	// Version and Run are in the first line only. Run counts the servers of the file.
	Version int `json:",omitempty"`
	Run     int `json:",omitempty"`

	Skew       *time.Duration   `json:",omitempty"`
	Payments   []storedPayment  `json:",omitempty"`
	Billings   []storedBilling  `json:",omitempty"`
	Receipts   []storedReceipt  `json:",omitempty"`
	Movements  []Entry          `json:",omitempty"`
	Answers    []savedAnswer    `json:",omitempty"`
	Events     []storedEvent    `json:",omitempty"`
	Deliveries []storedDelivery `json:",omitempty"`
	BrandPay   *storedBrandPay  `json:",omitempty"`
	Payouts    *storedPayouts   `json:",omitempty"`
	Windows    []storedWindow   `json:",omitempty"`
}

func (o *stored) isEmpty() bool {
	return len(o.Payments)+len(o.Billings)+len(o.Receipts)+len(o.Movements)+len(o.Answers)+len(o.Events)+len(o.Windows) == 0 &&
		o.Skew == nil && o.BrandPay == nil && o.Payouts == nil
}

type storedPayment struct {
	Key             string
	Checkout        Checkout
	Status          tosspayments.PaymentStatus
	RequestedAt     time.Time
	Page, Receipt   string
	AuthenticatedAt time.Time
	ApprovedAt      time.Time
	ApproveNo       string
	Balance         tosspayments.Amount
	TaxFree         tosspayments.Amount
	LastTransaction string
	Cancels         []*cancel
	Failure         tosspayments.ErrorCode
	CardPoint       bool
	Typed           *plastic
	Billing         int
	Account         *storedAccount
	DueDate         string
	Refund          *refundAccount
	BrandPayer      string
	// OfOrder is set if it is the payment that is found by the order id.
	OfOrder bool
}

type storedAccount struct {
	Number, Bank, Customer, Depositor string
	Due                               time.Time
	Refund                            *refundAccount
}

type storedBilling struct {
	Number int
	billing
}

type storedReceipt struct {
	Widget bool
	Number int
	cashReceipt
}

type savedAnswer struct {
	Widget            bool
	Key, Method, Path string
	At                time.Time
	Status            int
	Body, TraceID     string
}

// storedBrandPay is what a change has changed of BrandPay. A customer who has left is nil,
// and a code that was used belongs to "".
type storedBrandPay struct {
	Customers map[string]*brandPayCustomer `json:",omitempty"`
	Codes     map[string]string            `json:",omitempty"`
	Removed   map[string]bool              `json:",omitempty"`
}

func newStoredBrandPay() storedBrandPay {
	return storedBrandPay{map[string]*brandPayCustomer{}, map[string]string{}, map[string]bool{}}
}

func (o *storedBrandPay) isEmpty() bool { return len(o.Customers)+len(o.Codes)+len(o.Removed) == 0 }

func (o *storedBrandPay) clear() {
	clear(o.Customers)
	clear(o.Codes)
	clear(o.Removed)
}

// all is everything, for a file that is made anew.
func (b *brandPay) all() *storedBrandPay { return &storedBrandPay{b.customers, b.codes, b.removed} }

// restore puts back what one line of the file says.
func (b *brandPay) restore(o *storedBrandPay) {
	for key, c := range o.Customers {
		if b.customers[key] = c; c == nil {
			delete(b.customers, key)
		}
	}
	for code, customerKey := range o.Codes {
		if b.codes[code] = customerKey; customerKey == "" {
			delete(b.codes, code)
		}
	}
	maps.Copy(b.removed, o.Removed)
}

type storedWindow struct {
	ID, Origin          string
	Framed              bool
	SuccessURL, FailURL string
	Payment             string
	Company, Provider   string
	Direct              bool
	MaxInstallment      int
	Carriers            []string
	Registration        *storedRegistration
	BrandPay            *storedBrandPayWindow
	EndedStatus         int
	EndedText           string
	EndedMessage        json.RawMessage
}

type storedRegistration struct {
	CustomerKey string
	IsAccount   bool
	Company     string
}

type storedBrandPayWindow struct{ Operation, CustomerKey, MethodID, RedirectURL, Exchange string }

func (o *openWindow) stored() storedWindow {
	w := storedWindow{
		ID: o.id, Origin: o.origin, Framed: o.framed, SuccessURL: o.successURL, FailURL: o.failURL,
		Company: o.company, Provider: o.provider, Direct: o.direct, MaxInstallment: o.maxInstallment, Carriers: o.carriers,
	}
	if o.payment != nil {
		w.Payment = o.payment.key
	}
	if r := o.registration; r != nil {
		w.Registration = &storedRegistration{r.customerKey, r.isAccount, r.company}
	}
	if b := o.brandPay; b != nil {
		w.BrandPay = &storedBrandPayWindow{b.operation, b.customerKey, b.methodID, b.redirectURL, b.exchange}
	}
	if e := o.ended; e != nil {
		w.EndedStatus, w.EndedText = e.status, e.text
		if e.message != nil {
			w.EndedMessage = encode(e.message)
		}
	}
	return w
}

func (s *Server) restoreWindow(w storedWindow) {
	o := &openWindow{
		id: w.ID, origin: w.Origin, framed: w.Framed, successURL: w.SuccessURL, failURL: w.FailURL, payment: s.payments[w.Payment],
		company: w.Company, provider: w.Provider, direct: w.Direct, maxInstallment: w.MaxInstallment, carriers: w.Carriers,
	}
	if r := w.Registration; r != nil {
		o.registration = &registration{r.CustomerKey, r.IsAccount, r.Company}
	}
	if b := w.BrandPay; b != nil {
		o.brandPay = &brandPayWindow{b.Operation, b.CustomerKey, b.MethodID, b.RedirectURL, b.Exchange}
	}
	if w.EndedStatus != 0 {
		o.ended = &ending{status: w.EndedStatus, text: w.EndedText}
		if w.EndedMessage != nil {
			o.ended.message = w.EndedMessage
		}
	}
	s.windows[o.id] = o
}

// storedEvent is an event for receivers that have an address.
type storedEvent struct {
	Number  int
	Kind    webhook.EventType
	OrderID string
	At      time.Time
	Body    string
	To      []string
}

// storedDelivery is how far the delivery of an event to a receiver has come.
type storedDelivery struct {
	Event           int
	To              string
	ID              string
	Retries, Resent int
	Due             time.Time
	Done            bool `json:",omitempty"`
}

func (s *Server) storedPayment(p *payment) storedPayment {
	o := storedPayment{
		Key: p.key, Checkout: p.checkout, Status: p.status, RequestedAt: p.requestedAt, Page: s.relative(p.page), Receipt: s.relative(p.receipt),
		AuthenticatedAt: p.authenticatedAt, ApprovedAt: p.approvedAt, ApproveNo: p.approveNo, Balance: p.balance, TaxFree: p.taxFree,
		LastTransaction: p.lastTransaction, Cancels: p.cancels, Failure: p.failure, CardPoint: p.cardPoint, Typed: p.typed,
		DueDate: p.dueDate, Refund: p.refund, BrandPayer: p.brandPayer, OfOrder: p.shop.byOrder[p.checkout.OrderID] == p,
	}
	if p.billing != nil {
		o.Billing = p.billing.number
	}
	if a := p.account; a != nil {
		o.Account = &storedAccount{a.number, a.bank, a.customer, a.depositor, a.due, a.refund}
	}
	return o
}

func (s *Server) restorePayment(o *storedPayment) {
	p := &payment{
		key: o.Key, checkout: o.Checkout, shop: s.shop(o.Checkout.Widget), status: o.Status, requestedAt: o.RequestedAt,
		page: s.absolute(o.Page), receipt: s.absolute(o.Receipt),
		authenticatedAt: o.AuthenticatedAt, approvedAt: o.ApprovedAt, approveNo: o.ApproveNo, balance: o.Balance, taxFree: o.TaxFree,
		lastTransaction: o.LastTransaction, cancels: o.Cancels, failure: o.Failure, cardPoint: o.CardPoint, typed: o.Typed,
		dueDate: o.DueDate, refund: o.Refund, brandPayer: o.BrandPayer,
	}
	if o.Billing > 0 {
		p.billing = s.allBillings[o.Billing-1]
	}
	if a := o.Account; a != nil {
		p.account = &virtualAccount{number: a.Number, bank: a.Bank, customer: a.Customer, depositor: a.Depositor, due: a.Due, refund: a.Refund}
	}
	s.add(p)
	s.watch(p)
}

func storedReceiptOf(c *cashReceipt, widget bool) storedReceipt {
	return storedReceipt{widget, c.number, *c}
}

func (s *Server) savedAnswer(a *storedAnswer) savedAnswer {
	return savedAnswer{a.id.shop == &s.widget, a.id.key, a.id.method, a.id.path, a.at, a.status, string(a.body), a.traceID}
}
