package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// paymentView is what the list of payments shows.
type paymentView struct {
	PaymentKey string          `json:"paymentKey"`
	OrderID    string          `json:"orderId"`
	OrderName  string          `json:"orderName"`
	MID        string          `json:"mId"`
	Status     string          `json:"status"`
	Method     string          `json:"method"`
	Amount     json.RawMessage `json:"amount"`
	Balance    json.RawMessage `json:"balance"`
	Currency   string          `json:"currency"`
	Failure    string          `json:"failure,omitempty"`
	Account    string          `json:"account,omitempty"`
	At         string          `json:"at"`
	// Window is the address of a payment window that is still open.
	Window string `json:"window,omitempty"`
	// Acts are the buttons that apply.
	Acts []string `json:"acts"`
}

// viewPayment reads the JSON of a payment.
func viewPayment(document []byte) (v paymentView) {
	var p struct {
		paymentView
		TotalAmount    json.RawMessage `json:"totalAmount"`
		BalanceAmount  json.RawMessage `json:"balanceAmount"`
		RequestedAt    string          `json:"requestedAt"`
		Failure        struct{ Code string }
		Checkout       struct{ URL string }
		EasyPay        struct{ Provider string }
		VirtualAccount *struct {
			AccountNumber string
			Expired       bool
		}
	}
	_ = json.Unmarshal(document, &p)
	v = p.paymentView
	v.Amount, v.Balance, v.At, v.Failure = p.TotalAmount, p.BalanceAmount, p.RequestedAt, p.Failure.Code
	if p.EasyPay.Provider != "" {
		v.Method = p.EasyPay.Provider
	}
	account := p.VirtualAccount
	if account != nil {
		v.Account = account.AccountNumber
	}
	v.Acts = []string{}
	switch status := tosspayments.PaymentStatus(p.Status); {
	case status == tosspayments.PaymentStatusReady:
		v.Window, v.Acts = p.Checkout.URL, []string{"authenticate"}
	case status == tosspayments.PaymentStatusWaitingForDeposit && !account.Expired:
		v.Acts = []string{"deposit", "overdue", "refund"}
	case status == tosspayments.PaymentStatusWaitingForDeposit:
		v.Acts = []string{"refund"}
	case status == tosspayments.PaymentStatusDone && account != nil:
		v.Acts = []string{"bounce", "refund"}
	case status == tosspayments.PaymentStatusDone, status == tosspayments.PaymentStatusPartialCanceled && string(v.Balance) != "0":
		v.Acts = []string{"refund"}
	}
	return v
}

func (f *feed) putPayment(document json.RawMessage) {
	v := viewPayment(document)
	f.putDocument(payments, v.PaymentKey, v.Status, encode(v), document)
}

type requestView struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Operation string    `json:"operation"`
	Status    int       `json:"status"`
	// Code is that of an error.
	Code       string `json:"code,omitempty"`
	Fault      string `json:"fault,omitempty"`
	PaymentKey string `json:"paymentKey,omitempty"`
	OrderID    string `json:"orderId,omitempty"`
	// Subjects are the seller, the payouts or the customer that it is about.
	Subjects []string `json:"subjects"`
}

// requestDetail is a request that is looked at whole.
type requestDetail struct {
	requestView
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
	Answer string      `json:"answer"`
	Curl   string      `json:"curl"`
	// OpenedBody and OpenedAnswer are what is encrypted in Body and Answer; "" where nothing is.
	OpenedBody   string `json:"openedBody,omitempty"`
	OpenedAnswer string `json:"openedAnswer,omitempty"`
}

func (f *feed) viewRequest(id string, r *tosstest.Request) requestView {
	text := f.opened(r.Answer)
	v := requestView{ID: id, At: r.At, Method: r.Method, Path: target(r), Operation: string(r.Operation), Status: r.Status, PaymentKey: r.PaymentKey, OrderID: r.OrderID}
	if r.Fault != nil {
		v.Fault = string(r.Fault.Kind)
	}
	if r.Status >= http.StatusBadRequest {
		var answer struct {
			Code  string
			Error struct{ Code string }
		}
		_ = json.Unmarshal([]byte(text), &answer)
		v.Code = clip(answer.Code+answer.Error.Code, 100)
	}
	if r.Method == http.MethodGet || !strings.HasPrefix(r.Path, "/v2/") {
		text = "" // a list is about nothing of it
	}
	v.Subjects = subjects(r.Path, r.CustomerKey, text)
	return v
}

// target is the path of a request with its query.
func target(r *tosstest.Request) string {
	address := url.URL{Path: r.Path, RawQuery: r.Query.Encode()}
	return clip(address.String(), 2000)
}

