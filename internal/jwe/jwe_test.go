package jwe

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vector is one message as it was made with the npm package jose.
type vector struct{ key, iv, header, plaintext, compact string }

func vectors(t testing.TB) map[string]vector {
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var rows map[string]map[string]string
	require.NoError(t, json.Unmarshal(data, &rows))
	all := map[string]vector{}
	for name, row := range rows {
		all[name] = vector{row["key"], row["iv"], row["header"], row["plaintext"], row["compact"]}
	}
	require.Len(t, all, 3)
	return all
}

func parseKey(t testing.TB, text string) Key {
	key, err := ParseKey(text)
	require.NoError(t, err)
	return key
}

func TestVectors(t *testing.T) {
	for name, v := range vectors(t) {
		t.Run(name, func(t *testing.T) {
			key := parseKey(t, v.key)
			iv, err := hex.DecodeString(v.iv)
			require.NoError(t, err)
			assert.Equal(t, v.compact, string(key.seal([]byte(v.header), iv, []byte(v.plaintext))))
			header, plaintext, err := Open([]byte(" "+v.compact+"\n"), parseKey(t, strings.Repeat("00", 32)), key)
			require.NoError(t, err)
			assert.Equal(t, v.plaintext, string(plaintext))
			assert.Equal(t, v.header, string(header))
		})
	}
}

