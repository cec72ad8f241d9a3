package recipes

import (
	"context"

	"github.com/seed238ab19c/tosspayments"
)

// Taxes are what the tax office is told of an amount.
type Taxes struct{ Supplied, VAT, TaxFree tosspayments.Amount }

// TaxesOf splits an amount: of what is not free of tax, one eleventh is VAT, rounded to
// the won. It is for showing a price beforehand; a Payment has the final numbers.
func TaxesOf(amount, taxFree tosspayments.Amount) (Taxes, bool) {
	taxable, ok := amount.Sub(taxFree).Int64()
	if !ok || taxable < 0 {
		return Taxes{}, false
	}
	vat := (taxable + 5) / 11
	return Taxes{Supplied: tosspayments.Won(taxable - vat), VAT: tosspayments.Won(vat), TaxFree: taxFree}, true
}

// RefundTaxFree gives a part back of which a part was free of tax.
func RefundTaxFree(ctx context.Context, toss *tosspayments.Client, refund Refund, taxFree tosspayments.Amount) error {
	_, err := toss.CancelPaymentPartially(ctx, refund.PaymentKey, tosspayments.PartialCancelRequest{
		RefundID: refund.ID, CancelReason: refund.Reason,
		CancelAmount: refund.Amount, RefundableAmount: refund.Balance, TaxFreeAmount: taxFree,
	})
	return err
}

// CashReceipt issues a cash receipt for money that was paid in another way, and returns
// its receiptKey. The id names what it is for: asked again, it is not issued twice.
func CashReceipt(ctx context.Context, toss *tosspayments.Client, id, name string, amount tosspayments.Amount, phone string) (string, error) {
	receipt, err := toss.IssueCashReceipt(ctx, tosspayments.IssueCashReceiptRequest{
		OrderID: id, OrderName: name, Amount: amount,
		Type:                   "소득공제",
		CustomerIdentityNumber: tosspayments.NewSensitive(phone),
	}, tosspayments.WithIdempotencyKey("cash-receipt-"+id))
	if err != nil {
		return "", err
	}
	return receipt.ReceiptKey, nil
}

// FailedCashReceipts returns the receipts of a day that the tax office has turned down.
func FailedCashReceipts(ctx context.Context, toss *tosspayments.Client, day tosspayments.Date) (failed []tosspayments.CashReceipt, err error) {
	for receipt, err := range toss.AllCashReceipts(ctx, tosspayments.CashReceiptQuery{RequestDate: day}) {
		if err != nil {
			return failed, err
		}
		if receipt.IssueStatus == "FAILED" {
			failed = append(failed, receipt)
		}
	}
	return failed, nil
}

// EscrowAccount issues a virtual account whose money is held until the buyer has the
// goods.
func (s *Shop) EscrowAccount(ctx context.Context, order Order, bank, customer, phone string) error {
	payment, err := s.Toss.IssueVirtualAccount(ctx, tosspayments.IssueVirtualAccountRequest{
		OrderID: order.ID, OrderName: order.Name, Amount: order.Amount,
		CustomerName: customer, CustomerMobilePhone: phone, Bank: bank, ValidHours: 24,
		CashReceipt: &tosspayments.CashReceiptOrder{Type: "소득공제", RegistrationNumber: tosspayments.NewSensitive(phone)},
		UseEscrow:   true,
		EscrowProducts: []tosspayments.EscrowProduct{
			{ID: "1", Name: order.Name, Code: "coffee-1kg", UnitPrice: order.Amount, Quantity: 1},
		},
	}, tosspayments.WithIdempotencyKey(order.ID))
	if err == nil {
		order.PaymentKey = payment.PaymentKey
	}
	return s.record(ctx, order, payment, err)
}
