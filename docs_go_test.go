package tosspayments_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The comment of a package says what to call for each task.
func TestPackageCommentsNameEveryCall(t *testing.T) {
	for folder, types := range map[string][]string{".": {"Client"}, "payouts": {"Client"}, "brandpay": {"Client", "Customer"}} {
		page := pageOf(t, folder, 0)
		for _, typ := range page.Types {
			if !slices.Contains(types, typ.Name) {
				continue
			}
			for _, method := range typ.Methods {
				// What prints a value is not called by name, and All… reads the pages of List….
				if strings.HasPrefix(method.Name, "List") || slices.Contains([]string{"Format", "LogValue"}, method.Name) {
					continue
				}
				assert.Contains(t, page.Doc, "["+typ.Name+"."+method.Name+"]", "%s", folder)
			}
		}
	}
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
