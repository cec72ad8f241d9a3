package main

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/institutions"
)

//go:embed web
var web embed.FS

// The one thing that this shop sells.
const productName = "콜롬비아 수프리모 원두 200g"

var productPrice = tosspayments.Won(15000)

type store struct {
	orders   *orders
	toss     *shop.Toss
	sessions *shop.Sessions
	pages    *shop.Pages
	logger   *slog.Logger
	// limits is for what writes rows or calls Toss Payments.
	limits shop.Limiter
	woken  chan struct{}
	// patience bounds each call that moves money.
	patience time.Duration
}

func newStore(orders *orders, toss *shop.Toss, logger *slog.Logger) (*store, error) {
	pages, err := shop.NewPages(web, toss, logger)
	return &store{
		orders: orders, toss: toss, pages: pages, logger: logger, woken: make(chan struct{}, workers), patience: confirmTime,
		sessions: &shop.Sessions{Name: "checkout", Lifetime: 30 * 24 * time.Hour},
		limits:   shop.Limiter{Count: 60, Period: 10 * time.Minute},
	}, err
}

func (s *store) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showProduct)
	mux.HandleFunc("POST /orders", s.createOrder)
	mux.HandleFunc("GET /orders", s.showOrders)
	mux.HandleFunc("GET /orders/{id}", s.showOrder)
	mux.HandleFunc("GET /orders/{id}/state", s.orderState)
	mux.HandleFunc("GET /orders/{id}/checkout", s.showCheckout)
	mux.HandleFunc("POST /orders/{id}/refund", s.refundOrder)
	mux.HandleFunc("GET /payment/success", s.showSuccess)
	mux.HandleFunc("POST /payment/confirm", s.confirmPayment)
	mux.HandleFunc("GET /payment/fail", s.showFail)
	mux.Handle("POST "+webhookPath, s.webhooks())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.message(w, r, http.StatusNotFound, "없는 페이지예요", "주소를 확인해 주세요.")
	})
	return shop.Protect(mux, s.logger)
}

// page is what the templates get.
type page struct {
	shop.Frame
	Product     string
	Price       tosspayments.Amount
	Order       *order
	Orders      []*order
	Message     string
	Script      string
	ClientKey   string
	CustomerKey string
	Code        tosspayments.ErrorCode
	Banks       []institutions.Institution
	// Returned is set when goods that were let out were taken back.
	Returned bool
	// Refund is where the last refund of the order stands; "" if there was none.
	Refund  refundState
	History []step
	// Form is what the buyer has typed into the refund form, Problem what is wrong with it.
	Form    refundForm
	Problem string
}

func titled(title string) shop.Frame { return shop.Frame{Title: title} }

func (s *store) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	s.pages.Show(w, r, status, name, &p)
}

func (s *store) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	s.show(w, r, status, "message.html", page{Frame: titled(title), Message: text})
}

// failed answers with a page for people.
func (s *store) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoOrder) {
		s.message(w, r, http.StatusNotFound, "주문을 찾을 수 없어요", "주소를 확인하거나 주문 내역에서 찾아 주세요.")
		return
	}
	s.logger.ErrorContext(r.Context(), "request failed", "error", err)
	s.message(w, r, http.StatusInternalServerError, "잠시 문제가 생겼어요", "잠시 후 다시 시도해 주세요. 결제 중이었다면 다시 결제하지 말고 주문 내역을 확인해 주세요.")
}

func (s *store) showProduct(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "product.html", page{Frame: titled(productName), Product: productName, Price: productPrice})
}

