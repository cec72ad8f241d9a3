package tosspayments_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// queryOfADay asks for the transactions of 1 March 2026, two on a page.
func queryOfADay() tosspayments.TransactionQuery {
	day := tosspayments.Date{Year: 2026, Month: time.March, Day: 1}
	return tosspayments.TransactionQuery{StartDate: day.Start(), EndDate: day.AddDays(1).Start().Add(-time.Second), Limit: 2}
}

// transactionsPage is a page of transactions with the given keys.
func transactionsPage(keys ...string) answer {
	list := []object{}
	for _, key := range keys {
		list = append(list, object{"transactionKey": key, "amount": 1000, "status": "DONE"})
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return answer{status: 200, body: string(text)}
}

func collect[T any](seq iter.Seq2[T, error], name func(T) string) (names []string, err error) {
	for row, err := range seq {
		if err != nil {
			return names, err
		}
		names = append(names, name(row))
	}
	return names, nil
}

func transactionKey(t tosspayments.Transaction) string { return t.TransactionKey }

func TestAllTransactions(t *testing.T) {
	for name, row := range map[string]struct {
		pages []answer
		keys  []string
		wants string
		gets  int
	}{
		"nothing":              {pages: []answer{transactionsPage()}, gets: 1},
		"a short page":         {pages: []answer{transactionsPage("a")}, keys: []string{"a"}, gets: 1},
		"two pages":            {pages: []answer{transactionsPage("a", "b"), transactionsPage("c")}, keys: []string{"a", "b", "c"}, gets: 2},
		"full, then empty":     {pages: []answer{transactionsPage("a", "b"), transactionsPage()}, keys: []string{"a", "b"}, gets: 2},
		"the cursor comes too": {pages: []answer{transactionsPage("a", "b"), transactionsPage("b", "c"), transactionsPage("d")}, keys: []string{"a", "b", "c", "d"}, gets: 3},
		"the same page again":  {pages: []answer{transactionsPage("a", "b"), transactionsPage("a", "b")}, keys: []string{"a", "b"}, wants: "the same page again", gets: 2},
		"rows without keys":    {pages: []answer{transactionsPage("", "")}, keys: []string{"", ""}, wants: "the same page again", gets: 1},
		"an error in the middle": {
			pages: []answer{transactionsPage("a", "b"), refusal(400, "INVALID_TRANSACTION_KEY")},
			keys:  []string{"a", "b"}, wants: "INVALID_TRANSACTION_KEY", gets: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, mock := mockClient(t)
			gets := &script{answers: row.pages}
			mock.RegisterRegexpResponder(http.MethodGet, regexp.MustCompile("/v1/transactions"), gets.respond)
			keys, err := collect(client.AllTransactions(t.Context(), queryOfADay()), transactionKey)
			assert.Equal(t, row.keys, keys)
			assert.Len(t, gets.seen, row.gets)
			if row.wants == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.wants)
			}
		})
	}
	t.Run("an early break", func(t *testing.T) {
		client, mock := mockClient(t)
		gets := &script{answers: []answer{transactionsPage("a", "b"), transactionsPage("c")}}
		mock.RegisterRegexpResponder(http.MethodGet, regexp.MustCompile("/v1/transactions"), gets.respond)
		for _, err := range client.AllTransactions(t.Context(), queryOfADay()) {
			require.NoError(t, err)
			break
		}
		assert.Len(t, gets.seen, 1)
	})
}

