package recipes

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// MountEcho mounts the receiver with Echo, which is net/http inside: the handler reads the
// raw bytes by itself.
func MountEcho(e *echo.Echo, handler *webhook.Handler) {
	e.POST("/webhooks/toss", echo.WrapHandler(handler))
}

// EchoSuccess handles successUrl with Echo.
func (s *Shop) EchoSuccess(c echo.Context) error {
	redirect, err := tosspayments.ParseSuccessURL(c.Request().URL)
	if err != nil {
		return c.String(http.StatusBadRequest, "잘못된 주소예요. 결제되지 않았어요.")
	}
	order, err := s.Orders.Get(c.Request().Context(), redirect.OrderID) // and check that it is the signed-in buyer's
	if err != nil {
		return c.String(http.StatusNotFound, "주문을 찾을 수 없어요.")
	}
	request, err := redirect.ConfirmRequest(order.Amount)
	if err != nil {
		return c.String(http.StatusBadRequest, "주문과 맞지 않는 결제예요. 결제되지 않았어요.")
	}
	// The buyer may close the page: the confirm goes on to its end all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), 25*time.Second)
	defer cancel()
	if err := s.ConfirmOrder(ctx, order, request); err != nil {
		return c.String(http.StatusServiceUnavailable, "잠시 후 새로고침해 주세요.")
	}
	return c.Redirect(http.StatusSeeOther, "/orders/"+order.ID)
}
