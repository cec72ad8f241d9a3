package payouts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/internal/ofread"
)

// ScheduleType says when a payout is paid.
type ScheduleType string

const (
	// ScheduleExpress is paid the same day. It is served on business days from 08:00 to
	// 15:00 in Korea; what the server answers at other times is not documented.
	ScheduleExpress ScheduleType = "EXPRESS"
	// ScheduleScheduled is paid on the PayoutDate.
	ScheduleScheduled ScheduleType = "SCHEDULED"
)

// PayoutStatus is how far a payout is. Treat an unknown one as not finished, and ask again.
type PayoutStatus string

const (
	// PayoutStatusRequested: accepted, to be paid on its day; until then it can be
	// cancelled.
	PayoutStatusRequested PayoutStatus = "REQUESTED"
	// PayoutStatusInProgress: the transfer is under way.
	PayoutStatusInProgress PayoutStatus = "IN_PROGRESS"
	// PayoutStatusCompleted: the bank has paid.
	PayoutStatusCompleted PayoutStatus = "COMPLETED"
	// PayoutStatusFailed: the bank has refused; see Payout.Error. A new payout needs a new
	// RefPayoutID.
	PayoutStatusFailed PayoutStatus = "FAILED"
	// PayoutStatusCanceled: cancelled before the day.
	PayoutStatusCanceled PayoutStatus = "CANCELED"
	// PayoutStatusRejected is, as PayoutStatusDeleted, on the documented list without an
	// explanation. By their names nothing was paid.
	PayoutStatusRejected PayoutStatus = "REJECTED"
	// PayoutStatusDeleted: see PayoutStatusRejected.
	PayoutStatusDeleted PayoutStatus = "DELETED"
)

// IsFinal reports whether the status will not change any more.
func (s PayoutStatus) IsFinal() bool {
	return s == PayoutStatusCompleted || s.IsUnpaid()
}

// IsUnpaid reports whether the payout has ended without money having moved.
func (s PayoutStatus) IsUnpaid() bool {
	switch s {
	case PayoutStatusFailed, PayoutStatusCanceled, PayoutStatusRejected, PayoutStatusDeleted:
		return true
	}
	return false
}

// Money is an amount with its currency, which is KRW.
type Money struct {
	Currency string              `json:"currency"`
	Value    tosspayments.Amount `json:"value"`
}

// Won returns an amount of won.
func Won(value int64) Money { return Money{tosspayments.CurrencyKRW, tosspayments.Won(value)} }

// PayoutRequest is one payout of a request.
type PayoutRequest struct {
	// RefPayoutID is the shop's own id of the payout, 1 to 50 characters. It identifies the
	// payout for good: never use one for another payout, and store it before the request.
	RefPayoutID string `json:"refPayoutId"`
	// Destination is the id of the seller.
	Destination  string       `json:"destination"`
	ScheduleType ScheduleType `json:"scheduleType"`
	// PayoutDate is the day of a scheduled payout: the next business day in Korea or later,
	// within a year. It is left out for an express one.
	PayoutDate tosspayments.Date `json:"payoutDate,omitzero"`
	// Amount is less than 1,000,000,000 won.
	Amount Money `json:"amount"`
	// TransactionDescription is printed on the seller's bank statement: 1 to 7 characters.
	TransactionDescription string `json:"transactionDescription"`
	// Metadata is as in [RegisterSellerRequest].
	Metadata tosspayments.Metadata `json:"metadata,omitzero"`
}

// Payout is a payout to a seller.
//
// Source: https://docs.tosspayments.com/reference/additional#지급대행-객체
type Payout struct {
	ID           string       `json:"id"`
	RefPayoutID  string       `json:"refPayoutId"`
	Destination  string       `json:"destination"`
	ScheduleType ScheduleType `json:"scheduleType,omitzero"`
	// PayoutDate is set for express payouts too.
	PayoutDate             tosspayments.Date `json:"payoutDate,omitzero"`
	Amount                 Money             `json:"amount"`
	TransactionDescription string            `json:"transactionDescription,omitzero"`
	RequestedAt            time.Time         `json:"requestedAt,omitzero"`
	Status                 PayoutStatus      `json:"status"`
	// Error says why the payout has failed; nil otherwise.
	Error    *tosspayments.Failure `json:"error,omitzero"`
	Metadata tosspayments.Metadata `json:"metadata,omitzero"`
}