func TestListsOnTheWire(t *testing.T) {
	day := tosspayments.Date{Year: 2026, Month: time.March, Day: 1}
	for _, row := range []struct {
		path, answer string
		call         func(*tosspayments.Client) error
	}{
		{"/v1/transactions?endDate=2026-03-01T23%3A59%3A59&limit=2&startDate=2026-03-01T00%3A00%3A00&startingAfter=T1", "[]", func(c *tosspayments.Client) error {
			query := queryOfADay()
			query.StartingAfter = "T1"
			_, err := c.ListTransactions(t.Context(), query)
			return err
		}},
		{"/v1/settlements?dateType=paidOutDate&endDate=2026-03-31&page=2&size=50&startDate=2026-03-01", "[]", func(c *tosspayments.Client) error {
			_, err := c.ListSettlements(t.Context(), tosspayments.SettlementQuery{
				StartDate: day, EndDate: day.AddDays(30), DateType: tosspayments.SettlementPaidOutDate, Page: 2, Size: 50,
			})
			return err
		}},
		{"/v1/cash-receipts?cursor=7&limit=50&requestDate=2026-03-01", `{"hasNext":false,"lastCursor":7,"data":null}`, func(c *tosspayments.Client) error {
			_, err := c.ListCashReceipts(t.Context(), tosspayments.CashReceiptQuery{RequestDate: day, Cursor: "7", Limit: 50})
			return err
		}},
		{"/v1/promotions/card", "{}", func(c *tosspayments.Client) error {
			_, err := c.GetCardPromotions(t.Context())
			return err
		}},
	} {
		client, mock := mockClient(t)
		var seen string
		mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			seen = r.URL.RequestURI()
			return (&script{answers: []answer{{status: 200, body: row.answer}}}).respond(r)
		})
		require.NoError(t, row.call(client))
		assert.Equal(t, row.path, seen)
	}
}

func TestListValidation(t *testing.T) {
	client, mock := mockClient(t)
	day := tosspayments.Date{Year: 2026, Month: time.March, Day: 1}
	refused := func(field string, err error) {
		t.Helper()
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
	for field, query := range map[string]tosspayments.TransactionQuery{
		"startDate": {EndDate: day.Start()},
		"endDate":   {StartDate: day.Start(), EndDate: day.AddDays(-1).Start()},
		"limit":     {StartDate: day.Start(), EndDate: day.Start(), Limit: 5001},
	} {
		_, err := client.ListTransactions(t.Context(), query)
		refused(field, err)
	}
	for field, query := range map[string]tosspayments.SettlementQuery{
		"startDate": {EndDate: day},
		"endDate":   {StartDate: day},
		"size":      {StartDate: day, EndDate: day, Size: 5001},
		"page":      {StartDate: day, EndDate: day, Page: -1},
		"dateType":  {StartDate: day, EndDate: day, DateType: "approvedDate"},
	} {
		_, err := client.ListSettlements(t.Context(), query)
		refused(field, err)
	}
	_, err := client.ListCashReceipts(t.Context(), tosspayments.CashReceiptQuery{})
	refused("requestDate", err)
	_, err = client.ListCashReceipts(t.Context(), tosspayments.CashReceiptQuery{RequestDate: day, Limit: 10001})
	refused("limit", err)
	_, err = client.RequestSettlement(t.Context(), "")
	refused("paymentKey", err)
	_, err = client.CancelCashReceipt(t.Context(), "..", tosspayments.CancelCashReceiptRequest{})
	refused("receiptKey", err)
	zero := tosspayments.Amount{}
	_, err = client.CancelCashReceipt(t.Context(), "key", tosspayments.CancelCashReceiptRequest{Amount: &zero})
	refused("amount", err)
	for field, change := range map[string]func(*tosspayments.IssueCashReceiptRequest){
		"orderId":                func(r *tosspayments.IssueCashReceiptRequest) { r.OrderID = "" },
		"type":                   func(r *tosspayments.IssueCashReceiptRequest) { r.Type = "" },
		"customerIdentityNumber": func(r *tosspayments.IssueCashReceiptRequest) { r.CustomerIdentityNumber = tosspayments.Sensitive{} },
	} {
		request := cashReceiptRequest()
		change(&request)
		_, err := client.IssueCashReceipt(t.Context(), request)
		refused(field, err)
	}
	assert.Zero(t, mock.GetTotalCallCount())
}

func cashReceiptRequest() tosspayments.IssueCashReceiptRequest {
	return tosspayments.IssueCashReceiptRequest{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000), Type: "소득공제",
		CustomerIdentityNumber: tosspayments.NewSensitive("01012345678"),
	}
}

