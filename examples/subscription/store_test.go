package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

// stand is a shop with its own Toss Payments and a clock that the test moves.
type stand struct {
	t        *testing.T
	toss     *tosstest.Server
	store    *store
	url      string
	database string
	log      *shoptest.Buffer
	// keys is SUBSCRIPTION_KEY.
	keys string

	mu  sync.Mutex
	now time.Time
}

func newStand(t *testing.T, options ...tosspayments.Option) *stand {
	t.Helper()
	st := &stand{t: t, toss: tosstest.NewServer(t, tosstest.WithRandomFaults(1, 0)), database: shoptest.Database(t), log: new(shoptest.Buffer), keys: testKey, now: at("2027-01-31 10:00")}
	st.start(options...)
	return st
}

// start starts the shop, or a new version of it.
func (st *stand) start(options ...tosspayments.Option) {
	st.store = st.open(options...)
	server := httptest.NewServer(st.store.handler())
	st.t.Cleanup(server.Close)
	st.url = server.URL
}

// open is one more instance of the shop. Its biller runs when the test says so.
func (st *stand) open(options ...tosspayments.Option) *store {
	st.t.Helper()
	subs, err := openSubscriptions(st.t.Context(), st.database)
	require.NoError(st.t, err)
	st.t.Cleanup(subs.close)
	logger := slog.New(slog.NewTextHandler(io.MultiWriter(st.t.Output(), st.log), nil))
	vault, err := openVault(st.t.Context(), subs.db, st.keys, false)
	require.NoError(st.t, err)
	store, err := newStore(&biller{
		subs: subs, toss: shop.InSandbox(st.toss, append(options, tosspayments.WithLogger(logger))...), vault: vault,
		clock: &clock{wall: st.time, speed: 1}, logger: logger, lease: time.Minute, woken: make(chan struct{}, 1),
	})
	require.NoError(st.t, err)
	return store
}

var testKey = func() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}()

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, kst)
	if err != nil {
		panic(err)
	}
	return t
}

func (st *stand) time() time.Time {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.now
}

// on moves the clock and lets the biller do what is due.
func (st *stand) on(text string) {
	st.t.Helper()
	st.mu.Lock()
	require.False(st.t, at(text).Before(st.now), "time does not run backwards")
	st.now = at(text)
	st.mu.Unlock()
	st.round()
}

func (st *stand) round() { st.store.round(st.t.Context()) }

// pass lets the leases end.
func (st *stand) pass() {
	st.mu.Lock()
	st.now = st.now.Add(2 * time.Minute)
	st.mu.Unlock()
	st.round()
}

// passInVain does so where nobody answers, and the biller does not wait long for that.
func (st *stand) passInVain() {
	defer func(lease time.Duration) { st.store.lease = lease }(st.store.lease)
	st.store.lease = time.Second
	st.pass()
}

// resume is what a person does who has put something right, after the leases have ended.
func (st *stand) resume() {
	st.t.Helper()
	require.NoError(st.t, st.store.subs.resume(st.t.Context(), st.time()))
	st.pass()
}

// planned is the order id of a charge that is due, of a customer who has just registered.
func (st *stand) planned() string {
	st.t.Helper()
	c := st.customer()
	require.Equal(st.t, http.StatusOK, c.issue(st.toss.Register(tosstest.Registration{CustomerKey: c.key()})))
	return st.rows(`SELECT order_id FROM charges`)
}

func (st *stand) claim(orderID string) *charge {
	st.t.Helper()
	c, err := st.store.subs.claim(st.t.Context(), orderID, st.time(), st.time(), st.store.lease)
	require.NoError(st.t, err)
	require.NotNil(st.t, c)
	return &c.charge
}

func (st *stand) exec(query string, args ...any) {
	st.t.Helper()
	_, err := st.store.subs.db.ExecContext(st.t.Context(), query, args...)
	require.NoError(st.t, err)
}

// customer is a buyer without a browser, who wants to subscribe.
type customer struct {
	*shoptest.Customer
	st *stand
}

func (st *stand) customer() *customer { st.t.Helper(); return st.customerOf(st.url) }

// customerOf is one of another instance.
func (st *stand) customerOf(url string) *customer {
	st.t.Helper()
	c := &customer{shoptest.NewCustomer(st.t, url), st}
	led, err := c.Submit("/subscribe", nil)
	require.NoError(st.t, err)
	require.Equal(st.t, "/card", led)
	return c
}

