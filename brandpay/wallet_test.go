package brandpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/brandpay"
)

// wallet is a small and exact server for the methods of one customer and the token. It keeps
// answers by idempotency key, a success with its effect. faults choose how each request is
// answered; after the last of them everything goes well.
type wallet struct {
	faults []fault
	// expires is before which request the access token ends; 0 is never.
	expires int

	access, refresh string
	isGone          bool // what the call removes
	kept            map[string]answer
	sent            int
}

func (w *wallet) RoundTrip(r *http.Request) (*http.Response, error) {
	f := fine
	if len(w.faults) > 0 {
		f, w.faults = w.faults[0], w.faults[1:]
	}
	if w.sent++; w.sent == w.expires {
		w.access = "expired"
	}
	a := w.answer(r, f)
	if a.err != nil {
		return nil, a.err
	}
	return httpmock.NewStringResponse(a.status, a.body), nil
}

func (w *wallet) answer(r *http.Request, f fault) answer {
	switch f {
	case neverArrived:
		return lost
	case tooMany:
		return refusal(429, "TOO_MANY_REQUESTS")
	case noKeys:
		return refusal(401, "UNAUTHORIZED_KEY")
	case unheardOf:
		return refusal(400, "OF_TOMORROW")
	case somePage:
		return answer{status: 403, body: "<html>"}
	case broke, readFails:
		return refusal(500, "COMMON_ERROR")
	}
	isRefresh := strings.HasSuffix(r.URL.Path, "access-token")
	if !isRefresh && r.Header.Get("Authorization") != "Bearer "+w.access {
		return refusal(401, "UNAUTHORIZED_KEY")
	}
	key := r.Header.Get("Idempotency-Key")
	a, replayed := w.kept[key]
	if !replayed || key == "" {
		a = w.perform(r, isRefresh)
		w.kept[key] = a
	}
	switch f {
	case answerLost:
		return lost
	case cut:
		a.body = a.body[:len(a.body)/2]
	case brokeAfter, stillRuns:
		return refusal(500, "COMMON_ERROR")
	}
	return a
}

func (w *wallet) perform(r *http.Request, isRefresh bool) answer {
	var body struct{ RefreshToken string }
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	switch {
	case isRefresh && body.RefreshToken != w.refresh:
		return refusal(400, "INVALID_REQUEST")
	case isRefresh:
		w.access, w.refresh = w.access+"+", w.refresh+"+"
		return okAnswer(fmt.Sprintf(`{"accessToken":%q,"refreshToken":%q,"tokenType":"bearer","expiresIn":1}`, w.access, w.refresh))
	case r.Method == http.MethodGet:
		return okAnswer(methodsJSON)
	case w.isGone:
		return refusal(404, "NOT_FOUND_METHOD")
	}
	w.isGone = true
	if strings.Contains(r.URL.Path, "customers") {
		w.access, w.refresh = "", "none"
		return okAnswer(`{"customerKey":"7b0d8f3e-0c51","success":true}`)
	}
	return okAnswer(`{"methodKey":"m1","status":"DISABLED"}`)
}

var walletCalls = map[string]func(context.Context, *brandpay.Customer) error{
	"read":   func(ctx context.Context, c *brandpay.Customer) error { _, err := c.GetMethods(ctx); return err },
	"remove": func(ctx context.Context, c *brandpay.Customer) error { _, err := c.RemoveCard(ctx, "m1"); return err },
	"leave":  func(ctx context.Context, c *brandpay.Customer) error { return c.Leave(ctx) },
}

// Every sequence of faults up to a depth, with a token that ends before any of the requests:
// the word on a removal is true, and no sequence costs the customer's token.
func TestEverySequenceOfFaultsWithAToken(t *testing.T) {
	for name, call := range walletCalls {
		for _, faults := range sequences(*modelDepth) {
			for expires := range 4 {
				w := &wallet{faults: slices.Clone(faults), expires: expires, access: "exAccess0001", refresh: "exRefresh0001", kept: map[string]answer{}}
				name := fmt.Sprintf("%s, faults %d, expires %d", name, faults, expires)
				synctest.Test(t, func(t *testing.T) { w.play(t, call, name) })
				if t.Failed() {
					return
				}
			}
		}
	}
}

func (w *wallet) play(t *testing.T, call func(context.Context, *brandpay.Customer) error, name string) {
	toss, err := tosspayments.New("test_sk_brandpaybrandpay", tosspayments.WithHTTPClient(&http.Client{Transport: w}))
	if !assert.NoError(t, err) {
		return
	}
	stored := token()
	save := func(_ context.Context, token brandpay.Token) error { stored = token; return nil }
	err = call(t.Context(), brandpay.New(toss).Customer(stored, save))
	isRead := strings.HasPrefix(name, "read")
	switch outcome := tosspayments.OutcomeOf(nil, err); {
	case err == nil:
		assert.True(t, w.isGone || isRead, "done, but not so: %s", name)
	case outcome == tosspayments.OutcomeRefused:
		assert.False(t, w.isGone || isRead, "refused, but it is gone: %s: %v", name, err)
	default:
		assert.Equal(t, tosspayments.OutcomeUnknown, outcome, "%s: %v", name, err)
	}
	if w.refresh == "none" {
		return // The customer has left.
	}
	// Another process goes on with what was stored. A new token that has expired too is
	// refreshed a minute later.
	w.faults, w.expires = nil, 0
	customer := brandpay.New(toss).Customer(stored, save)
	if _, err = customer.GetMethods(t.Context()); err != nil {
		time.Sleep(time.Minute)
		_, err = customer.GetMethods(t.Context())
	}
	assert.NoError(t, err, "the token is lost: %s", name)
}
