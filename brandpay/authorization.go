package brandpay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/redirect"
)

const maxRedirectURL = 16 << 10

// Authorization is what a customer gives by agreeing to the terms. Toss Payments calls
// the redirect URL of the developer centre with it, or [Client.AgreeTerms] returns it.
// Compare CustomerKey with that of the signed-in customer.
type Authorization struct {
	CustomerKey string `json:"customerKey"`
	// Code is exchanged once for a token. How long it lives is not documented.
	Code tosspayments.Sensitive `json:"code"`
	// Identity says who the customer is, so that the browser need not ask; nil leaves it
	// to the browser. It never comes with a redirect.
	Identity *CustomerIdentity `json:"customerIdentity,omitzero"`
}

// CustomerIdentity is who a customer is. All fields are required.
type CustomerIdentity struct {
	// CI is the connecting information (연계정보) of an identity check.
	CI          tosspayments.Sensitive `json:"ci"`
	MobilePhone tosspayments.Sensitive `json:"mobilePhone"`
	Name        tosspayments.Sensitive `json:"name"`
	// RRN are the first seven digits of the resident registration number.
	RRN tosspayments.Sensitive `json:"rrn"`
}

// ParseRedirectURL reads the URL of a request to the redirect URL. Answer such a request
// quickly.
func ParseRedirectURL(u *url.URL) (Authorization, error) {
	switch {
	case u == nil:
		return Authorization{}, invalid("url", "must not be nil")
	case len(u.RawQuery) > maxRedirectURL:
		return Authorization{}, invalid("query", "is longer than 16 KiB")
	}
	values := map[string]string{}
	for _, name := range []string{"customerKey", "code"} {
		value, problem := redirect.Value(u.RawQuery, name, maxKey)
		switch {
		case problem != "":
			return Authorization{}, invalid(name, problem)
		case value == "":
			return Authorization{}, invalid(name, "is missing")
		}
		values[name] = value
	}
	return Authorization{CustomerKey: values["customerKey"], Code: tosspayments.NewSensitive(values["code"])}, nil
}

// Values returns the query that [ParseRedirectURL] reads, with the code in plain text, for
// tests of a handler.
func (a Authorization) Values() url.Values {
	return url.Values{"customerKey": {a.CustomerKey}, "code": {a.Code.Reveal()}}
}

// Token is the right to read and remove the methods of one customer. It cannot be fetched
// again, so keep it: it is valid for ExpiresIn, and a refresh replaces both tokens.
//
// fmt and slog do not print it, and encoding/json fails rather than lose it: store what
// [Token.Stored] returns, encrypted.
type Token struct {
	// CustomerKey is whose it is. The server does not repeat it: the library adds it.
	CustomerKey  string                 `json:"customerKey"`
	AccessToken  tosspayments.Sensitive `json:"accessToken"`
	RefreshToken tosspayments.Sensitive `json:"refreshToken"`
	// TokenType is bearer.
	TokenType string `json:"tokenType,omitzero"`
	// ExpiresIn is how long it was valid when it was issued, in seconds, such as 30 days.
	ExpiresIn int64 `json:"expiresIn,omitzero"`
}

// Stored returns the token for storing, with everything in it.
func (t Token) Stored() tosspayments.Stored[Token] { return tosspayments.Store(t) }

// Format writes "[redacted]" whatever the verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// String returns "[redacted]".
func (Token) String() string { return "[redacted]" }

// LogValue returns "[redacted]".
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

var (
	errStoreByName = errors.New("tosspayments: brandpay: a Token is not encoded by accident, since nobody can read it again: encode what its Stored() returns")
	errLostToken   = errors.New("tosspayments: brandpay: the token is incomplete or was redacted when it was stored, and is lost: ask the customer to agree again")
)

// MarshalJSON fails: see [Token.Stored].
func (Token) MarshalJSON() ([]byte, error) { return nil, errStoreByName }

