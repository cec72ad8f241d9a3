package tosspayments_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments"
)

func TestDateOf(t *testing.T) {
	day := tosspayments.DateOf(time.Date(2026, 3, 1, 15, 30, 0, 0, time.UTC))
	assert.Equal(t, "2026-03-02", day.String(), "in Korea it is the next day")
	assert.Equal(t, "2026-03-01T15:00:00Z", day.Start().UTC().Format(time.RFC3339))
	assert.Equal(t, -1, day.Compare(day.AddDays(1)))
}

func TestDatesInJSON(t *testing.T) {
	day := tosspayments.Date{Year: 2026, Month: 3, Day: 2}
	var row struct{ A, B, C, D tosspayments.Date }
	require.NoError(t, json.Unmarshal([]byte(`{"A":"2026-03-02","B":null,"C":"","D":"2026-03-02T10:00:00+09:00"}`), &row))
	assert.Equal(t, struct{ A, B, C, D tosspayments.Date }{A: day, D: day}, row)
	require.Error(t, json.Unmarshal([]byte(`"02.03.2026"`), &row.A))
	text, err := json.Marshal(day)
	require.NoError(t, err)
	assert.Equal(t, `"2026-03-02"`, string(text))
}

func TestDateOfADateAndTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-02T00:00:00":       "2026-03-02",
		"2026-03-02 00:00:00+00:00": "2026-03-02",
		"2026-03-01T15:00:00Z":      "2026-03-02",
		"2026-03-01T23:59:59+0900":  "2026-03-01",
	} {
		var d tosspayments.Date
		require.NoError(t, d.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, d.String(), text)
	}
	for _, text := range []string{"2026-03-02x", "2026-03-02T", "2026-02-30", "20260302", "2026-3-2"} {
		d := tosspayments.Date{Year: 2000, Month: 1, Day: 1}
		require.Error(t, d.UnmarshalText([]byte(text)), text)
		assert.Equal(t, 2000, d.Year)
	}
}

func TestDateInADatabase(t *testing.T) {
	day := tosspayments.Date{Year: 2026, Month: time.March, Day: 2}
	for _, source := range []any{
		"2026-03-02", []byte("2026-03-02"), "2026-03-02 00:00:00", "2026-03-02T00:00:00Z",
		time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 2, 0, 0, 0, 0, time.FixedZone("", 13*60*60)),
		time.Date(2026, 3, 1, 15, 0, 1, 0, time.UTC),
	} {
		var d tosspayments.Date
		require.NoError(t, d.Scan(source), source)
		assert.Equal(t, day, d, source)
		require.NoError(t, d.Scan(nil))
		assert.True(t, d.IsZero())
	}
	var d tosspayments.Date
	require.Error(t, d.Scan(int64(20260302)))
	require.Error(t, d.Scan("soon"))

	value, err := day.Value()
	require.NoError(t, err)
	assert.Equal(t, "2026-03-02", value)
	value, err = tosspayments.Date{}.Value()
	require.NoError(t, err)
	assert.Nil(t, value)
}
