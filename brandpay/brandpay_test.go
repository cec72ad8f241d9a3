package brandpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
	"github.com/seed238ab19c/tosspayments/internal/leak"
)

// answer is one answer of the server, or the lack of one.
type answer struct {
	status int
	body   string
	err    error
}

var lost = answer{err: errors.New("connection reset")}

func refusal(status int, code string) answer {
	return answer{status: status, body: fmt.Sprintf(`{"code":%q,"message":"no"}`, code)}
}

func okAnswer(body string) answer { return answer{status: 200, body: body} }

type seen struct {
	method, path, query, body string
	header                    http.Header
}

// server answers in turn; the last answer stays.
type server struct {
	answers []answer
	seen    []seen
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
	s.seen = append(s.seen, request)
	a := s.answers[min(len(s.seen), len(s.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	return httpmock.NewStringResponse(a.status, a.body), nil
}

func newClient(t testing.TB, respond httpmock.Responder) (*brandpay.Client, *tosspayments.Client) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(respond)
	toss, err := tosspayments.New("test_sk_brandpaybrandpay", tosspayments.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	return brandpay.New(toss), toss
}

func scriptedClient(t testing.TB, answers ...answer) (*brandpay.Client, *server) {
	t.Helper()
	s := &server{answers: answers}
	client, _ := newClient(t, s.respond)
	return client, s
}

func sensitive(text string) tosspayments.Sensitive { return tosspayments.NewSensitive(text) }

func token() brandpay.Token {
	return brandpay.Token{CustomerKey: "7b0d8f3e-0c51", AccessToken: sensitive("exAccess0001"), RefreshToken: sensitive("exRefresh0001"), TokenType: "bearer", ExpiresIn: 2592000}
}

func authorization() brandpay.Authorization {
	return brandpay.Authorization{CustomerKey: "7b0d8f3e-0c51", Code: sensitive("exCode0001")}
}

func confirmRequest() brandpay.ConfirmPaymentRequest {
	return brandpay.ConfirmPaymentRequest{
		ConfirmPaymentRequest: tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000)},
		CustomerKey:           "7b0d8f3e-0c51",
	}
}

func chargeRequest() brandpay.ChargeRequest {
	return brandpay.ChargeRequest{
		CustomerKey: "7b0d8f3e-0c51", MethodKey: "mkey_card_1", Amount: tosspayments.Won(15000), OrderID: "order-0001", OrderName: "3월 구독",
	}
}

const (
	tokenJSON   = `{"accessToken":"exAccess0002","refreshToken":"exRefresh0002","tokenType":"bearer","expiresIn":2592000}`
	methodsJSON = `{"isIdentified":true,"selectedMethodId":null,"cards":[],"accounts":[]}`
	paymentJSON = `{"paymentKey":"pay-1","orderId":"order-0001","orderName":"3월 구독","type":"BRANDPAY","status":"DONE","currency":"KRW","totalAmount":15000,"balanceAmount":15000}`
)

// calls are all the calls of the package: what each sends, and a good answer.
var calls = []struct {
	name, method, path, query, body string
	// bearer calls go with the token of the customer.
	bearer bool
	answer string
	call   func(context.Context, *brandpay.Client, ...tosspayments.CallOption) (any, error)
	// bad makes the call with input that is refused, in the named field.
	bad      func(context.Context, *brandpay.Client) error
	badField string
}{
	{"GetTerms", "GET", "/v1/brandpay/terms", "customerKey=c%261&scope=REGISTER&scope=CARD", "", false,
		`[{"id":1,"title":"서비스 이용약관","version":"1.0","url":"https://pages.tosspayments.com/terms/brandpay/service","required":true,"agreed":false}]`,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.GetTerms(ctx, "c&1", []brandpay.Scope{brandpay.ScopeRegister, brandpay.ScopeCard}, o...)
		},
		func(ctx context.Context, c *brandpay.Client) error { _, err := c.GetTerms(ctx, "c", nil); return err }, "scope"},
	{"AgreeTerms", "POST", "/v1/brandpay/terms/agree", "", `{"customerKey":"7b0d8f3e-0c51","scope":["REGISTER","CARD"],"termsId":[1,2,7]}`, false, `{"code":"exCode0001"}`,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.AgreeTerms(ctx, brandpay.AgreeTermsRequest{
				CustomerKey: "7b0d8f3e-0c51", Scope: []brandpay.Scope{brandpay.ScopeRegister, brandpay.ScopeCard}, TermsID: []int64{1, 2, 7},
			}, o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			_, err := c.AgreeTerms(ctx, brandpay.AgreeTermsRequest{})
			return err
		}, "customerKey"},
	{"IssueToken", "POST", "/v1/brandpay/authorizations/access-token", "",
		`{"grantType":"AuthorizationCode","customerKey":"7b0d8f3e-0c51","code":"exCode0001","customerIdentity":{"ci":"CI1","mobilePhone":"01012345678","name":"홍길동","rrn":"9001011"}}`,
		false, tokenJSON,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			auth := authorization()
			auth.Identity = &brandpay.CustomerIdentity{CI: sensitive("CI1"), MobilePhone: sensitive("01012345678"), Name: sensitive("홍길동"), RRN: sensitive("9001011")}
			return c.IssueToken(ctx, auth, o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			auth := authorization()
			auth.Identity = &brandpay.CustomerIdentity{}
			_, err := c.IssueToken(ctx, auth)
			return err
		}, "customerIdentity.ci"},
	{"RefreshToken", "POST", "/v1/brandpay/authorizations/access-token", "",
		`{"grantType":"RefreshToken","customerKey":"7b0d8f3e-0c51","refreshToken":"exRefresh0001"}`, false, tokenJSON,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.RefreshToken(ctx, token(), o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			_, err := c.RefreshToken(ctx, brandpay.Token{CustomerKey: "c"})
			return err
		}, "accessToken"},
	{"Customer.GetMethods", "GET", "/v1/brandpay/payments/methods", "", "", true, methodsJSON,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.Customer(token(), nil).GetMethods(ctx, o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			_, err := c.Customer(brandpay.Token{}, nil).GetMethods(ctx)
			return err
		}, "customerKey"},
	{"GetMethods", "GET", "/v1/brandpay/payments/methods/c%2F1", "", "", false, methodsJSON,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.GetMethods(ctx, "c/1", o...)
		},
		func(ctx context.Context, c *brandpay.Client) error { _, err := c.GetMethods(ctx, ".."); return err }, "customerKey"},
	{"RemoveCard", "POST", "/v1/brandpay/payments/methods/card/remove", "", `{"methodKey":"mkey_card_1"}`, true, `{"methodKey":"mkey_card_1","status":"DISABLED"}`,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.Customer(token(), nil).RemoveCard(ctx, "mkey_card_1", o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			_, err := c.Customer(token(), nil).RemoveCard(ctx, "")
			return err
		}, "methodKey"},
	{"RemoveAccount", "POST", "/v1/brandpay/payments/methods/account/remove", "", `{"methodKey":"mkey_acct_1"}`, true, `{"methodKey":"mkey_acct_1","status":"DISABLED"}`,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.Customer(token(), nil).RemoveAccount(ctx, "mkey_acct_1", o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			_, err := c.Customer(token(), nil).RemoveAccount(ctx, "")
			return err
		}, "methodKey"},
	{"ConfirmPayment", "POST", "/v1/brandpay/payments/confirm", "", `{"paymentKey":"pay-1","orderId":"order-0001","amount":15000,"customerKey":"7b0d8f3e-0c51"}`, false, paymentJSON,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.ConfirmPayment(ctx, confirmRequest(), o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			r := confirmRequest()
			r.PaymentKey = ""
			_, err := c.ConfirmPayment(ctx, r)
			return err
		}, "paymentKey"},
	{"Charge", "POST", "/v1/brandpay/payments", "", `{"customerKey":"7b0d8f3e-0c51","methodKey":"mkey_card_1","amount":60000,"orderId":"order-0001","orderName":"3월 구독","cardInstallmentPlan":3,"taxFreeAmount":100,"cultureExpense":true,"customerEmail":"a@b.c","discountCode":"990061","useCardPoint":true,"cashReceipt":{"type":"소득공제","registrationNumberType":"MOBILE","registrationNumber":"01012345678"},"shippingAddress":{"address":"서울"}}`,
		false, strings.ReplaceAll(paymentJSON, "15000", "60000"),
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			r := chargeRequest()
			r.Amount, r.CardInstallmentPlan, r.TaxFreeAmount, r.CultureExpense = tosspayments.Won(60000), 3, tosspayments.Won(100), true
			r.CustomerEmail, r.DiscountCode, r.UseCardPoint = "a@b.c", "990061", true
			r.CashReceipt = &brandpay.CashReceipt{Type: "소득공제", RegistrationNumberType: "MOBILE", RegistrationNumber: sensitive("01012345678")}
			r.ShippingAddress = map[string]string{"address": "서울"}
			return c.Charge(ctx, r, o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			r := chargeRequest()
			r.MethodKey = ""
			_, err := c.Charge(ctx, r)
			return err
		}, "methodKey"},
	{"Leave", "POST", "/v1/brandpay/customers/remove", "", "", true, `{"customerKey":"7b0d8f3e-0c51","success":true}`,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return true, c.Customer(token(), nil).Leave(ctx, o...)
		},
		func(ctx context.Context, c *brandpay.Client) error {
			return c.Customer(brandpay.Token{CustomerKey: "c"}, nil).Leave(ctx)
		}, "accessToken"},
	{"GetCardPromotions", "GET", "/v1/brandpay/promotions/card", "", "", false, `{"discountCards":[]}`,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.GetCardPromotions(ctx, o...)
		}, nil, ""},
	{"GetBankPromotions", "GET", "/v1/brandpay/promotions/bank", "", "", false, `{"discountBanks":[]}`,
		func(ctx context.Context, c *brandpay.Client, o ...tosspayments.CallOption) (any, error) {
			return c.GetBankPromotions(ctx, o...)
		}, nil, ""},
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
	for _, row := range calls {
		t.Run(row.name, func(t *testing.T) {
			client, s := scriptedClient(t, okAnswer(row.answer))
			value, err := row.call(t.Context(), client)
			require.NoError(t, err)
			assert.False(t, reflect.ValueOf(value).IsZero())
			require.Len(t, s.seen, 1)
			got := s.seen[0]
			assert.Equal(t, []string{row.method, row.path, row.query}, []string{got.method, got.path, got.query})
			assertBody(t, row.body, got.body)
			if row.bearer {
				assert.Equal(t, []string{"Bearer exAccess0001"}, got.header["Authorization"])
			} else {
				assert.True(t, strings.HasPrefix(got.header.Get("Authorization"), "Basic "))
			}
			assert.Equal(t, row.method == http.MethodPost, got.header.Get("Idempotency-Key") != "")
		})
	}
}

