package tosspayments_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// A buyer's payment, from the redirect to the receipt. The server here is tosstest;
// in production the client comes from tosspayments.New.
func Example() {
	server := tosstest.New()
	client := server.Client()
	ctx := context.Background()

	// Before the window opens, the shop stores an order.
	orderID, amount := tosspayments.NewOrderID(), tosspayments.Won(15000)

	// The buyer pays; the browser comes to successUrl.
	redirect := server.Authenticate(tosstest.Checkout{OrderID: orderID, OrderName: "원두 1kg", Amount: amount, EasyPay: "TOSSPAY"})

	request, err := redirect.ConfirmRequest(amount)
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := client.ConfirmPayment(ctx, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, payment.TotalAmount, payment.Method, payment.EasyPay.Provider, payment.EasyPay.Amount)
	// Output: DONE 15000 간편결제 토스페이 15000
}

func ExampleNew() {
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R",
		tosspayments.WithTimeout(30*time.Second),
		tosspayments.WithLogger(slog.New(slog.NewJSONHandler(os.Stderr, nil))),
	)
	fmt.Println(client != nil, err)

	_, err = tosspayments.New("test_ck_D5GePWvyJnrK0W0k6q8gLzN97Eoq")
	fmt.Println(err)
	// Output:
	// true <nil>
	// tosspayments: secretKey is a client key (ck, gck), which belongs in the browser: pass the secret key (sk, gsk) of the same set
}

func ExampleNew_options() {
	_, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R",
		tosspayments.WithHTTPClient(&http.Client{}),
		tosspayments.WithBaseURL("http://127.0.0.1:8080"),
		tosspayments.WithMaxRetries(0),
		tosspayments.WithLanguage(tosspayments.LanguageEnglish),
		tosspayments.WithLookupGrace(0),
	)
	fmt.Println(err)
	// Output: <nil>
}

func ExampleParseSecretKey() {
	key, err := tosspayments.ParseSecretKey(" test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key, key.IsTest(), key.IsWidget())
	fmt.Println(key.Authorization())
	// Output:
	// [redacted] true false
	// Basic dGVzdF9za196WExrS0V5cE5BcldtbzUwblgzbG1lYXhZRzVSOg==
}

// A confirm has its own time: the buyer's browser may go away, and proxies give up after
// 30 to 60 seconds.
func ExampleClient_ConfirmPayment() {
	server := tosstest.New()
	client := server.Client()
	request := tosspayments.ConfirmPaymentRequest{
		PaymentKey: server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)}).PaymentKey,
		OrderID:    "order-0001",
		Amount:     tosspayments.Won(15000), // as stored with the order
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(context.Background()), 25*time.Second)
	defer cancel()

	payment, err := client.ConfirmPayment(ctx, request)
	fmt.Println(tosspayments.OutcomeOf(payment, err), payment.TotalAmount)
	// Output: paid 15000
}