// key is the customer's key, as the registration page hands it to the window.
func (c *customer) key() string { return customerKey(c.Page("/card")) }

func customerKey(page string) string {
	_, rest, _ := strings.Cut(page, `customerKey: "`)
	key, _, _ := strings.Cut(rest, `"`)
	return key
}

// register brings a card that the window has registered, and lets the biller run.
func (c *customer) register(refusal tosspayments.ErrorCode) tosspayments.BillingRedirect {
	c.st.t.Helper()
	redirect := c.st.toss.Register(tosstest.Registration{CustomerKey: c.key(), Refusal: refusal})
	require.Equal(c.st.t, http.StatusOK, c.issue(redirect))
	c.st.round()
	return redirect
}

func (c *customer) issue(redirect tosspayments.BillingRedirect) int {
	c.st.t.Helper()
	status, err := c.Post("/card/issue", redirect)
	require.NoError(c.st.t, err)
	return status
}

func (c *customer) cancel() {
	c.st.t.Helper()
	_, err := c.Submit("/cancel", nil)
	require.NoError(c.st.t, err)
	c.st.round()
}

// rows returns what a query finds, a row a line.
func (st *stand) rows(query string) string { st.t.Helper(); return rows(st.t, st.store.subs, query) }

func rows(t *testing.T, subs *subscriptions, query string) string {
	t.Helper()
	list, err := subs.db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, list.Close()) }()
	columns, err := list.Columns()
	require.NoError(t, err)
	var lines []string
	for list.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		require.NoError(t, list.Scan(values...))
		var words []string
		for _, v := range values {
			words = append(words, fmt.Sprint(*v.(*any)))
		}
		lines = append(lines, strings.Join(words, " "))
	}
	require.NoError(t, list.Err())
	return strings.Join(lines, "\n")
}

// charges is every charge: period, attempt, state, code.
func (st *stand) charges() string {
	st.t.Helper()
	return trimLines(st.rows(`SELECT period, attempt, state, code FROM charges ORDER BY subscription_id, period, attempt`))
}

func trimLines(text string) string { return strings.ReplaceAll(text, " \n", "\n") }

func (st *stand) state() string { st.t.Helper(); return st.rows(`SELECT state FROM subscriptions`) }
func (st *stand) cards() string {
	st.t.Helper()
	return st.rows(`SELECT state FROM cards ORDER BY state`)
}

// billingKey is that of the card in use.
func (st *stand) billingKey() tosspayments.BillingKey {
	st.t.Helper()
	var sealed, customerKey string
	require.NoError(st.t, st.store.subs.db.QueryRow(`SELECT k.sealed_key, u.customer_key FROM subscriptions s
		JOIN cards k ON k.id = s.card_id JOIN customers u ON u.id = s.customer_id`).Scan(&sealed, &customerKey))
	key, err := st.store.vault.open(sealed, customerKey)
	require.NoError(st.t, err)
	return key
}

// moved is what was really charged: period and attempt of each approval.
func (st *stand) moved() (list []string) {
	for _, entry := range st.toss.Ledger() {
		parts := strings.SplitN(entry.OrderID, "-", 3)
		list = append(list, parts[2])
	}
	return list
}

// TestSubscribe charges the first month, and shows what is to be known of it.
func TestSubscribe(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	assert.Contains(t, c.Page("/"), "월 24,000원")
	c.register("")
	assert.Equal(t, "2027-01 1 paid ", st.charges())
	page := c.Page("/")
	// A shorter month is charged on its last day.
	for _, shown := range []string{"2027년 1월 31일", "구독 중이에요", "결제 완료", "현대카드", "43301234****123*", "2027.02.28", "영수증"} {
		assert.Contains(t, page, shown)
	}
}

// TestSuccessPageIsRefreshed: an authKey works once, and its card is registered once.
func TestSuccessPageIsRefreshed(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	redirect := c.register("")
	assert.Contains(t, c.Page("/card/success?customerKey="+redirect.CustomerKey+"&authKey="+redirect.AuthKey.Reveal()), "카드를 등록하고 있어요")
	assert.Equal(t, http.StatusOK, c.issue(redirect))
	st.round()
	assert.Equal(t, 1, st.toss.Calls(tosstest.IssueBillingKey))
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
}

