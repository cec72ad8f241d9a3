package brandpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/ofread"
)

// ErrAuthorize says that the customer's token is no longer valid and cannot be refreshed:
// the customer has to agree again. The error that matches it also matches the server's
// answer to the call.
var ErrAuthorize = errors.New("tosspayments: brandpay: the customer has to agree again")

// Customer makes the calls that go with the token of one customer. It is safe for concurrent
// use, and prints as "[redacted]".
//
// A token that the server refuses is refreshed once, however many calls find it refused,
// and each call is made again with the new one. What the server answers for a token that
// has expired, or for a refresh token that it does not know, is not documented: every 401
// and 403 counts as the first, and every refusal of a refresh as the second.
type Customer struct {
	client      *Client
	customerKey string
	save        func(context.Context, Token) error

	// lock guards what follows; waiting for it ends with the context.
	lock  chan struct{}
	token Token
	// isUnsaved is set when save has not taken the token yet.
	isUnsaved bool
	// triedAt is when a refresh was last answered.
	triedAt time.Time
}

// Customer returns a handle for the calls of one customer. save stores the tokens of a
// refresh, before they are used; without that they are lost, and the customer has to agree
// again. Keep one handle for a customer in a process; that another process refreshes the same
// token at the same time is harmless.
func (c *Client) Customer(token Token, save func(context.Context, Token) error) *Customer {
	return &Customer{client: c, customerKey: token.CustomerKey, save: save, lock: make(chan struct{}, 1), token: token}
}

// Format writes "[redacted]" whatever the verb.
func (c *Customer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// LogValue returns "[redacted]".
func (c *Customer) LogValue() slog.Value { return slog.StringValue("[redacted]") }

const (
	methodsPath = "/v1/brandpay/payments/methods"
	leavePath   = "/v1/brandpay/customers/remove"
)

// GetMethods reads the methods of the customer.
func (c *Customer) GetMethods(ctx context.Context, opts ...tosspayments.CallOption) (*Methods, error) {
	methods := new(Methods)
	err := c.do(ctx, tosspayments.Request{Name: "get BrandPay methods", Method: http.MethodGet, Path: methodsPath}, decodeInto(methods), opts)
	if err != nil {
		return nil, ofread.Mark(err) // a refused refresh too
	}
	return methods, nil
}

// RemoveCard removes a card, and returns it as it is then. It is sent again after an attempt
// without an answer, and counts as done if the card is gone then. A
// [*tosspayments.MismatchError] says that the answer is about another method.
func (c *Customer) RemoveCard(ctx context.Context, methodKey string, opts ...tosspayments.CallOption) (*Card, error) {
	card := new(Card)
	done, err := c.remove(ctx, "card", methodKey, card, opts)
	switch {
	case err != nil:
		return nil, err
	case done:
		return &Card{MethodKey: methodKey, Status: MethodDisabled}, nil
	case card.MethodKey != methodKey:
		return nil, foreign("remove BrandPay card", "methodKey", methodKey, card.MethodKey)
	}
	return card, nil
}

// RemoveAccount removes a bank account, as [Customer.RemoveCard] does a card.
func (c *Customer) RemoveAccount(ctx context.Context, methodKey string, opts ...tosspayments.CallOption) (*BankAccount, error) {
	account := new(BankAccount)
	done, err := c.remove(ctx, "account", methodKey, account, opts)
	switch {
	case err != nil:
		return nil, err
	case done:
		return &BankAccount{MethodKey: methodKey, Status: MethodDisabled}, nil
	case account.MethodKey != methodKey:
		return nil, foreign("remove BrandPay account", "methodKey", methodKey, account.MethodKey)
	}
	return account, nil
}

// foreign is the error of a call whose answer is about something else, as under a key that
// was used for two calls.
func foreign(operation, field, want, got string) error {
	return &tosspayments.MismatchError{
		CallDetails: tosspayments.CallDetails{Operation: operation}, Field: field, Want: want, Got: got,
	}
}

// remove removes a method. done is set if an attempt has done it that was not answered.
func (c *Customer) remove(ctx context.Context, kind, methodKey string, out any, opts []tosspayments.CallOption) (done bool, err error) {
	if err := checkText("methodKey", methodKey, maxKey); err != nil {
		return false, err
	}
	body := struct {
		MethodKey string `json:"methodKey"`
	}{methodKey}
	err = c.do(ctx, tosspayments.Request{
		Name: "remove BrandPay " + kind, Method: http.MethodPost, Path: methodsPath + "/" + kind + "/remove", Body: body, MovesNothing: true,
	}, decodeInto(out, "methodKey"), opts)
	if unknown := (*tosspayments.OutcomeUnknownError)(nil); errors.As(err, &unknown) && unknown.LastAnswer != nil &&
		unknown.LastAnswer.Code == tosspayments.ErrNotFoundMethod {
		return true, nil
	}
	return false, err
}

// Leave removes the customer with all methods, at once. The token and the keys of the
// methods end with it.
//
// Without an answer the error is a [*tosspayments.OutcomeUnknownError]. A token that is
// refused when the call is made again says that it was done. A
// [*tosspayments.MismatchError] says that the answer is about another customer.
func (c *Customer) Leave(ctx context.Context, opts ...tosspayments.CallOption) error {
	const name = "remove BrandPay customer"
	req := tosspayments.Request{Name: name, Method: http.MethodPost, Path: leavePath, MovesNothing: true}
	var answer struct {
		CustomerKey string `json:"customerKey"`
		Success     bool   `json:"success"`
	}
	err := c.do(ctx, req, func(body []byte) ([]string, error) {
		unread, err := decodeInto(&answer, "success")(body)
		if err == nil && !answer.Success {
			err = errors.New("it says that it was no success")
		}
		return unread, err
	}, opts)
	if err == nil && answer.CustomerKey != "" && answer.CustomerKey != c.customerKey {
		return foreign(name, "customerKey", "that of the customer", "that of another customer")
	}
	return err
}

// do makes a call with the token, and once more with a new one if it is refused.
func (c *Customer) do(ctx context.Context, req tosspayments.Request, out any, opts []tosspayments.CallOption) error {
	token, err := c.current(ctx)
	if err != nil {
		return err
	}
	first := c.with(ctx, token, req, out, opts)
	if !isTokenRefused(req.Path, first) {
		return first
	}
	token, err = c.refresh(ctx, token, first)
	if err == nil {
		err = c.with(ctx, token, req, out, opts)
		if isTokenRefused(req.Path, err) {
			err = fmt.Errorf("%w: %w", ErrAuthorize, err)
		}
	}
	return stillUnknown(first, err)
}

// stillUnknown returns how a call has ended of which an attempt was lost before its token was
// refused: what comes later says nothing of that attempt, unless it went well.
func stillUnknown(first, later error) error {
	var unknown, again *tosspayments.OutcomeUnknownError
	if later == nil || !errors.As(first, &unknown) || errors.As(later, &again) && again.Operation == unknown.Operation {
		return later
	}
	still := *unknown
	var refusal *tosspayments.Error
	if !errors.As(later, &refusal) || refusal.Operation != unknown.Operation {
		return fmt.Errorf("%w; after that: %v", &still, later) // The token could not be refreshed or saved.
	}
	still.LastAnswer = refusal
	if errors.Is(later, ErrAuthorize) {
		return fmt.Errorf("%w: %w", ErrAuthorize, &still)
	}
	return &still
}

func (c *Customer) with(ctx context.Context, token Token, req tosspayments.Request, out any, opts []tosspayments.CallOption) error {
	req.Header = http.Header{"Authorization": {"Bearer " + token.AccessToken.Reveal()}}
	return c.client.toss.Do(ctx, req, out, opts...)
}

// isTokenRefused reports whether the server has refused the token of a call.
func isTokenRefused(path string, err error) bool {
	var refusal *tosspayments.Error
	if path == leavePath && !errors.As(err, &refusal) {
		// After an attempt without an answer a refusal may say that the customer is gone.
		return false
	}
	answer := lastAnswer(err)
	return answer != nil && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden)
}

