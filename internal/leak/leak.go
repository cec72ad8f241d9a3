// Package leak looks for a secret in everything that a value prints or encodes to. Only
// tests use it.
package leak

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
)

// Types returns the names of the exported struct types that a folder's Go files
// declare, other than tests.
func Types(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if t, ok := n.(*ast.TypeSpec); ok && t.Name.IsExported() && t.TypeParams == nil {
				if _, ok := t.Type.(*ast.StructType); ok {
					names = append(names, t.Name.Name)
				}
			}
			return true
		})
	}
	return names, nil
}

// Fill sets every settable field below v: those that set knows to what it returns, and
// one element to each slice and map.
func Fill(v reflect.Value, set func(reflect.Type) (reflect.Value, bool)) {
	fill(v, set, 0)
}

func fill(v reflect.Value, set func(reflect.Type) (reflect.Value, bool), depth int) {
	if depth > 8 || !v.CanSet() {
		return
	}
	if value, ok := set(v.Type()); ok {
		v.Set(value)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), set, depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), set, depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), set, depth+1)
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element, set, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.Zero(v.Type().Key()), element)
	}
}

// Ways returns what a value shows in each of many ways, by name. A way that refuses the
// value shows its error.
func Ways(value any) map[string]string {
	pointer := reflect.New(reflect.TypeOf(value))
	pointer.Elem().Set(reflect.ValueOf(value))
	slice := reflect.MakeSlice(reflect.SliceOf(pointer.Type()), 1, 1)
	slice.Index(0).Set(pointer)
	forms := map[string]any{
		"value": value, "pointer": pointer.Interface(), "slice": slice.Interface(), "map": map[string]any{"k": value},
		"inside": struct {
			Field any
			Ptr   any
		}{value, pointer.Interface()},
	}
	shown := map[string]string{}
	for form, v := range forms {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T"} {
			shown[form+" "+verb] = fmt.Sprintf(verb, v)
		}
		shown[form+" error"] = errors.Join(fmt.Errorf("wrapped: %v", v)).Error()
		for name, encode := range encoders {
			text, err := encode(v)
			shown[form+" "+name] = fmt.Sprint(text, err)
		}
	}
	return shown
}

var encoders = map[string]func(any) (string, error){
	"json": func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err },
	"template": func(v any) (string, error) {
		var b bytes.Buffer
		err := template.Must(template.New("").Parse(`{{.}} {{printf "%v %d" . .}} <script>var x = {{.}}</script>`)).Execute(&b, v)
		return b.String(), err
	},
	"slog text": logged(func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }),
	"slog json": logged(func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }),
}

func logged(handler func(*bytes.Buffer) slog.Handler) func(any) (string, error) {
	return func(v any) (string, error) {
		var b bytes.Buffer
		slog.New(handler(&b)).Error("message", "attr", v, slog.Any("any", v), slog.Group("group", "in", v), "error", fmt.Errorf("%w: %v", errors.New("e"), v))
		return b.String(), nil
	}
}
