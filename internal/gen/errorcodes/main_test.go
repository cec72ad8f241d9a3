package main

import (
	"os"
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
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate([]byte(data))
			assert.Error(t, err)
		})
	}
}
