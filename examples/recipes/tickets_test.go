package recipes

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// fakeToss answers every confirm alike.
type fakeToss struct {
	payment *tosspayments.Payment
	err     error
}

func (f fakeToss) ConfirmPayment(context.Context, tosspayments.ConfirmPaymentRequest, ...tosspayments.CallOption) (*tosspayments.Payment, error) {
	return f.payment, f.err
}

func TestTicketsWithAFake(t *testing.T) {
	for name, test := range map[string]struct {
		toss fakeToss
		want string
	}{
		"paid":    {fakeToss{payment: paid()}, "예매됐어요."},
		"refused": {fakeToss{err: &tosspayments.Error{Code: tosspayments.ErrRejectCardPayment}}, "다른 카드나 결제수단을 이용해 주세요."},
		"unknown": {fakeToss{err: &tosspayments.OutcomeUnknownError{}}, "결제를 확인하고 있어요. 다시 결제하지 마세요."},
	} {
		t.Run(name, func(t *testing.T) {
			tickets := Tickets{Toss: test.toss}
			assert.Equal(t, test.want, tickets.Buy(t.Context(), tosspayments.ConfirmPaymentRequest{}))
		})
	}
}

// paid is a payment as the shop reads it; the rest of it is left zero.
func paid() *tosspayments.Payment {
	return &tosspayments.Payment{
		PaymentKey: "pay-1", OrderID: "order-0001", Status: tosspayments.PaymentStatusDone,
		Currency: tosspayments.CurrencyKRW, TotalAmount: tosspayments.Won(15000),
	}
}

const (
	confirmURL = "https://api.tosspayments.com/v1/payments/confirm"
	paymentURL = "https://api.tosspayments.com/v1/payments/pay-1"
)

var ticketRequest = tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000)}

// mocked is a client whose answers a test registers.
func mocked(t *testing.T) (*tosspayments.Client, *httpmock.MockTransport) {
	mock := httpmock.NewMockTransport()
	client, err := tosspayments.New("test_sk_abcdefghijklmnop", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	return client, mock
}

func TestTicketsWithHTTPMock(t *testing.T) {
	client, mock := mocked(t)
	mock.RegisterResponder("POST", confirmURL, httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "DONE",
		"currency": "KRW", "totalAmount": 15000, "balanceAmount": 15000}`))

	tickets := Tickets{Toss: client}
	assert.Equal(t, "예매됐어요.", tickets.Buy(t.Context(), ticketRequest))
	assert.Equal(t, 1, mock.GetTotalCallCount())
}

func TestARefusalWithHTTPMock(t *testing.T) {
	client, mock := mocked(t)
	mock.RegisterResponder("POST", confirmURL, httpmock.NewStringResponder(403,
		`{"code": "REJECT_CARD_PAYMENT", "message": "한도초과 혹은 잔액부족으로 결제에 실패했습니다."}`))

	tickets := Tickets{Toss: client}
	assert.Equal(t, "다른 카드나 결제수단을 이용해 주세요.", tickets.Buy(t.Context(), ticketRequest))
}

func TestALostAnswerWithHTTPMock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // retries and back-off take no time in it
		client, mock := mocked(t)
		mock.RegisterResponder("POST", confirmURL, httpmock.NewErrorResponder(errors.New("connection reset by peer")))
		mock.RegisterResponder("GET", paymentURL, httpmock.NewStringResponder(502, "bad gateway"))

		tickets := Tickets{Toss: client}
		assert.Equal(t, "결제를 확인하고 있어요. 다시 결제하지 마세요.", tickets.Buy(t.Context(), ticketRequest))
		assert.Equal(t, 3, mock.GetCallCountInfo()["POST "+confirmURL]) // sent again twice
	})
}

// An answer without the payment's keys proves nothing, so that the payment is looked up.
func TestAnAnswerThatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mocked(t)
		mock.RegisterResponder("POST", confirmURL, httpmock.NewStringResponder(200, `{"status": "DONE"}`))
		_, err := client.ConfirmPayment(t.Context(), ticketRequest)
		assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err))
	})
}

func TestTicketsWithTosstest(t *testing.T) {
	server := tosstest.NewServer(t)
	redirect := server.Authenticate(tosstest.Checkout{
		OrderID: "order-0001", OrderName: "뮤지컬 R석", Amount: tosspayments.Won(15000), Refusal: tosspayments.ErrRejectCardPayment,
	})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	require.NoError(t, err)

	tickets := Tickets{Toss: server.Client()}
	assert.Equal(t, "다른 카드나 결제수단을 이용해 주세요.", tickets.Buy(t.Context(), request))
	assert.Zero(t, server.Charges("order-0001"))
}
