package tosspayments_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestReadsAreRepeated(t *testing.T) {
	for name, first := range map[string]answer{
		"lost": lost, "429": {status: 429}, "500": refusal(500, "COMMON_ERROR"), "502": {status: 502, body: "<html>"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				gets := onLookUp(mock, first, first, answer{status: 200, body: paymentJSON("DONE", nil)})
				var response tosspayments.Response
				payment, err := client.GetPayment(t.Context(), "pay-1", tosspayments.WithResponse(&response))
				require.NoError(t, err)
				assert.Equal(t, "pay-1", payment.PaymentKey)
				assert.Len(t, gets.seen, 3)
				assert.Equal(t, 3, response.Attempts)
				assert.Empty(t, response.IdempotencyKey)
				assert.Empty(t, gets.seen[0].header.Get("Idempotency-Key"))
			})
		})
	}
}

func TestReadsThatFail(t *testing.T) {
	html := "<html>\n<body>card 4330-1234-1234-1234, account 110123456789</body>"
	for _, row := range []struct {
		name     string
		answer   answer
		attempts int
		check    func(*testing.T, error)
	}{
		{"not found", refusal(404, "NOT_FOUND_PAYMENT"), 1, func(t *testing.T, err error) {
			assert.ErrorIs(t, err, tosspayments.ErrNotFoundPayment)
		}},
		{"lost", lost, 3, func(t *testing.T, err error) {
			var connection *tosspayments.ConnectionError
			require.ErrorAs(t, err, &connection)
			assert.Equal(t, 3, connection.Attempts)
			assert.ErrorIs(t, err, errLost)
			assert.NotErrorIs(t, err, tosspayments.ErrNotSent)
			assert.NotContains(t, err.Error(), "pay-1")
		}},
		{"HTML", answer{status: 502, body: html}, 3, func(t *testing.T, err error) {
			var answered *tosspayments.Error
			require.ErrorAs(t, err, &answered)
			assert.Equal(t, 502, answered.StatusCode)
			assert.Equal(t, "trace-1", answered.TraceID)
			assert.Empty(t, answered.Code)
			assert.Contains(t, answered.Excerpt, "<html> <body>")
			assert.NotContains(t, err.Error(), "4330-1234")
			assert.NotContains(t, err.Error(), "110123456789")
		}},
		{"empty", answer{status: 500}, 3, func(t *testing.T, err error) {
			assert.ErrorContains(t, err, "HTTP 500")
		}},
		{"empty 200", answer{status: 200}, 1, func(t *testing.T, err error) {
			assert.ErrorContains(t, err, "could not be read")
			assert.ErrorContains(t, err, "HTTP 200")
			assert.ErrorContains(t, err, "trace-1")
		}},
		{"wrong type", answer{status: 200, body: `{"paymentKey":"pay-1","orderId":"order-0001","status":"DONE","totalAmount":{}}`}, 1, func(t *testing.T, err error) {
			assert.ErrorContains(t, err, "decimal number")
		}},
		{"HTML 200", answer{status: 200, body: "<html>login</html>"}, 1, func(t *testing.T, err error) {
			var answered *tosspayments.Error
			require.ErrorAs(t, err, &answered)
			assert.Equal(t, "<html>login</html>", answered.Excerpt)
		}},
		{"too large", answer{status: 200, body: strings.Repeat(" ", 17<<20)}, 1, func(t *testing.T, err error) {
			assert.ErrorContains(t, err, "16 MiB")
		}},
		{"v2 envelope", answer{status: 400, body: `{"version":"2022-11-16","traceId":"t2","entityType":null,"error":{"code":"INVALID_DATE","message":"m"}}`, header: http.Header{"X-Tosspayments-Trace-Id": nil}}, 1, func(t *testing.T, err error) {
			assert.ErrorIs(t, err, tosspayments.ErrInvalidDate)
			assert.ErrorContains(t, err, "t2")
		}},
		{"odd members", answer{status: 401, body: `{"code":"UNAUTHORIZED_KEY","message":null,"data":null,"more":[1]}`}, 1, func(t *testing.T, err error) {
			assert.ErrorIs(t, err, tosspayments.ErrUnauthorizedKey)
		}},
		{"code of a wrong type", answer{status: 400, body: `{"code":7,"message":"m"}`}, 1, func(t *testing.T, err error) {
			var answered *tosspayments.Error
			require.ErrorAs(t, err, &answered)
			assert.Empty(t, answered.Code)
			assert.Equal(t, "m", answered.Message)
		}},
		{"redirect", answer{status: 302, header: http.Header{"Location": {"https://evil.example/"}}}, 1, func(t *testing.T, err error) {
			assert.ErrorContains(t, err, "HTTP 302")
		}},
		{"another payment", answer{status: 200, body: paymentJSON("DONE", object{"paymentKey": "pay-2"})}, 1, func(t *testing.T, err error) {
			assert.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
		}},
		{"an echo of the key", answer{status: 500, body: "key " + testKey + " dGVzdF9za196WExrS0V5cE5BcldtbzUwblgzbG1lYXhZRzVSOg=="}, 3, func(t *testing.T, err error) {
			assert.NotContains(t, err.Error(), "zXLkKEyp")
			assert.NotContains(t, err.Error(), "dGVzdF9za1")
			assert.ErrorContains(t, err, "[redacted]")
		}},
		{"a long message", answer{status: 400, body: `{"code":"INVALID_REQUEST","message":"` + strings.Repeat("가", 5000) + `"}`}, 1, func(t *testing.T, err error) {
			assert.Less(t, len(err.Error()), 3000)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				gets := onLookUp(mock, row.answer)
				_, err := client.GetPayment(t.Context(), "pay-1")
				require.Error(t, err)
				assert.Len(t, gets.seen, row.attempts)
				assert.NotErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
				assert.NotContains(t, err.Error(), "\n")
				row.check(t, err)
			})
		})
	}
}

func TestReadStopsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t)
		gets := onLookUp(mock, refusal(500, "COMMON_ERROR"))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := client.GetPayment(ctx, "pay-1")
		require.ErrorIs(t, err, tosspayments.ErrCommonError, "there is no time for another attempt")
		assert.Len(t, gets.seen, 1)

		cancel()
		_, err = client.GetPayment(ctx, "pay-1")
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, tosspayments.ErrNotSent)
	})
}

func TestPathsAreEscaped(t *testing.T) {
	for key, path := range map[string]string{
		"a/b?c#d e%f":  "/v1/payments/a%2Fb%3Fc%23d%20e%25f",
		"../../cancel": "/v1/payments/..%2F..%2Fcancel",
		"키":            "/v1/payments/%ED%82%A4",
		"plain-KEY_1=": "/v1/payments/plain-KEY_1=",
	} {
		var seen string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r.RequestURI
			w.WriteHeader(http.StatusNotFound)
		}))
		client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL+"/proxy/"))
		require.NoError(t, err)
		_, err = client.GetPayment(t.Context(), key)
		require.Error(t, err)
		assert.Equal(t, "/proxy"+path, seen)
		server.Close()
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

func TestEnglish(t *testing.T) {
	client, mock := mockClient(t, tosspayments.WithLanguage(tosspayments.English))
	gets := onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
	_, err := client.GetPayment(t.Context(), "pay-1")
	require.NoError(t, err)
	assert.Equal(t, "en-US", gets.seen[0].header.Get("Accept-Language"))
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t, tosspayments.WithLogger(logger))
		onConfirm(mock, lost, answer{status: 200, body: paymentJSON("DONE", nil)})
		_, err := client.ConfirmPayment(t.Context(), confirmRequest())
		require.NoError(t, err)
		_, err = client.GetPayment(t.Context(), "pay-secret-1")
		require.Error(t, err)
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.GreaterOrEqual(t, len(lines), 3)
	assert.Contains(t, lines[0], `"level":"WARN"`)
	assert.Contains(t, lines[0], "connection reset")
	assert.Contains(t, lines[1], `"method":"POST","path":"/v1/payments/confirm","status":200`)
	assert.Contains(t, lines[1], `"traceId":"trace-1","attempt":2`)
	assert.Contains(t, lines[2], "/v1/payments/{paymentKey}")
	for _, leak := range []string{"pay-secret-1", "order-0001", "15000", "Basic", "zXLkKEyp"} {
		assert.NotContains(t, out.String(), leak)
	}

	out.Reset()
	quiet := slog.New(slog.NewJSONHandler(&out, nil))
	client, mock := mockClient(t, tosspayments.WithLogger(quiet))
	onConfirm(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
	_, err := client.ConfirmPayment(t.Context(), confirmRequest())
	require.NoError(t, err)
	assert.Empty(t, out.String(), "success is logged at level Debug")
}

