package recipes

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// NewFiber returns an app whose limits suit webhooks. Fiber reads a whole body before it
// calls a handler, so its own limits count.
func NewFiber() *fiber.App {
	return fiber.New(fiber.Config{BodyLimit: 128 << 10, ReadTimeout: 10 * time.Second})
}

// MountFiber mounts the receiver with Fiber, which is not net/http.
func MountFiber(app *fiber.App, handler *webhook.Handler) {
	app.Post("/webhooks/toss", func(c fiber.Ctx) error {
		header := func(name string) string { return c.Get(name) }
		// BodyRaw is the body as it was received: Body would decode it.
		return c.SendStatus(handler.Receive(c.Context(), c.BodyRaw(), webhook.ParseTransmission(header)))
	})
}

// FiberSuccess handles successUrl with Fiber.
func (s *Shop) FiberSuccess(c fiber.Ctx) error {
	u, err := url.Parse(strings.Clone(c.OriginalURL())) // Fiber uses the memory again
	if err != nil {
		return c.Status(http.StatusBadRequest).SendString("잘못된 주소예요. 결제되지 않았어요.")
	}
	redirect, err := tosspayments.ParseSuccessURL(u)
	if err != nil {
		return c.Status(http.StatusBadRequest).SendString("잘못된 주소예요. 결제되지 않았어요.")
	}
	order, err := s.Orders.Get(c.Context(), redirect.OrderID) // and check that it is the signed-in buyer's
	if err != nil {
		return c.Status(http.StatusNotFound).SendString("주문을 찾을 수 없어요.")
	}
	request, err := redirect.ConfirmRequest(order.Amount)
	if err != nil {
		return c.Status(http.StatusBadRequest).SendString("주문과 맞지 않는 결제예요. 결제되지 않았어요.")
	}
	// The buyer may close the page: the confirm goes on to its end all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), 25*time.Second)
	defer cancel()
	if err := s.ConfirmOrder(ctx, order, request); err != nil {
		return c.Status(http.StatusServiceUnavailable).SendString("잠시 후 새로고침해 주세요.")
	}
	return c.Redirect().To("/orders/" + order.ID)
}
