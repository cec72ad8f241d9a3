package tosspayments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestPlainIssueCashReceipt(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/cash-receipts", httpmock.NewStringResponder(200, `{
		"receiptKey": "receipt-1", "orderId": "order-0001", "type": "소득공제", "amount": 15000, "issueStatus": "COMPLETED",
		"requestedAt": "2026-03-01T10:15:30+09:00"}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	receipt, err := client.IssueCashReceipt(t.Context(), tosspayments.IssueCashReceiptRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), Type: "소득공제",
		CustomerIdentityNumber: tosspayments.NewSensitive("01012345678"),
	})
	require.NoError(t, err)
	assert.Equal(t, "receipt-1", receipt.ReceiptKey)
}

func receiptRow(key string) string {
	return `{"receiptKey":"` + key + `","amount":15000,"transactionType":"CONFIRM","issueStatus":"COMPLETED"}`
}

func TestACashReceiptThatIsNone(t *testing.T) {
	for _, body := range []string{`null`, `{}`, `{"receiptKey":"receipt-1","amount":{}}`, `{"orderId":"order-0001","amount":15000}`} {
		client, mock := mockClient(t, tosspayments.WithMaxRetries(0))
		mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: body}}}).respond)
		_, err := client.IssueCashReceipt(t.Context(), cashReceiptRequest())
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, body)
		_, err = client.CancelCashReceipt(t.Context(), "receipt-1", tosspayments.CancelCashReceiptRequest{})
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, body)
	}
}

// An idempotency key that was used before is answered with what it was used for.
func TestTheCashReceiptOfAnother(t *testing.T) {
	for field, body := range map[string]string{
		"orderId": `{"receiptKey":"receipt-1","orderId":"order-0002","amount":15000}`,
		"amount":  `{"receiptKey":"receipt-1","orderId":"order-0001","amount":1500}`,
	} {
		client, mock := mockClient(t)
		mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: body}}}).respond)
		_, err := client.IssueCashReceipt(t.Context(), cashReceiptRequest())
		var mismatch *tosspayments.MismatchError
		require.ErrorAs(t, err, &mismatch)
		assert.Equal(t, field, mismatch.Field)
	}
}

func TestCashReceiptsThatCannotBeRead(t *testing.T) {
	for body, problem := range map[string]string{
		`null`:                            "hasNext",
		`{"data":[]}`:                     "hasNext",
		`{"hasNext":"perhaps","data":[]}`: "hasNext",
		`{"hasNext":false,"data":7}`:      "could not be read",
		`{"hasNext":false,"data":[{}]}`:   "receiptKey",
		`{"hasNext":false,"data":[{"receiptKey":"k","amount":{}}]}`: "amount",
	} {
		client, mock := mockClient(t)
		mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: body}}}).respond)
		_, err := client.ListCashReceipts(t.Context(), tosspayments.CashReceiptQuery{RequestDate: tosspayments.Date{Year: 2026, Month: time.March, Day: 1}})
		require.ErrorContains(t, err, problem, body)
	}
}

func TestOneCashReceiptThatCannotBeRead(t *testing.T) {
	client, mock := mockClient(t)
	mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: `{"hasNext":true,"lastCursor":2,"data":[{"receiptKey":"a"},` + receiptRow("b") + `]}`}}}).respond)
	keys, err := collect(client.AllCashReceipts(t.Context(), tosspayments.CashReceiptQuery{
		RequestDate: tosspayments.Date{Year: 2026, Month: time.March, Day: 1},
	}), func(r tosspayments.CashReceipt) string { return r.ReceiptKey })
	require.ErrorContains(t, err, "1 of 2 rows cannot be read")
	assert.Equal(t, []string{"b"}, keys)
}
