package payouts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/jwe"
	"github.com/seed238ab19c/tosspayments/payouts"
)

var (
	newKey = strings.Repeat("7e57", 16)
	oldKey = strings.Repeat("01d0", 16)
)

// answer is one answer of the server, or the lack of one.
type answer struct {
	status int
	body   string
	err    error
	after  time.Duration
	// key encrypts the body; "" sends it as it is.
	key string
}

var lost = answer{err: errors.New("connection reset")}

func refusal(status int, code string) answer {
	return answer{status: status, body: fmt.Sprintf(`{"version":"2022-11-16","traceId":"t","entityType":null,"entityBody":null,"error":{"code":%q,"message":"no"}}`, code)}
}

func okAnswer(entity string) answer {
	return answer{status: 200, body: `{"version":"2022-11-16","traceId":"t","entityType":"x","entityBody":` + entity + `,"error":null}`}
}

// sealed is the same answer, encrypted.
func (a answer) sealed() answer {
	a.key = newKey
	return a
}

func (a answer) under(key string) answer {
	a.key = key
	return a
}

// seen is a request as it arrived, decrypted.
type seen struct {
	method, path, query string
	header              http.Header
	body                string
	iat, nonce          string
}

// server answers in turn; the last answer stays.
type server struct {
	answers []answer
	seen    []seen
}

func parseKey(text string) jwe.Key {
	key, err := jwe.ParseKey(text)
	if err != nil {
		panic(err)
	}
	return key
}

func (s *server) respond(r *http.Request) (*http.Response, error) {
	request := seen{method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header.Clone()}
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		request.body = string(data)
	}
	if r.Header.Get("TossPayments-api-security-mode") != "" {
		header, plain, err := jwe.Open([]byte(request.body), parseKey(newKey))
		if err != nil {
			return nil, err
		}
		var h struct{ Iat, Nonce string }
		if err := json.Unmarshal(header, &h); err != nil {
			return nil, err
		}
		request.body, request.iat, request.nonce = string(plain), h.Iat, h.Nonce
	}
	s.seen = append(s.seen, request)
	a := s.answers[min(len(s.seen), len(s.answers))-1]
	time.Sleep(a.after)
	if a.err != nil {
		return nil, a.err
	}
	body := []byte(a.body)
	if a.key != "" {
		body = parseKey(a.key).Seal(jwe.AnswerHeader(), body)
	}
	return httpmock.NewBytesResponse(a.status, body), nil
}

func newClient(t testing.TB, transport http.RoundTripper, opts ...tosspayments.Option) *payouts.Client {
	t.Helper()
	toss, err := tosspayments.New("test_sk_payoutspayouts", append([]tosspayments.Option{
		tosspayments.WithHTTPClient(&http.Client{Transport: transport}),
	}, opts...)...)
	require.NoError(t, err)
	client, err := payouts.New(toss, newKey, oldKey)
	require.NoError(t, err)
	return client
}

func scriptedClient(t testing.TB, answers ...answer) (*payouts.Client, *server) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	s := &server{answers: answers}
	mock.RegisterNoResponder(s.respond)
	return newClient(t, mock), s
}

func sensitive(text string) tosspayments.Sensitive { return tosspayments.NewSensitive(text) }

func company() *payouts.Company {
	return &payouts.Company{
		Name: "주식회사 예시", RepresentativeName: sensitive("김대표"), BusinessRegistrationNumber: "1234567890",
		Email: sensitive("pay@example.com"), Phone: sensitive("0212345678"),
	}
}

func individual() *payouts.Individual {
	return &payouts.Individual{Name: sensitive("홍길동"), Email: sensitive("h@example.com"), Phone: sensitive("01012345678")}
}

func account() payouts.Account {
	return payouts.Account{BankCode: "092", AccountNumber: sensitive("100012345678"), HolderName: sensitive("홍길동")}
}

