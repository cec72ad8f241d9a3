package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"errors"
	"flag"
	"html/template"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

//go:embed page.html
var pageText string

var pages = template.Must(template.New("").Parse(pageText))

func main() {
	address := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err, "; -addr takes another address")
	}
	url := "http://" + listener.Addr().String()
	s, err := open(os.Getenv("TOSS_SECRET_KEY"), os.Getenv("TOSS_CLIENT_KEY"), url+"/webhook")
	if err != nil {
		log.Fatal(err)
	}
	go s.work(context.Background(), 5*time.Second)
	log.Println(url + ": order, pay, and refund")
	server := http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute}
	log.Fatal(server.Serve(listener))
}

// work runs the job at intervals until the context ends, by four workers: an order that
// takes long holds up no other.
func (s *shop) work(ctx context.Context, interval time.Duration) {
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for tick := time.Tick(interval); ctx.Err() == nil; {
				s.job(ctx)
				select {
				case <-tick:
				case <-ctx.Done():
				}
			}
		})
	}
	workers.Wait()
}

// open connects to Toss Payments and the database. Without keys both are inside this
// process, and forget at its end.
func open(secretKey, clientKey, webhookURL string) (*shop, error) {
	if secretKey == "" {
		server, err := tosstest.Start()
		if err != nil {
			return nil, err
		}
		server.RegisterWebhook(webhookURL) // with keys, it is registered in the developer centre
		log.Println("SANDBOX: TOSS_SECRET_KEY is not set, so no money moves and nothing is kept")
		return newShop(":memory:", server.Client(), server.URL, server.URL+tosstest.ScriptPath, tosstest.DefaultClientKey)
	}
	client, err := tosspayments.New(secretKey)
	if err != nil {
		return nil, err
	}
	if clientKey == "" {
		return nil, errors.New("TOSS_CLIENT_KEY is not set: it belongs to the same pair as TOSS_SECRET_KEY")
	}
	if strings.HasPrefix(clientKey, "test_") != client.IsTest() {
		return nil, errors.New("TOSS_CLIENT_KEY and TOSS_SECRET_KEY are not of the same environment: both must be test keys, or both live keys")
	}
	log.Println("orders are in shop.db")
	file, err := os.OpenFile("shop.db", os.O_CREATE|os.O_RDWR, 0o600) // only this user reads it
	if err != nil {
		return nil, err
	}
	if err := errors.Join(file.Chmod(0o600), file.Close()); err != nil {
		return nil, err
	}
	return newShop("shop.db", client, "https://*.tosspayments.com", "https://js.tosspayments.com/v2/standard", clientKey)
}

