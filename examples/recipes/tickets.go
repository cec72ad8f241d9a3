package recipes

import (
	"context"

	"github.com/seed238ab19c/tosspayments"
)

// Confirmer is what Tickets needs of Toss Payments. *tosspayments.Client has it.
type Confirmer interface {
	ConfirmPayment(ctx context.Context, request tosspayments.ConfirmPaymentRequest, opts ...tosspayments.CallOption) (*tosspayments.Payment, error)
}

// Tickets sells tickets.
type Tickets struct{ Toss Confirmer }

// Buy confirms a payment, and returns what the buyer is told.
func (t *Tickets) Buy(ctx context.Context, request tosspayments.ConfirmPaymentRequest) string {
	payment, err := t.Toss.ConfirmPayment(ctx, request)
	switch tosspayments.OutcomeOf(payment, err) {
	case tosspayments.OutcomePaid:
		return "예매됐어요."
	case tosspayments.OutcomeWaiting:
		return "입금을 기다리고 있어요."
	case tosspayments.OutcomeRefused:
		return Explain(tosspayments.CodeOf(err))
	}
	return "결제를 확인하고 있어요. 다시 결제하지 마세요."
}