func registrationRequest() payouts.RegisterSellerRequest {
	return payouts.RegisterSellerRequest{
		RefSellerID: "shop-0077", BusinessType: payouts.BusinessTypeIndividual, Individual: individual(), Account: account(),
		Metadata: tosspayments.Metadata{"tier": "gold"},
	}
}

func expressRequest(ref string) payouts.PayoutRequest {
	return payouts.PayoutRequest{
		RefPayoutID: ref, Destination: "seller_a01example", ScheduleType: payouts.ScheduleExpress,
		Amount: payouts.Won(50_000), TransactionDescription: "3월정산",
	}
}

func scheduledRequest(ref, day string) payouts.PayoutRequest {
	r := expressRequest(ref)
	date, err := tosspayments.ParseDate(day)
	if err != nil {
		panic(err)
	}
	r.ScheduleType, r.PayoutDate = payouts.ScheduleScheduled, date
	return r
}

func payoutJSON(ref, status string, amount int) string {
	return fmt.Sprintf(`{"id":"FPA_%s","refPayoutId":%q,"destination":"seller_a01example","payoutDate":"2026-03-10","amount":{"currency":"KRW","value":%d.0},"status":%q,"error":null}`,
		ref, ref, amount, status)
}

func listJSON(items ...string) string {
	return `{"hasNext":false,"lastCursor":null,"items":[` + strings.Join(items, ",") + `]}`
}

const (
	sellerJSON  = `{"id":"seller_a01example","refSellerId":"shop-0077","status":"APPROVAL_REQUIRED"}`
	balanceJSON = `{"pendingAmount":{"currency":"KRW","value":1},"availableAmount":{"currency":"KRW","value":880000.0}}`
)

