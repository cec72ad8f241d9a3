package tosspayments_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The fingerprint of the key tells whether an idempotency key from the database may be
// used again.
func ExampleClient_KeyID() {
	client, err := tosspayments.New(tosstest.DefaultSecretKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	storedKeyID := "0123456789abcdef" // with the idempotency key, before the key was replaced
	fmt.Println(len(client.KeyID()), client.KeyID() == storedKeyID, client.IsTest())
	// Output: 16 false true
}

// A call that moves money, to an endpoint that the library has no method for: it ends as
// a confirm does, although the first answer is lost.
func ExampleClient_DoPayment() {
	server := tosstest.New()
	client := server.Client(tosspayments.WithMaxRetries(0))
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	want := tosspayments.ConfirmPaymentRequest{PaymentKey: redirect.PaymentKey, OrderID: "order-0001", Amount: tosspayments.Won(15000)}
	server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
	payment, err := client.DoPayment(context.Background(), tosspayments.Request{
		Name: "confirm", Method: http.MethodPost, Path: "/v1/payments/confirm", Body: want,
	}, want)
	fmt.Println(tosspayments.OutcomeOf(payment, err), server.Charges("order-0001"))
	// Output: paid 1
}

// A charge whose answer was never seen has no payment key yet: the order's own id finds it.
func ExampleClient_ResolvePaymentByOrderID() {
	server := tosstest.New()
	examplePayment(server)
	payment, err := server.Client().ResolvePaymentByOrderID(context.Background(), "order-0001", tosspayments.Won(15000))
	fmt.Println(tosspayments.OutcomeOf(payment, err), payment.Outcome())
	// Output: paid paid
}

// One page of a list in an office, with a button for the next one. To read everything,
// range over AllTransactions.
func ExampleClient_ListTransactions() {
	server := tosstest.New()
	client := server.Client()
	payment := examplePayment(server)
	if _, err := client.CancelPayment(context.Background(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "변심"}); err != nil {
		fmt.Println(err)
		return
	}
	today := tosspayments.DateOf(server.Now())
	query := tosspayments.TransactionQuery{StartDate: today.Start(), EndDate: today.AddDays(1).Start().Add(-time.Second), Limit: 1}
	for range 2 {
		page, err := client.ListTransactions(context.Background(), query)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, transaction := range page {
			fmt.Println(transaction.OrderID, transaction.IsCancel(), transaction.NetAmount())
			query.StartingAfter = transaction.TransactionKey
		}
	}
	// Output:
	// order-0001 false 15000
	// order-0001 true -15000
}

// The second page of the payouts for a day.
func ExampleClient_ListSettlements() {
	server := tosstest.New()
	examplePayment(server)
	sold := tosspayments.DateOf(server.Now())
	server.Advance(24 * time.Hour)
	query := tosspayments.SettlementQuery{StartDate: sold, EndDate: sold, DateType: tosspayments.SettlementSoldDate, Size: 1}
	for _, number := range []int{1, 2} {
		query.Page = number
		page, err := server.Client().ListSettlements(context.Background(), query)
		fmt.Println(number, len(page), err)
	}
	// Output:
	// 1 1 <nil>
	// 2 0 <nil>
}

// One page of a day's cash receipts, and the cursor of the next.
func ExampleClient_ListCashReceipts() {
	server := tosstest.New()
	client := server.Client()
	for _, orderID := range []string{"order-0001", "order-0002"} {
		if _, err := client.IssueCashReceipt(context.Background(), tosspayments.IssueCashReceiptRequest{
			OrderID: orderID, OrderName: "원두 1kg", Amount: tosspayments.Won(15000),
			Type: "소득공제", CustomerIdentityNumber: tosspayments.NewSensitive("01012345678"),
		}); err != nil {
			fmt.Println(err)
			return
		}
	}
	query := tosspayments.CashReceiptQuery{RequestDate: tosspayments.DateOf(server.Now()), Limit: 1}
	for range 2 {
		page, err := client.ListCashReceipts(context.Background(), query)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(page.Data), page.HasNext)
		query.Cursor = page.LastCursor
	}
	// Output:
	// 1 true
	// 1 false
}
