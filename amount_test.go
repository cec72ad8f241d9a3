package tosspayments

import (
	"bytes"
	"database/sql"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func amount(t testing.TB, text string) Amount {
	t.Helper()
	a, err := ParseAmount(text)
	require.NoError(t, err, text)
	return a
}

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "0e99999999999": "0",
		"15000": "15000", "15000.00": "15000", "1.5e4": "15000", "15e3": "15000", "150000E-1": "15000",
		"1.25": "1.25", "-1.250": "-1.25", "0.01": "0.01", "0.05": "0.05", "1e-2": "0.01", "00012": "12",
		"9223372036854775807":                     "9223372036854775807",
		"9223372036854775808":                     "9223372036854775808",
		"-9223372036854775808":                    "-9223372036854775808",
		"92233720368547758070e-1":                 "9223372036854775807",
		"99999999999999999999999999999999999999":  "99999999999999999999999999999999999999",
		"12345678901234567890.123456789012345678": "12345678901234567890.123456789012345678",
		"1" + strings.Repeat("0", 37):             "1" + strings.Repeat("0", 37),
		"1.5" + strings.Repeat("0", 100):          "1.5",
	} {
		assert.Equal(t, want, amount(t, text).String(), text)
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "+1", " 1", "1 ", "1,000", "0x10", "NaN", "Infinity", "1e", "1e+", "1e1.5", "1.2.3", "--1", "1_000", "원",
	} {
		_, err := ParseAmount(text)
		assert.ErrorContains(t, err, "must be a decimal number", text)
	}
	for text, reason := range map[string]string{
		"1e38": "38 digits", strings.Repeat("9", 39): "38 digits", "1e999999999999999999999": "38 digits",
		"1e-19": "18 decimals", "0." + strings.Repeat("0", 60) + "1": "18 decimals",
	} {
		_, err := ParseAmount(text)
		assert.ErrorContains(t, err, reason, text)
	}
}

func TestAmountEqualsAcrossNotations(t *testing.T) {
	assert.True(t, amount(t, "1.50") == amount(t, "15e-1"))
	assert.True(t, amount(t, "100000000000000000000.10") == amount(t, "1000000000000000000001e-1"))
	assert.True(t, Won(100) == amount(t, "1e2"))
	assert.True(t, amount(t, "-0").IsZero())
	assert.False(t, Won(1).IsZero())
}

func TestAmountArithmetic(t *testing.T) {
	for _, c := range []struct {
		a, b, sum, difference string
		cmp                   int
	}{
		{"1", "2", "3", "-1", -1},
		{"1.25", "0.75", "2", "0.5", 1},
		{"1.25", "1", "2.25", "0.25", 1},
		{"5", "5", "10", "0", 0},
		{"9223372036854775807", "1", "9223372036854775808", "9223372036854775806", 1},
		{"-9223372036854775807", "1", "-9223372036854775806", "-9223372036854775808", -1},
		{"-9223372036854775807", "-1", "-9223372036854775808", "-9223372036854775806", -1},
		{"9223372036854775807.5", "0.5", "9223372036854775808", "9223372036854775807", 1},
		{"0.1", "0.2", "0.3", "-0.1", -1},
		{"0", "-3", "-3", "3", 1},
	} {
		a, b := amount(t, c.a), amount(t, c.b)
		assert.Equal(t, amount(t, c.sum), a.Add(b), "%s + %s", c.a, c.b)
		assert.Equal(t, amount(t, c.difference), a.Sub(b), "%s - %s", c.a, c.b)
		assert.Equal(t, c.cmp, a.Cmp(b), "%s <=> %s", c.a, c.b)
	}
}

func TestAmountInt64(t *testing.T) {
	n, ok := Won(math.MinInt64 + 1).Int64()
	assert.True(t, ok)
	assert.Equal(t, int64(math.MinInt64+1), n)
	_, ok = amount(t, "1.5").Int64()
	assert.False(t, ok)
	_, ok = amount(t, "9223372036854775808").Int64()
	assert.False(t, ok)
}

