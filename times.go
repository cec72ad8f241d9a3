package tosspayments

import (
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

// kst is Korean time. A package variable would allocate at init.
func kst() *time.Location { return time.FixedZone("KST", 9*60*60) }

// inKST writes a time as requests take it: Korean time without an offset.
func inKST(t time.Time) string {
	return t.In(kst()).Format("2006-01-02T15:04:05")
}

// Date is a day in Korea. The zero Date means no day: it is "" in JSON and text, which
// also read null as the zero Date, and NULL in a database.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day in Korea (KST) at a time.
func DateOf(t time.Time) Date {
	year, month, day := t.In(kst()).Date()
	return Date{year, month, day}
}

// ParseDate reads a day such as 2026-03-01.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, &ValidationError{Field: "date", Reason: "must look like 2026-03-01"}
	}
	year, month, day := t.Date()
	return Date{year, month, day}, nil
}

// String returns the day as 2026-03-01.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// IsZero reports whether there is no day.
func (d Date) IsZero() bool { return d == Date{} }

// Start returns the first moment of the day in Korea.
func (d Date) Start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, kst()) }

// AddDays returns the day n days later.
func (d Date) AddDays(n int) Date { return DateOf(d.Start().AddDate(0, 0, n)) }

// Compare returns -1 when d is before other, 0 for the same day, and 1 when it is after.
func (d Date) Compare(other Date) int { return d.Start().Compare(other.Start()) }

// MarshalText writes the day as 2026-03-01; the zero Date is "".
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads a day, or the day in Korea of a date and time.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	if len(text) > len(time.DateOnly) {
		if t, err := lenient.ParseTime(string(text)); err == nil {
			*d = dayOf(t)
			return nil
		}
	}
	parsed, err := ParseDate(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

// dayOf takes midnight for the day that it begins, since databases return days so,
// and any other time for the day in Korea.
func dayOf(t time.Time) Date {
	year, month, day := t.Date()
	if t.Equal(time.Date(year, month, day, 0, 0, 0, 0, t.Location())) {
		return Date{year, month, day}
	}
	return DateOf(t)
}

// Scan reads a column of date, time or text type; NULL is the zero Date.
func (d *Date) Scan(source any) error {
	switch v := source.(type) {
	case nil:
		*d = Date{}
		return nil
	case time.Time:
		*d = dayOf(v)
		return nil
	case string:
		return d.UnmarshalText([]byte(v))
	case []byte:
		return d.UnmarshalText(v)
	}
	return fmt.Errorf("tosspayments: a Date cannot be read from %T", source)
}

// Value writes the day as text, which date columns take as well; the zero Date is NULL.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}
