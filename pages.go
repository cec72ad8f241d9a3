package tosspayments

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
)

const (
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

// readList reads one page of rows. Rows come also with the error of one that lacks an
// essential field.
func readList[T any](ctx context.Context, c *Client, op *operation, query url.Values, opts []CallOption, essential ...string) (rows []T, err error) {
	err = c.get(ctx, op, op.template, query.Encode(), func(body []byte) (unread []string, err error) {
		rows, unread, err = readRows[T](body, essential...)
		return unread, err
	}, opts)
	return rows, err
}

func listOperation(name, path string) *operation {
	return &operation{name: name, method: http.MethodGet, template: path, timeout: listTimeout}
}