// One switch handles every end of a call that makes a payment. The handler of the
// redirect and the job that asks again share it.
func ExampleOutcomeOf() {
	record := func(orderID string, payment *tosspayments.Payment, err error) {
		switch tosspayments.OutcomeOf(payment, err) {
		case tosspayments.OutcomePaid:
			fmt.Println(orderID, "deliver", payment.TotalAmount)
		case tosspayments.OutcomeWaiting:
			fmt.Println(orderID, "show the account at bank", payment.VirtualAccount.BankCode)
		case tosspayments.OutcomeCanceled:
			fmt.Println(orderID, "close the order, nothing is left of the payment")
		case tosspayments.OutcomeRefused:
			code := tosspayments.CodeOf(err)
			fmt.Println(orderID, "tell the buyer:", code, "-", code.Class())
		case tosspayments.OutcomeNotSent:
			fmt.Println(orderID, "try again, nothing was sent:", err)
		case tosspayments.OutcomeMismatch:
			fmt.Println(orderID, "a person has to look at", tosspayments.PaymentOf(err), err)
		default: // OutcomeUnknown
			fmt.Println(orderID, "leave the order open, the job asks again")
		}
	}

	server := tosstest.New()
	client := server.Client()
	won := tosspayments.Won(15000)
	for _, checkout := range []tosstest.Checkout{
		{OrderID: "order-0001", OrderName: "원두 1kg", Amount: won},
		{OrderID: "order-0002", OrderName: "원두 1kg", Amount: won, Method: tosspayments.MethodVirtualAccount},
		{OrderID: "order-0003", OrderName: "원두 1kg", Amount: won, Refusal: tosspayments.ErrRejectCardCompany},
	} {
		request, err := server.Authenticate(checkout).ConfirmRequest(won)
		if err != nil {
			fmt.Println(err)
			return
		}
		payment, err := client.ConfirmPayment(context.Background(), request)
		record(checkout.OrderID, payment, err)
	}
	// Output:
	// order-0001 deliver 15000
	// order-0002 show the account at bank 20
	// order-0003 tell the buyer: REJECT_CARD_COMPANY - buyer: use another method
}

// A job asks for the orders that were left open, with the requests that were stored.
func ExampleClient_ResolvePayment() {
	server := tosstest.New()
	client := server.Client()
	open := []tosspayments.ConfirmPaymentRequest{} // from the shop's database
	for _, orderID := range []string{"order-0001", "order-0002"} {
		redirect := server.Authenticate(tosstest.Checkout{OrderID: orderID, OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
		open = append(open, tosspayments.ConfirmPaymentRequest{PaymentKey: redirect.PaymentKey, OrderID: orderID, Amount: tosspayments.Won(15000)})
	}
	// The first was confirmed, but the shop crashed before it could record that.
	if _, err := client.ConfirmPayment(context.Background(), open[0]); err != nil {
		fmt.Println(err)
		return
	}

	for _, request := range open {
		payment, err := client.ResolvePayment(context.Background(), request)
		fmt.Println(request.OrderID, tosspayments.OutcomeOf(payment, err)) // then as in the example of OutcomeOf
	}
	// Output:
	// order-0001 paid
	// order-0002 unknown
}

// The payment of a webhook's event, or one that was read anyway, is judged without
// another request.
func ExampleConfirmPaymentRequest_Check() {
	stored := tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000)}
	event := &tosspayments.Payment{
		PaymentKey: "pay-1", OrderID: "order-0001", TotalAmount: tosspayments.Won(150), Status: tosspayments.PaymentStatusDone,
	}
	payment, err := stored.Check(event)
	fmt.Println(tosspayments.OutcomeOf(payment, err), err)
	// Output: mismatch tosspayments: check payment: amount is "150", expected "15000"; the payment that answered is DONE
}

// Metrics of every request, lookups apart.
func ExampleWithObserver() {
	server := tosstest.New()
	client := server.Client(tosspayments.WithMaxRetries(0), tosspayments.WithObserver(func(_ context.Context, a tosspayments.Attempt) {
		fmt.Println(a.Operation, a.Number, "lookup:", a.Lookup, "status:", a.Status)
	}))
	server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, AfterEffect: true, Code: tosspayments.ErrProviderError})
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := client.ConfirmPayment(context.Background(), request)
	fmt.Println(tosspayments.OutcomeOf(payment, err))
	// Output:
	// confirm payment 1 lookup: false status: 400
	// get payment 1 lookup: true status: 200
	// paid
}

// A timeout is not a failure: the answer to the first attempt is lost, and the same
// request under the same key finds the payment approved, once.
func ExampleClient_ConfirmPayment_lostAnswer() {
	server := tosstest.New()
	client := server.Client()
	server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: true})
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}

	var response tosspayments.Response
	payment, err := client.ConfirmPayment(context.Background(), request, tosspayments.WithResponse(&response))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, "after", response.Attempts, "attempts, charged", server.Charges("order-0001"), "time")
	// Output: DONE after 2 attempts, charged 1 time
}

