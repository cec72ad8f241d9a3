package recipes

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

func visit(handler http.HandlerFunc, query url.Values) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest(http.MethodGet, "/?"+query.Encode(), nil))
	return w
}

// back is what the browser brings to successUrl.
func back(r tosspayments.ConfirmPaymentRequest) url.Values {
	return url.Values{"paymentKey": {r.PaymentKey}, "orderId": {r.OrderID}, "amount": {r.Amount.String()}}
}

// page is what the buyer reads on the page of the order.
func (s *stand) page() string {
	r := httptest.NewRequest(http.MethodGet, "/orders/"+s.request.OrderID, nil)
	r.SetPathValue("id", s.request.OrderID)
	w := httptest.NewRecorder()
	s.OrderPage(w, r)
	return strings.TrimSpace(w.Body.String())
}

func TestTheShopStoresAnOrderFirst(t *testing.T) {
	s := newStand(t, tosstest.NewServer(t))
	visit(s.Order, nil)
	require.Len(t, s.orders, 1)
	for id, order := range s.orders {
		require.NoError(t, tosspayments.ValidateOrderID(id))
		assert.Equal(t, "new", order.State)
	}
}

func TestTheSuccessPageConfirmsNoOtherOrder(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		tampered := back(s.request)
		tampered.Set("amount", "100")
		w := visit(s.Success, tampered)
		assert.Equal(t, http.StatusBadRequest, w.Code)
		assert.Contains(t, w.Body.String(), "결제되지 않았어요")
		tampered.Set("orderId", "another-order")
		assert.Equal(t, http.StatusNotFound, visit(s.Success, tampered).Code)
		assert.Equal(t, http.StatusBadRequest, visit(s.Success, nil).Code)
		assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment))
	})
}

func TestSuccessPageAnyNumberOfTimes(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		for range 3 {
			w := visit(s.Success, back(s.request))
			assert.Equal(t, http.StatusSeeOther, w.Code)
			assert.Equal(t, "/orders/order-0001", w.Header().Get("Location"))
		}
		assert.Equal(t, 1, s.server.Calls(tosstest.ConfirmPayment))
		assert.Equal(t, 1, s.server.Charges("order-0001"))
		assert.Equal(t, "paid", s.order().State)
		assert.Equal(t, []string{"release"}, s.tasks)
	})
}

func TestThePageOfAnOrder(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		assert.Equal(t, "아직 결제하지 않았어요.", s.page())
		s.confirm()
		assert.Equal(t, "결제됐어요.", s.page())
		Describe(s.order().Payment)
	})
}

func TestPostedByTheSuccessPage(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		post := func(body string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			s.Confirm(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
			return w
		}
		assert.Equal(t, http.StatusBadRequest, post("{").Code)
		w := post(`{"paymentKey":"` + s.request.PaymentKey + `","orderId":"order-0001","amount":15000}`)
		assert.Equal(t, http.StatusSeeOther, w.Code)
		assert.Equal(t, 1, s.server.Charges("order-0001"))
	})
}

func TestARefusalIsExplained(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.request = s.authenticate(tosstest.Checkout{OrderID: "order-0002", Refusal: tosspayments.ErrRejectCardCompany})
		assert.Equal(t, http.StatusSeeOther, visit(s.Success, back(s.request)).Code)
		assert.Equal(t, "failed", s.order().State)
		assert.Equal(t, tosspayments.ErrRejectCardCompany, s.order().Code)
		assert.Contains(t, s.page(), "다른 카드")
		assert.Empty(t, s.tasks)
	})
}

func TestTheFailPageExplains(t *testing.T) {
	s := newStand(t, tosstest.NewServer(t))
	w := visit(s.Fail, url.Values{"code": {"PAY_PROCESS_CANCELED"}, "message": {"취소"}})
	assert.Contains(t, w.Body.String(), "처음부터")
	assert.Equal(t, http.StatusBadRequest, visit(s.Fail, nil).Code)
}

func TestExplainSaysWhatToDo(t *testing.T) {
	assert.Contains(t, Explain(tosspayments.ErrNotAvailableBank), "잠시 후")
	assert.Contains(t, Explain(tosspayments.ErrUnauthorizedKey), "고객센터")
}

func TestNoClaimNoConfirm(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		s.broken = errors.New("connection refused")
		assert.Equal(t, http.StatusServiceUnavailable, visit(s.Success, back(s.request)).Code)
		assert.Zero(t, s.server.Calls(tosstest.ConfirmPayment))
	})
}

// The claim is stored, and what has happened is not.
func TestAnEndThatCouldNotBeStored(t *testing.T) {
	quietly(t, func(t *testing.T, s *stand) {
		order := s.order()
		order.PaymentKey, order.IdempotencyKey, order.KeyID = s.request.PaymentKey, "key", s.Toss.KeyID()
		claimed, err := s.Claim(s.ctx(), &order)
		require.NoError(t, err)
		require.True(t, claimed)
		payment, err := s.Toss.ConfirmPayment(s.ctx(), s.request, tosspayments.WithIdempotencyKey("key"))
		require.NoError(t, err)
		s.broken = errors.New("connection refused")
		require.Error(t, s.record(s.ctx(), order, payment, nil))
		s.broken = nil
		assert.Equal(t, "결제를 확인하고 있어요. 다시 결제하지 마세요.", s.page())

		assert.Equal(t, http.StatusSeeOther, visit(s.Success, back(s.request)).Code, "the buyer reloads the page")
		s.runJob()
		assert.Equal(t, "paid", s.order().State)
		assert.Equal(t, 1, s.server.Charges("order-0001"))
	})
}
