package recipes

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// row is a refund of a part that is not stored yet.
func (s *stand) row(id string, amount, balance int64) Refund {
	return Refund{
		ID: id, OrderID: s.request.OrderID, PaymentKey: s.request.PaymentKey, Reason: "한 상품 품절",
		Amount: tosspayments.Won(amount), Balance: tosspayments.Won(balance), State: "pending",
	}
}

// run stores a refund, and carries it out.
func (s *stand) run(row Refund) Refund {
	s.t.Helper()
	require.NoError(s.t, s.CreateRefund(s.ctx(), row))
	require.NoError(s.t, s.RunRefund(s.ctx(), row))
	return s.refunds[row.ID]
}

func (s *stand) refund(id string, amount, balance int64) Refund {
	s.t.Helper()
	return s.run(s.row(id, amount, balance))
}

// refuseTheJob loses the answer to a refund, and lets the job run with a key that is
// refused: that says nothing about the refund.
func (s *stand) refuseTheJob(row Refund) {
	s.t.Helper()
	breakDown(s.server, true)
	s.run(row)
	s.server.ClearFaults()
	for _, operation := range []tosstest.Operation{tosstest.CancelPayment, tosstest.GetPayment} {
		s.server.Inject(tosstest.Fault{Operation: operation, Kind: tosstest.Refuse, Code: tosspayments.ErrUnauthorizedKey, Status: 401, Times: 1000})
	}
	s.runJob()
	assert.Equal(s.t, "pending", s.refunds[row.ID].State)
	s.server.ClearFaults()
	s.runJob()
	assert.Equal(s.t, "done", s.refunds[row.ID].State)
	assert.Len(s.t, s.server.Refunds(row.OrderID), 1)
}

