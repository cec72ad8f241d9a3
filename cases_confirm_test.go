package tosspayments_test

import (
	"context"
	"net/http"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// A confirm whose answer is odd in something that is not essential is confirmed, by one
// attempt and without a look.
func TestConfirmAnsweredOddly(t *testing.T) {
	kst := time.FixedZone("KST", 9*60*60)
	approved := func(p *tosspayments.Payment) time.Time { return p.ApprovedAt }
	requested := func(p *tosspayments.Payment) time.Time { return p.RequestedAt }
	for _, row := range []struct {
		status  string
		changes object
		time    func(*tosspayments.Payment) time.Time
		want    time.Time
	}{
		{"DONE", object{"metadata": []any{}}, nil, time.Time{}},
		{"DONE", object{"mobilePhone": object{"customerMobilePhone": object{"plain": "01000000000", "masking": "010****0000"}}}, nil, time.Time{}},
		{"DONE", object{"receipt": "https://shop.example/receipt/1"}, nil, time.Time{}},
		{"DONE", object{"useEscrow": "N"}, nil, time.Time{}},
		{"DONE", object{"cancels": object{}}, nil, time.Time{}},
		{"DONE", object{"card": object{"issuerCode": "71", "approveNo": 12345678, "amount": 15000}}, nil, time.Time{}},
		{"DONE", object{"approvedAt": ""}, approved, time.Time{}},
		{"DONE", object{"approvedAt": "2024-02-13T12:18:14"}, approved, time.Date(2024, 2, 13, 12, 18, 14, 0, kst)},
		{"DONE", object{"approvedAt": "2024-02-13T12:18:14.123"}, approved, time.Date(2024, 2, 13, 12, 18, 14, 123e6, kst)},
		{"DONE", object{"approvedAt": "2024-02-13T12:18:14+0900"}, approved, time.Date(2024, 2, 13, 12, 18, 14, 0, kst)},
		{"DONE", object{"requestedAt": ""}, requested, time.Time{}},
		{"DONE", object{"requestedAt": "2024-02-13T12:17:57"}, requested, time.Date(2024, 2, 13, 12, 17, 57, 0, kst)},
		{
			"PARTIAL_CANCELED",
			object{"balanceAmount": 14900, "cancels": []object{{"cancelAmount": 100, "cancelReason": "r", "transactionKey": "TX-C", "canceledAt": "2024-02-13T13:00:00"}}},
			func(p *tosspayments.Payment) time.Time { return p.Cancels[0].CanceledAt }, time.Date(2024, 2, 13, 13, 0, 0, 0, kst),
		},
	} {
		client, mock := mockClient(t)
		onConfirm(mock, answer{status: 200, body: paymentJSON(row.status, row.changes)})
		payment, err := client.ConfirmPayment(t.Context(), confirmRequest())
		require.NoError(t, err, "%v", row.changes)
		assert.True(t, payment.IsPaid())
		assert.Equal(t, 1, mock.GetTotalCallCount())
		if row.time != nil {
			assert.True(t, row.want.Equal(row.time(payment)), "%v: %s", row.changes, row.time(payment))
		}
	}
}

var anyAddress = regexp.MustCompile("")

// A bank that is closed or a method under maintenance holds a buyer for seconds.
func TestClosedHours(t *testing.T) {
	inProgress := answer{status: 200, body: paymentJSON("IN_PROGRESS", nil)}
	calls := map[string]struct {
		call   func(context.Context, *tosspayments.Client) (*tosspayments.Payment, error)
		lookup answer
	}{
		"confirm": {func(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
			return c.ConfirmPayment(ctx, confirmRequest())
		}, inProgress},
		"cancel": {func(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
			return c.CancelPayment(ctx, "pay-1", cancelAllRequest())
		}, untouchedPayment()},
		"part": {func(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
			return c.CancelPaymentPartially(ctx, "pay-1", refund5000("r-1"))
		}, untouchedPayment()},
	}
	for _, row := range charges {
		calls[row.name] = struct {
			call   func(context.Context, *tosspayments.Client) (*tosspayments.Payment, error)
			lookup answer
		}{func(ctx context.Context, c *tosspayments.Client) (*tosspayments.Payment, error) {
			return row.call(ctx, c)
		}, inProgress}
	}
	for _, refused := range []answer{
		refusal(400, tosspayments.ErrNotAvailablePayment), refusal(403, tosspayments.ErrNotAvailableBank),
		refusal(400, tosspayments.ErrProviderError), refusal(400, tosspayments.ErrCardProcessingError), refusal(400, tosspayments.ErrMaintainedMethod),
	} {
		for name, row := range calls {
			t.Run(name+" "+refused.body[:30], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, mock := mockClient(t)
					lookups := &script{answers: []answer{row.lookup}}
					mock.RegisterRegexpResponder(http.MethodGet, anyAddress, lookups.respond)
					mock.RegisterRegexpResponder(http.MethodPost, anyAddress, (&script{answers: []answer{refused}}).respond)
					start := time.Now()
					_, err := row.call(t.Context(), client)
					outcome := tosspayments.OutcomeOf(nil, err)
					assert.Contains(t, []tosspayments.Outcome{tosspayments.OutcomeRefused, tosspayments.OutcomeUnknown}, outcome)
					assert.LessOrEqual(t, time.Since(start), 10*time.Second, "%v", err)
					assert.LessOrEqual(t, len(lookups.seen), 6)
				})
			})
		}
	}
}
