package tosstest_test

import (
	"context"
	"fmt"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// scenario is a test of a framework of one's own: NewServer asks for no more than this.
type scenario struct{ cleanups []func() }

func (s *scenario) Helper()                           {}
func (s *scenario) Cleanup(f func())                  { s.cleanups = append(s.cleanups, f) }
func (s *scenario) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (s *scenario) end() {
	for _, f := range s.cleanups {
		f()
	}
}

// In a test, t is its *testing.T. The server is closed when the test ends.
func ExampleNewServer() {
	t := &scenario{}
	defer t.end()

	server := tosstest.NewServer(t)
	redirect := server.Authenticate(tosstest.Checkout{OrderID: "order-0001", OrderName: "원두 1kg", Amount: tosspayments.Won(15000)})
	request, err := redirect.ConfirmRequest(tosspayments.Won(15000))
	if err != nil {
		fmt.Println(err)
		return
	}
	payment, err := server.Client().ConfirmPayment(context.Background(), request)
	fmt.Println(tosspayments.OutcomeOf(payment, err), server.Charges("order-0001"))
	// Output: paid 1
}