// amountsInJSON has amounts as a struct may.
type amountsInJSON struct {
	A Amount  `json:"a"`
	B Amount  `json:"b"`
	C *Amount `json:"c"`
	D Amount  `json:"d"`
}

func TestAmountJSON(t *testing.T) {
	var v amountsInJSON
	require.NoError(t, json.Unmarshal([]byte(`{"a": 1.5e4, "b": "1.25", "c": null, "d": null}`), &v))
	assert.Equal(t, amountsInJSON{A: Won(15000), B: amount(t, "1.25")}, v)
	text, err := json.Marshal(v)
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":15000,"b":1.25,"c":null,"d":0}`, string(text))
	keyed, err := json.Marshal(map[Amount]int{Won(3): 1})
	require.NoError(t, err)
	assert.Equal(t, `{"3":1}`, string(keyed))
}

func TestAmountJSONRefuses(t *testing.T) {
	var v amountsInJSON
	assert.ErrorContains(t, json.Unmarshal([]byte(`{"a": "ten"}`), &v), "decimal number")
	assert.Error(t, json.Unmarshal([]byte(`{"a": true}`), &v))
	assert.Error(t, json.Unmarshal([]byte(`{"c": ""}`), &v), "nothing must not become an amount of 0")
}

func TestAmountSigns(t *testing.T) {
	for text, sign := range map[string]int{
		"0": 0, "7": 1, "-7": -1, "0.5": 1, "-0.5": -1, "9223372036854775808": 1, "-9223372036854775809": -1, "-9223372036854775808": -1,
	} {
		a := amount(t, text)
		assert.Equal(t, sign, a.Sign(), text)
		assert.Equal(t, -sign, a.Neg().Sign(), text)
		assert.True(t, a.Neg().Neg().Equal(a), text)
		assert.True(t, a.Add(a.Neg()).IsZero(), text)
	}
	assert.False(t, Won(1).Equal(Won(2)))
}

func TestAmountMul(t *testing.T) {
	for _, c := range []struct {
		a    string
		n    int64
		want string
	}{
		{"15000", 3, "45000"}, {"15000", 0, "0"}, {"-1.25", 4, "-5"}, {"0.1", 3, "0.3"}, {"1.5", -3, "-4.5"},
		{"9223372036854775807", 2, "18446744073709551614"},
		{"9223372036854775807", math.MinInt64, "-85070591730234615856620279821087277056"},
		{"9223372036854775807.5", 2, "18446744073709551615"},
	} {
		assert.Equal(t, amount(t, c.want), amount(t, c.a).Mul(c.n), "%s times %d", c.a, c.n)
	}
}

