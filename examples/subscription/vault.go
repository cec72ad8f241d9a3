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
	"fmt"
	"strings"

	"github.com/seed238ab19c/tosspayments"
	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
)

// vault encrypts billing keys: whoever reads the database or a backup of it cannot charge
// cards. The first key seals, and each opens what it has sealed.
type vault struct{ keys []vaultKey }

// vaultKey is one key of SUBSCRIPTION_KEY.
type vaultKey struct {
	// id is written in front of what the key has sealed.
	id   string
	aead cipher.AEAD
	// customers makes customer keys.
	customers []byte
}

// idLength is the length of a key's id.
const idLength = 8

// openVault takes the keys of the environment, separated by commas. Only the sandbox,
// whose billing keys are worth nothing, keeps one in the database.
func openVault(ctx context.Context, db *sql.DB, keys string, sandbox bool) (*vault, error) {
	if keys == "" && sandbox {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		var err error
		if keys, err = shop.Setting(ctx, db, "sandbox_key", base64.StdEncoding.EncodeToString(secret)); err != nil {
			return nil, err
		}
	}
	if keys == "" {
		return nil, errors.New("SUBSCRIPTION_KEY is not set: billing keys are stored encrypted with it; make one with `openssl rand -base64 32` and keep it out of the database")
	}
	v := new(vault)
	for text := range strings.SplitSeq(keys, ",") {
		key, err := parseVaultKey(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		v.keys = append(v.keys, key)
	}
	used, err := shop.Texts(ctx, db, `SELECT DISTINCT substr(sealed_key, 1, 8) FROM cards WHERE sealed_key <> ''`)
	if err != nil {
		return nil, err
	}
	for _, id := range used {
		if v.key(id) == nil {
			return nil, fmt.Errorf("SUBSCRIPTION_KEY lacks the key %s, with which cards in this database are encrypted: list it after the new one", id)
		}
	}
	return v, nil
}

func parseVaultKey(text string) (vaultKey, error) {
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) != 32 {
		return vaultKey{}, errors.New("SUBSCRIPTION_KEY must be 32 bytes in Base64, as `openssl rand -base64 32` makes them")
	}
	if !looksRandom(secret) {
		return vaultKey{}, errors.New("SUBSCRIPTION_KEY is easy to guess: make it with `openssl rand -base64 32`")
	}
	block, err := aes.NewCipher(derive(secret, "billing keys", 32))
	if err != nil {
		return vaultKey{}, err
	}
	aead, err := cipher.NewGCM(block)
	return vaultKey{
		id: hex.EncodeToString(derive(secret, "key id", idLength/2)), aead: aead,
		customers: derive(secret, "customer keys", 32),
	}, err
}

// derive makes a key of its own for each use.
func derive(secret []byte, use string, length int) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, use, length)
	if err != nil {
		panic(err) // only for a length that no caller asks for
	}
	return key
}

// looksRandom refuses placeholders, patterns and sentences. Of 32 random bytes about 30
// differ, and more than half are no printable characters.
func looksRandom(secret []byte) bool {
	differ, text, counting := map[byte]bool{}, true, true
	for i, b := range secret {
		differ[b] = true
		text = text && b >= ' ' && b <= '~'
		counting = counting && b-secret[0] == byte(i)*(secret[1]-secret[0])
	}
	return len(differ) >= 16 && !text && !counting
}

func (v *vault) key(id string) *vaultKey {
	for i := range v.keys {
		if v.keys[i].id == id {
			return &v.keys[i]
		}
	}
	return nil
}

// customerKey makes the key under which Toss Payments is to know a customer. Nobody can
// guess it, as with it and a billing key one can charge. It is made of the id, so that a
// visitor who only looks at the registration page need not be stored.
func (v *vault) customerKey(customerID string) string {
	mac := hmac.New(sha256.New, v.keys[0].customers)
	mac.Write([]byte(customerID))
	return hex.EncodeToString(mac.Sum(nil)[:20])
}

var errSealed = errors.New("the stored billing key cannot be decrypted")

// seal encrypts a billing key. It can be opened with its own customer key only, so rows
// cannot be swapped.
func (v *vault) seal(key tosspayments.BillingKey) string {
	first := v.keys[0]
	nonce := make([]byte, first.aead.NonceSize())
	_, _ = rand.Read(nonce)
	sealed := first.aead.Seal(nonce, nonce, []byte(key.Key.Reveal()), []byte(key.CustomerKey.Reveal()))
	return first.id + base64.StdEncoding.EncodeToString(sealed)
}

func (v *vault) open(sealed, customerKey string) (tosspayments.BillingKey, error) {
	if len(sealed) < idLength {
		return tosspayments.BillingKey{}, errSealed
	}
	key := v.key(sealed[:idLength])
	data, err := base64.StdEncoding.DecodeString(sealed[idLength:])
	if key == nil || err != nil || len(data) < key.aead.NonceSize() {
		return tosspayments.BillingKey{}, errSealed
	}
	nonce, data := data[:key.aead.NonceSize()], data[key.aead.NonceSize():]
	data, err = key.aead.Open(nil, nonce, data, []byte(customerKey))
	if err != nil {
		return tosspayments.BillingKey{}, errSealed
	}
	return tosspayments.NewBillingKey(string(data), customerKey), nil
}

// reseal encrypts with the first key what another one has sealed, so that the old key can
// be dropped. A card that cannot be opened stays as it is.
func (v *vault) reseal(ctx context.Context, db *sql.DB) error {
	ids, err := shop.Texts(ctx, db, `SELECT id FROM cards WHERE sealed_key <> '' AND substr(sealed_key, 1, 8) <> $1`, v.keys[0].id)
	for _, id := range ids {
		err = errors.Join(err, v.resealCard(ctx, db, id))
	}
	return err
}

func (v *vault) resealCard(ctx context.Context, db *sql.DB, id string) error {
	var sealed, customerKey string
	err := db.QueryRowContext(ctx, `SELECT k.sealed_key, u.customer_key FROM cards k JOIN customers u ON u.id = k.customer_id WHERE k.id = $1`,
		id).Scan(&sealed, &customerKey)
	if err != nil {
		return err
	}
	key, err := v.open(sealed, customerKey)
	if err != nil {
		return fmt.Errorf("card %s: %w", id, err)
	}
	_, err = db.ExecContext(ctx, `UPDATE cards SET sealed_key = $3 WHERE id = $1 AND sealed_key = $2`, id, sealed, v.seal(key))
	return err
}

// fingerprint recognises an authKey or a billing key without keeping it. Both are long
// and random, so that nobody finds them by trying.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte("fingerprint\n" + secret))
	return hex.EncodeToString(sum[:])
}
