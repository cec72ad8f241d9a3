package tosspayments

import (
	"database/sql"
	"encoding/json"
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

func TestAmountJSON(t *testing.T) {
	var v struct {
		A Amount  `json:"a"`
		B Amount  `json:"b"`
		C *Amount `json:"c"`
		D Amount  `json:"d"`
	}
	require.NoError(t, json.Unmarshal([]byte(`{"a": 1.5e4, "b": "1.25", "c": null, "d": ""}`), &v))
	assert.Equal(t, Won(15000), v.A)
	assert.Equal(t, amount(t, "1.25"), v.B)
	assert.Nil(t, v.C)
	text, err := json.Marshal(v)
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":15000,"b":1.25,"c":null,"d":0}`, string(text))
	assert.ErrorContains(t, json.Unmarshal([]byte(`{"a": "ten"}`), &v), "decimal number")
	assert.Error(t, json.Unmarshal([]byte(`{"a": true}`), &v))
	keyed, err := json.Marshal(map[Amount]int{Won(3): 1})
	require.NoError(t, err)
	assert.Equal(t, `{"3":1}`, string(keyed))
}

func TestAmountInADatabase(t *testing.T) {
	var a Amount
	for _, source := range []any{int64(15000), "15000", []byte("15000.00")} {
		require.NoError(t, a.Scan(source))
		assert.Equal(t, Won(15000), a)
	}
	assert.ErrorContains(t, a.Scan(15000.0), "floating-point")
	assert.ErrorContains(t, a.Scan(nil), "NULL")
	assert.ErrorContains(t, a.Scan(true), "bool")
	assert.Error(t, a.Scan("x"))

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

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"15000", "1.25", "-0.5e3", "1e37", "9223372036854775808", ".5", "1e-18", "00.10", "0e10000000000000000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAmount(text)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			// big.Rat refuses huge exponents, which are fine for zero.
			require.True(t, a.IsZero(), "%q became %s", text, a)
			return
		}
		back, ok := new(big.Rat).SetString(a.String())
		require.True(t, ok)
		require.Zero(t, exact.Cmp(back), "%q became %s", text, a)

		again, err := ParseAmount(a.String())
		require.NoError(t, err)
		require.True(t, a == again)
		require.Zero(t, a.Cmp(again))
		require.True(t, a.Sub(a).IsZero())
		require.True(t, a.Add(Won(7)).Sub(Won(7)) == a)

		encoded, err := json.Marshal(a)
		require.NoError(t, err)
		var decoded Amount
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.True(t, a == decoded)
	})
}
