package tosstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/jwe"
	"github.com/seed238ab19c/tosspayments/webhook"
)

// The operations of payouts (API v2).
const (
	GetBalance     Operation = "get balance"
	RegisterSeller Operation = "register seller"
	UpdateSeller   Operation = "update seller"
	GetSeller      Operation = "get seller"
	ListSellers    Operation = "list sellers"
	DeleteSeller   Operation = "delete seller"
	RequestPayouts Operation = "request payouts"
	CancelPayout   Operation = "cancel payout"
	GetPayout      Operation = "get payout"
	ListPayouts    Operation = "list payouts"
	CheckAccount   Operation = "check account"
)

// Situations of payouts of which the real answer is not known.
const (
	// SellerRefTaken is a registration with a refSellerId that was used before:
	// INVALID_REQUEST.
	SellerRefTaken Guess = "refSellerId that was used before"
	// PayoutRefTaken is a payout with a refPayoutId that was used before, under another
	// idempotency key. It is accepted: with a code it is refused.
	PayoutRefTaken Guess = "refPayoutId that was used before"
	// PayoutTooLate is a cancel of a payout that is not REQUESTED: INVALID_REQUEST.
	PayoutTooLate Guess = "cancel of a payout that has begun"
	// ExpressClosed is an express payout outside of its hours; see [WithPayoutHours]:
	// INVALID_PAYABLE_DATE.
	ExpressClosed Guess = "express payout outside of its hours"
)

var payoutGuesses = map[Guess]tosspayments.ErrorCode{
	SellerRefTaken: tosspayments.ErrInvalidRequest,
	PayoutTooLate:  tosspayments.ErrInvalidRequest,
	ExpressClosed:  tosspayments.ErrInvalidPayableDate,
}

// WithPayoutHours accepts express payouts on business days from 08:00 to 15:00 in Korea
// only, on the server's clock. Without it they are accepted at all times, so that a test
// does not depend on the hour.
func WithPayoutHours() Option { return func(s *Server) { s.payouts.hours = true } }

// WithPlainPayoutErrors answers refusals of encrypted calls in plain JSON. By default they
// are encrypted, save those that are found before the body is decrypted.
func WithPlainPayoutErrors() Option { return func(s *Server) { s.payouts.plainErrors = true } }

// WithPreviousSecurityKey encrypts answers with the last of the keys of [WithSecurityKey], as
// may happen while a key is being replaced.
func WithPreviousSecurityKey() Option { return func(s *Server) { s.payouts.previousKey = true } }

// weeklyLimit is what a partially approved seller may be paid in a week.
var weeklyLimit = tosspayments.Won(10_000_000)

// payoutBook is everything about payouts.
type payoutBook struct {
	hours, plainErrors, previousKey bool

	sellers    []*seller // oldest first
	payouts    []*payout // oldest first
	sellerByID map[string]*seller
	payoutByID map[string]*payout

	added tosspayments.Amount
	// requests counts payouts by refPayoutId, and refs has every refSellerId.
	requests map[string]int
	refs     map[string]bool
	// next is the first day of a payout that is REQUESTED; zero where there is none.
	next time.Time
}

func newPayoutBook() payoutBook {
	return payoutBook{
		sellerByID: map[string]*seller{}, payoutByID: map[string]*payout{}, requests: map[string]int{}, refs: map[string]bool{},
	}
}

// addSeller and addPayout also put back what was kept in a file.
func (b *payoutBook) addSeller(x *seller) {
	b.sellers = append(b.sellers, x)
	b.sellerByID[x.ID] = x
	b.refs[x.Ref] = true
}

func (b *payoutBook) addPayout(p *payout) {
	b.payouts = append(b.payouts, p)
	b.payoutByID[p.ID] = p
	b.requests[p.Ref]++
	b.expect(p)
}

