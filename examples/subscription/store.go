package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/institutions"
)

//go:embed web
var web embed.FS

// The one thing that this shop sells.
const planName = "매달 원두 400g"

var planPrice = tosspayments.Won(24000)

const (
	// issueTime bounds the exchange of an authKey while the customer waits: proxies give
	// up after 30 to 60 seconds.
	issueTime = 25 * time.Second

	webhookPath = "/webhook"
)

type store struct {
	*biller
	sessions *shop.Sessions
	pages    *shop.Pages
	issues   shop.Limiter
}

// sessionTime is long: a shop whose customers sign in would have a short one, and this
// one would lock them out of their subscription.
const sessionTime = 365 * 24 * time.Hour

func newStore(b *biller) (*store, error) {
	pages, err := shop.NewPages(web, b.toss, b.logger)
	return &store{
		biller: b, pages: pages, sessions: &shop.Sessions{Name: "subscription", Lifetime: sessionTime},
		issues: shop.Limiter{Count: 30, Period: 10 * time.Minute},
	}, err
}

func (s *store) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showSubscription)
	mux.HandleFunc("GET /state", s.subscriptionState)
	mux.HandleFunc("POST /subscribe", s.subscribe)
	mux.HandleFunc("GET /card", s.showRegistration)
	mux.HandleFunc("GET /card/success", s.showSuccess)
	mux.HandleFunc("POST /card/issue", s.issueKey)
	mux.HandleFunc("GET /card/fail", s.showFail)
	mux.HandleFunc("POST /cancel", s.cancelSubscription)
	mux.Handle("POST "+webhookPath, s.webhooks())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.message(w, r, http.StatusNotFound, "없는 페이지예요", "주소를 확인해 주세요.")
	})
	return shop.Protect(mux, s.logger)
}

// page is what the templates get.
type page struct {
	shop.Frame
	Now   time.Time
	Speed float64
	// Month is how long a month takes; 0 where time is the real one.
	Month       time.Duration
	Plan        string
	Price       tosspayments.Amount
	Message     string
	Code        tosspayments.ErrorCode
	Script      string
	ClientKey   string
	CustomerKey string
	view
}

// view is a subscription as its customer sees it.
type view struct {
	Subscription *subscription
	Card         *card
	Charges      []*charge
	// Access is set while the period of today is paid.
	Access bool
}

func titled(title string) page { return page{Frame: shop.Frame{Title: title}} }

func (s *store) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Now, p.Speed, p.Plan, p.Price = s.clock.now(), s.clock.speed, planName, planPrice
	if s.clock.isFast() {
		p.Month = s.clock.month()
	}
	s.pages.Show(w, r, status, name, &p)
}

func (s *store) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	p := titled(title)
	p.Message = text
	s.show(w, r, status, "message.html", p)
}

// failed answers with a page for people.
func (s *store) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	s.message(w, r, http.StatusInternalServerError, "잠시 문제가 생겼어요", "잠시 후 다시 시도해 주세요.")
}

func (s *store) view(ctx context.Context, customer string) (v view, err error) {
	v.Subscription, err = s.subs.ofCustomer(ctx, customer)
	if err != nil || v.Subscription == nil {
		return v, err
	}
	if v.Card, err = s.subs.card(ctx, v.Subscription.CardID); err != nil {
		return v, err
	}
	if v.Access, err = s.subs.hasAccess(ctx, v.Subscription, s.clock.now()); err != nil {
		return v, err
	}
	v.Charges, err = s.subs.charges(ctx, v.Subscription.ID)
	return v, err
}

// Version changes when the page has to be drawn again.
func (v *view) Version() string {
	if v.Subscription == nil {
		return ""
	}
	text := []string{fmt.Sprint(v.Subscription.State, v.Card.ID[:8], v.Card.State, v.Access)}
	for _, c := range v.Charges {
		text = append(text, fmt.Sprint(c.Period, c.Attempt, c.State))
	}
	return strings.Join(text, " ")
}

// Live reports whether there is a subscription that was not canceled.
func (v *view) Live() bool { return v.Subscription != nil && v.Subscription.State != canceled }

// Day is the day of the month on which the customer is charged, or would be.
func (p *page) Day() int {
	if p.Live() {
		return p.Subscription.StartedAt.Day()
	}
	return p.Now.Day()
}

