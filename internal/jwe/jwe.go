// Package jwe seals and opens the bodies of Toss Payments' ENCRYPTION mode: JWE in compact
// form with a shared key, "dir" and "A256GCM" (RFC 7516, RFC 7518).
package jwe

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	keySize = 32
	ivSize  = 12
	tagSize = 16
)

// Key is a security key.
type Key struct{ aead cipher.AEAD }

// ParseKey reads a key of 64 hexadecimal characters. The error does not repeat it.
func ParseKey(text string) (Key, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != keySize {
		return Key{}, errKey
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return Key{}, errKey
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return Key{}, errKey
	}
	return Key{aead}, nil
}

// Format writes "[redacted]" whatever the verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

var (
	errKey  = errors.New("must have 64 hexadecimal characters")
	errForm = errors.New("is not encrypted as expected")
	// errForged is the one error of every failed authentication.
	errForged = errors.New("cannot be decrypted with any of the security keys")
)

// Header is the protected header of a request at a time: the server asks for that time and
// for a nonce, both new for every attempt.
func Header(now time.Time) []byte {
	korean := now.In(time.FixedZone("KST", 9*60*60)).Format("2006-01-02T15:04:05-07:00")
	return fmt.Appendf(nil, `{"alg":"dir","enc":"A256GCM","iat":"%s","nonce":"%s"}`, korean, uuid())
}

// AnswerHeader is the least that a protected header has.
func AnswerHeader() []byte { return []byte(`{"alg":"dir","enc":"A256GCM"}`) }

// uuid returns a random UUID (version 4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // It never fails.
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Seal encrypts plaintext under a header.
func (k Key) Seal(header, plaintext []byte) []byte {
	var iv [ivSize]byte
	_, _ = rand.Read(iv[:])
	return k.seal(header, iv[:], plaintext)
}

func (k Key) seal(header, iv, plaintext []byte) []byte {
	text := base64.RawURLEncoding.AppendEncode(nil, header)
	sealed := k.aead.Seal(nil, iv, plaintext, text)
	ciphertext, tag := sealed[:len(sealed)-tagSize], sealed[len(sealed)-tagSize:]
	text = base64.RawURLEncoding.AppendEncode(append(text, ".."...), iv)
	text = base64.RawURLEncoding.AppendEncode(append(text, '.'), ciphertext)
	return base64.RawURLEncoding.AppendEncode(append(text, '.'), tag)
}

// Open decrypts what one of the keys has sealed, and returns its header too.
func Open(text []byte, keys ...Key) (header, plaintext []byte, err error) {
	parts := bytes.Split(bytes.TrimSpace(text), []byte("."))
	if len(parts) != 5 || len(parts[1]) != 0 {
		return nil, nil, errForm
	}
	var decoded [5][]byte
	for i, part := range parts {
		if decoded[i], err = decode(part); err != nil {
			return nil, nil, errForm
		}
	}
	header, iv, ciphertext, tag := decoded[0], decoded[2], decoded[3], decoded[4]
	if !isExpected(header) || len(iv) != ivSize || len(tag) != tagSize {
		return nil, nil, errForm
	}
	sealed := slices.Concat(ciphertext, tag)
	for _, k := range keys {
		if plaintext, err := k.aead.Open(nil, iv, sealed, parts[0]); err == nil {
			return header, plaintext, nil
		}
	}
	return nil, nil, errForged
}

// decode refuses line breaks, which the package of the standard library skips, and bits
// that belong to no byte.
func decode(part []byte) ([]byte, error) {
	if bytes.ContainsAny(part, "\r\n") {
		return nil, errForm
	}
	return base64.RawURLEncoding.Strict().AppendDecode(nil, part)
}

// isExpected reports whether a header names the algorithms of the mode, and nothing that
// would change how the rest is read.
func isExpected(header []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(header, &members) != nil {
		return false
	}
	_, zip := members["zip"]
	_, crit := members["crit"]
	return !zip && !crit && string(members["alg"]) == `"dir"` && string(members["enc"]) == `"A256GCM"`
}
