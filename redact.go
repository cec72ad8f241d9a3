package tosspayments

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

// Sensitive is text that must not reach a log or a browser: a payment's webhook secret,
// an account number, a billing key.
//
// It shows "[redacted]" in fmt, slog, templates, encoding/json and BSON, wherever it
// sits. Keeping it takes an explicit call: Reveal returns the text, [Stored] keeps a
// whole value, and in a database a Sensitive is a text column. Reading "[redacted]" gives
// the zero Sensitive, so that it never passes for a secret.
//
// A type that holds one cannot be compared with ==; see [Sensitive.Equal].
type Sensitive struct {
	_ [0]func()
	// The text is kept masked, so that debug printers, which follow every pointer,
	// show nothing of it.
	masked string
}

// mask is another one in every process. Importing the package makes none.
func mask() []byte {
	onceMask.Do(func() { _, _ = rand.Read(maskBytes[:]) })
	return maskBytes[:]
}

var (
	onceMask  sync.Once
	maskBytes [61]byte
)

func masked(text string) string {
	m, b := mask(), []byte(text)
	for i := range b {
		b[i] ^= m[i%len(m)]
	}
	return string(b)
}

// NewSensitive wraps a text.
func NewSensitive(text string) Sensitive {
	if text == "" || text == redacted {
		return Sensitive{}
	}
	return Sensitive{masked: masked(text)}
}

// Reveal returns the text; "" when there is none.
func (s Sensitive) Reveal() string {
	if s.masked == "" {
		return ""
	}
	return masked(s.masked)
}

// Equal reports whether both texts are the same. The comparison is constant-time.
func (s Sensitive) Equal(other Sensitive) bool {
	return subtle.ConstantTimeCompare([]byte(s.masked), []byte(other.masked)) == 1
}

// IsZero reports whether there is no text.
func (s Sensitive) IsZero() bool { return s.masked == "" }

// Format writes "[redacted]" whatever the verb; nothing when there is no text.
func (s Sensitive) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String returns "[redacted]", or "" when there is no text.
func (s Sensitive) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// LogValue returns "[redacted]", or "" when there is no text.
func (s Sensitive) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText writes "[redacted]", or nothing when there is no text. To store the text
// use Reveal or [Stored].
func (s Sensitive) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text.
func (s *Sensitive) UnmarshalText(text []byte) error {
	*s = NewSensitive(string(text))
	return nil
}

// MarshalBSONValue writes "[redacted]" for the MongoDB driver, or "" when there is no
// text.
func (s Sensitive) MarshalBSONValue() (byte, []byte, error) { return appendBSONText(s.String()) }

// UnmarshalBSONValue takes the text of a string; null is none.
func (s *Sensitive) UnmarshalBSONValue(kind byte, data []byte) error {
	text, err := bsonText(kind, data)
	if err == nil {
		*s = NewSensitive(text)
	}
	return err
}

// Value stores the text itself in a text column; NULL when there is none.
func (s Sensitive) Value() (driver.Value, error) {
	if s.IsZero() {
		return nil, nil
	}
	return s.Reveal(), nil
}

// Scan reads a text column; NULL is none.
func (s *Sensitive) Scan(source any) error {
	switch v := source.(type) {
	case nil:
		*s = Sensitive{}
	case string:
		*s = NewSensitive(v)
	case []byte:
		*s = NewSensitive(string(v))
	default:
		return fmt.Errorf("tosspayments: a Sensitive cannot be read from %T", source)
	}
	return nil
}

// Stored keeps a value whole: its JSON has the texts of what is [Sensitive] in it, and in
// a database it is a text column of that JSON. It prints as "[redacted]". Encrypt what
// you keep of a billing key.
//
//	row := db.QueryRow("SELECT payment FROM orders WHERE id = ?", id)
//	var stored tosspayments.Stored[tosspayments.Payment]
//	err := row.Scan(&stored)
//	payment := stored.Get()
type Stored[T any] struct{ value func() T }

// Store returns a value that is kept whole.
func Store[T any](value T) Stored[T] { return Stored[T]{func() T { return value }} }

// Get returns the value; the zero T when there is none.
func (s Stored[T]) Get() (value T) {
	if s.value == nil {
		return value
	}
	return s.value()
}

// IsZero reports whether there is no value.
func (s Stored[T]) IsZero() bool { return s.value == nil }

// MarshalJSON writes the whole value; null when there is none.
func (s Stored[T]) MarshalJSON() ([]byte, error) {
	if s.value == nil {
		return []byte("null"), nil
	}
	data, _, err := encode(s.value())
	return data, err
}

