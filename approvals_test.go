package tosspayments_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

var (
	testBillingKey = tosspayments.NewBillingKey("billing-key=1", "customer-1")
	testCard       = struct{ number, year, month, identity, password tosspayments.Sensitive }{
		tosspayments.NewSensitive("4330123412341234"), tosspayments.NewSensitive("30"), tosspayments.NewSensitive("12"),
		tosspayments.NewSensitive("900101"), tosspayments.NewSensitive("00"),
	}
)

func charge() tosspayments.ChargeBillingRequest {
	return tosspayments.ChargeBillingRequest{OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000)}
}

func keyIn() tosspayments.KeyInRequest {
	return tosspayments.KeyInRequest{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000),
		CardNumber: testCard.number, CardExpirationYear: testCard.year, CardExpirationMonth: testCard.month,
		CustomerIdentityNumber: testCard.identity, CardPassword: testCard.password,
	}
}

func account() tosspayments.IssueVirtualAccountRequest {
	return tosspayments.IssueVirtualAccountRequest{
		OrderID: "order-0001", OrderName: "socks", Amount: tosspayments.Won(15000), CustomerName: "김토스", Bank: "20",
	}
}

// approvals are the calls that make a payment under an order id.
var approvals = []struct {
	name, path string
	status     string
	fields     object
	call       func(context.Context, *tosspayments.Client, ...tosspayments.CallOption) (*tosspayments.Payment, error)
}{
	{
		"charge", "/v1/billing/billing-key=1", "DONE", object{"type": "BILLING", "card": object{"amount": 15000}},
		func(ctx context.Context, c *tosspayments.Client, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.ChargeBilling(ctx, testBillingKey, charge(), opts...)
		},
	},
	{
		"key-in", "/v1/payments/key-in", "DONE", object{"type": "NORMAL", "card": object{"amount": 15000}},
		func(ctx context.Context, c *tosspayments.Client, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.ChargeKeyIn(ctx, keyIn(), opts...)
		},
	},
	{
		"virtual account", "/v1/virtual-accounts", "WAITING_FOR_DEPOSIT", object{"type": "NORMAL", "virtualAccount": object{"accountNumber": "X1"}},
		func(ctx context.Context, c *tosspayments.Client, opts ...tosspayments.CallOption) (*tosspayments.Payment, error) {
			return c.IssueVirtualAccount(ctx, account(), opts...)
		},
	},
}

