package tosspayments_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packages are those that people import, each with the types whose methods its index names.
// The methods of other types are found with their values.
var packages = map[string][]string{
	".":            {"Client"},
	"payouts":      {"Client"},
	"brandpay":     {"Client", "Customer"},
	"webhook":      {"Handler", "Event", "Verifier"},
	"reconcile":    nil,
	"institutions": nil,
	"tosstest":     {"Server", "Gate"},
}

// notCalled are methods that are there for fmt, log/slog, errors and the encoders.
var notCalled = regexp.MustCompile(`^(Error|Is|Unwrap|Format|String|LogValue|Scan|Value|(Unm|M)arshal\w+)$`)

// The comment of a package says what to call for each task.
func TestPackageCommentsNameEveryCall(t *testing.T) {
	for folder, types := range packages {
		page := pageOf(t, folder, 0)
		for _, name := range calls(page) {
			typ, method, isMethod := strings.Cut(name, ".")
			// All… reads the pages of List….
			if !isMethod || slices.Contains(types, typ) && !strings.HasPrefix(method, "List") {
				assert.Contains(t, page.Doc, "["+name+"]", "the index of %s", folder)
			}
		}
	}
}

// Whatever is called is used by an example.
func TestEveryCallHasAnExample(t *testing.T) {
	for folder := range packages {
		used := namesInExamples(t, folder)
		for _, name := range calls(pageOf(t, folder, 0)) {
			assert.True(t, used[name[strings.LastIndex(name, ".")+1:]], "%s: no example calls %s", folder, name)
		}
	}
}

func namesInExamples(t *testing.T, folder string) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	used := map[string]bool{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Example") {
				continue
			}
			ast.Inspect(f.Body, func(node ast.Node) bool {
				if selector, ok := node.(*ast.SelectorExpr); ok {
					used[selector.Sel.Name] = true
				}
				return true
			})
		}
	}
	return used
}

// calls are the functions of a package, and its methods as Type.Method.
func calls(page *doc.Package) (names []string) {
	add := func(prefix string, functions []*doc.Func) {
		for _, f := range functions {
			if !notCalled.MatchString(f.Name) && prefix+f.Name != "Handler.ServeHTTP" {
				names = append(names, prefix+f.Name)
			}
		}
	}
	add("", page.Funcs)
	for _, typ := range page.Types {
		add("", typ.Funcs)
		add(typ.Name+".", typ.Methods)
	}
	return names
}

// Both `go doc Client` and pkg.go.dev show New under Client. A variable that is declared
// with the type error hides it, since go/doc then takes error for a type of the package.
func TestConstructorsStandUnderTheirTypes(t *testing.T) {
	for _, folder := range []string{".", "webhook", "payouts", "brandpay", "tosstest"} {
		page := pageOf(t, folder, doc.AllDecls)
		require.NotEmpty(t, page.Types)
		for _, function := range page.Funcs {
			assert.NotContains(t, []string{"New", "NewServer", "NewVerifier", "Start", "Parse", "ParseSecretKey", "ParseAmount"}, function.Name,
				"%s: it stands under no type", folder)
		}
	}
}

func pageOf(t *testing.T, folder string, mode doc.Mode) *doc.Package {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	page, err := doc.NewFromFiles(set, files, folder, mode)
	require.NoError(t, err)
	return page
}
