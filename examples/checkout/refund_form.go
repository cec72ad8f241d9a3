package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// refundForm is what the buyer types to get money back.
type refundForm struct{ Amount, Bank, Account, Holder string }

// refundOrder gives money back: all that is left, or the amount in the form. A virtual
// account that nobody has paid into is closed.
func (s *store) refundOrder(w http.ResponseWriter, r *http.Request) {
	x, err := s.orders.get(r.Context(), r.PathValue("id"), s.sessions.Customer(r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if s.isTooMuch(w, r, x.CustomerID) {
		return
	}
	form := refundForm{r.PostFormValue("amount"), r.PostFormValue("bank"), r.PostFormValue("account"), r.PostFormValue("holder")}
	planned, problem, err := s.planRefund(r, x, form)
	switch {
	case err != nil:
		s.failed(w, r, err)
		return
	case problem != "":
		s.showOrderPage(w, r, http.StatusUnprocessableEntity, x, form, problem)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.patience)
	defer cancel()
	s.refund(ctx, planned)
	http.Redirect(w, r, "/orders/"+x.ID, http.StatusSeeOther)
}

// planRefund plans what the form asks for, or says what is wrong with it. The form has
// the balance that the buyer saw, so that a second click plans nothing.
func (s *store) planRefund(r *http.Request, x *order, form refundForm) (planned *refund, problem string, err error) {
	const stale = "환불할 수 있는 금액이 바뀌었어요. 금액을 확인하고 다시 시도해 주세요."
	if seen, err := tosspayments.ParseAmount(r.PostFormValue("balance")); err != nil || seen != x.Balance || x.State != paid && x.State != waiting {
		return nil, stale, nil
	}
	amount, ok := form.amount(x)
	if !ok {
		return nil, "환불 금액은 1원부터 남은 금액까지 적을 수 있어요.", nil
	}
	var account *tosspayments.RefundReceiveAccount
	if x.IsVirtualAccount() && x.State == paid {
		if account, ok = form.account(); !ok {
			return nil, "환불받을 은행과 계좌번호, 예금주를 확인해 주세요. 계좌번호는 숫자로 20자리까지예요.", nil
		}
	}
	planned, err = s.orders.planRefund(r.Context(), x, amount, account)
	if err == nil && planned == nil {
		problem = stale
	}
	return planned, problem, err
}

// amount returns the amount in the form, or all that is left.
func (f refundForm) amount(x *order) (amount tosspayments.Amount, ok bool) {
	if f.Amount == "" {
		return x.Balance, true
	}
	amount, err := tosspayments.ParseAmount(strings.ReplaceAll(f.Amount, ",", ""))
	won, whole := amount.Int64()
	return amount, err == nil && whole && won > 0 && amount.Cmp(x.Balance) <= 0 && x.State != waiting
}

// account returns the account in the form, which Toss Payments will accept as far as a
// shop can tell: what it would refuse is not planned.
func (f refundForm) account() (*tosspayments.RefundReceiveAccount, bool) {
	number := strings.NewReplacer("-", "", " ", "").Replace(f.Account)
	holder := strings.TrimSpace(f.Holder)
	isBank := func(bank institutions.Institution) bool { return bank.Code == f.Bank }
	noDigit := func(c rune) bool { return c < '0' || c > '9' }
	if !slices.ContainsFunc(refundBanks(), isBank) || number == "" || len(number) > 20 || strings.ContainsFunc(number, noDigit) ||
		holder == "" || utf8.RuneCountInString(holder) > 60 || !utf8.ValidString(holder) {
		return nil, false
	}
	return &tosspayments.RefundReceiveAccount{Bank: f.Bank, AccountNumber: tosspayments.NewSensitive(number), HolderName: holder}, true
}
