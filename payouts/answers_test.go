package payouts_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/payouts"
)

// noValues are amounts that say nothing, least of all 0.
var noValues = []string{`{}`, `{"currency":"KRW"}`, `{"currency":"KRW","value":null}`, `{"currency":"KRW","value":""}`, `{"currency":"KRW","value":{}}`}

func withAmount(amount string) string {
	return strings.Replace(payoutJSON("p-1", "REQUESTED", 50000), `{"currency":"KRW","value":50000.0}`, amount, 1)
}

// An amount without a value is an error, and never 0 won.
func TestAmountsHaveAValue(t *testing.T) {
	for _, amount := range noValues {
		client, _ := scriptedClient(t, okAnswer(withAmount(amount)))
		_, err := client.GetPayout(t.Context(), "FPA_p-1")
		require.ErrorContains(t, err, "amount", amount)
		client, _ = scriptedClient(t, okAnswer(listJSON(withAmount(amount))))
		_, err = client.ListPayouts(t.Context(), payouts.PayoutQuery{})
		require.ErrorContains(t, err, "amount", amount)
		client, _ = scriptedClient(t, okAnswer(strings.Replace(balanceJSON, `{"currency":"KRW","value":880000.0}`, amount, 1)))
		_, err = client.GetBalance(t.Context())
		require.ErrorContains(t, err, "availableAmount", amount)
		_, err = payouts.PayoutOf(eventOf(t, "payout.changed", withAmount(amount)))
		require.ErrorContains(t, err, "amount", amount)
	}
}

// An answer without amounts decides nothing: it is not that of another payout.
func TestABatchWithoutAmountsIsLookedFor(t *testing.T) {
	for _, amount := range noValues {
		synctest.Test(t, func(t *testing.T) {
			found := okAnswer(listJSON(payoutJSON("p-1", "REQUESTED", 50000)))
			client, _, _ := clientOfPosts(t, []answer{okAnswer(listJSON(withAmount(amount))).sealed()}, []answer{found})
			got, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10")})
			require.NoError(t, err, amount)
			assert.Equal(t, tosspayments.Won(50_000), got[0].Amount.Value)
		})
	}
}

// Nothing of an answer that could not be used is in what is returned.
func TestAnswersOfAttemptsAreNotMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noStatus := `{"id":"FPA_x","refPayoutId":"p-1","destination":"s","amount":{"currency":"KRW","value":1},"error":{"code":"OLD","message":"m"},"metadata":{"old":"x"}}`
		client, _, _ := clientOfPosts(t,
			[]answer{okAnswer(listJSON(noStatus)).sealed(), okAnswer(listJSON(strings.Replace(payoutJSON("p-1", "REQUESTED", 50000), `,"error":null`, "", 1))).sealed()}, nil)
		got, err := client.RequestPayouts(t.Context(), []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10")})
		require.NoError(t, err)
		assert.Nil(t, got[0].Error)
		assert.Empty(t, got[0].Metadata)

		noStatus = `{"id":"seller_a01example","company":{"name":"old"},"metadata":{"old":"x"}}`
		client, _ = scriptedClient(t, okAnswer(noStatus).sealed(), okAnswer(sellerJSON).sealed())
		seller, err := client.RegisterSeller(t.Context(), registrationRequest())
		require.NoError(t, err)
		assert.Nil(t, seller.Company)
		assert.Empty(t, seller.Metadata)
	})
}

// What is answered about something else, as under a key that was used for two calls, is no
// success.
func TestAnswersAboutSomethingElse(t *testing.T) {
	for name, call := range map[string]func(context.Context, *payouts.Client) (any, error){
		"sellerId": func(ctx context.Context, c *payouts.Client) (any, error) {
			return c.UpdateSeller(ctx, "seller_2", payouts.UpdateSellerRequest{Company: company()})
		},
		"refSellerId": func(ctx context.Context, c *payouts.Client) (any, error) {
			r := registrationRequest()
			r.RefSellerID = "shop-0078"
			return c.RegisterSeller(ctx, r)
		},
	} {
		client, _ := scriptedClient(t, okAnswer(sellerJSON).sealed())
		got, err := call(t.Context(), client)
		require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
		require.ErrorContains(t, err, " seller: "+name+" is ")
		assert.Nil(t, got)
	}
}

func TestReadsOfSomethingElse(t *testing.T) {
	client, _ := scriptedClient(t, okAnswer(payoutJSON("p-1", "CANCELED", 50000)))
	_, err := client.GetPayout(t.Context(), "FPA_p-2")
	require.ErrorContains(t, err, "it is about \"FPA_p-1\"")
	assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err))
	client, _ = scriptedClient(t, okAnswer(sellerJSON))
	_, err = client.GetSeller(t.Context(), "seller_2")
	require.ErrorContains(t, err, "it is about \"seller_a01example\"")
}
