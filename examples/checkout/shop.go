package main

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/seed238ab19c/tosspayments"
)

//go:embed web
var web embed.FS

// The one thing that this shop sells.
const productName = "콜롬비아 수프리모 원두 200g"

var productPrice = tosspayments.Won(15000)

type shop struct {
	orders     *orders
	service    *service
	sessionKey string
	pages      *template.Template
	logger     *slog.Logger
}

func newShop(ctx context.Context, orders *orders, service *service, logger *slog.Logger) (*shop, error) {
	key, err := orders.sessionKey(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := template.New("").Funcs(template.FuncMap{"won": won}).ParseFS(web, "web/*.html")
	if err != nil {
		return nil, err
	}
	return &shop{orders: orders, service: service, sessionKey: key, pages: pages, logger: logger}, nil
}

// won writes an amount as people do: 15,000원.
func won(amount tosspayments.Amount) string {
	digits := amount.String()
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + "원"
}

func (s *shop) handler() http.Handler {
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
	mux.Handle("GET /web/", http.FileServerFS(web))
	// Buttons that change something work from the shop's own pages only.
	return s.logged(secure(http.NewCrossOriginProtection().Handler(mux)))
}

// logged writes one line per request, without the query: it may hold payment keys.
func (s *shop) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		s.logger.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path)
	})
}

func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// The success page's address holds the payment key.
		h.Set("Referrer-Policy", "same-origin")
		// The payment window may be a popup.
		h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'")
		if !strings.HasPrefix(r.URL.Path, "/web/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// page is what the templates get.
type page struct {
	Title       string
	Nonce       string
	Sandbox     bool
	Product     string
	Price       tosspayments.Amount
	Order       *order
	Orders      []*order
	Refunding   bool
	Message     string
	Script      string
	ClientKey   string
	CustomerKey string
	Code        tosspayments.ErrorCode
}

func (s *shop) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Sandbox = s.service.sandbox
	p.Nonce = rand.Text()
	// What the real script needs beyond its own hosts is not documented.
	w.Header().Set("Content-Security-Policy", fmt.Sprintf(
		"default-src 'self'; script-src 'self' 'nonce-%s' %[2]s; connect-src 'self' %[2]s; frame-src %[2]s; img-src 'self' data: %[2]s; "+
			"style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'", p.Nonce, s.service.origins))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := s.pages.ExecuteTemplate(w, name, p); err != nil {
		s.logger.WarnContext(r.Context(), "page", "name", name, "error", err)
	}
}

// failed answers with a page for people.
func (s *shop) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoOrder) {
		s.show(w, r, http.StatusNotFound, "message.html", page{Title: "주문을 찾을 수 없어요", Message: "주소를 확인하거나 주문 내역에서 찾아 주세요."})
		return
	}
	s.logger.ErrorContext(r.Context(), "request failed", "error", err)
	s.show(w, r, http.StatusInternalServerError, "message.html", page{Title: "잠시 문제가 생겼어요", Message: "잠시 후 다시 시도해 주세요. 결제 중이었다면 다시 결제하지 말고 주문 내역을 확인해 주세요."})
}

func (s *shop) showProduct(w http.ResponseWriter, r *http.Request) {
	s.customer(w, r)
	s.show(w, r, http.StatusOK, "product.html", page{Title: productName, Product: productName, Price: productPrice})
}

// createOrder stores the order before any window opens; the browser has no say in the
// amount.
func (s *shop) createOrder(w http.ResponseWriter, r *http.Request) {
	quantities := map[string]int64{"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
	quantity, ok := quantities[r.PostFormValue("quantity")]
	if !ok {
		http.Error(w, "수량은 1개에서 5개까지예요.", http.StatusBadRequest)
		return
	}
	units, _ := productPrice.Int64()
	name := fmt.Sprintf("%s %d개", productName, quantity)
	id, err := s.orders.create(r.Context(), s.customer(w, r), name, tosspayments.Won(units*quantity))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/orders/"+id+"/checkout", http.StatusSeeOther)
}

func (s *shop) showCheckout(w http.ResponseWriter, r *http.Request) {
	customer := s.customer(w, r)
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
		Title: "주문서", Order: x, Script: s.service.script, ClientKey: s.service.clientKey, CustomerKey: customer,
	})
}

