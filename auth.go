package tosspayments

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// SecretKey is a merchant's secret key: the user name of every call.
//
// It cannot be printed: every verb of fmt, slog, JSON and text encoding give
// "[redacted]", also where the key is an unexported field of another value. The zero
// SecretKey is not a key.
//
// Source: https://docs.tosspayments.com/reference/using-api/api-keys
type SecretKey struct {
	// A closure keeps the text out of reach of fmt and of debug printers that
	// follow pointers.
	reveal func() string
}

// ParseSecretKey reads a secret key as it is copied from the developer centre.
//
// White space and a UTF-8 byte order mark around the key are dropped. Refused,
// with a [*ValidationError] that names the mistake and never the key: an empty
// key, a client key (ck, gck), a key that is already Base64, a security key
// (64 hexadecimal digits), a trailing colon, and white space or characters
// that cannot be part of a key inside it. A prefix that is old or not known is
// accepted.
func ParseSecretKey(key string) (SecretKey, error) {
	key = strings.TrimFunc(key, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
	if reason := secretKeyProblem(key); reason != "" {
		return SecretKey{}, &ValidationError{Field: "secretKey", Reason: reason}
	}
	return SecretKey{reveal: func() string { return key }}, nil
}

func secretKeyProblem(key string) string {
	switch {
	case key == "":
		return "is empty: pass the secret key (test_sk_…, live_sk_…, test_gsk_… or live_gsk_…) from the developer centre"
	case strings.HasPrefix(key, "Basic "):
		return "is an Authorization header: pass the plain secret key, the library encodes it"
	case strings.ContainsFunc(key, unicode.IsSpace):
		return "has white space inside: copy the key again, without quotes or line breaks"
	case strings.Contains(key, "_ck_") || strings.Contains(key, "_gck_"):
		return "is a client key (ck, gck), which belongs in the browser: pass the secret key (sk, gsk) of the same set"
	case len(key) == 64 && isHex(key):
		return "is a security key (64 hexadecimal digits), which encrypts payouts: pass the secret key (sk, gsk)"
	case isEncodedKey(key):
		return "is already Base64: pass the plain secret key, the library encodes it"
	case strings.HasSuffix(key, ":"):
		return "ends with a colon: pass the key alone, the library adds the colon"
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"':", r) }):
		return "has a quote, a colon, or an invisible or non-ASCII character: copy the key again"
	}
	return ""
}

func isHex(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })
}

// isEncodedKey reports whether s is Base64 of a key, with or without its colon.
func isEncodedKey(s string) bool {
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return false
	}
	text := strings.TrimPrefix(string(plain), "\uFEFF")
	return strings.HasPrefix(text, "test_") || strings.HasPrefix(text, "live_")
}

// IsTest reports whether the key belongs to the test environment (test_…).
func (k SecretKey) IsTest() bool { return strings.HasPrefix(k.text(), "test_") }

// IsLive reports whether the key moves real money (live_…).
func (k SecretKey) IsLive() bool { return strings.HasPrefix(k.text(), "live_") }

// IsWidget reports whether the key belongs to the widget set (gsk), which cannot
// be used for billing, BrandPay and payouts.
func (k SecretKey) IsWidget() bool { return strings.Contains(k.text(), "_gsk_") }

// Authorization returns the value of the Authorization header: "Basic " and the
// standard Base64 of the key and a colon. It is the key in another form, so it
// must not be logged. The zero SecretKey gives "".
func (k SecretKey) Authorization() string {
	if k.reveal == nil {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(k.text()+":"))
}

func (k SecretKey) text() string {
	if k.reveal == nil {
		return ""
	}
	return k.reveal()
}

// Format writes "[redacted]" whatever the verb.
func (SecretKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns "[redacted]".
func (SecretKey) String() string { return redacted }

// LogValue returns "[redacted]".
func (SecretKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]".
func (SecretKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// id is a fingerprint from which the key cannot be found: keys are long and random.
func (k SecretKey) id() string {
	sum := sha256.Sum256([]byte("tosspayments key id\n" + k.text()))
	return hex.EncodeToString(sum[:8])
}
