package tosspayments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"
)

const (
	listTimeout     = 60 * time.Second
	defaultPageSize = 100
	maxPageSize     = 5000
)

// errRepeatedPage keeps an iteration from going round in circles.
var errRepeatedPage = errors.New("tosspayments: the server has sent the same page again")

// allPages yields the rows of page after page. next asks for the page that follows the
// given rows (none for the first), and reports whether another one follows it. A row of
// the page before is not yielded again. Rows that come with an error go before it. A
// page that ends with the row that another page ended with is a server going round in
// circles.
func allPages[T any](key func(*T) string, next func(last []T) (rows []T, more bool, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last []T
		ends := map[string]bool{}
		for {
			rows, more, err := next(last)
			fresh := without(key, last, rows)
			end := ""
			if len(fresh) > 0 {
				end = key(&fresh[len(fresh)-1])
			}
			if err == nil && (ends[end] || more && len(fresh) == 0 && len(rows) > 0) {
				fresh, err = nil, errRepeatedPage
			}
			for i := range fresh {
				if !yield(fresh[i], nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if !more {
				return
			}
			ends[end] = end != ""
			last = rows
		}
	}
}

// without leaves out the rows that the page before had too; those without a key stay.
func without[T any](key func(*T) string, before, rows []T) (fresh []T) {
	known := make(map[string]bool, len(before))
	for i := range before {
		known[key(&before[i])] = true
	}
	for i := range rows {
		if k := key(&rows[i]); k == "" || !known[k] {
			fresh = append(fresh, rows[i])
		}
	}
	return fresh
}

// list reads one page, or whatever else a GET answers.
func (c *Client) list(ctx context.Context, op *operation, query url.Values, out any, opts []CallOption) error {
	call, err := c.newCall(ctx, op, op.template, nil, opts)
	if err != nil {
		return err
	}
	call.query = query.Encode()
	return c.read(ctx, call, func(body []byte) error { return json.Unmarshal(body, out) })
}

func listOperation(name, path string) *operation {
	return &operation{name: name, method: http.MethodGet, template: path, timeout: listTimeout}
}

func checkPageSize(field string, size, most int) error {
	if size < 0 || size > most {
		return &ValidationError{Field: field, Reason: fmt.Sprintf("must be 1 to %d, or 0 for %d", most, defaultPageSize)}
	}
	return nil
}

// Date is a day in Korea.
//
// null and "" read as the zero Date.
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

// IsZero tells whether there is no day.
func (d Date) IsZero() bool { return d == Date{} }

// Start returns the first moment of the day in Korea.
func (d Date) Start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, kst()) }

// AddDays returns the day n days later.
func (d Date) AddDays(n int) Date { return DateOf(d.Start().AddDate(0, 0, n)) }

// Compare returns -1, 0 or 1: before, the same, after.
func (d Date) Compare(other Date) int { return d.Start().Compare(other.Start()) }

// MarshalText writes the day as 2026-03-01; the zero Date is "".
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads a day, alone or at the beginning of a date and time.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text[:min(len(text), len(time.DateOnly))]))
	if err == nil {
		*d = parsed
	}
	return err
}

func checkDates(start, end Date) error {
	switch {
	case start.IsZero():
		return &ValidationError{Field: "startDate", Reason: "is missing"}
	case end.IsZero():
		return &ValidationError{Field: "endDate", Reason: "is missing"}
	case end.Compare(start) < 0:
		return &ValidationError{Field: "endDate", Reason: "must not be before startDate"}
	}
	return nil
}