// Whether the server sends a list or an object is not certain, and neither may be hidden
// by what cannot be read.
func TestPromotionsAsArrayOrObject(t *testing.T) {
	const one = `{"payType":7,"type":"CARD_POINT","cardPoint":{"cardCompany":"현대","dueDate":"tomorrow","minimumPaymentAmount":"1000"}}`
	for body, unread := range map[string]string{
		one: "cardPoint.dueDate", " \n" + one: "cardPoint.dueDate", "[" + one + "]": "[0].cardPoint.dueDate",
	} {
		client, mock := mockClient(t)
		mock.RegisterResponder(http.MethodGet, "https://api.tosspayments.com/v1/promotions", (&script{answers: []answer{{status: 200, body: body}}}).respond)
		var response tosspayments.Response
		promotions, err := client.GetPromotions(t.Context(), tosspayments.WithResponse(&response))
		require.NoError(t, err)
		assert.Equal(t, []tosspayments.Promotion{{
			PayType: "7", Type: "CARD_POINT",
			CardPoint: &tosspayments.PointCard{CardCompany: "현대", MinimumPaymentAmount: tosspayments.Won(1000)},
		}}, promotions)
		assert.Equal(t, []string{unread}, response.Unread)
	}
	for _, body := range []string{`"x"`, `7`, ``, `<html>`} {
		client, mock := mockClient(t)
		mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: body}}}).respond)
		_, err := client.GetPromotions(t.Context())
		assert.Error(t, err, body)
	}
}

// A balance of 0 is used up; none says nothing.
func TestPromotionsWithoutABalance(t *testing.T) {
	client, mock := mockClient(t)
	mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: `[
		{"cardDiscount":{"issuerCode":"51"},"bankDiscount":{"bankCode":"92"}},
		{"cardDiscount":{"balance":0},"bankDiscount":{"balance":0}}]`}}}).respond)
	promotions, err := client.GetPromotions(t.Context())
	require.NoError(t, err)
	assert.Nil(t, promotions[0].CardDiscount.Balance)
	assert.Nil(t, promotions[0].BankDiscount.Balance)
	assert.True(t, promotions[1].CardDiscount.Balance.IsZero())
	assert.True(t, promotions[1].BankDiscount.Balance.IsZero())
}

// TestCancelledSettlementOfTheReference reads the row of a cancel, whose amounts are
// negative.
func TestCancelledSettlementOfTheReference(t *testing.T) {
	const row = `[{"mId":"m","paymentKey":"pay-1","transactionKey":"C1","amount":-11000,"fees":[{"type":"BASE","fee":"-308"}],"fee":-308,
		"supplyAmount":-280,"vat":-28,"payOutAmount":-10692,"soldDate":"2026-03-04","paidOutDate":"2026-03-09","newField":{},
		"card":{"amount":33000},"cancel":{"transactionKey":"C1","cancelAmount":11000,"cancelReason":"x"}}]`
	client, mock := mockClient(t)
	mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: row}}}).respond)
	day := tosspayments.Date{Year: 2026, Month: time.March, Day: 4}
	list, err := client.ListSettlements(t.Context(), tosspayments.SettlementQuery{StartDate: day, EndDate: day})
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Won(-11000), list[0].Amount)
	assert.Equal(t, tosspayments.Won(-308), list[0].Fees[0].Fee)
	assert.Equal(t, list[0].Amount.Sub(*list[0].Fee), list[0].PayOutAmount)
	assert.Equal(t, "2026-03-09", list[0].PaidOutDate.String())
	assert.Equal(t, tosspayments.Won(11000), list[0].Cancel.CancelAmount)
}

// busyDay is a server on which buyers have paid and were refunded, and the net sum of that.
func busyDay(t *testing.T) (server *tosstest.Server, movements int, net tosspayments.Amount) {
	t.Helper()
	server = tosstest.New()
	client := server.Client()
	for i := range 7 {
		c := checkout()
		c.OrderID = fmt.Sprintf("order-%04d", i)
		payment, err := client.ConfirmPayment(t.Context(), pay(t, server, c))
		require.NoError(t, err)
		movements, net = movements+1, net.Add(payment.TotalAmount)
		if i%3 != 0 {
			continue
		}
		refund := tosspayments.Won(500)
		_, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
			CancelReason: "test", CancelAmount: refund, RefundableAmount: payment.Cancelable(),
		})
		require.NoError(t, err)
		movements, net = movements+1, net.Sub(refund)
	}
	return server, movements, net
}

func TestTransactionsOfADay(t *testing.T) {
	server, movements, net := busyDay(t)
	client, today := server.Client(), tosspayments.DateOf(server.Now())
	query := tosspayments.TransactionQuery{StartDate: today.Start(), EndDate: today.AddDays(1).Start().Add(-time.Second), Limit: 4}
	sum, seen := tosspayments.Amount{}, map[string]bool{}
	for transaction, err := range client.AllTransactions(t.Context(), query) {
		require.NoError(t, err)
		assert.False(t, seen[transaction.TransactionKey])
		seen[transaction.TransactionKey] = true
		sum = sum.Add(transaction.NetAmount())
	}
	assert.Len(t, seen, movements)
	assert.Equal(t, net, sum)

	query.StartingAfter = "nobody's"
	_, err := client.ListTransactions(t.Context(), query)
	require.ErrorIs(t, err, tosspayments.ErrInvalidTransactionKey)
}