func TestRefundAccountIsNotRepeated(t *testing.T) {
	client, mock := mockClient(t)
	onCancel(mock, answer{status: 400, body: `{"code":"INVALID_REFUND_ACCOUNT_NUMBER","message":"account 12345 is wrong"}`})
	_, err := client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{
		CancelReason:         "reason",
		RefundReceiveAccount: &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("12345"), HolderName: "a"},
	})
	require.ErrorIs(t, err, tosspayments.ErrInvalidRefundAccountNumber)
	assert.NotContains(t, err.Error(), "12345")
}

func TestOptionsAreChecked(t *testing.T) {
	for field, option := range map[string]tosspayments.Option{
		"WithHTTPClient":  tosspayments.WithHTTPClient(nil),
		"WithBaseURL":     tosspayments.WithBaseURL("api.tosspayments.com"),
		"WithMaxRetries":  tosspayments.WithMaxRetries(-1),
		"WithTimeout":     tosspayments.WithTimeout(0),
		"WithLogger":      tosspayments.WithLogger(nil),
		"WithLanguage":    tosspayments.WithLanguage("fr"),
		"WithSettleGrace": tosspayments.WithSettleGrace(-1),
		"option":          nil,
	} {
		_, err := tosspayments.New(testKey, option)
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
	}
	for _, address := range []string{"", "ftp://x", "http://", "https://u:p@x", "https://x?q=1", "https://x#f", "://"} {
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

func TestDo(t *testing.T) {
	const address = "https://api.tosspayments.com/v1/things/7"
	t.Run("read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			gets := &script{answers: []answer{refusal(500, "COMMON_ERROR"), {status: 200, body: `{"n": 1}`}}}
			mock.RegisterResponderWithQuery(http.MethodGet, address, "a=b", gets.respond)
			var out struct{ N int }
			require.NoError(t, client.Do(t.Context(), http.MethodGet, "/v1/things/7?a=b", nil, &out))
			assert.Equal(t, 1, out.N)
			assert.Len(t, gets.seen, 2)
			assert.Empty(t, gets.seen[0].header.Get("Content-Type"))
		})
	})
	t.Run("post", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, mock := mockClient(t)
			posts := &script{answers: []answer{lost, {status: 200, body: `{"n": 1}`}}}
			mock.RegisterResponder(http.MethodPost, address, posts.respond)
			var out struct{ N int }
			require.NoError(t, client.Do(t.Context(), http.MethodPost, "/v1/things/7", map[string]int{"x": 1}, &out, tosspayments.WithIdempotencyKey("k")))
			assert.Equal(t, 1, out.N)
			require.Len(t, posts.seen, 2)
			assert.Equal(t, `{"x":1}`, posts.seen[1].body)
			assert.Equal(t, "k", posts.seen[1].header.Get("Idempotency-Key"))
		})
	})
	t.Run("post without a verdict", func(t *testing.T) {
		for name, row := range map[string]struct {
			answer answer
			posts  int
			next   tosspayments.NextStep
		}{
			"lost": {lost, 3, tosspayments.NextSameKey}, "500": {refusal(500, "COMMON_ERROR"), 1, tosspayments.NextLookUp},
			"429": {answer{status: 429}, 1, tosspayments.NextLookUp}, "unknown code": {refusal(400, "OF_TOMORROW"), 1, tosspayments.NextLookUp},
			"unreadable": {answer{status: 200, body: "{"}, 3, tosspayments.NextSameKey},
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					posts := &script{answers: []answer{row.answer}}
					mock.RegisterResponder(http.MethodPost, address, posts.respond)
					err := client.Do(t.Context(), http.MethodPost, "/v1/things/7", nil, &struct{}{})
					var unknown *tosspayments.OutcomeUnknownError
					require.ErrorAs(t, err, &unknown)
					assert.Equal(t, row.next, unknown.Next)
					assert.Len(t, posts.seen, row.posts)
					assert.Contains(t, err.Error(), "/v1/things/…")
					assert.NotContains(t, err.Error(), "things/7")
				})
			})
		}
	})
	t.Run("refused", func(t *testing.T) {
		client, mock := mockClient(t)
		posts := &script{answers: []answer{refusal(400, "INVALID_REQUEST")}}
		mock.RegisterResponder(http.MethodPost, address, posts.respond)
		err := client.Do(t.Context(), http.MethodPost, "/v1/things/7", nil, nil)
		assert.ErrorIs(t, err, tosspayments.ErrInvalidRequest)
	})
	t.Run("no content", func(t *testing.T) {
		client, mock := mockClient(t)
		mock.RegisterResponder(http.MethodDelete, address, httpmock.NewStringResponder(200, ""))
		assert.NoError(t, client.Do(t.Context(), http.MethodDelete, "/v1/things/7", nil, nil))
	})
	t.Run("bad input", func(t *testing.T) {
		client, mock := mockClient(t)
		for _, path := range []string{"", "v1/x", "/v1//x", "/v1/../x", "/v1/%2e%2e/x", "/v1/./x", "/v1/x y", "/v1/%zz", "/v1/x#y"} {
			assert.ErrorContains(t, client.Do(t.Context(), http.MethodGet, path, nil, nil), "path", path)
		}
		assert.ErrorContains(t, client.Do(t.Context(), "get it", "/v1/x", nil, nil), "method")
		assert.ErrorContains(t, client.Do(t.Context(), http.MethodPost, "/v1/x", func() {}, nil), "JSON")
		assert.Zero(t, mock.GetTotalCallCount())
	})
}

