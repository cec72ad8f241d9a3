package tosstest

import (
	"encoding/json"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

const (
	defaultPage    = 100
	maxPage        = 5000
	maxReceiptPage = 10000
)

func routeRecords(method string, p []string) (operation Operation, subject string) {
	get, post := method == http.MethodGet, method == http.MethodPost
	switch strings.Join(p[1:], "/") {
	case "transactions":
		if get {
			return ListTransactions, ""
		}
	case "settlements":
		if get {
			return ListSettlements, ""
		}
		if post {
			return RequestSettlement, ""
		}
	case "cash-receipts":
		if get {
			return ListCashReceipts, ""
		}
		if post {
			return IssueCashReceipt, ""
		}
	case "promotions":
		if get {
			return GetPromotions, ""
		}
	case "promotions/card":
		if get {
			return GetCardPromotions, ""
		}
	}
	if post && len(p) == 4 && p[1] == "cash-receipts" && p[3] == "cancel" {
		return CancelCashReceipt, p[2]
	}
	return "", ""
}

// records answers what is not about one payment.
func (s *Server) records(r request, operation Operation, subject string, inEnglish bool) (reply, bool) {
	var body []byte
	var refused tosspayments.ErrorCode
	switch operation {
	case ListTransactions:
		body, refused = s.listTransactions(r, inEnglish)
	case ListSettlements:
		body, refused = s.listSettlements(r, inEnglish)
	case RequestSettlement:
		body, refused = s.requestSettlement(r)
	case IssueCashReceipt:
		body, refused = s.issueCashReceipt(r)
	case CancelCashReceipt:
		body, refused = s.cancelCashReceipt(r, subject)
	case ListCashReceipts:
		body, refused = s.listCashReceipts(r)
	case GetPromotions:
		body = promotionsFixture
	case GetCardPromotions:
		body = cardPromotionsFixture
	default:
		return reply{}, false
	}
	if refused != "" {
		return s.refusal(refused, inEnglish), true
	}
	return reply{status: http.StatusOK, header: jsonHeader(), body: body}, true
}

// number reads a whole number of the query, or takes the given one.
func (r *request) number(name string, otherwise int) (n int, ok bool) {
	text := r.query.Get(name)
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0
}

func array(rows []json.RawMessage) []byte {
	if rows == nil {
		rows = []json.RawMessage{}
	}
	return encode(rows)
}

// transaction tells of what a movement of money was.
func (s *Server) transaction(e *Entry) (p *payment, x *cancel) {
	p = s.payments[e.PaymentKey]
	for i := range p.cancels {
		if p.cancels[i].transaction == e.TransactionKey {
			return p, &p.cancels[i]
		}
	}
	return p, nil
}

// movements are the entries of a time, oldest first. A deposit that bounced and an
// account that nobody paid into are no transactions.
func (s *Server) movements(from, to time.Time) []Entry {
	first := sort.Search(len(s.ledger), func(i int) bool { return !s.ledger[i].At.Before(from) })
	var entries []Entry
	for _, e := range s.ledger[first:] {
		if e.At.After(to) {
			break
		}
		if e.Kind == Approved || e.Kind == Canceled {
			entries = append(entries, e)
		}
	}
	return entries
}

func (s *Server) listTransactions(r request, inEnglish bool) ([]byte, tosspayments.ErrorCode) {
	start, startOK := parseQueryTime(r.query.Get("startDate"))
	end, endOK := parseQueryTime(r.query.Get("endDate"))
	limit, limitOK := r.number("limit", defaultPage)
	switch {
	case !startOK || !endOK:
		return nil, tosspayments.ErrInvalidDate
	case !limitOK:
		return nil, tosspayments.ErrInvalidRequest
	case limit > maxPage:
		return nil, tosspayments.ErrExceedMaxQueryLimit
	}
	// The end counts with its whole second.
	entries := s.movements(start, end.Add(time.Second-1))
	if after := r.query.Get("startingAfter"); after != "" {
		i := 0
		for i < len(entries) && entries[i].TransactionKey != after {
			i++
		}
		if i == len(entries) {
			return nil, tosspayments.ErrInvalidTransactionKey
		}
		entries = entries[i+1:]
	}
	var rows []json.RawMessage
	for _, e := range entries[:min(limit, len(entries))] {
		p, x := s.transaction(&e)
		status := tosspayments.PaymentStatusDone
		if x != nil {
			status = tosspayments.PaymentStatusPartialCanceled
			if x.amount == p.checkout.Amount {
				status = tosspayments.PaymentStatusCanceled
			}
		}
		values := map[string]any{
			"transactionKey": e.TransactionKey, "paymentKey": e.PaymentKey, "orderId": e.OrderID, "status": status,
			"transactionAt": stamp(e.At), "currency": p.checkout.Currency, "amount": e.Amount, "method": p.method(inEnglish),
		}
		if p.billing != nil {
			values["customerKey"] = p.billing.customerKey
		}
		rows = append(rows, fixtures().transaction.fill(values))
	}
	return array(rows), ""
}

func parseQueryTime(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, kst()); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// settled are the days of a sale's settlement: it counts as sold on its own day, and is
// paid out on the second business day after it.
func settled(at time.Time) (sold, paidOut time.Time) {
	year, month, day := at.In(kst()).Date()
	sold = time.Date(year, month, day, 0, 0, 0, 0, kst())
	paidOut = sold
	for days := 0; days < 2; {
		paidOut = paidOut.AddDate(0, 0, 1)
		if weekday := paidOut.Weekday(); weekday != time.Saturday && weekday != time.Sunday {
			days++
		}
	}
	return sold, paidOut
}

// listSettlements computes what the real service computes with live keys only, at
// a fee of 2.8 per cent and its VAT, and without public holidays.
func (s *Server) listSettlements(r request, inEnglish bool) ([]byte, tosspayments.ErrorCode) {
	start, startErr := time.ParseInLocation(time.DateOnly, r.query.Get("startDate"), kst())
	end, endErr := time.ParseInLocation(time.DateOnly, r.query.Get("endDate"), kst())
	page, pageOK := r.number("page", 1)
	size, sizeOK := r.number("size", defaultPage)
	dateType := r.query.Get("dateType")
	switch {
	case startErr != nil || endErr != nil:
		return nil, tosspayments.ErrInvalidDate
	case !pageOK || !sizeOK || dateType != "" && dateType != "soldDate" && dateType != "paidOutDate":
		return nil, tosspayments.ErrInvalidRequest
	case size > maxPage:
		return nil, tosspayments.ErrExceedMaxQueryLimit
	}
	today, _ := settled(s.now())
	var rows []json.RawMessage
	skip := (page - 1) * size
	for _, e := range s.movements(time.Time{}, s.now()) {
		sold, paidOut := settled(e.At)
		day := sold
		if dateType == "paidOutDate" {
			day = paidOut
		}
		if !sold.Before(today) || day.Before(start) || day.After(end) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(rows) == size {
			break
		}
		rows = append(rows, s.settlement(&e, sold, paidOut, inEnglish))
	}
	return array(rows), ""
}

func (s *Server) settlement(e *Entry, sold, paidOut time.Time, inEnglish bool) json.RawMessage {
	p, x := s.transaction(e)
	units, _ := e.Amount.Int64()
	if x != nil {
		units = -units
	}
	supply := units * 28 / 1000
	tax := supply / 10
	fee := supply + tax
	values := map[string]any{
		"paymentKey": e.PaymentKey, "transactionKey": e.TransactionKey, "orderId": e.OrderID, "currency": p.checkout.Currency,
		"method": p.method(inEnglish), "amount": units, "fees": []any{map[string]any{"type": "BASE", "fee": fee}}, "fee": fee,
		"supplyAmount": supply, "vat": tax, "payOutAmount": units - fee, "approvedAt": stamp(p.approvedAt),
		"soldDate": sold.Format(time.DateOnly), "paidOutDate": paidOut.Format(time.DateOnly),
	}
	switch p.checkout.Method {
	case "", tosspayments.MethodCard:
		values["card"] = p.cardJSON(inEnglish)
	case tosspayments.MethodVirtualAccount:
		values["virtualAccount"] = p.account.json(inEnglish)
	}
	if x != nil {
		values["cancel"] = x.json()
	}
	return fixtures().settlement.fill(values)
}

func (s *Server) requestSettlement(r request) ([]byte, tosspayments.ErrorCode) {
	var body struct {
		PaymentKey string `json:"paymentKey"`
	}
	if !decode(r.body, &body) || s.payments[body.PaymentKey] == nil {
		return nil, tosspayments.ErrNotFoundPayment
	}
	return []byte(`{"result":true}`), ""
}

// cashReceipt is a record of a cash receipt, or of its cancel.
type cashReceipt struct {
	key, orderID, orderName, kind, identity string
	amount, taxFree, left                   tosspayments.Amount
	isCancel                                bool
	at                                      time.Time
}

func (s *Server) cashReceiptJSON(c *cashReceipt) json.RawMessage {
	status, kind := "IN_PROGRESS", "CONFIRM"
	if s.now().Sub(c.at) >= 24*time.Hour {
		status = "COMPLETED"
	}
	if c.isCancel {
		kind = "CANCEL"
	}
	masked := c.identity
	if len(masked) > 7 {
		masked = masked[:4] + strings.Repeat("*", len(masked)-7) + masked[len(masked)-3:]
	}
	return fixtures().cashReceipt.fill(map[string]any{
		"receiptKey": c.key, "issueNumber": "G" + c.key[len(c.key)-8:], "issueStatus": status, "amount": c.amount,
		"taxFreeAmount": c.taxFree, "orderId": c.orderID, "orderName": c.orderName, "type": c.kind, "transactionType": kind,
		"customerIdentityNumber": masked, "requestedAt": stamp(c.at),
	})
}

func (s *Server) issueCashReceipt(r request) ([]byte, tosspayments.ErrorCode) {
	var body struct {
		OrderID                string              `json:"orderId"`
		OrderName              string              `json:"orderName"`
		Amount                 tosspayments.Amount `json:"amount"`
		TaxFreeAmount          tosspayments.Amount `json:"taxFreeAmount"`
		Type                   string              `json:"type"`
		CustomerIdentityNumber string              `json:"customerIdentityNumber"`
	}
	checkout := Checkout{}
	ok := decode(r.body, &body)
	checkout.OrderID, checkout.OrderName, checkout.Amount, checkout.TaxFreeAmount = body.OrderID, body.OrderName, body.Amount, body.TaxFreeAmount
	switch {
	case !ok || checkout.validate() != nil:
		return nil, tosspayments.ErrInvalidRequest
	case body.Type != "소득공제" && body.Type != "지출증빙" || body.CustomerIdentityNumber == "":
		return nil, tosspayments.ErrInvalidCashReceiptInfo
	}
	for _, c := range s.receipts {
		if c.orderID == body.OrderID && !c.isCancel && !c.left.IsZero() {
			return nil, tosspayments.ErrDuplicatedCashReceipt
		}
	}
	c := &cashReceipt{
		key: "fake" + s.hex(10), orderID: body.OrderID, orderName: body.OrderName, kind: body.Type, identity: body.CustomerIdentityNumber,
		amount: body.Amount, taxFree: body.TaxFreeAmount, left: body.Amount, at: s.now(),
	}
	s.receipts = append(s.receipts, c)
	return s.cashReceiptJSON(c), ""
}

func (s *Server) cancelCashReceipt(r request, key string) ([]byte, tosspayments.ErrorCode) {
	var body struct {
		Amount *tosspayments.Amount `json:"amount"`
	}
	if len(r.body) > 0 && !decode(r.body, &body) {
		return nil, tosspayments.ErrInvalidRequest
	}
	for _, c := range s.receipts {
		if c.key != key || c.isCancel {
			continue
		}
		amount := c.left
		if body.Amount != nil {
			amount = *body.Amount
		}
		if amount.Cmp(tosspayments.Amount{}) <= 0 || amount.Cmp(c.left) > 0 {
			return nil, tosspayments.ErrInvalidRequest
		}
		c.left = c.left.Sub(amount)
		x := *c
		x.key, x.amount, x.isCancel, x.at = "c_"+c.key, amount, true, s.now()
		s.receipts = append(s.receipts, &x)
		return s.cashReceiptJSON(&x), ""
	}
	return nil, tosspayments.ErrNotFoundReceipt
}

func (s *Server) listCashReceipts(r request) ([]byte, tosspayments.ErrorCode) {
	day := r.query.Get("requestDate")
	limit, limitOK := r.number("limit", defaultPage)
	cursor, cursorOK := r.number("cursor", 0)
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return nil, tosspayments.ErrInvalidDate
	}
	switch {
	case !limitOK || !cursorOK:
		return nil, tosspayments.ErrInvalidRequest
	case limit > maxReceiptPage:
		return nil, tosspayments.ErrExceedMaxQueryLimit
	}
	rows := []json.RawMessage{}
	last, more := cursor, false
	for i, c := range s.receipts {
		if i < cursor || c.at.In(kst()).Format(time.DateOnly) != day {
			continue
		}
		if len(rows) == limit {
			more = true
			break
		}
		rows = append(rows, s.cashReceiptJSON(c))
		last = i + 1
	}
	return encode(map[string]any{"hasNext": more, "lastCursor": last, "data": rows}), ""
}
