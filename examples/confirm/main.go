// Command confirm is the smallest server that confirms: set TOSS_SECRET_KEY, and ADDR to
// 127.0.0.1:8080, and let the payment window's successUrl be http://127.0.0.1:8080/success.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

func main() {
	client, err := tosspayments.New(os.Getenv("TOSS_SECRET_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /success", func(w http.ResponseWriter, r *http.Request) {
		redirect, err := tosspayments.ParseSuccessURL(r.URL)
		request, mismatch := redirect.ConfirmRequest(tosspayments.Won(15000)) // the price that is stored with the order
		if err = cmp.Or(err, mismatch); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		payment, err := client.ConfirmPayment(context.WithoutCancel(r.Context()), request)
		fmt.Fprintln(w, tosspayments.OutcomeOf(payment, err)) // paid, waiting, refused, unknown …
	})
	log.Fatal((&http.Server{Addr: os.Getenv("ADDR"), ReadHeaderTimeout: 10 * time.Second}).ListenAndServe())
}