// calls are all the calls of the package: what each sends, and a good answer.
var calls = []struct {
	name, method, path, query, body string
	// encrypted calls are those with a body that is.
	encrypted bool
	answer    string
	call      func(context.Context, *payouts.Client, ...tosspayments.CallOption) (any, error)
	// bad makes the call with input that is refused, in the named field.
	bad      func(context.Context, *payouts.Client) error
	badField string
}{
	{"RegisterSeller", "POST", "/v2/sellers", "",
		`{"refSellerId":"shop-0077","businessType":"INDIVIDUAL","individual":{"name":"홍길동","email":"h@example.com","phone":"01012345678"},"account":{"bankCode":"092","accountNumber":"100012345678","holderName":"홍길동"},"metadata":{"tier":"gold"}}`,
		true, sellerJSON,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.RegisterSeller(ctx, registrationRequest(), o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.RegisterSeller(ctx, payouts.RegisterSellerRequest{})
			return err
		}, "businessType"},
	{"UpdateSeller", "POST", "/v2/sellers/seller_a01example", "", `{"company":{"phone":"0212345678"},"metadata":null}`, true, sellerJSON,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.UpdateSeller(ctx, "seller_a01example", payouts.UpdateSellerRequest{
				Company: &payouts.Company{Phone: sensitive("0212345678")}, Metadata: payouts.Null[tosspayments.Metadata](),
			}, o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.UpdateSeller(ctx, "", payouts.UpdateSellerRequest{})
			return err
		}, "sellerId"},
	{"GetSeller", "GET", "/v2/sellers/a%2Fb", "", "", false, strings.Replace(sellerJSON, "seller_a01example", "a/b", 1),
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.GetSeller(ctx, "a/b", o...)
		},
		func(ctx context.Context, c *payouts.Client) error { _, err := c.GetSeller(ctx, ".."); return err }, "sellerId"},
	{"ListSellers", "GET", "/v2/sellers", "limit=100&startingAfter=seller_1", "", false, listJSON(sellerJSON),
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.ListSellers(ctx, payouts.SellerQuery{Limit: 100, StartingAfter: "seller_1"}, o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.ListSellers(ctx, payouts.SellerQuery{Limit: -1})
			return err
		}, "limit"},
	{"DeleteSeller", "DELETE", "/v2/sellers/seller_1", "", "", false, `{"id":"seller_1","refSellerId":null}`,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.DeleteSeller(ctx, "seller_1", o...)
		},
		func(ctx context.Context, c *payouts.Client) error { _, err := c.DeleteSeller(ctx, ""); return err }, "sellerId"},
	{"RequestPayouts", "POST", "/v2/payouts", "",
		`[{"refPayoutId":"p-1","destination":"seller_a01example","scheduleType":"SCHEDULED","payoutDate":"2026-03-10","amount":{"currency":"KRW","value":50000},"transactionDescription":"3월정산"}]`,
		true, listJSON(payoutJSON("p-1", "REQUESTED", 50000)),
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.RequestPayouts(ctx, []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10")}, o...)
		},
		func(ctx context.Context, c *payouts.Client) error { _, err := c.RequestPayouts(ctx, nil); return err }, "payouts"},
	{"GetPayout", "GET", "/v2/payouts/FPA_p-1", "", "", false, payoutJSON("p-1", "COMPLETED", 50000),
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.GetPayout(ctx, "FPA_p-1", o...)
		},
		func(ctx context.Context, c *payouts.Client) error { _, err := c.GetPayout(ctx, ""); return err }, "payoutId"},
	{"ListPayouts", "GET", "/v2/payouts", "limit=50&payoutDateGte=2026-03-01&payoutDateLte=2026-03-31&startingAfter=FPA_0", "", false,
		listJSON(payoutJSON("p-1", "COMPLETED", 50000)),
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.ListPayouts(ctx, payouts.PayoutQuery{
				PayoutDateGte: tosspayments.Date{Year: 2026, Month: 3, Day: 1}, PayoutDateLte: tosspayments.Date{Year: 2026, Month: 3, Day: 31},
				Limit: 50, StartingAfter: "FPA_0",
			}, o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.ListPayouts(ctx, payouts.PayoutQuery{Limit: 10001})
			return err
		}, "limit"},
	{"FindPayouts", "GET", "/v2/payouts", "limit=1000&payoutDateGte=2026-03-10&payoutDateLte=2026-03-10", "", false,
		listJSON(payoutJSON("p-1", "COMPLETED", 50000)),
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.FindPayouts(ctx, []payouts.PayoutRequest{scheduledRequest("p-1", "2026-03-10")}, o...)
		},
		func(ctx context.Context, c *payouts.Client) error { _, err := c.FindPayouts(ctx, nil); return err }, "payouts"},
	{"CancelPayout", "POST", "/v2/payouts/FPA_p-1/cancel", "", "", false, payoutJSON("p-1", "CANCELED", 50000),
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.CancelPayout(ctx, "FPA_p-1", o...)
		},
		func(ctx context.Context, c *payouts.Client) error { _, err := c.CancelPayout(ctx, "."); return err }, "payoutId"},
	{"GetBalance", "GET", "/v2/balances", "", "", false, balanceJSON,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.GetBalance(ctx, o...)
		}, nil, ""},
	{"LookupHolderName", "POST", "/v2/bank-accounts/lookup-holder-name", "", `{"bankCode":"092","accountNumber":"100012345678"}`, false, `{"holderName":"홍길동"}`,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.LookupHolderName(ctx, account(), o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.LookupHolderName(ctx, payouts.Account{})
			return err
		}, "bankCode"},
	{"ValidateAccount", "POST", "/v2/bank-accounts/validate", "", `{"bankCode":"092","accountNumber":"100012345678"}`, false, `{"isValid":true}`,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.ValidateAccount(ctx, account(), o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.ValidateAccount(ctx, payouts.Account{BankCode: "092"})
			return err
		}, "accountNumber"},
	{"VerifyIdentifier", "POST", "/v2/bank-accounts/verify-identifier", "", `{"bankCode":"092","accountNumber":"100012345678","identityNumber":"900101"}`, false, `{"isValid":true}`,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.VerifyIdentifier(ctx, account(), sensitive("900101"), o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.VerifyIdentifier(ctx, account(), tosspayments.Sensitive{})
			return err
		}, "identityNumber"},
	{"VerifyHolderName", "POST", "/v2/bank-accounts/verify-holder-name", "", `{"bankCode":"092","accountNumber":"100012345678","holderName":"홍길동"}`, false, `{"isValid":true}`,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.VerifyHolderName(ctx, account(), o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			a := account()
			a.HolderName = tosspayments.Sensitive{}
			_, err := c.VerifyHolderName(ctx, a)
			return err
		}, "holderName"},
	{"VerifyHolderRealName", "POST", "/v2/bank-accounts/verify-holder-real-name", "",
		`{"bankCode":"092","accountNumber":"100012345678","holderName":"홍길동","identityNumber":"900101"}`, false, `{"isValid":true}`,
		func(ctx context.Context, c *payouts.Client, o ...tosspayments.CallOption) (any, error) {
			return c.VerifyHolderRealName(ctx, account(), sensitive("900101"), o...)
		},
		func(ctx context.Context, c *payouts.Client) error {
			_, err := c.VerifyHolderRealName(ctx, account(), sensitive("1234-56"))
			return err
		}, "identityNumber"},
}

