package tosstest_test

import (
	"context"
	"fmt"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// sellersClient is a client for payouts of a marketplace.
func sellersClient(server *tosstest.Server) *payouts.Client {
	client, err := payouts.New(server.Client(), tosstest.DefaultSecurityKey)
	if err != nil {
		panic(err)
	}
	return client
}

// registerPerson registers a seller who has yet to prove who they are.
func registerPerson(client *payouts.Client, refSellerID string) *payouts.Seller {
	return registerSeller(client, payouts.RegisterSellerRequest{
		RefSellerID: refSellerID, BusinessType: payouts.BusinessTypeIndividual,
		Individual: &payouts.Individual{
			Name: tosspayments.NewSensitive("김토스"), Email: tosspayments.NewSensitive("kim@example.com"), Phone: tosspayments.NewSensitive("01012345678"),
		},
	})
}

// registerCompany registers a seller who can be paid at once.
func registerCompany(client *payouts.Client, refSellerID string) *payouts.Seller {
	return registerSeller(client, payouts.RegisterSellerRequest{
		RefSellerID: refSellerID, BusinessType: payouts.BusinessTypeCorporate,
		Company: &payouts.Company{
			Name: "주식회사 예시", RepresentativeName: tosspayments.NewSensitive("김대표"), BusinessRegistrationNumber: "1234567890",
			Email: tosspayments.NewSensitive("lee@example.com"), Phone: tosspayments.NewSensitive("0212345678"),
		},
	})
}

func registerSeller(client *payouts.Client, request payouts.RegisterSellerRequest) *payouts.Seller {
	request.Account = payouts.Account{
		BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"), HolderName: tosspayments.NewSensitive("김토스"),
	}
	seller, err := client.RegisterSeller(context.Background(), request)
	if err != nil {
		panic(err)
	}
	return seller
}

// A month of a marketplace: sellers are examined, sales become money that can be paid out,
// and the bank pays one payout and refuses another.
func ExampleServer_CompletePayouts() {
	server := tosstest.New()
	client, ctx := sellersClient(server), context.Background()
	person, company := registerPerson(client, "shop-0001"), registerCompany(client, "shop-0002")
	fmt.Println(person.Status, company.Status)
	server.CompleteIdentityCheck(person.ID)
	server.CompleteKYC(company.ID)

	server.AddBalance(tosspayments.Won(100_000))
	pay := func(ref, seller string) string {
		sent, err := client.RequestPayouts(ctx, []payouts.PayoutRequest{{
			RefPayoutID: ref, Destination: seller, ScheduleType: payouts.ScheduleExpress,
			Amount: payouts.Won(30_000), TransactionDescription: "3월정산",
		}})
		if err != nil {
			fmt.Println(ref, tosspayments.CodeOf(err))
			return ""
		}
		return sent[0].ID
	}
	server.FailPayout(pay("pay-0001", person.ID), tosspayments.ErrInvalidAccountNumber)
	server.CompletePayout(pay("pay-0002", company.ID))
	pay("pay-0003", person.ID)
	fmt.Println(server.CompletePayouts(), "more")
	server.RequireKYC(company.ID)
	company, err := client.GetSeller(ctx, company.ID)
	fmt.Println(company.Status, company.Status.IsPayable(), err)

	fmt.Println(server.PaidOut(person.ID), server.PaidOut(company.ID), server.Payouts("pay-0001"))
	pending, available := server.Balance()
	fmt.Println(pending, available)
	// Output:
	// APPROVAL_REQUIRED PARTIALLY_APPROVED
	// 1 more
	// KYC_REQUIRED false <nil>
	// 30000 30000 1
	// 0 40000
}

// A customer of BrandPay agrees, registers a card and an account, pays with one of them
// and removes the other. Their token runs out.
func ExampleServer_AuthenticateBrandPay() {
	server := tosstest.New()
	client, ctx := brandpay.New(server.Client()), context.Background()
	token, err := client.IssueToken(ctx, brandpay.Authorization{
		CustomerKey: "customer-0001", Code: tosspayments.NewSensitive(server.AgreeBrandPay("customer-0001")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	card := server.AddBrandPayCard("customer-0001", "61")
	account := server.AddBrandPayAccount("customer-0001", "88")

	request, err := server.AuthenticateBrandPay("customer-0001", card, coffee("order-0001")).ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := client.ConfirmPayment(ctx, brandpay.ConfirmPaymentRequest{ConfirmPaymentRequest: request, CustomerKey: "customer-0001"})
	fmt.Println(tosspayments.OutcomeOf(payment, err), payment.Card.IssuerCode)

	server.RemoveBrandPayMethod("customer-0001", account)
	server.ExpireBrandPayToken("customer-0001")
	customer := client.Customer(*token, func(_ context.Context, fresh brandpay.Token) error {
		fmt.Println("a new token is stored:", !fresh.AccessToken.Equal(token.AccessToken))
		return nil
	})
	methods, err := customer.GetMethods(ctx)
	fmt.Println(len(methods.Cards), len(methods.Accounts), err)
	// Output:
	// paid 61
	// a new token is stored: true
	// 1 0 <nil>
}
