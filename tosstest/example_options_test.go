package tosstest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// The keys of the configuration that is tested, instead of the public ones.
func ExampleWithSecretKey() {
	server := tosstest.New(
		tosstest.WithClientKey("test_ck_exampleClient00000"),
		tosstest.WithSecretKey("test_sk_exampleSecret00000"),
		tosstest.WithWidgetKeys("test_gck_exampleClient00000", "test_gsk_exampleSecret00000"),
	)
	for _, key := range []string{"test_sk_exampleSecret00000", "test_gsk_exampleSecret00000", tosstest.DefaultSecretKey} {
		client, err := tosspayments.New(key, tosspayments.WithHTTPClient(&http.Client{Transport: server.Transport()}))
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = client.GetPaymentByOrderID(context.Background(), "order-0001")
		fmt.Println(tosspayments.CodeOf(err))
	}
	// Output:
	// NOT_FOUND_PAYMENT
	// NOT_FOUND_PAYMENT
	// UNAUTHORIZED_KEY
}

// With a seed, keys and ids are the same in every run.
func ExampleWithSeed() {
	keyOf := func(seed uint64) string {
		return tosstest.New(tosstest.WithSeed(seed)).Authenticate(coffee("order-0001")).PaymentKey
	}
	key := keyOf(1)
	fmt.Println(key == keyOf(1), key == keyOf(2))
	// Output: true false
}

// A merchant whose keys are set to the newer version of the API.
func ExampleWithAPIVersion() {
	server := tosstest.New(tosstest.WithAPIVersion("2024-06-01"))
	fmt.Println(payInWindow(server, coffee("order-0001")).Version)
	// Output: 2024-06-01
}

// A contract with a limit.
func ExampleWithMaximumAmount() {
	server := tosstest.New(tosstest.WithMaximumAmount(tosspayments.Won(10_000)))
	request, err := server.Authenticate(coffee("order-0001")).ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = server.Client().ConfirmPayment(context.Background(), request)
	fmt.Println(tosspayments.CodeOf(err))
	// Output: EXCEED_MAX_AMOUNT
}

// Two partial refunds within a second, as a service may refuse them.
func ExampleWithConsecutiveCancelRule() {
	server := tosstest.New(tosstest.WithConsecutiveCancelRule())
	client := server.Client(tosspayments.WithMaxRetries(0))
	payment := payInWindow(server, coffee("order-0001"))
	for range 2 {
		canceled, err := client.CancelPaymentPartially(context.Background(), payment.PaymentKey, tosspayments.PartialCancelRequest{
			CancelAmount: tosspayments.Won(1000), CancelReason: "damaged", RefundableAmount: payment.Cancelable(),
		})
		if err != nil {
			fmt.Println(tosspayments.CodeOf(err))
			break
		}
		payment = canceled
	}
	fmt.Println(server.Refunds("order-0001"))
	// Output:
	// FORBIDDEN_CONSECUTIVE_REQUEST
	// [1000]
}

// An integration should not depend on a code that nobody knows for sure: here it gets
// the other likely one.
func ExampleWithGuess() {
	server := tosstest.New(tosstest.WithGuess(tosstest.UnknownBillingKey, tosspayments.ErrInvalidRequest))
	_, err := server.Client().ChargeBilling(context.Background(), tosspayments.NewBillingKey("never-issued", "customer-0001"),
		tosspayments.ChargeBillingRequest{OrderID: "order-0001", OrderName: "3월 구독", Amount: tosspayments.Won(9900)})
	fmt.Println(tosspayments.CodeOf(err))
	// Output: INVALID_REQUEST
}

// A log of what happens, as it happens.
func ExampleWithObserver() {
	server := tosstest.New(tosstest.WithObserver(func(change tosstest.Change) {
		switch {
		case change.Payment != nil:
			var payment struct{ OrderID, Status string }
			if err := json.Unmarshal(change.Payment, &payment); err != nil {
				fmt.Println(err)
			}
			fmt.Println("payment", payment.OrderID, payment.Status)
		case change.Request != nil:
			fmt.Println("request", change.Request.Operation, change.Request.Status)
		case change.Entry != nil:
			fmt.Println("money", change.Entry.Kind, change.Entry.Amount)
		}
	}))
	payInWindow(server, coffee("order-0001"))
	// Output:
	// payment order-0001 IN_PROGRESS
	// money approved 15000
	// payment order-0001 DONE
	// request confirm payment 200
}

// Answers as the service may give them tomorrow: what is typed today must still be read.
func ExampleWithTomorrow() {
	server := tosstest.New(tosstest.WithTomorrow())
	payment := payInWindow(server, coffee("order-0001"))
	fmt.Println(payment.Status, payment.TotalAmount, payment.Card.IssuerCode)
	// Output: DONE 15000 Z9
}