// assertBody wants this JSON, or nothing where it is "".
func assertBody(t *testing.T, want, got string) {
	t.Helper()
	if want == "" {
		assert.Empty(t, got)
	} else {
		assert.JSONEq(t, want, got)
	}
}

func TestWireFormat(t *testing.T) {
	type wire struct {
		method, path, query, mode, contentType string
		hasKey                                 bool
	}
	for _, row := range calls {
		t.Run(row.name, func(t *testing.T) {
			a := okAnswer(row.answer)
			want := wire{method: row.method, path: row.path, query: row.query, hasKey: row.method == http.MethodPost}
			switch {
			case row.encrypted:
				a = a.sealed()
				want.mode, want.contentType = "ENCRYPTION", "text/plain"
			case row.body != "":
				want.contentType = "application/json"
			}
			client, s := scriptedClient(t, a)
			value, err := row.call(t.Context(), client)
			require.NoError(t, err)
			assert.False(t, reflect.ValueOf(value).IsZero())
			require.Len(t, s.seen, 1)
			got := s.seen[0]
			assert.Equal(t, want, wire{
				method: got.method, path: got.path, query: got.query, hasKey: got.header.Get("Idempotency-Key") != "",
				mode: strings.Join(got.header["Tosspayments-Api-Security-Mode"], ","), contentType: got.header.Get("Content-Type"),
			})
			assertBody(t, row.body, got.body)
			assert.True(t, strings.HasPrefix(got.header.Get("Authorization"), "Basic "))
		})
	}
}

// Every method that makes a request is in the table, and has an example.
func TestAllCallsAreListed(t *testing.T) {
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	listed := map[string]bool{"Format": true, "LogValue": true, "AllSellers": true, "AllPayouts": true}
	for _, row := range calls {
		listed[row.name] = true
		assert.Contains(t, string(examples), "func ExampleClient_"+row.name+"()")
	}
	for client, i := reflect.TypeFor[*payouts.Client](), 0; i < client.NumMethod(); i++ {
		assert.True(t, listed[client.Method(i).Name], client.Method(i).Name)
	}
}

// failures are what may come of any call. decided are those after which nothing has happened.
var failures = map[string]struct {
	answer
	decided bool
}{
	"refused": {refusal(400, "INVALID_REQUEST"), true}, "not allowed": {refusal(403, "FORBIDDEN_REQUEST"), true},
	"key": {refusal(401, "UNAUTHORIZED_KEY"), true}, "too many": {answer{status: 429}, true},
	"lost": {lost, false}, "server error": {refusal(500, "COMMON_ERROR"), false}, "unknown code": {refusal(400, "A_CODE_OF_TOMORROW"), false},
	"HTML": {answer{status: 502, body: "<html>bad gateway</html>"}, false}, "HTML 200": {answer{status: 200, body: "<html>"}, false},
	"redirect": {answer{status: 302}, false}, "cut": {answer{status: 200, body: `{"entityBody":{`}, false}, "empty": {answer{status: 200}, false},
	"too large": {answer{status: 200, body: strings.Repeat(" ", 17<<20)}, false},
	"no entity": {answer{status: 200, body: `{"version":"2022-11-16","entityBody":null,"error":null}`}, false},
	"a list":    {okAnswer("[]"), false}, "a text": {okAnswer(`"x"`), false},
	"an error inside": {answer{status: 200, body: refusal(200, "NOT_ENOUGH_AMOUNT").body}, false},
	"another key":     {okAnswer("{}").under(strings.Repeat("ff", 32)), false},
}

