package recipes

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// quietly runs a test against a server without a network, in time that does not pass.
func quietly(t *testing.T, test func(*testing.T, *Shop, *tosstest.Server, tosspayments.ConfirmPaymentRequest), opts ...tosstest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := tosstest.New(opts...)
		shop := &Shop{Toss: server.Client(), Orders: &memory{orders: map[string]Order{}}}
		order := Order{ID: tosspayments.NewOrderID(), Name: "원두 1kg", Amount: tosspayments.Won(15000)}
		require.NoError(t, shop.Orders.Create(order))
		redirect := server.Authenticate(tosstest.Checkout{OrderID: order.ID, OrderName: order.Name, Amount: order.Amount})
		request, err := redirect.ConfirmRequest(order.Amount)
		require.NoError(t, err)
		test(t, shop, server, request)
	})
}

// breakDown loses every answer until the faults are cleared.
func breakDown(server *tosstest.Server, afterEffect bool) {
	server.Inject(
		tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Drop, AfterEffect: afterEffect, Times: 1000},
		tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Drop, AfterEffect: afterEffect, Times: 1000},
		tosstest.Fault{Operation: tosstest.GetPayment, Kind: tosstest.BadGateway, Times: 1000},
	)
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestOutcomesOfAConfirm(t *testing.T) {
	t.Run("lost after the approval", func(t *testing.T) {
		quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			breakDown(server, true)
			outcome := OutcomeOf(shop.Toss.ConfirmPayment(soon(t), request))
			assert.Equal(t, "confirming", outcome.State)
			assert.NotEmpty(t, outcome.IdempotencyKey)
			assert.Equal(t, "confirming", shop.LookAgain(soon(t), request, outcome.IdempotencyKey).State)
			server.ClearFaults()
			assert.Equal(t, "paid", shop.LookAgain(soon(t), request, outcome.IdempotencyKey).State)
			assert.Equal(t, 1, server.Charges(request.OrderID))
		})
	})
	t.Run("lost before the approval", func(t *testing.T) {
		quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			breakDown(server, false)
			outcome := OutcomeOf(shop.Toss.ConfirmPayment(soon(t), request))
			assert.Equal(t, "confirming", outcome.State)
			assert.Zero(t, server.Charges(request.OrderID))
			server.ClearFaults()
			assert.Equal(t, "paid", shop.LookAgain(soon(t), request, outcome.IdempotencyKey).State)
			assert.Equal(t, 1, server.Charges(request.OrderID))
			for _, r := range server.Requests() {
				if r.Operation == tosstest.ConfirmPayment {
					assert.Equal(t, outcome.IdempotencyKey, r.Header.Get("Idempotency-Key"))
				}
			}
		})
	})
	t.Run("never approved", func(t *testing.T) {
		quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			server.Advance(11 * time.Minute)
			outcome := shop.LookAgain(soon(t), request, "")
			assert.Equal(t, "failed", outcome.State)
			assert.Equal(t, tosspayments.ErrExpiredPayment, outcome.Payment.Failure.Code)
			assert.Zero(t, server.Calls(tosstest.ConfirmPayment))
		})
	})
	t.Run("a new key after an answer that does not tell", func(t *testing.T) {
		quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			server.Inject(tosstest.Fault{Operation: tosstest.ConfirmPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrProviderError})
			outcome := OutcomeOf(shop.Toss.ConfirmPayment(soon(t), request))
			assert.Equal(t, Outcome{State: "confirming"}, outcome)
			assert.Equal(t, "paid", shop.LookAgain(soon(t), request, outcome.IdempotencyKey).State)
		})
	})
	t.Run("cancelled since", func(t *testing.T) {
		quietly(t, func(t *testing.T, shop *Shop, _ *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			require.Equal(t, "paid", OutcomeOf(shop.Toss.ConfirmPayment(soon(t), request)).State)
			require.NoError(t, shop.GiveBack(soon(t), request.PaymentKey))
			assert.Equal(t, "refunded", OutcomeOf(shop.Toss.ConfirmPayment(soon(t), request)).State)
			assert.Equal(t, "refunded", shop.LookAgain(soon(t), request, "").State)
		})
	})
	t.Run("refused, not sent, foreign", func(t *testing.T) {
		quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			refused := server.Authenticate(tosstest.Checkout{
				OrderID: "order-2", OrderName: "원두", Amount: tosspayments.Won(100), Refusal: tosspayments.ErrRejectCardCompany,
			})
			bad, err := refused.ConfirmRequest(tosspayments.Won(100))
			require.NoError(t, err)
			outcome := OutcomeOf(shop.Toss.ConfirmPayment(soon(t), bad))
			assert.Equal(t, Outcome{State: "failed", Code: tosspayments.ErrRejectCardCompany}, outcome)
			outcome = shop.LookAgain(soon(t), bad, "")
			assert.Equal(t, "failed", outcome.State)
			assert.Equal(t, tosspayments.ErrRejectCardCompany, outcome.Payment.Failure.Code)

			assert.Equal(t, "new", OutcomeOf(shop.Toss.ConfirmPayment(soon(t), tosspayments.ConfirmPaymentRequest{})).State)

			foreign := request
			foreign.OrderID = "order-3"
			assert.Equal(t, "review", shop.LookAgain(soon(t), foreign, "").State)
			foreign.PaymentKey = "nobody"
			assert.Equal(t, "review", shop.LookAgain(soon(t), foreign, "").State)
			assert.Zero(t, server.Charges(request.OrderID))
		})
	})
	t.Run("virtual account", func(t *testing.T) {
		quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, _ tosspayments.ConfirmPaymentRequest) {
			redirect := server.Authenticate(tosstest.Checkout{
				OrderID: "order-2", OrderName: "원두", Amount: tosspayments.Won(15000), Method: "VIRTUAL_ACCOUNT", CustomerName: "김토스",
			})
			request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
			require.NoError(t, err)
			assert.Equal(t, "waiting", OutcomeOf(shop.Toss.ConfirmPayment(soon(t), request)).State)
			assert.Equal(t, "waiting", shop.LookAgain(soon(t), request, "").State)
			require.NoError(t, server.Deposit("order-2", tosspayments.Won(15000)))
			assert.Equal(t, "paid", shop.LookAgain(soon(t), request, "").State)
		})
	})
}