// Every method that makes a request is in the table, and has an example.
func TestAllCallsAreListed(t *testing.T) {
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	listed := map[string]bool{"Customer": true, "Customer.Format": true, "Customer.LogValue": true}
	for _, row := range calls {
		name, example := row.name, "Client_"+row.name
		if row.bearer {
			method := strings.TrimPrefix(row.name, "Customer.")
			name, example = "Customer."+method, "Customer_"+method
		}
		listed[name] = true
		assert.Contains(t, string(examples), "func Example"+example+"()")
	}
	for prefix, object := range map[string]reflect.Type{"": reflect.TypeFor[*brandpay.Client](), "Customer.": reflect.TypeFor[*brandpay.Customer]()} {
		for i := range object.NumMethod() {
			assert.True(t, listed[prefix+object.Method(i).Name], object.Method(i).Name)
		}
	}
}

// failures are what may come of any call. decided are those after which nothing has happened.
var failures = map[string]struct {
	answer
	decided bool
}{
	"refused": {refusal(400, "INVALID_REQUEST"), true}, "no contract": {refusal(403, "FORBIDDEN_REQUEST"), true},
	"key": {refusal(401, "UNAUTHORIZED_KEY"), true}, "too many": {answer{status: 429}, true},
	"lost": {lost, false}, "server error": {refusal(500, "COMMON_ERROR"), false}, "unknown code": {refusal(400, "A_CODE_OF_TOMORROW"), false},
	"HTML": {answer{status: 503, body: "<html>"}, false}, "HTML 200": {okAnswer("<html>"), false}, "redirect": {answer{status: 302}, false},
	"cut": {okAnswer(`{"code":`), false}, "empty": {answer{status: 200}, false}, "a list": {okAnswer(`[7]`), false}, "a text": {okAnswer(`"x"`), false},
	"too large": {okAnswer(strings.Repeat(" ", 17<<20)), false},
}

