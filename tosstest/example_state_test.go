package tosstest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// What has really moved, whatever the answers said: a sale with a partial refund, a deposit
// that the bank took back, and a virtual account that was cancelled before anybody paid.
func ExampleServer_Ledger() {
	server := tosstest.New()
	ctx := context.Background()
	sale := payInWindow(server, coffee("order-0001"))
	_, err := server.Client().CancelPaymentPartially(ctx, sale.PaymentKey, tosspayments.PartialCancelRequest{
		CancelAmount: tosspayments.Won(5000), CancelReason: "damaged", RefundableAmount: sale.Cancelable(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	payIntoAccount(server, "order-0002")
	if err := server.Bounce("order-0002"); err != nil {
		fmt.Println(err)
		return
	}
	account := coffee("order-0003")
	account.Method = tosspayments.MethodVirtualAccount
	waiting := payInWindow(server, account)
	if _, err := server.Client().CancelPayment(ctx, waiting.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "sold out"}); err != nil {
		fmt.Println(err)
		return
	}

	for _, entry := range server.Ledger() {
		fmt.Println(entry.OrderID, entry.Kind, entry.Amount)
	}
	fmt.Println(server.Charges("order-0001"), server.Refunds("order-0001"))
	// Output:
	// order-0001 approved 15000
	// order-0001 canceled 5000
	// order-0002 approved 15000
	// order-0002 bounced 15000
	// order-0003 withdrawn 15000
	// 1 [5000]
}

// What the code under test has asked for, and how often.
func ExampleServer_Requests() {
	server := tosstest.New()
	payInWindow(server, coffee("order-0001"))
	for _, request := range server.Requests() {
		fmt.Println(request.Operation, request.Method, request.Path, request.OrderID, request.Status)
	}
	fmt.Println(server.Calls(tosstest.ConfirmPayment), server.Calls(tosstest.CancelPayment))
	// Output:
	// confirm payment POST /v1/payments/confirm order-0001 200
	// 1 0
}

// The newest payments, without a request.
func ExampleServer_Payments() {
	server := tosstest.New()
	for _, orderID := range []string{"order-0001", "order-0002", "order-0003"} {
		payInWindow(server, coffee(orderID))
	}
	for _, payment := range server.Payments(2) {
		fmt.Println(payment.OrderID, payment.Status)
	}
	// Output:
	// order-0003 DONE
	// order-0002 DONE
}

// The purchases of a buyer who has not come back yet: one whose window is open, and one
// that the server has opened by the API.
func ExampleServer_AuthenticatePayment() {
	server := tosstest.New()
	client, ctx := server.Client(), context.Background()
	inWindow := server.OpenWindow(coffee("order-0001"))
	opened, err := client.CreatePayment(ctx, tosspayments.CreatePaymentRequest{
		OrderID: "order-0002", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), Method: tosspayments.MethodCard,
		SuccessURL: "https://shop.example/success", FailURL: "https://shop.example/fail",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range []string{inWindow, opened.PaymentKey} {
		redirect := server.AuthenticatePayment(key)
		payment, err := client.GetPayment(ctx, redirect.PaymentKey)
		fmt.Println(redirect.OrderID, payment.Status, err)
	}
	// Output:
	// order-0001 IN_PROGRESS <nil>
	// order-0002 IN_PROGRESS <nil>
}

// A virtual account: the bank refuses a wrong amount, takes the money back after the
// deposit, and takes none when its time is over.
func ExampleServer_Deposit() {
	server := tosstest.New()
	checkout := coffee("order-0001")
	checkout.Method = tosspayments.MethodVirtualAccount
	key := payInWindow(server, checkout).PaymentKey
	show := func(what string, err error) {
		payment, readErr := server.Client().GetPayment(context.Background(), key)
		if readErr != nil {
			fmt.Println(readErr)
			return
		}
		fmt.Printf("%s: refused %t, %s\n", what, err != nil, payment.Status)
	}
	show("14,000 won", server.Deposit("order-0001", tosspayments.Won(14000)))
	show("15,000 won", server.Deposit("order-0001", tosspayments.Won(15000)))
	show("taken back", server.Bounce("order-0001"))
	show("time over", server.ExpireAccount("order-0001"))
	show("too late", server.Deposit("order-0001", tosspayments.Won(15000)))
	// Output:
	// 14,000 won: refused true, WAITING_FOR_DEPOSIT
	// 15,000 won: refused false, DONE
	// taken back: refused false, WAITING_FOR_DEPOSIT
	// time over: refused false, WAITING_FOR_DEPOSIT
	// too late: refused true, WAITING_FOR_DEPOSIT
}

// A subscription whose card stops working, and is removed by the card company in the end.
func ExampleServer_Register() {
	server := tosstest.New()
	client, ctx := server.Client(), context.Background()
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-0001", CardCompany: "41"})
	billing, err := client.IssueBillingKey(ctx, redirect)
	if err != nil {
		fmt.Println(err)
		return
	}
	charge := func(orderID string) {
		payment, err := client.ChargeBilling(ctx, billing.BillingKey, tosspayments.ChargeBillingRequest{
			OrderID: orderID, OrderName: "3월 구독", Amount: tosspayments.Won(9900),
		})
		fmt.Println(tosspayments.OutcomeOf(payment, err), tosspayments.CodeOf(err))
	}
	charge("order-0001")
	server.SetRefusal(billing.BillingKey, tosspayments.ErrRejectCardPayment)
	charge("order-0002")
	server.SetRefusal(billing.BillingKey, "")
	charge("order-0003")
	server.RevokeBillingKey(billing.BillingKey)
	charge("order-0004")
	// Output:
	// paid (no error code)
	// refused REJECT_CARD_PAYMENT
	// paid (no error code)
	// refused ALREADY_REMOVED_BILLING_KEY
}

// Somebody refunds in the dashboard: the shop learns of it by a webhook, or when it looks.
func ExampleServer_Refund() {
	server := tosstest.New()
	payment := payInWindow(server, coffee("order-0001"))
	if err := server.Refund("order-0001", tosspayments.Won(5000), "damaged"); err != nil {
		fmt.Println(err)
		return
	}
	payment, err := server.Client().GetPayment(context.Background(), payment.PaymentKey)
	fmt.Println(payment.Status, payment.Cancelable(), server.Refunds("order-0001"), err)
	// Output: PARTIAL_CANCELED 10000 [5000] <nil>
}

// A server that is started again goes on where it was.
func ExampleServer_KeepState() {
	folder, err := os.MkdirTemp("", "tosstest")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "state")

	first := tosstest.New()
	if err := first.KeepState(path); err != nil {
		fmt.Println(err)
		return
	}
	payment := payInWindow(first, coffee("order-0001"))
	first.Close()

	second := tosstest.New()
	defer second.Close()
	if err := second.KeepState(path); err != nil {
		fmt.Println(err)
		return
	}
	payment, err = second.Client().GetPayment(context.Background(), payment.PaymentKey)
	fmt.Println(payment.Status, second.Charges("order-0001"), err)
	// Output: DONE 1 <nil>
}

// Code that does not use the library reaches the server through its own http.Client.
func ExampleServer_Transport() {
	server := tosstest.New()
	payInWindow(server, coffee("order-0001"))
	client := &http.Client{Transport: server.Transport()}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://api.tosspayments.com/v1/payments/orders/order-0001", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	request.SetBasicAuth(tosstest.DefaultSecretKey, "")
	response, err := client.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = response.Body.Close() }()
	fmt.Println(response.StatusCode, response.Header.Get("Content-Type"))
	// Output: 200 application/json;charset=UTF-8
}

// A server is an http.Handler: the test of a gateway puts it behind its own.
func ExampleServer_ServeHTTP() {
	server := tosstest.New()
	gateway := http.NewServeMux()
	gateway.Handle("/toss/", http.StripPrefix("/toss", server))

	payInWindow(server, coffee("order-0001"))
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/toss/v1/payments/orders/order-0001", http.NoBody)
	request.SetBasicAuth(tosstest.DefaultSecretKey, "")
	answer := httptest.NewRecorder()
	gateway.ServeHTTP(answer, request)
	fmt.Println(answer.Code, strings.Contains(answer.Body.String(), `"orderId":"order-0001"`))
	// Output: 200 true
}