func TestSuccessPageAnyNumberOfTimes(t *testing.T) {
	shop, server, order := newShop(t)
	redirect := server.Authenticate(tosstest.Checkout{OrderID: order.ID, OrderName: order.Name, Amount: order.Amount})
	for range 3 {
		w := shop.visit(shop.SuccessOnce, query(redirect))
		assert.Equal(t, http.StatusSeeOther, w.Code)
		assert.Equal(t, "/orders/"+order.ID, w.Header().Get("Location"))
	}
	assert.Equal(t, 1, server.Calls(tosstest.ConfirmPayment))
	recorded, err := shop.Orders.Get(order.ID)
	require.NoError(t, err)
	assert.Equal(t, "paid", recorded.State)

	tampered := query(redirect)
	tampered.Set("amount", "100")
	assert.Equal(t, http.StatusBadRequest, shop.visit(shop.SuccessOnce, tampered).Code)
	tampered.Set("orderId", "another-order")
	assert.Equal(t, http.StatusNotFound, shop.visit(shop.SuccessOnce, tampered).Code)
	assert.Equal(t, http.StatusBadRequest, shop.visit(shop.SuccessOnce, nil).Code)
}

func TestSecondConfirmReturnsThePayment(t *testing.T) {
	quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
		for range 2 {
			payment, err := shop.Toss.ConfirmPayment(soon(t), request)
			require.NoError(t, err)
			assert.True(t, payment.IsPaid())
		}
		assert.Equal(t, 1, server.Charges(request.OrderID))

		_, err := shop.Toss.ConfirmPayment(soon(t), request, tosspayments.WithTestCode(tosspayments.ErrAlreadyProcessedPayment))
		require.NoError(t, err, "the code never reaches the caller")
	})
}

type holds struct{ until time.Time }

func (h *holds) Extend(_ context.Context, _ string, until time.Time) (bool, error) {
	if !h.until.After(time.Now()) {
		return false, nil
	}
	h.until = until
	return true, nil
}