// TestFailures runs the failures over all calls: the error is typed, nothing panics, and
// nothing is called refused that is not known to be.
func TestFailures(t *testing.T) {
	for _, row := range calls {
		for name, failure := range failures {
			switch {
			case name == "a list" && row.name == "GetTerms":
				continue // It is one.
			case name == "too large" && row.name != "AgreeTerms" && row.name != "GetMethods":
				continue // 17 MiB take their time.
			}
			t.Run(row.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, _ := scriptedClient(t, failure.answer)
					_, err := row.call(t.Context(), client)
					require.Error(t, err)
					isRead := row.method == http.MethodGet
					// A key is made from what is exchanged once, and the exchange may have happened.
					isUnknown := !isRead && (!failure.decided || strings.HasSuffix(row.name, "Token") && name != "refused")
					assert.Equal(t, isUnknown, errors.Is(err, tosspayments.ErrOutcomeUnknown), "%v", err)
					want := tosspayments.OutcomeUnknown
					if failure.decided && !isRead && !isUnknown {
						want = tosspayments.OutcomeRefused
					}
					assert.Equal(t, want, tosspayments.OutcomeOf(nil, err), "%v", err)
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

// An attempt without an answer is given up: where a card company or a code that works once is
// asked, it has longer.
func TestCallsTakeTheirTime(t *testing.T) {
	for _, row := range calls {
		synctest.Test(t, func(t *testing.T) {
			var took atomic.Int64 // of the first attempt
			client, _ := newClient(t, func(r *http.Request) (*http.Response, error) {
				start := time.Now()
				<-r.Context().Done()
				took.CompareAndSwap(0, int64(time.Since(start)))
				return nil, r.Context().Err()
			})
			_, err := row.call(t.Context(), client)
			require.Error(t, err)
			synctest.Wait() // the responder runs on its own
			want := 15 * time.Second
			if row.name == "Charge" || strings.HasSuffix(row.name, "Token") {
				want = 25 * time.Second
			}
			assert.Equal(t, want, time.Duration(took.Load()), row.name)
		})
	}
}

// A confirm and a charge end as those of the root package do.
func TestPaymentsEnd(t *testing.T) {
	changed := func(old, new string) answer { return okAnswer(strings.Replace(paymentJSON, old, new, 1)) }
	gone := okAnswer(`{"paymentKey":"pay-1","orderId":"order-0001","orderName":"3월 구독","type":"BRANDPAY","status":"CANCELED","totalAmount":15000,"balanceAmount":0}`)
	for _, row := range []struct {
		name        string
		posts, gets []answer
		confirm     tosspayments.Outcome
		charge      tosspayments.Outcome
	}{
		{"paid", []answer{okAnswer(paymentJSON)}, nil, tosspayments.OutcomePaid, tosspayments.OutcomePaid},
		{"refused", []answer{refusal(403, "INVALID_PASSWORD")}, nil, tosspayments.OutcomeRefused, tosspayments.OutcomeRefused},
		{"lost, found", []answer{lost}, []answer{okAnswer(paymentJSON)}, tosspayments.OutcomePaid, tosspayments.OutcomePaid},
		{"lost, not found", []answer{lost}, []answer{refusal(404, "NOT_FOUND_PAYMENT")}, tosspayments.OutcomeUnknown, tosspayments.OutcomeUnknown},
		{"another amount", []answer{changed("15000", "14000")}, nil, tosspayments.OutcomeMismatch, tosspayments.OutcomeMismatch},
		{"duplicated", []answer{refusal(400, "DUPLICATED_ORDER_ID")}, []answer{okAnswer(paymentJSON)}, tosspayments.OutcomePaid, tosspayments.OutcomePaid},
		{"duplicated by a payment of the window", []answer{refusal(400, "DUPLICATED_ORDER_ID")}, []answer{changed("BRANDPAY", "NORMAL")}, tosspayments.OutcomePaid, tosspayments.OutcomeMismatch},
		{"duplicated by another BrandPay payment", []answer{refusal(400, "DUPLICATED_ORDER_ID")}, []answer{changed("3월", "4월")}, tosspayments.OutcomePaid, tosspayments.OutcomeMismatch},
		{"answered under another name", []answer{changed("3월", "4월")}, nil, tosspayments.OutcomePaid, tosspayments.OutcomePaid},
		{"cancelled since", []answer{refusal(400, "ALREADY_PROCESSED_PAYMENT")}, []answer{gone}, tosspayments.OutcomeCanceled, tosspayments.OutcomeCanceled},
		{"another one was cancelled", []answer{refusal(400, "DUPLICATED_ORDER_ID")}, []answer{okAnswer(strings.Replace(gone.body, "BRANDPAY", "NORMAL", 1))}, tosspayments.OutcomeCanceled, tosspayments.OutcomeMismatch},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := func() (*brandpay.Client, *tosspayments.Client) {
					posts, gets := &server{answers: row.posts}, &server{answers: row.gets}
					return newClient(t, func(r *http.Request) (*http.Response, error) {
						if r.Method == http.MethodGet {
							return gets.respond(r)
						}
						return posts.respond(r)
					})
				}
				client, toss := start()
				payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
				assert.Equal(t, row.confirm, tosspayments.OutcomeOf(payment, err), "%v", err)
				if row.gets != nil {
					payment, err = toss.ResolvePayment(t.Context(), confirmRequest().ConfirmPaymentRequest)
					assert.Equal(t, row.confirm, tosspayments.OutcomeOf(payment, err), "%v", err)
				}
				client, _ = start()
				payment, err = client.Charge(t.Context(), chargeRequest())
				assert.Equal(t, row.charge, tosspayments.OutcomeOf(payment, err), "%v", err)
			})
		})
	}
}

