package tosspayments_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both `go doc Client` and pkg.go.dev show New under Client. A variable that is declared
// with the type error hides it, since go/doc then takes error for a type of the package.
func TestConstructorsStandUnderTheirTypes(t *testing.T) {
	for _, folder := range []string{".", "webhook", "payouts", "brandpay", "tosstest"} {
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
		page, err := doc.NewFromFiles(set, files, folder, doc.AllDecls)
		require.NoError(t, err)
		require.NotEmpty(t, page.Types)
		for _, function := range page.Funcs {
			assert.NotContains(t, []string{"New", "NewServer", "NewVerifier", "Start", "Parse", "ParseSecretKey", "ParseAmount"}, function.Name,
				"%s: it stands under no type", folder)
		}
	}
}