func TestHoldIsExtendedOrNothingIsSent(t *testing.T) {
	quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
		_, err := shop.ConfirmHeld(soon(t), &holds{until: time.Now().Add(-time.Second)}, request)
		require.ErrorIs(t, err, ErrHoldOver)
		assert.Zero(t, server.Calls(tosstest.ConfirmPayment))

		h := &holds{until: time.Now().Add(time.Second)}
		outcome, err := shop.ConfirmHeld(soon(t), h, request)
		require.NoError(t, err)
		assert.Equal(t, "paid", outcome.State)
		assert.Greater(t, time.Until(h.until), 10*time.Minute)
	})
}

func TestWhyNoSession(t *testing.T) {
	quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
		assert.Contains(t, shop.WhyNoSession(soon(t), request.PaymentKey), "IN_PROGRESS")
		server.Advance(11 * time.Minute)
		outcome := OutcomeOf(shop.Toss.ConfirmPayment(soon(t), request))
		assert.Equal(t, Outcome{State: "failed", Code: tosspayments.ErrNotFoundPaymentSession}, outcome)
		assert.Equal(t, tosspayments.ClassBuyerRestart, outcome.Code.Class())
		assert.Equal(t, tosspayments.ClassBuyerRestart, tosspayments.ErrExpiredPayment.Class())
		assert.Contains(t, shop.WhyNoSession(soon(t), request.PaymentKey), "too late")
		assert.Contains(t, shop.WhyNoSession(soon(t), "nobody"), "pair")
		breakDown(server, false)
		assert.Contains(t, shop.WhyNoSession(soon(t), request.PaymentKey), "cannot tell")
	})
}

func TestAmountAndCurrencyAreChecked(t *testing.T) {
	quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, _ tosspayments.ConfirmPaymentRequest) {
		redirect := server.Authenticate(tosstest.Checkout{
			OrderID: "order-2", OrderName: "원두", Amount: tosspayments.Won(100), Currency: "USD",
		})
		_, err := CheckedRequest(redirect, tosspayments.Won(200), "USD")
		require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
		_, approved := ApprovedOtherwise(err)
		assert.False(t, approved, "nothing was sent")

		request, err := CheckedRequest(redirect, tosspayments.Won(100), "KRW")
		require.NoError(t, err, "the redirect has no currency")
		payment, err := shop.Toss.ConfirmPayment(soon(t), request)
		require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
		found, approved := ApprovedOtherwise(err)
		assert.True(t, approved)
		assert.Equal(t, "USD", found.Currency)
		assert.Equal(t, "review", OutcomeOf(payment, err).State)
		assert.Equal(t, "review", shop.LookAgain(soon(t), request, "").State)

		request, err = CheckedRequest(redirect, tosspayments.Won(100), "USD")
		require.NoError(t, err)
		_, err = shop.Toss.ConfirmPayment(soon(t), request)
		require.NoError(t, err)
	})
}

func TestWindowOpenedWithAnotherAmount(t *testing.T) {
	for code, want := range map[tosspayments.ErrorCode]string{tosspayments.ErrForbiddenRequest: "failed", "A_NEW_CODE": "review"} {
		quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			request.Amount = tosspayments.Won(100)
			payment, err := shop.Toss.ConfirmPayment(soon(t), request)
			require.Error(t, err)
			assert.Equal(t, want, OutcomeOf(payment, err).State)
			_, approved := ApprovedOtherwise(err)
			assert.False(t, approved)
			assert.Zero(t, server.Charges(request.OrderID))
		}, tosstest.WithAmountMismatchCode(code))
	}
}

// forgetful is a database that does not answer for a while.
type forgetful struct {
	*memory
	failures int
}

func (f *forgetful) Finish(id, state string, payment *tosspayments.Payment) error {
	if f.failures--; f.failures >= 0 {
		return errors.New("database: connection refused")
	}
	return f.memory.Finish(id, state, payment)
}

