package tosspayments_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The sum of a basket with a coupon that is worth more than one of the articles.
func ExampleAmount() {
	beans, coupon := tosspayments.Won(15000), tosspayments.Won(20000)
	total := beans.Mul(3).Sub(coupon)
	fmt.Println(total, total.Cmp(beans), total.Equal(tosspayments.Won(25000)))
	if rest := beans.Sub(coupon); rest.Sign() < 0 {
		fmt.Println("the coupon keeps", rest.Neg(), rest.Add(coupon).IsZero())
	}
	units, isWhole := total.Int64()
	fmt.Println(units, isWhole)
	// Output:
	// 25000 1 true
	// the coupon keeps 5000 false
	// 25000 true
}

// A job that compares the days since it ran last. Days are those of Korea.
func ExampleDate() {
	var last tosspayments.Date // from the database; the zero Date is no day
	yesterday := tosspayments.Date{Year: 2026, Month: 3, Day: 2}
	if last.IsZero() {
		last = yesterday.AddDays(-3)
	}
	for day := last.AddDays(1); day.Compare(yesterday) <= 0; day = day.AddDays(1) {
		fmt.Println(day)
	}
	// Output:
	// 2026-02-28
	// 2026-03-01
	// 2026-03-02
}

// A secret prints as nothing, wherever it gets to. Its text is there for those who ask.
func ExampleSensitive() {
	stored := tosspayments.NewSensitive("ps_1")
	fmt.Printf("%v %+v %q\n", stored, struct{ Secret tosspayments.Sensitive }{stored}, stored)
	fmt.Println(stored.IsZero(), stored.Equal(tosspayments.NewSensitive("ps_2")), stored.Reveal())
	// Output:
	// [redacted] {Secret:[redacted]} [redacted]
	// false false ps_1
}

// A payment is stored whole, with what is secret in it, and read again.
func ExampleStored() {
	payment := examplePayment(tosstest.New())
	column, err := payment.Stored().Value() // INSERT INTO payments (data) VALUES ($1)
	if err != nil {
		fmt.Println(err)
		return
	}
	var stored tosspayments.Stored[tosspayments.Payment]
	fmt.Println(stored.IsZero())
	if err := stored.Scan(column); err != nil { // SELECT data FROM payments
		fmt.Println(err)
		return
	}
	again := stored.Get()
	fmt.Println(stored, again.Status, again.Secret.Equal(payment.Secret), again.LastCancel() == nil, again.Outcome())
	// Output:
	// true
	// [redacted] DONE true true paid
}

// Any value with secrets in it can be stored whole.
func ExampleStore() {
	type account struct {
		Bank   string
		Number tosspayments.Sensitive
	}
	column, err := tosspayments.Store(account{Bank: "88", Number: tosspayments.NewSensitive("110123456789")}).Value()
	fmt.Println(column, err)
	// Output: {"Bank":"88","Number":"110123456789"} <nil>
}

// The two columns of a billing key make one again, and it is stored in one column where
// that is simpler.
func ExampleNewBillingKey() {
	key := tosspayments.NewBillingKey("Z_t5vOvQxrj4499PeiJcjen28-V2RyqgYTwN44Rdzk0", "customer-1")
	column, err := key.Stored().Value()
	fmt.Println(key, column, err)
	// Output: [redacted] {"billingKey":"Z_t5vOvQxrj4499PeiJcjen28-V2RyqgYTwN44Rdzk0","customerKey":"customer-1"} <nil>
}

// The order of a shop that takes dollars through PayPal.
func ExampleSuccessRedirect_ConfirmRequestIn() {
	stored, err := tosspayments.ParseAmount("12.50")
	if err != nil {
		fmt.Println(err)
		return
	}
	redirect := tosspayments.SuccessRedirect{PaymentKey: "pay-1", OrderID: "order-0001", Amount: stored}
	request, err := redirect.ConfirmRequestIn(tosspayments.CurrencyUSD, stored)
	fmt.Println(request.Amount, request.Currency, err)
	// Output: 12.5 USD <nil>
}

// What a browser brings is encoded for the test of a handler.
func ExampleSuccessRedirect_Values() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		success, err := tosspayments.ParseSuccessURL(r.URL)
		fmt.Fprintln(w, success.OrderID, err)
	}
	answer := httptest.NewRecorder()
	redirect := tosstest.New().Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	handler(answer, httptest.NewRequest(http.MethodGet, "/payment/success?"+redirect.Values().Encode(), http.NoBody))
	fmt.Print(answer.Body)
	// Output: order-0001 <nil>
}

// The test of a page that tells a buyer why nothing was paid.
func ExampleFailRedirect_Values() {
	fail := &tosspayments.FailRedirect{Code: tosspayments.ErrPayProcessCanceled, Message: "취소"}
	request := httptest.NewRequest(http.MethodGet, "/payment/fail?"+fail.Values().Encode(), http.NoBody)
	redirect, err := tosspayments.ParseFailURL(request.URL)
	fmt.Println(errors.Is(redirect, tosspayments.ErrPayProcessCanceled), err)
	// Output: true <nil>
}

// The test of a page that registers a card.
func ExampleBillingRedirect_Values() {
	redirect := tosstest.New().Register(tosstest.Registration{CustomerKey: "customer-1"})
	request := httptest.NewRequest(http.MethodGet, "/billing/success?"+redirect.Values().Encode(), http.NoBody)
	parsed, err := tosspayments.ParseBillingURL(request.URL)
	fmt.Println(parsed.CustomerKey, parsed.AuthKey.Equal(redirect.AuthKey), err)
	// Output: customer-1 true <nil>
}

// A program that shall not run with live keys.
func ExampleSecretKey_IsLive() {
	key, err := tosspayments.ParseSecretKey(tosstest.DefaultSecretKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.IsLive(), key.IsTest())
	// Output: false true
}
