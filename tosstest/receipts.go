package tosstest

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// inProcessURL is the address of a server without a listener.
const inProcessURL = "https://tosstest"

//go:embed fixtures/receipt.html
var receiptHTML string

var receiptPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("receipt").Parse(receiptHTML))
})

// dashboard is where receipts are: here, or where the real ones of test keys are when
// nobody can reach this server.
func (s *Server) dashboard() string {
	if s.URL == inProcessURL {
		return "https://dashboard-sandbox.tosspayments.com"
	}
	return s.URL
}

func (s *Server) receiptURL(paymentKey string) string {
	return s.dashboard() + "/receipt/redirection?transactionId=" + paymentKey + "&ref=PX"
}

func (s *Server) cashReceiptURL(shop *merchant, orderID string) string {
	return s.dashboard() + "/receipt/mids/" + shop.mid + "/orders/" + url.PathEscape(orderID) + "/cash-receipt"
}

// receipt is what a receipt shows. It belongs to nobody's tax return, and says so.
type receipt struct {
	Title string
	Rows  [][2]string
}

func (r *receipt) add(name, value string) { r.Rows = append(r.Rows, [2]string{name, value}) }

// serveReceipt answers requests for receipts, and reports whether it did.
func (s *Server) serveReceipt(w http.ResponseWriter, r *http.Request) bool {
	path, isReceipt := strings.CutPrefix(r.URL.Path, "/receipt/")
	if !isReceipt || r.Method != http.MethodGet {
		return false
	}
	var page *receipt
	s.change(func() {
		parts := strings.Split(path, "/")
		switch {
		case path == "redirection":
			page = s.paymentReceipt(r.URL.Query().Get("transactionId"))
		case len(parts) == 5 && parts[0] == "mids" && parts[2] == "orders" && parts[4] == "cash-receipt":
			page = s.cashReceiptPage(parts[1], parts[3])
		}
	})
	page.write(w)
	return true
}

// paymentReceipt is the receipt of a payment that was approved; nil when there is none.
func (s *Server) paymentReceipt(key string) *receipt {
	p := s.payments[key]
	if p == nil || p.approvedAt.IsZero() {
		return nil
	}
	c := &p.checkout
	page := &receipt{Title: "매출전표 Receipt"}
	page.add("상점 Merchant", p.shop.mid)
	page.add("주문 Order", c.OrderName+" ("+c.OrderID+")")
	page.add("결제수단 Method", p.method(false))
	page.add("승인 Approved", stamp(p.approvedAt))
	page.add("결제금액 Amount", price(c.Amount, c.Currency))
	for _, x := range p.cancels {
		page.add("취소 Canceled", price(x.Amount, c.Currency)+" ("+x.Reason+", "+stamp(x.At)+")")
	}
	page.add("남은 금액 Balance", price(p.balance, c.Currency))
	return page
}

// cashReceiptPage is the last cash receipt of an order; nil when there is none.
func (s *Server) cashReceiptPage(mid, orderID string) *receipt {
	for _, shop := range []*merchant{&s.individual, &s.widget} {
		if c := shop.receipts.byOrder[orderID]; c != nil && shop.mid == mid {
			page := &receipt{Title: "현금영수증 Cash receipt"}
			page.add("상점 Merchant", mid)
			page.add("주문 Order", c.OrderName+" ("+orderID+")")
			page.add("용도 Type", c.Kind)
			page.add("발급 Issued", stamp(c.At))
			page.add("금액 Amount", price(c.Amount, "KRW"))
			page.add("남은 금액 Balance", price(c.Left, "KRW"))
			return page
		}
	}
	return nil
}

func (r *receipt) write(w http.ResponseWriter) {
	if r == nil {
		http.Error(w, "영수증이 없습니다. There is no such receipt.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_ = receiptPage().Execute(w, r)
}