func TestPaymentsAreChecked(t *testing.T) {
	client, s := scriptedClient(t, lost)
	for field, change := range map[string]func(*brandpay.ChargeRequest){
		"customerKey":         func(r *brandpay.ChargeRequest) { r.CustomerKey = strings.Repeat("c", 51) },
		"amount":              func(r *brandpay.ChargeRequest) { r.Amount = tosspayments.Amount{} },
		"orderId":             func(r *brandpay.ChargeRequest) { r.OrderID = "x" },
		"orderName":           func(r *brandpay.ChargeRequest) { r.OrderName = "" },
		"cardInstallmentPlan": func(r *brandpay.ChargeRequest) { r.CardInstallmentPlan = 2 },
		"taxFreeAmount":       func(r *brandpay.ChargeRequest) { r.TaxFreeAmount = tosspayments.Won(15001) },
		"customerEmail":       func(r *brandpay.ChargeRequest) { r.CustomerEmail = strings.Repeat("e", 101) },
	} {
		r := chargeRequest()
		change(&r)
		_, err := client.Charge(t.Context(), r)
		var wrong *tosspayments.ValidationError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, field, wrong.Field)
	}
	r := confirmRequest()
	r.Currency = "USD"
	_, err := client.ConfirmPayment(t.Context(), r)
	require.ErrorContains(t, err, "currency")
	assert.Empty(t, s.seen)
}

