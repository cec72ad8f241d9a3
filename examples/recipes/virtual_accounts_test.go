package recipes

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// openAccount is a shop whose order waits for a deposit, and which receives events.
func openAccount(t *testing.T) *stand {
	t.Helper()
	s := newStand(t, tosstest.New())
	t.Cleanup(s.server.Close)
	s.request.OrderID = "order-0001"
	require.NoError(t, s.Create(s.ctx(), Order{ID: "order-0001", Name: "원두 1kg", Amount: tosspayments.Won(15000)}))
	require.NoError(t, s.Account(s.ctx(), s.order(), "20", "김토스"))
	require.Equal(t, "waiting", s.order().State)
	receiver, err := Receiver(s, tosstest.DefaultSecurityKey)
	require.NoError(t, err)
	receiver.Logger = nil
	s.server.RegisterWebhookHandler(receiver)
	return s
}

func TestTheBuyerReadsTheAccount(t *testing.T) {
	s := openAccount(t)
	assert.Contains(t, s.page(), s.order().Payment.VirtualAccount.AccountNumber.Reveal())
	assert.Contains(t, s.page(), "15000원")
}

// deposited is a shop that has seen the deposit, and knows of it by events that came twice.
func deposited(t *testing.T) *stand {
	t.Helper()
	s := openAccount(t)
	require.Error(t, s.server.Deposit("order-0001", tosspayments.Won(100)), "the bank refuses another amount")
	s.server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.DuplicateWebhook, Times: 2})
	require.NoError(t, s.server.Deposit("order-0001", tosspayments.Won(15000)))
	s.server.WaitWebhooks()
	assert.Equal(t, 4, s.woken, "two kinds of event, each twice")
	require.NoError(t, s.Job(s.ctx()))
	assert.Equal(t, []string{"release"}, s.tasks)
	assert.Equal(t, "paid", s.order().State)
	return s
}

func TestGoodsAreReleasedOncePerDeposit(t *testing.T) {
	s := deposited(t)
	require.NoError(t, s.server.Bounce("order-0001"))
	s.server.WaitWebhooks()
	require.NoError(t, s.Job(s.ctx()))
	assert.Equal(t, []string{"release", "stop"}, s.tasks)
	assert.Equal(t, "waiting", s.order().State)

	s.server.InjectWebhook(tosstest.WebhookFault{Kind: tosstest.LoseWebhook, Times: 2})
	require.NoError(t, s.server.Deposit("order-0001", tosspayments.Won(15000)))
	s.server.WaitWebhooks()
	assert.Equal(t, time.Hour, time.Until(s.order().LookAt).Round(time.Minute), "no event: the job looks every hour")
	require.NoError(t, s.Settle(s.ctx(), "order-0001"))
	assert.Equal(t, []string{"release", "stop", "release"}, s.tasks)
}

func TestAccountExpiresSilently(t *testing.T) {
	s := openAccount(t)
	require.NoError(t, s.server.ExpireAccount("order-0001"))
	s.server.WaitWebhooks()
	assert.Empty(t, s.server.Deliveries())
	require.NoError(t, s.Settle(s.ctx(), "order-0001"))
	assert.Equal(t, "failed", s.order().State)
	assert.Equal(t, tosspayments.ErrExpiredPayment, s.order().Code)
	assert.Empty(t, s.tasks)
}

func TestAnAccountIsIssuedOnce(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		breakDown(s.server, true)
		require.NoError(t, s.Account(s.ctx(), s.order(), "20", "김토스"))
		assert.Equal(t, "new", s.order().State, "not known yet")
		s.server.ClearFaults()
		time.Sleep(time.Minute)
		require.NoError(t, s.Account(s.ctx(), s.order(), "20", "김토스"))
		first := s.order()
		assert.Equal(t, "waiting", first.State)
		require.NoError(t, s.Account(s.ctx(), first, "20", "김토스"))
		assert.Equal(t, first.PaymentKey, s.order().PaymentKey)
	})
}

func TestAWindowAccount(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0002", Method: "VIRTUAL_ACCOUNT", CustomerName: "김토스"})
		s.confirm()
		assert.Equal(t, "waiting", s.order().State)
		require.NoError(t, s.server.Deposit("order-0002", tosspayments.Won(15000)))
		time.Sleep(time.Hour)
		require.NoError(t, s.Job(s.ctx()))
		assert.Equal(t, "paid", s.order().State)
	})
}

func refundOf(s *stand) Refund {
	return Refund{ID: "refund-42", OrderID: "order-0001", PaymentKey: s.order().PaymentKey, Reason: "구매자 변심", Whole: true, State: "pending"}
}

var buyersAccount = &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("1002123456789"), HolderName: "김토스"}

func TestRefundOfADepositNeedsAnAccount(t *testing.T) {
	s := openAccount(t)
	refund := refundOf(s)
	require.NoError(t, s.server.Deposit("order-0001", tosspayments.Won(15000)))
	require.ErrorIs(t, s.CancelAccount(s.ctx(), refund), ErrRefundAccount)
	assert.Zero(t, s.server.Calls(tosstest.CancelPayment))
	refund.Account = buyersAccount
	require.NoError(t, s.CancelAccount(s.ctx(), refund))
	assert.Equal(t, "done", s.refunds["refund-42"].State)
	s.server.WaitWebhooks()
	require.NoError(t, s.Job(s.ctx()))
	assert.Equal(t, "canceled", s.order().State)
}

// Nobody has paid yet, so the account is not sent.
func TestRefundOfWhatNobodyHasPaid(t *testing.T) {
	s := openAccount(t)
	refund := refundOf(s)
	refund.Account = buyersAccount
	require.NoError(t, s.CancelAccount(s.ctx(), refund))
	assert.Equal(t, "done", s.refunds["refund-42"].State)
	assert.Empty(t, s.server.Refunds("order-0001"))
	for _, r := range s.server.Requests() {
		assert.NotContains(t, string(r.Body), "refundReceiveAccount")
	}
}

func TestAPartOfADeposit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openAccount(t)
		s.request.PaymentKey = s.order().PaymentKey
		row := s.refund("refund-42", 5000, 15000)
		assert.Equal(t, "refused", row.State)
		assert.Contains(t, row.Problem, "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT")

		require.NoError(t, s.server.Deposit("order-0001", tosspayments.Won(15000)))
		assert.Equal(t, "refused", s.refund("refund-43", 5000, 15000).State, "no account to send it to")
		row.ID, row.State = "refund-44", "pending"
		row.Account = &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: "김토스"}
		require.NoError(t, s.CreateRefund(s.ctx(), row))
		require.NoError(t, s.RunRefund(s.ctx(), row))
		assert.Equal(t, "done", s.refunds["refund-44"].State)
	})
}