// TestFailures runs the failures over all calls: the error is typed, nothing panics, and
// nothing is called refused that is not known to be.
func TestFailures(t *testing.T) {
	for _, row := range calls {
		for name, failure := range failures {
			hasNone := row.name == "DeleteSeller" || strings.HasPrefix(row.name, "List") || row.name == "FindPayouts"
			switch {
			case name == "no entity" && hasNone:
				continue // There may be no rows, and nothing is left of a seller.
			case name == "too large" && row.name != "UpdateSeller" && row.name != "GetBalance":
				continue // 17 MiB take their time.
			}
			t.Run(row.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := failure.answer
					if row.encrypted && name == "refused" {
						a = a.sealed()
					}
					client, _ := scriptedClient(t, a)
					value, err := row.call(t.Context(), client)
					require.Error(t, err)
					v := reflect.ValueOf(value)
					assert.True(t, v.Kind() == reflect.Struct || v.IsZero(), "a value beside an error")
					isRead := row.method == http.MethodGet
					// The batch may have been requested before, and the list is refused too.
					isUnknown := !isRead && (!failure.decided || row.name == "RequestPayouts")
					assert.Equal(t, isUnknown, errors.Is(err, tosspayments.ErrOutcomeUnknown), "%v", err)
					want := tosspayments.OutcomeUnknown
					if failure.decided && !isRead && !isUnknown {
						want = tosspayments.OutcomeRefused
					}
					assert.Equal(t, want, tosspayments.OutcomeOf(nil, err), "%v", err)
					var refused *tosspayments.Error
					if failure.decided && !isUnknown && assert.ErrorAs(t, err, &refused) {
						assert.Equal(t, a.status, refused.StatusCode)
					}
				})
			})
		}
	}
}

// Bad input is refused before anything is sent. That of a read says nothing of what was paid.
func TestBadInput(t *testing.T) {
	for _, row := range calls {
		if row.bad == nil {
			continue
		}
		client, s := scriptedClient(t, okAnswer(row.answer))
		err := row.bad(t.Context(), client)
		var wrong *tosspayments.ValidationError
		require.ErrorAs(t, err, &wrong, row.name)
		assert.Equal(t, row.badField, wrong.Field, row.name)
		want := tosspayments.OutcomeNotSent
		if row.method == http.MethodGet {
			want = tosspayments.OutcomeUnknown
		}
		assert.Equal(t, want, tosspayments.OutcomeOf(nil, err), row.name)
		assert.Empty(t, s.seen)
	}
}

// An attempt without an answer is given up: encrypted calls, which move money, have longer.
func TestCallsTakeTheirTime(t *testing.T) {
	for _, row := range calls {
		synctest.Test(t, func(t *testing.T) {
			mock := httpmock.NewMockTransport()
			var took atomic.Int64 // of the first attempt
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				start := time.Now()
				<-r.Context().Done()
				took.CompareAndSwap(0, int64(time.Since(start)))
				return nil, r.Context().Err()
			})
			_, err := row.call(t.Context(), newClient(t, mock))
			require.Error(t, err)
			synctest.Wait() // the responder runs on its own
			want := 15 * time.Second
			if row.encrypted {
				want = 25 * time.Second
			}
			assert.Equal(t, want, time.Duration(took.Load()), row.name)
		})
	}
}