func TestApprovalSettles(t *testing.T) {
	const base = "https://api.tosspayments.com"
	notFound := refusal(404, tosspayments.ErrNotFoundPayment)
	for _, a := range approvals {
		// made is the payment that the call makes, age is how old it is.
		made := func(age time.Duration, changes object) answer {
			fields := object{"requestedAt": time.Now().Add(-age).Format(time.RFC3339)}
			for name, value := range a.fields {
				fields[name] = value
			}
			for name, value := range changes {
				fields[name] = value
			}
			status := a.status
			if s, ok := changes["status"].(string); ok {
				status = s
			}
			return answer{status: 200, body: paymentJSON(status, fields)}
		}
		for name, row := range map[string]struct {
			answers  func() []answer
			found    func() []answer
			wants    error
			next     tosspayments.NextStep
			posts    int
			attached bool
		}{
			"answer":         {answers: func() []answer { return []answer{made(0, nil)} }, posts: 1},
			"lost, replayed": {answers: func() []answer { return []answer{lost, made(0, nil)} }, posts: 2},
			"lost, found":    {answers: func() []answer { return []answer{lost} }, found: func() []answer { return []answer{made(time.Minute, nil)} }, posts: 3},
			"500, found": {
				answers: func() []answer {
					return []answer{refusal(500, tosspayments.ErrFailedInternalSystemProcessing)}
				},
				found: func() []answer { return []answer{made(0, nil)} }, posts: 1,
			},
			"500, nothing there, again": {
				answers: func() []answer {
					return []answer{refusal(500, tosspayments.ErrFailedInternalSystemProcessing), made(0, nil)}
				},
				found: func() []answer { return []answer{notFound} }, posts: 2,
			},
			"429, nothing there, again": {
				answers: func() []answer { return []answer{{status: 429}, made(0, nil)} },
				found:   func() []answer { return []answer{notFound} }, posts: 2,
			},
			"429, and somebody else's is there": {
				answers: func() []answer { return []answer{{status: 429}} },
				found:   func() []answer { return []answer{made(0, nil)} },
				wants:   tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 1, attached: true,
			},
			"lost, last month's is there": {
				answers: func() []answer { return []answer{lost} },
				found:   func() []answer { return []answer{made(30*24*time.Hour, nil)} },
				wants:   tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3, attached: true,
			},
			"lost, another amount is there": {
				answers: func() []answer { return []answer{lost} },
				found:   func() []answer { return []answer{made(0, object{"totalAmount": 14000})} },
				wants:   tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3, attached: true,
			},
			"lost, another order name is there": {
				answers: func() []answer { return []answer{lost} },
				found:   func() []answer { return []answer{made(0, object{"orderName": "shoes"})} },
				wants:   tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3, attached: true,
			},
			"lost, another kind is there": {
				answers: func() []answer { return []answer{lost} },
				found: func() []answer {
					return []answer{made(0, object{"type": "BRANDPAY", "card": nil, "virtualAccount": nil, "transfer": object{}})}
				},
				wants: tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3, attached: true,
			},
			"lost, nothing there": {
				answers: func() []answer { return []answer{lost} },
				found:   func() []answer { return []answer{notFound} },
				wants:   tosspayments.ErrOutcomeUnknown, next: tosspayments.NextSameKey, posts: 3,
			},
			"lost, found refused": {
				answers: func() []answer { return []answer{lost} },
				found: func() []answer {
					return []answer{made(0, object{"status": "ABORTED", "failure": object{"code": "REJECT_CARD_PAYMENT", "message": "no"}})}
				},
				wants: tosspayments.ErrRejectCardPayment, posts: 3,
			},
			"duplicated, nothing lost": {
				answers: func() []answer { return []answer{refusal(400, tosspayments.ErrDuplicatedOrderID)} },
				found:   func() []answer { return []answer{made(30*24*time.Hour, nil)} },
				wants:   tosspayments.ErrDuplicatedOrderID, posts: 1, attached: true,
			},
			"lost, then duplicated: our own doing": {
				answers: func() []answer { return []answer{lost, refusal(400, tosspayments.ErrDuplicatedOrderID)} },
				found:   func() []answer { return []answer{made(0, nil)} }, posts: 2,
			},
			"lost, then duplicated by last month's": {
				answers: func() []answer { return []answer{lost, refusal(400, tosspayments.ErrDuplicatedOrderID)} },
				found:   func() []answer { return []answer{made(30*24*time.Hour, nil)} },
				wants:   tosspayments.ErrOutcomeUnknown, next: tosspayments.NextLookUp, posts: 2, attached: true,
			},
			"refused": {
				answers: func() []answer { return []answer{refusal(403, tosspayments.ErrRejectCardPayment)} },
				wants:   tosspayments.ErrRejectCardPayment, posts: 1,
			},
			"the answer has another amount": {
				answers: func() []answer { return []answer{made(0, object{"totalAmount": 100})} },
				wants:   tosspayments.ErrAmountMismatch, posts: 1,
			},
			"the answer is of another order": {
				answers: func() []answer { return []answer{made(0, object{"orderId": "order-0002"})} },
				wants:   tosspayments.ErrForeignAnswer, posts: 1,
			},
		} {
			t.Run(a.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					posts := &script{answers: row.answers()}
					mock.RegisterResponder(http.MethodPost, base+a.path, posts.respond)
					if row.found != nil {
						mock.RegisterResponder(http.MethodGet, base+"/v1/payments/orders/order-0001", (&script{answers: row.found()}).respond)
					}
					payment, err := a.call(t.Context(), client)
					assert.Len(t, posts.seen, row.posts)
					for _, seen := range posts.seen {
						assert.Equal(t, posts.seen[0].body, seen.body)
						assert.Equal(t, posts.seen[0].header.Get("Idempotency-Key"), seen.header.Get("Idempotency-Key"))
					}
					if row.wants == nil {
						require.NoError(t, err)
						assert.Equal(t, "order-0001", payment.OrderID)
						return
					}
					require.ErrorIs(t, err, row.wants)
					var unknown *tosspayments.OutcomeUnknownError
					var refused *tosspayments.Error
					switch {
					case errors.As(err, &unknown):
						assert.Equal(t, row.next, unknown.Next)
						assert.Equal(t, row.attached, unknown.Payment != nil)
						assert.False(t, errors.As(err, &refused), "an unknown outcome is no refusal")
					case row.attached:
						require.ErrorAs(t, err, &refused)
						assert.NotNil(t, refused.Payment)
					}
					assert.NotContains(t, err.Error(), "billing-key")
				})
			})
		}
	}
}