func TestEachMonthIsChargedOnce(t *testing.T) {
	st := newStand(t)
	st.customer().register("")
	st.on("2027-02-28 09:59")
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
	for _, day := range []string{"2027-02-28 10:00", "2027-03-01 10:00", "2027-03-31 10:00", "2027-04-30 10:00", "2027-05-30 10:00"} {
		st.on(day)
		st.round()
	}
	assert.Equal(t, []string{"2027-01-1", "2027-02-1", "2027-03-1", "2027-04-1"}, st.moved())
	assert.Equal(t, "2027-01 1 paid\n2027-02 1 paid\n2027-03 1 paid\n2027-04 1 paid ", st.charges())
}

func TestSecretsStayWhereTheyBelong(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	redirect := c.register("")
	key := st.billingKey()
	st.on("2027-03-01 10:00")
	pages := c.Page("/") + c.Page("/card") + c.Page("/state") + st.log.String()
	stored := ""
	for _, table := range []string{"settings", "customers", "cards", "subscriptions", "charges"} {
		stored += st.rows("SELECT * FROM " + table)
	}
	for _, secret := range []string{key.Key.Reveal(), redirect.AuthKey.Reveal(), testKey, tosstest.DefaultSecretKey} {
		assert.NotContains(t, pages, secret)
		assert.NotContains(t, stored, secret)
	}
	session := st.rows(`SELECT id FROM customers`)
	assert.NotEqual(t, session, redirect.CustomerKey)
	assert.NotContains(t, st.log.String(), redirect.CustomerKey)
}

func TestForeignRegistrationIsRefused(t *testing.T) {
	st := newStand(t)
	victim, thief := st.customer(), st.customer()
	redirect := st.toss.Register(tosstest.Registration{CustomerKey: victim.key()})
	query := "?customerKey=" + redirect.CustomerKey + "&authKey=" + redirect.AuthKey.Reveal()
	assert.Contains(t, thief.Page("/card/success"+query), "다른 고객의 카드 등록")
	visitor := shoptest.NewCustomer(t, st.url)
	for _, key := range []string{redirect.CustomerKey, ""} {
		status, err := visitor.Post("/card/issue", tosspayments.BillingRedirect{CustomerKey: key, AuthKey: redirect.AuthKey})
		require.NoError(t, err)
		assert.Equal(t, http.StatusForbidden, status)
	}
	assert.Equal(t, http.StatusForbidden, thief.issue(redirect))
	assert.Zero(t, st.toss.Calls(tosstest.IssueBillingKey), "nothing was sent")
	assert.Equal(t, http.StatusOK, victim.issue(redirect))
}

func TestManyTabsRegisterOneCard(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	redirect := st.toss.Register(tosstest.Registration{CustomerKey: c.key()})
	var tabs sync.WaitGroup
	for range 10 {
		tabs.Go(func() {
			status, err := c.Post("/card/issue", redirect)
			assert.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
		})
	}
	tabs.Wait()
	st.round()
	assert.Equal(t, "active", st.state())
	assert.Equal(t, "active", st.cards())
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
}

func TestPagesOfARegistrationThatFails(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	canceled := c.Page("/card/fail?code=PAY_PROCESS_CANCELED&message=x")
	assert.Contains(t, canceled, "카드 등록창을 닫으셨어요")
	assert.NotContains(t, canceled, "PAY_PROCESS_CANCELED", "it is no failure")
	assert.NotContains(t, c.Page("/card/fail?code=%3Cscript%3E&message=%3Cscript%3Ealert(1)%3C/script%3E"), "<script>alert")
	for _, path := range []string{"/card/success?customerKey=x", "/card/fail"} {
		assert.Contains(t, c.Page(path), "잘못된 주소", path)
	}
}

func TestRegistrationThatFails(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	made := tosspayments.BillingRedirect{CustomerKey: c.key(), AuthKey: tosspayments.NewSensitive("made up")}
	assert.Equal(t, http.StatusBadRequest, c.issue(made))
	assert.Empty(t, st.state())
}

// TestKeyThatWasIssuedButNotStored: the answer of the issue is lost; the same address
// brings the same key.
func TestKeyThatWasIssuedButNotStored(t *testing.T) {
	st := newStand(t, tosspayments.WithMaxRetries(0))
	c := st.customer()
	redirect := st.toss.Register(tosstest.Registration{CustomerKey: c.key()})
	st.toss.Inject(tosstest.Fault{Operation: tosstest.IssueBillingKey, Kind: tosstest.Drop, AfterEffect: true})
	assert.Equal(t, http.StatusInternalServerError, c.issue(redirect))
	assert.Equal(t, http.StatusOK, c.issue(redirect))
	st.round()
	assert.Equal(t, []string{"2027-01-1"}, st.moved())
}

