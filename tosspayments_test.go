package tosspayments_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// A key id is stored beside an idempotency key: it is the same in every process, and
// nothing of the secret key can be read from it.
func TestKeyID(t *testing.T) {
	keys := []string{testKey, "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5S", "live_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", "test_gsk_docs_OaPz8L5KdmQXkzRz3y47BMw6"}
	seen := map[string]bool{}
	for _, key := range keys {
		client, err := tosspayments.New(key)
		require.NoError(t, err)
		id := client.KeyID()
		assert.Regexp(t, regexp.MustCompile("^[0-9a-f]{16}$"), id)
		again, err := tosspayments.New("\ufeff"+key+"\n", tosspayments.WithMaxRetries(0))
		require.NoError(t, err)
		assert.Equal(t, id, again.KeyID())
		assert.False(t, seen[id])
		seen[id] = true
	}
	client, err := tosspayments.New(testKey)
	require.NoError(t, err)
	assert.Equal(t, "3e6404aee5d90d09", client.KeyID(), "stored ids must keep their meaning")
}

// Close gives connections back; the client can be used after it.
func TestClose(t *testing.T) {
	for name, opts := range map[string][]tosspayments.Option{
		"its own transport": nil,
		"the caller's":      {tosspayments.WithHTTPClient(&http.Client{Transport: new(http.Transport)})},
	} {
		t.Run(name, func(t *testing.T) {
			var open atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(paymentJSON("DONE", nil)))
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Add(-1)
				}
			}
			server.Start()
			defer server.Close()
			client, err := tosspayments.New(testKey, append(opts, tosspayments.WithBaseURL(server.URL))...)
			require.NoError(t, err)
			for range 2 {
				_, err = client.GetPayment(t.Context(), "pay-1")
				require.NoError(t, err)
				assert.Equal(t, int32(1), open.Load())
				client.Close()
				assert.Eventually(t, func() bool { return open.Load() == 0 }, 30*time.Second, time.Millisecond)
			}
		})
	}
}

func TestCallersClientIsNotChanged(t *testing.T) {
	mock := httpmock.NewMockTransport()
	own := &http.Client{Transport: mock, Timeout: time.Minute}
	client, err := tosspayments.New(testKey, tosspayments.WithHTTPClient(own))
	require.NoError(t, err)
	onLookUp(mock, answer{status: 302, header: http.Header{"Location": {"/v1/payments/other"}}})
	_, err = client.GetPayment(t.Context(), "pay-1")
	assert.ErrorContains(t, err, "302")
	assert.Nil(t, own.CheckRedirect)
	assert.Equal(t, 1, mock.GetTotalCallCount(), "a redirect is not followed")
}

func TestOptionsAreChecked(t *testing.T) {
	for field, option := range map[string]tosspayments.Option{
		"WithHTTPClient":  tosspayments.WithHTTPClient(nil),
		"WithBaseURL":     tosspayments.WithBaseURL("api.tosspayments.com"),
		"WithMaxRetries":  tosspayments.WithMaxRetries(-1),
		"WithTimeout":     tosspayments.WithTimeout(0),
		"WithLogger":      tosspayments.WithLogger(nil),
		"WithLanguage":    tosspayments.WithLanguage("fr"),
		"WithLookupGrace": tosspayments.WithLookupGrace(-1),
		"WithObserver":    tosspayments.WithObserver(nil),
		"option":          nil,
	} {
		_, err := tosspayments.New(testKey, option)
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
	}
	for _, address := range []string{"", "ftp://x", "http://", "https://u:p@x", "https://x?q=1", "https://x?", "https://x#f", "://"} {
		_, err := tosspayments.New(testKey, tosspayments.WithBaseURL(address))
		assert.Error(t, err, address)
	}
	//nolint:staticcheck // a nil context is the mistake under test
	_, err := func() (*tosspayments.Payment, error) {
		client, _ := mockClient(t)
		return client.GetPayment(nil, "pay-1")
	}()
	assert.ErrorContains(t, err, "ctx")
}
