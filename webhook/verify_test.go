package webhook_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/webhook"
)

const (
	securityKey = "1111111111111111111111111111111111111111111111111111111111111111"
	sentAt      = "2026-03-01T12:19:21+09:00"
)

func verifier(t testing.TB, keys ...string) *webhook.Verifier {
	t.Helper()
	v, err := webhook.NewVerifier(keys...)
	require.NoError(t, err)
	return v
}

func sign(t testing.TB, key, body, at string, decoded bool) string {
	t.Helper()
	signature, err := webhook.Sign(key, []byte(body), at, decoded)
	require.NoError(t, err)
	return signature
}

func TestVerify(t *testing.T) {
	const other = "2222222222222222222222222222222222222222222222222222222222222222"
	verifier := verifier(t, securityKey, other)
	own := sign(t, securityKey, payoutEvent, sentAt, true)
	wrong := sign(t, strings.Repeat("33", 32), payoutEvent, sentAt, true)
	for name, row := range map[string]struct {
		body, time, signature string
		wants                 error
	}{
		"text of the key":       {payoutEvent, sentAt, sign(t, securityKey, payoutEvent, sentAt, false), nil},
		"bytes of the key":      {payoutEvent, sentAt, own, nil},
		"the other key":         {payoutEvent, sentAt, sign(t, other, payoutEvent, sentAt, true), nil},
		"second of two":         {payoutEvent, sentAt, wrong + "," + own, nil},
		"second without prefix": {payoutEvent, sentAt, wrong + ", " + strings.TrimPrefix(own, "v1:"), nil},
		"last of ten":           {payoutEvent, sentAt, strings.Repeat(wrong+",", 9) + own, nil},
		"last of eleven":        {payoutEvent, sentAt, strings.Repeat(wrong+",", 10) + own, webhook.ErrSignature},
		"wrong key":             {payoutEvent, sentAt, wrong, webhook.ErrSignature},
		"another time":          {payoutEvent, "2026-03-01T12:19:22+09:00", own, webhook.ErrSignature},
		"encoded again":         {strings.ReplaceAll(payoutEvent, "\n", ""), sentAt, own, webhook.ErrSignature},
		"not base64":            {payoutEvent, sentAt, "v1:***", webhook.ErrSignature},
		"cut":                   {payoutEvent, sentAt, own[:43], webhook.ErrSignature},
		"empty items":           {payoutEvent, sentAt, ",,,", webhook.ErrSignature},
		"unknown version":       {payoutEvent, sentAt, "v2:abcd", webhook.ErrVersion},
		"no signature":          {payoutEvent, sentAt, "", webhook.ErrHeader},
		"no time":               {payoutEvent, "", own, webhook.ErrHeader},
		"no body":               {"", sentAt, own, webhook.ErrBody},
		"a long header":         {payoutEvent, sentAt, own + strings.Repeat(",", 1<<10), webhook.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			err := verifier.Verify([]byte(row.body), webhook.Transmission{Time: row.time, Signature: row.signature})
			if row.wants == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, row.wants)
			}
		})
	}
	assert.Contains(t, webhook.ErrSignature.Error(), "raw bytes")
	require.ErrorIs(t, new(webhook.Verifier).Verify([]byte(payoutEvent), webhook.Transmission{Time: sentAt, Signature: own}), webhook.ErrSignature)
	for _, keys := range [][]string{nil, {"test_sk_x"}, {"11"}, {securityKey, ""}} {
		_, err := webhook.NewVerifier(keys...)
		require.Error(t, err)
	}
	_, err := webhook.Sign("test_sk_x", nil, sentAt, false)
	require.Error(t, err)
}

