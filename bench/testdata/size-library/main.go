// Command size is a confirm with the library, to compare binaries.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/seed238ab19c/tosspayments"
)

func main() {
	c, err := tosspayments.New("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", tosspayments.WithBaseURL(os.Args[1]))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := c.ConfirmPayment(context.Background(), tosspayments.ConfirmPaymentRequest{PaymentKey: "pay-1", OrderID: "order-0001", Amount: tosspayments.Won(15000)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Status)
}
