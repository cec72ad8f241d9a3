package tosspayments_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
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
	t.Parallel()
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
			assert.Equal(t, []any{502, tosspayments.ErrorCode(""), "trace-1"}, []any{answered.StatusCode, answered.Code, answered.TraceID})
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
			assert.ErrorContains(t, err, "totalAmount")
		}},
		{"HTML 200", answer{status: 200, body: "\n<html>login</html>"}, 1, func(t *testing.T, err error) {
			var answered *tosspayments.Error
			require.ErrorAs(t, err, &answered)
			assert.Equal(t, "<html>login</html>", answered.Excerpt)
		}},
		{"cut off, with secrets", answer{status: 200, body: `{"secret":"ps_secret","paymentKey":"pay-1`}, 1, func(t *testing.T, err error) {
			assert.NotContains(t, err.Error(), "ps_secret")
			var answered *tosspayments.Error
			require.ErrorAs(t, err, &answered)
			assert.Empty(t, answered.Excerpt, "a payment has secrets")
		}},
		{"429", answer{status: 429}, 3, func(t *testing.T, err error) {
			assert.Equal(t, tosspayments.ClassWait, tosspayments.CodeOf(err).Class(), "it comes without a code")
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
	for id, path := range map[string]string{
		"a/b?c#d e%f":  "/v1/payments/orders/a%2Fb%3Fc%23d%20e%25f",
		"../../cancel": "/v1/payments/orders/..%2F..%2Fcancel",
		"키":            "/v1/payments/orders/%ED%82%A4",
		"plain-KEY_1=": "/v1/payments/orders/plain-KEY_1=",
	} {
		var seen string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r.RequestURI
			w.WriteHeader(http.StatusNotFound)
		}))
		client, err := tosspayments.New(testKey, tosspayments.WithBaseURL(server.URL+"/proxy/"))
		require.NoError(t, err)
		_, err = client.GetPaymentByOrderID(t.Context(), id)
		require.Error(t, err)
		assert.Equal(t, "/proxy"+path, seen)
		server.Close()
	}
}

func TestEnglish(t *testing.T) {
	client, mock := mockClient(t, tosspayments.WithLanguage(tosspayments.LanguageEnglish))
	gets := onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
	_, err := client.GetPayment(t.Context(), "pay-1")
	require.NoError(t, err)
	assert.Equal(t, "en-US", gets.seen[0].header.Get("Accept-Language"))
}

// attempts collects what an observer sees.
type attempts struct {
	seen     []tosspayments.Attempt
	contexts []context.Context
}

func (a *attempts) observe(ctx context.Context, attempt tosspayments.Attempt) {
	a.seen = append(a.seen, attempt)
	a.contexts = append(a.contexts, ctx)
}

// brief is what identifies an attempt, without times.
func (a *attempts) brief() (lines []string) {
	for _, x := range a.seen {
		lines = append(lines, fmt.Sprintf("%s %d lookup=%t %d %q %s err=%t", x.Operation, x.Number, x.Lookup, x.Status, string(x.Code), x.TraceID, x.Err != nil))
	}
	return lines
}

