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

func TestPayoutRecipes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Setenv("TOSS_SECURITY_KEY", tosstest.DefaultSecurityKey)
		server := tosstest.New()
		defer server.Close()
		server.AddBalance(tosspayments.Won(100_000))
		var saved []payouts.PayoutStatus
		var woken []payouts.SellerStatus
		save := func(p *payouts.Payout) error { saved = append(saved, p.Status); return nil }
		handler, err := PayoutHandler(tosstest.DefaultSecurityKey, save, func(s *payouts.Seller) error { woken = append(woken, s.Status); return nil })
		require.NoError(t, err)
		server.RegisterWebhookHandler(handler)
		client, err := NewPayouts(server.Client())
		require.NoError(t, err)
		account := payouts.Account{BankCode: "092", AccountNumber: tosspayments.NewSensitive("100012345678"), HolderName: tosspayments.NewSensitive("김토스")}
		valid, err := CheckAccount(t.Context(), client, account)
		require.NoError(t, err)
		assert.True(t, valid)
		seller, err := RegisterSeller(t.Context(), client, "shop-0077", &payouts.Individual{
			Name: tosspayments.NewSensitive("김토스"), Email: tosspayments.NewSensitive("a@b.c"), Phone: tosspayments.NewSensitive("01012345678"),
		}, account)
		require.NoError(t, err)
		batch := func(ref string) *Batch {
			return &Batch{State: "open", Payouts: []payouts.PayoutRequest{{
				RefPayoutID: ref, Destination: seller.ID, ScheduleType: payouts.ScheduleExpress, Amount: payouts.Won(50_000), TransactionDescription: "3월정산",
			}}}
		}
		refused := batch("pay-1")
		require.ErrorIs(t, refused.Run(t.Context(), client), tosspayments.ErrForbiddenSellerPayout)
		assert.Equal(t, "refused", refused.State)
		assert.Equal(t, tosspayments.ErrForbiddenSellerPayout, refused.Code)
		server.CompleteIdentityCheck(seller.ID)

		open := batch("pay-2")
		server.Inject(tosstest.Fault{Kind: tosstest.Drop, Times: 20})
		require.ErrorIs(t, open.Run(t.Context(), client), tosspayments.ErrOutcomeUnknown)
		assert.Equal(t, "open", open.State)
		assert.Equal(t, time.Now().Add(5*time.Minute), open.NextAt)
		server.ClearFaults()
		for range 2 {
			require.NoError(t, open.Run(t.Context(), client))
			assert.Equal(t, "requested", open.State)
		}
		assert.Equal(t, 1, server.Payouts("pay-2"))
		broken := batch("")
		require.ErrorIs(t, broken.Run(t.Context(), client), tosspayments.ErrNotSent)
		assert.Equal(t, "review", broken.State)

		found, err := client.FindPayouts(t.Context(), open.Payouts)
		require.NoError(t, err)
		require.NoError(t, CheckPayout(t.Context(), client, found[0].ID, save), "not final yet")
		server.CompletePayouts()
		server.WaitWebhooks()
		require.NoError(t, CheckPayout(t.Context(), client, found[0].ID, save))
		assert.Equal(t, []payouts.PayoutStatus{"COMPLETED", "COMPLETED"}, saved)
		assert.Equal(t, []payouts.SellerStatus{"PARTIALLY_APPROVED"}, woken)
	})
}
