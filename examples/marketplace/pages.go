package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/webhook"
)

//go:embed web
var web embed.FS

const webhookPath = "/webhook"

var price = tosspayments.Won(30_000)

// page is what the templates get.
type page struct {
	shop.Frame
	Message, Problem, Script, ClientKey string
	Price                               tosspayments.Amount
	Order                               *order
	// Refund is where the last refund of the order stands; "" if there was none.
	Refund  string
	Orders  []orderRow
	Sellers []sellerRow
	Payouts []payoutRow
}

// sellerRow is a seller with what is owed to them, or what they owe, and what they were paid.
type sellerRow struct {
	Ref, Name, TossID string
	Status            payouts.SellerStatus
	Owed, Debt, Paid  tosspayments.Amount
}

// State says what the seller's status means.
func (s *sellerRow) State() string {
	switch {
	case s.TossID == "":
		return "등록을 확인하고 있어요"
	case s.Status == payouts.SellerStatusApprovalRequired:
		return "본인인증이 필요해요"
	case s.Status == payouts.SellerStatusKYCRequired:
		return "고객확인(KYC)이 필요해요"
	case s.Status == payouts.SellerStatusPartiallyApproved:
		return "일주일에 1,000만 원까지 지급할 수 있어요"
	case s.Status == payouts.SellerStatusApproved:
		return "지급할 수 있어요"
	}
	return "상태를 확인하고 있어요"
}

type payoutRow struct {
	Seller, State, Code string
	Amount              tosspayments.Amount
}

// Word says what has become of the payout.
func (p *payoutRow) Word() string {
	return map[string]string{"new": "요청하고 있어요", "requested": "이체하고 있어요", "completed": "지급했어요", "unpaid": "지급하지 못했어요"}[p.State]
}

type orderRow struct {
	order
	SellerName string
}

// Word says where an order stands.
func (o *order) Word() string {
	switch {
	case o.State == "paid" && o.Left().IsZero():
		return "전액 환불됐어요"
	case o.State == "paid" && !o.Refunded.IsZero():
		return "일부 환불됐어요"
	}
	return map[string]string{
		"new": "아직 결제하지 않았어요", "confirming": "결제를 확인하고 있어요. 다시 결제하지 마세요.", "paid": "결제됐어요",
		"failed": "결제하지 못했어요", "review": "결제를 확인하고 있어요. 고객센터에서 연락드릴게요.",
	}[o.State]
}

func (m *market) handler(securityKey string) (http.Handler, error) {
	verifier, err := webhook.NewVerifier(securityKey)
	if err != nil {
		return nil, err
	}
	if m.pages, err = shop.NewPages(web, m.toss, m.logger); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", m.showMarket)
	mux.HandleFunc("POST /sellers", m.limited(m.addSeller))
	mux.HandleFunc("POST /sellers/{id}/check", m.limited(m.completeCheck))
	mux.HandleFunc("POST /orders", m.limited(m.createOrder))
	mux.HandleFunc("GET /orders/{id}", m.showOrder)
	mux.HandleFunc("GET /orders/{id}/state", m.orderState)
	mux.HandleFunc("POST /orders/{id}/refund", m.limited(m.refundOrder))
	mux.HandleFunc("GET /success", m.success)
	mux.HandleFunc("GET /fail", m.fail)
	mux.Handle("POST "+webhookPath, &webhook.Handler{Handle: m.received, Verifier: verifier, Logger: m.logger})
	return shop.Protect(mux, m.logger), nil
}

// limited bounds how often an address can post: each time writes a row or calls Toss Payments.
func (m *market) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !m.limits.Allow(m.now(), r, "") {
			m.logger.WarnContext(r.Context(), "too many requests", "path", r.URL.Path)
			m.message(w, r, http.StatusTooManyRequests, "짧은 시간에 너무 많이 요청하셨어요. 10분 뒤에 다시 시도해 주세요.")
			return
		}
		next(w, r)
	}
}

func (m *market) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Title, p.Price = "나눔 장터", price
	m.pages.Show(w, r, status, name, &p)
}

func (m *market) message(w http.ResponseWriter, r *http.Request, status int, text string) {
	m.show(w, r, status, "message.html", page{Message: text})
}

func (m *market) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, sql.ErrNoRows) {
		m.message(w, r, http.StatusNotFound, "주문을 찾을 수 없어요.")
		return
	}
	m.logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	m.message(w, r, http.StatusInternalServerError, "잠시 문제가 생겼어요. 잠시 후 다시 시도해 주세요.")
}