// Vectors that were not computed by this package.
func TestSignatureVectors(t *testing.T) {
	const (
		key  = "7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57"
		body = `{"eventType":"payout.changed","createdAt":"2026-03-06T09:30:00+09:00","version":"2022-11-16","eventId":"evt_example_1","entityType":"payout","entityBody":{"id":"FPA_example1","status":"COMPLETED"}}`
		at   = "2026-03-06T09:30:01+09:00"
	)
	for decoded, want := range map[bool]string{
		false: "v1:H5xevwxzO/HD+8gdkemF21fz9Ns1ygA5d5lIt7BX0YQ=",
		true:  "v1:OR1OJW6P40NdCYIL1xOWf69W27XVXbTnYkH/ymekgjk=",
	} {
		assert.Equal(t, want, sign(t, key, body, at, decoded))
		assert.NoError(t, verifier(t, key).Verify([]byte(body), webhook.Transmission{Time: at, Signature: want}))
	}
}

func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		verifier := verifier(t, securityKey)
		verify := func(at string) error {
			return verifier.Verify([]byte(payoutEvent), webhook.Transmission{Time: at, Signature: sign(t, securityKey, payoutEvent, at, true)})
		}
		const longAgo = "2001-01-01T00:00:00+09:00"
		assert.NoError(t, verify(longAgo), "there is no limit unless one is set")
		verifier.MaxAge = 5 * time.Minute
		seoul := time.FixedZone("KST", 9*60*60)
		for offset, ok := range map[time.Duration]bool{
			0: true, -4 * time.Minute: true, 4 * time.Minute: true, -6 * time.Minute: false, 6 * time.Minute: false,
		} {
			err := verify(time.Now().Add(offset).In(seoul).Format(time.RFC3339))
			if ok {
				assert.NoError(t, err, offset)
			} else {
				assert.ErrorIs(t, err, webhook.ErrAge, offset)
			}
		}
		assert.ErrorIs(t, verify(longAgo), webhook.ErrAge)
		assert.ErrorIs(t, verify("now"), webhook.ErrAge)
	})
}

func TestParseTransmission(t *testing.T) {
	header := http.Header{}
	assert.Equal(t, webhook.Transmission{}, webhook.ParseTransmission(header.Get))
	header.Set("Tosspayments-Webhook-Transmission-Id", "whtrans_1")
	header.Set("Tosspayments-Webhook-Transmission-Time", sentAt)
	header.Set("Tosspayments-Webhook-Transmission-Retried-Count", "2")
	header.Set("Tosspayments-Webhook-Signature", "v1:a")
	assert.Equal(t, webhook.Transmission{ID: "whtrans_1", Time: sentAt, RetriedCount: 2, Signature: "v1:a"}, webhook.ParseTransmission(header.Get))
	long := webhook.ParseTransmission(func(string) string { return strings.Repeat("7", 1<<20) })
	assert.Less(t, len(long.ID+long.Time+long.Signature), 2<<10)
}

// collector collects what an assertion prints.
type collector struct{ strings.Builder }

func (c *collector) Errorf(format string, args ...any) { fmt.Fprintf(c, format, args...) }

// The keys are printed neither by fmt, also of a copy, nor by the diff of a test.
func TestVerifierPrintsNoKey(t *testing.T) {
	const key, text = "a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0", "a1a2a3a4"
	v := verifier(t, key)
	var diff collector
	assert.Equal(&diff, *v, webhook.Verifier{})
	assert.EqualExportedValues(&diff, struct{ V *webhook.Verifier }{v}, struct{ V *webhook.Verifier }{})
	assertNotPrinted(t, text, diff.String())
	for _, value := range []any{v, *v, []any{*v}, struct{ V webhook.Verifier }{*v}, &webhook.Handler{Verifier: v}} {
		assertNotPrinted(t, text, printed(value))
		assertNotPrinted(t, text, logged(value))
	}
	assert.Equal(t, "[redacted]", fmt.Sprintf("%+v", *v))
}

// printed is how fmt shows a value.
func printed(value any) (all string) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		all += fmt.Sprintf(verb, value) + "\n"
	}
	return all
}

// logged is how slog shows a value.
func logged(value any) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", value)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", value)
	return out.String()
}

// assertNotPrinted looks for a text in every form that its bytes may have.
func assertNotPrinted(t *testing.T, secret, out string) {
	t.Helper()
	decimals := strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]")
	bytes := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(secret)), "[]byte{"), "}")
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), decimals, bytes} {
		assert.NotContains(t, strings.ToLower(out), form)
	}
}
