package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

//go:embed page
var files embed.FS

// sandbox is the fake with its live page.
type sandbox struct {
	toss                 *tosstest.Server
	secretKey, clientKey string
	hosts, webhooks      []string
}

// handler serves the page and what belongs to it under /sandbox/, and the fake elsewhere.
func (b *sandbox) handler() http.Handler {
	static, err := fs.Sub(files, "page")
	if err != nil {
		panic(err)
	}
	page := http.NewServeMux()
	page.Handle("GET /{$}", http.FileServerFS(static))
	page.Handle("GET /sandbox/", http.StripPrefix("/sandbox", http.FileServerFS(static)))
	page.HandleFunc("GET /sandbox/state", b.serveState)
	page.HandleFunc("POST /sandbox/act", b.serveAct)
	page.HandleFunc("GET /sandbox/return", b.confirm)
	guarded := http.NewCrossOriginProtection().Handler(page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.isOwn(r.Host) {
			http.Error(w, "toss-sandbox: requests for the host "+r.Host+" are refused; -host allows it", http.StatusForbidden)
			return
		}
		if r.URL.Path != "/" && !strings.HasPrefix(r.URL.Path, "/sandbox/") {
			b.toss.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		guarded.ServeHTTP(w, r)
	})
}

// isOwn reports whether a Host header names this machine, or a host that was allowed. A
// name that a stranger has pointed here (DNS rebinding) is neither.
func (b *sandbox) isOwn(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost") ||
		slices.ContainsFunc(b.hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

const shown = 100

// state is what the page shows, the newest first.
type state struct {
	URL       string        `json:"url"`
	Now       time.Time     `json:"now"`
	Script    string        `json:"script"`
	SecretKey string        `json:"secretKey"`
	ClientKey string        `json:"clientKey"`
	Webhooks  []string      `json:"webhooks"`
	Payments  []paymentView `json:"payments"`
	Requests  []requestView `json:"requests"`
	Events    []eventView   `json:"events"`
}

type paymentView struct {
	OrderID    string    `json:"orderId"`
	OrderName  string    `json:"orderName"`
	PaymentKey string    `json:"paymentKey"`
	Status     string    `json:"status"`
	Method     string    `json:"method"`
	Amount     string    `json:"amount"`
	Balance    string    `json:"balance"`
	Currency   string    `json:"currency"`
	Account    string    `json:"account"`
	At         time.Time `json:"at"`
	// Window is the address of a payment window that is still open.
	Window string `json:"window"`
	// Acts are the buttons that apply.
	Acts []string `json:"acts"`
}

type requestView struct {
	At     time.Time   `json:"at"`
	Method string      `json:"method"`
	Path   string      `json:"path"`
	Status int         `json:"status"`
	Fault  string      `json:"fault"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}

type eventView struct {
	At      time.Time `json:"at"`
	ID      string    `json:"id"`
	Event   string    `json:"event"`
	OrderID string    `json:"orderId"`
	Status  int       `json:"status"`
	Retried int       `json:"retried"`
	Error   string    `json:"error"`
	Body    string    `json:"body"`
}

func (b *sandbox) serveState(w http.ResponseWriter, _ *http.Request) {
	s := state{
		URL: b.toss.URL, Now: b.toss.Now(), Script: b.toss.URL + tosstest.ScriptPath,
		SecretKey: b.secretKey, ClientKey: b.clientKey, Webhooks: b.webhooks,
		Payments: []paymentView{}, Requests: []requestView{}, Events: []eventView{},
	}
	payments := b.toss.Payments(shown)
	for i := range payments {
		s.Payments = append(s.Payments, viewPayment(&payments[i]))
	}
	for _, r := range newest(b.toss.Requests()) {
		v := requestView{At: r.At, Method: r.Method, Path: r.Path, Status: r.Status, Header: r.Header, Body: excerpt(r.Body)}
		if r.Fault != nil {
			v.Fault = string(r.Fault.Kind)
		}
		s.Requests = append(s.Requests, v)
	}
	for _, d := range newest(b.toss.Deliveries()) {
		v := eventView{At: d.At, ID: d.ID, Event: string(d.Event), OrderID: d.OrderID, Status: d.Status, Retried: d.RetriedCount, Body: excerpt(d.Body)}
		if d.Err != nil {
			v.Error = d.Err.Error()
		}
		s.Events = append(s.Events, v)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s) //nolint:gosec // G117: the keys are those of the sandbox, and public
}

func viewPayment(p *tosspayments.Payment) paymentView {
	v := paymentView{
		OrderID: p.OrderID, OrderName: p.OrderName, PaymentKey: p.PaymentKey, Status: string(p.Status), Method: string(p.Method),
		Amount: p.TotalAmount.String(), Balance: p.Cancelable().String(), Currency: p.Currency, At: p.RequestedAt, Acts: []string{},
	}
	if p.Status == tosspayments.PaymentStatusReady && p.Checkout != nil {
		v.Window = p.Checkout.URL
	}
	if p.VirtualAccount == nil {
		return v
	}
	v.Account = p.VirtualAccount.AccountNumber.Reveal()
	switch {
	case p.Status == tosspayments.PaymentStatusWaitingForDeposit && !p.VirtualAccount.Expired:
		v.Acts = []string{"deposit", "overdue"}
	case p.Status == tosspayments.PaymentStatusDone:
		v.Acts = []string{"bounce"}
	}
	return v
}

// newest are the last of a log, the last one first.
func newest[T any](log []T) []T {
	last := log[max(0, len(log)-shown):]
	slices.Reverse(last)
	return last
}

func excerpt(body []byte) string {
	const limit = 4 << 10
	if len(body) > limit {
		return strings.ToValidUTF8(string(body[:limit]), "") + "…"
	}
	return string(body)
}

// act is a press of a button.
type act struct {
	Do string `json:"do"`
	// Of is the order id, the transmission id of an event, the method of a test payment, a
	// duration, or the operation whose next answer is lost ("" for any).
	Of string `json:"of"`
}

func (b *sandbox) serveAct(w http.ResponseWriter, r *http.Request) {
	var a act
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&a); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	window, err := b.do(r, a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"window": window})
}

// do does what a button says. It returns the address of the window to open, if any.
func (b *sandbox) do(r *http.Request, a act) (window string, err error) {
	switch a.Do {
	case "pay":
		return b.pay(r, tosspayments.Method(a.Of))
	case "deposit":
		return "", b.deposit(a.Of)
	case "bounce":
		return "", b.toss.Bounce(a.Of)
	case "overdue":
		return "", b.toss.ExpireAccount(a.Of)
	case "resend":
		return "", b.toss.ResendWebhook(a.Of)
	case "advance":
		d, err := time.ParseDuration(a.Of)
		if err != nil || d <= 0 {
			return "", fmt.Errorf("a duration such as 30m is missing")
		}
		b.toss.Advance(d)
	case "drop":
		b.toss.Inject(tosstest.Fault{Operation: tosstest.Operation(a.Of), Kind: tosstest.Drop, AfterEffect: true})
	case "refuse":
		b.toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrRejectCardPayment})
	case "500":
		b.toss.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrFailedInternalSystemProcessing})
	case "clear":
		b.toss.ClearFaults()
	default:
		return "", fmt.Errorf("no button is called %q", a.Do)
	}
	return "", nil
}

// deposit pays what the account of an order asks for.
func (b *sandbox) deposit(orderID string) error {
	for _, p := range b.toss.Payments(shown) {
		if p.OrderID == orderID && p.VirtualAccount != nil {
			return b.toss.Deposit(orderID, p.TotalAmount)
		}
	}
	return fmt.Errorf("order %s has no virtual account", orderID)
}

// pay opens the window of a test payment, as a shop would from its server.
func (b *sandbox) pay(r *http.Request, method tosspayments.Method) (window string, err error) {
	back := "http://" + r.Host
	client := b.toss.Client()
	defer client.Close()
	p, err := client.CreatePayment(r.Context(), tosspayments.CreatePaymentRequest{
		Method: method, OrderID: tosspayments.NewOrderID(), OrderName: "테스트 양말", Amount: testAmount,
		SuccessURL: back + "/sandbox/return", FailURL: back + "/",
	})
	if err != nil {
		return "", err
	}
	return p.Checkout.URL, nil
}

var testAmount = tosspayments.Won(15_000)

// confirm is where the buyer of a test payment comes back to. The page shows how it ends.
func (b *sandbox) confirm(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err == nil {
		var request tosspayments.ConfirmPaymentRequest
		if request, err = redirect.ConfirmRequest(testAmount); err == nil {
			client := b.toss.Client()
			defer client.Close()
			ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
			defer cancel()
			_, err = client.ConfirmPayment(ctx, request)
		}
	}
	if err != nil {
		http.Error(w, "결제를 승인하지 못했어요: "+err.Error(), http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
