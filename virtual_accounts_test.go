package tosspayments_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// issuedAccount is a virtual account of order-0001 that nobody has paid into yet.
func issuedAccount(t *testing.T) (*tosstest.Server, *tosspayments.Client, *tosspayments.Payment) {
	t.Helper()
	server := tosstest.New()
	client := server.Client()
	payment, err := client.IssueVirtualAccount(t.Context(), accountRequest())
	require.NoError(t, err)
	return server, client, payment
}

func readPaymentOf(t *testing.T, client *tosspayments.Client, paymentKey string) *tosspayments.Payment {
	t.Helper()
	payment, err := client.GetPayment(t.Context(), paymentKey)
	require.NoError(t, err)
	return payment
}

func TestAnIssuedAccountWaits(t *testing.T) {
	server, _, payment := issuedAccount(t)
	assert.False(t, payment.IsPaid())
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, payment.Status)
	assert.True(t, strings.HasPrefix(payment.VirtualAccount.AccountNumber.Reveal(), "X"))
	assert.NotEmpty(t, payment.Secret.Reveal())
	assert.WithinDuration(t, time.Now().Add(168*time.Hour), payment.VirtualAccount.DueDate, time.Minute)
	assert.Zero(t, server.Charges("order-0001"))
}

func TestAnAccountIsIssuedOnce(t *testing.T) {
	server, client, payment := issuedAccount(t)
	again, err := client.IssueVirtualAccount(t.Context(), accountRequest())
	require.NoError(t, err)
	assert.Equal(t, payment.VirtualAccount.AccountNumber.Reveal(), again.VirtualAccount.AccountNumber.Reveal())
	assert.Equal(t, tosspayments.OutcomeWaiting, tosspayments.OutcomeOf(again, err))
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	again, err = client.IssueVirtualAccount(t.Context(), accountRequest())
	assert.Equal(t, tosspayments.OutcomePaid, tosspayments.OutcomeOf(again, err), "paid by now: %v", err)
}

func TestAnAccountIsNotRefundedInPartBeforeTheDeposit(t *testing.T) {
	_, client, payment := issuedAccount(t)
	_, err := client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "test", CancelAmount: tosspayments.Won(1), RefundableAmount: payment.Cancelable(),
	})
	require.ErrorIs(t, err, tosspayments.ErrNotAllowedPartialRefundWaitingDeposit)
}

func TestDepositAndBounce(t *testing.T) {
	server, client, payment := issuedAccount(t)
	require.Error(t, server.Deposit("order-0001", tosspayments.Won(100)), "a wrong amount is refused by the bank")
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	payment = readPaymentOf(t, client, payment.PaymentKey)
	assert.True(t, payment.IsPaid())
	assert.Equal(t, "김토스", payment.VirtualAccount.DepositorName)

	require.NoError(t, server.Bounce("order-0001"))
	payment = readPaymentOf(t, client, payment.PaymentKey)
	assert.False(t, payment.IsPaid())
	assert.True(t, payment.ApprovedAt.IsZero())
	require.Error(t, server.Bounce("order-0001"))
}

func TestADepositIsRefundedToAnAccount(t *testing.T) {
	server, client, payment := issuedAccount(t)
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	_, err := client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
	require.ErrorIs(t, err, tosspayments.ErrInvalidRefundAccountInfo)
	payment, err = client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{
		CancelReason: "test", RefundReceiveAccount: &tosspayments.RefundReceiveAccount{
			Bank: "20", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: "김토스",
		},
	})
	require.NoError(t, err)
	assert.True(t, payment.IsFullyCanceled())
}

func TestARefundWithAnIDOfADepositNeedsAnAccount(t *testing.T) {
	server, client, payment := issuedAccount(t)
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	sent := len(server.Requests())
	_, err := client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "test", CancelAmount: tosspayments.Won(1000), RefundableAmount: tosspayments.Won(15000), RefundID: "refund-1",
	})
	require.ErrorContains(t, err, "bank, account number and holder")
	assert.Equal(t, tosspayments.OutcomeNotSent, tosspayments.OutcomeOf(nil, err))
	assert.Len(t, server.Requests(), sent+1, "a look, and no cancel")
}

func TestAnAccountExpires(t *testing.T) {
	t.Parallel()
	server := tosstest.New()
	client := server.Client()
	request := accountRequest()
	request.ValidHours = 1
	payment, err := client.IssueVirtualAccount(t.Context(), request)
	require.NoError(t, err)
	server.Advance(2 * time.Hour)
	payment = readPaymentOf(t, client, payment.PaymentKey)
	assert.True(t, payment.VirtualAccount.Expired)
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, payment.Status, "nothing else tells it")
	_, err = client.ResolvePaymentByOrderID(t.Context(), request.OrderID, request.Amount)
	require.ErrorIs(t, err, tosspayments.ErrExpiredPayment)
	_, err = client.IssueVirtualAccount(t.Context(), request)
	require.ErrorIs(t, err, tosspayments.ErrExpiredPayment)
	assert.Equal(t, tosspayments.OutcomeRefused, tosspayments.OutcomeOf(nil, err))
	require.Error(t, server.Deposit("order-0001", tosspayments.Won(15000)))
}

func TestAnAccountHasADueDate(t *testing.T) {
	request := accountRequest()
	request.ValidHours, request.DueDate = 0, time.Now().Add(26*time.Hour)
	payment, err := tosstest.New().Client().IssueVirtualAccount(t.Context(), request)
	require.NoError(t, err)
	assert.WithinDuration(t, request.DueDate, payment.VirtualAccount.DueDate, time.Second)
}

func TestAnAccountIsCancelledBeforeTheDeposit(t *testing.T) {
	server, client, payment := issuedAccount(t)
	payment, err := client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
	require.NoError(t, err)
	assert.Equal(t, tosspayments.PaymentStatusCanceled, payment.Status)
	assert.Zero(t, server.Charges("order-0001"))
	assert.Empty(t, server.Refunds("order-0001"))
	_, err = client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
	require.NoError(t, err, "nothing is left, as was asked for")
	_, err = client.IssueVirtualAccount(t.Context(), accountRequest())
	assert.Equal(t, tosspayments.OutcomeCanceled, tosspayments.OutcomeOf(nil, err), "%v", err)
}

func TestPlainIssueVirtualAccount(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://api.tosspayments.com/v1/virtual-accounts", httpmock.NewStringResponder(200, `{
		"paymentKey": "pay-1", "orderId": "order-0001", "status": "WAITING_FOR_DEPOSIT", "method": "가상계좌", "currency": "KRW",
		"totalAmount": 15000, "balanceAmount": 15000,
		"virtualAccount": {"accountNumber": "X6505636518308", "bankCode": "20", "dueDate": "2026-03-08T23:59:59+09:00"}}`))
	client, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)

	payment, err := client.IssueVirtualAccount(t.Context(), tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
	})
	require.NoError(t, err)
	assert.Equal(t, tosspayments.OutcomeWaiting, tosspayments.OutcomeOf(payment, err))
	assert.Equal(t, "X6505636518308", payment.VirtualAccount.AccountNumber.Reveal())
}