// expect notes the day of a payout that waits for it.
func (b *payoutBook) expect(p *payout) {
	if day := p.day(); p.Status == "REQUESTED" && (b.next.IsZero() || day.Before(b.next)) {
		b.next = day
	}
}

type seller struct {
	ID, Ref, Kind, Status                  string
	Company, Individual, Account, Metadata json.RawMessage
	Deleted                                bool
}

type payout struct {
	ID, Ref, Destination, Schedule, Date, Description, Status string

	Amount      tosspayments.Amount
	RequestedAt time.Time
	Failure     tosspayments.ErrorCode
	Metadata    json.RawMessage
}

// storedPayouts is what the file says of payouts: what a change has changed.
type storedPayouts struct {
	Sellers []seller             `json:",omitempty"`
	Payouts []payout             `json:",omitempty"`
	Added   *tosspayments.Amount `json:",omitempty"`
}

func (s *Server) keepSeller(x *seller) {
	s.unsaved.payouts.Sellers = append(s.unsaved.payouts.Sellers, *x)
	s.tell(Change{Seller: x.shown()})
}

func (s *Server) keepPayout(p *payout) {
	s.unsaved.payouts.Payouts = append(s.unsaved.payouts.Payouts, *p)
	s.tell(Change{Payout: p.json()})
}

func (o *storedPayouts) isEmpty() bool { return len(o.Sellers)+len(o.Payouts) == 0 && o.Added == nil }

// all is everything, for a file that is made anew.
func (b *payoutBook) all() *storedPayouts {
	o := &storedPayouts{Added: &b.added}
	for _, x := range b.sellers {
		o.Sellers = append(o.Sellers, *x)
	}
	for _, p := range b.payouts {
		o.Payouts = append(o.Payouts, *p)
	}
	return o
}

// restore puts back what one line of the file says. The last line about a thing counts.
func (b *payoutBook) restore(o *storedPayouts) {
	for i := range o.Sellers {
		x := &o.Sellers[i]
		if old := b.sellerByID[x.ID]; old != nil {
			*old = *x
		} else {
			b.addSeller(x)
		}
	}
	for i := range o.Payouts {
		p := &o.Payouts[i]
		if old := b.payoutByID[p.ID]; old != nil {
			*old = *p
		} else {
			b.addPayout(p)
		}
	}
	if o.Added != nil {
		b.added = *o.Added
	}
}

var payoutRoutes = []route{
	{http.MethodGet, "/v2/balances", GetBalance, v2((*Server).getBalance)},
	{http.MethodPost, "/v2/sellers", RegisterSeller, encrypted((*Server).registerSeller)},
	{http.MethodGet, "/v2/sellers", ListSellers, v2((*Server).listSellers)},
	{http.MethodPost, "/v2/sellers/{}", UpdateSeller, encrypted((*Server).updateSeller)},
	{http.MethodGet, "/v2/sellers/{}", GetSeller, v2((*Server).getSeller)},
	{http.MethodDelete, "/v2/sellers/{}", DeleteSeller, v2((*Server).deleteSeller)},
	{http.MethodPost, "/v2/payouts", RequestPayouts, encrypted((*Server).requestPayouts)},
	{http.MethodGet, "/v2/payouts", ListPayouts, v2((*Server).listPayouts)},
	{http.MethodGet, "/v2/payouts/{}", GetPayout, v2((*Server).getPayout)},
	{http.MethodPost, "/v2/payouts/{}/cancel", CancelPayout, v2((*Server).cancelPayout)},
	{http.MethodPost, "/v2/bank-accounts/{}", CheckAccount, v2((*Server).checkAccount)},
}

const securityMode = "Tosspayments-Api-Security-Mode"

// v2 encrypts the answer where that was asked for.
func v2(handle func(*Server, *request) reply) func(*Server, *request) reply {
	return func(s *Server, r *request) reply { return s.sealed(r, handle(s, r)) }
}

