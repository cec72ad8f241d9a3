package tosstest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/tosstest"
	"github.com/seed238ab19c/tosspayments/webhook"
)

func payoutClient(t *testing.T, server *tosstest.Server, opts ...tosspayments.Option) *payouts.Client {
	t.Helper()
	client, err := payouts.New(server.Client(opts...), tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	return client
}

func registeredSeller(t *testing.T, client *payouts.Client, ref string, kind payouts.BusinessType) *payouts.Seller {
	t.Helper()
	r := payouts.RegisterSellerRequest{
		RefSellerID: ref, BusinessType: kind,
		Account: payouts.Account{BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"), HolderName: tosspayments.NewSensitive("김토스")},
	}
	if kind == payouts.BusinessTypeIndividual {
		r.Individual = &payouts.Individual{
			Name: tosspayments.NewSensitive("김토스"), Email: tosspayments.NewSensitive("a@b.c"), Phone: tosspayments.NewSensitive("01012345678"),
		}
	} else {
		r.Company = &payouts.Company{
			Name: "주식회사 예시", RepresentativeName: tosspayments.NewSensitive("김대표"), BusinessRegistrationNumber: "1234567890",
			Email: tosspayments.NewSensitive("a@b.c"), Phone: tosspayments.NewSensitive("0212345678"),
		}
	}
	seller, err := client.RegisterSeller(t.Context(), r)
	require.NoError(t, err)
	return seller
}

func expressPayout(ref, seller string, won int64) payouts.PayoutRequest {
	return payouts.PayoutRequest{
		RefPayoutID: ref, Destination: seller, ScheduleType: payouts.ScheduleExpress, Amount: payouts.Won(won), TransactionDescription: "3월정산",
	}
}

func TestSellersAreRegistered(t *testing.T) {
	client := payoutClient(t, tosstest.NewServer(t))
	person := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
	assert.Equal(t, payouts.SellerStatusApprovalRequired, person.Status)
	assert.Equal(t, "100****45678", person.Account.AccountNumber.Reveal())
	company := registeredSeller(t, client, "shop-0002", payouts.BusinessTypeCorporate)
	assert.Equal(t, payouts.SellerStatusPartiallyApproved, company.Status)
	assert.Nil(t, company.Individual)
	var all []string
	for seller, err := range client.AllSellers(t.Context(), payouts.SellerQuery{Limit: 1}) {
		require.NoError(t, err)
		all = append(all, seller.ID)
	}
	assert.Equal(t, []string{person.ID, company.ID}, all)
}

func TestSellersAreUpdated(t *testing.T) {
	client := payoutClient(t, tosstest.New())
	person := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
	updated, err := client.UpdateSeller(t.Context(), person.ID, payouts.UpdateSellerRequest{
		Individual: &payouts.Individual{Email: tosspayments.NewSensitive("new@b.c")}, Metadata: payouts.Value(tosspayments.Metadata{"tier": "gold"}),
	})
	require.NoError(t, err)
	assert.Equal(t, "new@b.c", updated.Individual.Email.Reveal())
	assert.Equal(t, "김토스", updated.Individual.Name.Reveal(), "what is left out stays")
	updated, err = client.UpdateSeller(t.Context(), person.ID, payouts.UpdateSellerRequest{Metadata: payouts.Null[tosspayments.Metadata]()})
	require.NoError(t, err)
	assert.Empty(t, updated.Metadata)
}

func TestSellersAreDeleted(t *testing.T) {
	client := payoutClient(t, tosstest.New())
	person := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
	deleted, err := client.DeleteSeller(t.Context(), person.ID)
	require.NoError(t, err)
	assert.Equal(t, "shop-0001", deleted.RefSellerID)
	_, err = client.GetSeller(t.Context(), person.ID)
	require.ErrorIs(t, err, tosspayments.ErrNotFound)
	_, err = client.DeleteSeller(t.Context(), person.ID)
	require.ErrorIs(t, err, tosspayments.ErrNotFound)
	_, err = client.RegisterSeller(t.Context(), payouts.RegisterSellerRequest{
		RefSellerID: "shop-0001", BusinessType: payouts.BusinessTypeIndividual, Individual: person.Individual,
		Account: payouts.Account{BankCode: "092", AccountNumber: tosspayments.NewSensitive("1"), HolderName: tosspayments.NewSensitive("김")},
	})
	require.ErrorIs(t, err, tosspayments.ErrInvalidRequest, "never again, not even after the deletion")
}

// balanceOf is what is pending, and what can be paid out.
func balanceOf(t *testing.T, client *payouts.Client) (pending, available payouts.Money) {
	t.Helper()
	balance, err := client.GetBalance(t.Context())
	require.NoError(t, err)
	return balance.PendingAmount, balance.AvailableAmount
}

func TestSalesBecomeABalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // It is Saturday, 1 January 2000 in here.
		server := tosstest.New()
		client := payoutClient(t, server)
		sale := socks("order-0001")
		sale.Amount = tosspayments.Won(100_000)
		pay(t, server, sale)
		pending, available := balanceOf(t, client)
		assert.Equal(t, []payouts.Money{payouts.Won(96_920), payouts.Won(0)}, []payouts.Money{pending, available})
		seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
		_, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-1", seller.ID, 50_000)})
		require.ErrorIs(t, err, tosspayments.ErrNotEnoughAmount, "not settled yet")
		server.Advance(5 * 24 * time.Hour)
		pending, available = balanceOf(t, client)
		assert.Equal(t, []payouts.Money{payouts.Won(0), payouts.Won(96_920)}, []payouts.Money{pending, available})
	})
}