// MarshalBSONValue fails: see [Token.Stored].
func (Token) MarshalBSONValue() (byte, []byte, error) { return 0, nil, errStoreByName }

// UnmarshalJSON reads a token, and fails if it was redacted when it was stored.
func (t *Token) UnmarshalJSON(data []byte) error {
	type plain Token
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	if t.AccessToken.IsZero() || t.RefreshToken.IsZero() {
		return errLostToken
	}
	return nil
}

// IssueToken exchanges the code of an authorization for the customer's token. For a customer
// who has one, the server extends its life and returns the same access token.
//
// The idempotency key is made from the code, which presumably works once: after a
// [*tosspayments.OutcomeUnknownError] make the same call again.
func (c *Client) IssueToken(ctx context.Context, auth Authorization, opts ...tosspayments.CallOption) (*Token, error) {
	if err := first(checkCustomerKey(auth.CustomerKey), checkText("code", auth.Code.Reveal(), maxKey), auth.Identity.validate()); err != nil {
		return nil, err
	}
	body := struct {
		GrantType string `json:"grantType"`
		Authorization
	}{"AuthorizationCode", auth}
	return c.issueToken(ctx, "issue BrandPay token", auth.CustomerKey, body, auth.Code, opts)
}

// RefreshToken exchanges the refresh token for a new pair of tokens, which ends the old
// pair: store the new one before anything else. [Customer] does so by itself.
//
// The idempotency key is made from the refresh token: whoever makes the same call again,
// within 15 days and in whichever process, gets the same new pair.
func (c *Client) RefreshToken(ctx context.Context, token Token, opts ...tosspayments.CallOption) (*Token, error) {
	if err := token.validate(); err != nil {
		return nil, err
	}
	body := struct {
		GrantType    string                 `json:"grantType"`
		CustomerKey  string                 `json:"customerKey"`
		RefreshToken tosspayments.Sensitive `json:"refreshToken"`
	}{"RefreshToken", token.CustomerKey, token.RefreshToken}
	return c.issueToken(ctx, "refresh BrandPay token", token.CustomerKey, body, token.RefreshToken, opts)
}

func (c *Client) issueToken(ctx context.Context, name, customerKey string, body any, once tosspayments.Sensitive, opts []tosspayments.CallOption) (*Token, error) {
	sum := sha256.Sum256([]byte("brandpay\n" + once.Reveal()))
	key := tosspayments.WithIdempotencyKey(hex.EncodeToString(sum[:16]))
	token := new(Token)
	err := c.toss.Do(ctx, tosspayments.Request{
		Name: name, Method: http.MethodPost, Path: "/v1/brandpay/authorizations/access-token", Body: body,
		Timeout: chargeTimeout, MovesNothing: true,
	}, decodeInto(token, "accessToken", "refreshToken"), slices.Concat([]tosspayments.CallOption{key}, opts)...)
	if err != nil {
		return nil, err
	}
	token.CustomerKey = customerKey
	return token, nil
}

// ExpiresAt returns when a token expires that was issued at a time.
func (t Token) ExpiresAt(issuedAt time.Time) time.Time {
	return issuedAt.Add(time.Duration(t.ExpiresIn) * time.Second)
}

func (t *Token) validate() error {
	return first(
		checkCustomerKey(t.CustomerKey), checkText("accessToken", t.AccessToken.Reveal(), maxToken),
		checkText("refreshToken", t.RefreshToken.Reveal(), maxToken),
	)
}

// maxToken is no limit of the documents.
const maxToken = 4096

func (i *CustomerIdentity) validate() error {
	if i == nil {
		return nil
	}
	return first(
		checkText("customerIdentity.ci", i.CI.Reveal(), maxKey), checkText("customerIdentity.mobilePhone", i.MobilePhone.Reveal(), maxKey),
		checkText("customerIdentity.name", i.Name.Reveal(), maxKey), checkText("customerIdentity.rrn", i.RRN.Reveal(), maxKey),
	)
}
