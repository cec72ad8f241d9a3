package recipes

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/payouts"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

var sellersAccount = payouts.Account{BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"), HolderName: tosspayments.NewSensitive("김토스")}

// market is a marketplace with a seller, and what its handler was told.
type market struct {
	server *tosstest.Server
	client *payouts.Client
	seller string
	saved  []payouts.PayoutStatus
	woken  []payouts.SellerStatus
}

// inAMarket runs test in time that does not pass.
func inAMarket(t *testing.T, test func(t *testing.T, m *market)) {
	t.Setenv("TOSS_SECURITY_KEY", tosstest.DefaultSecurityKey)
	synctest.Test(t, func(t *testing.T) {
		m := &market{server: tosstest.New()}
		defer m.server.Close()
		m.server.AddBalance(tosspayments.Won(100_000))
		wake := func(s *payouts.Seller) error { m.woken = append(m.woken, s.Status); return nil }
		handler, err := PayoutHandler(tosstest.DefaultSecurityKey, m.save, wake)
		require.NoError(t, err)
		m.server.RegisterWebhookHandler(handler)
		m.client, err = NewPayouts(m.server.Client())
		require.NoError(t, err)
		seller, err := RegisterSeller(t.Context(), m.client, "shop-0077", &payouts.Individual{
			Name: tosspayments.NewSensitive("김토스"), Email: tosspayments.NewSensitive("a@b.c"), Phone: tosspayments.NewSensitive("01012345678"),
		}, sellersAccount)
		require.NoError(t, err)
		m.seller = seller.ID
		test(t, m)
	})
}

func (m *market) save(p *payouts.Payout) error {
	m.saved = append(m.saved, p.Status)
	return nil
}

// batch is one payout of 50,000 won.
func (m *market) batch(ref string) *Batch {
	return &Batch{State: "open", Payouts: []payouts.PayoutRequest{{
		RefPayoutID: ref, Destination: m.seller, ScheduleType: payouts.ScheduleExpress, Amount: payouts.Won(50_000), TransactionDescription: "3월정산",
	}}}
}

func TestAccountsAreChecked(t *testing.T) {
	inAMarket(t, func(t *testing.T, m *market) {
		valid, err := CheckAccount(t.Context(), m.client, sellersAccount)
		require.NoError(t, err)
		assert.True(t, valid)
	})
}

func TestABatchThatIsRefused(t *testing.T) {
	inAMarket(t, func(t *testing.T, m *market) {
		batch := m.batch("pay-1")
		require.ErrorIs(t, batch.Run(t.Context(), m.client), tosspayments.ErrForbiddenSellerPayout, "nobody has checked who the seller is")
		assert.Equal(t, "refused", batch.State)
		assert.Equal(t, tosspayments.ErrForbiddenSellerPayout, batch.Code)
	})
}

func TestABatchThatCannotBeSent(t *testing.T) {
	inAMarket(t, func(t *testing.T, m *market) {
		batch := m.batch("")
		require.ErrorIs(t, batch.Run(t.Context(), m.client), tosspayments.ErrNotSent)
		assert.Equal(t, "review", batch.State)
	})
}

func TestABatchIsRunUntilItIsKnown(t *testing.T) {
	inAMarket(t, func(t *testing.T, m *market) {
		m.server.CompleteIdentityCheck(m.seller)
		batch := m.batch("pay-2")
		m.server.Inject(tosstest.Fault{Kind: tosstest.Drop, Times: 20})
		require.ErrorIs(t, batch.Run(t.Context(), m.client), tosspayments.ErrOutcomeUnknown)
		assert.Equal(t, "open", batch.State)
		assert.Equal(t, time.Now().Add(5*time.Minute), batch.NextAt)
		m.server.ClearFaults()
		for range 2 {
			require.NoError(t, batch.Run(t.Context(), m.client))
			assert.Equal(t, "requested", batch.State)
		}
		assert.Equal(t, 1, m.server.Payouts("pay-2"))
	})
}

func TestTheEndOfAPayoutIsSaved(t *testing.T) {
	inAMarket(t, func(t *testing.T, m *market) {
		m.server.CompleteIdentityCheck(m.seller)
		batch := m.batch("pay-2")
		require.NoError(t, batch.Run(t.Context(), m.client))
		found, err := m.client.FindPayouts(t.Context(), batch.Payouts)
		require.NoError(t, err)
		require.NoError(t, CheckPayout(t.Context(), m.client, found[0].ID, m.save))
		assert.Empty(t, m.saved, "not final yet")
		m.server.CompletePayouts()
		m.server.WaitWebhooks()
		require.NoError(t, CheckPayout(t.Context(), m.client, found[0].ID, m.save))
		assert.Equal(t, []payouts.PayoutStatus{"COMPLETED", "COMPLETED"}, m.saved, "by the event and by the job")
		assert.Equal(t, []payouts.SellerStatus{"PARTIALLY_APPROVED"}, m.woken)
	})
}
