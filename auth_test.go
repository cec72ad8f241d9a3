package tosspayments_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

// parsedKey parses a key that is good.
func parsedKey(t *testing.T, text string) tosspayments.SecretKey {
	t.Helper()
	key, err := tosspayments.ParseSecretKey(text)
	require.NoError(t, err, "%q", text)
	return key
}

func TestAuthorizationOfASecretKey(t *testing.T) {
	for _, text := range []string{testKey, " " + testKey + "\n", "\uFEFF" + testKey, "\t\uFEFF " + testKey + "\r\n"} {
		assert.Equal(t, "Basic dGVzdF9za196WExrS0V5cE5BcldtbzUwblgzbG1lYXhZRzVSOg==", parsedKey(t, text).Authorization(), "%q", text)
	}
	assert.Empty(t, tosspayments.SecretKey{}.Authorization())
}

func TestKindsOfSecretKeys(t *testing.T) {
	for text, want := range map[string]struct{ test, live, widget bool }{
		testKey:                                {test: true},
		"live_gsk_abc":                         {live: true, widget: true},
		"test_ak_ZORzdMaqN3wQd5k6ygr5AkYXQGwy": {test: true},
		"something_new":                        {},
	} {
		key := parsedKey(t, text)
		assert.Equal(t, want, struct{ test, live, widget bool }{key.IsTest(), key.IsLive(), key.IsWidget()}, text)
	}
	assert.False(t, tosspayments.SecretKey{}.IsTest())
}

func TestSecretKeyMistakesAreNamed(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	for key, reason := range map[string]string{
		"": "empty", " \n\t": "empty", "\uFEFF": "empty",
		"test_ck_D5GePWvyJnrK0W0k6q8gLzN97Eoq": "client key", "live_gck_abc": "client key",
		encode([]byte(testKey + ":")): "Base64", encode([]byte(testKey)): "Base64", "77u/" + encode([]byte(testKey+":")): "Base64",
		"Basic " + encode([]byte(testKey+":")): "Authorization header",
		strings.Repeat("0aF9", 16):             "security key",
		"test_sk_abc def":                      "white space", "test_sk_abc\ndef": "white space",
		testKey + ":": "colon", `"` + testKey + `"`: "quote", "test_sk_한글": "non-ASCII", "test_sk_\u200babc": "invisible",
	} {
		_, err := tosspayments.New(key)
		var invalid *tosspayments.ValidationError
		require.ErrorAs(t, err, &invalid, "%q", key)
		assert.Equal(t, "secretKey", invalid.Field)
		assert.Contains(t, invalid.Reason, reason, "%q", key)
		if trimmed := strings.TrimSpace(key); len(trimmed) > 3 {
			assert.NotContains(t, err.Error(), trimmed)
		}
	}
}

// Whatever prints a value that holds a secret must not show it.
func TestSecretsAreNeverPrinted(t *testing.T) {
	key, err := tosspayments.ParseSecretKey(testKey)
	require.NoError(t, err)
	client, err := tosspayments.New(testKey)
	require.NoError(t, err)
	type holder struct {
		Key    tosspayments.SecretKey
		hidden tosspayments.SecretKey
		secret tosspayments.Sensitive
		client *tosspayments.Client
	}
	secret := tosspayments.NewSensitive("ps_exampleSecretValue01")
	h := holder{Key: key, hidden: key, secret: secret, client: client}
	payment := loadPayment(t, "payment_full.json")
	redirect, err := tosspayments.ParseBillingURL(parseURL(t, "https://shop/ok?customerKey=customer-1&authKey=ps_exampleSecretValue01"))
	require.NoError(t, err)

	var out bytes.Buffer
	for _, value := range []any{
		key, &key, secret, &secret, h, &h, []any{h}, map[string]any{"k": h}, client, *client, payment, *payment, redirect,
		errors.Join(errors.New("x"), fmt.Errorf("%v %v", key, secret)),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10.3s", "%b", "%c", "%T"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(handler).Info("x", "value", value)
		}
	}
	for _, value := range []any{key, h, &h, client} {
		encoded, _ := json.Marshal(value)
		out.Write(encoded)
	}
	text, err := key.MarshalText()
	require.NoError(t, err)
	out.Write(text)

	for _, leak := range []string{"zXLkKEypNArWmo50nX3lmeaxYG5R", "dGVzdF9za1", fmt.Sprintf("%x", "zXLkKEyp"), fmt.Sprintf("%X", "zXLkKEyp")} {
		assert.NotContains(t, out.String(), leak)
	}
	printed := strings.ReplaceAll(out.String(), `"secret":"ps_exampleSecretValue01"`, "")
	printed = strings.ReplaceAll(printed, `"accountNumber":"X6505636518308"`, "")
	printed = strings.ReplaceAll(printed, `"accountNumber":"1000123456789"`, "")
	printed = strings.ReplaceAll(printed, `"authKey":"ps_exampleSecretValue01"`, "")
	for _, leak := range []string{"ps_exampleSecretValue01", "X6505636518308", "1000123456789", fmt.Sprintf("%x", "ps_exampleSecret")} {
		assert.NotContains(t, printed, leak)
	}
	assert.Contains(t, printed, "[redacted]")
}

func FuzzParseSecretKey(f *testing.F) {
	for _, seed := range []string{testKey, " " + testKey, "live_gck_1", "Basic abc", "\uFEFF"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := tosspayments.ParseSecretKey(text)
		if err != nil {
			return
		}
		plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key.Authorization(), "Basic "))
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(string(plain), ":"))
		require.Contains(t, text, strings.TrimSuffix(string(plain), ":"))
		require.Equal(t, strings.Repeat("[redacted]", 3), fmt.Sprintf("%v%+v%#v", key, key, key))
	})
}
