package brandpay_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The redirect URL of the developer centre is called when a customer has agreed.
func ExampleClient_IssueToken() {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	code := server.AgreeBrandPay("customer-1") // what the customer does in the browser
	u, _ := url.Parse("https://shop.example/brandpay?customerKey=customer-1&code=" + code)

	auth, err := brandpay.ParseRedirectURL(u)
	if err != nil {
		fmt.Println(err)
		return
	}
	if auth.CustomerKey != "customer-1" {
		fmt.Println("not the customer who is signed in")
		return
	}
	token, err := client.IssueToken(context.Background(), auth)
	if err != nil {
		fmt.Println(err)
		return
	}
	column, err := token.Stored().Value() // for the database, encrypted
	fmt.Println(token, column != nil, err)
	// Output: [redacted] true <nil>
}

// A token that has expired is refreshed once, and saved before it is used.
func ExampleClient_Customer() {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	ctx := context.Background()
	token, err := client.IssueToken(ctx, brandpay.Authorization{
		CustomerKey: "customer-1", Code: tosspayments.NewSensitive(server.AgreeBrandPay("customer-1")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server.AddBrandPayCard("customer-1", "61")
	server.Advance(31 * 24 * time.Hour)

	customer := client.Customer(*token, func(context.Context, brandpay.Token) error {
		fmt.Println("UPDATE customers SET token = …")
		return nil
	})
	methods, err := customer.GetMethods(ctx)
	if errors.Is(err, brandpay.ErrAuthorize) {
		fmt.Println("the customer has to agree again")
		return
	}
	fmt.Println(methods.Cards[0].CardNumber, err)
	// Output:
	// UPDATE customers SET token = …
	// 43301299****001* <nil>
}

func ExampleClient_ConfirmPayment() {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	card := server.AddBrandPayCard("customer-1", "61")
	redirect := server.AuthenticateBrandPay("customer-1", card, tosstest.Checkout{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000),
	})

	request, err := redirect.ConfirmRequest(tosspayments.Won(15000)) // the stored amount
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := client.ConfirmPayment(context.Background(), brandpay.ConfirmPaymentRequest{
		ConfirmPaymentRequest: request, CustomerKey: "customer-1",
	})
	fmt.Println(tosspayments.OutcomeOf(payment, err))
	// Output: paid
}

// Making the charge of a period again is the same charge.
func ExampleClient_Charge() {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	card := server.AddBrandPayCard("customer-1", "61")
	for range 2 {
		payment, err := client.Charge(context.Background(), brandpay.ChargeRequest{
			CustomerKey: "customer-1", MethodKey: card, Amount: tosspayments.Won(9900),
			OrderID: "subscription-17-2026-03", OrderName: "3월 구독",
		})
		fmt.Println(tosspayments.OutcomeOf(payment, err))
	}
	fmt.Println(server.Charges("subscription-17-2026-03"))
	// Output:
	// paid
	// paid
	// 1
}

func ExampleCustomer_RemoveCard() {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	ctx := context.Background()
	token, err := client.IssueToken(ctx, brandpay.Authorization{
		CustomerKey: "customer-1", Code: tosspayments.NewSensitive(server.AgreeBrandPay("customer-1")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	card := server.AddBrandPayCard("customer-1", "61")
	removed, err := client.Customer(*token, nil).RemoveCard(ctx, card)
	fmt.Println(removed.Status, err)
	// Output: DISABLED <nil>
}