func TestRedirects(t *testing.T) {
	parse := func(query string) (brandpay.Authorization, error) {
		return brandpay.ParseRedirectURL(&url.URL{RawQuery: query})
	}
	for _, query := range []string{
		"code=exCode0001&customerKey=7b0d8f3e-0c51", "customerKey=7b0d8f3e-0c51&code=exCode0001&code=exCode0001&mine=%zz;&x",
		authorization().Values().Encode(),
	} {
		auth, err := parse(query)
		require.NoError(t, err)
		assert.Equal(t, authorization(), auth)
	}
	for _, query := range []string{
		"", "code=x", "customerKey=c", "code=&customerKey=c", "code=a&code=b&customerKey=c", "code=%zz&customerKey=c", "code=%ff&customerKey=c",
		"customerKey=c&code=" + strings.Repeat("x", 301), strings.Repeat("x", 17<<10),
	} {
		_, err := parse(query)
		var wrong *tosspayments.ValidationError
		require.ErrorAs(t, err, &wrong, query)
	}
	_, err := brandpay.ParseRedirectURL(nil)
	require.Error(t, err)
}

// loadStrict reads a file of testdata, and fails for a field that is not known.
func loadStrict[T any](t *testing.T, name string) (v T) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&v), name)
	return v
}

// Every field of the types is one of the reference.
func TestFixtures(t *testing.T) {
	methods, terms := loadStrict[brandpay.Methods](t, "methods.json"), loadStrict[[]brandpay.Terms](t, "terms.json")
	issued := loadStrict[brandpay.Token](t, "token.json")
	issued.CustomerKey = "c" // the server does not repeat it
	for _, object := range []any{methods, methods.Cards[0], methods.Accounts[0], terms[0], issued} {
		v := reflect.ValueOf(object)
		for i := range v.NumField() {
			assert.False(t, v.Field(i).IsZero(), "%T.%s", object, v.Type().Field(i).Name)
		}
	}
	assert.Equal(t, tosspayments.Won(600), *methods.Accounts[0].Promotions[0].BankDiscount.DiscountAmount)
	assert.Equal(t, "exCode0001", loadStrict[brandpay.Authorization](t, "authorization.json").Code.Reveal())
}

func TestPromotionFixtures(t *testing.T) {
	cards := loadStrict[tosspayments.CardPromotions](t, "promotions_card.json")
	assert.Equal(t, "61", cards.DiscountCards[0].CompanyCode)
	assert.Len(t, cards.PointCards, 1)
	assert.Equal(t, "92", loadStrict[brandpay.BankPromotions](t, "promotions_bank.json").DiscountBanks[0].BankCode)
}

// What cannot be read hides nothing.
func TestMethodsOfTomorrow(t *testing.T) {
	client, _ := scriptedClient(t, okAnswer(`{"isIdentified":"Y","selectedMethodId":7,"cards":[{"methodKey":"m","color":7,"registeredAt":"soon"}],"accounts":null}`))
	read, err := client.GetMethods(t.Context(), "c")
	require.NoError(t, err)
	assert.True(t, read.IsIdentified)
	assert.Equal(t, "m", read.Cards[0].MethodKey)
}

func TestNoSecretLeavesAnyType(t *testing.T) {
	const marker = "marker-5ec2e7-of-a-secret"
	set := func(t reflect.Type) (reflect.Value, bool) {
		if t == reflect.TypeFor[tosspayments.Sensitive]() {
			return reflect.ValueOf(sensitive(marker)), true
		}
		return reflect.Value{}, false
	}
	client, _ := scriptedClient(t, lost)
	secret := brandpay.Token{CustomerKey: "c", AccessToken: sensitive(marker), RefreshToken: sensitive(marker)}
	values := []any{*client, struct{ Customer *brandpay.Customer }{client.Customer(secret, nil)}}
	for _, empty := range []any{
		brandpay.AgreeTermsRequest{}, brandpay.Authorization{}, brandpay.BankAccount{}, brandpay.BankPromotions{}, brandpay.Card{}, brandpay.CashReceipt{},
		brandpay.ChargeRequest{}, brandpay.Color{}, brandpay.ConfirmPaymentRequest{}, brandpay.CustomerIdentity{}, brandpay.Methods{}, brandpay.Terms{},
		brandpay.Token{},
	} {
		filled := reflect.New(reflect.TypeOf(empty))
		leak.Fill(filled.Elem(), set)
		values = append(values, filled.Elem().Interface())
	}
	known := map[string]bool{"Customer": true}
	for _, value := range values {
		known[reflect.TypeOf(value).Name()] = true
		for way, text := range leak.Ways(value) {
			assert.NotContains(t, text, marker, "%T, %s", value, way)
		}
	}
	names, err := leak.Types(".")
	require.NoError(t, err)
	for _, name := range names {
		assert.True(t, known[name], "the type %s is not in the list of this test", name)
	}
}