// Whatever arrives, a confirm is never reported as paid unless the answer says so
// of this very payment, and nothing panics.
func FuzzAnswers(f *testing.F) {
	f.Add(200, paymentJSON("DONE", nil))
	f.Add(200, paymentJSON("DONE", object{"totalAmount": 1}))
	f.Add(400, `{"code":"REJECT_CARD_COMPANY","message":"no"}`)
	f.Add(403, `{"error":{"code":"FORBIDDEN_REQUEST"}}`)
	f.Add(502, "<html>")
	f.Add(200, `[null]`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		mock := httpmock.NewMockTransport()
		client, err := tosspayments.New(testKey, tosspayments.WithHTTPClient(&http.Client{Transport: mock}), tosspayments.WithMaxRetries(0))
		require.NoError(t, err)
		mock.RegisterResponder(http.MethodPost, confirmURL, httpmock.NewStringResponder(status, body))
		mock.RegisterResponder(http.MethodGet, paymentURL, httpmock.NewStringResponder(401, `{"code":"UNAUTHORIZED_KEY"}`))
		payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
		if err == nil {
			require.Equal(t, "pay-1", payment.PaymentKey)
			require.Equal(t, tosspayments.Won(15000), payment.TotalAmount)
			require.Less(t, status, 300)
			return
		}
		require.Nil(t, payment)
		require.NotContains(t, err.Error(), "\n")
		var refused *tosspayments.Error
		if errors.As(err, &refused) && refused.Payment == nil {
			require.NotEqual(t, tosspayments.ClassUnknown, refused.Code.Class(), "a refusal needs a code that decides")
		}
	})
}

// A body that a cautious proxy sends in pieces, with a wrong length, is no answer.
func TestTruncatedBodyIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t)
		calls := 0
		mock.RegisterResponder(http.MethodPost, confirmURL, func(*http.Request) (*http.Response, error) {
			calls++
			whole := paymentJSON("DONE", nil)
			if calls > 1 {
				return httpmock.NewStringResponse(200, whole), nil
			}
			response := httpmock.NewStringResponse(200, "")
			response.Body = io.NopCloser(io.MultiReader(strings.NewReader(whole[:20]), brokenReader{}))
			return response, nil
		})
		payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
		require.NoError(t, err)
		assert.True(t, payment.IsPaid())
		assert.Equal(t, 2, calls)
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