// PayoutQuery asks for a page of payouts.
type PayoutQuery struct {
	// PayoutDateGte and PayoutDateLte are the first and the last day on which they are
	// paid; both are optional.
	PayoutDateGte, PayoutDateLte tosspayments.Date
	// Limit is the size of a page: at most 10000; 0 is the server's own, 10.
	Limit int
	// StartingAfter is the id of the last payout of the page before; "" begins at the start.
	StartingAfter string
}

// PayoutPage is one page of payouts.
type PayoutPage struct {
	HasNext bool     `json:"hasNext"`
	Items   []Payout `json:"items"`
}

const (
	payoutsPath  = "/v2/payouts"
	cancelPayout = "cancel payout"
	// lookTime is how long a cancel that was refused looks at the payout.
	lookTime = 8 * time.Second
	// maxPayoutPage is documented; pages of a search are smaller, to be quick.
	maxPayoutPage = 10000
	searchPage    = 1000
	// The server forgets an idempotency key after 15 days.
	keyDays = 15
	// An express payout that was requested before a holiday is paid after it.
	longestHoliday = 10
)

func payoutPath(id string) string { return payoutsPath + "/" + url.PathEscape(id) }

// The members without which a payout says nothing.
func payoutMembers() []string {
	return []string{"id", "refPayoutId", "destination", "amount", "amount.value", "status"}
}

// RequestPayouts requests 1 to 100 payouts at once, and returns them in the order of the
// batch. The server accepts or refuses a batch as a whole. A nil error says that it has
// accepted them; the event payout.changed or [Client.GetPayout] reports whether the bank
// pays.
//
// A batch is identified by its RefPayoutIDs, from which the idempotency key is made. So
// store the batch first, and make the call again after a crash or an unknown outcome: with
// the same RefPayoutIDs in one batch, in any order, it is the same request, and nobody is
// paid twice. The answer of the server to the first request is repeated for 15 days, with
// the states of that time, and so is a refusal: to request refused payouts again, give them
// new RefPayoutIDs, or the batch another key with [tosspayments.WithIdempotencyKey]. Do
// not move a payout to another batch before the first has been refused.
//
// Where no answer decides, the payouts are looked for in the lists of their days. If they
// are found, they are returned as they are now. A refusal is believed only if two searches
// find none of them. The error is
//
//   - an [*tosspayments.Error] if the server has refused: nothing was requested;
//   - a [*tosspayments.MismatchError] if there are other payouts under those RefPayoutIDs;
//   - a [*tosspayments.OutcomeUnknownError] if it is not known, among others if an answer
//     cannot be decrypted, or if it is about the secret key or the contract, which says
//     nothing of an earlier request. Make the same call again later. If the code of its
//     LastAnswer is of [tosspayments.ClassConfiguration], put that right first.
//   - a [*tosspayments.ValidationError] if a request is malformed; nothing was sent.
//
// [tosspayments.OutcomeOf] tells them apart. No batch must be requested again after more
// than 15 days, since the server has forgotten its key then: [Client.FindPayouts] looks for
// it without requesting anything.
func (c *Client) RequestPayouts(ctx context.Context, batch []PayoutRequest, opts ...tosspayments.CallOption) ([]Payout, error) {
	if err := validateBatch(batch); err != nil {
		return nil, err
	}
	var page PayoutPage
	var payouts []Payout
	var other error
	req := c.encrypted("request payouts", payoutsPath, batch)
	req.Find = func(ctx context.Context) (found bool, err error) {
		payouts, err = c.FindPayouts(ctx, batch)
		return len(payouts) == len(batch), err
	}
	decode := decodePage(&page, &page.Items, payoutMembers()...)
	err := c.toss.Do(ctx, req, func(body []byte) ([]string, error) {
		unread, err := decode(body)
		if err != nil {
			return nil, err
		}
		if len(page.Items) == 0 {
			return nil, errors.New("it has no payouts")
		}
		payouts, err = match(batch, page.Items)
		if len(payouts) == 0 && err == nil {
			err = &tosspayments.MismatchError{Field: "refPayoutId", Want: batch[0].RefPayoutID, Got: page.Items[0].RefPayoutID}
		}
		if mismatch := (*tosspayments.MismatchError)(nil); errors.As(err, &mismatch) {
			// The answer is that of another batch, which was sent under the same key.
			mismatch.Operation = req.Name
			other, err = mismatch, nil
		}
		return unread, err
	}, withKey(batchKey(batch), opts)...)
	if err == nil {
		err = other
	}
	if err != nil {
		return nil, err
	}
	return payouts, nil
}

