// Package payouts is a client for payouts (지급대행, API v2): sellers, payouts to them,
// balances, and checks of bank accounts.
//
// The bodies of registrations, updates and requests of payouts, and their answers, are
// encrypted with the security key (보안 키) of the developer centre; [Client] does that. All
// of it needs an additional contract, also with test keys, and the keys of the API (sk), not
// those of the widget (gsk). The contract may be on another MID than the payments: then make
// a [tosspayments.Client] of its own for it.
//
//	client, err := payouts.New(tossClient, securityKey)
//	sent, err := client.RequestPayouts(ctx, []payouts.PayoutRequest{{
//		RefPayoutID: "pay-2026-03-0001", Destination: seller.ID, ScheduleType: payouts.ScheduleExpress,
//		Amount: payouts.Won(50_000), TransactionDescription: "3월정산",
//	}})
//
// What to call:
//
//   - To make a client, call [New] with the security key.
//   - To register a seller, call [Client.RegisterSeller]; to change or remove one,
//     [Client.UpdateSeller] and [Client.DeleteSeller]; to read them, [Client.GetSeller]
//     and [Client.AllSellers].
//   - To set or remove a member in an update, call [Value] or [Null].
//   - To pay sellers, call [Client.RequestPayouts] with amounts of [Won]; to take a
//     payout back before its day, [Client.CancelPayout].
//   - To read payouts, call [Client.GetPayout], [Client.FindPayouts] and
//     [Client.AllPayouts]; what is left to pay, [Client.GetBalance].
//   - To check a bank account, call [Client.ValidateAccount], [Client.LookupHolderName]
//     or [Client.VerifyHolderName]; with an identity number,
//     [Client.VerifyHolderRealName] or [Client.VerifyIdentifier].
//   - To read an event, call [PayoutOf] or [SellerOf].
//
// [Client.RequestPayouts] is the call that moves money: read how it ends there. The events
// payout.changed and seller.changed of package webhook are read with [PayoutOf] and
// [SellerOf].
//
// Sources: https://docs.tosspayments.com/guides/v2/payouts,
// https://docs.tosspayments.com/reference/additional
package payouts

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/jwe"
	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// Client makes the calls of payouts through a [tosspayments.Client]. It is safe for
// concurrent use, and prints as "[redacted]".
type Client struct {
	toss *tosspayments.Client
	keys []jwe.Key
}

// New returns a client. The first security key, of 64 hexadecimal characters, encrypts;
// each decrypts. Two keys can be valid for a week while one replaces the other, and a
// repeated call may be answered under the older one for 15 days: pass the newest first.
//
// It returns a [*tosspayments.ValidationError] if there is no key or one is malformed.
func New(client *tosspayments.Client, securityKeys ...string) (*Client, error) {
	switch {
	case client == nil:
		return nil, invalid("client", "must not be nil")
	case len(securityKeys) == 0:
		return nil, invalid("securityKey", "is missing")
	}
	c := &Client{toss: client}
	for _, text := range securityKeys {
		key, err := jwe.ParseKey(strings.TrimSpace(text))
		if err != nil {
			return nil, invalid("securityKey", err.Error())
		}
		c.keys = append(c.keys, key)
	}
	return c, nil
}

// Format writes "[redacted]" whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// LogValue returns "[redacted]".
func (c *Client) LogValue() slog.Value { return slog.StringValue("[redacted]") }

func invalid(field, reason string) error {
	return &tosspayments.ValidationError{Field: field, Reason: reason}
}

// requestTimeout bounds one attempt of an encrypted call.
const requestTimeout = 25 * time.Second

// encrypted is a POST of which body and answer are encrypted.
func (c *Client) encrypted(name, path string, body any) tosspayments.Request {
	return tosspayments.Request{
		Name: name, Method: http.MethodPost, Path: path, Body: body, Timeout: requestTimeout,
		Header: http.Header{"TossPayments-Api-Security-Mode": {"ENCRYPTION"}, "Content-Type": {"text/plain"}},
		Seal:   c.seal, Open: c.open,
	}
}

// seal makes the body of one attempt, with a time and a nonce of its own.
func (c *Client) seal(plaintext []byte) ([]byte, error) {
	return c.keys[0].Seal(jwe.Header(time.Now()), plaintext), nil
}

// open decrypts an answer. Errors that are found before the server has decrypted anything
// come in plain JSON.
func (c *Client) open(body []byte) ([]byte, error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return body, nil
	}
	_, plaintext, err := jwe.Open(body, c.keys...)
	if err != nil {
		return nil, fmt.Errorf("the answer %w", err)
	}
	return plaintext, nil
}

// read reads one object or list.
func (c *Client) read(ctx context.Context, name, path string, query url.Values, out any, opts []tosspayments.CallOption) error {
	return c.toss.Do(ctx, tosspayments.Request{Name: name, Method: http.MethodGet, Path: path, Query: query}, out, opts...)
}

// decodeInto decodes an answer that is of no use without the given members. Of an answer
// to an earlier attempt nothing is left.
func decodeInto(out any, essential ...string) func([]byte) ([]string, error) {
	return func(body []byte) ([]string, error) {
		reflect.ValueOf(out).Elem().SetZero()
		unread, err := lenient.Unmarshal(body, out)
		if err != nil {
			return nil, err
		}
		return unread, checkEssential(body, unread, "", essential)
	}
}

// decodeOf decodes what was asked for by its id, which is read into got.
func decodeOf(id string, out any, got *string, essential ...string) func([]byte) ([]string, error) {
	decode := decodeInto(out, essential...)
	return func(body []byte) ([]string, error) {
		unread, err := decode(body)
		if err == nil && *got != id {
			err = fmt.Errorf("it is about %q", *got)
		}
		return unread, err
	}
}

// foreign is the error of a call whose answer is about something else.
func foreign(operation, field, want, got string) error {
	return &tosspayments.MismatchError{
		CallDetails: tosspayments.CallDetails{Operation: operation}, Field: field, Want: want, Got: got,
	}
}

// checkEssential returns an error if an object lacks a member, or if it could not be read.
func checkEssential(object []byte, unread []string, prefix string, essential []string) error {
	if len(essential) == 0 {
		return nil
	}
	if name := lenient.Missing(object, essential...); name != "" {
		return fmt.Errorf("it has no %s%s", prefix, name)
	}
	for _, name := range essential {
		for _, field := range unread {
			if field == prefix+name || strings.HasPrefix(field, prefix+name+".") {
				return fmt.Errorf("its %s cannot be read", field)
			}
		}
	}
	return nil
}

// withKey puts a key before the options of the caller, which may have another.
func withKey(key string, opts []tosspayments.CallOption) []tosspayments.CallOption {
	return slices.Concat([]tosspayments.CallOption{tosspayments.WithIdempotencyKey(key)}, opts)
}