// The test environment answers with any error that is asked for.
func ExampleWithTestCode() {
	server := tosstest.New()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = server.Client().ConfirmPayment(context.Background(), request,
		tosspayments.WithTestCode(tosspayments.ErrExceedMaxDailyPaymentCount))
	fmt.Println(errors.Is(err, tosspayments.ErrExceedMaxDailyPaymentCount))
	// Output: true
}

// The key of the operation is stored before its first call, and every call of the
// operation passes it, also after a crash.
func ExampleWithIdempotencyKey() {
	server := tosstest.New()
	client := server.Client()
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		payment, err := client.ConfirmPayment(context.Background(), request, tosspayments.WithIdempotencyKey("confirm-order-0001"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(payment.Status, server.Charges("order-0001"))
	}
	// Output:
	// DONE 1
	// DONE 1
}

func ExampleClient_GetPayment() {
	server := tosstest.New()
	client := server.Client()
	key := server.OpenWindow(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})

	payment, err := client.GetPayment(context.Background(), key)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, payment.IsPaid())

	_, err = client.GetPayment(context.Background(), "no-such-key")
	fmt.Println(errors.Is(err, tosspayments.ErrNotFoundPayment))
	// Output:
	// READY false
	// true
}

func ExampleClient_GetPaymentByOrderID() {
	server := tosstest.New()
	server.OpenWindow(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	payment, err := server.Client().GetPaymentByOrderID(context.Background(), "order-0001")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.OrderName, payment.Status)
	// Output: 원두 1kg READY
}

func examplePayment(server *tosstest.Server) *tosspayments.Payment {
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		panic(err)
	}
	payment, err := server.Client().ConfirmPayment(context.Background(), request)
	if err != nil {
		panic(err)
	}
	return payment
}