func TestSettlementsOfADay(t *testing.T) {
	server, movements, net := busyDay(t)
	client, today := server.Client(), tosspayments.DateOf(server.Now())
	query := tosspayments.SettlementQuery{StartDate: today, EndDate: today, Size: 3}
	rows, err := client.ListSettlements(t.Context(), query)
	require.NoError(t, err)
	assert.Empty(t, rows, "settlements appear the day after")

	server.Advance(24 * time.Hour)
	count, gross := 0, tosspayments.Amount{}
	for settlement, err := range client.AllSettlements(t.Context(), query) {
		require.NoError(t, err)
		count++
		gross = gross.Add(settlement.PayOutAmount).Add(*settlement.Fee)
		assert.Equal(t, settlement.Cancel != nil, settlement.Amount.Sign() < 0)
		assert.NotContains(t, []time.Weekday{time.Saturday, time.Sunday}, settlement.PaidOutDate.Start().Weekday())
	}
	assert.Equal(t, movements, count)
	assert.Equal(t, net, gross)
}

func TestRequestSettlementOfNothing(t *testing.T) {
	accepted, err := tosstest.New().Client().RequestSettlement(t.Context(), "no-such-key")
	assert.False(t, accepted)
	require.ErrorIs(t, err, tosspayments.ErrNotFoundPayment)
}

// issuedReceipt is a cash receipt of 15,000 won.
func issuedReceipt(t *testing.T) (*tosstest.Server, *tosspayments.Client, *tosspayments.CashReceipt) {
	t.Helper()
	server := tosstest.New()
	client := server.Client()
	receipt, err := client.IssueCashReceipt(t.Context(), cashReceiptRequest())
	require.NoError(t, err)
	return server, client, receipt
}

func TestCashReceiptIsIssuedOnce(t *testing.T) {
	t.Parallel()
	server := tosstest.New()
	client := server.Client()
	server.Inject(tosstest.Fault{Operation: tosstest.IssueCashReceipt, Kind: tosstest.Drop, AfterEffect: true})
	receipt, err := client.IssueCashReceipt(t.Context(), cashReceiptRequest())
	require.NoError(t, err, "the idempotency key replays the answer")
	assert.Equal(t, "IN_PROGRESS", receipt.IssueStatus)
	assert.NotContains(t, receipt.CustomerIdentityNumber.Reveal(), "1012345")
	_, err = client.IssueCashReceipt(t.Context(), cashReceiptRequest())
	require.ErrorIs(t, err, tosspayments.ErrDuplicatedCashReceipt)
}

func TestCashReceiptIsCancelledInParts(t *testing.T) {
	_, client, receipt := issuedReceipt(t)
	part := tosspayments.Won(5000)
	canceled, err := client.CancelCashReceipt(t.Context(), receipt.ReceiptKey, tosspayments.CancelCashReceiptRequest{Amount: &part})
	require.NoError(t, err)
	assert.Equal(t, "CANCEL", canceled.TransactionType)
	assert.Equal(t, "c_"+receipt.ReceiptKey, canceled.ReceiptKey)
	canceled, err = client.CancelCashReceipt(t.Context(), receipt.ReceiptKey, tosspayments.CancelCashReceiptRequest{})
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Won(10000), canceled.Amount)
	assert.Equal(t, "c_"+receipt.ReceiptKey, canceled.ReceiptKey, "two cancels of one receipt may look alike")
}

func TestCancelOfNoCashReceipt(t *testing.T) {
	_, err := tosstest.New().Client().CancelCashReceipt(t.Context(), "none", tosspayments.CancelCashReceiptRequest{})
	require.ErrorIs(t, err, tosspayments.ErrNotFoundReceipt)
}

