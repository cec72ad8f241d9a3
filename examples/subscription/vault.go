package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// vault encrypts billing keys: who reads the database or a backup of it cannot charge
// cards.
type vault struct {
	aead cipher.AEAD
	mac  []byte
}

// openVault takes the key of the environment. Only the sandbox, whose billing keys are
// worth nothing, keeps one in the database.
func openVault(ctx context.Context, db *sql.DB, key string, sandbox bool) (*vault, error) {
	if key == "" && sandbox {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		var err error
		if key, err = shop.Setting(ctx, db, "sandbox_key", base64.StdEncoding.EncodeToString(secret)); err != nil {
			return nil, err
		}
	}
	if key == "" {
		return nil, errors.New("SUBSCRIPTION_KEY is not set: billing keys are stored encrypted with it; make one with `openssl rand -base64 32` and keep it out of the database")
	}
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(secret) != 32 {
		return nil, errors.New("SUBSCRIPTION_KEY must be 32 bytes in Base64, as `openssl rand -base64 32` makes them")
	}
	v, err := newVault(secret)
	if err != nil {
		return nil, err
	}
	check := v.fingerprint("SUBSCRIPTION_KEY")
	if first, err := shop.Setting(ctx, db, "key_check", check); err != nil || first != check {
		return nil, errors.Join(err, errors.New("SUBSCRIPTION_KEY is not the one that this database was begun with"))
	}
	return v, nil
}

func newVault(secret []byte) (*vault, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "billing keys", 32)
	if err != nil {
		return nil, err
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "fingerprints", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &vault{aead, mac}, err
}

var errSealed = errors.New("the stored billing key cannot be decrypted")

// seal encrypts a billing key. It can be opened with its own customer key only, so rows
// cannot be swapped.
func (v *vault) seal(key tosspayments.BillingKey) string {
	nonce := make([]byte, v.aead.NonceSize())
	_, _ = rand.Read(nonce)
	sealed := v.aead.Seal(nonce, nonce, []byte(key.Key.Reveal()), []byte(key.CustomerKey.Reveal()))
	return base64.StdEncoding.EncodeToString(sealed)
}

func (v *vault) open(sealed, customerKey string) (tosspayments.BillingKey, error) {
	data, err := base64.StdEncoding.DecodeString(sealed)
	size := v.aead.NonceSize()
	if err != nil || len(data) < size {
		return tosspayments.BillingKey{}, errSealed
	}
	data, err = v.aead.Open(nil, data[:size], data[size:], []byte(customerKey))
	if err != nil {
		return tosspayments.BillingKey{}, errSealed
	}
	return tosspayments.NewBillingKey(string(data), customerKey), nil
}

// fingerprint recognises a secret without keeping it.
func (v *vault) fingerprint(secret string) string {
	mac := hmac.New(sha256.New, v.mac)
	mac.Write([]byte(secret))
	return hex.EncodeToString(mac.Sum(nil))
}