func TestDatabaseFails(t *testing.T) {
	quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
		database := &forgetful{shop.Orders.(*memory), 100}
		shop.Orders = database
		require.Error(t, shop.Pay(soon(t), request))
		order, err := database.Get(request.OrderID)
		require.NoError(t, err)
		assert.Equal(t, "confirming", order.State)
		assert.Equal(t, 1, server.Charges(order.ID))
		require.NoError(t, shop.Pay(soon(t), request), "the buyer comes again")
		assert.Equal(t, 1, server.Calls(tosstest.ConfirmPayment))

		database.failures = 2
		require.NoError(t, shop.Record(soon(t), order.ID, shop.LookAgain(soon(t), request, "")))
		order, err = database.Get(order.ID)
		require.NoError(t, err)
		assert.Equal(t, "paid", order.State)

		for range 2 {
			require.NoError(t, shop.GiveBack(soon(t), request.PaymentKey))
		}
		assert.Equal(t, []tosspayments.Amount{order.Amount}, server.Refunds(order.ID))
	})
}

func refundRow(request tosspayments.ConfirmPaymentRequest, amount, before int64) *RefundRow {
	return &RefundRow{
		ID: "refund-42", PaymentKey: request.PaymentKey, State: "pending",
		Amount: tosspayments.Won(amount), Before: tosspayments.Won(before),
	}
}

func TestRefundRows(t *testing.T) {
	type refund func(*testing.T, *Shop, *tosstest.Server, tosspayments.ConfirmPaymentRequest)
	paid := func(test refund) refund {
		return func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			_, err := shop.Toss.ConfirmPayment(soon(t), request)
			require.NoError(t, err)
			test(t, shop, server, request)
		}
	}
	for name, test := range map[string]refund{
		"in parts, to the end": func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			for _, before := range []int64{15000, 10000, 5000} {
				row := refundRow(request, 5000, before)
				row.ID = "refund-" + row.Before.String()
				payment, err := shop.RunRefund(soon(t), row)
				require.NoError(t, err)
				assert.Equal(t, "done", row.State)
				assert.Equal(t, tosspayments.Won(before-5000), payment.Cancelable())
				assert.Equal(t, tosspayments.PaymentStatusPartialCanceled, payment.Status)
				assert.Equal(t, before == 5000, payment.IsFullyCanceled())
			}
		},
		"run twice": func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			for range 2 {
				row := refundRow(request, 5000, 15000)
				_, err := shop.RunRefund(soon(t), row)
				require.NoError(t, err)
				assert.Equal(t, "done", row.State)
			}
			assert.Len(t, server.Refunds(request.OrderID), 1)
		},
		"lost after the effect": func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			breakDown(server, true)
			row := refundRow(request, 5000, 15000)
			_, err := shop.RunRefund(soon(t), row)
			require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			assert.Equal(t, "pending", row.State)
			assert.Zero(t, row.Attempt)
			server.ClearFaults()
			_, err = shop.RunRefund(soon(t), row)
			require.NoError(t, err)
			assert.Equal(t, "done", row.State)
			assert.Len(t, server.Refunds(request.OrderID), 1)
		},
		"done under another key": func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			_, err := shop.RunRefund(soon(t), refundRow(request, 5000, 15000))
			require.NoError(t, err)
			row := refundRow(request, 5000, 15000)
			row.Attempt = 1
			_, err = shop.RunRefund(soon(t), row)
			require.NoError(t, err)
			assert.Equal(t, "done", row.State)
			assert.Len(t, server.Refunds(request.OrderID), 1)
		},
		"refunded in the dashboard": func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			_, err := shop.Toss.CancelPaymentPartially(soon(t), request.PaymentKey, tosspayments.PartialCancelRequest{
				CancelReason: "상담원", CancelAmount: tosspayments.Won(5000),
			})
			require.NoError(t, err)
			row := refundRow(request, 5000, 15000)
			payment, err := shop.RunRefund(soon(t), row)
			require.ErrorIs(t, err, tosspayments.ErrNotMatchesRefundableAmount)
			assert.Equal(t, "refused", row.State)
			assert.Equal(t, tosspayments.Won(10000), payment.Cancelable())
			assert.Len(t, server.Refunds(request.OrderID), 1)
		},
		"an answer that does not tell": func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			server.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrProviderError})
			row := refundRow(request, 5000, 15000)
			_, err := shop.RunRefund(soon(t), row)
			require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
			assert.Equal(t, "pending", row.State)
			assert.Equal(t, 1, row.Attempt)
			_, err = shop.RunRefund(soon(t), row)
			require.NoError(t, err)
			assert.Equal(t, "done", row.State)
		},
		"a key of another refund": func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
			_, err := shop.RunRefund(soon(t), refundRow(request, 5000, 15000))
			require.NoError(t, err)
			row := refundRow(request, 3000, 10000)
			_, err = shop.RunRefund(soon(t), row)
			require.ErrorIs(t, err, tosspayments.ErrAmountMismatch)
			assert.Equal(t, "review", row.State)
			assert.Len(t, server.Refunds(request.OrderID), 1)
		},
	} {
		t.Run(name, func(t *testing.T) { quietly(t, paid(test)) })
	}
}