// showSuccess is where the buyer comes back to. Its script posts the values to
// confirmPayment, so that this page can be refreshed without harm.
func (s *shop) showSuccess(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err != nil {
		s.show(w, r, http.StatusBadRequest, "message.html", page{Title: "잘못된 주소예요", Message: "결제되지 않았어요. 주문을 처음부터 다시 해 주세요."})
		return
	}
	x, err := s.orders.get(r.Context(), redirect.OrderID, s.customer(w, r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "success.html", page{Title: "결제를 확인하고 있어요", Order: x})
}

// confirmPayment takes what the success page posts: paymentKey, orderId, amount.
func (s *shop) confirmPayment(w http.ResponseWriter, r *http.Request) {
	var redirect tosspayments.SuccessRedirect
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&redirect); err != nil {
		answer(w, http.StatusBadRequest, "잘못된 요청이에요. 결제되지 않았어요.")
		return
	}
	x, err := s.orders.get(r.Context(), redirect.OrderID, s.customer(w, r))
	if errors.Is(err, errNoOrder) {
		answer(w, http.StatusNotFound, "주문을 찾을 수 없어요. 결제되지 않았어요.")
		return
	}
	if err != nil {
		s.logger.ErrorContext(r.Context(), "confirm", "error", err)
		answer(w, http.StatusInternalServerError, "잠시 후 다시 시도해 주세요.")
		return
	}
	request, err := redirect.ConfirmRequest(x.Amount)
	if errors.Is(err, tosspayments.ErrAmountMismatch) {
		s.logger.WarnContext(r.Context(), "amount differs, nothing was sent", "order", x.ID, "error", err)
		answer(w, http.StatusBadRequest, "주문 금액과 결제 금액이 달라요. 결제되지 않았어요.")
		return
	}
	if err != nil {
		answer(w, http.StatusBadRequest, "잘못된 요청이에요. 결제되지 않았어요.")
		return
	}
	claimed, err := s.orders.claim(r.Context(), x.ID, request.PaymentKey)
	if err != nil {
		s.logger.ErrorContext(r.Context(), "claim", "order", x.ID, "error", err)
		answer(w, http.StatusInternalServerError, "잠시 후 다시 시도해 주세요. 아직 결제되지 않았어요.")
		return
	}
	if claimed {
		x.PaymentKey = request.PaymentKey
		s.confirm(r.Context(), x, request)
	}
	answer(w, http.StatusOK, "")
}

func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// showFail says what the buyer can do. It never changes the order: anybody can open
// this address.
func (s *shop) showFail(w http.ResponseWriter, r *http.Request) {
	fail, err := tosspayments.ParseFailURL(r.URL)
	if err != nil {
		s.show(w, r, http.StatusBadRequest, "message.html", page{Title: "잘못된 주소예요", Message: "주문 내역에서 결제 상태를 확인해 주세요."})
		return
	}
	s.logger.InfoContext(r.Context(), "payment window", "code", string(fail.Code), "order", fail.OrderID)
	p := page{Title: "결제하지 못했어요", Code: fail.Code, Message: advice(fail.Code)}
	if x, err := s.orders.get(r.Context(), fail.OrderID, s.customer(w, r)); err == nil && x.State == created {
		p.Order = x
	}
	s.show(w, r, http.StatusOK, "fail.html", p)
}

