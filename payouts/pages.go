package payouts

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"

	"github.com/seed238ab19c/tosspayments/internal/lenient"
)

func pageQuery(limit int, after string) url.Values {
	values := url.Values{}
	if limit != 0 {
		values.Set("limit", strconv.Itoa(limit))
	}
	if after != "" {
		values.Set("startingAfter", after)
	}
	return values
}

func checkLimit(limit int) error {
	if limit < 0 {
		return invalid("limit", "must not be negative")
	}
	return nil
}

// decodePage decodes a page. A row that lacks one of the given members, or of which it
// cannot be read, is an error. So is what is no list: that there is nothing, or no more,
// is believed only where the server says so.
func decodePage[T any](page any, items *[]T, essential ...string) func([]byte) ([]string, error) {
	return func(body []byte) ([]string, error) {
		unread, err := decodeInto(page)(body)
		if err != nil {
			return nil, err
		}
		rows, err := rowsOf(body)
		switch {
		case err != nil:
			return nil, err
		case len(rows) != len(*items):
			return nil, errors.New("its items cannot be read")
		case slices.Contains(unread, "hasNext"):
			return nil, errors.New("its hasNext cannot be read")
		}
		for i, row := range rows {
			// Row by row, since only so many names of one list are kept.
			var item T
			prefix := fmt.Sprintf("items[%d].", i)
			rowUnread, err := lenient.Unmarshal(row, &item)
			if err != nil {
				return nil, fmt.Errorf("its %s cannot be read", prefix[:len(prefix)-1])
			}
			if err := checkEssential(row, rowUnread, "", essential); err != nil {
				return nil, fmt.Errorf("%s %w", prefix[:len(prefix)-1], err)
			}
		}
		return unread, nil
	}
}

// rowsOf returns the rows of a page as they are written.
func rowsOf(body []byte) (rows []json.RawMessage, err error) {
	var page struct {
		Items json.RawMessage `json:"items"`
	}
	switch err := json.Unmarshal(body, &page); {
	case err != nil:
		return nil, errors.New("it is no page")
	case page.Items == nil && string(body) != "null":
		return nil, errors.New("it has no items")
	case page.Items == nil:
		return nil, nil
	}
	if json.Unmarshal(page.Items, &rows) != nil {
		return nil, errors.New("its items cannot be read")
	}
	return rows, nil
}

// errRepeatedPage keeps an iteration from going round in circles.
var errRepeatedPage = errors.New("tosspayments: the server has sent the same page again")

// allPages yields the rows of page after page, each once. next reads the page after the row
// with an id.
func allPages[T any](next func(after string) (rows []T, more bool, err error), id func(*T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen := map[string]bool{}
		for after := ""; ; {
			rows, more, err := next(after)
			if err != nil {
				yield(none, err)
				return
			}
			isNew := false
			for i := range rows {
				after = id(&rows[i])
				if seen[after] {
					continue
				}
				seen[after], isNew = true, true
				if !yield(rows[i], nil) {
					return
				}
			}
			switch {
			case !more:
				return
			case !isNew:
				yield(none, errRepeatedPage)
				return
			}
		}
	}
}