func TestSellersWhoHaveProvedNothingGetNoPayouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		client := payoutClient(t, server)
		server.AddBalance(tosspayments.Won(1))
		seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
		_, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-0", seller.ID, 1)})
		require.ErrorIs(t, err, tosspayments.ErrForbiddenSellerPayout)
		assert.ErrorContains(t, err, "p-0")
	})
}

func TestPayoutsAreAcceptedOnce(t *testing.T) {
	server := tosstest.New()
	client := payoutClient(t, server)
	server.AddBalance(tosspayments.Won(100_000))
	seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
	batch := []payouts.PayoutRequest{expressPayout("p-2", seller.ID, 50_000), expressPayout("p-3", seller.ID, 10_000)}
	sent, err := client.RequestPayouts(t.Context(), batch)
	require.NoError(t, err)
	assert.Equal(t, payouts.PayoutStatusInProgress, sent[0].Status)
	_, available := balanceOf(t, client)
	assert.Equal(t, payouts.Won(40_000), available)
	again, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{batch[1], batch[0]})
	require.NoError(t, err)
	assert.Equal(t, []payouts.Payout{sent[1], sent[0]}, again, "the same request, in another order")
}

func TestWhatTheBankRefusesComesBack(t *testing.T) {
	server := tosstest.New()
	client := payoutClient(t, server)
	server.AddBalance(tosspayments.Won(100_000))
	seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
	sent, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-2", seller.ID, 50_000), expressPayout("p-3", seller.ID, 10_000)})
	require.NoError(t, err)
	server.FailPayout(sent[1].ID, tosspayments.ErrInvalidAccountNumber)
	assert.Equal(t, 1, server.CompletePayouts())
	assert.Equal(t, tosspayments.Won(50_000), server.PaidOut(seller.ID))
	failed, err := client.GetPayout(t.Context(), sent[1].ID)
	require.NoError(t, err)
	assert.Equal(t, tosspayments.ErrInvalidAccountNumber, failed.Error.Code)
	_, available := balanceOf(t, client)
	assert.Equal(t, payouts.Won(50_000), available)
}

func TestWebhooksOfPayouts(t *testing.T) {
	server := tosstest.New()
	t.Cleanup(server.Close)
	verifier, err := webhook.NewVerifier(tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	var mu sync.Mutex
	var told []string
	server.RegisterWebhookHandler(&webhook.Handler{Verifier: verifier, Handle: func(_ context.Context, d webhook.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		if payout, err := payouts.PayoutOf(d.Event); err == nil {
			told = append(told, payout.RefPayoutID+" "+string(payout.Status))
		}
		if seller, err := payouts.SellerOf(d.Event); err == nil {
			told = append(told, string(seller.Status))
		}
		return nil
	}}, webhook.PayoutChanged, webhook.SellerChanged)
	client := payoutClient(t, server)
	server.AddBalance(tosspayments.Won(100_000))
	seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
	server.CompleteIdentityCheck(seller.ID)
	sent, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-2", seller.ID, 50_000), expressPayout("p-3", seller.ID, 10_000)})
	require.NoError(t, err)
	server.FailPayout(sent[1].ID, tosspayments.ErrInvalidAccountNumber)
	server.CompletePayouts()
	server.CompleteKYC(seller.ID)
	server.WaitWebhooks()
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []string{"PARTIALLY_APPROVED", "p-3 FAILED", "p-2 COMPLETED", "APPROVED"}, told)
}

func TestScheduledPayouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // It is Saturday, 1 January 2000 in here.
		server := tosstest.New()
		client := payoutClient(t, server)
		server.AddBalance(tosspayments.Won(1_000_000))
		seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
		on := func(ref string, day int) payouts.PayoutRequest {
			r := expressPayout(ref, seller.ID, 1000)
			r.ScheduleType, r.PayoutDate = payouts.ScheduleScheduled, tosspayments.Date{Year: 2000, Month: 1, Day: day}
			return r
		}
		for day, code := range map[int]tosspayments.ErrorCode{1: tosspayments.ErrInvalidPayableDate, 2: tosspayments.ErrNotAllowedHoliday} {
			_, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{on(fmt.Sprint("p-", day), day)})
			require.ErrorIs(t, err, code)
		}
		sent, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{on("p-3", 3), on("p-4", 4), on("p-5", 5)})
		require.NoError(t, err)
		assert.Equal(t, payouts.PayoutStatusRequested, sent[0].Status)
		canceled, err := client.CancelPayout(t.Context(), sent[2].ID)
		require.NoError(t, err)
		assert.Equal(t, payouts.PayoutStatusCanceled, canceled.Status)
		canceled, err = client.CancelPayout(t.Context(), sent[2].ID)
		require.NoError(t, err, "cancelled already")
		assert.Equal(t, payouts.PayoutStatusCanceled, canceled.Status)
		server.Advance(48 * time.Hour)
		_, err = client.CancelPayout(t.Context(), sent[0].ID)
		require.ErrorIs(t, err, tosspayments.ErrInvalidRequest, "its day has come")
		var seen []string
		for payout, err := range client.AllPayouts(t.Context(), payouts.PayoutQuery{
			PayoutDateGte: tosspayments.Date{Year: 2000, Month: 1, Day: 4}, PayoutDateLte: tosspayments.Date{Year: 2000, Month: 1, Day: 5}, Limit: 1,
		}) {
			require.NoError(t, err)
			seen = append(seen, payout.RefPayoutID+" "+string(payout.Status))
		}
		assert.Equal(t, []string{"p-4 REQUESTED", "p-5 CANCELED"}, seen)
	})
}

func TestPayoutHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // It is Saturday, 09:00 in Korea.
		server := tosstest.New(tosstest.WithPayoutHours())
		client := payoutClient(t, server)
		server.AddBalance(tosspayments.Won(1000))
		seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
		for i, row := range []struct {
			advance time.Duration
			open    bool
		}{{0, false}, {46 * time.Hour, false}, {time.Hour, true}, {6*time.Hour + 59*time.Minute, true}, {time.Minute, false}} {
			server.Advance(row.advance)
			_, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout(fmt.Sprint("p-", i), seller.ID, 1)})
			assert.Equal(t, row.open, err == nil, "%d: %v", i, err)
		}
	})
}

func TestWeeklyLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New()
		client := payoutClient(t, server)
		server.AddBalance(tosspayments.Won(100_000_000))
		seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
		_, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-1", seller.ID, 6_000_000), expressPayout("p-2", seller.ID, 4_000_000)})
		require.NoError(t, err)
		server.Advance(7 * 24 * time.Hour)
		_, err = client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-3", seller.ID, 6_000_000), expressPayout("p-4", seller.ID, 4_000_001)})
		require.ErrorIs(t, err, tosspayments.ErrForbiddenSellerPayout)
		assert.Zero(t, server.Payouts("p-3"), "refused as a whole")
		got, err := client.GetSeller(t.Context(), seller.ID)
		require.NoError(t, err)
		assert.Equal(t, payouts.SellerStatusKYCRequired, got.Status)
		server.CompleteKYC(seller.ID)
		_, err = client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-5", seller.ID, 20_000_000)})
		require.NoError(t, err)
	})
}

