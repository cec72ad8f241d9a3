package tosspayments_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

var (
	testBillingKey = tosspayments.NewBillingKey("billing-key=1", "customer-1")
	testCard       = struct{ number, year, month, identity, password tosspayments.Sensitive }{
		tosspayments.NewSensitive("4330123412341234"), tosspayments.NewSensitive("30"), tosspayments.NewSensitive("12"),
		tosspayments.NewSensitive("900101"), tosspayments.NewSensitive("00"),
	}
)

func chargeRequest() tosspayments.ChargeBillingRequest {
	return tosspayments.ChargeBillingRequest{OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000)}
}

func keyInRequest() tosspayments.ChargeKeyInRequest {
	return tosspayments.ChargeKeyInRequest{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000),
		CardNumber: testCard.number, CardExpirationYear: testCard.year, CardExpirationMonth: testCard.month,
		CustomerIdentityNumber: testCard.identity, CardPassword: testCard.password,
	}
}

func accountRequest() tosspayments.IssueVirtualAccountRequest {
	return tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
	}
}

const orderURL = "https://api.tosspayments.com/v1/payments/orders/order-0001"

func onOrder(mock *httpmock.MockTransport, answers ...answer) *script {
	s := &script{answers: answers}
	mock.RegisterResponder(http.MethodGet, orderURL, s.respond)
	return s
}

// charges are the calls that make a payment under an order id.
var charges = []struct {
	name, path string
	status     string
	// fields are what its payment has, others what one of another kind has.
	fields, others object
	call           func(context.Context, *tosspayments.Client, ...tosspayments.CallOption) (*tosspayments.Payment, error)
}{
	{
		"charge", "/v1/billing/billing-key=1", "DONE",
		object{"type": "BILLING", "card": object{"amount": 15000}}, object{"type": "NORMAL"},
		func(ctx context.Context, c *tosspayments.Client, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.ChargeBilling(ctx, testBillingKey, chargeRequest(), opts...)
		},
	},
	{
		"key-in", "/v1/payments/key-in", "DONE",
		object{"type": "NORMAL", "card": object{"amount": 15000}}, object{"card": nil, "virtualAccount": object{"accountNumber": "X1"}},
		func(ctx context.Context, c *tosspayments.Client, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.ChargeKeyIn(ctx, keyInRequest(), opts...)
		},
	},
	{
		"virtual account", "/v1/virtual-accounts", "WAITING_FOR_DEPOSIT",
		object{"type": "NORMAL", "virtualAccount": object{"accountNumber": "X1"}}, object{"virtualAccount": nil, "card": object{"amount": 15000}},
		func(ctx context.Context, c *tosspayments.Client, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.IssueVirtualAccount(ctx, accountRequest(), opts...)
		},
	},
}

// unknownKey is the payment key of an unknown outcome.
func unknownKey(err error) string {
	var unknown *tosspayments.OutcomeUnknownError
	if errors.As(err, &unknown) {
		return unknown.PaymentKey
	}
	return ""
}

// assertSays wants the error of a charge to have this outcome, and the payment if attached.
// No error has a billing key, or a payment key that is not known yet.
func assertSays(t *testing.T, err error, want tosspayments.Outcome, attached bool) {
	t.Helper()
	assert.Equal(t, want, tosspayments.OutcomeOf(nil, err), "%v", err)
	assert.Equal(t, attached, tosspayments.PaymentOf(err) != nil)
	assert.Empty(t, unknownKey(err))
	assert.NotContains(t, err.Error(), "billing-key")
}

