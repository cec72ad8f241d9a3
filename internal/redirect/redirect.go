// Package redirect reads the queries with which Toss Payments sends a buyer back: its own
// parameters strictly, while those of the merchant's own may hold anything.
package redirect

import (
	"fmt"
	"iter"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Written yields the values of a parameter as they are written in a query.
func Written(query, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(key); err == nil && plain == name && !yield(value) {
				return
			}
		}
	}
}

// Value returns the value of a parameter, "" if it is missing, and what is wrong with it. A
// parameter that is given twice with one value was given once.
func Value(query, name string, limit int) (value, problem string) {
	found := false
	for written := range Written(query, name) {
		text, err := url.QueryUnescape(written)
		reason := ""
		switch {
		case err != nil || !utf8.ValidString(text):
			reason = "is not percent-encoded UTF-8"
		case found && text != value:
			reason = "is given more than once, with different values"
		case utf8.RuneCountInString(text) > limit:
			reason = fmt.Sprintf("has more than %d characters", limit)
		}
		if problem == "" {
			problem = reason
		}
		value, found = text, true
	}
	return value, problem
}
