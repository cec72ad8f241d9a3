package tosspayments_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No function of a test, with a name or without, asserts seven things: it compares them as
// one, or is several tests. This holds for the tests of all modules.
func TestBodiesOfTestsAssertFewThings(t *testing.T) {
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && (name == "testdata" || len(name) > 1 && name[0] == '.'):
			return filepath.SkipDir
		case strings.HasSuffix(name, "_test.go"):
			assertFewThings(t, path)
		}
		return nil
	}))
}

func assertFewThings(t *testing.T, path string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, declaration := range file.Decls {
		name := "a variable"
		ast.Inspect(declaration, func(node ast.Node) bool {
			switch f := node.(type) {
			case *ast.FuncDecl:
				name = f.Name.Name
				assert.LessOrEqual(t, assertionsIn(f.Body), 6, "%s: %s", set.Position(f.Pos()), name)
			case *ast.FuncLit:
				assert.LessOrEqual(t, assertionsIn(f.Body), 6, "%s: in %s", set.Position(f.Pos()), name)
			}
			return true
		})
	}
}

// assertionsIn counts those of a body without the functions in it. A require.NoError is a
// step on the way.
func assertionsIn(body *ast.BlockStmt) (n int) {
	ast.Inspect(body, func(node ast.Node) bool {
		if call, ok := node.(*ast.SelectorExpr); ok {
			from, _ := call.X.(*ast.Ident)
			if from != nil && (from.Name == "assert" || from.Name == "require" && call.Sel.Name != "NoError") {
				n++
			}
		}
		_, inner := node.(*ast.FuncLit)
		return !inner
	})
	return n
}
