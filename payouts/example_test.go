package payouts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// exampleClient is a client of a server inside the process, with a seller who can be paid
// and money to pay out.
func exampleClient(server *tosstest.Server) (*payouts.Client, *payouts.Seller) {
	client, err := payouts.New(server.Client(), tosstest.DefaultSecurityKey)
	if err != nil {
		panic(err)
	}
	server.AddBalance(tosspayments.Won(1_000_000))
	seller, err := client.RegisterSeller(context.Background(), payouts.RegisterSellerRequest{
		RefSellerID: "shop-0077", BusinessType: payouts.BusinessTypeCorporate, Company: company(), Account: account(),
	})
	if err != nil {
		panic(err)
	}
	return client, seller
}

// A security key that is being replaced: the first encrypts, each decrypts.
func ExampleNew() {
	server := tosstest.New()
	const newest, older = tosstest.DefaultSecurityKey, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	client, err := payouts.New(server.Client(), newest, older)
	if err != nil {
		fmt.Println(err)
		return
	}
	balance, err := client.GetBalance(context.Background())
	fmt.Println(balance.AvailableAmount.Value, err)
	// Output: 0 <nil>
}

func ExampleClient_RegisterSeller() {
	server := tosstest.New()
	client, err := payouts.New(server.Client(), tosstest.DefaultSecurityKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	seller, err := client.RegisterSeller(ctx, payouts.RegisterSellerRequest{
		RefSellerID:  "shop-0077",
		BusinessType: payouts.BusinessTypeIndividual,
		Individual: &payouts.Individual{
			Name:  tosspayments.NewSensitive("홍길동"),
			Email: tosspayments.NewSensitive("h@example.com"),
			Phone: tosspayments.NewSensitive("01012345678"),
		},
		Account: payouts.Account{
			BankCode:      "092",
			AccountNumber: tosspayments.NewSensitive("100012345678"),
			HolderName:    tosspayments.NewSensitive("홍길동"),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(seller.Status, seller.Status.IsPayable(), seller.Individual.Phone)

	server.CompleteIdentityCheck(seller.ID) // what the seller does with the text message
	seller, err = client.GetSeller(ctx, seller.ID)
	fmt.Println(seller.Status, seller.Status.IsPayable(), err)
	// Output:
	// APPROVAL_REQUIRED false [redacted]
	// PARTIALLY_APPROVED true <nil>
}

func ExampleClient_GetSeller() {
	server := tosstest.New()
	client, seller := exampleClient(server)
	server.RequireKYC(seller.ID) // as it happens after one to three years
	seller, err := client.GetSeller(context.Background(), seller.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(seller.RefSellerID, seller.Status, seller.Status.IsPayable())
	// Output: shop-0077 KYC_REQUIRED false
}

// A page is asked for with the id of the last seller of the page before.
func ExampleClient_ListSellers() {
	client, _ := exampleClient(tosstest.New())
	page, err := client.ListSellers(context.Background(), payouts.SellerQuery{Limit: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(page.Items), page.HasNext)
	// Output: 1 false
}

// A seller whose registration had no answer is found by the shop's own id.
func ExampleClient_AllSellers() {
	client, _ := exampleClient(tosstest.New())
	for seller, err := range client.AllSellers(context.Background(), payouts.SellerQuery{Limit: 100}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if seller.RefSellerID == "shop-0077" {
			fmt.Println("registered:", seller.Status)
		}
	}
	// Output: registered: PARTIALLY_APPROVED
}

func ExampleClient_DeleteSeller() {
	client, seller := exampleClient(tosstest.New())
	ctx := context.Background()
	deleted, err := client.DeleteSeller(ctx, seller.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(deleted.RefSellerID, "cannot be used again")
	_, err = client.GetSeller(ctx, seller.ID)
	fmt.Println(errors.Is(err, tosspayments.ErrNotFound))
	// Output:
	// shop-0077 cannot be used again
	// true
}

// Metadata is replaced, deleted, or left as it is.
func ExampleClient_UpdateSeller() {
	client, seller := exampleClient(tosstest.New())
	ctx := context.Background()
	seller, err := client.UpdateSeller(ctx, seller.ID, payouts.UpdateSellerRequest{
		Metadata: payouts.Value(tosspayments.Metadata{"tier": "gold"}),
	})
	fmt.Println(seller.Metadata, err)
	seller, err = client.UpdateSeller(ctx, seller.ID, payouts.UpdateSellerRequest{
		Company: &payouts.Company{Name: "주식회사 새이름"},
	})
	fmt.Println(seller.Metadata, seller.Company.Name, err)
	seller, err = client.UpdateSeller(ctx, seller.ID, payouts.UpdateSellerRequest{
		Metadata: payouts.Null[tosspayments.Metadata](),
	})
	fmt.Println(seller.Metadata, err)
	// Output:
	// map[tier:gold] <nil>
	// map[tier:gold] 주식회사 새이름 <nil>
	// map[] <nil>
}

// The batch is stored before it is requested, and the call is made again, in whichever
// process, until it ends.
func ExampleClient_RequestPayouts() {
	server := tosstest.New()
	client, seller := exampleClient(server)
	batch := []payouts.PayoutRequest{{
		RefPayoutID:            "pay-2026-03-0001",
		Destination:            seller.ID,
		ScheduleType:           payouts.ScheduleExpress,
		Amount:                 payouts.Won(50_000),
		TransactionDescription: "3월정산",
	}}
	for range 2 { // The second is the same request: nobody is paid twice.
		sent, err := client.RequestPayouts(context.Background(), batch)
		switch outcome := tosspayments.OutcomeOf(nil, err); {
		case err == nil:
			fmt.Println("accepted:", sent[0].RefPayoutID, sent[0].Status)
		case outcome == tosspayments.OutcomeRefused:
			fmt.Println("refused, nothing was requested:", tosspayments.CodeOf(err))
		case outcome == tosspayments.OutcomeMismatch:
			fmt.Println("a person has to look:", err)
		default:
			fmt.Println("not known yet, ask again later:", err)
		}
	}
	fmt.Println(server.Payouts("pay-2026-03-0001"))
	// Output:
	// accepted: pay-2026-03-0001 IN_PROGRESS
	// accepted: pay-2026-03-0001 IN_PROGRESS
	// 1
}

// A batch that is too old to be requested again is only looked for.
func ExampleClient_FindPayouts() {
	client, seller := exampleClient(tosstest.New())
	ctx := context.Background()
	request := expressRequest("p-1")
	request.Destination = seller.ID
	for range 2 {
		found, err := client.FindPayouts(ctx, []payouts.PayoutRequest{request})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(found))
		if _, err := client.RequestPayouts(ctx, []payouts.PayoutRequest{request}); err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// 0
	// 1
}

// An event may be lost: what has been under way for long is read.
func ExampleClient_GetPayout() {
	server := tosstest.New()
	client, seller := exampleClient(server)
	ctx := context.Background()
	request := expressRequest("p-1")
	request.Destination = seller.ID
	sent, err := client.RequestPayouts(ctx, []payouts.PayoutRequest{request})
	if err != nil {
		fmt.Println(err)
		return
	}
	server.FailPayout(sent[0].ID, tosspayments.ErrInvalidAccountNumber) // what a bank does
	payout, err := client.GetPayout(ctx, sent[0].ID)
	switch {
	case err != nil:
		fmt.Println(err)
	case payout.Status.IsUnpaid():
		fmt.Println("not paid:", payout.Error.Code)
	case payout.Status.IsFinal():
		fmt.Println("paid")
	}
	// Output: not paid: INVALID_ACCOUNT_NUMBER
}

// What is scheduled can be cancelled until its day has come.
func ExampleClient_CancelPayout() {
	client, seller := exampleClient(tosstest.New())
	ctx := context.Background()
	day := tosspayments.DateOf(time.Now()).AddDays(7)
	for weekday := day.Start().Weekday(); weekday == time.Saturday || weekday == time.Sunday; weekday = day.Start().Weekday() {
		day = day.AddDays(1)
	}
	sent, err := client.RequestPayouts(ctx, []payouts.PayoutRequest{{
		RefPayoutID: "p-1", Destination: seller.ID, ScheduleType: payouts.ScheduleScheduled, PayoutDate: day,
		Amount: payouts.Won(50_000), TransactionDescription: "3월정산",
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	payout, err := client.CancelPayout(ctx, sent[0].ID)
	fmt.Println(sent[0].Status, payout.Status, err)
	// Output: REQUESTED CANCELED <nil>
}

func ExampleClient_ListPayouts() {
	client, seller := exampleClient(tosstest.New())
	ctx := context.Background()
	request := expressRequest("p-1")
	request.Destination = seller.ID
	if _, err := client.RequestPayouts(ctx, []payouts.PayoutRequest{request}); err != nil {
		fmt.Println(err)
		return
	}
	today := tosspayments.DateOf(time.Now())
	page, err := client.ListPayouts(ctx, payouts.PayoutQuery{PayoutDateGte: today.AddDays(-1), PayoutDateLte: today.AddDays(1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Items[0].RefPayoutID, page.Items[0].Status, page.HasNext)
	// Output: p-1 IN_PROGRESS false
}

func ExampleClient_GetBalance() {
	client, _ := exampleClient(tosstest.New())
	balance, err := client.GetBalance(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(balance.AvailableAmount.Value, balance.PendingAmount.Value)
	// Output: 1000000 0
}

func ExampleClient_AllPayouts() {
	client, seller := exampleClient(tosstest.New())
	ctx := context.Background()
	for _, ref := range []string{"p-1", "p-2"} {
		request := expressRequest(ref)
		request.Destination = seller.ID
		if _, err := client.RequestPayouts(ctx, []payouts.PayoutRequest{request}); err != nil {
			fmt.Println(err)
		}
	}
	for payout, err := range client.AllPayouts(ctx, payouts.PayoutQuery{Limit: 100}) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(payout.RefPayoutID, payout.Amount.Value, payout.Status.IsFinal())
	}
	// Output:
	// p-1 50000 false
	// p-2 50000 false
}

func ExampleClient_LookupHolderName() {
	client, _ := exampleClient(tosstest.New())
	name, err := client.LookupHolderName(context.Background(), payouts.Account{
		BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"),
	})
	fmt.Println(name, name.Reveal(), err)
	// Output: [redacted] 김토스 <nil>
}

func ExampleClient_ValidateAccount() {
	client, _ := exampleClient(tosstest.New())
	exists, err := client.ValidateAccount(context.Background(), payouts.Account{
		BankCode: "092", AccountNumber: tosspayments.NewSensitive("000012345678"),
	})
	fmt.Println(exists, err)
	// Output: false <nil>
}

// The date of birth or the business number of whoever an account should belong to.
func ExampleClient_VerifyIdentifier() {
	client, _ := exampleClient(tosstest.New())
	valid, err := client.VerifyIdentifier(context.Background(), payouts.Account{
		BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"),
	}, tosspayments.NewSensitive("900101"))
	fmt.Println(valid, err)
	// Output: true <nil>
}

func ExampleClient_VerifyHolderRealName() {
	client, _ := exampleClient(tosstest.New())
	valid, err := client.VerifyHolderRealName(context.Background(), payouts.Account{
		BankCode:      "092",
		AccountNumber: tosspayments.NewSensitive("100012345678"),
		HolderName:    tosspayments.NewSensitive("김토스"),
	}, tosspayments.NewSensitive("991231"))
	fmt.Println(valid, err)
	// Output: false <nil>
}

func ExampleClient_VerifyHolderName() {
	client, _ := exampleClient(tosstest.New())
	valid, err := client.VerifyHolderName(context.Background(), payouts.Account{
		BankCode:      "092",
		AccountNumber: tosspayments.NewSensitive("100012345678"),
		HolderName:    tosspayments.NewSensitive("김토스"),
	})
	fmt.Println(valid, err)
	// Output: true <nil>
}

// The handler hands over what was verified with the security key.
func ExamplePayoutOf() {
	server := tosstest.New()
	defer server.Close()
	verifier, err := webhook.NewVerifier(tosstest.DefaultSecurityKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	var handler http.Handler = &webhook.Handler{
		Verifier: verifier,
		Handle: func(_ context.Context, d webhook.Delivery) error {
			payout, err := payouts.PayoutOf(d.Event)
			if err != nil {
				return nil // another event
			}
			fmt.Println(payout.RefPayoutID, payout.Status, d.Verified)
			return nil
		},
	}
	server.RegisterWebhookHandler(handler, webhook.PayoutChanged)
	client, seller := exampleClient(server)
	request := expressRequest("p-1")
	request.Destination = seller.ID
	if _, err := client.RequestPayouts(context.Background(), []payouts.PayoutRequest{request}); err != nil {
		fmt.Println(err)
	}
	server.CompletePayouts()
	server.WaitWebhooks()
	// Output: p-1 COMPLETED by signature
}

// What a seller is now is read, since events may come late.
func ExampleSellerOf() {
	server := tosstest.New()
	defer server.Close()
	client, seller := exampleClient(server)
	verifier, err := webhook.NewVerifier(tosstest.DefaultSecurityKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	server.RegisterWebhookHandler(&webhook.Handler{
		Verifier: verifier,
		Handle: func(ctx context.Context, d webhook.Delivery) error {
			told, err := payouts.SellerOf(d.Event)
			if err != nil {
				return nil // another event
			}
			now, err := client.GetSeller(ctx, told.ID)
			if err == nil {
				fmt.Println(now.RefSellerID, now.Status, d.Verified)
			}
			return err
		},
	}, webhook.SellerChanged)
	server.CompleteKYC(seller.ID)
	server.WaitWebhooks()
	// Output: shop-0077 APPROVED by signature
}

// A form sends what it wants to change: what it does not have stays, and an empty field is
// removed.
func ExampleOptional() {
	var untouched payouts.Optional[string]
	removed, changed := payouts.Null[string](), payouts.Value("gold")
	for _, field := range []payouts.Optional[string]{untouched, removed, changed} {
		value, ok := field.Get()
		fmt.Printf("%t %t %q\n", field.IsZero(), ok, value)
	}
	// Output:
	// true false ""
	// false false ""
	// false true "gold"
}

// A seller is stored whole, with account number and name, and read again.
func ExampleSeller_Stored() {
	_, seller := exampleClient(tosstest.New())
	column, err := seller.Stored().Value() // UPDATE sellers SET data = $1
	if err != nil {
		fmt.Println(err)
		return
	}
	var stored tosspayments.Stored[payouts.Seller]
	if err := stored.Scan(column); err != nil { // SELECT data FROM sellers
		fmt.Println(err)
		return
	}
	fmt.Println(stored, stored.Get().RefSellerID, stored.Get().Account.HolderName.Equal(seller.Account.HolderName))
	// Output: [redacted] shop-0077 true
}
