package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConstName(t *testing.T) {
	for code, want := range map[string]string{
		"NOT_FOUND_PAYMENT_SESSION": "ErrNotFoundPaymentSession",
		"INVALID_API_KEY":           "ErrInvalidAPIKey",
		"NOT_FOUND_TERMINAL_ID":     "ErrNotFoundTerminalID",
		"NOT_SUPPORTED_USD":         "ErrNotSupportedUSD",
		"FAILED_DB_PROCESSING":      "ErrFailedDBProcessing",
		"INVALID_URL_FORMAT":        "ErrInvalidURLFormat",
		"NOT_FOUND_HTTP_METHOD":     "ErrNotFoundHTTPMethod",
		"V1_METHOD_NOT_SUPPORTED":   "ErrV1MethodNotSupported",
	} {
		assert.Equal(t, want, constName(code))
	}
}

func TestCatalogIsGenerated(t *testing.T) {
	want, err := generate(data)
	require.NoError(t, err)
	got, err := os.ReadFile("../../../errorcodes.go")
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "errorcodes.go is out of date: run go generate")
}

func TestServerErrorsAreNeverDecided(t *testing.T) {
	entries, err := parse(data)
	require.NoError(t, err)
	for _, e := range entries {
		for _, status := range e.Statuses {
			if status >= 500 {
				assert.Equal(t, "unknown", e.Class, e.Code)
			}
		}
	}
}

func TestBadCatalogIsRefused(t *testing.T) {
	for name, data := range map[string]string{
		"class":   `[{"code":"A","class":"x","korean":"a","english":"a"}]`,
		"message": `[{"code":"A","class":"wait","korean":"","english":"a"}]`,
		"name":    `[{"code":"A_B","class":"wait","korean":"a","english":"a"},{"code":"A__B","class":"wait","korean":"a","english":"a"}]`,
		"field":   `[{"code":"A","klass":"wait"}]`,
		"note":    `[{"code":"A","class":"wait","korean":"a","english":"a","note":"a"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate([]byte(data))
			assert.Error(t, err)
		})
	}
}

func TestPagesAreGenerated(t *testing.T) {
	for _, p := range []*page{&english, &korean} {
		want, err := generatePage(data, p)
		require.NoError(t, err)
		got, err := os.ReadFile("../../../docs/" + p.file)
		require.NoError(t, err)
		assert.True(t, string(want) == string(got), "%s is out of date: run go generate", p.file)
	}
}

func TestEveryCodeIsOnBothPagesOnce(t *testing.T) {
	entries, err := parse(data)
	require.NoError(t, err)
	for _, p := range []*page{&english, &korean} {
		text, err := os.ReadFile("../../../docs/" + p.file)
		require.NoError(t, err)
		for _, e := range entries {
			row := "\n| `" + e.Code + "`"
			assert.Equal(t, 1, strings.Count(string(text), row+" | `"+constName(e.Code)+"` |")+
				strings.Count(string(text), row+" † | `"+constName(e.Code)+"` |"), "%s: %s", p.file, e.Code)
			assert.Contains(t, string(text), cell(e.Korean), p.file)
		}
		assert.Equal(t, len(entries), strings.Count(string(text), "\n| `"), p.file)
	}
}

func TestPageNeedsAllNames(t *testing.T) {
	_, err := generatePage([]byte(`[{"code":"A","class":"wait","korean":"a","english":"a","operations":["payments.confirm"]}]`), &korean)
	require.NoError(t, err)
	_, err = generatePage([]byte(`[{"code":"A","class":"wait","korean":"a","english":"a","operations":["moon"]}]`), &korean)
	require.Error(t, err)
	none := korean
	none.classes = nil
	_, err = generatePage([]byte(`[{"code":"A","class":"wait","korean":"a","english":"a"}]`), &none)
	require.Error(t, err)
}

func TestCellsStayInTheirTable(t *testing.T) {
	assert.Equal(t, `a\|b &lt;c> \*d e`, cell("a|b <c> *d\ne"))
}
