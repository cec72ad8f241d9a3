package shop_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func TestKeysThatCannotWork(t *testing.T) {
	const ck, sk = tosstest.DefaultClientKey, tosstest.DefaultSecretKey
	for name, row := range map[string]struct{ secret, client, says string }{
		"only the client key": {"", ck, "TOSS_SECRET_KEY is not"},
		"only the secret key": {sk, "", "TOSS_CLIENT_KEY is not"},
		"swapped":             {ck, sk, "TOSS_SECRET_KEY: "},
		"live and test":       {"live_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", ck, "same environment"},
		"widget client key":   {sk, "test_gck_docs_Ovk5rk1EwkEbP0W43n07xlzm", "widget key"},
		"widget secret key":   {"test_gsk_docs_OaPz8L5KdmQXkzRz3y47BMw6", ck, "widget key"},
		"no client key":       {sk, "abc", "must be a client key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := shop.Connect(shop.Keys{Secret: row.secret, Client: row.client}, "", slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, row.says)
			for _, key := range []string{row.secret, row.client} {
				if len(key) > 10 {
					assert.NotContains(t, err.Error(), key)
				}
			}
		})
	}
	toss, err := shop.Connect(shop.Keys{Secret: sk, Client: ck}, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	assert.Equal(t, "https://js.tosspayments.com/v2/standard", toss.Script)
}

func TestWon(t *testing.T) {
	for amount, text := range map[int64]string{0: "0원", 999: "999원", 1000: "1,000원", 15000: "15,000원", 1234567: "1,234,567원"} {
		assert.Equal(t, text, shop.Won(tosspayments.Won(amount)))
	}
}