// Whatever is lost, cut or refused on the way: nobody is paid twice, and what is answered
// is true.
func TestPayoutFaults(t *testing.T) {
	for _, kind := range []tosstest.FaultKind{tosstest.Drop, tosstest.Reset, tosstest.Cut, tosstest.BadGateway, tosstest.RateLimit, tosstest.Refuse} {
		for _, after := range []bool{false, true} {
			for times := 1; times <= 4; times++ {
				if kind == tosstest.RateLimit && after {
					continue
				}
				synctest.Test(t, func(t *testing.T) {
					server := tosstest.New()
					client := payoutClient(t, server)
					server.AddBalance(tosspayments.Won(1000))
					seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
					server.Inject(tosstest.Fault{
						Operation: tosstest.RequestPayouts, Kind: kind, AfterEffect: after, Times: times, Code: tosspayments.ErrFailedInternalSystemProcessing,
					})
					batch := []payouts.PayoutRequest{expressPayout("p-1", seller.ID, 500)}
					var err error
					for range 3 {
						if _, err = client.RequestPayouts(t.Context(), batch); err == nil {
							break
						}
						require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
					}
					if kind != tosstest.Refuse && kind != tosstest.Cut || after {
						require.NoError(t, err, "%s %t %d", kind, after, times)
					}
					assert.LessOrEqual(t, server.Payouts("p-1"), 1)
					assert.Equal(t, err == nil, server.Payouts("p-1") == 1)
				})
			}
		}
	}
}

func TestPayoutEncryption(t *testing.T) {
	old, current := strings.Repeat("01d0", 16), strings.Repeat("7e57", 16)
	server := tosstest.New(tosstest.WithSecurityKey(current, old), tosstest.WithPreviousSecurityKey())
	client, err := payouts.New(server.Client(), current, old)
	require.NoError(t, err)
	seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
	only, err := payouts.New(server.Client(tosspayments.WithMaxRetries(0)), current)
	require.NoError(t, err)
	_, err = only.UpdateSeller(t.Context(), seller.ID, payouts.UpdateSellerRequest{})
	require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, "the answer is under the older key")
	wrong, err := payouts.New(server.Client(), strings.Repeat("ff", 32))
	require.NoError(t, err)
	_, err = wrong.UpdateSeller(t.Context(), seller.ID, payouts.UpdateSellerRequest{})
	require.ErrorIs(t, err, tosspayments.ErrInvalidRequest, "in plain JSON")

	server = tosstest.New(tosstest.WithPlainPayoutErrors())
	_, err = payoutClient(t, server).UpdateSeller(t.Context(), "seller_1", payouts.UpdateSellerRequest{})
	require.ErrorIs(t, err, tosspayments.ErrNotFound)

	// What is not encrypted is refused, and an answer is encrypted wherever it was asked for.
	toss := server.Client()
	err = toss.Do(t.Context(), tosspayments.Request{Method: http.MethodPost, Path: "/v2/sellers", Body: map[string]string{}}, nil)
	require.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
	var response tosspayments.Response
	err = toss.Do(t.Context(), tosspayments.Request{
		Method: http.MethodGet, Path: "/v2/balances", Header: http.Header{"TossPayments-api-security-mode": {"ENCRYPTION"}},
	}, nil, tosspayments.WithResponse(&response))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(response.Body), "eyJ"))
}

func TestPayoutAccess(t *testing.T) {
	server := tosstest.New()
	_, err := payoutClient(t, server, tosspayments.WithTimeout(time.Second)).GetBalance(t.Context())
	require.NoError(t, err)
	widget, err := payouts.New(server.WidgetClient(), tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	_, err = widget.GetBalance(t.Context())
	require.ErrorIs(t, err, tosspayments.ErrNotSupportedWidgetKey)
	server = tosstest.New(tosstest.WithSecretKey("test_sk_another0000000000"))
	other, err := tosspayments.New(tosstest.DefaultSecretKey, tosspayments.WithHTTPClient(&http.Client{Transport: server.Transport()}))
	require.NoError(t, err)
	client, err := payouts.New(other, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	_, err = client.GetBalance(t.Context())
	require.ErrorIs(t, err, tosspayments.ErrUnauthorizedKey)
}

func TestAccountChecks(t *testing.T) {
	client := payoutClient(t, tosstest.New())
	good := payouts.Account{BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"), HolderName: tosspayments.NewSensitive("김토스")}
	gone, other := good, good
	gone.AccountNumber, other.HolderName = tosspayments.NewSensitive("0000123"), tosspayments.NewSensitive("홍길동")
	name, err := client.LookupHolderName(t.Context(), good)
	require.NoError(t, err)
	assert.Equal(t, "김토스", name.Reveal())
	_, err = client.LookupHolderName(t.Context(), gone)
	require.ErrorIs(t, err, tosspayments.ErrAccountOwnerCheckFailed)
	identity := tosspayments.NewSensitive("900101")
	for i, check := range []func(payouts.Account) (bool, error){
		func(a payouts.Account) (bool, error) { return client.ValidateAccount(t.Context(), a) },
		func(a payouts.Account) (bool, error) { return client.VerifyIdentifier(t.Context(), a, identity) },
		func(a payouts.Account) (bool, error) { return client.VerifyHolderName(t.Context(), a) },
		func(a payouts.Account) (bool, error) { return client.VerifyHolderRealName(t.Context(), a, identity) },
	} {
		for a, want := range map[*payouts.Account]bool{&good: true, &gone: false, &other: i < 2} {
			got, err := check(*a)
			require.NoError(t, err)
			assert.Equal(t, want, got, i)
		}
	}
}

// The server's own words fit the types of the library, which it does not use.
func TestPayoutAnswersAreStrict(t *testing.T) {
	server := tosstest.New()
	client := payoutClient(t, server)
	server.AddBalance(tosspayments.Won(1000))
	seller := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate)
	sent, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{expressPayout("p-1", seller.ID, 500)})
	require.NoError(t, err)
	for path, v := range map[string]any{
		"/v2/sellers/" + seller.ID: new(payouts.Seller), "/v2/payouts/" + sent[0].ID: new(payouts.Payout), "/v2/balances": new(payouts.Balance),
	} {
		var raw json.RawMessage
		require.NoError(t, server.Client().Do(t.Context(), tosspayments.Request{Method: http.MethodGet, Path: path}, &raw))
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(v), path)
	}
	tomorrow := tosstest.New(tosstest.WithTomorrow())
	client = payoutClient(t, tomorrow)
	assert.Equal(t, payouts.SellerStatusPartiallyApproved, registeredSeller(t, client, "shop-0001", payouts.BusinessTypeCorporate).Status)
}

