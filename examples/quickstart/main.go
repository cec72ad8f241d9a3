// Command quickstart pays, confirms and refunds a part, against an in-process fake of
// Toss Payments: no account, no network.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	server, err := tosstest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	client := server.Client()

	// The order, as the shop stores it before the payment window opens.
	orderID, amount := tosspayments.NewOrderID(), tosspayments.Won(33000)

	// The buyer pays in the window; the browser comes back with these values.
	redirect := server.Authenticate(tosstest.Checkout{OrderID: orderID, OrderName: "원두 1kg 외 2건", Amount: amount})

	request, err := redirect.ConfirmRequest(amount)
	if err != nil {
		return err
	}
	payment, err := client.ConfirmPayment(ctx, request)
	record(orderID, payment, err)
	if err != nil {
		return err
	}

	payment, err = client.CancelPaymentPartially(ctx, payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason:     "한 상품 품절",
		CancelAmount:     tosspayments.Won(11000),
		RefundableAmount: payment.Cancelable(),
		RefundID:         "refund-1", // stored before the call, which may then be repeated
	})
	if err != nil {
		return err
	}
	fmt.Printf("refunded  %s won, %s won left (%s)\n", payment.Cancels[0].CancelAmount, payment.Cancelable(), payment.Status)
	return nil
}

// record is where a shop writes down what has become of an order, after a confirm and
// after every later look at the payment.
func record(orderID string, payment *tosspayments.Payment, err error) {
	switch tosspayments.OutcomeOf(payment, err) {
	case tosspayments.OutcomePaid:
		fmt.Printf("paid      %s %s won with card %s (%s)\n", payment.Status, payment.TotalAmount, payment.Card.Number, payment.OrderName)
	case tosspayments.OutcomeWaiting:
		fmt.Println("waiting   for the deposit of", orderID)
	case tosspayments.OutcomeCanceled:
		fmt.Println("canceled ", orderID)
	case tosspayments.OutcomeRefused:
		fmt.Println("refused  ", orderID, "for", tosspayments.CodeOf(err))
	case tosspayments.OutcomeNotSent:
		fmt.Println("not sent ", orderID, "can be confirmed again")
	case tosspayments.OutcomeMismatch:
		fmt.Println("mismatch ", orderID, "needs a person to look at it:", err)
	case tosspayments.OutcomeUnknown:
		fmt.Println("unknown  ", orderID, "stays as it is; ask again later")
	}
}