func (m *market) showMarket(w http.ResponseWriter, r *http.Request) {
	var p page
	var err error
	if p.Sellers, err = m.sellers(r.Context()); err == nil {
		p.Payouts, err = m.lastPayouts(r.Context())
	}
	if err == nil {
		p.Orders, err = m.lastOrders(r.Context())
	}
	if err != nil {
		m.failed(w, r, err)
		return
	}
	m.show(w, r, http.StatusOK, "market.html", p)
}

func (m *market) sellers(ctx context.Context) ([]sellerRow, error) {
	return shop.List(ctx, m.db, func(rows *sql.Rows) (s sellerRow, err error) {
		err = rows.Scan(&s.Ref, &s.Name, &s.TossID, &s.Status, &s.Owed, &s.Paid)
		if s.Owed.Sign() < 0 {
			s.Owed, s.Debt = s.Debt, s.Owed.Neg()
		}
		return s, err
	}, `SELECT ref, name, toss_id, status,
		COALESCE((SELECT SUM(amount) FROM entries WHERE seller = ref), 0),
		COALESCE((SELECT SUM(amount) FROM payouts WHERE seller = sellers.ref AND state = 'completed'), 0) FROM sellers ORDER BY made_at, ref`)
}

func (m *market) lastPayouts(ctx context.Context) ([]payoutRow, error) {
	return shop.List(ctx, m.db, func(rows *sql.Rows) (p payoutRow, err error) {
		return p, rows.Scan(&p.Seller, &p.State, &p.Code, &p.Amount)
	}, `SELECT s.name, p.state, p.code, p.amount FROM payouts p JOIN sellers s ON s.ref = p.seller ORDER BY p.made_at DESC, p.ref LIMIT 20`)
}

func (m *market) lastOrders(ctx context.Context) ([]orderRow, error) {
	return shop.List(ctx, m.db, func(rows *sql.Rows) (o orderRow, err error) {
		return o, rows.Scan(&o.ID, &o.SellerName, &o.Amount, &o.Refunded, &o.State)
	}, `SELECT o.id, s.name, o.amount, o.refunded, o.state FROM orders o JOIN sellers s ON s.ref = o.seller ORDER BY o.made_at DESC, o.id LIMIT 20`)
}

// addSeller registers a seller. The account goes to Toss Payments, and is not kept here.
func (m *market) addSeller(w http.ResponseWriter, r *http.Request) {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	name := tosspayments.NewSensitive(value("name"))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 25*time.Second)
	defer cancel()
	err := m.register(ctx, strings.ToLower(rand.Text()[:12]), value("name"),
		payouts.Account{BankCode: value("bank"), AccountNumber: tosspayments.NewSensitive(value("account")), HolderName: name},
		&payouts.Individual{Name: name, Email: tosspayments.NewSensitive(value("email")), Phone: tosspayments.NewSensitive(value("phone"))})
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case outcome == tosspayments.OutcomeRefused || outcome == tosspayments.OutcomeNotSent:
		m.message(w, r, http.StatusBadRequest, "셀러를 등록하지 못했어요. 입력한 내용과 계좌를 확인해 주세요.")
		return
	case err != nil:
		m.logger.WarnContext(ctx, "register", "error", err) // the page says that it is being looked at
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// completeCheck plays the seller's part of the identity check or of KYC, in the sandbox only.
func (m *market) completeCheck(w http.ResponseWriter, r *http.Request) {
	if m.toss.Sandbox == nil {
		http.NotFound(w, r)
		return
	}
	id := r.PathValue("id")
	status, err := shop.Texts(r.Context(), m.db, `SELECT status FROM sellers WHERE toss_id = $1`, id)
	if err != nil || len(status) == 0 {
		http.NotFound(w, r)
		return
	}
	switch payouts.SellerStatus(status[0]) {
	case payouts.SellerStatusApprovalRequired:
		m.toss.Sandbox.CompleteIdentityCheck(id)
	case payouts.SellerStatusKYCRequired:
		m.toss.Sandbox.CompleteKYC(id)
	}
	m.toss.Sandbox.WaitWebhooks()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// createOrder stores the order, with its amount, before any window opens.
func (m *market) createOrder(w http.ResponseWriter, r *http.Request) {
	id := tosspayments.NewOrderID()
	made, err := shop.Change(r.Context(), m.db, `INSERT INTO orders (id, seller, amount, made_at)
		SELECT $1, ref, CAST($2 AS BIGINT), CAST($4 AS BIGINT) FROM sellers WHERE ref = $3 AND toss_id <> ''`,
		id, price, r.PostFormValue("seller"), m.now().Unix())
	switch {
	case err != nil:
		m.failed(w, r, err)
	case !made:
		m.message(w, r, http.StatusNotFound, "셀러를 찾을 수 없어요.")
	default:
		http.Redirect(w, r, "/orders/"+id, http.StatusSeeOther)
	}
}

func (m *market) showOrder(w http.ResponseWriter, r *http.Request) {
	m.orderPage(w, r, http.StatusOK, "")
}

func (m *market) orderPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	p, err := m.stands(r.Context(), r.PathValue("id"))
	if err != nil {
		m.failed(w, r, err)
		return
	}
	p.Message, p.Problem, p.Script, p.ClientKey = p.Order.Word(), problem, m.toss.Script, m.toss.ClientKey
	m.show(w, r, status, "order.html", p)
}

