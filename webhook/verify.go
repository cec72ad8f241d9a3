package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// Transmission is what the headers of a delivery say.
type Transmission struct {
	// ID is the transmission id. It stays the same when a delivery is repeated (seen
	// once, not documented), so deduplicate by [Event.Identity] too.
	ID string
	// Time is the time of this delivery as it was written: the signature covers it.
	Time string
	// RetriedCount is how often it was delivered before.
	RetriedCount int
	// Signature is "" for events that are not signed.
	Signature string
}

const (
	maxID         = 200
	maxTime       = 64
	maxSignature  = 1 << 10
	maxSignatures = 10
)

// ParseTransmission reads the headers of a delivery, through the server's function for
// it: r.Header.Get of net/http, c.GetHeader of gin. Long values are cut. The result does
// not alias the header values.
func ParseTransmission(header func(name string) string) Transmission {
	value := func(name string, limit int) string {
		v := header("Tosspayments-Webhook-" + name)
		return strings.Clone(v[:min(len(v), limit)])
	}
	retried, _ := strconv.Atoi(value("Transmission-Retried-Count", 10))
	return Transmission{
		ID:           value("Transmission-Id", maxID),
		Time:         value("Transmission-Time", maxTime),
		RetriedCount: retried,
		Signature:    value("Signature", maxSignature),
	}
}

var (
	// ErrBody says that there is no body to verify.
	ErrBody = error(sentinel("tosspayments: webhook: the body is empty"))
	// ErrHeader says that the signature or the transmission time is missing. Only
	// payout.changed and seller.changed are signed.
	ErrHeader = error(sentinel("tosspayments: webhook: the signature or transmission-time header is missing"))
	// ErrVersion says that no signature is of a known version (v1).
	ErrVersion = error(sentinel("tosspayments: webhook: no signature of a known version (v1)"))
	// ErrSignature says that no signature matches any of the keys.
	ErrSignature = error(sentinel("tosspayments: webhook: no signature matches: verify the raw bytes of the body, before any JSON decoding, with the security key (64 hexadecimal digits), not the secret key"))
	// ErrAge says that a signature matches, but that the delivery is older or newer than
	// [Verifier.MaxAge] allows.
	ErrAge = error(sentinel("tosspayments: webhook: signed, but its transmission time is too far from now"))
)

// Verifier verifies the signature of payout.changed and seller.changed. No other event
// is documented as signed.
type Verifier struct {
	// MaxAge, if it is not 0, is how far the transmission time of a genuine delivery may
	// be from this machine's clock, in either direction. It keeps whoever has recorded a
	// delivery from sending it again later. Set it before the first use.
	//
	// Every repetition has a time of its own, so five minutes lose nothing in normal
	// operation. What it costs: with a clock that is wrong, or behind a queue that holds
	// requests up, genuine deliveries are refused, and lost after the last repetition.
	// Deduplicating by [Event.Identity] protects without that risk.
	MaxAge time.Duration

	// macs holds the keys, which a closure keeps from being printed.
	macs func(body []byte, time string) [][]byte
}

// NewVerifier takes the security keys (not the secret key): two while a key is being
// replaced. Whether the text of a key or its decoded bytes sign is not documented, so
// both are accepted. It returns a [*tosspayments.ValidationError] for anything but 64
// hexadecimal digits.
func NewVerifier(securityKeys ...string) (*Verifier, error) {
	if len(securityKeys) == 0 {
		return nil, invalid("securityKey", "is missing")
	}
	var keys [][]byte
	for _, key := range securityKeys {
		key = strings.TrimSpace(key)
		decoded, err := decodeKey(key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, []byte(key), decoded)
	}
	return &Verifier{macs: func(body []byte, time string) (macs [][]byte) {
		for _, key := range keys {
			macs = append(macs, mac(key, body, time))
		}
		return macs
	}}, nil
}

func decodeKey(key string) ([]byte, error) {
	decoded, err := hex.DecodeString(key)
	if err != nil || len(decoded) != 32 {
		return nil, invalid("securityKey", "must have 64 hexadecimal digits")
	}
	return decoded, nil
}

// Format keeps the keys from being printed.
func (v Verifier) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// Verify checks the raw body of a delivery. Its error is one of [ErrBody], [ErrHeader],
// [ErrVersion], [ErrSignature] and [ErrAge].
func (v *Verifier) Verify(body []byte, t Transmission) error {
	switch {
	case len(body) == 0:
		return ErrBody
	case t.Signature == "" || t.Time == "":
		return ErrHeader
	case len(t.Signature) > maxSignature || len(t.Time) > maxTime:
		return ErrSignature
	}
	signatures, known := signaturesOf(t.Signature)
	switch {
	case !known:
		return ErrVersion
	case len(signatures) == 0 || v.macs == nil:
		return ErrSignature
	}
	matches := 0
	for _, mac := range v.macs(body, t.Time) {
		for _, signature := range signatures {
			matches |= subtle.ConstantTimeCompare(signature, mac)
		}
	}
	if matches == 0 {
		return ErrSignature
	}
	if v.MaxAge > 0 {
		sent, err := lenient.ParseTime(t.Time)
		if err != nil || time.Since(sent).Abs() > v.MaxAge {
			return ErrAge
		}
	}
	return nil
}

// signaturesOf returns the first few signatures of version 1 that can be any. known is
// false if nothing is of that version.
func signaturesOf(header string) (signatures [][]byte, known bool) {
	for item := range strings.SplitSeq(header, ",") {
		// Some deliveries have the version on the first signature only.
		version, encoded, found := strings.Cut(strings.TrimSpace(item), ":")
		if !found {
			version, encoded = "v1", version
		}
		if version != "v1" {
			continue
		}
		known = true
		if len(encoded) != base64.StdEncoding.EncodedLen(sha256.Size) || len(signatures) == maxSignatures {
			continue
		}
		if signature, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			signatures = append(signatures, signature)
		}
	}
	return signatures, known
}

func mac(key, body []byte, time string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	mac.Write([]byte(":" + time))
	return mac.Sum(nil)
}

// Sign signs a body as Toss Payments does, for tests of a receiver. With decoded it signs
// with the bytes that the key's digits stand for, otherwise with its text.
func Sign(securityKey string, body []byte, transmissionTime string, decoded bool) (string, error) {
	key, err := decodeKey(securityKey)
	if err != nil {
		return "", err
	}
	if !decoded {
		key = []byte(securityKey)
	}
	return "v1:" + base64.StdEncoding.EncodeToString(mac(key, body, transmissionTime)), nil
}