// An observer sees every request of a call, in order, lookups apart.
func TestObserver(t *testing.T) {
	for _, row := range []struct {
		name    string
		answers []answer
		found   []answer
		seen    []string
	}{
		{"a success", []answer{{status: 200, body: paymentJSON("DONE", nil)}}, nil, []string{
			`confirm payment 1 lookup=false 200 "" trace-1 err=false`,
		}},
		{"a refusal", []answer{refusal(403, "REJECT_CARD_COMPANY")}, nil, []string{
			`confirm payment 1 lookup=false 403 "REJECT_CARD_COMPANY" trace-1 err=false`,
		}},
		{"lost, then a refusal, lookups", []answer{lost, refusal(403, "REJECT_CARD_COMPANY")}, []answer{{status: 200, body: paymentJSON("IN_PROGRESS", nil)}, lost}, []string{
			`confirm payment 1 lookup=false 0 "" trace-1 err=true`,
			`confirm payment 2 lookup=false 403 "REJECT_CARD_COMPANY" trace-1 err=false`,
			`get payment 1 lookup=true 200 "" trace-1 err=false`,
			`get payment 2 lookup=true 0 "" trace-1 err=true`,
			`get payment 3 lookup=true 0 "" trace-1 err=true`,
			`get payment 4 lookup=true 0 "" trace-1 err=true`,
		}},
		{"a lookup between attempts", []answer{refusal(500, "COMMON_ERROR"), {status: 200, body: paymentJSON("DONE", nil)}}, []answer{refusal(429, "TOO_MANY_REQUESTS"), {status: 200, body: paymentJSON("IN_PROGRESS", nil)}}, []string{
			`confirm payment 1 lookup=false 500 "COMMON_ERROR" trace-1 err=false`,
			`get payment 1 lookup=true 429 "TOO_MANY_REQUESTS" trace-1 err=false`,
			`get payment 2 lookup=true 200 "" trace-1 err=false`,
			`confirm payment 2 lookup=false 200 "" trace-1 err=false`,
		}},
		{"an answer of somebody in between", []answer{{status: 403, body: "<html>"}}, []answer{{status: 200, body: paymentJSON("DONE", nil)}}, []string{
			`confirm payment 1 lookup=false 403 "" trace-1 err=false`,
			`get payment 1 lookup=true 200 "" trace-1 err=false`,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var observed attempts
				client, mock := mockClient(t, tosspayments.WithObserver(observed.observe))
				onConfirm(mock, row.answers...)
				if row.found != nil {
					onLookUp(mock, row.found...)
				}
				type key struct{}
				ctx := context.WithValue(t.Context(), key{}, "of the caller")
				_, _ = client.ConfirmPayment(ctx, confirmRequest())
				for i, line := range row.seen {
					if strings.Contains(line, " 0 ") { // no answer, no trace
						row.seen[i] = strings.Replace(line, "trace-1", "", 1)
					}
				}
				assert.Equal(t, row.seen, observed.brief())
				for _, seen := range observed.contexts {
					assert.Equal(t, "of the caller", seen.Value(key{}))
				}
			})
		})
	}
}

func TestObserverOfALookupAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var observed attempts
		client, mock := mockClient(t, tosspayments.WithObserver(observed.observe))
		mock.RegisterResponder(http.MethodGet, paymentURL, func(r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return httpmock.NewStringResponse(200, paymentJSON("DONE", nil)), nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		mock.RegisterResponder(http.MethodPost, confirmURL, func(r *http.Request) (*http.Response, error) {
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		_, err := client.ConfirmPayment(ctx, confirmRequest())
		require.NoError(t, err)
		require.Len(t, observed.seen, 2)
		assert.ErrorIs(t, observed.seen[0].Err, context.Canceled)
		assert.True(t, observed.seen[1].Lookup)
		assert.Equal(t, 2*time.Second, observed.seen[1].Duration)
	})
}

func TestObserverOfReads(t *testing.T) {
	var observed attempts
	client, mock := mockClient(t, tosspayments.WithObserver(observed.observe))
	onLookUp(mock, answer{status: 200, body: paymentJSON("DONE", nil)})
	_, err := client.GetPayment(t.Context(), "pay-1")
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client.GetPayment(ended, "pay-1")
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{`get payment 1 lookup=false 200 "" trace-1 err=false`}, observed.brief(),
		"a read of the caller is no lookup, and what was not sent is not seen")
}