// Last is the newest charge, or nil.
func (v *view) Last() *charge {
	if len(v.Charges) == 0 {
		return nil
	}
	return v.Charges[0]
}

func (s *store) showSubscription(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r.Context(), s.sessions.Customer(r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if v.Subscription == nil {
		s.show(w, r, http.StatusOK, "plan.html", titled(planName))
		return
	}
	p := titled(titles[v.Subscription.State])
	p.view = v
	s.show(w, r, http.StatusOK, "subscription.html", p)
}

var titles = map[state]string{active: "구독 중이에요", pastDue: "다른 카드가 필요해요", canceled: "구독을 해지했어요"}

// subscriptionState is what the page asks for.
func (s *store) subscriptionState(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r.Context(), s.sessions.Customer(r))
	if err != nil {
		shop.Answer(w, http.StatusInternalServerError, "")
		return
	}
	shop.Answer(w, http.StatusOK, v.Version())
}

// subscribe begins a session, and leads to the registration. Only who has registered a
// card keeps the one they have.
func (s *store) subscribe(w http.ResponseWriter, r *http.Request) {
	key, err := s.subs.customerKey(r.Context(), s.sessions.Customer(r))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if key == "" {
		s.sessions.Start(w, r)
	}
	http.Redirect(w, r, "/card", http.StatusSeeOther)
}

// customerKey returns the key under which Toss Payments knows a customer, or will; ""
// for a visitor.
func (s *store) customerKey(ctx context.Context, customer string) (string, error) {
	if customer == "" {
		return "", nil
	}
	key, err := s.subs.customerKey(ctx, customer)
	if key == "" && err == nil {
		key = s.vault.customerKey(customer)
	}
	return key, err
}

func (s *store) showRegistration(w http.ResponseWriter, r *http.Request) {
	customer := s.sessions.Customer(r)
	if customer == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	key, err := s.customerKey(r.Context(), customer)
	var v view
	if err == nil {
		v, err = s.view(r.Context(), customer)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	p := titled("카드 등록")
	p.view, p.CustomerKey, p.Script, p.ClientKey = v, key, s.toss.Script, s.toss.ClientKey
	s.show(w, r, http.StatusOK, "card.html", p)
}

// showSuccess is where the customer comes back to. Its script posts the values to
// issueKey, so that this page can be refreshed without harm.
func (s *store) showSuccess(w http.ResponseWriter, r *http.Request) {
	redirect, err := tosspayments.ParseBillingURL(r.URL)
	if err != nil {
		s.message(w, r, http.StatusBadRequest, "잘못된 주소예요", "카드가 등록되지 않았어요. 처음부터 다시 등록해 주세요.")
		return
	}
	own, err := s.customerKey(r.Context(), s.sessions.Customer(r))
	switch {
	case err != nil:
		s.failed(w, r, err)
	case own == "" || redirect.CustomerKey != own:
		s.message(w, r, http.StatusForbidden, "카드를 등록하지 않았어요", "다른 고객의 카드 등록이에요. 처음부터 다시 등록해 주세요.")
	default:
		s.show(w, r, http.StatusOK, "success.html", titled("카드를 등록하고 있어요"))
	}
}

// issueKey takes what the success page posts: customerKey and authKey. An authKey works
// once, but under its own idempotency key the same request brings the same billing key:
// a refresh, two tabs, and a crash before the key was stored all end with one card.
func (s *store) issueKey(w http.ResponseWriter, r *http.Request) {
	var redirect tosspayments.BillingRedirect
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&redirect); err != nil {
		shop.Answer(w, http.StatusBadRequest, "잘못된 요청이에요. 카드가 등록되지 않았어요.")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), issueTime)
	defer cancel()
	customer := s.sessions.Customer(r)
	own, err := s.customerKey(ctx, customer)
	if err == nil && (own == "" || redirect.CustomerKey != own) {
		s.logger.WarnContext(ctx, "registration of another customer, nothing was sent")
		shop.Answer(w, http.StatusForbidden, "다른 고객의 카드 등록이에요. 처음부터 다시 등록해 주세요.")
		return
	}
	id := fingerprint(redirect.AuthKey.Reveal())
	var known bool
	if err == nil {
		known, err = s.subs.hasCard(ctx, id)
	}
	if err == nil && !known {
		if !s.issues.Allow(s.clock.wall(), r, customer) {
			shop.Answer(w, http.StatusTooManyRequests, "카드 등록을 너무 많이 시도했어요. 잠시 후 다시 시도해 주세요.")
			return
		}
		err = s.register(ctx, customer, id, redirect)
	}
	switch {
	case err == nil:
		s.wake()
		shop.Answer(w, http.StatusOK, "")
	case tosspayments.OutcomeOf(nil, err) == tosspayments.OutcomeRefused:
		s.logger.WarnContext(ctx, "registration", "error", err)
		shop.Answer(w, http.StatusBadRequest, advice(tosspayments.CodeOf(err))+" 카드를 다시 등록해 주세요.")
	default:
		s.logger.ErrorContext(ctx, "registration", "error", err)
		shop.Answer(w, http.StatusInternalServerError, "카드사의 응답을 확인하지 못했어요. 이 화면을 새로고침해 주세요.")
	}
}