// TestFatesOfARefund: whatever happens to a refund, its row ends as the ledger says, and
// the order is not touched by it.
func TestFatesOfARefund(t *testing.T) {
	for name, test := range map[string]func(*testing.T, *stand){
		"in parts, to the end": func(t *testing.T, s *stand) {
			for _, left := range []int64{10000, 5000, 0} {
				require.NoError(t, s.RefundPart(s.ctx(), s.order(), fmt.Sprint("form-", left), tosspayments.Won(5000), "한 상품 품절"))
				s.runJob()
				assert.Equal(t, tosspayments.Won(left), s.order().Payment.Cancelable())
				assert.Equal(t, tosspayments.PaymentStatusPartialCanceled, s.order().Payment.Status)
				assert.Equal(t, left == 0, s.order().Payment.IsFullyCanceled())
			}
			assert.Equal(t, "canceled", s.order().State)
			assert.Equal(t, []string{"release", "stop"}, s.tasks)
		},
		"one form, sent twice": func(t *testing.T, s *stand) {
			require.NoError(t, s.RefundPart(s.ctx(), s.order(), "form-1", tosspayments.Won(5000), "한 상품 품절"))
			require.Error(t, s.RefundPart(s.ctx(), s.order(), "form-1", tosspayments.Won(5000), "한 상품 품절"), "the row is there")
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"a balance that is old when the row is stored": func(t *testing.T, s *stand) {
			s.refund("refund-42", 5000, 15000)
			s.refund("refund-43", 5000, 15000)
			assert.Equal(t, "refused", s.refunds["refund-43"].State)
			assert.Contains(t, s.refunds["refund-43"].Problem, "NOT_MATCHES_REFUNDABLE_AMOUNT")
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"more than is left": func(t *testing.T, s *stand) {
			require.NoError(t, s.RefundPart(s.ctx(), s.order(), "form-2", tosspayments.Won(20000), "한 상품 품절"))
			for _, refund := range s.refunds {
				assert.Equal(t, "refused", refund.State)
				assert.Contains(t, refund.Problem, "cancelAmount")
			}
			require.NoError(t, s.RefundPart(s.ctx(), s.order(), "form-3", tosspayments.Won(15000), "한 상품 품절"))
			require.NoError(t, s.RefundPart(s.ctx(), s.order(), "form-4", tosspayments.Won(1), "한 상품 품절"), "nothing is left")
			states := map[string]int{}
			for _, refund := range s.refunds {
				states[refund.State]++
			}
			assert.Equal(t, map[string]int{"done": 1, "refused": 2}, states)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"run twice": func(t *testing.T, s *stand) {
			row := s.refund("refund-42", 5000, 15000)
			assert.Equal(t, "done", row.State)
			row.State = "pending" // by a process that died before it stored the row
			s.refunds[row.ID] = row
			require.NoError(t, s.RunRefund(s.ctx(), row))
			assert.Equal(t, "done", s.refunds[row.ID].State)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"run again after the server has forgotten its key": func(t *testing.T, s *stand) {
			row := s.refund("refund-42", 5000, 15000)
			s.server.Advance(20 * 24 * time.Hour)
			row.State = "pending"
			s.refunds[row.ID] = row
			require.NoError(t, s.RunRefund(s.ctx(), row))
			assert.Equal(t, "done", s.refunds[row.ID].State)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"lost after the effect": func(t *testing.T, s *stand) {
			breakDown(s.server, true)
			assert.Equal(t, "pending", s.refund("refund-42", 5000, 15000).State)
			s.server.ClearFaults()
			s.runJob()
			assert.Equal(t, "done", s.refunds["refund-42"].State)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"lost before the effect": func(t *testing.T, s *stand) {
			breakDown(s.server, false)
			assert.Equal(t, "pending", s.refund("refund-42", 5000, 15000).State)
			assert.Empty(t, s.server.Refunds("order-0001"))
			s.server.ClearFaults()
			s.runJob()
			assert.Equal(t, "done", s.refunds["refund-42"].State)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"a job with the wrong key": func(t *testing.T, s *stand) {
			s.refuseTheJob(s.row("refund-42", 5000, 15000))
		},
		"all that is left, and a job with the wrong key": func(t *testing.T, s *stand) {
			row := s.row("refund-42", 15000, 15000)
			row.Whole = true
			s.refuseTheJob(row)
		},
		"refunded in the dashboard": func(t *testing.T, s *stand) {
			_, err := s.Toss.CancelPaymentPartially(s.ctx(), s.request.PaymentKey, tosspayments.PartialCancelRequest{
				CancelReason: "상담원", CancelAmount: tosspayments.Won(5000), RefundableAmount: tosspayments.Won(15000),
			})
			require.NoError(t, err)
			row := s.refund("refund-42", 5000, 15000)
			assert.Equal(t, "refused", row.State)
			assert.Contains(t, row.Problem, "NOT_MATCHES_REFUNDABLE_AMOUNT")
			assert.Equal(t, "paid", s.order().State)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"an answer that decides nothing": func(t *testing.T, s *stand) {
			s.server.Inject(tosstest.Fault{Operation: tosstest.CancelPayment, Kind: tosstest.Refuse, Code: tosspayments.ErrProviderError, Times: 3})
			s.refund("refund-42", 5000, 15000)
			s.runJob()
			assert.Equal(t, "done", s.refunds["refund-42"].State)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"the id of another refund": func(t *testing.T, s *stand) {
			row := s.refund("refund-42", 5000, 15000)
			row.State, row.Amount, row.Balance = "pending", tosspayments.Won(3000), tosspayments.Won(10000)
			s.refunds[row.ID] = row
			require.NoError(t, s.RunRefund(s.ctx(), row))
			assert.Equal(t, "review", s.refunds[row.ID].State)
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
		"all that is left, twice": func(t *testing.T, s *stand) {
			for _, id := range []string{"refund-42", "refund-43"} {
				row := s.row(id, 15000, 15000)
				row.Whole = true
				assert.Equal(t, "done", s.run(row).State)
			}
			assert.Equal(t, []tosspayments.Amount{tosspayments.Won(15000)}, s.server.Refunds("order-0001"))
			s.runJob()
			assert.Equal(t, "canceled", s.order().State)
		},
		"a second one while the first is pending": func(t *testing.T, s *stand) {
			breakDown(s.server, true)
			require.Error(t, s.RefundPart(s.ctx(), s.order(), "form-5", tosspayments.Won(5000), "x"), "the balance cannot be read")
			s.refund("refund-42", 5000, 15000)
			s.server.ClearFaults()
			require.Error(t, s.RefundPart(s.ctx(), s.order(), "form-6", tosspayments.Won(5000), "한 상품 품절"))
			assert.Len(t, s.server.Refunds("order-0001"), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			quietly(t, func(t *testing.T, s *stand) {
				s.confirm()
				require.Equal(t, "paid", s.order().State)
				test(t, s)
			})
		})
	}
}

func TestTwoRefundsWithinASecond(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.confirm()
		s.refund("refund-42", 5000, 15000)
		s.refund("refund-43", 5000, 10000)
		s.runJob()
		assert.Equal(t, "done", s.refunds["refund-43"].State)
		assert.Len(t, s.server.Refunds("order-0001"), 2)
	}, tosstest.WithConsecutiveCancelRule())
}