// A charge, a key-in payment and a virtual account are their order ids: the payment
// that stands under it decides, whoever has made it and when.
func TestCharge(t *testing.T) {
	duplicated := refusal(400, tosspayments.ErrDuplicatedOrderID)
	nothing := refusal(404, tosspayments.ErrNotFoundPayment)
	failed := refusal(500, tosspayments.ErrFailedInternalSystemProcessing)
	rejected := refusal(403, tosspayments.ErrRejectCardPayment)
	for _, c := range charges {
		// made is the payment that the call makes, with changes.
		made := func(changes object) answer {
			fields := maps.Clone(c.fields)
			maps.Copy(fields, changes)
			status := c.status
			if s, ok := changes["status"].(string); ok {
				status = s
			}
			return answer{status: 200, body: paymentJSON(status, fields)}
		}
		lastYear := made(object{"requestedAt": "2025-03-01T10:15:30+09:00"})
		aborted := made(object{"status": "ABORTED", "failure": object{"code": "REJECT_CARD_PAYMENT", "message": "no"}})
		gone := made(object{"status": "CANCELED", "balanceAmount": 0})
		otherAmount, otherName, otherKind := made(object{"totalAmount": 14000}), made(object{"orderName": "shoes"}), made(c.others)
		const (
			success  = tosspayments.OutcomePaid // or waiting
			unknown  = tosspayments.OutcomeUnknown
			refused  = tosspayments.OutcomeRefused
			mismatch = tosspayments.OutcomeMismatch
			canceled = tosspayments.OutcomeCanceled
		)
		for _, row := range []struct {
			name    string
			answers []answer
			found   []answer
			want    tosspayments.Outcome
			is      error
			// own is set for a call with a key of the caller's.
			own          bool
			posts, looks int
			// attached is set if the error has the payment.
			attached bool
		}{
			{name: "answer", answers: []answer{made(nil)}, want: success, posts: 1},
			{name: "answer of another amount", answers: []answer{otherAmount}, want: mismatch, is: tosspayments.ErrAmountMismatch, posts: 1, attached: true},
			{name: "answer in another currency", answers: []answer{made(object{"currency": "USD"})}, want: mismatch, is: tosspayments.ErrAmountMismatch, posts: 1, attached: true},
			{name: "answer of another order", answers: []answer{made(object{"orderId": "order-0002"})}, want: mismatch, is: tosspayments.ErrForeignAnswer, posts: 1, attached: true},
			{name: "answer that it was aborted", answers: []answer{aborted}, want: refused, is: tosspayments.ErrRejectCardPayment, posts: 1, attached: true},
			{name: "replayed answer, cancelled since", answers: []answer{gone}, want: canceled, posts: 1, attached: true},
			{name: "answer that it is not made yet", answers: []answer{made(object{"status": "IN_PROGRESS"})}, found: []answer{made(nil)}, want: success, posts: 1, looks: 1},

			{name: "lost, replayed", answers: []answer{lost, made(nil)}, want: success, posts: 2},
			{name: "lost, found", answers: []answer{lost}, found: []answer{made(nil)}, want: success, posts: 3, looks: 1},
			{name: "lost, found last year's", answers: []answer{lost}, found: []answer{lastYear}, want: success, posts: 3, looks: 1},
			{name: "lost, found in part", answers: []answer{lost}, found: []answer{made(object{"status": "PARTIAL_CANCELED", "balanceAmount": 1})}, want: success, posts: 3, looks: 1},
			{name: "lost, found cancelled", answers: []answer{lost}, found: []answer{gone}, want: canceled, posts: 3, looks: 1, attached: true},
			{name: "lost, found another amount", answers: []answer{lost}, found: []answer{otherAmount}, want: mismatch, is: tosspayments.ErrAmountMismatch, posts: 3, looks: 1, attached: true},
			{name: "lost, found another name", answers: []answer{lost}, found: []answer{otherName}, want: mismatch, is: tosspayments.ErrForeignAnswer, posts: 3, looks: 1, attached: true},
			{name: "lost, found another kind", answers: []answer{lost}, found: []answer{otherKind}, want: mismatch, is: tosspayments.ErrForeignAnswer, posts: 3, looks: 1, attached: true},
			{name: "lost, nothing there", answers: []answer{lost}, found: []answer{nothing}, want: unknown, posts: 3, looks: 3},
			{name: "lost, an older attempt was aborted", answers: []answer{lost}, found: []answer{aborted}, want: unknown, posts: 3, looks: 3, attached: true},
			{name: "lost, an older attempt has expired", answers: []answer{lost}, found: []answer{made(object{"status": "EXPIRED"})}, want: unknown, posts: 3, looks: 3, attached: true},
			{name: "lost, then refused, nothing there", answers: []answer{lost, rejected}, found: []answer{nothing}, want: refused, is: tosspayments.ErrRejectCardPayment, posts: 2, looks: 2},
			{name: "lost, then refused, aborted", answers: []answer{lost, rejected}, found: []answer{aborted}, want: refused, is: tosspayments.ErrRejectCardPayment, posts: 2, looks: 2, attached: true},
			{name: "lost, then refused, found", answers: []answer{lost, rejected}, found: []answer{made(nil)}, want: success, posts: 2, looks: 1},
			{name: "lost, then refused, found on the second look", answers: []answer{lost, rejected}, found: []answer{nothing, made(nil)}, want: success, posts: 2, looks: 2},
			{name: "lost, then keys refused", answers: []answer{lost, refusal(401, tosspayments.ErrUnauthorizedKey)}, found: []answer{nothing}, want: unknown, posts: 2, looks: 3},
			{name: "500, found", answers: []answer{failed}, found: []answer{made(nil)}, want: success, posts: 1, looks: 1},
			{name: "500, nothing there, again", answers: []answer{failed, made(nil)}, found: []answer{nothing}, want: success, posts: 2, looks: 1},
			{name: "500, an older attempt was aborted, again", answers: []answer{failed, made(nil)}, found: []answer{aborted}, want: success, posts: 2, looks: 1},
			{name: "500 twice, nothing there, a new key", answers: []answer{failed, failed, made(nil)}, found: []answer{nothing}, want: success, posts: 3, looks: 2},

			{name: "429, again", answers: []answer{{status: 429}, made(nil)}, want: success, posts: 2},
			{name: "429, and it stands", answers: []answer{{status: 429}}, found: []answer{made(nil)}, want: success, posts: 3, looks: 1},
			{name: "429, nothing there", answers: []answer{{status: 429}}, found: []answer{nothing}, want: refused, posts: 3, looks: 1},
			{name: "429, own key", own: true, answers: []answer{{status: 429}}, found: []answer{nothing}, want: unknown, posts: 3, looks: 3},
			{name: "closed at this hour", answers: []answer{refusal(403, tosspayments.ErrNotAvailableBank)}, found: []answer{nothing}, want: refused, is: tosspayments.ErrNotAvailableBank, posts: 1, looks: 1},

			{name: "duplicated, it stands", answers: []answer{duplicated}, found: []answer{lastYear}, want: success, posts: 1, looks: 1},
			{name: "duplicated, it was cancelled", answers: []answer{duplicated}, found: []answer{gone}, want: canceled, posts: 1, looks: 1, attached: true},
			{name: "duplicated by another amount", answers: []answer{duplicated}, found: []answer{otherAmount}, want: mismatch, is: tosspayments.ErrAmountMismatch, posts: 1, looks: 1, attached: true},
			{name: "duplicated by another name", answers: []answer{duplicated}, found: []answer{otherName}, want: mismatch, is: tosspayments.ErrForeignAnswer, posts: 1, looks: 1, attached: true},
			{name: "duplicated by another kind", answers: []answer{duplicated}, found: []answer{otherKind}, want: mismatch, is: tosspayments.ErrForeignAnswer, posts: 1, looks: 1, attached: true},
			{name: "duplicated, not to be read", answers: []answer{duplicated}, found: []answer{lost}, want: unknown, posts: 1, looks: 4},
			{name: "duplicated, nothing there", answers: []answer{duplicated}, found: []answer{nothing}, want: unknown, posts: 1, looks: 3},
			{name: "duplicated, an older attempt was aborted", answers: []answer{duplicated}, found: []answer{aborted}, want: unknown, posts: 1, looks: 3, attached: true},
			{name: "lost, then duplicated: our own doing", answers: []answer{lost, duplicated}, found: []answer{made(nil)}, want: success, posts: 2, looks: 1},

			{name: "refused", answers: []answer{rejected}, want: refused, is: tosspayments.ErrRejectCardPayment, posts: 1},
			{name: "refused, own key", own: true, answers: []answer{rejected}, found: []answer{nothing}, want: refused, is: tosspayments.ErrRejectCardPayment, posts: 1, looks: 2},
			{name: "refused, own key, found", own: true, answers: []answer{rejected}, found: []answer{made(nil)}, want: success, posts: 1, looks: 1},
			{name: "keys refused", answers: []answer{refusal(401, tosspayments.ErrUnauthorizedKey)}, want: refused, is: tosspayments.ErrUnauthorizedKey, posts: 1},
			{name: "keys refused, own key", own: true, answers: []answer{refusal(401, tosspayments.ErrUnauthorizedKey)}, found: []answer{nothing}, want: unknown, posts: 1, looks: 3},
		} {
			t.Run(c.name+"/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					posts, lookups := &script{answers: row.answers}, &script{}
					mock.RegisterResponder(http.MethodPost, "https://api.tosspayments.com"+c.path, posts.respond)
					if row.found != nil {
						lookups = onOrder(mock, row.found...)
					}
					var opts []tosspayments.CallOption
					if row.own {
						opts = append(opts, tosspayments.WithIdempotencyKey("mine"))
					}
					payment, err := c.call(t.Context(), client, opts...)
					assert.Len(t, posts.seen, row.posts)
					assertLooks(t, lookups, row.looks, row.want == unknown)
					assertOneRequest(t, posts)
					if row.want == success {
						require.NoError(t, err)
						assert.Equal(t, "order-0001", payment.OrderID)
						return
					}
					require.Error(t, err)
					assert.Nil(t, payment)
					if row.is != nil {
						require.ErrorIs(t, err, row.is)
					}
					assertNoRefusalIfUnknown(t, posts, err)
					assertSays(t, err, row.want, row.attached)
				})
			})
		}
	}
}

