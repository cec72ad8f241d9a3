package shop_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

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
	assert.Contains(t, toss.Mode, "TEST: ")
	toss, err = shop.Connect(shop.Keys{Secret: "live_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", Client: "live_ck_D5GePWvyJnrK0W0k6q8gLzN97Eoq"}, "", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	assert.Contains(t, toss.Mode, "LIVE: ")
}

func TestWon(t *testing.T) {
	for amount, text := range map[int64]string{0: "0원", 999: "999원", 1000: "1,000원", 15000: "15,000원", 1234567: "1,234,567원"} {
		assert.Equal(t, text, shop.Won(tosspayments.Won(amount)))
	}
}

func TestTimesAreKorean(t *testing.T) {
	at := time.Date(2026, 3, 1, 15, 30, 0, 0, time.UTC)
	assert.Equal(t, "2026.03.02 00:30", shop.When(at))
	assert.Equal(t, "2026.03.02 00:30", shop.When(at.In(time.FixedZone("", -5*60*60))))
}

func TestWithoutKeysItSaysSandbox(t *testing.T) {
	var log strings.Builder
	toss, err := shop.Connect(shop.Keys{}, "", slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	t.Cleanup(toss.Close)
	assert.Contains(t, log.String(), "SANDBOX")
	assert.Contains(t, log.String(), "TOSS_SECRET_KEY")
}

func TestAddressThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	err = shop.Serve(t.Context(), taken.Addr().String(), io.Discard, 0, http.NotFoundHandler(), nil)
	require.ErrorContains(t, err, "-addr 127.0.0.1:0")
	require.ErrorContains(t, err, taken.Addr().String())
}