func TestCashReceiptsOfADay(t *testing.T) {
	server, client, receipt := issuedReceipt(t)
	for _, amount := range []tosspayments.Amount{tosspayments.Won(5000), tosspayments.Won(10000)} {
		_, err := client.CancelCashReceipt(t.Context(), receipt.ReceiptKey, tosspayments.CancelCashReceiptRequest{Amount: &amount})
		require.NoError(t, err)
	}
	query := tosspayments.CashReceiptQuery{RequestDate: tosspayments.DateOf(server.Now()), Limit: 1}
	kinds, err := collect(client.AllCashReceipts(t.Context(), query), func(r tosspayments.CashReceipt) string { return r.TransactionType })
	require.NoError(t, err)
	assert.Equal(t, []string{"CONFIRM", "CANCEL", "CANCEL"}, kinds)
	server.Advance(25 * time.Hour)
	page, err := client.ListCashReceipts(t.Context(), query)
	require.NoError(t, err)
	assert.Equal(t, "COMPLETED", page.Data[0].IssueStatus)
	assert.True(t, page.HasNext)
}

func TestAllCashReceiptsSurvivesAnEmptyPage(t *testing.T) {
	client, mock := mockClient(t)
	pages := &script{answers: []answer{
		{status: 200, body: `{"hasNext":true,"lastCursor":3,"data":[]}`},
		{status: 200, body: `{"hasNext":true,"lastCursor":5,"data":[` + receiptRow("a") + `]}`},
		{status: 200, body: `{"hasNext":true,"lastCursor":5,"data":[` + receiptRow("b") + `]}`},
	}}
	mock.RegisterNoResponder(pages.respond)
	keys, err := collect(client.AllCashReceipts(t.Context(), tosspayments.CashReceiptQuery{
		RequestDate: tosspayments.Date{Year: 2026, Month: time.March, Day: 1},
	}), func(r tosspayments.CashReceipt) string { return r.ReceiptKey })
	assert.Equal(t, []string{"a", "b"}, keys, "no row is lost")
	require.ErrorContains(t, err, "the same page again")
}

func TestCardPromotions(t *testing.T) {
	cards, err := tosstest.New().Client().GetCardPromotions(t.Context())
	require.NoError(t, err)
	assert.Equal(t, tosspayments.Won(1000), cards.DiscountCards[0].DiscountAmount)
	assert.Equal(t, []int{2, 3}, cards.InterestFreeCards[0].InstallmentFreeMonths)
	assert.Equal(t, tosspayments.Won(1000), cards.PointCards[0].MinimumPaymentAmount)
}

func TestPromotions(t *testing.T) {
	all, err := tosstest.New().Client().GetPromotions(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 4)
	assert.Equal(t, tosspayments.Won(250000), *all[0].CardDiscount.Balance)
	assert.Equal(t, tosspayments.CurrencyKRW, all[1].CardInterestFree.Currency)
	assert.Equal(t, "31", all[2].CardPoint.IssuerCode)
	assert.Equal(t, "0.05", all[3].BankDiscount.DiscountRate.String())
	assert.Nil(t, all[3].BankDiscount.DiscountAmount)
}

// BenchmarkAllTransactions reads many rows; peak-KB is what is alive at the most while
// it does, and does not grow with the number of rows.
func BenchmarkAllTransactions(b *testing.B) {
	const page = 1000
	for _, total := range []int{3000, 12000} {
		b.Run(strconv.Itoa(total), func(b *testing.B) {
			client, mock := mockClient(b)
			sent := 0
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				keys := make([]string, 0, page)
				for range min(page, total-sent) {
					keys = append(keys, fmt.Sprintf("T%031d", sent))
					sent++
				}
				return (&script{answers: []answer{transactionsPage(keys...)}}).respond(r)
			})
			query := queryOfADay()
			query.Limit = page
			read := func(each func(n int)) {
				sent = 0
				n := 0
				for _, err := range client.AllTransactions(b.Context(), query) {
					if err != nil {
						b.Fatal(err)
					}
					n++
					each(n)
				}
				if n != total {
					b.Fatal(n)
				}
			}
			before, peak := liveHeapBytes(), uint64(0)
			read(func(n int) {
				if n%(page/2) == 0 {
					peak = max(peak, liveHeapBytes()-before)
				}
			})
			b.ReportAllocs()
			for b.Loop() {
				read(func(int) {})
			}
			b.ReportMetric(float64(peak)/1024, "peak-KB")
		})
	}
}

// alive is the size of what is reachable.
func liveHeapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
