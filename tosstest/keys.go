package tosstest

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/seed238ab19c/tosspayments"
)

// The keys and merchant ids (MIDs) of a server that was not given other keys. The keys
// are the public ones of Toss Payments' documentation and samples, so code that has
// those works unchanged.
//
// The individual pair is for payment(), billing and BrandPay in the browser and for the
// whole API. The widget pair is for widgets() in the browser; its secret key confirms,
// reads and cancels what was opened with its client key.
const (
	DefaultSecretKey = "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"
	DefaultClientKey = "test_ck_D5GePWvyJnrK0W0k6q8gLzN97Eoq"
	DefaultMID       = "fakeshop01"

	DefaultWidgetSecretKey = "test_gsk_docs_OaPz8L5KdmQXkzRz3y47BMw6"
	DefaultWidgetClientKey = "test_gck_docs_Ovk5rk1EwkEbP0W43n07xlzm"
	DefaultWidgetMID       = "fakewidget01"
)

// merchant is a MID with its pair of keys, and what is looked up by the merchant's own
// ids. What was made with one pair does not exist for the other.
type merchant struct {
	mid, clientKey, secretKey string
	version                   string
	byOrder                   map[string]*payment
	receipts                  receipts
}

func newMerchant(mid, clientKey, secretKey string) merchant {
	return merchant{
		mid: mid, clientKey: clientKey, secretKey: secretKey, version: "2022-11-16", byOrder: map[string]*payment{},
		receipts: receipts{byKey: map[string]*cashReceipt{}, byOrder: map[string]*cashReceipt{}},
	}
}

// WithSecretKey sets the secret key of the individual pair.
func WithSecretKey(key string) Option { return func(s *Server) { s.individual.secretKey = key } }

// WithClientKey sets the client key of the individual pair.
func WithClientKey(key string) Option { return func(s *Server) { s.individual.clientKey = key } }

// WithWidgetKeys sets the widget pair.
func WithWidgetKeys(clientKey, secretKey string) Option {
	return func(s *Server) { s.widget.clientKey, s.widget.secretKey = clientKey, secretKey }
}

// shop is the merchant of a payment to be opened.
func (s *Server) shop(widget bool) *merchant {
	if widget {
		return &s.widget
	}
	return &s.individual
}

// shopOf finds whose secret key a request has, or the code of what is wrong with it.
func (s *Server) shopOf(header http.Header) (*merchant, tosspayments.ErrorCode) {
	encoded, ok := strings.CutPrefix(header.Get("Authorization"), "Basic ")
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, tosspayments.ErrUnauthorizedKey
	}
	key, colon := strings.CutSuffix(string(plain), ":")
	switch {
	case !colon:
		return nil, tosspayments.ErrIncorrectBasicAuthFormat
	case key == s.individual.secretKey:
		return &s.individual, ""
	case key == s.widget.secretKey:
		return &s.widget, ""
	}
	return nil, tosspayments.ErrUnauthorizedKey
}

// ofWidget reports whether the widget pair is enough for an operation. That billing
// refuses it is documented; for the others it is read from the documents' table of keys.
func (o Operation) ofWidget() bool {
	switch o {
	case CreatePayment, KeyIn, IssueVirtualAccount, IssueBillingKey, IssueBillingKeyByCard, ChargeBilling, DeleteBillingKey,
		IssueBrandPayToken, ConfirmBrandPay, GetBrandPayTerms, AgreeBrandPayTerms, GetBrandPayMethods, ChargeBrandPay, GetBrandPayPromotions,
		GetBalance, RegisterSeller, UpdateSeller, GetSeller, ListSellers, DeleteSeller, RequestPayouts, CancelPayout, GetPayout, ListPayouts,
		CheckAccount:
		return false
	}
	return true
}

// order is the payment of an order id, with whichever pair it was opened; nil when there
// is none.
func (s *Server) order(id string) *payment {
	if p := s.individual.byOrder[id]; p != nil {
		return p
	}
	return s.widget.byOrder[id]
}

// taken reports whether the order id of a purchase can no longer be used.
func (s *Server) taken(c *Checkout) bool {
	p := s.shop(c.Widget).byOrder[c.OrderID]
	return p != nil && p.taken()
}
