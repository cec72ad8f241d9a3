package shop

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"net/http"
	"strings"
)

// SessionCookie is the name of the cookie.
const SessionCookie = "customer"

// Sessions tells customers apart.
type Sessions struct{ key string }

// NewSessions takes the key that signs sessions from the database, so that every
// instance has the same; the first one makes it.
func NewSessions(ctx context.Context, db *sql.DB) (*Sessions, error) {
	key, err := Setting(ctx, db, "session_key", rand.Text()+rand.Text())
	return &Sessions{key}, err
}

// Customer returns who is asking. A new visitor gets an id that cannot be guessed, in
// a cookie that cannot be forged.
func (s *Sessions) Customer(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(SessionCookie); err == nil {
		id, signature, _ := strings.Cut(cookie.Value, ".")
		if hmac.Equal([]byte(signature), []byte(s.sign(id))) {
			return id
		}
	}
	id := rand.Text()
	//nolint:gosec // G124: Secure is set wherever the shop is reached over HTTPS.
	http.SetCookie(w, &http.Cookie{
		Name: SessionCookie, Value: id + "." + s.sign(id), Path: "/", MaxAge: 30 * 24 * 60 * 60,
		HttpOnly: true, Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
		// Lax: the buyer comes back from the payment window.
		SameSite: http.SameSiteLaxMode,
	})
	return id
}

func (s *Sessions) sign(id string) string {
	mac := hmac.New(sha256.New, []byte(s.key))
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
