package main

import (
	"context"
	"crypto/rand"
	"embed"
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
	Message, Script, ClientKey string
	Price                      tosspayments.Amount
	Order                      *order
	Sellers                    []sellerRow
	Payouts                    []payoutRow
}

// sellerRow is a seller with what is owed, on the way, and paid.
type sellerRow struct {
	Ref, Name, TossID string
	Status            payouts.SellerStatus
	Owed, Paid        tosspayments.Amount
}

type payoutRow struct {
	Ref, Seller, State, Code string
	Amount                   tosspayments.Amount
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
	mux.HandleFunc("POST /sellers", m.addSeller)
	mux.HandleFunc("POST /sellers/{id}/check", m.completeCheck)
	mux.HandleFunc("POST /orders", m.createOrder)
	mux.HandleFunc("GET /orders/{id}", m.showOrder)
	mux.HandleFunc("GET /success", m.success)
	mux.HandleFunc("GET /fail", func(w http.ResponseWriter, r *http.Request) {
		m.message(w, r, http.StatusOK, "결제하지 못했어요. 처음부터 다시 시도해 주세요.")
	})
	mux.Handle("POST "+webhookPath, &webhook.Handler{Handle: m.received, Verifier: verifier, Logger: m.logger})
	return shop.Protect(mux, m.logger), nil
}

func (m *market) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Title, p.Price = "나눔 장터", price
	m.pages.Show(w, r, status, name, &p)
}

func (m *market) message(w http.ResponseWriter, r *http.Request, status int, text string) {
	m.show(w, r, status, "message.html", page{Message: text})
}

func (m *market) failed(w http.ResponseWriter, r *http.Request, err error) {
	m.logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	m.message(w, r, http.StatusInternalServerError, "잠시 문제가 생겼어요. 잠시 후 다시 시도해 주세요.")
}

func (m *market) showMarket(w http.ResponseWriter, r *http.Request) {
	var p page
	var err error
	if p.Sellers, err = m.sellers(r.Context()); err == nil {
		p.Payouts, err = m.lastPayouts(r.Context())
	}
	if err != nil {
		m.failed(w, r, err)
		return
	}
	m.show(w, r, http.StatusOK, "market.html", p)
}

func (m *market) sellers(ctx context.Context) (list []sellerRow, err error) {
	rows, err := m.db.QueryContext(ctx, `SELECT ref, name, toss_id, status,
		COALESCE((SELECT SUM(amount) FROM entries WHERE seller = ref), 0),
		COALESCE((SELECT SUM(amount) FROM payouts WHERE seller = sellers.ref AND state = 'completed'), 0) FROM sellers ORDER BY ref`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s sellerRow
		if err := rows.Scan(&s.Ref, &s.Name, &s.TossID, &s.Status, &s.Owed, &s.Paid); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

func (m *market) lastPayouts(ctx context.Context) (list []payoutRow, err error) {
	rows, err := m.db.QueryContext(ctx, `SELECT ref, seller, state, code, amount FROM payouts ORDER BY ref LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p payoutRow
		if err := rows.Scan(&p.Ref, &p.Seller, &p.State, &p.Code, &p.Amount); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
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
	case err == nil:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case outcome == tosspayments.OutcomeRefused || outcome == tosspayments.OutcomeNotSent:
		m.message(w, r, http.StatusBadRequest, "판매자를 등록하지 못했어요. 입력한 내용과 계좌를 확인해 주세요.")
	default:
		m.failed(w, r, err)
	}
}

// completeCheck plays the seller's part of the identity check, in the sandbox only.
func (m *market) completeCheck(w http.ResponseWriter, r *http.Request) {
	if m.toss.Sandbox == nil {
		http.NotFound(w, r)
		return
	}
	known, err := m.texts(r.Context(), `SELECT toss_id FROM sellers WHERE toss_id = $1`, r.PathValue("id"))
	if err != nil || len(known) == 0 {
		http.NotFound(w, r)
		return
	}
	m.toss.Sandbox.CompleteIdentityCheck(known[0])
	m.toss.Sandbox.WaitWebhooks()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// createOrder stores the order, with its amount, before any window opens.
func (m *market) createOrder(w http.ResponseWriter, r *http.Request) {
	id := tosspayments.NewOrderID()
	made, err := shop.Change(r.Context(), m.db, `INSERT INTO orders (id, seller, amount) SELECT $1, ref, CAST($2 AS BIGINT) FROM sellers WHERE ref = $3`,
		id, price, r.PostFormValue("seller"))
	switch {
	case err != nil:
		m.failed(w, r, err)
	case !made:
		m.message(w, r, http.StatusNotFound, "판매자를 찾을 수 없어요.")
	default:
		http.Redirect(w, r, "/orders/"+id, http.StatusSeeOther)
	}
}

func (m *market) showOrder(w http.ResponseWriter, r *http.Request) {
	o, err := m.order(r.Context(), r.PathValue("id"))
	if err != nil {
		m.message(w, r, http.StatusNotFound, "주문을 찾을 수 없어요.")
		return
	}
	text := map[string]string{
		"new": "아직 결제하지 않았어요.", "confirming": "결제를 확인하고 있어요. 다시 결제하지 마세요.", "paid": "결제됐어요.",
		"failed": "결제하지 못했어요.", "review": "결제를 확인하고 있어요. 고객센터에서 연락드릴게요.",
	}[o.State]
	m.show(w, r, http.StatusOK, "order.html", page{Order: o, Message: text, Script: m.toss.Script, ClientKey: m.toss.ClientKey})
}

// success is where the buyer comes back to. Nothing is paid yet, and all values went through
// the buyer's hands.
func (m *market) success(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	var o *order
	var request tosspayments.ConfirmPaymentRequest
	if err == nil {
		o, err = m.order(r.Context(), redirect.OrderID)
	}
	if err == nil {
		request, err = redirect.ConfirmRequest(o.Amount)
	}
	if err != nil {
		m.message(w, r, http.StatusBadRequest, "주문과 결제 내용이 달라요. 결제되지 않았어요.")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 25*time.Second)
	defer cancel()
	if err := m.confirm(ctx, o, request); err != nil {
		m.logger.ErrorContext(ctx, "confirm", "order", o.ID, "error", err)
	}
	http.Redirect(w, r, "/orders/"+o.ID, http.StatusSeeOther)
}
