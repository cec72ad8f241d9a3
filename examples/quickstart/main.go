// Command quickstart pays, confirms and refunds in part, against a Toss Payments
// that runs inside this process: no account, no network.
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
	if err != nil {
		return err
	}
	fmt.Printf("paid      %s %s won with card %s (%s)\n", payment.Status, payment.TotalAmount, payment.Card.Number, payment.OrderName)

	payment, err = client.CancelPaymentPartially(ctx, payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason:     "한 상품 품절",
		CancelAmount:     tosspayments.Won(11000),
		RefundableAmount: payment.Cancelable(),
	})
	if err != nil {
		return err
	}
	fmt.Printf("refunded  %s won, %s won left (%s)\n", payment.Cancels[0].CancelAmount, payment.Cancelable(), payment.Status)
	return nil
}