// records are what a logger was given.
func records(t *testing.T, out *bytes.Buffer) (list []map[string]any) {
	t.Helper()
	for decoder := json.NewDecoder(out); decoder.More(); {
		var record map[string]any
		require.NoError(t, decoder.Decode(&record))
		list = append(list, record)
	}
	return list
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t, tosspayments.WithLogger(logger))
		onConfirm(mock, answer{err: errors.New("broken by Basic dGVzdF9za196WExrS0V5cE5BcldtbzUwblgzbG1lYXhZRzVSOg==")},
			refusal(500, "COMMON_ERROR"), answer{status: 200, body: paymentJSON("DONE", object{"card": object{"approveNo": object{}}})})
		onLookUp(mock, answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)})
		_, err := client.ConfirmPayment(t.Context(), confirmRequest())
		require.NoError(t, err)
		_, err = client.GetPayment(t.Context(), "pay-secret-1")
		require.Error(t, err)
	})
	text := out.String()
	list := records(t, &out)
	require.GreaterOrEqual(t, len(list), 6)
	for i, want := range []object{
		{"level": "WARN", "operation": "confirm payment", "method": "POST", "path": "/v1/payments/confirm", "attempt": 1.0, "lookup": false, "status": 0.0, "traceId": "", "error": "broken by Basic [redacted]"},
		{"level": "WARN", "operation": "confirm payment", "attempt": 2.0, "lookup": false, "status": 500.0, "code": "COMMON_ERROR", "traceId": "trace-1"},
		{"level": "DEBUG", "operation": "get payment", "method": "GET", "path": "/v1/payments/{paymentKey}", "attempt": 1.0, "lookup": true, "status": 200.0},
		{"level": "DEBUG", "operation": "confirm payment", "attempt": 3.0, "status": 200.0, "code": nil, "error": nil},
		{"level": "WARN", "operation": "confirm payment", "fields": []any{"card.approveNo"}, "traceId": "trace-1"},
		{"level": "WARN", "operation": "get payment", "lookup": false, "path": "/v1/payments/{paymentKey}"},
	} {
		for name, value := range want {
			assert.Equal(t, value, list[i][name], "record %d: %s", i, name)
		}
	}
	assert.Contains(t, list[0], "duration")
	for _, leak := range []string{"pay-secret-1", "order-0001", "15000", "zXLkKEyp", "dGVzdF9z"} {
		assert.NotContains(t, text, leak)
	}

	quiet := slog.New(slog.NewJSONHandler(&out, nil))
	client, mock := mockClient(t, tosspayments.WithLogger(quiet))
	onConfirm(mock, answer{status: 200, body: paymentJSON("DONE", nil)}, refusal(403, "REJECT_CARD_COMPANY"))
	for range 2 {
		_, _ = client.ConfirmPayment(t.Context(), confirmRequest())
	}
	assert.Empty(t, out.String(), "what was answered is logged at level Debug")
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
	f.Add(429, "")
	f.Add(409, "")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		mock := httpmock.NewMockTransport()
		client, err := tosspayments.New(testKey, tosspayments.WithHTTPClient(&http.Client{Transport: mock}), tosspayments.WithMaxRetries(0))
		require.NoError(t, err)
		mock.RegisterResponder(http.MethodPost, confirmURL, httpmock.NewStringResponder(status, body))
		mock.RegisterResponder(http.MethodGet, paymentURL, httpmock.NewStringResponder(401, `{"code":"UNAUTHORIZED_KEY"}`))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		payment, err := client.ConfirmPayment(ctx, confirmRequest())
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

// A payment that is cut off on the way still has its secrets.
func TestAnAnswerThatIsCutOffIsNotQuoted(t *testing.T) { synctest.Test(t, answerThatIsCutOff) }

func answerThatIsCutOff(t *testing.T) {
	client, mock := mockClient(t)
	cutOff := func(*http.Request) (*http.Response, error) {
		response := httpmock.NewStringResponse(200, "")
		response.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"secret":"ps_secret",`), iotest.ErrReader(io.ErrUnexpectedEOF)))
		return response, nil
	}
	mock.RegisterNoResponder(cutOff)
	_, err := client.GetPayment(t.Context(), "pay-1")
	var answered *tosspayments.Error
	require.ErrorAs(t, err, &answered)
	assert.Empty(t, answered.Excerpt)
	_, err = client.ConfirmPayment(t.Context(), confirmRequest())
	var unknown *tosspayments.OutcomeUnknownError
	require.ErrorAs(t, err, &unknown)
	assert.Empty(t, unknown.LastAnswer.Excerpt)
}