// UnmarshalJSON reads the whole value; null is none.
func (s *Stored[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*s = Stored[T]{}
		return nil
	}
	var value T
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	if key, ok := any(&value).(interface{ lost() error }); ok && key.lost() != nil {
		return key.lost()
	}
	*s = Store(value)
	return nil
}

// Value writes the JSON of the whole value; NULL when there is none.
func (s Stored[T]) Value() (driver.Value, error) {
	if s.value == nil {
		return nil, nil
	}
	data, err := s.MarshalJSON()
	return string(data), err
}

// Scan reads a column of JSON, as text or as bytes; NULL and "" are none.
func (s *Stored[T]) Scan(source any) error {
	switch v := source.(type) {
	case nil:
		return s.UnmarshalJSON([]byte("null"))
	case string:
		return s.UnmarshalJSON([]byte(cmp.Or(v, "null")))
	case []byte:
		return s.UnmarshalJSON([]byte(cmp.Or(string(v), "null")))
	}
	return fmt.Errorf("tosspayments: a stored value cannot be read from %T", source)
}

// MarshalBSONValue writes the JSON of the whole value as a text; null is "".
func (s Stored[T]) MarshalBSONValue() (byte, []byte, error) {
	if s.value == nil {
		return appendBSONText("")
	}
	data, err := s.MarshalJSON()
	if err != nil {
		return 0, nil, err
	}
	return appendBSONText(string(data))
}

// UnmarshalBSONValue reads what MarshalBSONValue writes.
func (s *Stored[T]) UnmarshalBSONValue(kind byte, data []byte) error {
	text, err := bsonText(kind, data)
	if err != nil {
		return err
	}
	return s.UnmarshalJSON([]byte(cmp.Or(text, "null")))
}