// batchKey is the same for the same payouts, whatever their order.
func batchKey(batch []PayoutRequest) string {
	ids := make([]string, len(batch))
	for i := range batch {
		ids[i] = batch[i].RefPayoutID
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte("payouts\n" + strings.Join(ids, "\n")))
	return hex.EncodeToString(sum[:16])
}

// match returns the payouts of a batch, in its order, out of others; none if none is there.
// If only some are, or if one differs from what was requested, it returns an error.
func match(batch []PayoutRequest, all []Payout) ([]Payout, error) {
	byRef := make(map[string]*Payout, len(all))
	for i := range all {
		p := &all[i]
		if twin := byRef[p.RefPayoutID]; twin != nil && twin.ID != p.ID {
			both := fmt.Sprintf("%s of both %s and %s", p.RefPayoutID, twin.ID, p.ID)
			return nil, &tosspayments.MismatchError{Field: "refPayoutId", Want: p.RefPayoutID, Got: both}
		}
		byRef[p.RefPayoutID] = p
	}
	found := make([]Payout, 0, len(batch))
	for i := range batch {
		p := byRef[batch[i].RefPayoutID]
		if p == nil {
			continue
		}
		if err := batch[i].compare(p); err != nil {
			return nil, err
		}
		found = append(found, *p)
	}
	if len(found) > 0 && len(found) < len(batch) {
		return nil, fmt.Errorf("only %d of its %d payouts were found", len(found), len(batch))
	}
	return found, nil
}

// compare returns an error if a payout pays another seller, or other money.
func (r *PayoutRequest) compare(p *Payout) error {
	field, want, got := "", "", ""
	switch {
	case p.Destination != r.Destination:
		field, want, got = "destination", r.Destination, p.Destination
	case p.Amount.Currency != "" && p.Amount.Currency != r.Amount.Currency:
		field, want, got = "currency", r.Amount.Currency, p.Amount.Currency
	case p.Amount.Value != r.Amount.Value:
		field, want, got = "amount", r.Amount.Value.String(), p.Amount.Value.String()
	default:
		return nil
	}
	return &tosspayments.MismatchError{Field: field, Want: want, Got: got}
}

// FindPayouts looks for the payouts of a batch by their RefPayoutIDs, in the lists of the
// days on which they are paid, and returns them in the order of the batch. For express
// payouts, those are the last 15 days and the next 10. It requests nothing.
//
// It returns no payouts if none is found. While a request is under way, that does not
// mean that there will be none. It returns an error if only some are found, and a
// [*tosspayments.MismatchError] if one differs from what the batch requests, or if two are
// seen with one RefPayoutID.
func (c *Client) FindPayouts(ctx context.Context, batch []PayoutRequest, opts ...tosspayments.CallOption) ([]Payout, error) {
	if err := validateBatch(batch); err != nil {
		return nil, ofread.Mark(err)
	}
	wanted, seen := map[string]bool{}, map[string]bool{}
	var from, to tosspayments.Date
	for i := range batch {
		r := &batch[i]
		wanted[r.RefPayoutID] = true
		first, last := r.PayoutDate, r.PayoutDate
		if r.ScheduleType != ScheduleScheduled {
			today := tosspayments.DateOf(time.Now())
			first, last = today.AddDays(-keyDays-1), today.AddDays(longestHoliday)
		}
		if from.IsZero() || first.Compare(from) < 0 {
			from = first
		}
		if to.IsZero() || last.Compare(to) > 0 {
			to = last
		}
	}
	var found []Payout
	query := PayoutQuery{PayoutDateGte: from, PayoutDateLte: to, Limit: searchPage}
	for payout, err := range c.AllPayouts(ctx, query, opts...) {
		if err != nil {
			return nil, err
		}
		if wanted[payout.RefPayoutID] {
			found, seen[payout.RefPayoutID] = append(found, payout), true
		}
		if len(seen) == len(batch) {
			break
		}
	}
	return match(batch, found)
}

// GetPayout reads a payout.
func (c *Client) GetPayout(ctx context.Context, id string, opts ...tosspayments.CallOption) (*Payout, error) {
	if err := checkID("payoutId", id); err != nil {
		return nil, ofread.Mark(err)
	}
	payout := new(Payout)
	if err := c.read(ctx, "get payout", payoutPath(id), nil, decodeOf(id, payout, &payout.ID, payoutMembers()...), opts); err != nil {
		return nil, err
	}
	return payout, nil
}

