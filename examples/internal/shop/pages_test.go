package shop_test

import (
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// style is what the shops look like.
func style(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	shop.Protect(http.NewServeMux(), slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/web/style.css", nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

// TestWhatIsHiddenIsNotShown, whatever else is said about it.
func TestWhatIsHiddenIsNotShown(t *testing.T) {
	assert.Contains(t, style(t), "[hidden] { display: none !important; }")
}

// TestContrast compares colours that lie upon each other, as WCAG 2.2 AA asks: 4.5 for
// text, 3 for the edges of fields. In the dark it is the same.
func TestContrast(t *testing.T) {
	light, dark, found := strings.Cut(style(t), "prefers-color-scheme: dark")
	require.True(t, found)
	for theme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{"white": "#fff"}
		for _, match := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(text, -1) {
			colours[match[1]] = match[2]
		}
		for _, pair := range []struct {
			over, under string
			least       float64
		}{
			{"text", "ground", 4.5}, {"text", "card", 4.5}, {"muted", "card", 4.5}, {"muted", "ground", 4.5}, {"white", "blue", 4.5}, {"white", "blue-over", 4.5}, {"second-text", "second-over", 4.5},
			{"second-text", "second", 4.5}, {"note-text", "note", 4.5}, {"note-text", "card", 4.5}, {"bad-text", "bad", 4.5},
			{"bad-text", "card", 4.5}, {"good-text", "card", 4.5}, {"sandbox-text", "sandbox", 4.5}, {"edge", "card", 3},
		} {
			a, b := luminance(t, colours[pair.over]), luminance(t, colours[pair.under])
			assert.GreaterOrEqual(t, (max(a, b)+0.05)/(min(a, b)+0.05), pair.least, "%s: %s on %s", theme, pair.over, pair.under)
		}
	}
}

// luminance is the relative luminance of a colour such as #fff or #1b64da.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(colour, "#")
	if len(digits) == 3 {
		digits = strings.Join([]string{digits[:1], digits[:1], digits[1:2], digits[1:2], digits[2:], digits[2:]}, "")
	}
	rgb, err := strconv.ParseUint(digits, 16, 32)
	require.NoError(t, err, colour)
	linear := func(shift int) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}