// current returns the token. One that could not be saved is saved first.
func (c *Customer) current(ctx context.Context) (Token, error) {
	if err := c.acquire(ctx); err != nil {
		return Token{}, err
	}
	defer c.release()
	if err := c.persist(ctx); err != nil {
		return Token{}, err
	}
	return c.token, c.token.validate()
}

// freshFor is how long nothing is refreshed after a refresh: all who find one token expired
// share its result.
const freshFor = time.Minute

// refresh returns a token other than used, which was refused with err.
func (c *Customer) refresh(ctx context.Context, used Token, err error) (Token, error) {
	if err := c.acquire(ctx); err != nil {
		return Token{}, err
	}
	defer c.release()
	switch {
	case !c.token.AccessToken.Equal(used.AccessToken):
		return c.token, c.persist(ctx)
	case !c.triedAt.IsZero() && time.Since(c.triedAt) < freshFor:
		return Token{}, fmt.Errorf("%w: %w", ErrAuthorize, err)
	}
	fresh, refreshErr := c.client.RefreshToken(ctx, used)
	if isRefused(refreshErr) {
		c.triedAt = time.Now()
		// What is wrapped is how the call has ended: it was refused, and nothing has happened.
		return Token{}, fmt.Errorf("%w: %w; the token could not be refreshed: %v", ErrAuthorize, err, refreshErr)
	}
	if refreshErr != nil {
		return Token{}, refreshErr
	}
	c.token, c.isUnsaved, c.triedAt = *fresh, true, time.Now()
	return c.token, c.persist(ctx)
}

// isRefused reports whether a refresh was refused, with whatever code.
func isRefused(err error) bool {
	answer := lastAnswer(err)
	return answer != nil && answer.Code != "" && answer.StatusCode >= 400 && answer.StatusCode < 500 &&
		answer.StatusCode != http.StatusConflict && answer.Code.Class() != tosspayments.ClassWait
}

// persist saves the token unless that was done.
func (c *Customer) persist(ctx context.Context) error {
	if !c.isUnsaved || c.save == nil {
		return nil
	}
	if err := c.save(ctx, c.token); err != nil {
		return fmt.Errorf("tosspayments: brandpay: the new token could not be saved: %w", err)
	}
	c.isUnsaved = false
	return nil
}

func (c *Customer) acquire(ctx context.Context) error {
	select {
	case c.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("tosspayments: brandpay: waiting for the token: %w", ctx.Err())
	}
}

func (c *Customer) release() { <-c.lock }