func TestAmountFormat(t *testing.T) {
	wrong := func(verb, number string) string { return "%!" + verb + "(tosspayments.Amount=" + number + ")" }
	for _, c := range []struct{ format, amount, want string }{
		{"%d", "15000", "15000"}, {"%d", "-15000", "-15000"}, {"%d", "99999999999999999999", "99999999999999999999"},
		{"%8d", "15000", "   15000"}, {"%-8d|", "15000", "15000   |"}, {"%08d", "-15000", "-0015000"}, {"%+d", "15000", "+15000"},
		{"% d", "15000", " 15000"}, {"%+d", "-1", "-1"}, {"%-08d|", "5", "5       |"}, {"%+5d", "0", "   +0"},
		{"%d", "12.5", wrong("d", "12.5")}, {"%8d", "12.5", wrong("d", "12.5")},
		{"%.2f", "12.5", "12.50"}, {"%.2f", "-12.5", "-12.50"}, {"%.2f", "15000", "15000.00"}, {"%.0f", "15000", "15000"},
		{"%f", "12.5", "12.5"}, {"%f", "15000", "15000"}, {"%F", "0.125", "0.125"}, {"%.3f", "0.125", "0.125"},
		{"%9.2f", "12.5", "    12.50"}, {"%-9.2f|", "12.5", "12.50    |"}, {"%+09.2f", "12.5", "+00012.50"},
		{"%.2f", "12.345", wrong("f", "12.345")}, {"%.0f", "0.5", wrong("f", "0.5")},
		{"%.2f", "12345678901234567890.5", "12345678901234567890.50"},
		{"%v", "12.5", "12.5"}, {"%s", "12.5", "12.5"}, {"%8v", "12.5", "    12.5"}, {"%-8s|", "12.5", "12.5    |"},
		{"%08v", "-12.5", "-00012.5"}, {"%+v", "12.5", "12.5"}, {"%#v", "12.5", "12.5"}, {"%.1s", "12.5", "12.5"},
		{"%q", "12.5", `"12.5"`}, {"%8q", "12.5", `  "12.5"`}, {"%08q", "12.5", `  "12.5"`},
		{"%x", "15000", wrong("x", "15000")}, {"%e", "12.5", wrong("e", "12.5")}, {"%g", "1", wrong("g", "1")}, {"%t", "1", wrong("t", "1")},
	} {
		a := amount(t, c.amount)
		assert.Equal(t, c.want, fmt.Sprintf(c.format, a), "%s of %s", c.format, c.amount)
		assert.Equal(t, c.want, fmt.Sprintf(c.format, &a), "%s of a pointer to %s", c.format, c.amount)
	}
	assert.Equal(t, "<nil>", fmt.Sprintf("%d", (*Amount)(nil)))
	a := amount(t, "1.5")
	assert.Equal(t, "{1.5 1.5}", fmt.Sprintf("%v", struct {
		A Amount
		B *Amount
	}{a, &a}))

	var page strings.Builder
	shown := template.Must(template.New("").Parse(`{{.}} {{printf "%d" .}} {{printf "%.2f" .}}`))
	require.NoError(t, shown.Execute(&page, Won(15000)))
	assert.Equal(t, "15000 15000 15000.00", page.String())
}

func TestAmountFromADatabase(t *testing.T) {
	var a Amount
	for _, source := range []any{int64(15000), "15000", []byte("15000.00")} {
		require.NoError(t, a.Scan(source))
		assert.Equal(t, Won(15000), a)
	}
	for source, want := range map[float64]string{
		12.5: "12.5", 0.1: "0.1", -1234567890123.45: "-1234567890123.45", 15000: "15000", 1e14: "100000000000000", 1e-18: "0.000000000000000001",
		math.Copysign(0, -1): "0",
	} {
		require.NoError(t, a.Scan(source))
		assert.Equal(t, want, a.String())
	}
}

func TestAmountFromADatabaseRefuses(t *testing.T) {
	var a Amount
	for _, source := range []float64{1.0 / 3, 123456789012345.67, 1e15, 1e300, math.Inf(1), math.Inf(-1), math.NaN()} {
		assert.ErrorContains(t, a.Scan(source), "floating-point", source)
	}
	for reason, source := range map[string]any{"18 decimals": 1e-19, "NULL": nil, "bool": true, "decimal number": "x"} {
		assert.ErrorContains(t, a.Scan(source), reason)
	}
}

func TestAmountToADatabase(t *testing.T) {
	value, err := Won(15000).Value()
	require.NoError(t, err)
	assert.Equal(t, int64(15000), value)
	value, err = amount(t, "1.25").Value()
	require.NoError(t, err)
	assert.Equal(t, "1.25", value)
	var null sql.Null[Amount]
	require.NoError(t, null.Scan(nil))
	assert.False(t, null.Valid)
}

// TestAmountInBSON uses values of MongoDB's test corpus for Decimal128.
func TestAmountInBSON(t *testing.T) {
	for _, c := range []struct {
		text string
		typ  byte
		data string
	}{
		{"15000", bsonInt64, "983a000000000000"},
		{"-15000", bsonInt64, "68c5ffffffffffff"},
		{"0.1", bsonDecimal128, "01000000000000000000000000003e30"},
		{"-0.1", bsonDecimal128, "01000000000000000000000000003eb0"},
		{"0.001234", bsonDecimal128, "d2040000000000000000000000003430"},
		{"9999999999999999999999999999999999", bsonDecimal128, "ffffffff638e8d37c087adbe09ed4130"},
	} {
		a := amount(t, c.text)
		typ, data, err := a.MarshalBSONValue()
		require.NoError(t, err)
		assert.Equal(t, c.typ, typ, c.text)
		assert.Equal(t, c.data, hex.EncodeToString(data), c.text)
		var again Amount
		require.NoError(t, again.UnmarshalBSONValue(typ, data))
		assert.Equal(t, a, again)
	}
}