func (s *store) register(ctx context.Context, customer, id string, redirect tosspayments.BillingRedirect) error {
	billing, err := s.toss.Client.IssueBillingKey(ctx, redirect, tosspayments.WithIdempotencyKey("card-"+id))
	if err != nil {
		return err
	}
	c := card{
		ID: id, CustomerID: customer, SealedKey: s.vault.seal(billing.BillingKey),
		KeyHash: fingerprint(billing.Key.Reveal()), Number: billing.CardNumber, Company: billing.CardCompany,
	}
	if billing.Card != nil {
		c.Number = billing.Card.Number
		if company, found := institutions.LookupCardCompany(billing.Card.IssuerCode); found {
			c.Company = company.Korean
		}
	}
	return s.subs.register(ctx, &c, redirect.CustomerKey, planPrice, s.clock.now())
}

// showFail says what the customer can do. It changes nothing: anybody can open this
// address.
func (s *store) showFail(w http.ResponseWriter, r *http.Request) {
	fail, err := tosspayments.ParseFailURL(r.URL)
	if err != nil {
		s.message(w, r, http.StatusBadRequest, "잘못된 주소예요", "카드 등록을 처음부터 다시 해 주세요.")
		return
	}
	s.logger.InfoContext(r.Context(), "registration window", "code", string(fail.Code))
	p := titled("카드를 등록하지 못했어요")
	p.Code, p.Message = fail.Code, advice(fail.Code)
	if fail.Code == tosspayments.ErrPayProcessCanceled { // no failure: the customer has changed their mind
		p.Title, p.Code = "카드 등록을 그만두셨어요", ""
	}
	s.show(w, r, http.StatusOK, "fail.html", p)
}

func (s *store) cancelSubscription(w http.ResponseWriter, r *http.Request) {
	if err := s.subs.cancel(r.Context(), s.sessions.Customer(r)); err != nil {
		s.failed(w, r, err)
		return
	}
	s.wake()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// Advice tells the customer why a charge was refused.
func (c *charge) Advice() string { return advice(c.Code) }

// Retries is how often the period was tried before.
func (c *charge) Retries() int { return c.Attempt - 1 }

// Month is the period in words.
func (c *charge) Month() string {
	year, month, _ := strings.Cut(c.Period, "-")
	return year + "년 " + strings.TrimPrefix(month, "0") + "월"
}

func advice(code tosspayments.ErrorCode) string {
	switch code {
	case tosspayments.ErrPayProcessCanceled:
		return "카드 등록창을 닫으셨어요."
	case tosspayments.ErrInvalidCardExpiration:
		return "카드 유효기간이 지났어요."
	case tosspayments.ErrRejectCardPayment, tosspayments.ErrExceedMaxAmount, tosspayments.ErrExceedMaxOneDayAmount:
		return "한도를 넘었거나 잔액이 부족해요."
	case tosspayments.ErrInvalidStoppedCard, tosspayments.ErrInvalidCardLostOrStolen:
		return "정지됐거나 분실 신고된 카드예요."
	}
	switch {
	case keyGone(code):
		return "카드 등록이 끝났거나 해지됐어요."
	case code.Class() == tosspayments.ClassBuyerOtherMethod:
		return "카드사에서 결제를 거절했어요."
	case code.Class() == tosspayments.ClassConfiguration || code.Class() == tosspayments.ClassRequest:
		return "상점의 결제 설정에 문제가 있어요."
	}
	return "카드사와 결제를 끝내지 못했어요."
}