func TestForeignPagesCannotPressButtons(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	c.register("")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, st.url+"/cancel", strings.NewReader(""))
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := c.Client.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
	assert.Equal(t, "active", st.state())
}

func TestKeysThatCannotWork(t *testing.T) {
	keys := shop.Keys{Secret: tosstest.DefaultSecretKey, Client: tosstest.DefaultClientKey}
	live := shop.Keys{Secret: "live_sk_zXLkKEypNArWmo50nX3lmeaxYG5R", Client: "live_ck_D5GePWvyJnrK0W0k6q8gLzN97Eoq"}
	database := shoptest.Database(t)
	logger := slog.New(slog.DiscardHandler)
	for says, c := range map[string]config{
		"SUBSCRIPTION_KEY is not set":          {keys: keys},
		"SUBSCRIPTION_KEY must be 32 bytes":    {keys: keys, key: "c2hvcnQ="},
		"not with a live key":                  {keys: live, key: testKey, speed: 2},
		"TOSS_SECRET_KEY is set but":           {keys: shop.Keys{Secret: tosstest.DefaultSecretKey}},
		"must not be negative":                 {interval: -1},
		"-toss needs TOSS_SECRET_KEY":          {toss: "http://127.0.0.1:1"},
		"SUBSCRIPTION_KEY must be 32 bytes in": {keys: keys, key: "no base64"},
	} {
		c.database, c.address = database, "127.0.0.1:0"
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		require.ErrorContains(t, run(ctx, c, io.Discard, logger), says)
		cancel()
	}
}

func encoded(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) }

func TestKeysThatAreEasyToGuess(t *testing.T) {
	counting := make([]byte, 32)
	for i := range counting {
		counting[i] = byte(200 + 3*i)
	}
	for name, key := range map[string]string{
		"zeroes":      encoded(string(make([]byte, 32))),
		"a pattern":   encoded(strings.Repeat("\x01\xa0\xff\x73", 8)),
		"counting":    encoded(string(counting)),
		"a sentence":  encoded("correct horse battery staple 123"),
		"after a key": testKey + "," + encoded(string(make([]byte, 32))),
	} {
		_, err := openVault(t.Context(), nil, key, false)
		require.ErrorContains(t, err, "easy to guess", name)
		assert.NotContains(t, err.Error(), key, name)
	}
	for range 1000 {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		require.True(t, looksRandom(key))
	}
}

// replacing is a shop with a subscription whose key is being replaced.
func replacing(t *testing.T) (st *stand, c *customer, replaced string) {
	t.Helper()
	st = newStand(t)
	c = st.customer()
	c.register("")
	newKey := make([]byte, 32)
	_, _ = rand.Read(newKey)
	replaced = encoded(string(newKey))
	_, err := openVault(t.Context(), st.store.subs.db, replaced, false)
	require.ErrorContains(t, err, "lacks the key "+st.store.vault.keys[0].id)
	st.keys = replaced + ", " + testKey
	st.start()
	c.Shop = st.url
	return st, c, replaced
}

// TestKeyIsReplaced: the old key opens what it has encrypted.
func TestKeyIsReplaced(t *testing.T) {
	st, c, _ := replacing(t)
	st.on("2027-02-28 10:00")
	assert.Equal(t, []string{"2027-01-1", "2027-02-1"}, st.moved())
	assert.Contains(t, c.Page("/"), "구독 중이에요", "the customer is still known")
}

// TestOldKeyGoes when everything is encrypted with the new one.
func TestOldKeyGoes(t *testing.T) {
	st, c, replaced := replacing(t)
	key := st.billingKey()
	require.NoError(t, st.store.vault.reseal(t.Context(), st.store.subs.db))
	assert.Equal(t, st.store.vault.keys[0].id, st.rows(`SELECT substr(sealed_key, 1, 8) FROM cards`))
	_, err := openVault(t.Context(), st.store.subs.db, testKey, false)
	require.ErrorContains(t, err, "lacks the key")

	st.keys = replaced
	st.start()
	c.Shop = st.url
	assert.Equal(t, key.Key.Reveal(), st.billingKey().Key.Reveal())
	assert.Contains(t, c.Page("/"), "구독 중이에요", "the customer is still known")
	st.on("2027-02-28 10:00")
	assert.Len(t, st.moved(), 2)
}