func (f *feed) putRequest(r *tosstest.Request) {
	f.put(requests, func(id string) item {
		return item{summary: encode(f.viewRequest(id, r)), detail: r, size: len(r.Body) + len(r.Answer)}
	}, "")
}

// detail is a request with all that it said, and the command that says it again.
func (b *sandbox) requestDetail(id string, r *tosstest.Request) requestDetail {
	d := requestDetail{requestView: b.feed.viewRequest(id, r), Header: r.Header, Body: string(r.Body), Answer: string(r.Answer), Curl: b.curl(r)}
	if text := b.opened(r.Body); text != d.Body {
		d.OpenedBody = text
	}
	if text := b.opened(r.Answer); text != d.Answer {
		d.OpenedAnswer = text
	}
	return d
}

// curl is the command that repeats a request.
func (b *sandbox) curl(r *tosstest.Request) string {
	var command strings.Builder
	command.WriteString("curl -X " + r.Method + " " + quote(b.toss.URL+target(r)) + " \\\n  " + b.authorization(r))
	for _, name := range []string{"Content-Type", "Tosspayments-Api-Security-Mode", "Accept-Language", "Idempotency-Key", "Tosspayments-Test-Code"} {
		if value := r.Header.Get(name); value != "" {
			command.WriteString(" \\\n  -H " + quote(name+": "+value))
		}
	}
	if len(r.Body) > 0 {
		command.WriteString(" \\\n  -d " + quote(string(r.Body)))
	}
	return command.String()
}

// ofCustomer are the operations that go with the token of a customer of BrandPay.
var ofCustomer = map[tosstest.Operation]bool{
	tosstest.GetBrandPayCustomerMethods: true, tosstest.RemoveBrandPayCustomerCard: true, tosstest.RemoveBrandPayCustomerBank: true,
	tosstest.RemoveBrandPayCustomer: true,
}

// authorization is the option of curl for a request: the token of a customer, or a secret key.
func (b *sandbox) authorization(r *tosstest.Request) string {
	if ofCustomer[r.Operation] {
		v, _ := summary[customerView](b.feed, customers, r.CustomerKey)
		return "-H " + quote("Authorization: Bearer "+v.Token)
	}
	return "-u " + quote(b.secretKeyOf(r)+":")
}

// secretKeyOf is the key for a request: that of the pair with which its payment was opened.
func (b *sandbox) secretKeyOf(r *tosstest.Request) string {
	if p, err := b.payment(r.PaymentKey); err == nil && p.MID == tosstest.DefaultWidgetMID {
		return b.keys.WidgetSecret
	}
	return b.keys.Secret
}

// quote writes a word for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

type webhookView struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Transmission is the id of the header.
	Transmission string `json:"transmission"`
	Event        string `json:"event"`
	OrderID      string `json:"orderId,omitempty"`
	// Subjects are the seller, the payout or the customer that it is about.
	Subjects []string `json:"subjects"`
	Status   int      `json:"status"`
	Retried  int      `json:"retried"`
	Error    string   `json:"error,omitempty"`
}

type webhookDetail struct {
	webhookView
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}

func viewWebhook(id string, d *tosstest.Delivery) webhookView {
	v := webhookView{
		ID: id, At: d.At, Transmission: d.ID, Event: string(d.Event), OrderID: d.OrderID, Subjects: subjects("", "", string(d.Body)), Status: d.Status, Retried: d.RetriedCount,
	}
	if d.Err != nil {
		v.Error = clip(d.Err.Error(), 500)
	}
	return v
}

func (f *feed) putDelivery(d *tosstest.Delivery) {
	f.put(webhooks, func(id string) item {
		return item{summary: encode(viewWebhook(id, d)), detail: d, size: len(d.Body)}
	}, "")
}

type entryView struct {
	ID             string              `json:"id"`
	At             time.Time           `json:"at"`
	Kind           string              `json:"kind"`
	PaymentKey     string              `json:"paymentKey"`
	OrderID        string              `json:"orderId"`
	TransactionKey string              `json:"transactionKey"`
	Amount         tosspayments.Amount `json:"amount"`
}

func (f *feed) putEntry(e *tosstest.Entry) {
	f.put(entries, func(id string) item {
		return item{summary: encode(entryView{id, e.At, string(e.Kind), e.PaymentKey, e.OrderID, e.TransactionKey, e.Amount})}
	}, "")
}

// encode writes what has only texts, numbers and times.
func encode(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// clip bounds foreign text.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
