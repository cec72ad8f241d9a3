package tosspayments

import (
	"bytes"
	"fmt"
	"time"
)

// DateTime is a time that the API writes with or without an offset, such as a
// virtual account's due date. Without an offset it is Korean time (KST, +09:00).
//
// null and "" read as the zero DateTime.
type DateTime struct{ time.Time }

// UnmarshalJSON reads RFC 3339 with an optional fraction and offset.
func (t *DateTime) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) || bytes.Equal(data, []byte(`""`)) {
		return nil
	}
	text := string(data)
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return fmt.Errorf("tosspayments: a date and time must be a string")
	}
	parsed, err := parseDateTime(text[1 : len(text)-1])
	if err != nil {
		return err
	}
	t.Time = parsed
	return nil
}

// MarshalJSON writes RFC 3339 with the offset; the zero DateTime is null.
func (t DateTime) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.Time.MarshalJSON()
}

func parseDateTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text+"+09:00")
	if err != nil {
		return time.Time{}, fmt.Errorf("tosspayments: a date and time must look like 2026-03-01T10:15:30 with an optional offset")
	}
	return t, nil
}

// inKST writes a time as requests take it: Korean time without an offset.
func inKST(t time.Time) string {
	return t.In(kst()).Format("2006-01-02T15:04:05")
}

// kst is Korean time. A package variable would allocate at init.
func kst() *time.Location { return time.FixedZone("KST", 9*60*60) }