// restarts are servers that go on with the state in path after a kill: from the changes,
// and from the file that was made anew.
func restarts(t *testing.T, path string) iter.Seq[*tosstest.Server] {
	return func(yield func(*tosstest.Server) bool) {
		for range 2 {
			path = copyOfNow(t, path)
			if !yield(serverWithState(t, path)) {
				return
			}
		}
	}
}

func TestSellersAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	before := serverWithState(t, path)
	client := payoutClient(t, before)
	person := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
	gone := registeredSeller(t, client, "shop-0002", payouts.BusinessTypeCorporate)
	before.CompleteIdentityCheck(person.ID)
	_, err := client.DeleteSeller(t.Context(), gone.ID)
	require.NoError(t, err)

	for after := range restarts(t, path) {
		client = payoutClient(t, after)
		seller, err := client.GetSeller(t.Context(), person.ID)
		require.NoError(t, err)
		assert.Equal(t, payouts.SellerStatusPartiallyApproved, seller.Status)
		_, err = client.GetSeller(t.Context(), gone.ID)
		require.ErrorIs(t, err, tosspayments.ErrNotFound)
	}
}

func TestPayoutsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	before := serverWithState(t, path)
	client := payoutClient(t, before)
	before.AddBalance(tosspayments.Won(10_000))
	person := registeredSeller(t, client, "shop-0001", payouts.BusinessTypeIndividual)
	before.CompleteIdentityCheck(person.ID)
	batch := []payouts.PayoutRequest{expressPayout("p-1", person.ID, 500), expressPayout("p-2", person.ID, 700)}
	sent, err := client.RequestPayouts(t.Context(), batch)
	require.NoError(t, err)
	before.FailPayout(sent[0].ID, tosspayments.ErrInvalidAccountNumber)

	for after := range restarts(t, path) {
		client = payoutClient(t, after)
		balance, err := client.GetBalance(t.Context())
		require.NoError(t, err)
		assert.Equal(t, payouts.Won(9_300), balance.AvailableAmount)
		found, err := client.FindPayouts(t.Context(), batch)
		require.NoError(t, err)
		assert.Equal(t, payouts.PayoutStatusFailed, found[0].Status)
		again, err := client.RequestPayouts(t.Context(), batch)
		require.NoError(t, err)
		assert.Equal(t, sent, again, "the answer that was kept")
		assert.Equal(t, 1, after.Payouts("p-1"))
	}
}

func TestBrandPayMethodsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	before := serverWithState(t, path)
	token := issueToken(t, before, "customer-1")
	card := before.AddBrandPayCard("customer-1", "61")

	for after := range restarts(t, path) {
		methods, err := brandpay.New(after.Client()).Customer(*token, nil).GetMethods(t.Context())
		require.NoError(t, err)
		assert.Equal(t, card, methods.Cards[0].MethodKey)
	}
}