func TestStoredTokens(t *testing.T) {
	text, err := json.Marshal(token().Stored())
	require.NoError(t, err)
	assert.Contains(t, string(text), "exRefresh0001")
	var stored tosspayments.Stored[brandpay.Token]
	require.NoError(t, stored.Scan(string(text)))
	assert.Equal(t, token(), stored.Get())
	for _, broken := range []string{`{"accessToken":"[redacted]","refreshToken":"[redacted]"}`, `{}`, `{"accessToken":"x"}`} {
		require.ErrorContains(t, stored.Scan(broken), "lost")
	}
}

func TestTokensExpire(t *testing.T) {
	assert.Equal(t, time.Unix(2592000, 0), token().ExpiresAt(time.Unix(0, 0)))
}

func TestTokensAreNotWrittenByAccident(t *testing.T) {
	_, err := json.Marshal(token())
	require.ErrorContains(t, err, "Stored()")
	_, _, err = token().MarshalBSONValue()
	require.ErrorContains(t, err, "Stored()")
	for _, printed := range []string{fmt.Sprintf("%+v", token()), token().String(), fmt.Sprintf("%#v", token().Stored())} {
		assert.Equal(t, "[redacted]", printed)
	}
}

// tokenServer lets in one token, and refreshes it.
type tokenServer struct {
	mu                  sync.Mutex
	access, refresh     string
	refreshes, accepted int
	// answers are given to refreshes instead.
	answers []answer
	kept    map[string]string
	expired answer
}

func newTokenServer() *tokenServer {
	return &tokenServer{access: "exAccess0001", refresh: "exRefresh0001", kept: map[string]string{}, expired: refusal(401, "UNAUTHORIZED_KEY")}
}

func (s *tokenServer) respond(r *http.Request) (*http.Response, error) {
	time.Sleep(10 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasSuffix(r.URL.Path, "access-token") {
		if r.Header.Get("Authorization") != "Bearer "+s.access {
			return httpmock.NewStringResponse(s.expired.status, s.expired.body), nil
		}
		s.accepted++
		return httpmock.NewStringResponse(200, methodsJSON), nil
	}
	s.refreshes++
	if len(s.answers) > 0 {
		a := s.answers[0]
		if s.answers = s.answers[1:]; a.err != nil {
			return nil, a.err
		}
		return httpmock.NewStringResponse(a.status, a.body), nil
	}
	var body struct{ RefreshToken string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	key := r.Header.Get("Idempotency-Key")
	if kept := s.kept[key]; kept != "" {
		return httpmock.NewStringResponse(200, kept), nil
	}
	if body.RefreshToken != s.refresh {
		return httpmock.NewStringResponse(400, `{"code":"OF_TOMORROW","message":"unknown token"}`), nil
	}
	s.access, s.refresh = s.access+"+", s.refresh+"+"
	s.kept[key] = fmt.Sprintf(`{"accessToken":%q,"refreshToken":%q,"tokenType":"bearer","expiresIn":1}`, s.access, s.refresh)
	return httpmock.NewStringResponse(200, s.kept[key]), nil
}

// expire ends the access token, so that only a refresh helps.
func (s *tokenServer) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access = "expired"
}

// However many callers find the token expired, it is refreshed once.
func TestRefreshedOnce(t *testing.T) {
	for _, expired := range []answer{refusal(401, "UNAUTHORIZED_KEY"), refusal(403, "FORBIDDEN_REQUEST"), refusal(401, "OF_TOMORROW"), {status: 401}} {
		synctest.Test(t, func(t *testing.T) {
			s := newTokenServer()
			s.expired = expired
			client, _ := newClient(t, s.respond)
			var saved []brandpay.Token
			customer := client.Customer(token(), func(_ context.Context, token brandpay.Token) error {
				saved = append(saved, token)
				return nil
			})
			s.expire()
			var group sync.WaitGroup
			for range 50 {
				group.Go(func() {
					_, err := customer.GetMethods(t.Context())
					assert.NoError(t, err)
				})
			}
			group.Wait()
			assert.Equal(t, 1, s.refreshes)
			assert.Equal(t, 50, s.accepted)
			require.Len(t, saved, 1)
			assert.Equal(t, []string{"7b0d8f3e-0c51", "exRefresh0001+"}, []string{saved[0].CustomerKey, saved[0].RefreshToken.Reveal()})
			// And again when that one has expired.
			time.Sleep(time.Hour)
			s.expire()
			_, err := customer.GetMethods(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 2, s.refreshes)
		})
	}
}

// Two processes that refresh the same token end with the same pair.
func TestTwoProcessesRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTokenServer()
		client, _ := newClient(t, s.respond)
		s.expire()
		for range 2 {
			_, err := client.Customer(token(), nil).GetMethods(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, "exRefresh0001+", s.refresh)
	})
}

