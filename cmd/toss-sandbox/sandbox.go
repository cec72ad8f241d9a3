package main

import (
	"crypto/rand"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/tosstest"
)

//go:embed page
var files embed.FS

// sandbox is the fake with its live page and its test shop.
type sandbox struct {
	settings
	toss *tosstest.Server
	feed *feed
	shop *shop
	// boot tells one run of the program from another.
	boot string
	// followers has a place for each page that follows.
	followers chan struct{}
	gates     gates
}

// maxFollowers is how many pages may follow at once. A browser opens six at most.
const maxFollowers = 32

func newSandbox(s settings) (*sandbox, error) {
	if err := s.keys.complete(s.stateFile); err != nil {
		return nil, err
	}
	b := &sandbox{settings: s, feed: newFeed(), boot: random(), followers: make(chan struct{}, maxFollowers)}
	b.toss = tosstest.New(append(s.options(), tosstest.WithObserver(b.feed.observe))...)
	b.toss.URL = s.url
	b.feed.now, b.feed.opened = b.toss.Now, b.opened
	if s.stateFile != "" {
		// The feed is told what the file has.
		err := b.toss.KeepState(s.stateFile)
		if err == nil {
			err = b.keys.save(s.stateFile)
		}
		if err != nil {
			b.toss.Close()
			return nil, err
		}
	}
	b.shop = newShop(b)
	for _, address := range s.webhooks {
		b.toss.RegisterWebhook(address)
	}
	if len(s.webhooks) == 0 {
		// So that the page shows the events all the same.
		b.toss.RegisterWebhookHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	}
	return b, nil
}

// client is one with the individual or the widget pair of keys.
func (b *sandbox) client(widget bool) *tosspayments.Client {
	if widget {
		return b.toss.WidgetClient()
	}
	return b.toss.Client()
}

// random is 128 bits in hexadecimal.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// policy lets the pages use what this server serves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// handler serves the pages and what belongs to them, and the fake elsewhere.
func (b *sandbox) handler() http.Handler {
	static, err := fs.Sub(files, "page")
	if err != nil {
		panic(err)
	}
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, static, "live.html") })
	pages.HandleFunc("GET /shop", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, static, "shop.html") })
	pages.Handle("GET /sandbox/page/", http.StripPrefix("/sandbox/page", http.FileServerFS(static)))
	pages.HandleFunc("GET /sandbox/events", b.serveEvents)
	pages.HandleFunc("GET /sandbox/detail/{kind}/{id}", b.serveDetail)
	pages.HandleFunc("POST /sandbox/act", answering(b.do))
	pages.HandleFunc("POST /sandbox/balance", answering(b.balance))
	b.shop.routes(pages)
	guarded := http.NewCrossOriginProtection().Handler(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.isOwn(r.Host) {
			http.Error(w, fmt.Sprintf("toss-sandbox: requests for the host %q are refused; the flag -host allows it", clip(r.Host, 200)), http.StatusForbidden)
			return
		}
		if r.URL.Path != "/" && r.URL.Path != "/shop" && !strings.HasPrefix(r.URL.Path, "/sandbox/") {
			b.toss.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Server", serverName)
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		if foreign(r) {
			http.Error(w, "toss-sandbox: another web page may not use this", http.StatusForbidden)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// foreign reports whether another web page makes the request, other than by a link.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Method != http.MethodGet
	}
	return false
}

// isOwn reports whether a Host header names this machine, or a host that was allowed. A
// name that a stranger has pointed here (DNS rebinding) is neither. An address in digits
// cannot be pointed elsewhere; it is allowed where others may come.
func (b *sandbox) isOwn(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || b.public
	}
	return strings.EqualFold(host, "localhost") ||
		slices.ContainsFunc(b.hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// about is what the page shows besides its lists.
type about struct {
	URL      string   `json:"url"`
	Script   string   `json:"script"`
	Keys     keys     `json:"keys"`
	Webhooks []string `json:"webhooks"`
	State    string   `json:"state"`
}

// news is what a page is told at once.
type news struct {
	// Boot changes with each start of the program: what the page knew before is void.
	Boot string    `json:"boot"`
	Now  time.Time `json:"now"`
	// About is told first.
	About  *about                     `json:"about,omitempty"`
	Faults []waiting                  `json:"faults"`
	Held   []heldRequest              `json:"held"`
	Lists  map[kind][]json.RawMessage `json:"lists"`
}

// pause bounds how often a page is told.
const pause = 50 * time.Millisecond

// serveEvents tells a page what happens, until it goes away.
func (b *sandbox) serveEvents(w http.ResponseWriter, r *http.Request) {
	select {
	case b.followers <- struct{}{}:
		defer func() { <-b.followers }()
	default:
		http.Error(w, "toss-sandbox: too many pages are open", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	// The limits of the server are those of short requests.
	_ = out.SetReadDeadline(time.Time{})
	var seen int64
	first := &about{b.url, b.url + tosstest.ScriptPath, b.keys, b.webhooks, b.stateFile}
	beat := time.NewTicker(10 * time.Second)
	defer beat.Stop()
	for {
		lists, last, changed := b.feed.since(seen)
		seen = last
		message := encode(news{b.boot, b.toss.Now(), first, b.faults(), b.gates.held(), lists})
		first = nil
		_ = out.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if _, err := fmt.Fprintf(w, "data: %s\n\n", message); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return
		}
		select {
		case <-changed:
		case <-beat.C:
		case <-r.Context().Done():
			return
		}
	}
}

// serveDetail shows one thing whole.
func (b *sandbox) serveDetail(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	var v any
	switch d := b.feed.detail(kind(r.PathValue("kind")), id).(type) {
	case *documentDetail:
		v = d
	case *tosstest.Request:
		v = b.requestDetail(id, d)
	case *tosstest.Delivery:
		v = webhookDetail{viewWebhook(id, d), d.Header, string(d.Body)}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(v))
}