// threeAttempts are those of a registration whose last one is answered under the older key.
func threeAttempts(t *testing.T) (*payouts.Seller, []seen) {
	t.Helper()
	client, s := scriptedClient(t, answer{err: lost.err, after: time.Second}, refusal(500, "COMMON_ERROR"), okAnswer(sellerJSON).under(oldKey))
	seller, err := client.RegisterSeller(t.Context(), registrationRequest(), tosspayments.WithIdempotencyKey("k"))
	require.NoError(t, err)
	require.Len(t, s.seen, 3)
	return seller, s.seen
}

func TestAnswersAreOpenedWithEachKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seller, _ := threeAttempts(t)
		assert.Equal(t, payouts.SellerStatusApprovalRequired, seller.Status)
	})
}

// Every attempt has a time and a nonce of its own, and the same key and body.
func TestAttemptsAreSealedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, attempts := threeAttempts(t)
		nonces, times := map[string]bool{}, map[string]bool{}
		for _, r := range attempts {
			assert.Equal(t, attempts[0].body, r.body)
			assert.Equal(t, "k", r.header.Get("Idempotency-Key"))
			nonces[r.nonce], times[r.iat] = true, true
		}
		assert.Len(t, nonces, 3)
		assert.NotContains(t, nonces, "")
		assert.Greater(t, len(times), 1)
	})
}

func TestNew(t *testing.T) {
	toss, err := tosspayments.New("test_sk_payoutspayouts")
	require.NoError(t, err)
	for _, keys := range [][]string{nil, {""}, {"zz"}, {newKey, "1"}, {newKey + "00"}} {
		_, err := payouts.New(toss, keys...)
		var wrong *tosspayments.ValidationError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, "securityKey", wrong.Field)
	}
	_, err = payouts.New(nil, newKey)
	require.Error(t, err)
	client, err := payouts.New(toss, " "+strings.ToUpper(newKey)+"\n")
	require.NoError(t, err, "as it is copied")
	assert.Equal(t, "[redacted]", fmt.Sprintf("%+v", client))
}

// loadStrict decodes the entity of a fixture, and refuses a member that the type lacks.
func loadStrict(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	var envelope struct{ EntityBody json.RawMessage }
	require.NoError(t, json.Unmarshal(data, &envelope))
	decoder := json.NewDecoder(bytes.NewReader(envelope.EntityBody))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(v), name)
}

