package brandpay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// exampleToken is the token of a customer of a server inside the process, who has agreed.
func exampleToken(server *tosstest.Server) brandpay.Token {
	token, err := brandpay.New(server.Client()).IssueToken(context.Background(), brandpay.Authorization{
		CustomerKey: "customer-1", Code: tosspayments.NewSensitive(server.AgreeBrandPay("customer-1")),
	})
	if err != nil {
		panic(err)
	}
	return *token
}

// The terms are shown on a page of the shop's own, and what was agreed to becomes a token.
func ExampleClient_AgreeTerms() {
	client := brandpay.New(tosstest.New().Client())
	ctx := context.Background()
	scope := []brandpay.Scope{brandpay.ScopeRegister, brandpay.ScopeCard}
	terms, err := client.GetTerms(ctx, "customer-1", scope)
	if err != nil {
		fmt.Println(err)
		return
	}
	request := brandpay.AgreeTermsRequest{CustomerKey: "customer-1", Scope: scope}
	for _, t := range terms { // those that the customer has ticked
		request.TermsID = append(request.TermsID, t.ID)
	}
	auth, err := client.AgreeTerms(ctx, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := client.IssueToken(ctx, *auth)
	fmt.Println(token, err)
	// Output: [redacted] <nil>
}

func ExampleClient_GetTerms() {
	client := brandpay.New(tosstest.New().Client())
	terms, err := client.GetTerms(context.Background(), "customer-1", []brandpay.Scope{brandpay.ScopeRegister})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range terms {
		fmt.Println(t.Title, t.Required, t.Agreed)
	}
	// Output:
	// 브랜드페이 서비스 이용약관 true false
	// 개인정보 수집 및 이용 동의 true false
	// 혜택 알림 동의 false false
}

// A Customer refreshes by itself; this is for those who keep tokens in their own way.
func ExampleClient_RefreshToken() {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	old := exampleToken(server)
	fresh, err := client.RefreshToken(context.Background(), old)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fresh.AccessToken.Equal(old.AccessToken), fresh.RefreshToken.Equal(old.RefreshToken))
	// Output: false false
}

// The methods of a customer are read with the secret key too.
func ExampleClient_GetMethods() {
	server := tosstest.New()
	server.AddBrandPayAccount("customer-1", "88")
	methods, err := brandpay.New(server.Client()).GetMethods(context.Background(), "customer-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(methods.Cards), methods.Accounts[0].BankCode, methods.Accounts[0].Status)
	// Output: 0 88 ENABLED
}

func ExampleClient_GetCardPromotions() {
	promotions, err := brandpay.New(tosstest.New().Client()).GetCardPromotions(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range promotions.DiscountCards {
		fmt.Println(d.CompanyCode, d.DiscountAmount, d.DiscountCode)
	}
	// Output: 61 1000 990062
}

func ExampleClient_GetBankPromotions() {
	promotions, err := brandpay.New(tosstest.New().Client()).GetBankPromotions(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range promotions.DiscountBanks {
		fmt.Println(d.BankCode, d.DiscountAmount, d.DiscountCode)
	}
	// Output: 92 600 990061
}

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
	customer := brandpay.New(server.Client()).Customer(exampleToken(server), nil)
	card := server.AddBrandPayCard("customer-1", "61")
	removed, err := customer.RemoveCard(context.Background(), card)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(removed.Status)
	// Output: DISABLED
}

func ExampleCustomer_RemoveAccount() {
	server := tosstest.New()
	customer := brandpay.New(server.Client()).Customer(exampleToken(server), nil)
	account := server.AddBrandPayAccount("customer-1", "88")
	removed, err := customer.RemoveAccount(context.Background(), account)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(removed.BankCode, removed.Status)
	// Output: 88 DISABLED
}

// A customer who leaves takes all methods along.
func ExampleCustomer_Leave() {
	server := tosstest.New()
	client := brandpay.New(server.Client())
	ctx := context.Background()
	customer := client.Customer(exampleToken(server), nil)
	card := server.AddBrandPayCard("customer-1", "61")
	if err := customer.Leave(ctx); err != nil {
		fmt.Println(err)
		return
	}
	payment, err := client.Charge(ctx, brandpay.ChargeRequest{
		CustomerKey: "customer-1", MethodKey: card, Amount: tosspayments.Won(9900), OrderID: "order-0001", OrderName: "3월 구독",
	})
	fmt.Println(tosspayments.OutcomeOf(payment, err), tosspayments.CodeOf(err))
	// Output: refused NOT_FOUND_CUSTOMER
}

// The methods of a customer are read with the customer's token.
func ExampleCustomer_GetMethods() {
	server := tosstest.New()
	customer := brandpay.New(server.Client()).Customer(exampleToken(server), nil)
	server.AddBrandPayCard("customer-1", "61")
	methods, err := customer.GetMethods(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(methods.Cards[0].IssuerCode, methods.Cards[0].Status)
	// Output: 61 ENABLED
}

// The test of the handler at the redirect URL.
func ExampleParseRedirectURL() {
	auth := brandpay.Authorization{CustomerKey: "customer-1", Code: tosspayments.NewSensitive("code-1")}
	request := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/brandpay?"+auth.Values().Encode(), http.NoBody)
	parsed, err := brandpay.ParseRedirectURL(request.URL)
	fmt.Println(parsed.CustomerKey, parsed.Code, err)
	// Output: customer-1 [redacted] <nil>
}

// A page shows until when a customer need not agree again.
func ExampleToken_ExpiresAt() {
	server := tosstest.New()
	issued := server.Now()
	token, err := brandpay.New(server.Client()).IssueToken(context.Background(), brandpay.Authorization{
		CustomerKey: "customer-1", Code: tosspayments.NewSensitive(server.AgreeBrandPay("customer-1")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.ExpiresAt(issued).Sub(issued))
	// Output: 720h0m0s
}