func TestRefreshFails(t *testing.T) {
	run := func(name string, test func(t *testing.T, s *tokenServer, client *brandpay.Client)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTokenServer()
				client, _ := newClient(t, s.respond)
				s.expire()
				test(t, s, client)
			})
		})
	}
	run("the refresh token is not known", func(t *testing.T, s *tokenServer, client *brandpay.Client) {
		s.refresh = "another"
		customer := client.Customer(token(), nil)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				_, err := customer.GetMethods(t.Context())
				assert.ErrorIs(t, err, brandpay.ErrAuthorize)
				assert.Equal(t, tosspayments.OutcomeUnknown, tosspayments.OutcomeOf(nil, err), "it is a read")
			})
		}
		group.Wait()
		assert.LessOrEqual(t, s.refreshes, 3, "one refresh, with its retries")
	})
	run("the new token is refused too", func(t *testing.T, s *tokenServer, client *brandpay.Client) {
		s.answers = []answer{okAnswer(tokenJSON)}
		customer := client.Customer(token(), nil)
		for range 3 {
			_, err := customer.GetMethods(t.Context())
			require.ErrorIs(t, err, brandpay.ErrAuthorize)
			require.ErrorIs(t, err, tosspayments.ErrUnauthorizedKey, "and the answer")
		}
		assert.Equal(t, 1, s.refreshes)
	})
	run("no answer", func(t *testing.T, s *tokenServer, client *brandpay.Client) {
		s.answers = []answer{lost, lost, lost}
		customer := client.Customer(token(), nil)
		_, err := customer.GetMethods(t.Context())
		require.Error(t, err)
		require.NotErrorIs(t, err, brandpay.ErrAuthorize)
		_, err = customer.GetMethods(t.Context())
		require.NoError(t, err, "the next call refreshes")
	})
	run("told to wait", func(t *testing.T, s *tokenServer, client *brandpay.Client) {
		s.answers = []answer{{status: 429}, {status: 429}, {status: 429}}
		_, err := client.Customer(token(), nil).GetMethods(t.Context())
		require.Error(t, err)
		require.NotErrorIs(t, err, brandpay.ErrAuthorize)
	})
	run("it cannot be saved", func(t *testing.T, s *tokenServer, client *brandpay.Client) {
		problem := errors.New("disk full")
		saves := 0
		customer := client.Customer(token(), func(context.Context, brandpay.Token) error {
			if saves++; saves == 1 {
				return problem
			}
			return nil
		})
		_, err := customer.GetMethods(t.Context())
		require.ErrorIs(t, err, problem)
		assert.Zero(t, s.accepted, "not used before it is saved")
		_, err = customer.GetMethods(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, saves)
		assert.Equal(t, 1, s.refreshes)
	})
	run("a caller who goes away while another refreshes", func(t *testing.T, s *tokenServer, client *brandpay.Client) {
		release := make(chan struct{})
		customer := client.Customer(token(), func(context.Context, brandpay.Token) error { <-release; return nil })
		var group sync.WaitGroup
		group.Go(func() {
			_, err := customer.GetMethods(t.Context())
			assert.NoError(t, err)
		})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := customer.GetMethods(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		close(release)
		group.Wait()
	})
}

// What was removed by an attempt without an answer is gone.
func TestRemovals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := scriptedClient(t, lost, refusal(404, "NOT_FOUND_METHOD"))
		card, err := client.Customer(token(), nil).RemoveCard(t.Context(), "m1")
		require.NoError(t, err)
		assert.Equal(t, &brandpay.Card{MethodKey: "m1", Status: brandpay.MethodDisabled}, card)
		client, _ = scriptedClient(t, lost, refusal(404, "NOT_FOUND_METHOD"))
		account, err := client.Customer(token(), nil).RemoveAccount(t.Context(), "m1")
		require.NoError(t, err)
		assert.Equal(t, brandpay.MethodDisabled, account.Status)
		client, _ = scriptedClient(t, refusal(404, "NOT_FOUND_METHOD"))
		_, err = client.Customer(token(), nil).RemoveCard(t.Context(), "m1")
		require.ErrorIs(t, err, tosspayments.ErrNotFoundMethod)

		client, s := scriptedClient(t, lost, refusal(401, "UNAUTHORIZED_KEY"))
		err = client.Customer(token(), nil).Leave(t.Context())
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown, "the customer may be gone")
		assert.Len(t, s.seen, 2, "nothing is refreshed")
		client, _ = scriptedClient(t, okAnswer(`{"customerKey":"c","success":false}`))
		require.ErrorIs(t, client.Customer(token(), nil).Leave(t.Context()), tosspayments.ErrOutcomeUnknown)
	})
}

