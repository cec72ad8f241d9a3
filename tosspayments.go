// Package tosspayments is a client of Toss Payments (토스페이먼츠), the Korean
// payment service.
//
// # A payment in four steps
//
// The server stores an order (an id from [NewOrderID] and the amount), the browser
// opens the payment window, Toss Payments redirects the buyer back, and the server
// confirms within ten minutes:
//
//	redirect, err := tosspayments.ParseSuccessURL(r.URL)
//	request, err := redirect.ConfirmRequest(order.Amount) // compares the amounts
//	payment, err := client.ConfirmPayment(ctx, request)
//
// # One switch for what it means
//
// [OutcomeOf] says what the result of a call means for its order, whatever the type of
// the error:
//
//	switch tosspayments.OutcomeOf(payment, err) {
//	case tosspayments.OutcomePaid: // deliver
//	case tosspayments.OutcomeWaiting: // a virtual account: show it, no money yet
//	case tosspayments.OutcomeCanceled: // nothing of it is left: close the order
//	case tosspayments.OutcomeRefused: // tell the buyer; CodeOf(err).Class() says who acts
//	case tosspayments.OutcomeMismatch: // a person looks at PaymentOf(err)
//	case tosspayments.OutcomeNotSent: // nothing was sent: the same call may be made again
//	case tosspayments.OutcomeUnknown: // leave the order, and ask again later
//	}
//
// A time-out is not a failure. The client sends a request again under one idempotency
// key, looks the payment up where an answer proves nothing, and says "unknown" where
// nobody can know. To ask again later, make the same call with the key of the operation
// ([WithIdempotencyKey]), or read with [Client.ResolvePayment].
//
// The errors behind it are [*Error] (the server has decided, and nothing has moved),
// [*CanceledError], [*MismatchError], [*OutcomeUnknownError], and, when nothing was
// sent, [*ValidationError] or a [*ConnectionError] that matches [ErrNotSent].
//
// # What to call
//
//   - To make a client, call [New]; [ParseSecretKey] checks a key before, and
//     [Client.KeyID] names it in a database.
//   - To set how a client calls, pass [WithHTTPClient], [WithBaseURL], [WithTimeout],
//     [WithMaxRetries], [WithLookupGrace] or [WithLanguage]; to see what it does,
//     [WithLogger] or [WithObserver].
//   - To name the operation that a call belongs to, pass [WithIdempotencyKey]; to see the
//     answer itself, [WithResponse]; to have a test key refused, [WithTestCode].
//   - To write an amount of won, call [Won]; to read one, [ParseAmount]; a day,
//     [ParseDate] or [DateOf].
//   - To name an order, call [NewOrderID]; to check your own names, [ValidateOrderID],
//     [ValidateOrderName] and [ValidateCustomerKey].
//   - To read what the browser brings, call [ParseSuccessURL], [ParseFailURL] or
//     [ParseBillingURL].
//   - To take a payment that the buyer has authenticated, call [Client.ConfirmPayment].
//   - To take one without a window, call [Client.ChargeKeyIn] or
//     [Client.IssueVirtualAccount]; to open a window from the server,
//     [Client.CreatePayment].
//   - To register a card for later, call [Client.IssueBillingKey] or
//     [Client.IssueBillingKeyByCard]; to charge it, [Client.ChargeBilling]; to forget
//     it, [Client.DeleteBillingKey].
//   - To give money back, call [Client.CancelPayment] or
//     [Client.CancelPaymentPartially].
//   - To learn what a result means, call [OutcomeOf], [CodeOf] and [PaymentOf]; every
//     code that is known, [ErrorCodes].
//   - To ask again how a payment has ended, call [Client.ResolvePayment] or
//     [Client.ResolvePaymentByOrderID]; to judge one that you have,
//     [ConfirmPaymentRequest.Check].
//   - To read a payment, call [Client.GetPayment] or [Client.GetPaymentByOrderID].
//   - To store what is secret, call Stored of its type, or [Store]; to make such a value
//     from columns, [NewSensitive] and [NewBillingKey].
//   - To read the books, call [Client.AllTransactions] and [Client.AllSettlements]; to
//     be paid out now, [Client.RequestSettlement].
//   - To issue a cash receipt, call [Client.IssueCashReceipt]; to cancel it,
//     [Client.CancelCashReceipt]; to list them, [Client.AllCashReceipts].
//   - To show promotions, call [Client.GetPromotions] and [Client.GetCardPromotions].
//   - To call any other endpoint, call [Client.Do], or [Client.DoPayment] where it moves
//     money.
//   - To end a client, call [Client.Close]; to recognise a test key, [Client.IsTest].
//
// Package webhook receives events, reconcile compares the books, institutions names
// banks and cards, payouts and brandpay are the products of those names.
//
// Package tosstest is an in-process fake of Toss Payments, for tests and for trying
// things without an account.
package tosspayments

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Version is the version of this library; requests carry it as User-Agent.
const Version = "0.2.0"

const (
	defaultMaxRetries  = 2
	defaultLookupGrace = 5 * time.Second
)

// Client calls Toss Payments with one secret key. It is safe for concurrent use; make one
// per key and keep it, since it reuses connections. One that was not used costs about a
// kilobyte, one that was used some tens of kilobytes for each connection, until that has
// been idle for 30 seconds. [Client.Close] closes idle connections at once.
type Client struct {
	key        SecretKey
	base       string
	http       *http.Client
	maxRetries int
	timeout    time.Duration
	grace      time.Duration
	language   Language
	logger     *slog.Logger
	observer   func(context.Context, Attempt)
	// Closures keep the key, in the forms in which it is sent and searched for, from
	// being printed with the Client.
	authorization func() string
	secrets       func() []string
}

// New returns a client for a secret key (test_sk_…, live_sk_…, test_gsk_…,
// live_gsk_…). See [ParseSecretKey] for what is refused.
func New(secretKey string, opts ...Option) (*Client, error) {
	key, err := ParseSecretKey(secretKey)
	if err != nil {
		return nil, err
	}
	c := &Client{
		key:        key,
		base:       "https://api.tosspayments.com",
		maxRetries: defaultMaxRetries,
		grace:      defaultLookupGrace,
		language:   LanguageKorean,
	}
	authorization := key.Authorization()
	c.authorization = func() string { return authorization }
	encoded := strings.TrimPrefix(authorization, "Basic ")
	secrets := []string{key.text(), encoded, strings.TrimRight(encoded, "=")}
	c.secrets = func() []string { return secrets }
	for _, opt := range opts {
		if opt == nil {
			return nil, &ValidationError{Field: "option", Reason: "must not be nil"}
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	c.http = ownHTTPClient(c.http)
	return c, nil
}

// IsTest reports whether the client belongs to the test environment.
func (c *Client) IsTest() bool { return c.key.IsTest() }

// KeyID returns a harmless fingerprint of the secret key, 16 hexadecimal digits. Store
// it beside an idempotency key, which the server keeps per secret key: with another
// one, look the payment up instead of making the call again.
func (c *Client) KeyID() string { return c.key.id() }

// Close closes idle connections. Calls that are under way go on, and the client can still
// be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ownHTTPClient returns a copy of client, or the default one for nil, that hands
// redirects back: a followed 302 would turn a POST into a GET.
func ownHTTPClient(client *http.Client) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	} else {
		own.Transport = newPool()
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