func ExampleClient_CancelPayment() {
	server := tosstest.New()
	payment := examplePayment(server)
	payment, err := server.Client().CancelPayment(context.Background(), payment.PaymentKey, tosspayments.CancelPaymentRequest{
		CancelReason: "고객 변심",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, payment.IsFullyCanceled(), payment.Cancels[0].CancelAmount)
	// Output: CANCELED true 15000
}

// A refund with an id of its own happens once, however often it is asked for. Its
// switch speaks of the refund, never of the order.
func ExampleClient_CancelPaymentPartially() {
	server := tosstest.New()
	client := server.Client()
	payment := examplePayment(server)
	refund := tosspayments.PartialCancelRequest{ // stored before the first call
		RefundID: "refund-7", CancelReason: "한 상품 품절", CancelAmount: tosspayments.Won(5000), RefundableAmount: payment.Cancelable(),
	}
	for range 2 {
		payment, err := client.CancelPaymentPartially(context.Background(), payment.PaymentKey, refund)
		switch outcome := tosspayments.OutcomeOf(payment, err); {
		case err == nil:
			fmt.Println("refunded, left:", payment.Cancelable())
		case outcome == tosspayments.OutcomeRefused:
			fmt.Println("not refunded, a person decides:", tosspayments.CodeOf(err).Class())
		case outcome == tosspayments.OutcomeMismatch:
			fmt.Println("not this refund, a person has to look:", err)
		default: // OutcomeNotSent, OutcomeUnknown
			fmt.Println("the job makes the same call again:", err)
		}
	}
	fmt.Println(server.Refunds("order-0001"))
	// Output:
	// refunded, left: 10000
	// refunded, left: 10000
	// [5000]
}

func ExampleClient_Do() {
	server := tosstest.New()
	payment := examplePayment(server)
	var answer struct {
		Status string `json:"status"`
	}
	err := server.Client().Do(context.Background(), tosspayments.Request{
		Method: http.MethodGet, Path: "/v1/payments/" + url.PathEscape(payment.PaymentKey),
	}, &answer)
	fmt.Println(answer.Status, err)
	// Output: DONE <nil>
}

// The amount from the browser is compared with the stored one before anything is
// sent.
func ExampleParseSuccessURL() {
	http.HandleFunc("GET /payment/success", func(w http.ResponseWriter, r *http.Request) {
		redirect, err := tosspayments.ParseSuccessURL(r.URL)
		_, _ = redirect, err
	})

	u, _ := url.Parse("https://shop.example/payment/success?paymentType=NORMAL&orderId=order-0001&paymentKey=pay-1&amount=100")
	redirect, err := tosspayments.ParseSuccessURL(u)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = redirect.ConfirmRequest(tosspayments.Won(15000))
	fmt.Println(err)
	fmt.Println(errors.Is(err, tosspayments.ErrAmountMismatch))
	// Output:
	// tosspayments: amount is "100", expected "15000"; nothing was sent
	// true
}

// The same values as the success page of the integration guide posts them.
func ExampleSuccessRedirect() {
	body := strings.NewReader(`{"paymentKey":"pay-1","orderId":"order-0001","amount":"15000"}`)
	var redirect tosspayments.SuccessRedirect
	if err := json.NewDecoder(body).Decode(&redirect); err != nil {
		fmt.Println(err)
		return
	}
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	fmt.Println(request.OrderID, request.Amount, err)
	// Output: order-0001 15000 <nil>
}

func ExampleParseFailURL() {
	u, _ := url.Parse("https://shop.example/payment/fail?code=PAY_PROCESS_CANCELED&message=%EC%B7%A8%EC%86%8C")
	redirect, err := tosspayments.ParseFailURL(u)
	if err != nil {
		fmt.Println(err)
		return
	}
	if errors.Is(redirect, tosspayments.ErrPayProcessCanceled) {
		fmt.Println("the buyer left:", redirect.Message)
	}
	// Output: the buyer left: 취소
}

func ExampleParseBillingURL() {
	u, _ := url.Parse("https://shop.example/billing/success?customerKey=customer-1&authKey=bln_1")
	redirect, err := tosspayments.ParseBillingURL(u)
	fmt.Println(redirect.CustomerKey, redirect.AuthKey, err)
	// Output: customer-1 [redacted] <nil>
}

func ExampleErrorCode() {
	info, ok := tosspayments.ErrNotFoundPaymentSession.Info()
	fmt.Println(ok, info.Statuses, info.Korean)
	fmt.Println(info.Class)
	fmt.Println(tosspayments.ErrorCode("A_CODE_OF_TOMORROW").Class())
	// Output:
	// true [404] 결제 시간이 만료되어 결제 진행 데이터가 존재하지 않습니다.
	// buyer: start again
	// unknown outcome: look it up
}

func ExampleErrorCodes() {
	for info := range tosspayments.ErrorCodes() {
		if info.Class == tosspayments.ClassAlreadyDone && strings.Contains(string(info.Code), "ORDER") {
			fmt.Println(info.Code, info.English)
		}
	}
	// Output: DUPLICATED_ORDER_ID This is a duplicate order id that has already been approved or canceled. Please proceed with a different order id.
}

func ExampleParseAmount() {
	a, err := tosspayments.ParseAmount("1.50")
	fmt.Println(a, err, a.Add(tosspayments.Won(1)))
	_, err = tosspayments.ParseAmount("15,000")
	fmt.Println(err)
	// Output:
	// 1.5 <nil> 2.5
	// tosspayments: amount must be a decimal number, such as 15000 or 1.25
}

func ExampleWon() {
	price := tosspayments.Won(15000)
	units, whole := price.Int64()
	fmt.Println(price, units, whole, price == tosspayments.Won(15000))
	// Output: 15000 15000 true true
}

func ExampleValidateOrderID() {
	fmt.Println(tosspayments.ValidateOrderID("7"))
	fmt.Println(tosspayments.ValidateOrderName(""))
	fmt.Println(tosspayments.ValidateCustomerKey("buyer@example.com"))
	// Output:
	// tosspayments: orderId must have 6 to 64 characters, has 1
	// tosspayments: orderName is empty
	// <nil>
}

func ExampleNewOrderID() {
	id := tosspayments.NewOrderID()
	fmt.Println(len(id), tosspayments.ValidateOrderID(id))
	// Output: 26 <nil>
}

// A subscription: the buyer registers a card once, and each period has its order id.
func ExampleClient_ChargeBilling() {
	server := tosstest.New()
	client := server.Client()
	ctx := context.Background()

	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	billing, err := client.IssueBillingKey(ctx, redirect)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(billing.BillingKey, billing.Card.Number)

	// The order id names the period: another run of the job charges nothing more.
	march := tosspayments.ChargeBillingRequest{OrderID: "subscription-7-2026-03", OrderName: "원두 구독 3월", Amount: tosspayments.Won(9900)}
	for range 2 {
		payment, err := client.ChargeBilling(ctx, billing.BillingKey, march)
		fmt.Println(tosspayments.OutcomeOf(payment, err), server.Charges(march.OrderID))
	}
	fmt.Println(client.DeleteBillingKey(ctx, billing.BillingKey))
	// Output:
	// [redacted] 43301234****123*
	// paid 1
	// paid 1
	// <nil>
}

func ExampleClient_IssueBillingKeyByCard() {
	billing, err := tosstest.New().Client().IssueBillingKeyByCard(context.Background(), tosspayments.IssueBillingKeyByCardRequest{
		CustomerKey:            "customer-1",
		CardNumber:             tosspayments.NewSensitive("4330123412341234"),
		CardExpirationYear:     tosspayments.NewSensitive("30"),
		CardExpirationMonth:    tosspayments.NewSensitive("12"),
		CustomerIdentityNumber: tosspayments.NewSensitive("900101"),
		CardPassword:           tosspayments.NewSensitive("00"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(billing.Method, billing.Card.IssuerCode)
	// Output: 카드 61
}

func ExampleClient_ChargeKeyIn() {
	payment, err := tosstest.New().Client().ChargeKeyIn(context.Background(), tosspayments.ChargeKeyInRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000),
		CardNumber:             tosspayments.NewSensitive("4330123412341234"),
		CardExpirationYear:     tosspayments.NewSensitive("30"),
		CardExpirationMonth:    tosspayments.NewSensitive("12"),
		CustomerIdentityNumber: tosspayments.NewSensitive("900101"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, payment.TotalAmount)
	// Output: DONE 15000
}

// An account number, the deposit, and a deposit that the bank takes back.
func ExampleClient_IssueVirtualAccount() {
	server := tosstest.New()
	client := server.Client()
	ctx := context.Background()
	payment, err := client.IssueVirtualAccount(ctx, tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20", ValidHours: 24,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, payment.IsPaid(), payment.VirtualAccount.AccountNumber)

	for _, event := range []func() error{
		func() error { return server.Deposit("order-0001", tosspayments.Won(15000)) },
		func() error { return server.Bounce("order-0001") },
	} {
		if err := event(); err != nil {
			fmt.Println(err)
			return
		}
		payment, err := client.GetPaymentByOrderID(ctx, "order-0001")
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(payment.Status, payment.IsPaid())
	}
	// Output:
	// WAITING_FOR_DEPOSIT false [redacted]
	// DONE true
	// WAITING_FOR_DEPOSIT false
}

func ExampleClient_AllTransactions() {
	server := tosstest.New()
	client := server.Client()
	payment := examplePayment(server)
	if _, err := client.CancelPayment(context.Background(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "변심"}); err != nil {
		fmt.Println(err)
		return
	}
	today := tosspayments.DateOf(server.Now())
	for transaction, err := range client.AllTransactions(context.Background(), tosspayments.TransactionQuery{
		StartDate: today.Start(), EndDate: today.AddDays(1).Start().Add(-time.Second), Limit: 5000,
	}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(transaction.Status, transaction.NetAmount())
	}
	// Output:
	// DONE 15000
	// CANCELED -15000
}

func ExampleClient_AllSettlements() {
	server := tosstest.New()
	examplePayment(server)
	sold := tosspayments.DateOf(server.Now())
	server.Advance(24 * time.Hour)
	for settlement, err := range server.Client().AllSettlements(context.Background(), tosspayments.SettlementQuery{StartDate: sold, EndDate: sold}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(settlement.Amount, "-", *settlement.Fee, "=", settlement.PayOutAmount)
	}
	// Output: 15000 - 462 = 14538
}

func ExampleClient_IssueCashReceipt() {
	client := tosstest.New().Client()
	receipt, err := client.IssueCashReceipt(context.Background(), tosspayments.IssueCashReceiptRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000),
		Type: "소득공제", CustomerIdentityNumber: tosspayments.NewSensitive("01012345678"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	canceled, err := client.CancelCashReceipt(context.Background(), receipt.ReceiptKey, tosspayments.CancelCashReceiptRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(receipt.IssueStatus, receipt.TransactionType, canceled.TransactionType)
	// Output: IN_PROGRESS CONFIRM CANCEL
}

func ExampleClient_GetCardPromotions() {
	promotions, err := tosstest.New().Client().GetCardPromotions(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, card := range promotions.InterestFreeCards {
		fmt.Println(card.IssuerCode, card.InstallmentFreeMonths, card.MinimumPaymentAmount)
	}
	// Output: 61 [2 3] 50000
}

// The payment window without the browser script: send the buyer to the address.
func ExampleClient_CreatePayment() {
	payment, err := tosstest.New().Client().CreatePayment(context.Background(), tosspayments.CreatePaymentRequest{
		Method: tosspayments.MethodCard, OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000),
		SuccessURL: "https://shop.example/success", FailURL: "https://shop.example/fail",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(payment.Status, strings.HasPrefix(payment.Checkout.URL, "http"))
	// Output: READY true
}

func ExampleClient_RequestSettlement() {
	server := tosstest.New()
	accepted, err := server.Client().RequestSettlement(context.Background(), examplePayment(server).PaymentKey)
	fmt.Println(accepted, err)
	// Output: true <nil>
}

func ExampleClient_AllCashReceipts() {
	server := tosstest.New()
	client := server.Client()
	if _, err := client.IssueCashReceipt(context.Background(), tosspayments.IssueCashReceiptRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000),
		Type: "지출증빙", CustomerIdentityNumber: tosspayments.NewSensitive("1234567890"),
	}); err != nil {
		fmt.Println(err)
		return
	}
	today := tosspayments.DateOf(server.Now())
	for receipt, err := range client.AllCashReceipts(context.Background(), tosspayments.CashReceiptQuery{RequestDate: today}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(receipt.OrderID, receipt.Amount, receipt.CustomerIdentityNumber)
	}
	// Output: order-0001 15000 [redacted]
}

func ExampleClient_GetPromotions() {
	promotions, err := tosstest.New().Client().GetPromotions(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, promotion := range promotions {
		fmt.Println(promotion.PayType, promotion.Type)
	}
	// Output:
	// NORMAL CARD_DISCOUNT
	// NORMAL CARD_INTEREST_FREE
	// NORMAL CARD_POINT
	// BRANDPAY BANK_DISCOUNT
}

func ExampleParseDate() {
	day, err := tosspayments.ParseDate("2026-03-01")
	fmt.Println(day, err, day.AddDays(-1), day.Start().UTC().Format(time.RFC3339))
	// Output: 2026-03-01 <nil> 2026-02-28 2026-02-28T15:00:00Z
}