// A token that is refused after an attempt without an answer takes nothing back: that attempt
// may have removed the method.
func TestRemovalsWithATokenThatExpiresBetween(t *testing.T) {
	refused, gone, fresh := refusal(401, "UNAUTHORIZED_KEY"), refusal(404, "NOT_FOUND_METHOD"), okAnswer(tokenJSON)
	for _, row := range []struct {
		name     string
		answers  []answer
		want     tosspayments.Outcome
		isLogout bool
	}{
		{"it is gone", []answer{lost, refused, fresh, gone}, tosspayments.OutcomePaid, false},
		{"it is removed", []answer{lost, refused, fresh, okAnswer(`{"methodKey":"m1","status":"DISABLED"}`)}, tosspayments.OutcomePaid, false},
		{"another refusal", []answer{lost, refused, fresh, refusal(400, "INVALID_REQUEST")}, tosspayments.OutcomeUnknown, false},
		{"told to wait", []answer{lost, refused, fresh, refusal(429, "TOO_MANY_REQUESTS")}, tosspayments.OutcomeUnknown, false},
		{"the new token is refused", []answer{lost, refused, fresh, refused}, tosspayments.OutcomeUnknown, true},
		{"no new token", []answer{lost, refused, refusal(400, "INVALID_REQUEST")}, tosspayments.OutcomeUnknown, true},
		{"a new token later", []answer{lost, refused, refusal(429, "TOO_MANY_REQUESTS")}, tosspayments.OutcomeUnknown, false},
		{"no answer about a new token", []answer{lost, refused, lost}, tosspayments.OutcomeUnknown, false},
		{"nothing lost, it is gone", []answer{refused, fresh, gone}, tosspayments.OutcomeRefused, false},
		{"nothing lost, no new token", []answer{refused, refusal(400, "INVALID_REQUEST")}, tosspayments.OutcomeRefused, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := scriptedClient(t, row.answers...)
				card, err := client.Customer(token(), nil).RemoveCard(t.Context(), "m1")
				assert.Equal(t, row.isLogout, errors.Is(err, brandpay.ErrAuthorize))
				if row.want == tosspayments.OutcomePaid {
					require.NoError(t, err)
					assert.Equal(t, &brandpay.Card{MethodKey: "m1", Status: brandpay.MethodDisabled}, card)
					return
				}
				assert.Equal(t, row.want, tosspayments.OutcomeOf(nil, err), "%v", err)
				require.ErrorContains(t, err, "tosspayments: remove BrandPay card: ", "and not of the refresh")
			})
		})
	}
}

// The answer to a key that was used for another method or customer is no success.
func TestRemovalsOfSomethingElse(t *testing.T) {
	client, _ := scriptedClient(t, okAnswer(`{"methodKey":"m1","status":"DISABLED"}`))
	customer, key := client.Customer(token(), nil), tosspayments.WithIdempotencyKey("k")
	card, err := customer.RemoveCard(t.Context(), "m2", key)
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
	assert.Nil(t, card)
	account, err := customer.RemoveAccount(t.Context(), "m2", key)
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
	assert.Nil(t, account)
	client, _ = scriptedClient(t, okAnswer(`{"customerKey":"another","success":true}`))
	err = client.Customer(token(), nil).Leave(t.Context(), key)
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
	assert.NotContains(t, err.Error(), "7b0d8f3e-0c51")
}

// Nothing of an answer that could not be used is in what is returned.
func TestAnswersOfAttemptsAreNotMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := scriptedClient(t, okAnswer(`{"alias":"old","promotions":[]}`), okAnswer(`{"methodKey":"m1","status":"DISABLED"}`))
		card, err := client.Customer(token(), nil).RemoveCard(t.Context(), "m1")
		require.NoError(t, err)
		assert.Equal(t, &brandpay.Card{MethodKey: "m1", Status: brandpay.MethodDisabled}, card)
	})
}

// The key of an exchange is made from what can be exchanged once.
func TestTokenKeys(t *testing.T) {
	key := func(call func(*brandpay.Client) error) string {
		client, s := scriptedClient(t, okAnswer(tokenJSON))
		require.NoError(t, call(client))
		return s.seen[0].header.Get("Idempotency-Key")
	}
	issue := func(code string) string {
		return key(func(c *brandpay.Client) error {
			auth := authorization()
			auth.Code = sensitive(code)
			_, err := c.IssueToken(t.Context(), auth)
			return err
		})
	}
	assert.Equal(t, issue("a"), issue("a"))
	assert.NotEqual(t, issue("a"), issue("b"))
	assert.Equal(t, "mine", key(func(c *brandpay.Client) error {
		_, err := c.RefreshToken(t.Context(), token(), tosspayments.WithIdempotencyKey("mine"))
		return err
	}))
}