// A confirm whose order id is taken learns of the payment that stands, so that nobody
// writes "failed" over a paid order.
func TestConfirmOfAnOrderThatIsTaken(t *testing.T) {
	for name, row := range map[string]struct {
		found answer
		want  tosspayments.Outcome
	}{
		"another payment is paid":     {answer{status: 200, body: paymentJSON("DONE", object{"paymentKey": "pay-2"})}, tosspayments.OutcomeMismatch},
		"another account is open":     {answer{status: 200, body: paymentJSON("WAITING_FOR_DEPOSIT", object{"paymentKey": "pay-2"})}, tosspayments.OutcomeMismatch},
		"another came to nothing":     {answer{status: 200, body: paymentJSON("ABORTED", object{"paymentKey": "pay-2"})}, tosspayments.OutcomeUnknown},
		"this payment is paid":        {answer{status: 200, body: paymentJSON("DONE", nil)}, tosspayments.OutcomePaid},
		"this payment was cancelled":  {answer{status: 200, body: paymentJSON("CANCELED", object{"balanceAmount": 0})}, tosspayments.OutcomeCanceled},
		"the order cannot be read":    {lost, tosspayments.OutcomeUnknown},
		"the order is not to be seen": {refusal(404, tosspayments.ErrNotFoundPayment), tosspayments.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, mock := mockClient(t)
				posts := onConfirm(mock, refusal(400, tosspayments.ErrDuplicatedOrderID))
				lookups := onOrder(mock, row.found)
				payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
				assert.Equal(t, row.want, tosspayments.OutcomeOf(payment, err), "%v", err)
				assert.Len(t, posts.seen, 1)
				assert.NotEmpty(t, lookups.seen)
				if row.want == tosspayments.OutcomeMismatch {
					assert.Equal(t, "pay-2", tosspayments.PaymentOf(err).PaymentKey)
					assert.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
				}
			})
		})
	}
}

