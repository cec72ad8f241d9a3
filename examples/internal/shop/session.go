package shop

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Sessions tell customers apart by a random cookie. A customer's id is the hash of it, so
// that neither the database nor a copy of it holds anything to sign in with, and there is
// no key to keep.
type Sessions struct {
	// Name is that of the shop: a browser sends a cookie to all ports of a host.
	Name string
	// Lifetime is how long a session lasts; it is not prolonged.
	Lifetime time.Duration
}

// Customer returns the id of who is asking; "" for a visitor, whom nothing belongs to.
func (s *Sessions) Customer(r *http.Request) (id string) {
	cookie, err := r.Cookie(s.cookieName(r))
	if err != nil {
		return ""
	}
	expires, secret, _ := strings.Cut(cookie.Value, ".")
	seconds, err := strconv.ParseInt(expires, 10, 64)
	left := time.Until(time.Unix(seconds, 0))
	if err != nil || left <= 0 || left > s.Lifetime || len(secret) < len(rand.Text()) {
		return ""
	}
	return s.id(cookie.Value)
}

// Start begins a session and returns the new customer's id. Call it in answer to a POST,
// so that looking around costs nothing, and when somebody signs in: a cookie from before
// may be one that somebody else has planted.
func (s *Sessions) Start(w http.ResponseWriter, r *http.Request) (id string) {
	// The time is under the hash, too: with another one it is another customer.
	value := strconv.FormatInt(time.Now().Add(s.Lifetime).Unix(), 10) + "." + rand.Text()
	//nolint:gosec // G124: Secure is set wherever the shop is reached over HTTPS.
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(r), Value: value, Path: "/", MaxAge: int(s.Lifetime.Seconds()),
		HttpOnly: true, Secure: isHTTPS(r),
		// Lax: the buyer comes back from the payment window.
		SameSite: http.SameSiteLaxMode,
	})
	return s.id(value)
}

// cookieName has the prefix with which browsers take the cookie from this very host and
// over HTTPS only, where there is HTTPS.
func (s *Sessions) cookieName(r *http.Request) string {
	if isHTTPS(r) {
		return "__Host-" + s.Name
	}
	return s.Name
}

func (s *Sessions) id(cookie string) string {
	sum := sha256.Sum256([]byte(s.Name + "\n" + cookie))
	return hex.EncodeToString(sum[:20])
}
