package lenient

import (
	"errors"
	"time"
)

var errNoTime = errors.New("a date and time must look like 2026-03-01T10:15:30 with an optional offset")

// ParseTime reads RFC 3339 with an optional fraction and offset, and a colon in the
// offset or none. Without an offset it is Korean time (+09:00).
//
// It refuses an offset of a day or more, which cannot be written again.
func ParseTime(text string) (time.Time, error) {
	if len(text) > len(time.DateOnly) && text[len(time.DateOnly)] == ' ' {
		text = text[:len(time.DateOnly)] + "T" + text[len(time.DateOnly)+1:]
	}
	const colon, plain = "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700"
	for _, form := range []struct{ layout, offset string }{{colon, ""}, {plain, ""}, {colon, "+09:00"}} {
		t, err := time.Parse(form.layout, text+form.offset)
		if err != nil {
			continue
		}
		if _, err := t.MarshalText(); err != nil {
			break
		}
		return t, nil
	}
	return time.Time{}, errNoTime
}