func TestApprovalValidation(t *testing.T) {
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
		request := charge()
		change(&request)
		_, err := client.ChargeBilling(t.Context(), testBillingKey, request)
		refused(field, err)
	}
	_, err := client.ChargeBilling(t.Context(), tosspayments.NewBillingKey("", "customer-1"), charge())
	refused("billingKey", err)
	_, err = client.ChargeBilling(t.Context(), tosspayments.NewBillingKey("key", ""), charge())
	refused("customerKey", err)
	for field, change := range map[string]func(*tosspayments.KeyInRequest){
		"cardNumber":             func(r *tosspayments.KeyInRequest) { r.CardNumber = tosspayments.NewSensitive("4330-1234") },
		"cardExpirationYear":     func(r *tosspayments.KeyInRequest) { r.CardExpirationYear = tosspayments.NewSensitive("2030") },
		"cardExpirationMonth":    func(r *tosspayments.KeyInRequest) { r.CardExpirationMonth = tosspayments.NewSensitive("13") },
		"customerIdentityNumber": func(r *tosspayments.KeyInRequest) { r.CustomerIdentityNumber = tosspayments.NewSensitive("1") },
		"cardPassword":           func(r *tosspayments.KeyInRequest) { r.CardPassword = tosspayments.NewSensitive("0") },
	} {
		request := keyIn()
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
		"escrowProducts":   func(r *tosspayments.IssueVirtualAccountRequest) { r.UseEscrow = true },
		"accountKey":       func(r *tosspayments.IssueVirtualAccountRequest) { r.AccountKey = strings.Repeat("a", 14) },
		"cashReceipt.type": func(r *tosspayments.IssueVirtualAccountRequest) { r.CashReceipt = &tosspayments.CashReceiptOrder{} },
	} {
		request := account()
		change(&request)
		_, err := client.IssueVirtualAccount(t.Context(), request)
		refused(field, err)
	}
	both := account()
	both.ValidHours, both.DueDate = 24, time.Now().Add(time.Hour)
	_, err = client.IssueVirtualAccount(t.Context(), both)
	refused("validHours", err)
	assert.Zero(t, mock.GetTotalCallCount(), "nothing is sent")

	widget, err := tosspayments.New("test_gsk_docs_OaPz8L5KdmQXkzRz3y47BMw6")
	require.NoError(t, err)
	_, err = widget.ChargeBilling(t.Context(), testBillingKey, charge())
	refused("secretKey", err)
	_, err = widget.IssueBillingKey(t.Context(), tosspayments.BillingRedirect{})
	refused("secretKey", err)
	_, err = widget.IssueBillingKeyByCard(t.Context(), tosspayments.BillingCardRequest{})
	refused("secretKey", err)
	refused("secretKey", widget.DeleteBillingKey(t.Context(), testBillingKey))
}

func TestBillingKeysAreNotPrinted(t *testing.T) {
	billing := &tosspayments.Billing{BillingKey: testBillingKey, MID: "shop"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", testBillingKey.Key, "customer", testBillingKey.CustomerKey)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", billing, billing, testBillingKey, testBillingKey), log.String()} {
		assert.NotContains(t, text, "billing-key=1")
		assert.NotContains(t, text, "customer-1")
	}
	stored, err := json.Marshal(testBillingKey)
	require.NoError(t, err)
	assert.JSONEq(t, `{"billingKey":"billing-key=1","customerKey":"customer-1"}`, string(stored))
	var again tosspayments.BillingKey
	require.NoError(t, json.Unmarshal(stored, &again))
	assert.Equal(t, "billing-key=1", again.Key.Reveal())
}