func TestForgeries(t *testing.T) {
	for name, v := range vectors(t) {
		key := parseKey(t, v.key)
		parts := strings.Split(v.compact, ".")
		with := func(i int, part string) string {
			changed := append([]string(nil), parts...)
			changed[i] = part
			return strings.Join(changed, ".")
		}
		encode := base64.RawURLEncoding.EncodeToString
		flipped := func(part string, at int) string {
			raw, err := base64.RawURLEncoding.DecodeString(part)
			require.NoError(t, err)
			raw[(at+len(raw))%len(raw)] ^= 1
			return encode(raw)
		}
		first := "A"
		if parts[3][0] == 'A' {
			first = "B"
		}
		// A header that says the same in another order, under the old tag.
		reordered := strings.Replace(v.header, `"alg":"dir","enc":"A256GCM"`, `"enc":"A256GCM","alg":"dir"`, 1)
		require.NotEqual(t, v.header, reordered)
		// Headers that were sealed with the right key, and are refused all the same.
		sealed := func(header string) string { return string(key.Seal([]byte(header), []byte(v.plaintext))) }
		for what, text := range map[string]string{
			"first character":    with(3, first+parts[3][1:]),
			"last byte":          with(3, flipped(parts[3], -1)),
			"tag":                with(4, flipped(parts[4], 0)),
			"last byte of tag":   with(4, flipped(parts[4], -1)),
			"iv":                 with(2, flipped(parts[2], 3)),
			"order of members":   with(0, encode([]byte(reordered))),
			"four parts":         strings.Join(append(parts[:1:1], parts[2:]...), "."),
			"six parts":          v.compact + ".",
			"a key":              with(1, "AAAA"),
			"zip":                sealed(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`),
			"crit":               sealed(`{"alg":"dir","enc":"A256GCM","crit":["exp"]}`),
			"alg":                sealed(`{"alg":"A256KW","enc":"A256GCM"}`),
			"no alg":             sealed(`{"enc":"A256GCM"}`),
			"enc":                sealed(`{"alg":"dir","enc":"A128GCM"}`),
			"alg in capitals":    sealed(`{"ALG":"dir","enc":"A256GCM"}`),
			"no header":          sealed(``),
			"header not JSON":    sealed(`alg=dir`),
			"short iv":           with(2, encode(make([]byte, 11))),
			"long iv":            with(2, encode(make([]byte, 16))),
			"short tag":          with(4, parts[4][:16]),
			"padding":            v.compact + "==",
			"another alphabet":   with(3, "+"+parts[3][1:]),
			"line break":         with(3, parts[3][:4]+"\n"+parts[3][4:]),
			"loose bits":         v.compact[:len(v.compact)-1] + looseBits(v.compact[len(v.compact)-1]),
			"JSON serialisation": `{"protected":"` + parts[0] + `"}`,
			"nothing":            "",
		} {
			_, _, err := Open([]byte(text), key)
			assert.Error(t, err, "%s: %s", name, what)
		}
		other := parseKey(t, strings.Repeat("01", 32))
		_, _, err := Open([]byte(v.compact), other)
		require.ErrorIs(t, err, errForged, name)
		_, _, err = Open([]byte(v.compact))
		require.ErrorIs(t, err, errForged, "without a key")
	}
}

// looseBits returns another last character for the same sixteen bytes of a tag.
func looseBits(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)^1])
}

func TestHeader(t *testing.T) {
	at := time.Date(2026, 12, 31, 14, 59, 59, 123, time.UTC)
	first, second := string(Header(at)), string(Header(at))
	assert.Regexp(t, regexp.MustCompile(`^\{"alg":"dir","enc":"A256GCM","iat":"2026-12-31T23:59:59\+09:00","nonce":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"\}$`), first)
	assert.NotEqual(t, first, second)
	key := parseKey(t, strings.Repeat("ab", 32))
	assert.NotEqual(t, key.Seal(AnswerHeader(), nil), key.Seal(AnswerHeader(), nil), "the iv is random")
}

func TestKeys(t *testing.T) {
	for _, text := range []string{"", "00", strings.Repeat("0", 63), strings.Repeat("0", 65), strings.Repeat("zz", 32), strings.Repeat("00", 33)} {
		_, err := ParseKey(text)
		require.ErrorIs(t, err, errKey)
	}
	key := parseKey(t, strings.Repeat("AB", 32))
	assert.Equal(t, "[redacted]", fmt.Sprintf("%+v", key))
	assert.Equal(t, "[redacted]", fmt.Sprintf("%#v", &key))
}

// An independent implementation, the npm package jose, opens what we seal, and we open what
// it seals. JOSE is the folder of that package.
func TestAgainstJose(t *testing.T) {
	folder := os.Getenv("JOSE")
	if folder == "" {
		t.Skip("JOSE is not set")
	}
	const script = `
const jose = await import(process.argv[1] + "/" + JSON.parse((await import("node:fs")).readFileSync(process.argv[1] + "/package.json")).exports["."].default);
const [, , hex, ours, text] = process.argv;
const key = Buffer.from(hex, "hex");
const { plaintext, protectedHeader } = await jose.compactDecrypt(ours, key);
const theirs = await new jose.CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);
console.log(JSON.stringify({ plaintext: Buffer.from(plaintext).toString(), header: protectedHeader, theirs }));
`
	text := strings.Repeat("00ff", 16)
	key := parseKey(t, text)
	for i, plain := range []string{"{}", `[{"refPayoutId":"pay-1","transactionDescription":"3월정산"}]`, strings.Repeat("가", 5000)} {
		ours := string(key.Seal(Header(time.Now()), []byte(plain)))
		out, err := exec.Command("node", "--input-type=module", "-e", script, folder, text, ours, plain).Output()
		require.NoError(t, err)
		var answer struct {
			Plaintext, Theirs string
			Header            map[string]string
		}
		require.NoError(t, json.Unmarshal(out, &answer))
		assert.Equal(t, plain, answer.Plaintext, i)
		assert.Equal(t, "A256GCM", answer.Header["enc"])
		assert.NotEmpty(t, answer.Header["nonce"])
		_, opened, err := Open([]byte(answer.Theirs), key)
		require.NoError(t, err)
		assert.Equal(t, plain, string(opened))
	}
}

func FuzzOpen(f *testing.F) {
	all := vectors(f)
	var keys []Key
	for _, v := range all {
		f.Add([]byte(v.compact))
		keys = append(keys, parseKey(f, v.key))
	}
	f.Add([]byte("...."))
	f.Add([]byte("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, plaintext, err := Open(data, keys...)
		if err != nil {
			return
		}
		// Without a key nobody makes a message that opens.
		for _, v := range all {
			if bytes.Equal(bytes.TrimSpace(data), []byte(v.compact)) {
				assert.Equal(t, v.plaintext, string(plaintext))
				return
			}
		}
		t.Errorf("opened %q", data)
	})
}

func FuzzSealThenOpen(f *testing.F) {
	key := parseKey(f, strings.Repeat("5a", 32))
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		_, opened, err := Open(key.Seal(Header(time.Now()), plain), key)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(plain, opened))
	})
}
