// Package brandpay is a client for BrandPay (브랜드페이): a wallet under the shop's own name, in
// which customers keep cards and accounts and pay with a password.
//
// Customers register methods, and set password and one-touch payment, in the browser. The
// server handles terms, tokens, the methods of a customer, the approval of payments,
// automatic charges, and leaving. It needs an additional contract, also with test keys.
//
// Two kinds of credentials are kept apart. The calls of [Client] go with the secret key, and
// those of [Customer] with the token of one customer, which is refreshed when it has expired.
//
//	auth, err := brandpay.ParseRedirectURL(r.URL) // at the redirect URL of the developer centre
//	token, err := client.IssueToken(ctx, auth)
//	customer := client.Customer(*token, save)
//	methods, err := customer.GetMethods(ctx)
//
// What to call:
//
//   - To make a client, call [New].
//   - To read what the browser brings, call [ParseRedirectURL].
//   - To get a customer's token, call [Client.IssueToken], and [Client.RefreshToken]
//     where you keep tokens yourself.
//   - To let a customer agree on a page of yours, call [Client.GetTerms] and
//     [Client.AgreeTerms].
//   - To list or remove what a customer has registered, call [Client.Customer] and then
//     [Customer.GetMethods], [Customer.RemoveCard], [Customer.RemoveAccount] or
//     [Customer.Leave]; with the secret key, [Client.GetMethods].
//   - To take a payment that the customer has authenticated, call
//     [Client.ConfirmPayment]; without the customer, [Client.Charge].
//   - To show promotions, call [Client.GetCardPromotions] and
//     [Client.GetBankPromotions].
//
// [Client.ConfirmPayment] and [Client.Charge] move money, and end as those of
// [tosspayments.Client] do: one switch over [tosspayments.OutcomeOf] handles both. Reads and
// cancels of the payments are those of package tosspayments.
//
// Source: https://docs.tosspayments.com/reference/brandpay
package brandpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/lenient"
	"github.com/seed238ab19c/tosspayments/internal/ofread"
)

// Client makes the calls of BrandPay that go with the secret key. It is safe for concurrent
// use.
type Client struct{ toss *tosspayments.Client }

// New returns a client that makes its calls through client, which has the secret key (sk) of
// the MID with the contract.
func New(client *tosspayments.Client) *Client { return &Client{client} }

const (
	maxCustomerKey = 50
	maxKey         = 300
	chargeTimeout  = 25 * time.Second
)

func invalid(field, reason string) error {
	return &tosspayments.ValidationError{Field: field, Reason: reason}
}

// first returns the first error of its checks.
func first(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkText checks a value that only the server can judge otherwise.
func checkText(field, value string, most int) error {
	switch {
	case value == "":
		return invalid(field, "is empty")
	case !utf8.ValidString(value):
		return invalid(field, "must be valid UTF-8")
	case utf8.RuneCountInString(value) > most:
		return invalid(field, fmt.Sprintf("must have at most %d characters", most))
	}
	return nil
}

func checkCustomerKey(key string) error { return checkText("customerKey", key, maxCustomerKey) }

// decodeInto decodes an answer that is of no use without the given members. Of an answer
// to an earlier attempt nothing is left.
func decodeInto(out any, essential ...string) func([]byte) ([]string, error) {
	return func(body []byte) ([]string, error) {
		reflect.ValueOf(out).Elem().SetZero()
		unread, err := lenient.Unmarshal(body, out)
		if err != nil || len(essential) == 0 {
			return unread, err
		}
		if name := lenient.Missing(body, essential...); name != "" {
			return nil, fmt.Errorf("it has no %s", name)
		}
		for _, name := range essential {
			for _, field := range unread {
				if field == name {
					return nil, fmt.Errorf("its %s cannot be read", field)
				}
			}
		}
		return unread, nil
	}
}

// Scope is what terms are about: the sign-up, or one kind of method.
type Scope string

const (
	// ScopeRegister is the sign-up.
	ScopeRegister Scope = "REGISTER"
	// ScopeAccount is for bank accounts.
	ScopeAccount Scope = "ACCOUNT"
	// ScopeBilling is for cards that are paid with by password.
	ScopeBilling Scope = "BILLING"
	// ScopeCard is for app cards.
	ScopeCard Scope = "CARD"
)

// Terms are the terms of one agreement, to be shown on a page of the shop's own.
type Terms struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Version string `json:"version"`
	URL     string `json:"url"`
	// Required terms have to be agreed to; Agreed are those that have been.
	Required bool `json:"required"`
	Agreed   bool `json:"agreed"`
}