// assertFilled refuses a field that the fixture leaves zero.
func assertFilled(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch {
	case v.Kind() == reflect.Pointer:
		require.False(t, v.IsNil(), path)
		assertFilled(t, path, v.Elem())
	case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[payouts.Seller]().PkgPath():
		for i := range v.NumField() {
			assertFilled(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	default:
		assert.False(t, v.IsZero(), path)
	}
}

func TestFixtures(t *testing.T) {
	var seller payouts.Seller
	loadStrict(t, "seller.json", &seller)
	assertFilled(t, "seller", reflect.ValueOf(seller))
	assert.True(t, seller.Status.IsPayable())
	var payout payouts.Payout
	loadStrict(t, "payout.json", &payout)
	assertFilled(t, "payout", reflect.ValueOf(payout))
	assert.Equal(t, payouts.Won(50_000), payout.Amount, "50000.0 is 50000")
	assert.Equal(t, tosspayments.ErrInvalidAccountNumber, payout.Error.Code)
	var balance payouts.Balance
	loadStrict(t, "balance.json", &balance)
	assert.Equal(t, payouts.Won(880_000), balance.AvailableAmount)
	var deleted payouts.DeletedSeller
	loadStrict(t, "deleted.json", &deleted)
	assertFilled(t, "deleted", reflect.ValueOf(deleted))

	stored, err := json.Marshal(seller.Stored())
	require.NoError(t, err)
	assert.Contains(t, string(stored), "01012345678")
	plain, err := json.Marshal(seller)
	require.NoError(t, err)
	for _, secret := range []string{"01012345678", "0212345678", "홍길동", "김대표", "110*****1234", "h@example.com", "주식회사 예시\"}"} {
		assert.NotContains(t, string(plain), secret)
	}
}

func TestStates(t *testing.T) {
	for status, want := range map[payouts.SellerStatus]bool{
		"APPROVAL_REQUIRED": false, "PARTIALLY_APPROVED": true, "KYC_REQUIRED": false, "APPROVED": true, "OF_TOMORROW": false, "": false,
	} {
		assert.Equal(t, want, status.IsPayable(), status)
	}
	for status, want := range map[payouts.PayoutStatus][2]bool{
		"REQUESTED": {}, "IN_PROGRESS": {}, "COMPLETED": {true, false}, "FAILED": {true, true}, "CANCELED": {true, true}, "REJECTED": {true, true},
		"DELETED": {true, true}, "OF_TOMORROW": {}, "": {},
	} {
		assert.Equal(t, want, [2]bool{status.IsFinal(), status.IsUnpaid()}, status)
	}
}

// An update keeps absent, null and a value apart.
func TestUpdates(t *testing.T) {
	for body, req := range map[string]payouts.UpdateSellerRequest{
		`{}`:                    {},
		`{"metadata":null}`:     {Metadata: payouts.Null[tosspayments.Metadata]()},
		`{"metadata":{}}`:       {Metadata: payouts.Value(tosspayments.Metadata{})},
		`{"metadata":{"a":""}}`: {Metadata: payouts.Value(tosspayments.Metadata{"a": ""})},
		`{"account":{"bankCode":"092","accountNumber":"100012345678","holderName":"홍길동"}}`: {Account: ptr(account())},
		`{"individual":{"email":"a@b.c"}}`: {Individual: &payouts.Individual{Email: sensitive("a@b.c")}},
	} {
		client, s := scriptedClient(t, okAnswer(sellerJSON).sealed())
		_, err := client.UpdateSeller(t.Context(), "seller_a01example", req)
		require.NoError(t, err)
		assert.JSONEq(t, body, s.seen[0].body)
	}
}

func ptr[T any](v T) *T { return &v }

func TestDeleteSellerThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := scriptedClient(t, lost, refusal(404, "NOT_FOUND"))
		deleted, err := client.DeleteSeller(t.Context(), "seller_1")
		require.NoError(t, err, "the attempt that was lost has deleted it")
		assert.Equal(t, "seller_1", deleted.ID)
		client, _ = scriptedClient(t, refusal(404, "NOT_FOUND"))
		_, err = client.DeleteSeller(t.Context(), "seller_1")
		require.ErrorIs(t, err, tosspayments.ErrNotFound)
		client, _ = scriptedClient(t, answer{status: 404, body: "<html>"})
		_, err = client.DeleteSeller(t.Context(), "seller_1")
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
	})
}

// An answer without an entity still says which seller is gone.
func TestDeleteSellerWithoutAnEntity(t *testing.T) {
	client, _ := scriptedClient(t, answer{status: 200, body: `{"version":"2022-11-16","entityBody":null,"error":null}`})
	deleted, err := client.DeleteSeller(t.Context(), "seller_1")
	require.NoError(t, err)
	assert.Equal(t, &payouts.DeletedSeller{ID: "seller_1"}, deleted)
}

