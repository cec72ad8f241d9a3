package payouts

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
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
// cannot be read, is an error.
func decodePage[T any](page any, items *[]T, essential ...string) func([]byte) ([]string, error) {
	return func(body []byte) ([]string, error) {
		unread, err := decodeInto(page)(body)
		if err != nil {
			return nil, err
		}
		var raw struct {
			Items []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(body, &raw); err != nil || len(raw.Items) != len(*items) {
			return nil, errors.New("its items cannot be read")
		}
		for i, row := range raw.Items {
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