func newShop(database string, toss *tosspayments.Client, origin, script, clientKey string) (*shop, error) {
	db, err := sql.Open("sqlite", "file:"+database+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(schema)
	return &shop{db: db, toss: toss, origin: origin, script: script, clientKey: clientKey}, err
}

func (s *shop) get(ctx context.Context, id string) (*order, error) {
	var o order
	err := s.db.QueryRowContext(ctx, `SELECT id, amount, created_at, state, code, payment_key, idempotency_key, payment, version
		FROM orders WHERE id = $1`, id).
		Scan(&o.ID, &o.Amount, &o.CreatedAt, &o.State, &o.Code, &o.PaymentKey, &o.IdempotencyKey, &o.Payment, &o.Version)
	return &o, err
}

// change updates a row, and reports whether it was this call that did.
func (s *shop) change(ctx context.Context, query string, args ...any) bool {
	result, err := s.db.ExecContext(ctx, query, args...)
	if err != nil {
		slog.ErrorContext(ctx, "database", "error", err)
		return false
	}
	n, err := result.RowsAffected()
	return err == nil && n == 1
}

// buyer returns who is asking: the hash of a random cookie, so that a copy of the database
// lets nobody in. A cookie that nobody has given out is replaced when an order is made.
func (s *shop) buyer(w http.ResponseWriter, r *http.Request) string {
	hash := func(secret string) string {
		sum := sha256.Sum256([]byte(secret))
		return hex.EncodeToString(sum[:])
	}
	name, secure := "shop", isHTTPS(r)
	if secure {
		name = "__Host-shop" // no other host can set it
	}
	cookie, err := r.Cookie(name)
	known := 0
	if err == nil {
		_ = s.db.QueryRowContext(r.Context(), `SELECT COUNT(*) FROM orders WHERE buyer = $1`, hash(cookie.Value)).Scan(&known)
	}
	if known == 0 && r.Method == http.MethodPost {
		//nolint:gosec // G124: Secure is set wherever the shop is reached over HTTPS.
		cookie = &http.Cookie{Name: name, Value: rand.Text(), Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
		http.SetCookie(w, cookie)
	}
	if cookie == nil {
		return ""
	}
	return hash(cookie.Value)
}

// ofBuyer returns an order of whoever is asking, for 30 days; other people's do not exist.
func (s *shop) ofBuyer(w http.ResponseWriter, r *http.Request, id string) (*order, error) {
	err := s.db.QueryRowContext(r.Context(), `SELECT id FROM orders WHERE id = $1 AND buyer = $2 AND created_at > $3`,
		id, s.buyer(w, r), time.Now().AddDate(0, 0, -30).Unix()).Scan(&id)
	if err != nil {
		return nil, err
	}
	return s.get(r.Context(), id)
}

// isHTTPS reports whether the browser has come over HTTPS, here or at a proxy in front.
func isHTTPS(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// limiter bounds how often an address can post: orders are rows, and each may cost calls.
// Behind a proxy all come from one address; let the proxy count.
type limiter struct {
	mu     sync.Mutex
	since  time.Time
	counts map[string]int
}

func (l *limiter) allow(r *http.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.since) > 10*time.Minute {
		l.since, l.counts = time.Now(), map[string]int{}
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	l.counts[host]++
	return l.counts[host] <= 60
}

// protect keeps other sites from posting for the buyer and from framing the pages.
func (s *shop) protect(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.AddInsecureBypassPattern("POST /webhook")
	next = sameOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self' "+s.origin)
		w.Header().Set("Referrer-Policy", "same-origin") // addresses have payment keys
		w.Header().Set("Cache-Control", "no-store")
		if isHTTPS(r) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if r.Method == http.MethodPost && r.URL.Path != "/webhook" && !s.posts.allow(r) {
			http.Error(w, "잠시 후 다시 시도해 주세요.", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *shop) showOrder(w http.ResponseWriter, r *http.Request) {
	o, err := s.ofBuyer(w, r, r.PathValue("id"))
	if err != nil {
		s.failed(w, err)
		return
	}
	s.show(w, stands(o), o)
}

func (s *shop) show(w http.ResponseWriter, text string, o *order) {
	data := map[string]any{
		"Message": text, "Order": o, "Script": s.script, "ClientKey": s.clientKey,
		"Sandbox": s.clientKey == tosstest.DefaultClientKey,
	}
	if o != nil {
		won, _ := o.Amount.Int64()
		data["Value"], data["Won"] = won, message.NewPrinter(language.Korean).Sprintf("%d원", won)
		data["Reload"] = map[string]int{"confirming": 3, "refunding": 3, "waiting": 30}[o.State] // seconds
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pages.Execute(w, data)
}

func (s *shop) failed(w http.ResponseWriter, err error) {
	if errors.Is(err, sql.ErrNoRows) {
		http.Error(w, "주문을 찾을 수 없어요.", http.StatusNotFound)
		return
	}
	slog.Error("database", "error", err)
	http.Error(w, "잠시 후 다시 시도해 주세요.", http.StatusInternalServerError)
}

// stands is what the buyer is told.
func stands(o *order) string {
	switch o.State {
	case "confirming":
		return "결제를 확인하고 있어요. 다시 결제하지 마세요."
	case "paid":
		if o.Code != "" {
			return "결제됐어요. 환불은 거절됐으니 고객센터로 문의해 주세요."
		}
		return "결제됐어요."
	case "refunding":
		return "환불을 확인하고 있어요. 다시 신청하지 않아도 돼요."
	case "waiting":
		if p := o.Payment.Get(); p != nil && p.VirtualAccount != nil {
			return "이 계좌로 입금해 주세요: " + p.VirtualAccount.AccountNumber.Reveal()
		}
		return "입금을 기다리고 있어요."
	case "canceled":
		return "환불됐어요."
	case "failed":
		return explain(o.Code)
	case "review":
		return "결제를 확인하고 있어요. 고객센터에서 연락드릴게요."
	}
	return "아직 결제하지 않았어요."
}

func explain(code tosspayments.ErrorCode) string {
	switch code.Class() {
	case tosspayments.ClassBuyerOtherMethod:
		return "결제하지 못했어요. 다른 카드나 결제수단을 이용해 주세요."
	case tosspayments.ClassBuyerRestart:
		return "결제가 끝나지 않았어요. 처음부터 다시 시도해 주세요."
	case tosspayments.ClassWait:
		return "결제하지 못했어요. 잠시 후 다시 시도해 주세요."
	}
	return "결제할 수 없어요. 고객센터로 문의해 주세요."
}
