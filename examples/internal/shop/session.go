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
type Sessions struct{ keys []string }

// SignedSessions takes the keys that sign sessions from outside the database, so that a
// copy of it lets nobody in. The first key signs, and all are accepted.
func SignedSessions(keys ...string) *Sessions { return &Sessions{keys} }

// NewSessions takes the key that signs sessions from the database, so that every
// instance has the same; the first one makes it.
func NewSessions(ctx context.Context, db *sql.DB) (*Sessions, error) {
	key, err := Setting(ctx, db, "session_key", rand.Text()+rand.Text())
	return &Sessions{[]string{key}}, err
}

// Customer returns who is asking. A new visitor gets an id that cannot be guessed, in
// a cookie that cannot be forged.
func (s *Sessions) Customer(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(SessionCookie); err == nil {
		id, signature, _ := strings.Cut(cookie.Value, ".")
		for i, key := range s.keys {
			if !hmac.Equal([]byte(signature), []byte(sign(key, id))) {
				continue
			}
			if i > 0 {
				s.set(w, r, id) // an old key, which may be gone next time
			}
			return id
		}
	}
	id := rand.Text()
	s.set(w, r, id)
	return id
}

func (s *Sessions) set(w http.ResponseWriter, r *http.Request, id string) {
	//nolint:gosec // G124: Secure is set wherever the shop is reached over HTTPS.
	http.SetCookie(w, &http.Cookie{
		Name: SessionCookie, Value: id + "." + sign(s.keys[0], id), Path: "/", MaxAge: 30 * 24 * 60 * 60,
		HttpOnly: true, Secure: isHTTPS(r),
		// Lax: the buyer comes back from the payment window.
		SameSite: http.SameSiteLaxMode,
	})
}

func sign(key, id string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