// AgreeTermsRequest says which terms a customer has agreed to.
type AgreeTermsRequest struct {
	// CustomerKey is the shop's key of the customer: 2 to 50 characters. It must not be
	// guessable: no e-mail address, phone number or counter.
	CustomerKey string `json:"customerKey"`
	// Scope has one or two items.
	Scope []Scope `json:"scope"`
	// TermsID has the ids of [Terms], and all that are required.
	TermsID []int64 `json:"termsId"`
}

// GetTerms reads the terms for one or two scopes.
func (c *Client) GetTerms(ctx context.Context, customerKey string, scope []Scope, opts ...tosspayments.CallOption) (terms []Terms, err error) {
	if err := first(checkCustomerKey(customerKey), checkScope(scope)); err != nil {
		return nil, ofread.Mark(err)
	}
	query := url.Values{"customerKey": {customerKey}}
	for _, s := range scope {
		query.Add("scope", string(s))
	}
	err = c.toss.Do(ctx, tosspayments.Request{
		Name: "get BrandPay terms", Method: http.MethodGet, Path: "/v1/brandpay/terms", Query: query,
	}, decodeInto(&terms), opts...)
	if err != nil {
		return nil, err
	}
	return terms, nil
}

func checkScope(scope []Scope) error {
	if len(scope) == 0 {
		return invalid("scope", "is missing")
	}
	return nil
}

// AgreeTerms says that a customer has agreed to terms. It returns what
// [Client.IssueToken] takes, which works once: exchange it at once. After a
// [*tosspayments.OutcomeUnknownError] make the call again with its idempotency key.
func (c *Client) AgreeTerms(ctx context.Context, req AgreeTermsRequest, opts ...tosspayments.CallOption) (*Authorization, error) {
	if err := first(checkCustomerKey(req.CustomerKey), checkScope(req.Scope)); err != nil {
		return nil, err
	}
	auth := new(Authorization)
	err := c.toss.Do(ctx, tosspayments.Request{
		Name: "agree to BrandPay terms", Method: http.MethodPost, Path: "/v1/brandpay/terms/agree", Body: req, MovesNothing: true,
	}, decodeInto(auth, "code"), opts...)
	if err != nil {
		return nil, err
	}
	auth.CustomerKey = req.CustomerKey
	return auth, nil
}

// BankPromotions are the discounts for payments from an account.
type BankPromotions struct {
	DiscountBanks []tosspayments.BankDiscount `json:"discountBanks"`
}

// GetCardPromotions reads the promotions of the card companies for BrandPay.
func (c *Client) GetCardPromotions(ctx context.Context, opts ...tosspayments.CallOption) (*tosspayments.CardPromotions, error) {
	return get[tosspayments.CardPromotions](ctx, c, "get BrandPay card promotions", "/v1/brandpay/promotions/card", opts)
}

// GetBankPromotions reads the promotions of the banks for BrandPay.
func (c *Client) GetBankPromotions(ctx context.Context, opts ...tosspayments.CallOption) (*BankPromotions, error) {
	return get[BankPromotions](ctx, c, "get BrandPay bank promotions", "/v1/brandpay/promotions/bank", opts)
}

// GetMethods reads the methods of a customer with the secret key. [Customer.GetMethods] does
// the same with the customer's token.
func (c *Client) GetMethods(ctx context.Context, customerKey string, opts ...tosspayments.CallOption) (*Methods, error) {
	if err := checkCustomerKey(customerKey); err != nil {
		return nil, ofread.Mark(err)
	}
	if customerKey == "." || customerKey == ".." {
		return nil, ofread.Mark(invalid("customerKey", "must not be . or .."))
	}
	return get[Methods](ctx, c, "get BrandPay methods", methodsPath+"/"+url.PathEscape(customerKey), opts)
}

func get[T any](ctx context.Context, c *Client, name, path string, opts []tosspayments.CallOption) (*T, error) {
	out := new(T)
	if err := c.toss.Do(ctx, tosspayments.Request{Name: name, Method: http.MethodGet, Path: path}, decodeInto(out), opts...); err != nil {
		return nil, err
	}
	return out, nil
}

// lastAnswer returns the server's last answer to a call that has failed; nil if there was
// none.
func lastAnswer(err error) *tosspayments.Error {
	var refusal *tosspayments.Error
	var unknown *tosspayments.OutcomeUnknownError
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &unknown):
		return unknown.LastAnswer
	}
	return nil
}

func isWhole(amount tosspayments.Amount) bool { return !strings.Contains(amount.String(), ".") }