// advice tells the buyer what to do about a refusal.
func advice(code tosspayments.ErrorCode) string {
	if code == tosspayments.ErrPayProcessCanceled {
		return "결제창을 닫으셨어요. 원하실 때 다시 결제할 수 있어요."
	}
	switch code.Class() {
	case tosspayments.ClassBuyerOtherMethod:
		return "카드사나 은행에서 결제를 거절했어요. 다른 카드나 다른 결제 수단으로 다시 시도해 주세요."
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

func (s *shop) showOrders(w http.ResponseWriter, r *http.Request) {
	list, err := s.orders.ofCustomer(r.Context(), s.customer(w, r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "orders.html", page{Title: "주문 내역", Orders: list})
}

func (s *shop) showOrder(w http.ResponseWriter, r *http.Request) {
	x, err := s.orders.get(r.Context(), r.PathValue("id"), s.customer(w, r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	p := page{Title: titles[x.State], Order: x, Code: x.FailureCode, Message: r.URL.Query().Get("refund")}
	if x.State == failed {
		p.Message = advice(x.FailureCode)
	} else {
		p.Message = refundMessages[p.Message]
	}
	if p.Refunding, err = s.orders.isRefunding(r.Context(), x.ID); err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "order.html", p)
}

var titles = map[state]string{
	created: "아직 결제하지 않았어요", confirming: "결제를 확인하고 있어요", paid: "결제가 완료됐어요",
	refunded: "모두 환불됐어요", failed: "결제하지 못했어요", expired: "결제 시간이 지났어요", review: "확인이 필요한 결제예요",
}

var refundMessages = map[string]string{
	"done":    "환불됐어요.",
	"stale":   "환불할 수 있는 금액이 바뀌었어요. 금액을 확인하고 다시 시도해 주세요.",
	"amount":  "환불 금액은 1원부터 남은 금액까지 적을 수 있어요.",
	"pending": "환불을 확인하고 있어요. 다시 신청하지 않아도 돼요.",
	"refused": "카드사가 환불을 거절했어요. 고객센터로 문의해 주세요.",
}

// orderState is what a waiting page asks for.
func (s *shop) orderState(w http.ResponseWriter, r *http.Request) {
	x, err := s.orders.get(r.Context(), r.PathValue("id"), s.customer(w, r))
	if err != nil {
		answer(w, http.StatusNotFound, "")
		return
	}
	pending, err := s.orders.isRefunding(r.Context(), x.ID)
	if err != nil {
		answer(w, http.StatusInternalServerError, "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"state": x.State, "waiting": x.State == confirming || pending})
}

// refundOrder gives money back: all that is left, or the amount in the form. The
// balance that the buyer saw comes with it, so that a second click does nothing.
func (s *shop) refundOrder(w http.ResponseWriter, r *http.Request) {
	x, err := s.orders.get(r.Context(), r.PathValue("id"), s.customer(w, r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	result := s.startRefund(r, x)
	http.Redirect(w, r, "/orders/"+x.ID+"?refund="+result, http.StatusSeeOther)
}

func (s *shop) startRefund(r *http.Request, x *order) string {
	if seen, err := tosspayments.ParseAmount(r.PostFormValue("balance")); err != nil || seen != x.Balance {
		return "stale"
	}
	amount := x.Balance
	if text := r.PostFormValue("amount"); text != "" {
		parsed, err := tosspayments.ParseAmount(strings.ReplaceAll(text, ",", ""))
		_, whole := parsed.Int64()
		if err != nil || !whole || parsed.Cmp(tosspayments.Amount{}) <= 0 || parsed.Cmp(x.Balance) > 0 {
			return "amount"
		}
		amount = parsed
	}
	planned, err := s.orders.planRefund(r.Context(), x, amount)
	switch {
	case err != nil:
		s.logger.ErrorContext(r.Context(), "refund", "order", x.ID, "error", err)
		return "stale"
	case planned == nil:
		return "stale"
	}
	err = s.refund(r.Context(), planned)
	var refused *tosspayments.Error
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &refused):
		return "refused"
	}
	return "pending"
}
