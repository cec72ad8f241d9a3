// Package lenient decodes JSON of which a part may have another type than expected.
package lenient

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Unmarshal decodes data into the value that v points to, as [json.Unmarshal] does.
// Where that fails it reads field by field, and what cannot be read hides nothing else.
//
//   - null and "" are the zero value of any type.
//   - A number or a boolean is read for a text, "Y", "N", "true", "false", 1 and 0 for a
//     boolean, a numeric text for a whole number, and times as [ParseTime] reads them.
//   - A type that reads JSON or text by itself is asked first.
//   - A field with the tag also:"name" is read under that name as well.
//   - What cannot be read is left zero, and unread names it: card.approveNo,
//     cancels[1].canceledAt. It names ten of one list at the most.
//
// It returns an error if data is not JSON or the outermost value has the wrong kind.
// The work is in proportion to the size of data. What v held before is dropped where
// [json.Unmarshal] fails. Structs must not embed pointers.
func Unmarshal(data []byte, v any) (unread []string, err error) {
	err = json.Unmarshal(data, v)
	if err == nil && !hasWideOffset(data) {
		return nil, nil
	}
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() || !json.Valid(data) {
		return nil, err
	}
	target.Elem().SetZero()
	d := decoder{data: data}
	d.space()
	if !d.value(target.Elem()) {
		return nil, cmp.Or(err, errNoTime)
	}
	return d.unread, nil
}

// Missing returns the first of the names that a JSON object does not have, or has as
// null or "". It returns "" when it has them all. What is not an object has none. A name
// such as amount.value is that of a member of a member.
func Missing(object []byte, names ...string) string {
	d := decoder{data: object}
	found := make(map[string]bool, len(names))
	if d.space(); d.data[d.at] != '{' {
		return names[0]
	}
	d.members(func(key string) {
		value := d.skip()
		for _, name := range names {
			outer, inner, isNested := strings.Cut(name, ".")
			if strings.EqualFold(outer, key) && !isNothing(value) && (!isNested || Missing(value, inner) == "") {
				found[name] = true
			}
		}
	})
	for _, name := range names {
		if !found[name] {
			return name
		}
	}
	return ""
}

// Ambiguous returns the first of the names under which programs may find different
// members in a JSON object: it occurs twice, or in other letters, which encoding/json
// takes for the same. It returns "" if there is none, and for what is not an object.
func Ambiguous(object []byte, names ...string) (ambiguous string) {
	if !bytes.HasPrefix(bytes.TrimSpace(object), []byte("{")) || !json.Valid(object) {
		return ""
	}
	d := decoder{data: object}
	d.space()
	found := make(map[string]bool, len(names))
	d.members(func(key string) {
		d.skip()
		for _, name := range names {
			if strings.EqualFold(name, key) && (name != key || found[name]) && ambiguous == "" {
				ambiguous = name
			}
		}
		found[key] = true
	})
	return ambiguous
}

const (
	maxNamesPerList = 10
	maxNameLength   = 200
)

// decoder walks once through valid JSON. Its methods expect to be at the first byte of
// a value, and leave it behind the last one.
type decoder struct {
	data   []byte
	at     int
	path   []byte
	unread []string
}

// value reads a value into v. It returns false if nothing was read: v is zero then.
func (d *decoder) value(v reflect.Value) (read bool) {
	if v.Kind() == reflect.Pointer {
		return d.pointer(v)
	}
	start, first := d.at, d.data[d.at]
	own, ownText := readsJSON(v), readsText(v)
	if own != nil {
		if own.UnmarshalJSON(d.skip()) == nil {
			return true
		}
		v.SetZero()
		d.at = start
	}
	switch kind := v.Kind(); {
	case first == '{' && kind == reflect.Struct && ownText == nil:
		d.object(v)
		return true
	case first == '[' && kind == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		d.list(v)
		return true
	}
	raw := d.skip()
	if isNothing(raw) {
		return v.Kind() == reflect.String
	}
	refused := own != nil && ownText == nil
	if refused || !coerce(v, ownText, raw) {
		v.SetZero()
		d.unread = append(d.unread, string(d.path[:min(len(d.path), maxNameLength)]))
		return false
	}
	return true
}

func (d *decoder) pointer(v reflect.Value) (read bool) {
	target := v
	if v.IsNil() {
		target = reflect.New(v.Type().Elem())
	}
	if d.data[d.at] == 'n' {
		d.skip()
	} else {
		read = d.value(target.Elem())
	}
	if read {
		v.Set(target)
	} else {
		v.SetZero()
	}
	return read
}

func (d *decoder) object(v reflect.Value) {
	fields := fieldsOf(v.Type())
	d.members(func(key string) {
		field, ok := fields.find(key)
		if !ok {
			d.skip()
			return
		}
		length := len(d.path)
		if length > 0 {
			d.path = append(d.path, '.')
		}
		d.path = append(d.path, field.name...)
		d.value(v.FieldByIndex(field.index))
		d.path = d.path[:length]
	})
}