func TestTwoRefundsWithinASecond(t *testing.T) {
	quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, request tosspayments.ConfirmPaymentRequest) {
		_, err := shop.Toss.ConfirmPayment(soon(t), request)
		require.NoError(t, err)
		_, err = shop.RunRefund(soon(t), refundRow(request, 5000, 15000))
		require.NoError(t, err)
		second := refundRow(request, 5000, 10000)
		second.ID = "refund-43"
		_, err = shop.RunRefund(soon(t), second)
		require.ErrorIs(t, err, tosspayments.ErrOutcomeUnknown)
		assert.Equal(t, 1, second.Attempt)
		_, err = shop.RunRefund(soon(t), second)
		require.NoError(t, err)
		assert.Len(t, server.Refunds(request.OrderID), 2)
	}, tosstest.WithConsecutiveCancelRule())
}

func TestDepositedAccountNeedsARefundAccount(t *testing.T) {
	quietly(t, func(t *testing.T, shop *Shop, server *tosstest.Server, _ tosspayments.ConfirmPaymentRequest) {
		payment, err := shop.Account(t.Context(), Order{ID: "order-2", Name: "원두", Amount: tosspayments.Won(15000)}, "20", "김토스")
		require.NoError(t, err)
		row := refundRow(tosspayments.ConfirmPaymentRequest{PaymentKey: payment.PaymentKey}, 5000, 15000)
		_, err = shop.RunRefund(soon(t), row)
		require.ErrorIs(t, err, tosspayments.ErrNotAllowedPartialRefundWaitingDeposit)

		require.NoError(t, server.Deposit("order-2", tosspayments.Won(15000)))
		row.ID, row.State = "refund-43", "pending"
		_, err = shop.RunRefund(soon(t), row)
		require.Error(t, err)
		assert.Equal(t, "refused", row.State)

		row.ID, row.State = "refund-44", "pending"
		row.Account = &tosspayments.RefundReceiveAccount{Bank: "20", AccountNumber: tosspayments.NewSensitive("1000123456789"), HolderName: "김토스"}
		_, err = shop.RunRefund(soon(t), row)
		require.NoError(t, err)
		assert.Equal(t, "done", row.State)
	})
}

func TestClientsOfTheRightEnvironment(t *testing.T) {
	t.Setenv("TOSS_SECRET_KEY", "test_sk_0123456789")
	t.Setenv("TOSS_BILLING_SECRET_KEY", "test_sk_9876543210")
	clients, err := NewClients(false)
	require.NoError(t, err)
	assert.NotNil(t, clients.Payments)
	assert.NotNil(t, clients.Billing)
	_, err = NewClients(true)
	require.ErrorContains(t, err, "TOSS_SECRET_KEY")
	t.Setenv("TOSS_SECRET_KEY", "live_sk_0123456789")
	_, err = NewClients(false)
	require.ErrorContains(t, err, "TOSS_SECRET_KEY")
	_, err = NewClients(true)
	require.ErrorContains(t, err, "TOSS_BILLING_SECRET_KEY")
	t.Setenv("TOSS_SECRET_KEY", "live_ck_0123456789")
	_, err = NewClients(true)
	var invalid *tosspayments.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.NotContains(t, err.Error(), "0123456789")
}

