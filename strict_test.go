package tosspayments_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// sentBody lets a client make a call, and returns the body of its request.
func sentBody(t *testing.T, a answer, call func(context.Context, *tosspayments.Client) error) (body object) {
	t.Helper()
	client, mock := mockClient(t)
	s := &script{answers: []answer{a}}
	mock.RegisterNoResponder(s.respond)
	require.NoError(t, call(t.Context(), client))
	require.Len(t, s.seen, 1)
	require.NoError(t, json.Unmarshal([]byte(s.seen[0].body), &body))
	return body
}

func registrationByCardRequest() tosspayments.IssueBillingKeyByCardRequest {
	return tosspayments.IssueBillingKeyByCardRequest{
		CustomerKey: "customer-1", CardNumber: testCard.number, CardExpirationYear: testCard.year, CardExpirationMonth: testCard.month,
		CustomerIdentityNumber: testCard.identity, CardPassword: testCard.password,
	}
}

var (
	cardAnswer    = answer{status: 200, body: paymentJSON("DONE", object{"card": object{"amount": 15000}})}
	billingAnswer = answer{status: 200, body: `{"customerKey":"customer-1","billingKey":"billing-key=1"}`}
	accountAnswer = answer{status: 200, body: paymentJSON("WAITING_FOR_DEPOSIT", object{"virtualAccount": object{"accountNumber": "X1"}})}
)

// Some contracts need neither the identity number nor the password of a card, and what a
// password looks like is the card company's business.
func TestCardsWithoutIdentityOrPassword(t *testing.T) {
	for _, password := range []string{"", "0", "1234", "a b"} {
		bodies := []object{
			sentBody(t, cardAnswer, func(ctx context.Context, c *tosspayments.Client) error {
				request := keyInRequest()
				request.CustomerIdentityNumber, request.CardPassword = tosspayments.Sensitive{}, tosspayments.NewSensitive(password)
				_, err := c.ChargeKeyIn(ctx, request)
				return err
			}),
			sentBody(t, billingAnswer, func(ctx context.Context, c *tosspayments.Client) error {
				request := registrationByCardRequest()
				request.CustomerIdentityNumber, request.CardPassword = tosspayments.Sensitive{}, tosspayments.NewSensitive(password)
				_, err := c.IssueBillingKeyByCard(ctx, request)
				return err
			}),
		}
		for _, body := range bodies {
			assert.NotContains(t, body, "customerIdentityNumber")
			if password == "" {
				assert.NotContains(t, body, "cardPassword")
			} else {
				assert.Equal(t, password, body["cardPassword"])
			}
		}
	}
}

// The server takes more characters in a customer key than it documents, so one that was
// registered is only bounded.
func TestStoredCustomerKeysAreOnlyBounded(t *testing.T) {
	for _, key := range []string{"user 1!", "k", "손님-1", strings.Repeat("k", 300)} {
		body := sentBody(t, cardAnswer, func(ctx context.Context, c *tosspayments.Client) error {
			_, err := c.ChargeBilling(ctx, tosspayments.NewBillingKey("billing-key=1", key), chargeRequest())
			return err
		})
		assert.Equal(t, key, body["customerKey"])
	}
	client, _ := mockClient(t)
	for _, key := range []string{"", strings.Repeat("k", 301), "\xff"} {
		_, err := client.ChargeBilling(t.Context(), tosspayments.NewBillingKey("billing-key=1", key), chargeRequest())
		assertInvalid(t, err, "customerKey", "")
	}
}

// Two machines do not agree about the second, and documents not about escrow.
func TestAccountsAtTheLimit(t *testing.T) {
	const limit = 90 * 24 * time.Hour
	for _, due := range []time.Duration{limit, limit + 5*time.Second} {
		body := sentBody(t, accountAnswer, func(ctx context.Context, c *tosspayments.Client) error {
			request := accountRequest()
			request.DueDate = time.Now().Add(due)
			_, err := c.IssueVirtualAccount(ctx, request)
			return err
		})
		assert.Len(t, body["dueDate"], len("2026-03-01T10:15:30"))
	}
	body := sentBody(t, accountAnswer, func(ctx context.Context, c *tosspayments.Client) error {
		request := accountRequest()
		request.UseEscrow, request.ValidHours = true, 2160
		_, err := c.IssueVirtualAccount(ctx, request)
		return err
	})
	assert.Equal(t, true, body["useEscrow"])
	assert.NotContains(t, body, "escrowProducts")

	client, _ := mockClient(t)
	for _, due := range []time.Duration{limit + time.Hour, -time.Hour} {
		request := accountRequest()
		request.DueDate = time.Now().Add(due)
		_, err := client.IssueVirtualAccount(t.Context(), request)
		assertInvalid(t, err, "dueDate", "90 days")
	}
}

// An order id of an earlier system can be read, whatever the rules for new ones.
func TestOldOrderIDsAreRead(t *testing.T) {
	for _, id := range []string{"71", "주문 1", "a/b"} {
		client, mock := mockClient(t)
		mock.RegisterNoResponder((&script{answers: []answer{{status: 200, body: paymentJSON("DONE", object{"orderId": id})}}}).respond)
		payment, err := client.GetPaymentByOrderID(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, id, payment.OrderID)
		_, err = client.ResolvePaymentByOrderID(t.Context(), id, tosspayments.Won(15000))
		require.NoError(t, err)
		stored := tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: id, Amount: tosspayments.Won(15000)}
		_, err = client.ResolvePayment(t.Context(), stored)
		require.NoError(t, err)
		_, err = stored.Check(payment)
		require.NoError(t, err)
	}
}

// A payment key goes into paths, logs and terminals.
func TestPaymentKeysAreVisible(t *testing.T) {
	client, mock := mockClient(t)
	for _, key := range []string{"pay 1", "pay\n1", "pay\x1b[2J", "pay\u200b1", "pay\x001"} {
		request := confirmRequest()
		request.PaymentKey = key
		_, err := client.ConfirmPayment(t.Context(), request)
		assertInvalid(t, err, "paymentKey", "visible")
		_, err = client.DoPayment(t.Context(), thingRequest(http.MethodPost), request)
		assertInvalid(t, err, "paymentKey", "visible")
	}
	assert.Zero(t, mock.GetTotalCallCount())
}
