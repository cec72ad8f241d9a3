package shop

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments"
)

//go:embed web
var web embed.FS

// Pages are what a shop shows.
type Pages struct {
	templates *template.Template
	toss      *Toss
	logger    *slog.Logger
}

// Frame is what the layout of every page needs; the data of a page embeds it.
type Frame struct {
	Title string
	// Nonce allows the page's own scripts. Show sets it, and Sandbox.
	Nonce   string
	Sandbox bool
}

func (f *Frame) frame() *Frame { return f }

// NewPages reads the templates web/*.html of a shop. They use "top", "bottom" and
// "wait" of the layout, and define "header".
func NewPages(own fs.FS, toss *Toss, logger *slog.Logger) (*Pages, error) {
	templates, err := template.New("").Funcs(template.FuncMap{"won": Won, "when": When, "clock": Clock}).ParseFS(web, "web/*.html")
	if err == nil {
		templates, err = templates.ParseFS(own, "web/*.html")
	}
	return &Pages{templates, toss, logger}, err
}

// Show answers with a page.
func (p *Pages) Show(w http.ResponseWriter, r *http.Request, status int, name string, data interface{ frame() *Frame }) {
	frame := data.frame()
	frame.Sandbox, frame.Nonce = p.toss.Sandbox != nil, rand.Text()
	// What the real script needs beyond its own hosts is not documented.
	w.Header().Set("Content-Security-Policy", fmt.Sprintf(
		"default-src 'self'; script-src 'self' 'nonce-%s' %[2]s; connect-src 'self' %[2]s; frame-src %[2]s; img-src 'self' data: %[2]s; "+
			"style-src 'self' 'unsafe-inline'; form-action 'self' %[2]s; frame-ancestors 'none'; base-uri 'none'; object-src 'none'", frame.Nonce, p.toss.Origins))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := p.templates.ExecuteTemplate(w, name, data); err != nil {
		p.logger.WarnContext(r.Context(), "page", "name", name, "error", err)
	}
}

// Won writes an amount as people do: 15,000원.
func Won(amount tosspayments.Amount) string {
	digits := amount.String()
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + "원"
}

var korea = time.FixedZone("KST", 9*60*60)

// moment is a time of this module or of the standard library.
type moment interface {
	In(loc *time.Location) time.Time
}

// When writes a time as people in Korea do: 2026.03.01 13:05.
func When(t moment) string { return t.In(korea).Format("2006.01.02 15:04") }

// Clock writes the time of day in Korea: 13:05:44.
func Clock(t moment) string { return t.In(korea).Format("15:04:05") }

// Answer answers a page's script with a message; "" where all is well.
func Answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// Protect wraps what a shop serves: headers that keep pages to themselves, a line in
// the log for each request, style sheet and script, small forms, and buttons that work
// from the shop's own pages only.
func Protect(mux *http.ServeMux, logger *slog.Logger) http.Handler {
	for _, name := range []string{"style.css", "shop.js"} {
		mux.HandleFunc("GET /web/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, web, "web/"+name)
		})
	}
	return logged(secured(http.NewCrossOriginProtection().Handler(bounded(mux))), logger)
}

// logged writes one line per request, without the query: it may hold payment keys. What
// pages ask for again and again is logged at level Debug.
func logged(next http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, began, level := &answered{w, http.StatusOK}, time.Now(), slog.LevelInfo
		next.ServeHTTP(answer, r)
		if strings.HasSuffix(r.URL.Path, "/state") || strings.HasPrefix(r.URL.Path, "/web/") {
			level = slog.LevelDebug
		}
		logger.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path,
			"status", answer.status, "duration", time.Since(began).Round(time.Millisecond).String())
	})
}

// answered remembers the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
}

// WriteHeader sends the status.
func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find what it needs.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// The success page's address holds the payment key.
		h.Set("Referrer-Policy", "same-origin")
		// The payment window may be a popup.
		h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		h.Set("Content-Security-Policy", "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'")
		if isHTTPS(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !strings.HasPrefix(r.URL.Path, "/web/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// isHTTPS reports whether the browser has come over HTTPS, here or at a proxy in front.
func isHTTPS(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

const maxForm = 16 << 10

// bounded reads forms of at most 16 KiB, and refuses files: net/http would write them to
// the disk before the shop has seen the request.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Also a type with unreadable parameters is treated as a form by net/http.
		contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch contentType {
		case "multipart/form-data":
			http.Error(w, http.StatusText(http.StatusUnsupportedMediaType), http.StatusUnsupportedMediaType)
			return
		case "application/x-www-form-urlencoded":
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			var tooLarge *http.MaxBytesError
			switch err := r.ParseForm(); {
			case errors.As(err, &tooLarge):
				http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
				return
			case err != nil:
				http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