// encrypted is v2 with a body that must be encrypted.
func encrypted(handle func(*Server, *request) reply) func(*Server, *request) reply {
	return func(s *Server, r *request) reply {
		header, plain, err := jwe.Open(r.body, s.securityKeys()...)
		var stamped struct{ Iat, Nonce string }
		if err == nil {
			err = json.Unmarshal(header, &stamped)
		}
		if _, timeErr := time.Parse(time.RFC3339, stamped.Iat); err != nil || timeErr != nil || stamped.Nonce == "" || r.header.Get(securityMode) != "ENCRYPTION" {
			return r.refuse(tosspayments.ErrInvalidRequest)
		}
		opened := *r
		opened.body = plain
		return s.sealed(r, handle(s, &opened))
	}
}

func (s *Server) securityKeys() (keys []jwe.Key) {
	for _, text := range s.webhooks.securityKeys {
		if key, err := jwe.ParseKey(text); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

func (s *Server) sealed(r *request, a reply) reply {
	if r.header.Get(securityMode) != "ENCRYPTION" || a.status >= 300 && s.payouts.plainErrors {
		return a
	}
	keys := s.securityKeys()
	key := keys[0]
	if s.payouts.previousKey {
		key = keys[len(keys)-1]
	}
	a.body = key.Seal(jwe.AnswerHeader(), s.present(a, r.shop).body)
	return a
}

// entity is an answer with an envelope.
func (r *request) entity(kind string, body json.RawMessage) reply {
	return ok(fixtures().envelope.fill(map[string]any{"traceId": r.traceID, "entityType": kind, "entityBody": body}))
}

// failed is an error with an envelope, and with a message of its own where there is one.
func (r *request) failed(code tosspayments.ErrorCode, message string) reply {
	a := r.refuse(code)
	if message != "" {
		a.body = r.errorEnvelope(code, message)
	}
	return a
}

func (r *request) errorEnvelope(code tosspayments.ErrorCode, message string) json.RawMessage {
	return fixtures().envelope.fill(map[string]any{
		"traceId": r.traceID, "error": map[string]string{"code": string(code), "message": message},
	})
}

// page answers with the part of a list that the query asks for.
func page[T any](r *request, s *Server, kind string, most int, rows []T, id func(T) string, write func(T) json.RawMessage) reply {
	limit, ok := r.number("limit", 10)
	if !ok || limit > most {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	if after := r.query.Get("startingAfter"); after != "" {
		i := slices.IndexFunc(rows, func(row T) bool { return id(row) == after })
		if i < 0 {
			return r.refuse(s.guess(UnknownCursor))
		}
		rows = rows[i+1:]
	}
	hasNext := len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	items, last := []json.RawMessage{}, json.RawMessage("null")
	for _, row := range rows {
		items = append(items, write(row))
		last = encode(id(row))
	}
	return r.entity(kind, encode(map[string]any{"hasNext": hasNext, "lastCursor": last, "items": items}))
}

func won(a tosspayments.Amount) map[string]any {
	return map[string]any{"currency": "KRW", "value": json.RawMessage(a.String() + ".0")}
}

func (s *Server) getBalance(r *request) reply {
	pending, available := s.balance()
	return r.entity("balance", encode(map[string]any{"pendingAmount": won(pending), "availableAmount": won(available)}))
}

// Balance returns the money that can be paid out later (pending) and now (available).
func (s *Server) Balance() (pending, available tosspayments.Amount) {
	s.change(func() { pending, available = s.balance() })
	return pending, available
}

// balance is made of the sales of the individual pair less their fees. A sale can be paid
// out from the day of its settlement on.
func (s *Server) balance() (pending, available tosspayments.Amount) {
	now := s.clock.now()
	available = s.payouts.added
	for i := range s.ledger.movements {
		m := &s.ledger.movements[i]
		if !s.listed(m, &s.individual) {
			continue
		}
		net := m.net()
		if _, paidOut := settled(m.At); now.Before(paidOut) {
			pending = pending.Add(net)
		} else {
			available = available.Add(net)
		}
	}
	for _, p := range s.payouts.payouts {
		switch p.Status {
		case "REQUESTED", "IN_PROGRESS", "COMPLETED":
			available = available.Sub(p.Amount)
		}
	}
	return pending, available
}

// AddBalance adds to the money that can be paid out now, as settled sales do.
func (s *Server) AddBalance(amount tosspayments.Amount) {
	s.change(func() {
		s.payouts.added = s.payouts.added.Add(amount)
		s.unsaved.payouts.Added = &s.payouts.added
	})
}

func (s *Server) seller(id string) *seller {
	if x := s.payouts.sellerByID[id]; x != nil && !x.Deleted {
		return x
	}
	return nil
}

// members is what a seller is registered or changed with, one by one.
type members map[string]json.RawMessage

func (m members) text(names ...string) string {
	var value any = m
	for _, name := range names {
		var inner members
		switch v := value.(type) {
		case members:
			value = v[name]
			continue
		case json.RawMessage:
			_ = json.Unmarshal(v, &inner)
		}
		value = inner[name]
	}
	var text string
	raw, _ := value.(json.RawMessage)
	_ = json.Unmarshal(raw, &text)
	return text
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func (m members) isComplete() bool {
	required := [][]string{{"refSellerId"}, {"account", "bankCode"}, {"account", "accountNumber"}, {"account", "holderName"}}
	switch m.text("businessType") {
	case "INDIVIDUAL":
		required = append(required, []string{"individual", "name"}, []string{"individual", "email"}, []string{"individual", "phone"})
	case "INDIVIDUAL_BUSINESS", "CORPORATE":
		for _, name := range []string{"name", "representativeName", "businessRegistrationNumber", "email", "phone"} {
			required = append(required, []string{"company", name})
		}
	default:
		return false
	}
	for _, names := range required {
		if m.text(names...) == "" {
			return false
		}
	}
	return utf8.RuneCountInString(m.text("refSellerId")) <= 20 && isDigits(m.text("account", "accountNumber"))
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (s *Server) registerSeller(r *request) reply {
	var body members
	if !decode(r.body, &body) || !body.isComplete() {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	kind, number := body.text("businessType"), body.text("company", "businessRegistrationNumber")
	switch {
	case s.payouts.refs[body.text("refSellerId")]:
		return r.refuse(s.guess(SellerRefTaken))
	case kind != "INDIVIDUAL" && (len(number) != 10 || !isDigits(number)):
		return r.refuse(tosspayments.ErrNotRegisteredBusiness)
	}
	x := &seller{
		ID: fmt.Sprintf("seller_a01%06d", len(s.payouts.sellers)+1), Ref: body.text("refSellerId"), Kind: kind, Status: "APPROVAL_REQUIRED",
		Company: body["company"], Individual: body["individual"], Account: body["account"], Metadata: body["metadata"],
	}
	if kind == "CORPORATE" {
		x.Status = "PARTIALLY_APPROVED"
	}
	s.payouts.addSeller(x)
	s.keepSeller(x)
	return r.entity("seller", x.json())
}

func (s *Server) updateSeller(r *request) reply {
	x := s.seller(r.subject)
	if x == nil {
		return r.refuse(tosspayments.ErrNotFound)
	}
	var body members
	if !decode(r.body, &body) {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	next := *x
	for _, name := range slices.Sorted(maps.Keys(body)) {
		value := body[name]
		switch target := map[string]*json.RawMessage{"company": &next.Company, "individual": &next.Individual, "account": &next.Account}[name]; {
		case name == "metadata":
			next.Metadata = value
		case target == nil || isNull(value):
			return r.refuse(tosspayments.ErrInvalidRequest)
		default:
			*target = merge(*target, value)
		}
	}
	*x = next
	s.keepSeller(x)
	return r.entity("seller", x.json())
}

// merge replaces the members of an object that another one has.
func merge(old, update json.RawMessage) json.RawMessage {
	all := map[string]json.RawMessage{}
	_ = json.Unmarshal(old, &all)
	if json.Unmarshal(update, &all) != nil {
		return update
	}
	return encode(all)
}

func (s *Server) getSeller(r *request) reply {
	x := s.seller(r.subject)
	if x == nil {
		return r.refuse(tosspayments.ErrNotFound)
	}
	return r.entity("seller", x.json())
}

func (s *Server) listSellers(r *request) reply {
	rows := slices.DeleteFunc(slices.Clone(s.payouts.sellers), func(x *seller) bool { return x.Deleted })
	return page(r, s, "seller-list", 100, rows, func(x *seller) string { return x.ID }, (*seller).json)
}

func (s *Server) deleteSeller(r *request) reply {
	x := s.seller(r.subject)
	if x == nil {
		return r.refuse(tosspayments.ErrNotFound)
	}
	x.Deleted = true
	s.keepSeller(x)
	return r.entity("deleted-entity", encode(map[string]string{"id": x.ID, "refSellerId": x.Ref}))
}

func (x *seller) json() json.RawMessage {
	values := map[string]any{"id": x.ID, "refSellerId": x.Ref, "businessType": x.Kind, "status": x.Status}
	for name, value := range map[string]json.RawMessage{"company": x.Company, "individual": x.Individual, "metadata": x.Metadata} {
		if !isNull(value) {
			values[name] = value
		}
	}
	number := members{"account": x.Account}.text("account", "accountNumber")
	values["account"] = merge(x.Account, encode(map[string]string{"accountNumber": maskAccount(number)}))
	return fixtures().seller.fill(values)
}

// shown is a seller for the observer.
func (x *seller) shown() json.RawMessage {
	if x.Deleted {
		return merge(x.json(), encode(map[string]string{"status": "DELETED"}))
	}
	return x.json()
}

// maskAccount keeps the first three digits and the last four or five.
func maskAccount(number string) string {
	left := min(5, len(number)-3)
	if left < 1 {
		return strings.Repeat("*", len(number))
	}
	return number[:3] + strings.Repeat("*", max(0, len(number)-3-left)) + number[len(number)-left:]
}

// CompleteIdentityCheck plays a person or a sole proprietor who passes the identity check
// of the text message that follows the registration: the seller becomes
// PARTIALLY_APPROVED.
func (s *Server) CompleteIdentityCheck(sellerID string) {
	s.setSeller(sellerID, "PARTIALLY_APPROVED")
}

// CompleteKYC plays a seller who passes KYC, which a mail has asked for: the seller
// becomes APPROVED.
func (s *Server) CompleteKYC(sellerID string) { s.setSeller(sellerID, "APPROVED") }

// RequireKYC asks a seller for KYC, for the first time or again: the seller becomes
// KYC_REQUIRED, and gets no payouts.
func (s *Server) RequireKYC(sellerID string) { s.setSeller(sellerID, "KYC_REQUIRED") }

func (s *Server) setSeller(id, status string) {
	if s.tb != nil {
		s.tb.Helper()
	}
	known := true
	s.change(func() {
		x := s.seller(id)
		if known = x != nil; known {
			s.sellerIs(x, status)
		}
	})
	if !known {
		s.misuse(fmt.Errorf("there is no seller %q", id))
	}
}

// sellerIs changes the status of a seller, and tells of it.
func (s *Server) sellerIs(x *seller, status string) {
	if x.Status != status {
		x.Status = status
		s.keepSeller(x)
		s.send(webhook.SellerChanged, x.json())
	}
}

type payoutRequest struct {
	RefPayoutID  string `json:"refPayoutId"`
	Destination  string `json:"destination"`
	ScheduleType string `json:"scheduleType"`
	PayoutDate   string `json:"payoutDate"`
	Amount       struct {
		Currency string              `json:"currency"`
		Value    tosspayments.Amount `json:"value"`
	} `json:"amount"`
	TransactionDescription string          `json:"transactionDescription"`
	Metadata               json.RawMessage `json:"metadata"`
}

func (s *Server) requestPayouts(r *request) reply {
	var body []payoutRequest
	if !decode(r.body, &body) || len(body) < 1 || len(body) > 100 {
		return r.refuse(tosspayments.ErrInvalidRequest)
	}
	sum := tosspayments.Amount{}
	for i := range body {
		p := &body[i]
		if code, message := s.refusePayout(p, body[:i]); code != "" {
			return r.failed(code, message)
		}
		sum = sum.Add(p.Amount.Value)
	}
	if _, available := s.balance(); sum.Cmp(available) > 0 {
		return r.refuse(tosspayments.ErrNotEnoughAmount)
	}
	items := make([]json.RawMessage, len(body))
	for i := range body {
		items[i] = s.accept(&body[i]).json()
	}
	return r.entity("payout-list", encode(map[string]any{"hasNext": false, "lastCursor": nil, "items": items}))
}

// refusePayout checks one payout of a request, after the given ones of the same.
func (s *Server) refusePayout(p *payoutRequest, before []payoutRequest) (code tosspayments.ErrorCode, message string) {
	description, ref := utf8.RuneCountInString(p.TransactionDescription), utf8.RuneCountInString(p.RefPayoutID)
	switch {
	case description < 1, description > 7, ref < 1, ref > 50, p.Amount.Currency != "KRW",
		p.Amount.Value.Sign() <= 0, p.Amount.Value.Cmp(tosspayments.Won(1_000_000_000)) >= 0:
		return tosspayments.ErrInvalidRequest, ""
	case s.payouts.requests[p.RefPayoutID] > 0 && s.guess(PayoutRefTaken) != "":
		return s.guess(PayoutRefTaken), ""
	}
	if code := s.refuseDay(p); code != "" {
		return code, ""
	}
	x := s.seller(p.Destination)
	message = fmt.Sprintf("seller not ready (refPayoutId: %s)", p.RefPayoutID)
	if x == nil || x.Status != "PARTIALLY_APPROVED" && x.Status != "APPROVED" {
		return tosspayments.ErrForbiddenSellerPayout, message
	}
	week := s.paidThisWeek(x.ID).Add(p.Amount.Value)
	for i := range before {
		if before[i].Destination == x.ID {
			week = week.Add(before[i].Amount.Value)
		}
	}
	if x.Status == "PARTIALLY_APPROVED" && week.Cmp(weeklyLimit) > 0 {
		s.sellerIs(x, "KYC_REQUIRED")
		return tosspayments.ErrForbiddenSellerPayout, message
	}
	return "", ""
}

func (s *Server) refuseDay(p *payoutRequest) tosspayments.ErrorCode {
	now := s.clock.now().In(kst())
	switch p.ScheduleType {
	case "EXPRESS":
		if s.payouts.hours && (isWeekend(now) || now.Hour() < 8 || now.Hour() >= 15) {
			return s.guess(ExpressClosed)
		}
		return ""
	case "SCHEDULED":
	default:
		return tosspayments.ErrInvalidRequest
	}
	day, err := time.ParseInLocation(time.DateOnly, p.PayoutDate, kst())
	year, month, date := now.Date()
	today := time.Date(year, month, date, 0, 0, 0, 0, kst())
	switch {
	case err != nil:
		return tosspayments.ErrInvalidRequest
	case !day.After(today) || day.After(today.AddDate(1, 0, 0)):
		return tosspayments.ErrInvalidPayableDate
	case isWeekend(day):
		return tosspayments.ErrNotAllowedHoliday
	}
	return ""
}

func isWeekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// paidThisWeek is what was requested for a seller since Monday in Korea.
func (s *Server) paidThisWeek(sellerID string) (sum tosspayments.Amount) {
	now := s.clock.now().In(kst())
	year, month, day := now.Date()
	monday := time.Date(year, month, day-(int(now.Weekday())+6)%7, 0, 0, 0, 0, kst())
	for _, p := range s.payouts.payouts {
		if p.Destination == sellerID && !p.RequestedAt.Before(monday) && p.Status != "FAILED" && p.Status != "CANCELED" {
			sum = sum.Add(p.Amount)
		}
	}
	return sum
}

func (s *Server) accept(r *payoutRequest) *payout {
	now := s.clock.now()
	p := &payout{
		ID: fmt.Sprintf("FPA_%06d", len(s.payouts.payouts)+1), Ref: r.RefPayoutID, Destination: r.Destination, Schedule: r.ScheduleType, Description: r.TransactionDescription,
		Status: "REQUESTED", Date: r.PayoutDate, Amount: r.Amount.Value, RequestedAt: now, Metadata: r.Metadata,
	}
	if p.Schedule == "EXPRESS" {
		p.Status, p.Date = "IN_PROGRESS", now.In(kst()).Format(time.DateOnly)
	}
	s.payouts.addPayout(p)
	s.keepPayout(p)
	return p
}

// day is the beginning of the day of a payout.
func (p *payout) day() time.Time {
	day, _ := time.ParseInLocation(time.DateOnly, p.Date, kst())
	return day
}

// sweepPayouts begins the transfers whose day has come.
func (s *Server) sweepPayouts(now time.Time) {
	b := &s.payouts
	if b.next.IsZero() || now.Before(b.next) {
		return
	}
	b.next = time.Time{}
	for _, p := range b.payouts {
		if p.Status == "REQUESTED" && !now.Before(p.day()) {
			p.Status = "IN_PROGRESS"
			s.keepPayout(p)
		}
		b.expect(p)
	}
}

func (s *Server) getPayout(r *request) reply {
	p := s.payouts.payoutByID[r.subject]
	if p == nil {
		return r.refuse(tosspayments.ErrPayoutNotFound)
	}
	return r.entity("payout", p.json())
}

func (s *Server) cancelPayout(r *request) reply {
	p := s.payouts.payoutByID[r.subject]
	switch {
	case p == nil:
		return r.refuse(tosspayments.ErrPayoutNotFound)
	case p.Status != "REQUESTED":
		return r.refuse(s.guess(PayoutTooLate))
	}
	p.Status = "CANCELED"
	s.keepPayout(p)
	return r.entity("payout", p.json())
}

func (s *Server) listPayouts(r *request) reply {
	from, to := r.query.Get("payoutDateGte"), r.query.Get("payoutDateLte")
	var rows []*payout
	for _, p := range s.payouts.payouts {
		if p.Date >= from && (to == "" || p.Date <= to) {
			rows = append(rows, p)
		}
	}
	return page(r, s, "payout-list", 10000, rows, func(p *payout) string { return p.ID }, (*payout).json)
}

func (p *payout) json() json.RawMessage {
	values := map[string]any{
		"id": p.ID, "refPayoutId": p.Ref, "destination": p.Destination, "scheduleType": p.Schedule, "payoutDate": p.Date,
		"amount": won(p.Amount), "transactionDescription": p.Description, "requestedAt": stamp(p.RequestedAt), "status": p.Status,
	}
	if p.Failure != "" {
		info, _ := p.Failure.Info()
		values["error"] = map[string]string{"code": string(p.Failure), "message": info.Korean}
	}
	if !isNull(p.Metadata) {
		values["metadata"] = p.Metadata
	}
	return fixtures().payout.fill(values)
}

// CompletePayout lets the bank pay a payout that is under way.
func (s *Server) CompletePayout(id string) {
	if s.tb != nil {
		s.tb.Helper()
	}
	s.endUnderWay(id, "")
}

// CompletePayouts lets the bank pay everything that is under way, and returns how many
// payouts that were.
func (s *Server) CompletePayouts() (n int) {
	s.change(func() {
		for _, p := range s.payouts.payouts {
			if p.Status == "IN_PROGRESS" {
				n++
				s.endPayout(p, "")
			}
		}
	})
	return n
}

// FailPayout lets the bank refuse a payout that is under way, with a code such as
// INVALID_ACCOUNT_NUMBER.
func (s *Server) FailPayout(id string, code tosspayments.ErrorCode) {
	if s.tb != nil {
		s.tb.Helper()
	}
	s.endUnderWay(id, code)
}

func (s *Server) endUnderWay(id string, code tosspayments.ErrorCode) {
	if s.tb != nil {
		s.tb.Helper()
	}
	underWay := false
	s.change(func() {
		p := s.payouts.payoutByID[id]
		if underWay = p != nil && p.Status == "IN_PROGRESS"; underWay {
			s.endPayout(p, code)
		}
	})
	if !underWay {
		s.misuse(fmt.Errorf("no payout %q is under way", id))
	}
}

// endPayout ends a payout, badly where there is a code, and tells of it.
func (s *Server) endPayout(p *payout, code tosspayments.ErrorCode) {
	p.Status, p.Failure = "COMPLETED", code
	if code != "" {
		p.Status = "FAILED"
	}
	s.keepPayout(p)
	s.send(webhook.PayoutChanged, p.json())
}

// Payouts counts the payouts that were accepted with a refPayoutId: more than one pays
// twice.
func (s *Server) Payouts(refPayoutID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.payouts.requests[refPayoutID]
}

// PaidOut returns what a seller has been paid so far.
func (s *Server) PaidOut(sellerID string) (sum tosspayments.Amount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.payouts.payouts {
		if p.Destination == sellerID && p.Status == "COMPLETED" {
			sum = sum.Add(p.Amount)
		}
	}
	return sum
}

// The holder of every account whose number does not begin with 0000, which does not exist:
// the test environment answers with made-up data too.
const (
	accountHolder   = "김토스"
	accountIdentity = "900101"
)

func (s *Server) checkAccount(r *request) reply {
	var body struct {
		BankCode       string `json:"bankCode"`
		AccountNumber  string `json:"accountNumber"`
		HolderName     string `json:"holderName"`
		IdentityNumber string `json:"identityNumber"`
	}
	exists := decode(r.body, &body) && !strings.HasPrefix(body.AccountNumber, "0000")
	isHolder, isIdentity := body.HolderName == accountHolder, body.IdentityNumber == accountIdentity
	isComplete := body.BankCode != "" && body.AccountNumber != "" && isDigits(body.AccountNumber)
	var valid bool
	switch r.subject {
	case "lookup-holder-name":
		if isComplete && !exists {
			return r.refuse(tosspayments.ErrAccountOwnerCheckFailed)
		}
	case "validate":
		valid = exists
	case "verify-identifier":
		isComplete, valid = isComplete && body.IdentityNumber != "", exists && isIdentity
	case "verify-holder-name":
		isComplete, valid = isComplete && body.HolderName != "", exists && isHolder
	case "verify-holder-real-name":
		isComplete, valid = isComplete && body.HolderName != "" && body.IdentityNumber != "", exists && isHolder && isIdentity
	default:
		return r.refuse(s.guess(UnknownPath))
	}
	switch {
	case !isComplete:
		return r.refuse(tosspayments.ErrInvalidRequest)
	case r.subject == "lookup-holder-name":
		return r.entity("bank-account", encode(map[string]string{"holderName": accountHolder}))
	}
	return r.entity("bank-account", encode(map[string]bool{"isValid": valid}))
}
