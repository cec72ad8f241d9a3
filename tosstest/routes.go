package tosstest

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const maxBody = 1 << 20

// route is an endpoint. Its handler runs under the server's lock.
type route struct {
	method, pattern string // {} stands for a key or an order id
	operation       Operation
	handle          func(*Server, *request) reply
}

var routes = []route{
	{http.MethodPost, "/v1/payments", CreatePayment, (*Server).createPayment},
	{http.MethodPost, "/v1/payments/confirm", ConfirmPayment, (*Server).confirm},
	{http.MethodPost, "/v1/payments/key-in", KeyIn, (*Server).keyIn},
	{http.MethodGet, "/v1/payments/{}", GetPayment, (*Server).getPayment},
	{http.MethodGet, "/v1/payments/orders/{}", GetPaymentByOrderID, (*Server).getPaymentByOrderID},
	{http.MethodPost, "/v1/payments/{}/cancel", CancelPayment, (*Server).cancel},
	{http.MethodPost, "/v1/virtual-accounts", IssueVirtualAccount, (*Server).issueVirtualAccount},
	{http.MethodPost, "/v1/billing/authorizations/issue", IssueBillingKey, (*Server).issueBillingKey},
	{http.MethodPost, "/v1/billing/authorizations/card", IssueBillingKeyByCard, (*Server).issueBillingKeyByCard},
	{http.MethodPost, "/v1/billing/{}", ChargeBilling, (*Server).chargeBilling},
	{http.MethodDelete, "/v1/billing/{}", DeleteBillingKey, (*Server).deleteBillingKey},
	{http.MethodGet, "/v1/transactions", ListTransactions, (*Server).listTransactions},
	{http.MethodGet, "/v1/settlements", ListSettlements, (*Server).listSettlements},
	{http.MethodPost, "/v1/settlements", RequestSettlement, (*Server).requestSettlement},
	{http.MethodPost, "/v1/cash-receipts", IssueCashReceipt, (*Server).issueCashReceipt},
	{http.MethodGet, "/v1/cash-receipts", ListCashReceipts, (*Server).listCashReceipts},
	{http.MethodPost, "/v1/cash-receipts/{}/cancel", CancelCashReceipt, (*Server).cancelCashReceipt},
	{http.MethodPost, "/v1/brandpay/authorizations/access-token", IssueBrandPayToken, (*Server).issueBrandPayToken},
	{http.MethodPost, "/v1/brandpay/payments/confirm", ConfirmBrandPay, (*Server).confirmBrandPay},
	{http.MethodGet, "/v1/promotions", GetPromotions, (*Server).getPromotions},
	{http.MethodGet, "/v1/promotions/card", GetCardPromotions, (*Server).getCardPromotions},
}

var allRoutes = slices.Concat(routes, payoutRoutes, brandPayRoutes)

var notFound = route{handle: (*Server).notFound}

// match reports whether the route is that of a request, and the key or order id in its
// path.
func (x *route) match(method string, segments []string) (subject string, ok bool) {
	if x.method != method || strings.Count(x.pattern, "/") != len(segments) {
		return "", false
	}
	i := 0
	for want := range strings.SplitSeq(x.pattern[1:], "/") {
		switch {
		case want == "{}":
			subject = segments[i]
		case want != segments[i]:
			return "", false
		}
		i++
	}
	return subject, true
}

// request is a request whose body has been read, and what its handling needs to know.
type request struct {
	route
	subject string // the key or order id of the path
	path    string // unescaped
	query   url.Values
	header  http.Header
	body    []byte
	english bool
	traceID string
	// shop is whose secret key it is; nil until that has been checked.
	shop *merchant
	// customerKey is whose token the request has instead of the secret key.
	customerKey string
	// fault is what goes wrong on purpose; nil mostly.
	fault *Fault
	// pause is what is still to be waited for; nil mostly.
	pause func()
}

func (r *request) hold() {
	if pause := r.pause; pause != nil {
		r.pause = nil
		pause()
	}
}

func readRequest(r *http.Request) (*request, error) {
	var segments []string
	for segment := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			plain = segment
		}
		segments = append(segments, plain)
	}
	out := &request{
		route: notFound, path: "/" + strings.Join(segments, "/"), query: r.URL.Query(), header: r.Header,
		english: strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en"),
	}
	for i := range allRoutes {
		if subject, ok := allRoutes[i].match(r.Method, segments); ok {
			out.route, out.subject = allRoutes[i], subject
			break
		}
	}
	out.method = r.Method
	if r.Body == nil {
		return out, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	out.body = body
	return out, err
}
