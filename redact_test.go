package tosspayments

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEncode compares with encoding/json what holds nothing Sensitive, and looks for
// the texts of what does.
func TestEncode(t *testing.T) {
	type inner struct {
		Number Sensitive `json:"number"`
		Empty  Sensitive `json:"empty,omitzero"`
	}
	type outer struct {
		inner
		Name   string           `json:"name"`
		List   []inner          `json:"list"`
		Map    map[string]inner `json:"map,omitempty"`
		Any    any              `json:"any"`
		Next   *outer           `json:"next,omitzero"`
		Amount Amount           `json:"amount,omitzero"`
		At     time.Time        `json:"at,omitzero"`
		Hidden Sensitive        `json:"-"`
		Plain  Sensitive
	}
	card := inner{Number: NewSensitive("4330123412341234")}
	body, secrets, err := encode(outer{
		inner: card, Name: "n", List: []inner{card}, Map: map[string]inner{"k": card}, Any: &card,
		Next: &outer{Plain: NewSensitive("12")}, Hidden: NewSensitive("hidden-text"), Amount: Won(7),
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"number":"4330123412341234","name":"n","list":[{"number":"4330123412341234"}],"map":{"k":{"number":"4330123412341234"}},
		"any":{"number":"4330123412341234"},"amount":7,"Plain":"",
		"next":{"number":"","name":"","list":null,"any":null,"Plain":"12"}
	}`, string(body))
	assert.Contains(t, secrets, "4330123412341234")
	assert.NotContains(t, secrets, "12", "two digits occur everywhere")
}

type (
	encodedBase  struct{ Base int }
	encodedOther struct{ Other int }
	encodedDay   int
	encodedOwn   struct{ Any any }
)

func (encodedDay) String() string { return "a day" }

func (encodedOwn) MarshalJSON() ([]byte, error) { return []byte(`"its own"`), nil }

// TestEncodeLikeJSON has values that could hold something Sensitive, and do not.
func TestEncodeLikeJSON(t *testing.T) {
	type none struct{ None int }
	for name, body := range map[string]any{
		"an embedded pointer": struct {
			*encodedBase
			*none
			Any any
		}{&encodedBase{1}, nil, 2},
		"an embedded type with a tag": struct {
			encodedOther `json:",omitzero"`
			Any          any
		}{encodedOther{1}, 2},
		"an embedded number": struct {
			encodedDay
			Any any
		}{1, 2},
		"numbers as texts": struct {
			N    int64   `json:"n,string"`
			None *uint64 `json:",string"`
			Any  any
		}{1, nil, 2},
		"keys that print otherwise":     map[encodedDay]any{1: nil, 2: "two"},
		"keys with a text of their own": map[Date]any{{2026, 3, 1}: 1},
		"keys that count":               map[uint8]any{1: nil},
		"JSON of its own":               struct{ Own []encodedOwn }{[]encodedOwn{{1}}},
	} {
		want, err := json.Marshal(body)
		require.NoError(t, err)
		got, _, err := encode(body)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(got), name)
	}
}

func TestEncodeRefusesWhatJSONDoes(t *testing.T) {
	_, _, err := encode(map[bool]any{true: 1})
	require.ErrorContains(t, err, "unsupported type")
}

func TestEncodeWithoutSecrets(t *testing.T) {
	request := ConfirmPaymentRequest{PaymentKey: "k", OrderID: "order-0001", Amount: Won(1)}
	want, err := json.Marshal(request)
	require.NoError(t, err)
	body, secrets, err := encode(request)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(body))
	assert.Empty(t, secrets)
}

func TestEncodeBytesAsTheyAre(t *testing.T) {
	body, _, err := encode([]byte("sealed"))
	require.NoError(t, err)
	assert.Equal(t, "sealed", string(body))
}

func TestEncodeRefuses(t *testing.T) {
	_, _, err := encode(func() {})
	assert.Error(t, err)
}

func TestMaskNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"card 4330123412341234.": "card ****************.",
		"4330-1234-1234-1234":    "****-****-****-****",
		"4330 1234 1234 1234":    "**** **** **** ****",
		"account 110-123-456789": "account ***-***-******",
		"123456789":              "*********",
		"call 1644-8051":         "call 1644-8051",
		"at 2026-03-01 10:15:30": "at 2026-03-01 10:15:30",
		"amount 1,000,000":       "amount 1,000,000",
		"12345678":               "12345678",
		"가 1234567890 나":         "가 ********** 나",
		"":                       "",
	} {
		assert.Equal(t, want, maskNumbers(text))
	}
}

func TestMaskKeys(t *testing.T) {
	for text, want := range map[string]string{
		"the key test_sk_zXLkKEypNArWmo50nX3l is wrong":      "the key [redacted] is wrong",
		"live_gsk_ABCDEFGH12345678,live_ck_ABCDEFGH12345678": "[redacted],[redacted]",
		"Basic dGVzdF9za19hYmNkZWZnaA==.":                    "Basic [redacted].",
		"test_sk_short, latest_sk_zXLkKEypNArWmo50nX3l":      "test_sk_short, latest_sk_zXLkKEypNArWmo50nX3l",
		"": "",
	} {
		assert.Equal(t, want, maskKeys(text))
	}
	// The same, as a regular expression.
	key := regexp.MustCompile(`\b(?:(?:test|live)_[a-z]+_[A-Za-z0-9_]{8,}|(?:dGVzdF|bGl2ZV)[A-Za-z0-9+/]{8,}=*)`)
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"test_", "live_", "sk", "gck_", "_", "dGVzdF", "bGl2ZV", "abcdefgh", "ABC1", "9", "+", "/", "=", " ", "-", "키", "\n"}
	for range 20000 {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		require.Equal(t, key.ReplaceAllString(b.String(), redacted), maskKeys(b.String()), "%q", b.String())
	}
}

func TestOneLine(t *testing.T) {
	assert.Equal(t, "a b c", oneLine(" a\r\n\tb\x00c ", 100))
	assert.Equal(t, "가나…", oneLine("가나다라", 7))
	assert.Equal(t, "\uFFFD", oneLine("\xff", 10))
}