func TestPages(t *testing.T) {
	page := func(more bool, ids ...string) answer {
		rows := make([]string, len(ids))
		for i, id := range ids {
			rows[i] = strings.Replace(sellerJSON, "seller_a01example", id, 1)
		}
		return okAnswer(fmt.Sprintf(`{"hasNext":%t,"lastCursor":7,"items":[%s]}`, more, strings.Join(rows, ",")))
	}
	for _, row := range []struct {
		name    string
		answers []answer
		want    string
		err     bool
		queries []string
	}{
		{"none", []answer{page(false)}, "", false, []string{""}},
		{"one page", []answer{page(false, "a", "b")}, "ab", false, []string{""}},
		{"two pages", []answer{page(true, "a", "b"), page(false, "c")}, "abc", false, []string{"", "startingAfter=b"}},
		{"a row twice", []answer{page(true, "a", "b"), page(false, "b", "c")}, "abc", false, []string{"", "startingAfter=b"}},
		{"an error later", []answer{page(true, "a"), refusal(400, "INVALID_REQUEST")}, "a", true, []string{"", "startingAfter=a"}},
		{"in circles", []answer{page(true, "a")}, "a", true, []string{"", "startingAfter=a"}},
		{"more, but nothing", []answer{page(true)}, "", true, []string{""}},
		{"no hasNext", []answer{okAnswer(`{"items":[` + sellerJSON + `]}`)}, "seller_a01example", false, []string{""}},
		{"a row without its status", []answer{okAnswer(`{"items":[` + sellerJSON + `,{"id":"x"}]}`)}, "", true, []string{""}},
		{"no list", []answer{{status: 200, body: `{"ok":true}`}}, "", true, []string{""}},
		{"no items", []answer{okAnswer(`{"hasNext":false}`)}, "", true, []string{""}},
		{"null items", []answer{okAnswer(`{"items":null}`)}, "", false, []string{""}},
		{"a hasNext that is none", []answer{okAnswer(`{"hasNext":"perhaps","items":[` + sellerJSON + `]}`)}, "", true, []string{""}},
		{"a row that is none", []answer{okAnswer(`{"items":[7]}`)}, "", true, []string{""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, s := scriptedClient(t, row.answers...)
			got := ""
			var last error
			for seller, err := range client.AllSellers(t.Context(), payouts.SellerQuery{}) {
				got += seller.ID
				last = err
			}
			assert.Equal(t, row.want, got)
			assert.Equal(t, row.err, last != nil, "%v", last)
			for i, want := range row.queries {
				assert.Equal(t, want, s.seen[i].query)
			}
			assert.Len(t, s.seen, len(row.queries))
		})
	}
}

// FuzzAnswers feeds any answer to every call: none of them may make up an object.
func FuzzAnswers(f *testing.F) {
	for _, row := range calls {
		f.Add(200, []byte(okAnswer(row.answer).body))
	}
	f.Add(200, parseKey(newKey).Seal(jwe.AnswerHeader(), []byte(okAnswer(sellerJSON).body)))
	f.Add(400, []byte(refusal(400, "INVALID_REQUEST").body))
	f.Add(200, []byte(`{"entityBody":{"hasNext":true,"items":[null,{}]}}`))
	f.Add(200, []byte(okAnswer(listJSON(payoutJSON("p-1", "REQUESTED", 1))).body))
	f.Add(400, parseKey(newKey).Seal(jwe.AnswerHeader(), []byte(refusal(400, "OF_TOMORROW").body)))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 100 || status > 599 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			mock := httpmock.NewMockTransport()
			mock.RegisterNoResponder(httpmock.NewBytesResponder(status, body))
			client := newClient(t, mock, tosspayments.WithMaxRetries(0))
			for _, row := range calls {
				value, err := row.call(t.Context(), client)
				if err == nil {
					assert.Empty(t, whatIsWrong(value), row.name)
				}
			}
		})
	})
}

// whatIsWrong says why an answer is of no use, or is about something else; "" is that it
// is right.
func whatIsWrong(value any) string {
	switch v := value.(type) {
	case *payouts.Seller:
		if v.ID == "" || v.Status == "" {
			return fmt.Sprintf("a seller with the id %q and the status %q", v.ID, v.Status)
		}
	case *payouts.Payout:
		if v.ID != "FPA_p-1" || v.Status == "" {
			return fmt.Sprintf("a payout with the id %q and the status %q", v.ID, v.Status)
		}
	case []payouts.Payout:
		for _, p := range v {
			if p.RefPayoutID != "p-1" || p.Destination != "seller_a01example" || p.Amount.Value != tosspayments.Won(50_000) {
				return fmt.Sprintf("payout %q to %q of %s", p.RefPayoutID, p.Destination, p.Amount.Value)
			}
		}
	case tosspayments.Sensitive:
		if v.Reveal() == "" {
			return "nothing"
		}
	}
	return ""
}