// Format writes "[redacted]" whatever the verb.
func (Stored[T]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns "[redacted]".
func (Stored[T]) String() string { return redacted }

// LogValue returns "[redacted]".
func (Stored[T]) LogValue() slog.Value { return slog.StringValue(redacted) }

// encode writes the body of a request: JSON in which what is Sensitive is revealed. It
// also returns those texts, which no error may repeat.
func encode(body any) (data []byte, secrets []string, err error) {
	if raw, ok := body.([]byte); ok {
		return raw, nil, nil
	}
	data, err = json.Marshal(reveal(reflect.ValueOf(body), &secrets))
	return data, secrets, err
}

// reveal returns a value that encodes as v does, but with the texts of what is
// Sensitive in it, which it appends to secrets.
func reveal(v reflect.Value, secrets *[]string) any {
	switch {
	case !v.IsValid():
		return nil
	case !isSensitive(v.Type()):
		return v.Interface()
	case v.Type() == reflect.TypeFor[Sensitive]():
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
			name, ok := nameOf(key)
			if !ok {
				return v.Interface() // encoding/json says what is wrong
			}
			fields[name] = reveal(value, secrets)
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

// nameOf returns the key of a map as encoding/json writes it. It does without a map made by
// reflect, which would cost every program 45 KB.
func nameOf(key reflect.Value) (name string, ok bool) {
	switch own, isOwn := reflect.TypeAssert[encoding.TextMarshaler](key); {
	case key.Kind() == reflect.String:
		return key.String(), true
	case isOwn:
		text, err := own.MarshalText()
		return string(text), err == nil
	case key.CanInt():
		return strconv.FormatInt(key.Int(), 10), true
	case key.CanUint():
		return strconv.FormatUint(key.Uint(), 10), true
	}
	return "", false
}

// minSecret is how long a text must be to be searched for in errors: two digits of a
// card's expiry occur everywhere.
const minSecret = 6

// revealFields goes by the same tags as encoding/json; the fields of the outer struct
// come after those of embedded ones, and win.
func revealFields(v reflect.Value, fields map[string]any, secrets *[]string) {
	t := v.Type()
	for i := range t.NumField() {
		if inner := reflect.Indirect(v.Field(i)); isEmbedded(t.Field(i)) && inner.IsValid() {
			revealFields(inner, fields, secrets)
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Tag.Get("json") == "-" || isEmbedded(f) {
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
		switch n := reflect.Indirect(value); {
		case !strings.Contains(options, "string") || !n.IsValid():
		case n.CanInt():
			fields[name] = strconv.FormatInt(n.Int(), 10)
		case n.CanUint():
			fields[name] = strconv.FormatUint(n.Uint(), 10)
		}
	}
}

// isEmbedded reports whether the fields of a field are fields of its struct.
func isEmbedded(f reflect.StructField) bool {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	inner := f.Type
	if inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	return f.Anonymous && name == "" && inner.Kind() == reflect.Struct
}

func isZero(v reflect.Value) bool {
	if z, ok := reflect.TypeAssert[interface{ IsZero() bool }](v); ok {
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

// sensitiveTypes keeps what holdsSensitive has found of each type of a request.
var sensitiveTypes sync.Map

func isSensitive(t reflect.Type) bool {
	if known, ok := sensitiveTypes.Load(t); ok {
		return known.(bool)
	}
	holds := holdsSensitive(t, nil, true)
	sensitiveTypes.Store(t, holds)
	return holds
}

// holdsSensitive reports whether a value of the type can hold something Sensitive. An
// interface may, except inside of what writes its own JSON.
func holdsSensitive(t reflect.Type, outer []reflect.Type, open bool) bool {
	if slices.Contains(outer, t) {
		return false
	}
	outer = append(outer, t)
	open = open && !t.Implements(reflect.TypeFor[json.Marshaler]())
	switch t.Kind() {
	case reflect.Interface:
		return open
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsSensitive(t.Elem(), outer, open)
	case reflect.Struct:
		if t == reflect.TypeFor[Sensitive]() {
			return true
		}
		for i := range t.NumField() {
			if t.Field(i).IsExported() && holdsSensitive(t.Field(i).Type, outer, open) {
				return true
			}
		}
	}
	return false
}

// scrub makes foreign text fit for an error or a log: one line, bounded, without the
// key, the secrets of the request, and card or account numbers.
func (c *Client) scrub(s string, call *call, limit int) string {
	return oneLine(maskNumbers(c.hideSecrets(s, call)), limit)
}

// scrubbedError is an error of the network, or of a transport of the caller's, whose text
// was not fit for an error.
type scrubbedError struct {
	text string
	err  error
}

func (e *scrubbedError) Error() string { return e.text }

func (e *scrubbedError) Unwrap() error { return e.err }

// scrubError hides what a transport repeats of the request, such as a path with a billing
// key.
func (c *Client) scrubError(err error, call *call) error {
	if err == nil {
		return nil
	}
	text := c.hideSecrets(err.Error(), call)
	if text == err.Error() {
		return err
	}
	return &scrubbedError{text, err}
}

// hideSecrets hides the key, the secrets of the request, and what looks like a key.
func (c *Client) hideSecrets(s string, call *call) string {
	for _, secret := range c.secrets() {
		s = strings.ReplaceAll(s, secret, redacted)
	}
	for _, secret := range call.secrets {
		if len(secret) >= minSecret {
			s = strings.ReplaceAll(s, secret, redacted)
		}
	}
	return maskKeys(s)
}

// maskKeys hides what looks like a key of Toss Payments, whoever's it is, plain or as
// the Base64 of an Authorization header.
func maskKeys(s string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); i++ {
		if i > 0 && isWord(s[i-1]) {
			continue
		}
		if length := keyLength(s[i:]); length > 0 {
			b.WriteString(s[done:i] + redacted)
			done = i + length
			i = done - 1
		}
	}
	return b.String() + s[done:]
}

// keyLength returns the length of the key that s begins with; 0 for none. It is no
// regular expression, since that package would make programs larger by 250 KB.
func keyLength(s string) int {
	const shortest = 8
	switch {
	case strings.HasPrefix(s, "test_"), strings.HasPrefix(s, "live_"):
		kind, rest, _ := strings.Cut(s[len("test_"):], "_")
		if kind == "" || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz") != "" {
			return 0
		}
		if end := prefixOf(rest, isWord); end >= shortest {
			return len(s) - len(rest) + end
		}
	case strings.HasPrefix(s, "dGVzdF"), strings.HasPrefix(s, "bGl2ZV"): // test_, live_
		end := len("dGVzdF") + prefixOf(s[len("dGVzdF"):], isBase64)
		if end >= len("dGVzdF")+shortest {
			return end + prefixOf(s[end:], func(c byte) bool { return c == '=' })
		}
	}
	return 0
}

// prefixOf returns how many bytes at the beginning of s are of a kind.
func prefixOf(s string, kind func(byte) bool) int {
	for i := range len(s) {
		if !kind(s[i]) {
			return i
		}
	}
	return len(s)
}

func isWord(c byte) bool { return c == '_' || isAlphanumeric(c) }

func isBase64(c byte) bool { return c == '+' || c == '/' || isAlphanumeric(c) }

func isAlphanumeric(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

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
		for ; end < len(b); end++ {
			joins := (b[end] == '-' || b[end] == ' ') && end+1 < len(b) && isDigit(b[end+1])
			if !joins && !isDigit(b[end]) {
				break
			}
			grouped = grouped || joins
			if !joins {
				digits++
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