// ListPayouts reads one page of payouts. Their order is not documented, and there is no
// filter by status, seller or RefPayoutID.
func (c *Client) ListPayouts(ctx context.Context, query PayoutQuery, opts ...tosspayments.CallOption) (*PayoutPage, error) {
	if err := query.validate(); err != nil {
		return nil, ofread.Mark(err)
	}
	values := pageQuery(query.Limit, query.StartingAfter)
	if !query.PayoutDateGte.IsZero() {
		values.Set("payoutDateGte", query.PayoutDateGte.String())
	}
	if !query.PayoutDateLte.IsZero() {
		values.Set("payoutDateLte", query.PayoutDateLte.String())
	}
	page := new(PayoutPage)
	if err := c.read(ctx, "list payouts", payoutsPath, values, decodePage(page, &page.Items, payoutMembers()...), opts); err != nil {
		return nil, err
	}
	return page, nil
}

// AllPayouts reads page after page, and yields each payout once. An error is yielded last.
func (c *Client) AllPayouts(ctx context.Context, query PayoutQuery, opts ...tosspayments.CallOption) iter.Seq2[Payout, error] {
	return allPages(func(after string) ([]Payout, bool, error) {
		query := query
		if after != "" {
			query.StartingAfter = after
		}
		page, err := c.ListPayouts(ctx, query, opts...)
		if err != nil {
			return nil, false, err
		}
		return page.Items, page.HasNext, nil
	}, func(p *Payout) string { return p.ID })
}

// CancelPayout cancels a payout that is REQUESTED. A payout that is cancelled already is
// returned without an error, whoever has cancelled it. Where no answer decides, the payout
// is read: a refusal is believed only if that shows a payout that is not cancelled. A
// [*tosspayments.MismatchError] says that the answer is about another payout, as under a key
// that was used for another.
func (c *Client) CancelPayout(ctx context.Context, id string, opts ...tosspayments.CallOption) (*Payout, error) {
	if err := checkID("payoutId", id); err != nil {
		return nil, err
	}
	var canceled *Payout
	look := func(ctx context.Context) (bool, error) {
		read, err := c.GetPayout(ctx, id)
		if err == nil && read.Status == PayoutStatusCanceled {
			canceled = read
		}
		return canceled != nil, err
	}
	answered := new(Payout)
	decode := decodeInto(answered, payoutMembers()...)
	err := c.toss.Do(ctx, tosspayments.Request{
		Name: cancelPayout, Method: http.MethodPost, Path: payoutPath(id) + "/cancel", Find: look,
	}, func(body []byte) ([]string, error) {
		unread, err := decode(body)
		switch {
		case err != nil:
			return nil, err
		case answered.ID == id && answered.Status != PayoutStatusCanceled:
			return nil, fmt.Errorf("it says that the payout is %s", answered.Status)
		}
		canceled = answered
		return unread, nil
	}, opts...)
	if refusal := (*tosspayments.Error)(nil); errors.As(err, &refusal) && refusal.Code.Class() != tosspayments.ClassWait {
		// What a repeated cancel is answered is not documented.
		short, stop := context.WithTimeout(ctx, lookTime)
		defer stop()
		if _, unseen := look(short); !isAnswer(unseen) {
			err = &tosspayments.OutcomeUnknownError{CallDetails: refusal.CallDetails, Repeatable: true, LastAnswer: refusal}
		}
	}
	switch {
	case canceled == nil:
		return nil, err
	case canceled.ID != id:
		// The answer is that of another cancel, which was sent under the same key.
		return nil, foreign(cancelPayout, "payoutId", id, canceled.ID)
	}
	return canceled, nil
}

// isAnswer reports whether a read was answered, be it with a refusal of the payout.
func isAnswer(err error) bool {
	var refusal *tosspayments.Error
	return err == nil || errors.As(err, &refusal) && refusal.Code != "" && refusal.StatusCode < 500 &&
		refusal.Code.Class() != tosspayments.ClassWait
}

// Balance is the money from which payouts are made.
//
// Source: https://docs.tosspayments.com/reference/additional#잔액-조회
type Balance struct {
	// PendingAmount are sales that cannot be paid out yet.
	PendingAmount Money `json:"pendingAmount"`
	// AvailableAmount can be paid out now.
	AvailableAmount Money `json:"availableAmount"`
}

func balanceMembers() []string {
	return []string{"pendingAmount", "pendingAmount.value", "availableAmount", "availableAmount.value"}
}

// GetBalance reads the balance.
func (c *Client) GetBalance(ctx context.Context, opts ...tosspayments.CallOption) (*Balance, error) {
	balance := new(Balance)
	err := c.read(ctx, "get balance", "/v2/balances", nil, decodeInto(balance, balanceMembers()...), opts)
	if err != nil {
		return nil, err
	}
	return balance, nil
}