func TestAmountFromOtherBSON(t *testing.T) {
	for _, c := range []struct {
		typ        byte
		data, want string
	}{
		{bsonInt32, "f9ffffff", "-7"},
		{bsonString, "050000003132 2e3500", "12.5"},
		{bsonDouble, "0000000000002940", "12.5"},
		{bsonDecimal128, "01000000000000000000000000005e30", "1000000000000000"},
	} {
		var a Amount
		data, err := hex.DecodeString(strings.ReplaceAll(c.data, " ", ""))
		require.NoError(t, err)
		require.NoError(t, a.UnmarshalBSONValue(c.typ, data), c.want)
		assert.Equal(t, c.want, a.String())
	}
}

func TestAmountInBSONRefuses(t *testing.T) {
	_, _, err := amount(t, strings.Repeat("9", 35)).MarshalBSONValue()
	assert.ErrorContains(t, err, "34 digits")
	for typ, data := range map[byte]string{
		0x0a: "", bsonInt32: "00", bsonInt64: "00000000", bsonString: "00000000", bsonDouble: "555555555555d53f", 0x08: "01",
		bsonDecimal128: "0000000000000000000000000000007c", // NaN
	} {
		a := Won(1)
		data, err := hex.DecodeString(data)
		require.NoError(t, err)
		assert.Error(t, a.UnmarshalBSONValue(typ, data), typ)
		assert.Equal(t, Won(1), a)
	}
}

func TestAmountInGob(t *testing.T) {
	type row struct {
		A Amount
		B *Amount
		C map[Amount]Amount
	}
	a := amount(t, "12.5")
	in := row{amount(t, "12345678901234567890.5"), &a, map[Amount]Amount{a: Won(1)}}
	var b bytes.Buffer
	require.NoError(t, gob.NewEncoder(&b).Encode(in))
	var out row
	require.NoError(t, gob.NewDecoder(&b).Decode(&out))
	assert.Equal(t, in, out)
	assert.Error(t, a.UnmarshalBinary(nil))
}

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"15000", "1.25", "-0.5e3", "1e37", "9223372036854775808", ".5", "1e-18", "00.10", "0e10000000000000000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAmount(text)
		if err != nil {
			return
		}
		requireExact(t, text, a)
		requireArithmetic(t, a)
		requireEncodings(t, a)
	})
}

// requireExact wants the amount to be what math/big reads.
func requireExact(t *testing.T, text string, a Amount) {
	t.Helper()
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		// big.Rat refuses huge exponents, which are fine for zero.
		require.True(t, a.IsZero(), "%q became %s", text, a)
		return
	}
	back, ok := new(big.Rat).SetString(a.String())
	require.True(t, ok)
	require.Zero(t, exact.Cmp(back), "%q became %s", text, a)
}

// requireArithmetic wants equal amounts to be equal values, whatever they come from.
func requireArithmetic(t *testing.T, a Amount) {
	t.Helper()
	again, err := ParseAmount(a.String())
	require.NoError(t, err)
	require.True(t, a == again)
	require.Zero(t, a.Cmp(again))
	require.True(t, a.Sub(a).IsZero())
	require.True(t, a.Add(Won(7)).Sub(Won(7)) == a)
}

// requireEncodings wants what is written to be read again.
func requireEncodings(t *testing.T, a Amount) {
	t.Helper()
	encoded, err := json.Marshal(a)
	require.NoError(t, err)
	var decoded Amount
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	require.True(t, a == decoded)
	if typ, data, err := a.MarshalBSONValue(); err == nil {
		require.NoError(t, decoded.UnmarshalBSONValue(typ, data))
		require.True(t, a == decoded)
	}
	require.Equal(t, a.String(), fmt.Sprintf("%f", a))
}
