package shop_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

var sessions = shop.Sessions{Name: "coffee", Lifetime: time.Hour}

// started is a customer with the cookie of a new session.
func started(t *testing.T, sessions *shop.Sessions, address string) (id string, cookie *http.Cookie) {
	t.Helper()
	w := httptest.NewRecorder()
	id = sessions.Start(w, httptest.NewRequest(http.MethodPost, address, nil))
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	return id, cookies[0]
}

// whoHas is the customer that a request with such a cookie comes from.
func whoHas(sessions *shop.Sessions, address, name, value string) string {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.AddCookie(&http.Cookie{Name: name, Value: value})
	return sessions.Customer(r)
}

const plain, secure = "http://shop.example/", "https://shop.example/"

func TestSessions(t *testing.T) {
	assert.Empty(t, sessions.Customer(httptest.NewRequest(http.MethodGet, plain, nil)), "a visitor")
	id, cookie := started(t, &sessions, plain)
	assert.Equal(t, id, whoHas(&sessions, plain, cookie.Name, cookie.Value))
	another, _ := started(t, &sessions, plain)
	assert.NotEqual(t, id, another, "a new session is another customer")
	assert.NotContains(t, cookie.Value, id)
	assert.Empty(t, whoHas(&sessions, plain, cookie.Name, id), "the id in the database does not sign in")
}

func TestCookieOfAShop(t *testing.T) {
	id, cookie := started(t, &sessions, plain)
	assert.Equal(t, "coffee", cookie.Name)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite, "the buyer comes back from the window")
	tea := shop.Sessions{Name: "tea", Lifetime: time.Hour}
	assert.NotEqual(t, id, whoHas(&tea, plain, "tea", cookie.Value), "a cookie of another shop")
}

func TestCookieOverHTTPS(t *testing.T) {
	_, cookie := started(t, &sessions, secure)
	assert.Equal(t, "__Host-coffee", cookie.Name, "which no other host can set")
	assert.True(t, cookie.Secure && cookie.HttpOnly && cookie.Path == "/" && cookie.Domain == "", "what the name asks for")
	assert.Empty(t, whoHas(&sessions, secure, "coffee", cookie.Value), "a name that anybody can set")
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id, cookie := started(t, &sessions, plain)
		expires, secret, _ := strings.Cut(cookie.Value, ".")
		at, err := strconv.ParseInt(expires, 10, 64)
		require.NoError(t, err)
		prolonged := strconv.FormatInt(at+60, 10) + "." + secret
		assert.Empty(t, whoHas(&sessions, plain, cookie.Name, prolonged), "longer than any session lasts")
		time.Sleep(time.Hour - time.Second)
		assert.Equal(t, id, whoHas(&sessions, plain, cookie.Name, cookie.Value))
		assert.NotEqual(t, id, whoHas(&sessions, plain, cookie.Name, prolonged), "another time is another customer")
		time.Sleep(time.Second)
		assert.Empty(t, whoHas(&sessions, plain, cookie.Name, cookie.Value))
	})
}

// from is a request of an address.
func from(address string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, plain, nil)
	r.RemoteAddr = address
	return r
}

// reached is a limiter that has counted three times, which is the limit.
func reached(t *testing.T, now time.Time, address, customer string) *shop.Limiter {
	t.Helper()
	limiter := &shop.Limiter{Count: 3, Period: time.Minute}
	for range 3 {
		require.True(t, limiter.Allow(now, from(address), customer))
	}
	return limiter
}

func TestLimitOfACustomer(t *testing.T) {
	now := time.Now()
	limiter := reached(t, now, "192.0.2.1:1000", "customer")
	assert.False(t, limiter.Allow(now, from("192.0.2.2:1000"), "customer"), "wherever they are")
	assert.True(t, limiter.Allow(now.Add(time.Minute), from("192.0.2.1:1000"), "customer"), "until the next period")
}

func TestLimitOfAnAddress(t *testing.T) {
	now := time.Now()
	limiter := reached(t, now, "192.0.2.1:1000", "customer")
	assert.False(t, limiter.Allow(now, from("192.0.2.1:2000"), "another customer"))
	limiter = reached(t, now, "[2001:db8::1]:1000", "customer")
	assert.False(t, limiter.Allow(now, from("[2001:db8::2]:1000"), "another customer"), "of the same network")
}

func TestLimitOfVisitors(t *testing.T) {
	now := time.Now()
	limiter := reached(t, now, "192.0.2.1:1000", "")
	assert.False(t, limiter.Allow(now, from("192.0.2.1:1000"), ""))
	assert.True(t, limiter.Allow(now, from("192.0.2.2:1000"), ""), "they are not one customer")
}