func TestChargeValidation(t *testing.T) {
	client, mock := mockClient(t)
	refused := func(field string, err error) {
		t.Helper()
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
		for _, secret := range []string{"4330123412341234", "900101"} {
			assert.NotContains(t, err.Error(), secret)
		}
	}
	for field, change := range map[string]func(*tosspayments.ChargeBillingRequest){
		"orderId":             func(r *tosspayments.ChargeBillingRequest) { r.OrderID = "x" },
		"orderName":           func(r *tosspayments.ChargeBillingRequest) { r.OrderName = "" },
		"amount":              func(r *tosspayments.ChargeBillingRequest) { r.Amount = tosspayments.Amount{} },
		"taxFreeAmount":       func(r *tosspayments.ChargeBillingRequest) { r.TaxFreeAmount = tosspayments.Won(15001) },
		"taxExemptionAmount":  func(r *tosspayments.ChargeBillingRequest) { r.TaxExemptionAmount = tosspayments.Won(-1) },
		"cardInstallmentPlan": func(r *tosspayments.ChargeBillingRequest) { r.CardInstallmentPlan = 3 },
		"customerEmail":       func(r *tosspayments.ChargeBillingRequest) { r.CustomerEmail = strings.Repeat("a", 101) },
	} {
		request := chargeRequest()
		change(&request)
		_, err := client.ChargeBilling(t.Context(), testBillingKey, request)
		refused(field, err)
	}
	_, err := client.ChargeBilling(t.Context(), tosspayments.NewBillingKey("", "customer-1"), chargeRequest())
	refused("billingKey", err)
	_, err = client.ChargeBilling(t.Context(), tosspayments.NewBillingKey("key", ""), chargeRequest())
	refused("customerKey", err)
	for field, change := range map[string]func(*tosspayments.ChargeKeyInRequest){
		"cardNumber":             func(r *tosspayments.ChargeKeyInRequest) { r.CardNumber = tosspayments.NewSensitive("4330-1234") },
		"cardExpirationYear":     func(r *tosspayments.ChargeKeyInRequest) { r.CardExpirationYear = tosspayments.NewSensitive("2030") },
		"cardExpirationMonth":    func(r *tosspayments.ChargeKeyInRequest) { r.CardExpirationMonth = tosspayments.NewSensitive("13") },
		"customerIdentityNumber": func(r *tosspayments.ChargeKeyInRequest) { r.CustomerIdentityNumber = tosspayments.NewSensitive("1") },
	} {
		request := keyInRequest()
		change(&request)
		_, err := client.ChargeKeyIn(t.Context(), request)
		refused(field, err)
	}
	for field, change := range map[string]func(*tosspayments.IssueVirtualAccountRequest){
		"customerName": func(r *tosspayments.IssueVirtualAccountRequest) { r.CustomerName = "" },
		"bank":         func(r *tosspayments.IssueVirtualAccountRequest) { r.Bank = "" },
		"validHours":   func(r *tosspayments.IssueVirtualAccountRequest) { r.ValidHours = 2161 },
		"dueDate":      func(r *tosspayments.IssueVirtualAccountRequest) { r.DueDate = time.Now().Add(-time.Hour) },
		"customerMobilePhone": func(r *tosspayments.IssueVirtualAccountRequest) {
			r.CustomerMobilePhone = "010-1234-5678"
		},
		"accountKey":       func(r *tosspayments.IssueVirtualAccountRequest) { r.AccountKey = strings.Repeat("a", 14) },
		"cashReceipt.type": func(r *tosspayments.IssueVirtualAccountRequest) { r.CashReceipt = &tosspayments.CashReceiptOrder{} },
	} {
		request := accountRequest()
		change(&request)
		_, err := client.IssueVirtualAccount(t.Context(), request)
		refused(field, err)
	}
	both := accountRequest()
	both.ValidHours, both.DueDate = 24, time.Now().Add(time.Hour)
	_, err = client.IssueVirtualAccount(t.Context(), both)
	refused("validHours", err)
	assert.Zero(t, mock.GetTotalCallCount(), "nothing is sent")

	widget, err := tosspayments.New("test_gsk_docs_OaPz8L5KdmQXkzRz3y47BMw6")
	require.NoError(t, err)
	_, err = widget.ChargeBilling(t.Context(), testBillingKey, chargeRequest())
	refused("secretKey", err)
	_, err = widget.IssueBillingKey(t.Context(), tosspayments.BillingRedirect{})
	refused("secretKey", err)
	_, err = widget.IssueBillingKeyByCard(t.Context(), tosspayments.IssueBillingKeyByCardRequest{})
	refused("secretKey", err)
	refused("secretKey", widget.DeleteBillingKey(t.Context(), testBillingKey))
}
