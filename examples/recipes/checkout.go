package recipes

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

// Order stores an order before the payment window opens, which is for [PayPage] to do.
func (s *Shop) Order(w http.ResponseWriter, r *http.Request) {
	order := Order{ID: tosspayments.NewOrderID(), Name: "원두 1kg", Amount: tosspayments.Won(15000)}
	if err := s.Orders.Create(r.Context(), order); err != nil {
		http.Error(w, "잠시 후 다시 시도해 주세요.", http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/pay/"+order.ID, http.StatusSeeOther)
}

// Success handles successUrl.
func (s *Shop) Success(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err != nil {
		http.Error(w, "잘못된 주소예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	s.confirm(w, r, redirect)
}

// Confirm handles the success page that posts the values as JSON.
func (s *Shop) Confirm(w http.ResponseWriter, r *http.Request) {
	var redirect tosspayments.SuccessRedirect
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&redirect); err != nil {
		http.Error(w, "잘못된 요청이에요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	s.confirm(w, r, redirect)
}

// confirm does its work once, however often the buyer comes by, and shows the order.
func (s *Shop) confirm(w http.ResponseWriter, r *http.Request, redirect tosspayments.SuccessRedirect) {
	order, err := s.Orders.Get(r.Context(), redirect.OrderID) // and check that it is the signed-in buyer's
	if err != nil {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	request, err := redirect.ConfirmRequest(order.Amount)
	if errors.Is(err, tosspayments.ErrAmountMismatch) {
		http.Error(w, "주문 금액과 결제 금액이 달라요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, "주문과 맞지 않는 결제예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	// The buyer may close the page: the confirm goes on to its end all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 25*time.Second)
	defer cancel()
	if err := s.ConfirmOrder(ctx, order, request); err != nil {
		slog.ErrorContext(ctx, "the database failed", "order", order.ID, "error", err)
		http.Error(w, "잠시 후 새로고침해 주세요.", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/orders/"+order.ID, http.StatusSeeOther)
}

// ConfirmOrder claims an order, confirms its payment, and records what that means. Each
// step is committed, and no transaction is open during the confirm. Its error is that of
// the database: how the payment has ended is in the order.
func (s *Shop) ConfirmOrder(ctx context.Context, order Order, request tosspayments.ConfirmPaymentRequest) error {
	order.PaymentKey, order.IdempotencyKey, order.KeyID = request.PaymentKey, rand.Text(), s.Toss.KeyID()
	claimed, err := s.Orders.Claim(ctx, &order) // stores all three, if the order is new
	if err != nil || !claimed {
		return err
	}
	payment, err := s.Toss.ConfirmPayment(ctx, request, tosspayments.WithIdempotencyKey(order.IdempotencyKey))
	return s.record(ctx, order, payment, err)
}

// Fail handles failUrl. It changes nothing: anybody can open it.
func (s *Shop) Fail(w http.ResponseWriter, r *http.Request) {
	fail, err := tosspayments.ParseFailURL(r.URL)
	if err != nil {
		http.Error(w, "잘못된 주소예요. 결제되지 않았어요.", http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, Explain(fail.Code))
}

// OrderPage shows what is recorded. While an order is confirming, let the page ask again
// every few seconds.
func (s *Shop) OrderPage(w http.ResponseWriter, r *http.Request) {
	order, err := s.Orders.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, Message(order)) //nolint:gosec // G705: it is not HTML.
}

// Message is what the buyer is told about an order.
func Message(order Order) string {
	switch order.State {
	case "confirming":
		return "결제를 확인하고 있어요. 다시 결제하지 마세요."
	case "paid":
		return "결제됐어요."
	case "waiting":
		return ShowAccount(order.Payment)
	case "canceled":
		return "취소됐어요."
	case "failed":
		return Explain(order.Code)
	case "review":
		return "결제를 확인하고 있어요. 고객센터에서 연락드릴게요."
	}
	return "아직 결제하지 않았어요."
}

// Explain is what the buyer is told about a refusal.
func Explain(code tosspayments.ErrorCode) string {
	switch code.Class() {
	case tosspayments.ClassBuyerOtherMethod:
		return "다른 카드나 결제수단을 이용해 주세요."
	case tosspayments.ClassBuyerRestart:
		return "결제가 끝나지 않았어요. 처음부터 다시 시도해 주세요."
	case tosspayments.ClassWait:
		return "잠시 후 다시 시도해 주세요."
	}
	return "결제할 수 없어요. 고객센터로 문의해 주세요."
}

// Describe reads a payment.
func Describe(payment *tosspayments.Payment) {
	fmt.Println(payment.Status, payment.TotalAmount, payment.IsPaid(), payment.Cancelable())
	if card := payment.Card; card != nil {
		fmt.Println(card.IssuerCode, card.Number, card.InstallmentPlanMonths, card.ApproveNo)
	}
	if wallet := payment.EasyPay; wallet != nil {
		fmt.Println(wallet.Provider, wallet.Amount, wallet.DiscountAmount)
	}
	if payment.Receipt != nil {
		fmt.Println(payment.Receipt.URL)
	}
}