func TestSubscription(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	redirect := server.Register(tosstest.Registration{CustomerKey: "customer-1"})
	billing, err := client.IssueBillingKey(t.Context(), redirect)
	require.NoError(t, err)
	assert.Equal(t, "customer-1", billing.CustomerKey.Reveal())
	assert.NotEmpty(t, billing.Card.Number)
	assert.False(t, billing.AuthenticatedAt.IsZero())
	_, err = client.IssueBillingKey(t.Context(), redirect)
	require.ErrorIs(t, err, tosspayments.ErrInvalidBillKeyRequest, "an authKey works once")

	payment, err := client.ChargeBilling(t.Context(), billing.BillingKey, charge())
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
	assert.Equal(t, tosspayments.PaymentTypeBilling, payment.Type)

	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, charge())
	require.ErrorIs(t, err, tosspayments.ErrDuplicatedOrderID)
	var duplicate *tosspayments.Error
	require.ErrorAs(t, err, &duplicate)
	assert.Equal(t, payment.PaymentKey, duplicate.Payment.PaymentKey)
	assert.Equal(t, 1, server.Charges("order-0001"))

	_, err = client.ChargeBilling(t.Context(), tosspayments.NewBillingKey(billing.Key.Reveal(), "customer-2"), charge())
	require.ErrorIs(t, err, tosspayments.ErrNotMatchesCustomerKey)

	server.SetRefusal(billing.BillingKey, tosspayments.ErrRejectCardPayment)
	next := charge()
	next.OrderID = "order-0002"
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, next)
	require.ErrorIs(t, err, tosspayments.ErrRejectCardPayment)
	server.SetRefusal(billing.BillingKey, "")
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, next)
	require.NoError(t, err, "the order id of a refusal can be used again")

	server.Inject(tosstest.Fault{Operation: tosstest.DeleteBillingKey, Kind: tosstest.Drop, AfterEffect: true})
	require.NoError(t, client.DeleteBillingKey(t.Context(), billing.BillingKey))
	require.ErrorIs(t, client.DeleteBillingKey(t.Context(), billing.BillingKey), tosspayments.ErrAlreadyRemovedBillingKey)
	next.OrderID = "order-0003"
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, next)
	require.ErrorIs(t, err, tosspayments.ErrAlreadyRemovedBillingKey)
	require.ErrorIs(t, client.DeleteBillingKey(t.Context(), tosspayments.NewBillingKey("none", "customer-1")), tosspayments.ErrNotFoundBilling)
}

func TestRegistrationByCard(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	request := tosspayments.BillingCardRequest{
		CustomerKey: "customer-1", CardNumber: testCard.number, CardExpirationYear: testCard.year,
		CardExpirationMonth: testCard.month, CustomerIdentityNumber: testCard.identity, CardPassword: testCard.password,
	}
	server.Inject(tosstest.Fault{Operation: tosstest.IssueBillingKeyByCard, Kind: tosstest.Drop, AfterEffect: true})
	billing, err := client.IssueBillingKeyByCard(t.Context(), request)
	require.NoError(t, err, "the idempotency key replays the answer")
	_, err = client.ChargeBilling(t.Context(), billing.BillingKey, charge())
	require.NoError(t, err)
	request.CardNumber = tosspayments.NewSensitive("943400")
	_, err = client.IssueBillingKeyByCard(t.Context(), request)
	require.ErrorIs(t, err, tosspayments.ErrInvalidCardNumber)
	_, err = client.ChargeKeyIn(t.Context(), keyIn())
	require.ErrorIs(t, err, tosspayments.ErrDuplicatedOrderID)
}

func TestRegistrationOfSomebodyElse(t *testing.T) {
	client, mock := mockClient(t)
	mock.RegisterResponder(http.MethodPost, "https://api.tosspayments.com/v1/billing/authorizations/issue",
		(&script{answers: []answer{{status: 200, body: `{"billingKey":"billing-key=1","customerKey":"customer-2"}`}}}).respond)
	_, err := client.IssueBillingKey(t.Context(), tosspayments.BillingRedirect{CustomerKey: "customer-1", AuthKey: tosspayments.NewSensitive("auth")})
	require.ErrorIs(t, err, tosspayments.ErrForeignAnswer)
	assert.NotContains(t, err.Error(), "customer-2")
	assert.NotContains(t, err.Error(), "billing-key")
}

