package recipes

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/institutions"
)

// Account issues a virtual account for an order. Calling it again issues no second one.
func (s *Shop) Account(ctx context.Context, order Order, bank, customer string) error {
	payment, err := s.Toss.IssueVirtualAccount(ctx, tosspayments.IssueVirtualAccountRequest{
		OrderID: order.ID, OrderName: order.Name, Amount: order.Amount,
		CustomerName: customer, Bank: bank, ValidHours: 24,
	}, tosspayments.WithIdempotencyKey(order.ID))
	if err == nil {
		order.PaymentKey = payment.PaymentKey
	}
	return s.record(ctx, order, payment, err)
}

// ShowAccount is what the buyer is told once the account has been issued.
func ShowAccount(payment *tosspayments.Payment) string {
	account := payment.VirtualAccount
	name := account.BankCode // of a bank that the catalog does not have
	if bank, ok := institutions.LookupBank(account.BankCode); ok {
		name = bank.Korean
	}
	return fmt.Sprintf("%s %s 계좌로 %s까지 %s원을 입금해 주세요.",
		name, account.AccountNumber.Reveal(), account.DueDate.Format("1월 2일 15시 04분"), payment.TotalAmount)
}

// ErrRefundAccount says that the buyer has to name an account first.
var ErrRefundAccount = errors.New("a deposit can only be refunded to an account")

// CancelAccount cancels a virtual account before the deposit, or refunds it in full.
func (s *Shop) CancelAccount(ctx context.Context, refund Refund) error {
	payment, err := s.Toss.GetPayment(ctx, refund.PaymentKey)
	if err != nil {
		return err
	}
	switch {
	case payment.Outcome() == tosspayments.OutcomeWaiting:
		refund.Account = nil
	case refund.Account == nil:
		return ErrRefundAccount
	}
	if err := s.Orders.CreateRefund(ctx, refund); err != nil {
		return err
	}
	return s.RunRefund(ctx, refund)
}