// TestCopyOfTheDatabaseLetsNobodyIn: it holds neither billing keys nor anything to sign
// in with.
func TestCopyOfTheDatabaseLetsNobodyIn(t *testing.T) {
	st := newStand(t)
	c := st.customer()
	c.register("")
	assert.Empty(t, st.rows(`SELECT name FROM settings WHERE name <> 'schema'`))
	shopURL, err := url.Parse(st.url)
	require.NoError(t, err)
	cookies := c.Client.Jar.Cookies(shopURL)
	require.Len(t, cookies, 1)
	expires, _, _ := strings.Cut(cookies[0].Value, ".")
	for value, in := range map[string]bool{
		cookies[0].Value:                                    true,
		st.rows(`SELECT id FROM customers`):                 false,
		st.rows(`SELECT customer_key FROM customers`):       false,
		expires + "." + st.rows(`SELECT id FROM customers`): false,
	} {
		visitor := shoptest.NewCustomer(t, st.url)
		visitor.Client.Jar.SetCookies(shopURL, []*http.Cookie{{Name: cookies[0].Name, Value: value}})
		assert.Equal(t, in, strings.Contains(visitor.Page("/"), "구독 중이에요"), value)
	}
}

// TestVisitorsAreNotStored: only who registers a card is.
func TestVisitorsAreNotStored(t *testing.T) {
	st := newStand(t)
	for _, path := range []string{"/", "/card", "/card/success?customerKey=somebody&authKey=made-up", "/card/fail?code=X&message=x", "/state"} {
		visitor := shoptest.NewCustomer(t, st.url)
		visitor.Page(path)
		assert.Empty(t, visitor.Cookies(), path)
	}
	assert.Equal(t, "0", st.rows(`SELECT COUNT(*) FROM customers`))
	c := st.customer()
	key := c.key()
	assert.Equal(t, key, c.key(), "the same every time")
	assert.NotEqual(t, key, st.customer().key(), "and another for everybody")
	c.register("")
	assert.Equal(t, key, st.rows(`SELECT customer_key FROM customers`))
}

func TestGuessedAuthKeysAreLimited(t *testing.T) {
	st := newStand(t)
	last := 0
	for i := range 40 {
		c := st.customer() // a new session each time
		last = c.issue(tosspayments.BillingRedirect{CustomerKey: c.key(), AuthKey: tosspayments.NewSensitive(fmt.Sprint("guess ", i))})
	}
	assert.Equal(t, http.StatusTooManyRequests, last)
	assert.Equal(t, 30, st.toss.Calls(tosstest.IssueBillingKey))
}

func TestRunAndShutDown(t *testing.T) {
	var out, log shoptest.Buffer
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- run(ctx, config{address: "127.0.0.1:0", lease: time.Minute}, &out, slog.New(slog.NewJSONHandler(&log, nil)))
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "http://") }, 30*time.Second, 10*time.Millisecond)
	c := shoptest.NewCustomer(t, out.Line())
	assert.Contains(t, c.Page("/"), "24,000원")
	assert.Contains(t, c.Page("/"), "한 달이 60초예요")
	for _, said := range []string{"SANDBOX", "subscription.db", "a month takes 1m0s", "try: "} {
		assert.Contains(t, out.String(), said)
	}
	cancel()
	require.NoError(t, <-done)
	assert.Contains(t, log.String(), `"path":"/"`)
}

func TestAdvice(t *testing.T) {
	for code, says := range map[tosspayments.ErrorCode]string{
		tosspayments.ErrPayProcessCanceled:    "닫으셨어요",
		tosspayments.ErrInvalidCardExpiration: "유효기간",
		tosspayments.ErrRejectCardPayment:     "한도",
		tosspayments.ErrInvalidStoppedCard:    "정지",
		tosspayments.ErrRejectCardCompany:     "카드사에서 결제를 거절",
		tosspayments.ErrNotFoundBilling:       "해지",
		tosspayments.ErrUnauthorizedKey:       "상점의 결제 설정",
		"A_CODE_OF_TOMORROW":                  "끝내지 못했어요",
	} {
		assert.Contains(t, advice(code), says, code)
	}
}