func TestVirtualAccount(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	payment, err := client.IssueVirtualAccount(t.Context(), account())
	require.NoError(t, err)
	assert.False(t, payment.IsPaid())
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, payment.Status)
	assert.True(t, strings.HasPrefix(payment.VirtualAccount.AccountNumber.Reveal(), "X"))
	assert.NotEmpty(t, payment.Secret.Reveal())
	assert.WithinDuration(t, time.Now().Add(168*time.Hour), payment.VirtualAccount.DueDate.Time, time.Minute)
	assert.Zero(t, server.Charges("order-0001"))

	require.Error(t, server.Deposit("order-0001", tosspayments.Won(100)), "a wrong amount is refused by the bank")
	_, err = client.CancelPaymentPartially(t.Context(), payment.PaymentKey, tosspayments.PartialCancelRequest{
		CancelReason: "test", CancelAmount: tosspayments.Won(1), RefundableAmount: payment.BalanceAmount,
	})
	require.ErrorIs(t, err, tosspayments.ErrNotAllowedPartialRefundWaitingDeposit)
	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	payment, err = client.GetPayment(t.Context(), payment.PaymentKey)
	require.NoError(t, err)
	assert.True(t, payment.IsPaid())
	assert.Equal(t, "김토스", payment.VirtualAccount.DepositorName)

	require.NoError(t, server.Bounce("order-0001"))
	payment, err = client.GetPayment(t.Context(), payment.PaymentKey)
	require.NoError(t, err)
	assert.False(t, payment.IsPaid())
	assert.True(t, payment.ApprovedAt.IsZero())
	require.Error(t, server.Bounce("order-0001"))

	require.NoError(t, server.Deposit("order-0001", tosspayments.Won(15000)))
	_, err = client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
	require.ErrorIs(t, err, tosspayments.ErrInvalidRefundAccountInfo, "a deposited account is refunded to somewhere")
	payment, err = client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{
		CancelReason: "test", RefundReceiveAccount: &tosspayments.RefundReceiveAccount{
			Bank: "20", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: "김토스",
		},
	})
	require.NoError(t, err)
	assert.True(t, payment.IsFullyCanceled())
}

func TestVirtualAccountExpiresAndIsCancelled(t *testing.T) {
	server := tosstest.NewServer(t)
	client := server.Client()
	request := account()
	request.ValidHours = 1
	payment, err := client.IssueVirtualAccount(t.Context(), request)
	require.NoError(t, err)
	server.Advance(2 * time.Hour)
	payment, err = client.GetPayment(t.Context(), payment.PaymentKey)
	require.NoError(t, err)
	assert.True(t, payment.VirtualAccount.Expired)
	assert.Equal(t, tosspayments.PaymentStatusWaitingForDeposit, payment.Status, "nothing else tells it")
	require.Error(t, server.Deposit("order-0001", tosspayments.Won(15000)))

	request.OrderID = "order-0002"
	request.ValidHours, request.DueDate = 0, time.Now().Add(26*time.Hour)
	payment, err = client.IssueVirtualAccount(t.Context(), request)
	require.NoError(t, err)
	assert.WithinDuration(t, request.DueDate, payment.VirtualAccount.DueDate.Time, time.Second)
	payment, err = client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
	require.NoError(t, err)
	assert.Equal(t, tosspayments.PaymentStatusCanceled, payment.Status)
	assert.Zero(t, server.Charges("order-0002"))
	assert.Empty(t, server.Refunds("order-0002"))
	_, err = client.CancelPayment(t.Context(), payment.PaymentKey, tosspayments.CancelPaymentRequest{CancelReason: "test"})
	require.ErrorIs(t, err, tosspayments.ErrAlreadyCanceledPayment)
}

func TestCancelRequestID(t *testing.T) {
	client, mock := mockClient(t)
	posts := onCancel(mock, canceled("CANCELED", 0, "C1", cancelEntry("C1", 15000, 0, object{"cancelRequestId": "cancel-1"})))
	_, err := client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{
		CancelReason: "reason", CancelRequestID: "cancel-1", TaxExemptionAmount: tosspayments.Won(100),
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"cancelReason":"reason","cancelRequestId":"cancel-1","taxExemptionAmount":100}`, posts.seen[0].body)
	var invalid *tosspayments.ValidationError
	_, err = client.CancelPayment(t.Context(), "pay-1", tosspayments.CancelPaymentRequest{CancelReason: "reason", CancelRequestID: "x"})
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "cancelRequestId", invalid.Field)
}
