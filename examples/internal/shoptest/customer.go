package shoptest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"time"

	"github.com/seed238ab19c/tosspayments"
	"github.com/stretchr/testify/require"
)

// Customer is a browser without pages.
type Customer struct {
	t      *testing.T
	Client *http.Client
	Shop   string
}

// NewCustomer visits a shop.
func NewCustomer(t *testing.T, shop string) *Customer {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &Customer{t: t, Client: &http.Client{Jar: jar, Timeout: time.Minute}, Shop: shop}
}

// Cookies are those that the shop has set.
func (c *Customer) Cookies() []*http.Cookie {
	c.t.Helper()
	address, err := url.Parse(c.Shop)
	require.NoError(c.t, err)
	return c.Client.Jar.Cookies(address)
}

// Page returns a page.
func (c *Customer) Page(path string) string {
	c.t.Helper()
	response, err := c.Client.Get(c.Shop + path)
	require.NoError(c.t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return string(body)
}

// Submit sends a form and returns the path that it led to. A killed shop gives an
// error.
func (c *Customer) Submit(path string, form url.Values) (led string, err error) {
	response, err := c.Client.PostForm(c.Shop+path, form)
	if err != nil {
		return "", err
	}
	return response.Request.URL.RequestURI(), response.Body.Close()
}

// Post sends JSON, secrets in it too, and returns the status. A killed shop gives an error.
func (c *Customer) Post(path string, body any) (status int, err error) {
	data, err := json.Marshal(tosspayments.Store(body))
	require.NoError(c.t, err)
	response, err := c.Client.Post(c.Shop+path, "application/json", bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