// The same key after an answer of 500: whether the real service has kept that answer is
// not known, so an integration is tested with both.
func ExampleWithServerErrorsForgotten() {
	for _, options := range [][]tosstest.Option{nil, {tosstest.WithServerErrorsForgotten()}} {
		server := tosstest.New(options...)
		server.Inject(tosstest.Fault{Operation: tosstest.IssueCashReceipt, Kind: tosstest.Refuse, Code: tosspayments.ErrFailedInternalSystemProcessing})
		client := server.Client(tosspayments.WithMaxRetries(0))
		var status []bool
		for range 2 {
			_, err := client.IssueCashReceipt(context.Background(), tosspayments.IssueCashReceiptRequest{
				OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), Type: "소득공제",
				CustomerIdentityNumber: tosspayments.NewSensitive("01012345678"),
			}, tosspayments.WithIdempotencyKey("receipt-0001"))
			status = append(status, err == nil)
		}
		fmt.Println(status)
	}
	// Output:
	// [false false]
	// [false true]
}

// Whether a deposit that was taken back is listed is not known: books must agree with both.
func ExampleWithBounceRows() {
	for _, options := range [][]tosstest.Option{nil, {tosstest.WithBounceRows()}} {
		server := tosstest.New(options...)
		payIntoAccount(server, "order-0001")
		if err := server.Bounce("order-0001"); err != nil {
			fmt.Println(err)
			return
		}
		server.Advance(time.Hour)
		now := server.Now()
		rows := 0
		for _, err := range server.Client().AllTransactions(context.Background(), tosspayments.TransactionQuery{StartDate: now.Add(-24 * time.Hour), EndDate: now}) {
			if err != nil {
				fmt.Println(err)
				return
			}
			rows++
		}
		fmt.Println(rows)
	}
	// Output:
	// 1
	// 2
}

// A security key that is being replaced: the client knows both, and reads answers that are
// still encrypted with the old one.
func ExampleWithPreviousSecurityKey() {
	newest, older := strings.Repeat("7e57", 16), strings.Repeat("01d0", 16)
	server := tosstest.New(tosstest.WithSecurityKey(newest, older), tosstest.WithPreviousSecurityKey())
	client, err := payouts.New(server.Client(), newest, older)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(registerCompany(client, "shop-0001").Status)
	// Output: PARTIALLY_APPROVED
}

// An express payout on a Saturday night, and on Monday at ten. Without the option a test does
// not depend on the hour.
func ExampleWithPayoutHours() {
	server := tosstest.New(tosstest.WithPayoutHours())
	server.AddBalance(tosspayments.Won(100_000))
	client := sellersClient(server)
	seller := registerCompany(client, "shop-0001")
	request := func(ctx context.Context, ref string) {
		_, _ = client.RequestPayouts(ctx, []payouts.PayoutRequest{{
			RefPayoutID: ref, Destination: seller.ID, ScheduleType: payouts.ScheduleExpress,
			Amount: payouts.Won(30_000), TransactionDescription: "3월정산",
		}})
		fmt.Println(ref, server.Payouts(ref))
	}
	korea := time.FixedZone("KST", 9*60*60)
	for now := server.Now().In(korea); now.Weekday() != time.Saturday || now.Hour() != 22; now = server.Now().In(korea) {
		server.Advance(time.Hour)
	}
	short, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond) // too short for a second look
	defer cancel()
	request(short, "on-saturday")
	server.Advance(36 * time.Hour)
	request(context.Background(), "on-monday")
	// Output:
	// on-saturday 0
	// on-monday 1
}

// Refusals of encrypted calls may come encrypted or not: the client reads both.
func ExampleWithPlainPayoutErrors() {
	for _, options := range [][]tosstest.Option{nil, {tosstest.WithPlainPayoutErrors()}} {
		client := sellersClient(tosstest.New(options...))
		_, err := client.UpdateSeller(context.Background(), "seller_unknown", payouts.UpdateSellerRequest{})
		fmt.Println(errors.Is(err, tosspayments.ErrNotFound))
	}
	// Output:
	// true
	// true
}

// The script of a merchant whose order form selects the card, and lets the buyer agree to
// the terms. A page loads it from URL + ScriptPath.
func ExampleWithBrowser() {
	server := tosstest.New(tosstest.WithBrowser(tosstest.Browser{Method: "CARD", TermsOpen: true, VariantKeys: []string{"DEFAULT"}}))
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, tosstest.ScriptPath, http.NoBody))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	fmt.Println(strings.Contains(answer.Body.String(), `"variantKeys":["DEFAULT"]`))
	// Output:
	// 200 text/javascript; charset=utf-8
	// true
}
