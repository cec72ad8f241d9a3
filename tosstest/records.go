package tosstest

import (
	"encoding/json"
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

func (s *Server) getPromotions(*request) reply { return ok(promotionsFixture) }

func (s *Server) getCardPromotions(*request) reply { return ok(cardPromotionsFixture) }

// number reads a whole number of the query, or takes the given one.
func (r *request) number(name string, otherwise int) (n int, ok bool) {
	text := r.query.Get(name)
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0
}

func array(rows []json.RawMessage) reply {
	if rows == nil {
		rows = []json.RawMessage{}
	}
	return ok(encode(rows))
}

// listed reports whether a movement is a transaction of a merchant. An account that
// nobody paid into is none.
func (s *Server) listed(m *movement, shop *merchant) bool {
	return m.payment.shop == shop && (m.Kind == Approved || m.Kind == Canceled || m.Kind == Bounced && s.bounceRows)
}

func (s *Server) listTransactions(r *request) reply {
	start, startOK := parseQueryTime(r.query.Get("startDate"))
	end, endOK := parseQueryTime(r.query.Get("endDate"))
	limit, limitOK := r.number("limit", defaultPage)
	switch {
	case !startOK || !endOK:
		return r.refuse(tosspayments.ErrInvalidDate)
	case !limitOK:
		return r.refuse(tosspayments.ErrInvalidRequest)
	case limit > maxPage:
		return r.refuse(s.guess(ListLimit))
	}
	// The end counts with its whole second.
	end = end.Add(time.Second)
	movements := s.ledger.movements
	first := s.ledger.since(start)
	if after := r.query.Get("startingAfter"); after != "" {
		i, known := s.ledger.byKey[after]
		if !known || !s.listed(&movements[i], r.shop) || i < first || !movements[i].At.Before(end) {
			return r.refuse(s.guess(UnknownCursor))
		}
		first = i + 1
	}
	var rows []json.RawMessage
	for i := first; i < len(movements) && len(rows) < limit && movements[i].At.Before(end); i++ {
		if m := &movements[i]; s.listed(m, r.shop) {
			rows = append(rows, m.transactionJSON(r.english))
		}
	}
	return array(rows)
}

func (m *movement) transactionJSON(inEnglish bool) json.RawMessage {
	p := m.payment
	status := tosspayments.PaymentStatusDone
	if m.Kind != Approved {
		status = tosspayments.PaymentStatusPartialCanceled
		if m.Amount == p.checkout.Amount {
			status = tosspayments.PaymentStatusCanceled
		}
	}
	values := map[string]any{
		"mId": p.shop.mid, "transactionKey": m.TransactionKey, "paymentKey": m.PaymentKey, "orderId": m.OrderID, "status": status,
		"transactionAt": stamp(m.At), "currency": p.checkout.Currency, "amount": m.Amount, "method": p.method(inEnglish), "receiptUrl": p.receipt,
		"useEscrow": p.checkout.UseEscrow,
	}
	if p.billing != nil {
		values["customerKey"] = p.billing.CustomerKey
	}
	return fixtures().transaction.fill(values)
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
func (s *Server) listSettlements(r *request) reply {
	start, startErr := time.ParseInLocation(time.DateOnly, r.query.Get("startDate"), kst())
	end, endErr := time.ParseInLocation(time.DateOnly, r.query.Get("endDate"), kst())
	page, pageOK := r.number("page", 1)
	size, sizeOK := r.number("size", defaultPage)
	dateType := r.query.Get("dateType")
	switch {
	case startErr != nil || endErr != nil:
		return r.refuse(tosspayments.ErrInvalidDate)
	case !pageOK || !sizeOK || dateType != "" && dateType != "soldDate" && dateType != "paidOutDate":
		return r.refuse(tosspayments.ErrInvalidRequest)
	case size > maxPage:
		return r.refuse(s.guess(ListLimit))
	}
	today, _ := settled(s.clock.now())
	var rows []json.RawMessage
	skip := (page - 1) * size
	// A sale is paid out four days later at most.
	for i := s.ledger.since(start.AddDate(0, 0, -4)); i < len(s.ledger.movements) && len(rows) < size; i++ {
		m := &s.ledger.movements[i]
		sold, paidOut := settled(m.At)
		day := sold
		if dateType == "paidOutDate" {
			day = paidOut
		}
		if sold.After(end) || !sold.Before(today) {
			break
		}
		if !s.listed(m, r.shop) || day.Before(start) || day.After(end) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		rows = append(rows, m.settlementJSON(sold, paidOut, r.english))
	}
	return array(rows)
}

func (m *movement) settlementJSON(sold, paidOut time.Time, inEnglish bool) json.RawMessage {
	p := m.payment
	approvedAt := p.approvedAt
	if approvedAt.IsZero() { // the deposit has bounced since
		approvedAt = m.At
	}
	units, supply, tax := m.settlement()
	fee := supply + tax
	values := map[string]any{
		"mId": p.shop.mid, "paymentKey": m.PaymentKey, "transactionKey": m.TransactionKey, "orderId": m.OrderID, "currency": p.checkout.Currency,
		"method": p.method(inEnglish), "amount": units, "fees": []any{map[string]any{"type": "BASE", "fee": fee}}, "fee": fee,
		"supplyAmount": supply, "vat": tax, "payOutAmount": units - fee, "approvedAt": stamp(approvedAt),
		"soldDate": sold.Format(time.DateOnly), "paidOutDate": paidOut.Format(time.DateOnly),
	}
	p.meansJSON(values, inEnglish)
	if m.cancel != nil {
		values["cancel"] = m.cancel.json()
	}
	return fixtures().settlement.fill(values)
}

// settlement is what a movement is settled with, in won, and the fee with its VAT.
func (m *movement) settlement() (units, supply, tax int64) {
	units, _ = m.Amount.Int64()
	if m.Kind != Approved {
		units = -units
	}
	supply = units * 28 / 1000
	return units, supply, supply / 10
}

// net is what is left of a movement after the fee.
func (m *movement) net() tosspayments.Amount {
	units, supply, tax := m.settlement()
	return tosspayments.Won(units - supply - tax)
}

func (s *Server) requestSettlement(r *request) reply {
	var body struct {
		PaymentKey string `json:"paymentKey"`
	}
	if !decode(r.body, &body) || s.paymentOf(r, body.PaymentKey) == nil {
		return r.refuse(tosspayments.ErrNotFoundPayment)
	}
	return ok([]byte(`{"result":true}`))
}

// cashReceipt is a record of a cash receipt, or of its cancel.
type cashReceipt struct {
	shop                                    *merchant
	number                                  int // among the merchant's, from 0
	Key, OrderID, OrderName, Kind, Identity string
	Amount, TaxFree, Left                   tosspayments.Amount
	IsCancel                                bool
	At                                      time.Time
}

// receipts are all records, oldest first, and where to find the issued ones.
type receipts struct {
	all     []*cashReceipt
	byKey   map[string]*cashReceipt
	byOrder map[string]*cashReceipt // the last one
}

func (b *receipts) add(c *cashReceipt) {
	c.number = len(b.all)
	b.all = append(b.all, c)
	if !c.IsCancel {
		b.byKey[c.Key], b.byOrder[c.OrderID] = c, c
	}
}

func (s *Server) cashReceiptJSON(c *cashReceipt) json.RawMessage {
	status, kind := "IN_PROGRESS", "CONFIRM"
	if s.clock.now().Sub(c.At) >= 24*time.Hour {
		status = "COMPLETED"
	}
	if c.IsCancel {
		kind = "CANCEL"
	}
	masked := c.Identity
	if len(masked) > 7 {
		masked = masked[:4] + strings.Repeat("*", len(masked)-7) + masked[len(masked)-3:]
	}
	return fixtures().cashReceipt.fill(map[string]any{
		"receiptKey": c.Key, "issueNumber": "G" + c.Key[len(c.Key)-8:], "issueStatus": status, "amount": c.Amount,
		"taxFreeAmount": c.TaxFree, "orderId": c.OrderID, "orderName": c.OrderName, "type": c.Kind, "transactionType": kind,
		"customerIdentityNumber": masked, "requestedAt": stamp(c.At), "receiptUrl": s.cashReceiptURL(c.shop, c.OrderID),
	})
}

func (s *Server) issueCashReceipt(r *request) reply {
	var body struct {
		OrderID                string              `json:"orderId"`
		OrderName              string              `json:"orderName"`
		Amount                 tosspayments.Amount `json:"amount"`
		TaxFreeAmount          tosspayments.Amount `json:"taxFreeAmount"`
		Type                   string              `json:"type"`
		CustomerIdentityNumber string              `json:"customerIdentityNumber"`
	}
	checkout := Checkout{}
	decoded := decode(r.body, &body)
	checkout.OrderID, checkout.OrderName, checkout.Amount, checkout.TaxFreeAmount = body.OrderID, body.OrderName, body.Amount, body.TaxFreeAmount
	switch {
	case !decoded || checkout.validate() != nil:
		return r.refuse(tosspayments.ErrInvalidRequest)
	case body.Type != "소득공제" && body.Type != "지출증빙" || body.CustomerIdentityNumber == "":
		return r.refuse(tosspayments.ErrInvalidCashReceiptInfo)
	}
	book := &r.shop.receipts
	if last := book.byOrder[body.OrderID]; last != nil && !last.Left.IsZero() {
		return r.refuse(tosspayments.ErrDuplicatedCashReceipt)
	}
	c := &cashReceipt{
		shop: r.shop,
		Key:  "fake" + s.hex(10), OrderID: body.OrderID, OrderName: body.OrderName, Kind: body.Type, Identity: body.CustomerIdentityNumber,
		Amount: body.Amount, TaxFree: body.TaxFreeAmount, Left: body.Amount, At: s.clock.now(),
	}
	book.add(c)
	s.unsaved.receipts = append(s.unsaved.receipts, c)
	return ok(s.cashReceiptJSON(c))
}

func (s *Server) cancelCashReceipt(r *request) reply {
	var body struct {
		Amount *tosspayments.Amount `json:"amount"`
	}
	if len(r.body) > 0 && !decode(r.body, &body) {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	book := &r.shop.receipts
	c := book.byKey[r.subject]
	if c == nil {
		return r.refuse(tosspayments.ErrNotFoundReceipt)
	}
	amount := c.Left
	if body.Amount != nil {
		amount = *body.Amount
	}
	if amount.Cmp(tosspayments.Amount{}) <= 0 || amount.Cmp(c.Left) > 0 {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	c.Left = c.Left.Sub(amount)
	x := *c
	x.Key, x.Amount, x.IsCancel, x.At = "c_"+c.Key, amount, true, s.clock.now()
	book.add(&x)
	s.unsaved.receipts = append(s.unsaved.receipts, c, &x)
	return ok(s.cashReceiptJSON(&x))
}

func (s *Server) listCashReceipts(r *request) reply {
	day, err := time.ParseInLocation(time.DateOnly, r.query.Get("requestDate"), kst())
	limit, limitOK := r.number("limit", defaultPage)
	cursor, cursorOK := r.number("cursor", 0)
	switch {
	case err != nil:
		return r.refuse(tosspayments.ErrInvalidDate)
	case !limitOK || !cursorOK:
		return r.refuse(tosspayments.ErrInvalidRequest)
	case limit > maxReceiptPage:
		return r.refuse(s.guess(ListLimit))
	}
	all := r.shop.receipts.all
	since := func(t time.Time) int {
		return sort.Search(len(all), func(i int) bool { return !all[i].At.Before(t) })
	}
	from, to := max(cursor, since(day)), since(day.AddDate(0, 0, 1))
	rows := []json.RawMessage{}
	last := cursor
	for ; from < to && len(rows) < limit; from++ {
		rows = append(rows, s.cashReceiptJSON(all[from]))
		last = from + 1
	}
	return ok(encode(map[string]any{"hasNext": from < to, "lastCursor": last, "data": rows}))
}
