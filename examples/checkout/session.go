package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

const sessionCookie = "customer"

// customer returns who is asking. A new visitor gets an id that cannot be guessed, in
// a cookie that cannot be forged.
func (s *shop) customer(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		id, signature, _ := strings.Cut(cookie.Value, ".")
		if hmac.Equal([]byte(signature), []byte(s.sign(id))) {
			return id
		}
	}
	id := rand.Text()
	//nolint:gosec // G124: Secure is set wherever the shop is reached over HTTPS.
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: id + "." + s.sign(id), Path: "/", MaxAge: 30 * 24 * 60 * 60,
		HttpOnly: true, Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
		// Lax: the buyer comes back from the payment window.
		SameSite: http.SameSiteLaxMode,
	})
	return id
}

func (s *shop) sign(id string) string {
	mac := hmac.New(sha256.New, []byte(s.sessionKey))
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
