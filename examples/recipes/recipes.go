// Package recipes holds the Go code of the README and the guides, so that it is
// compiled and tested. A block of code there is a run of lines here.
package recipes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"os"

	"github.com/seed238ab19c/tosspayments"
)

// Shop is as much of a backend as the recipes need.
type Shop struct {
	Toss   *tosspayments.Client
	Orders Orders
}

// Orders keeps orders; in a real shop it is a database.
type Orders interface {
	Create(Order) error
	Get(id string) (Order, error)
	// Claim stores the payment key and tells whether it was this call that did:
	// UPDATE … SET state = 'confirming', payment_key = ? WHERE id = ? AND state = 'new'.
	Claim(id, paymentKey string) (bool, error)
	Finish(id, state string, payment *tosspayments.Payment) error
}

// Order is a purchase.
type Order struct {
	ID, Name string
	Amount   tosspayments.Amount
	State    string
}

// NewShop reads the key from the environment.
func NewShop(orders Orders) (*Shop, error) {
	client, err := tosspayments.New(os.Getenv("TOSS_SECRET_KEY"))
	if err != nil {
		return nil, err
	}
	return &Shop{Toss: client, Orders: orders}, nil
}

var checkoutPage = template.Must(template.New("").Parse(`<!doctype html>`))

// Order stores an order before the payment window opens.
func (s *Shop) Order(w http.ResponseWriter, r *http.Request) {
	order := Order{ID: tosspayments.NewOrderID(), Name: "원두 1kg", Amount: tosspayments.Won(15000)}
	if err := s.Orders.Create(order); err != nil {
		http.Error(w, "잠시 후 다시 시도해 주세요.", http.StatusInternalServerError)
		return
	}
	_ = checkoutPage.Execute(w, order)
}

// Success handles successUrl.
func (s *Shop) Success(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseSuccessURL(r.URL)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.confirm(w, r, redirect)
}

// Confirm handles the success page that posts the values as JSON.
func (s *Shop) Confirm(w http.ResponseWriter, r *http.Request) {
	var redirect tosspayments.SuccessRedirect
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&redirect); err != nil {
		http.Error(w, "malformed", http.StatusBadRequest)
		return
	}
	s.confirm(w, r, redirect)
}

func (s *Shop) confirm(w http.ResponseWriter, r *http.Request, redirect tosspayments.SuccessRedirect) {
	order, err := s.Orders.Get(redirect.OrderID)
	if err != nil {
		http.Error(w, "no such order", http.StatusNotFound)
		return
	}
	request, err := redirect.ConfirmRequest(order.Amount)
	if errors.Is(err, tosspayments.ErrAmountMismatch) {
		http.Error(w, "주문 금액과 결제 금액이 달라요. 결제되지 않았습니다.", http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.ConfirmOrder(r.Context(), order, request); err != nil {
		http.Error(w, Answer(err), http.StatusConflict)
		return
	}
	fmt.Fprintln(w, "결제됐어요.")
}

// ConfirmOrder confirms once, and records what happened.
func (s *Shop) ConfirmOrder(ctx context.Context, order Order, request tosspayments.ConfirmPaymentRequest) error {
	claimed, err := s.Orders.Claim(order.ID, request.PaymentKey)
	if err != nil || !claimed {
		return err
	}

	payment, err := s.Toss.ConfirmPayment(ctx, request)
	var refused *tosspayments.Error
	switch {
	case err == nil && payment.IsPaid():
		return s.Orders.Finish(order.ID, "paid", payment)
	case err == nil:
		return s.Orders.Finish(order.ID, "waiting", payment) // for a deposit
	case errors.As(err, &refused):
		return errors.Join(err, s.Orders.Finish(order.ID, "failed", refused.Payment))
	}
	return err // not known, or not sent: the order stays "confirming" and is looked up later
}

// Recover looks up an order that is still being confirmed.
func (s *Shop) Recover(ctx context.Context, request tosspayments.ConfirmPaymentRequest) error {
	payment, err := s.Toss.GetPayment(ctx, request.PaymentKey)
	if err != nil {
		return err
	}
	switch {
	case payment.TotalAmount != request.Amount || payment.Currency != tosspayments.CurrencyKRW || payment.OrderID != request.OrderID:
		return s.Orders.Finish(request.OrderID, "review", payment)
	case payment.IsPaid():
		return s.Orders.Finish(request.OrderID, "paid", payment)
	case payment.Status == tosspayments.PaymentStatusWaitingForDeposit:
		return s.Orders.Finish(request.OrderID, "waiting", payment)
	case payment.Status == tosspayments.PaymentStatusCanceled:
		return s.Orders.Finish(request.OrderID, "canceled", payment)
	case payment.Status == tosspayments.PaymentStatusAborted, payment.Status == tosspayments.PaymentStatusExpired:
		return s.Orders.Finish(request.OrderID, "failed", payment)
	}
	return nil
}

// Fail handles failUrl.
func (s *Shop) Fail(w http.ResponseWriter, r *http.Request) {
	fail, err := tosspayments.ParseFailURL(r.URL)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, Answer(fail))
}

// Answer is what a buyer is told.
func Answer(err error) string {
	var code tosspayments.ErrorCode
	var refused *tosspayments.Error
	var fail *tosspayments.FailRedirect
	switch {
	case errors.Is(err, tosspayments.ErrOutcomeUnknown):
		return "결제를 확인하고 있어요. 다시 결제하지 마세요."
	case errors.As(err, &refused):
		code = refused.Code
	case errors.As(err, &fail):
		code = fail.Code
	}
	switch code.Class() {
	case tosspayments.ClassBuyerOtherMethod:
		return "다른 카드나 결제 수단을 이용해 주세요."
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

// Refund cancels part of a payment, and then the rest.
func (s *Shop) Refund(ctx context.Context, payment *tosspayments.Payment) error {
	payment, err := s.Toss.CancelPaymentPartially(ctx, payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason:     "한 상품 품절",
		CancelAmount:     tosspayments.Won(5000),
		RefundableAmount: payment.BalanceAmount,
	}, tosspayments.WithIdempotencyKey("refund-of-item-42"))
	if err != nil {
		return err
	}
	payment, err = s.Toss.CancelPayment(ctx, payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "구매자 변심"})
	if err != nil {
		return err
	}
	fmt.Println(payment.IsFullyCanceled())
	return nil
}
