package shop_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// TestForms are small, and never files.
func TestForms(t *testing.T) {
	const form, multipart = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
	file := "--b\r\nContent-Disposition: form-data; name=\"quantity\"; filename=\"f\"\r\n\r\n1\r\n--b--\r\n"
	for name, row := range map[string]struct {
		contentType, body string
		status            int
	}{
		"a form":           {form, "quantity=2", http.StatusOK},
		"a long form":      {form, "quantity=2&note=" + strings.Repeat("x", 16<<10), http.StatusRequestEntityTooLarge},
		"a broken form":    {form, "quantity=%zz", http.StatusBadRequest},
		"a file":           {multipart, file, http.StatusUnsupportedMediaType},
		"a file, shouted":  {strings.ToUpper(multipart), file, http.StatusUnsupportedMediaType},
		"JSON of any size": {"application/json", strings.Repeat("x", 1<<20), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
				quantity := r.PostFormValue("quantity")
				if strings.HasPrefix(r.Header.Get("Content-Type"), form) {
					assert.Equal(t, "2", quantity)
					return
				}
				n, err := io.Copy(io.Discard, r.Body)
				assert.NoError(t, err)
				assert.EqualValues(t, len(row.body), n)
			})
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.contentType)
			w := httptest.NewRecorder()
			shop.Protect(mux, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
			assert.Equal(t, row.status, w.Code)
		})
	}
}

func TestHeadersAndStyle(t *testing.T) {
	mux := http.NewServeMux()
	handler := shop.Protect(mux, slog.New(slog.DiscardHandler))
	get := func(target string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		return w
	}
	assert.Equal(t, http.StatusOK, get("/web/style.css").Code)
	for _, hidden := range []string{"/web/", "/web/layout.html"} {
		assert.Equal(t, http.StatusNotFound, get(hidden).Code, hidden)
	}
	h := get("/web/style.css").Header()
	assert.Contains(t, h.Get("Content-Security-Policy"), "form-action 'self'")
	assert.Empty(t, h.Get("Strict-Transport-Security"), "not over HTTP")
	assert.NotEmpty(t, get("https://shop.example/web/style.css").Header().Get("Strict-Transport-Security"))
}
