package tosspayments

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

// Sensitive is text in an answer that must not reach a log: a payment's
// webhook secret, an account number.
//
// fmt and slog print "[redacted]"; JSON keeps the text, so that a stored
// payment loses nothing, and null reads as "". Compare with Reveal, not with ==.
type Sensitive struct{ v *string }

// NewSensitive wraps a text.
func NewSensitive(text string) Sensitive {
	if text == "" {
		return Sensitive{}
	}
	return Sensitive{v: &text}
}

// Reveal returns the text; "" when there is none.
func (s Sensitive) Reveal() string {
	if s.v == nil {
		return ""
	}
	return *s.v
}

// IsZero tells whether there is no text.
func (s Sensitive) IsZero() bool { return s.v == nil }

// Format writes "[redacted]" whatever the verb; nothing when there is no text.
func (s Sensitive) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String returns "[redacted]", or "" when there is no text.
func (s Sensitive) String() string {
	if s.v == nil {
		return ""
	}
	return redacted
}

// LogValue returns "[redacted]", or "" when there is no text.
func (s Sensitive) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the text itself, so that JSON keeps it.
func (s Sensitive) MarshalText() ([]byte, error) { return []byte(s.Reveal()), nil }

// UnmarshalText takes the text.
func (s *Sensitive) UnmarshalText(text []byte) error {
	*s = NewSensitive(string(text))
	return nil
}

// encode writes the body of a request: JSON in which what is Sensitive is revealed. It
// also returns those texts, which no error may repeat.
func encode(body any) (data []byte, secrets []string, err error) {
	if raw, ok := body.([]byte); ok {
		return raw, nil, nil
	}
	data, err = json.Marshal(reveal(reflect.ValueOf(body), &secrets))
	return data, secrets, err
}

var sensitiveType = reflect.TypeFor[Sensitive]()

// reveal returns a value that encodes as v does, but with the texts of what is
// Sensitive in it, which it appends to secrets.
func reveal(v reflect.Value, secrets *[]string) any {
	switch {
	case !v.IsValid():
		return nil
	case !holdsSensitive(v.Type(), nil):
		return v.Interface()
	case v.Type() == sensitiveType:
		text := v.Interface().(Sensitive).Reveal()
		if len(text) >= minSecret {
			*secrets = append(*secrets, text)
		}
		return text
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		if v.IsNil() {
			return nil
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return reveal(v.Elem(), secrets)
	case reflect.Struct:
		fields := map[string]any{}
		revealFields(v, fields, secrets)
		return fields
	case reflect.Map:
		fields := map[string]any{}
		for key, value := range v.Seq2() {
			fields[fmt.Sprint(key.Interface())] = reveal(value, secrets)
		}
		return fields
	case reflect.Slice, reflect.Array:
		elements := make([]any, v.Len())
		for i := range elements {
			elements[i] = reveal(v.Index(i), secrets)
		}
		return elements
	}
	return v.Interface()
}

// minSecret is how long a text must be to be searched for in errors: two digits of a
// card's expiry occur everywhere.
const minSecret = 6

// revealFields goes by the same tags as encoding/json; the fields of the outer struct
// come after those of embedded ones, and win.
func revealFields(v reflect.Value, fields map[string]any, secrets *[]string) {
	t := v.Type()
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Tag.Get("json") == "" && f.Type.Kind() == reflect.Struct {
			revealFields(v.Field(i), fields, secrets)
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		value := v.Field(i)
		if strings.Contains(options, "omitzero") && isZero(value) || strings.Contains(options, "omitempty") && isEmpty(value) {
			continue
		}
		fields[name] = reveal(value, secrets)
	}
}

func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return (v.Kind() == reflect.Pointer && v.IsNil()) || z.IsZero()
	}
	return v.IsZero()
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// holdsSensitive reports whether a value of the type can hold something Sensitive.
func holdsSensitive(t reflect.Type, outer []reflect.Type) bool {
	for _, o := range outer {
		if o == t {
			return false
		}
	}
	outer = append(outer, t)
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsSensitive(t.Elem(), outer)
	case reflect.Struct:
		if t == sensitiveType {
			return true
		}
		for i := range t.NumField() {
			if t.Field(i).IsExported() && holdsSensitive(t.Field(i).Type, outer) {
				return true
			}
		}
	}
	return false
}

// scrub makes foreign text fit for an error or a log: one line, bounded, without the
// key, the secrets of the request, and card or account numbers.
func (c *Client) scrub(s string, call *call, limit int) string {
	authorization := strings.TrimPrefix(c.authorization(), "Basic ")
	for _, secret := range append([]string{c.key.text(), authorization, strings.TrimRight(authorization, "=")}, call.secrets...) {
		if len(secret) >= minSecret {
			s = strings.ReplaceAll(s, secret, redacted)
		}
	}
	return oneLine(maskNumbers(s), limit)
}

// maskNumbers hides what may be a card or account number: nine digits in a row,
// or eleven in groups joined by a hyphen or a space.
func maskNumbers(s string) string {
	b := []byte(s)
	for i := 0; i < len(b); {
		if !isDigit(b[i]) {
			i++
			continue
		}
		end, digits, grouped := i, 0, false
		for end < len(b) {
			if isDigit(b[end]) {
				digits++
				end++
			} else if (b[end] == '-' || b[end] == ' ') && end+1 < len(b) && isDigit(b[end+1]) {
				grouped = true
				end++
			} else {
				break
			}
		}
		if digits >= 11 || digits >= 9 && !grouped {
			for k := i; k < end; k++ {
				if isDigit(b[k]) {
					b[k] = '*'
				}
			}
		}
		i = end
	}
	return string(b)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func oneLine(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
