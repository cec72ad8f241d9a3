// Command size is a confirm with nothing but net/http, to compare binaries.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	body, _ := json.Marshal(map[string]any{"paymentKey": "pay-1", "orderId": "order-0001", "amount": 15000})
	req, err := http.NewRequestWithContext(ctx, "POST", os.Args[1]+"/v1/payments/confirm", bytes.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.SetBasicAuth("test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", "")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	var p struct{ Status string }
	fmt.Println(json.NewDecoder(res.Body).Decode(&p), p.Status)
}