// createOrder stores the order before any window opens; the browser has no say in the
// amount.
func (s *store) createOrder(w http.ResponseWriter, r *http.Request) {
	quantities := map[string]int64{"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
	quantity, ok := quantities[r.PostFormValue("quantity")]
	if !ok {
		s.message(w, r, http.StatusBadRequest, "주문하지 않았어요", "수량은 1개에서 5개까지예요.")
		return
	}
	customer, err := s.customer(w, r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if s.isTooMuch(w, r, customer) {
		return
	}
	units, _ := productPrice.Int64()
	name := fmt.Sprintf("%s %d개", productName, quantity)
	id, err := s.orders.create(r.Context(), customer, name, tosspayments.Won(units*quantity))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/orders/"+id+"/checkout", http.StatusSeeOther)
}

// customer returns who is ordering. With the first order a session begins: a cookie to
// which no order belongs may be one that somebody else has planted.
func (s *store) customer(w http.ResponseWriter, r *http.Request) (id string, err error) {
	id = s.sessions.Customer(r)
	list, err := s.orders.ofCustomer(r.Context(), id)
	if err == nil && len(list) == 0 {
		id = s.sessions.Start(w, r)
	}
	return id, err
}

// isTooMuch reports whether somebody asks for too much at once, and says so.
func (s *store) isTooMuch(w http.ResponseWriter, r *http.Request, customer string) bool {
	if s.limits.Allow(time.Now(), r, customer) {
		return false
	}
	s.logger.WarnContext(r.Context(), "too many requests", "path", r.URL.Path)
	s.message(w, r, http.StatusTooManyRequests, "잠시 후 다시 시도해 주세요", "짧은 시간에 너무 많이 요청하셨어요. 10분 뒤에 다시 시도해 주세요.")
	return true
}

func (s *store) showCheckout(w http.ResponseWriter, r *http.Request) {
	customer := s.sessions.Customer(r)
	x, err := s.orders.get(r.Context(), r.PathValue("id"), customer)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if x.State != created {
		http.Redirect(w, r, "/orders/"+x.ID, http.StatusSeeOther)
		return
	}
	s.show(w, r, http.StatusOK, "checkout.html", page{
		Frame: titled("주문서"), Order: x, Script: s.toss.Script, ClientKey: s.toss.ClientKey, CustomerKey: customer,
	})
}

// showSuccess is where the buyer comes back to. Its script posts the values to
// confirmPayment, so that this page can be refreshed without harm. What the buyer has
// authenticated is kept, in case the page is closed before that.
func (s *store) showSuccess(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err != nil {
		s.message(w, r, http.StatusBadRequest, "잘못된 주소예요", "결제되지 않았어요. 주문을 처음부터 다시 해 주세요.")
		return
	}
	x, err := s.orders.get(r.Context(), redirect.OrderID, s.sessions.Customer(r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	// A wrong amount is told by confirmPayment.
	if request, err := redirect.ConfirmRequest(x.Amount); err == nil {
		if err := s.orders.returned(r.Context(), x, request.PaymentKey); err != nil {
			s.failed(w, r, err)
			return
		}
	}
	s.show(w, r, http.StatusOK, "success.html", page{Frame: titled("결제를 확인하고 있어요"), Order: x})
}

// confirmPayment takes what the success page posts: paymentKey, orderId, amount.
func (s *store) confirmPayment(w http.ResponseWriter, r *http.Request) {
	var redirect tosspayments.SuccessRedirect
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&redirect); err != nil {
		shop.Answer(w, http.StatusBadRequest, "잘못된 요청이에요. 결제되지 않았어요.")
		return
	}
	x, err := s.orders.get(r.Context(), redirect.OrderID, s.sessions.Customer(r))
	if errors.Is(err, errNoOrder) {
		shop.Answer(w, http.StatusNotFound, "주문을 찾을 수 없어요. 결제되지 않았어요.")
		return
	}
	if err != nil {
		s.logger.ErrorContext(r.Context(), "confirm", "error", err)
		shop.Answer(w, http.StatusInternalServerError, "잠시 후 다시 시도해 주세요.")
		return
	}
	if x.State != created && x.State != authenticated {
		shop.Answer(w, http.StatusOK, "") // the order's page says how it stands, whatever the address says
		return
	}
	request, err := redirect.ConfirmRequest(x.Amount)
	if errors.Is(err, tosspayments.ErrAmountMismatch) {
		s.logger.WarnContext(r.Context(), "amount differs, nothing was sent", "order", x.ID, "error", err)
		shop.Answer(w, http.StatusBadRequest, "주문 금액과 결제 금액이 달라요. 결제되지 않았어요.")
		return
	}
	if err != nil {
		shop.Answer(w, http.StatusBadRequest, "잘못된 요청이에요. 결제되지 않았어요.")
		return
	}
	if !s.limits.Allow(time.Now(), r, x.CustomerID) {
		shop.Answer(w, http.StatusTooManyRequests, "짧은 시간에 너무 많이 요청하셨어요. 잠시 후 이 화면을 새로고침해 주세요. 아직 결제되지 않았어요.")
		return
	}
	claimed, err := s.orders.claim(r.Context(), x, request.PaymentKey)
	if err != nil {
		s.logger.ErrorContext(r.Context(), "claim", "order", x.ID, "error", err)
		shop.Answer(w, http.StatusInternalServerError, "잠시 후 다시 시도해 주세요. 아직 결제되지 않았어요.")
		return
	}
	if claimed {
		// The browser may go away; the confirm does not.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.patience)
		defer cancel()
		s.confirm(ctx, x)
	}
	shop.Answer(w, http.StatusOK, "")
}

// showFail says what the buyer can do. It never changes the order: anybody can open
// this address.
func (s *store) showFail(w http.ResponseWriter, r *http.Request) {
	fail, err := tosspayments.ParseFailURL(r.URL)
	if err != nil {
		s.message(w, r, http.StatusBadRequest, "잘못된 주소예요", "주문 내역에서 결제 상태를 확인해 주세요.")
		return
	}
	s.logger.InfoContext(r.Context(), "payment window", "code", string(fail.Code), "order", fail.OrderID)
	p := page{Frame: titled("결제하지 못했어요"), Code: fail.Code, Message: advice(fail.Code)}
	if fail.Code == tosspayments.ErrPayProcessCanceled { // no failure: the buyer has changed their mind
		p.Frame, p.Code = titled("결제를 그만두셨어요"), ""
	}
	id := cmp.Or(fail.OrderID, r.URL.Query().Get("order"))
	if x, err := s.orders.get(r.Context(), id, s.sessions.Customer(r)); err == nil && x.State == created {
		p.Order = x
	}
	s.show(w, r, http.StatusOK, "fail.html", p)
}

// advice tells the buyer what to do about a refusal.
func advice(code tosspayments.ErrorCode) string {
	switch code {
	case tosspayments.ErrPayProcessCanceled:
		return "결제창을 닫으셨어요. 원하실 때 다시 결제할 수 있어요."
	case tosspayments.ErrExpiredPayment:
		return "결제 시간이나 입금 기한이 지났어요. 결제된 금액은 없으니 처음부터 다시 주문해 주세요."
	}
	switch code.Class() {
	case tosspayments.ClassBuyerOtherMethod:
		return "카드사나 은행에서 결제를 거절했어요. 다른 카드나 다른 결제수단으로 다시 시도해 주세요."
	case tosspayments.ClassBuyerRestart:
		return "결제 시간이 지났거나 결제가 중단됐어요. 결제된 금액은 없으니 처음부터 다시 시도해 주세요."
	case tosspayments.ClassWait:
		return "지금은 결제할 수 없어요. 잠시 후 다시 시도해 주세요."
	case tosspayments.ClassConfiguration, tosspayments.ClassRequest, tosspayments.ClassNotCancelable:
		return "상점의 결제 설정에 문제가 있어요. 결제된 금액은 없어요. 고객센터로 알려 주세요."
	case tosspayments.ClassAlreadyDone:
		return "이미 처리된 결제예요. 주문 내역을 확인해 주세요."
	}
	return "결제 결과를 확인하지 못했어요. 다시 결제하기 전에 주문 내역을 먼저 확인해 주세요."
}

func (s *store) showOrders(w http.ResponseWriter, r *http.Request) {
	list, err := s.orders.ofCustomer(r.Context(), s.sessions.Customer(r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "orders.html", page{Frame: titled("주문 내역"), Orders: list})
}

func (s *store) showOrder(w http.ResponseWriter, r *http.Request) {
	x, err := s.orders.get(r.Context(), r.PathValue("id"), s.sessions.Customer(r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.showOrderPage(w, r, http.StatusOK, x, refundForm{}, "")
}

// showOrderPage shows where an order stands. All that it says comes from the books,
// other than the problem with a form that was just sent.
func (s *store) showOrderPage(w http.ResponseWriter, r *http.Request, status int, x *order, form refundForm, problem string) {
	p := page{Frame: titled(x.title()), Order: x, Code: x.FailureCode, Banks: refundBanks(), Form: form, Problem: problem}
	if x.State == failed {
		p.Message = advice(x.FailureCode)
	}
	var err error
	if p.Refund, p.History, err = s.stands(r.Context(), x.ID); err != nil {
		s.failed(w, r, err)
		return
	}
	_, returned, err := s.orders.goods(r.Context(), x.ID)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	p.Returned = returned > 0
	s.show(w, r, status, "order.html", p)
}

// title is the headline of the order's page.
func (x *order) title() string {
	switch {
	case x.State == canceled && x.WasPaid():
		return "전액 환불됐어요"
	case x.IsPartlyRefunded():
		return "일부 환불됐어요"
	}
	return titles[x.State]
}

// WasPaid reports whether money has moved for the order.
func (x *order) WasPaid() bool { return x.Payment != nil && !x.Payment.ApprovedAt.IsZero() }

// IsPartlyRefunded reports whether a part of the money was given back.
func (x *order) IsPartlyRefunded() bool { return x.State == paid && x.Balance.Cmp(x.Amount) < 0 }

// IsVirtualAccount reports whether the buyer pays into an account.
func (x *order) IsVirtualAccount() bool { return x.Payment != nil && x.Payment.VirtualAccount != nil }

// Bank is the name of the bank of the virtual account.
func (x *order) Bank() string {
	if bank, ok := institutions.LookupBank(x.Payment.VirtualAccount.BankCode); ok {
		return bank.Korean
	}
	return x.Payment.VirtualAccount.BankCode
}

// refundBanks are those that a refund can be sent to: those with a two-digit code.
func refundBanks() (list []institutions.Institution) {
	for bank := range institutions.Banks() {
		if len(bank.Code) == 2 && !bank.Unconfirmed {
			list = append(list, bank)
		}
	}
	return list
}

var titles = map[state]string{
	created: "아직 결제하지 않았어요", authenticated: "결제를 확인하고 있어요", confirming: "결제를 확인하고 있어요", waiting: "입금을 기다리고 있어요", paid: "결제가 완료됐어요",
	canceled: "주문이 취소됐어요", failed: "결제하지 못했어요", expired: "결제 시간이 지났어요", review: "확인이 필요한 결제예요",
}

// stands returns what an order's page shows beside the order.
func (s *store) stands(ctx context.Context, id string) (refund refundState, history []step, err error) {
	if refund, err = s.orders.lastRefund(ctx, id); err == nil {
		history, err = s.orders.history(ctx, id)
	}
	return refund, history, err
}

// Version changes when the page has to be drawn again.
func (p *page) Version() string {
	version := fmt.Sprint(p.Order.State, " ", p.Refund, " ", len(p.History))
	if n := len(p.History); n > 0 {
		version += fmt.Sprint(" ", p.History[n-1].At.UnixMicro())
	}
	return version
}

// orderState is what a waiting page asks for.
func (s *store) orderState(w http.ResponseWriter, r *http.Request) {
	x, err := s.orders.get(r.Context(), r.PathValue("id"), s.sessions.Customer(r))
	if err != nil {
		shop.Answer(w, http.StatusNotFound, "")
		return
	}
	p := page{Order: x}
	if p.Refund, p.History, err = s.stands(r.Context(), x.ID); err != nil {
		shop.Answer(w, http.StatusInternalServerError, "")
		return
	}
	shop.Answer(w, http.StatusOK, p.Version())
}