func (d *decoder) list(v reflect.Value) {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	length, named := len(d.path), len(d.unread)
	d.at++
	for n := 0; d.next(']'); n++ {
		v.Grow(1)
		v.SetLen(n + 1)
		d.path = append(strconv.AppendInt(append(d.path, '['), int64(n), 10), ']')
		d.value(v.Index(n))
		d.path = d.path[:length]
		d.unread = d.unread[:min(len(d.unread), named+maxNamesPerList)]
	}
}

// members calls each for every member of an object, which must read its value.
func (d *decoder) members(each func(key string)) {
	d.at++
	for d.next('}') {
		key, _ := text(d.skip())
		d.space()
		d.at++ // the colon
		d.space()
		each(key)
	}
}

// next goes to the next element, or returns false behind the end of the object or list.
func (d *decoder) next(end byte) bool {
	d.space()
	if d.data[d.at] == ',' {
		d.at++
		d.space()
	}
	if d.data[d.at] == end {
		d.at++
		return false
	}
	return true
}

func (d *decoder) space() {
	for strings.IndexByte(" \t\r\n", d.data[d.at]) >= 0 {
		d.at++
	}
}

// skip returns the bytes of a value.
func (d *decoder) skip() []byte {
	start := d.at
	for depth := 0; ; {
		switch d.data[d.at] {
		case '"':
			d.skipText()
		case '{', '[':
			depth++
			d.at++
		case '}', ']':
			depth--
			d.at++
		case ' ', '\t', '\r', '\n', ',', ':':
			d.at++
		default:
			for d.at < len(d.data) && strings.IndexByte(" \t\r\n,]}", d.data[d.at]) < 0 {
				d.at++
			}
		}
		if depth == 0 {
			return d.data[start:d.at]
		}
	}
}

func (d *decoder) skipText() {
	for d.at++; d.data[d.at] != '"'; d.at++ {
		if d.data[d.at] == '\\' {
			d.at++
		}
	}
	d.at++
}

func isNothing(raw []byte) bool { return string(raw) == "null" || string(raw) == `""` }

// text returns what a JSON text holds; a number or a boolean as it is written.
func text(raw []byte) (s string, ok bool) {
	switch raw[0] {
	case '{', '[':
		return "", false
	case '"':
		ok = json.Unmarshal(raw, &s) == nil
		return s, ok
	}
	return string(raw), true
}

// coerce sets v to a value of another type, if there is one way only to read it.
func coerce(v reflect.Value, own encoding.TextUnmarshaler, raw []byte) bool {
	s, isText := text(raw)
	switch kind := v.Kind(); {
	case v.Type() == reflect.TypeFor[time.Time]():
		t, err := ParseTime(s)
		if err == nil {
			v.Set(reflect.ValueOf(t))
		}
		return err == nil
	case own != nil:
		return isText && own.UnmarshalText([]byte(s)) == nil
	case kind == reflect.String:
		v.SetString(s)
		return isText
	case kind == reflect.Bool:
		b, ok := booleans[strings.ToLower(s)]
		v.SetBool(b)
		return ok
	case v.CanInt():
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		v.SetInt(n)
		return err == nil
	}
	return json.Unmarshal(raw, v.Addr().Interface()) == nil
}

var booleans = map[string]bool{"true": true, "y": true, "1": true, "false": false, "n": false, "0": false}

func readsJSON(v reflect.Value) json.Unmarshaler {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return nil
	}
	own, _ := reflect.TypeAssert[json.Unmarshaler](v.Addr())
	return own
}

func readsText(v reflect.Value) encoding.TextUnmarshaler {
	own, _ := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	return own
}

// field is one field of a struct, under its name in JSON.
type field struct {
	name  string
	index []int
}

type fields struct {
	byName map[string]field
	list   []field
}

var fieldCache sync.Map // of reflect.Type to *fields

func fieldsOf(t reflect.Type) *fields {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.(*fields)
	}
	all := &fields{byName: map[string]field{}}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		for _, key := range []string{name, f.Tag.Get("also")} {
			// The outer one of two fields with one name counts.
			if known, ok := all.byName[key]; key != "" && (!ok || len(f.Index) < len(known.index)) {
				all.byName[key] = field{key, f.Index}
			}
		}
	}
	for _, f := range all.byName {
		all.list = append(all.list, f)
	}
	fieldCache.Store(t, all)
	return all
}

func (f *fields) find(key string) (field, bool) {
	if exact, ok := f.byName[key]; ok {
		return exact, true
	}
	for _, candidate := range f.list {
		if strings.EqualFold(candidate.name, key) {
			return candidate, true
		}
	}
	return field{}, false
}

// hasWideOffset reports whether data may hold a time whose offset is a day or more. The
// time package reads such a time and refuses to write it.
func hasWideOffset(data []byte) bool {
	for _, offset := range []string{"+24:", "-24:", "+23:60", "-23:60"} {
		if bytes.Contains(data, []byte(offset)) {
			return true
		}
	}
	return false
}