func TestCheckPair(t *testing.T) {
	for keys, ok := range map[[2]string]bool{
		{"test_ck_1", "test_sk_1"}:   true,
		{"live_gck_1", "live_gsk_1"}: true,
		{"live_ck_1", "test_sk_1"}:   false,
		{"test_ck_1", "live_sk_1"}:   false,
		{"test_gck_1", "test_sk_1"}:  false,
		{"test_ck_1", "test_gsk_1"}:  false,
		{"test_ck_1", "test_ck_1"}:   false,
	} {
		err := CheckPair(keys[0], keys[1])
		assert.Equal(t, ok, err == nil, keys)
	}
}

func TestStatusFor(t *testing.T) {
	for want, errs := range map[int][]error{
		http.StatusOK:                  {nil},
		http.StatusAccepted:            {&tosspayments.OutcomeUnknownError{}},
		http.StatusGone:                {&tosspayments.Error{Code: tosspayments.ErrNotFoundPaymentSession, StatusCode: 404}},
		http.StatusPaymentRequired:     {&tosspayments.Error{Code: tosspayments.ErrRejectCardCompany, StatusCode: 403}},
		http.StatusConflict:            {&tosspayments.Error{Code: tosspayments.ErrNotCancelableAmount}},
		http.StatusServiceUnavailable:  {&tosspayments.Error{Code: tosspayments.ErrNotAvailableBank}},
		http.StatusInternalServerError: {&tosspayments.Error{Code: tosspayments.ErrUnauthorizedKey, StatusCode: 401}, &tosspayments.Error{Code: "NEW_CODE"}, errors.New("no answer")},
	} {
		for _, err := range errs {
			assert.Equal(t, want, StatusFor(err), "%v", err)
		}
	}
}

// TestPagesComeInTwoLanguages pairs the pages of both languages: each links to the other
// in its first line, and both show the same code.
func TestPagesComeInTwoLanguages(t *testing.T) {
	pages := func(language string) (names []string) {
		found, err := filepath.Glob("../../docs/" + language + "/*.md")
		require.NoError(t, err)
		for _, page := range found {
			names = append(names, filepath.Base(page))
		}
		return names
	}
	english := pages("en")
	require.Contains(t, english, "README.md")
	require.Equal(t, english, pages("ko"))
	for _, name := range english {
		en, ko := lines(t, "../../docs/en/"+name), lines(t, "../../docs/ko/"+name)
		assert.True(t, strings.HasPrefix(en, "English | [한국어](../ko/"+name+")\n"), "en/%s begins with another line", name)
		assert.True(t, strings.HasPrefix(ko, "[English](../en/"+name+") | 한국어\n"), "ko/%s begins with another line", name)
		for _, kind := range []string{"go", "sql", "html", "console"} {
			assert.Equal(t, blocksOf(en, kind), blocksOf(ko, kind), "%s: the blocks of %s differ", name, kind)
		}
	}
}

func blocksOf(page, kind string) (blocks []string) {
	for _, block := range strings.Split(page, "\n```"+kind+"\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```\n")
		blocks = append(blocks, block)
	}
	return blocks
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInURL = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks follows every relative link of the documentation.
func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"../../*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	followed := 0
	for _, page := range pages {
		for _, match := range link.FindAllStringSubmatch(lines(t, page), -1) {
			target, anchor, _ := strings.Cut(match[1]+match[2], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := filepath.Join(filepath.Dir(page), target)
			if target == "" {
				file = page
			}
			_, err := os.Stat(file)
			if !assert.NoError(t, err, "%s links to %s", page, target) {
				continue
			}
			followed++
			if anchor != "" && strings.HasSuffix(file, ".md") {
				assert.Contains(t, anchors(t, file), anchor, "%s links to %s#%s", page, target, anchor)
			}
		}
	}
	assert.Greater(t, followed, 50)
}

// anchors returns what a page's headings are called in a link.
func anchors(t *testing.T, page string) (names []string) {
	for _, match := range heading.FindAllStringSubmatch(lines(t, page), -1) {
		name := notInURL.ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