// stands returns what the page of an order shows of it.
func (m *market) stands(ctx context.Context, id string) (p page, err error) {
	if p.Order, err = m.order(ctx, id); err != nil {
		return p, err
	}
	refunds, err := shop.Texts(ctx, m.db, `SELECT state FROM refunds WHERE order_id = $1 ORDER BY made_at DESC, id LIMIT 1`, id)
	if len(refunds) > 0 {
		p.Refund = refunds[0]
	}
	return p, err
}

// Version changes when the page has to be drawn again.
func (p *page) Version() string {
	return strings.Join([]string{p.Order.State, p.Refund, p.Order.Refunded.String()}, " ")
}

// orderState is what a waiting page asks for.
func (m *market) orderState(w http.ResponseWriter, r *http.Request) {
	p, err := m.stands(r.Context(), r.PathValue("id"))
	if err != nil {
		shop.Answer(w, http.StatusNotFound, "")
		return
	}
	shop.Answer(w, http.StatusOK, p.Version())
}

// refundOrder gives money back: the amount in the form, or all that is left.
func (m *market) refundOrder(w http.ResponseWriter, r *http.Request) {
	o, err := m.order(r.Context(), r.PathValue("id"))
	if err != nil {
		m.failed(w, r, err)
		return
	}
	amount := o.Left()
	if text := strings.ReplaceAll(strings.TrimSpace(r.PostFormValue("amount")), ",", ""); text != "" {
		amount, err = tosspayments.ParseAmount(text)
	}
	if won, isWhole := amount.Int64(); err != nil || !isWhole || won <= 0 || amount.Cmp(o.Left()) > 0 {
		m.orderPage(w, r, http.StatusBadRequest, "환불할 금액을 확인해 주세요.")
		return
	}
	// The page has shown what is left: a form that is sent twice plans one refund.
	id, err := "", error(nil)
	if r.PostFormValue("left") == o.Left().String() {
		id, err = m.planRefund(r.Context(), o, amount)
	}
	switch {
	case err != nil:
		m.failed(w, r, err)
		return
	case id == "":
		m.orderPage(w, r, http.StatusConflict, "주문이 그사이 바뀌었어요. 확인하고 다시 신청해 주세요.")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 25*time.Second)
	defer cancel()
	if err := m.runRefund(ctx, id); err != nil {
		m.logger.ErrorContext(ctx, "refund", "order", o.ID, "error", err)
	}
	http.Redirect(w, r, "/orders/"+o.ID, http.StatusSeeOther)
}

// success is where the buyer comes back to. Nothing is paid yet, and all values went through
// the buyer's hands.
func (m *market) success(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err != nil {
		m.message(w, r, http.StatusBadRequest, "잘못된 주소예요. 결제되지 않았어요.")
		return
	}
	o, err := m.order(r.Context(), redirect.OrderID)
	if err != nil {
		m.failed(w, r, err)
		return
	}
	request, err := redirect.ConfirmRequest(o.Amount)
	if err != nil && o.State == "new" {
		m.message(w, r, http.StatusBadRequest, "주문 금액과 결제 금액이 달라요. 결제되지 않았어요.")
		return
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 25*time.Second)
		defer cancel()
		if err := m.confirm(ctx, o, request); err != nil {
			m.logger.ErrorContext(ctx, "confirm", "order", o.ID, "error", err)
		}
	}
	http.Redirect(w, r, "/orders/"+o.ID, http.StatusSeeOther)
}

// fail says what the buyer can do. It changes nothing: anybody can open this address.
func (m *market) fail(w http.ResponseWriter, r *http.Request) {
	p := page{Message: "결제하지 못했어요. 다른 카드나 결제수단으로 다시 시도해 주세요."}
	if fail, err := tosspayments.ParseFailURL(r.URL); err == nil && fail.Code == tosspayments.ErrPayProcessCanceled {
		p.Message = "결제를 그만두셨어요. 원하실 때 다시 결제할 수 있어요."
	}
	if o, err := m.order(r.Context(), r.URL.Query().Get("order")); err == nil && o.State == "new" {
		p.Order = o
	}
	m.show(w, r, http.StatusOK, "message.html", p)
}
