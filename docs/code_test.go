package docs

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recipes has the code that the pages show.
const recipes = "../examples/recipes"

// TestBlocks finds each block of Go in the documentation in the code of the examples: as
// whole declarations, whose functions and types are on the page or one link away.
func TestBlocks(t *testing.T) {
	sources := loadSources(t, recipes, "../examples/confirm")
	for _, page := range pagesOf(t) {
		near := declaredNear(t, sources, page)
		for _, block := range blocksOf(lines(t, page), "go") {
			shown := sources.find(block)
			if !assert.NotNil(t, shown, "%s: no lines of the examples are\n%s", page, block) {
				continue
			}
			assert.Empty(t, shown.torn(), "%s begins or ends in the middle of these", page)
			for _, name := range shown.uses() {
				assert.True(t, near[name], "%s uses %s, and neither the page nor one that it links to shows it", page, name)
			}
		}
	}
}

// TestBlocksMakeAProgram finds in the guides everything that their blocks use: whoever
// copies all of them has a package that compiles. Tests, and the shop on River, leave parts
// to the files that the guides link to.
func TestBlocksMakeAProgram(t *testing.T) {
	sources := loadSources(t, recipes)
	declared := map[string]bool{}
	var copied []*excerpt
	pages, err := filepath.Glob("en/*.md")
	require.NoError(t, err)
	for _, page := range pages {
		for _, block := range blocksOf(lines(t, page), "go") {
			shown := sources.find(block)
			if shown != nil && filepath.Dir(shown.path) == recipes && !strings.HasSuffix(shown.path, "_test.go") {
				copied = append(copied, shown)
				maps.Copy(declared, shown.declares())
			}
		}
	}
	require.Greater(t, len(copied), 100)
	for _, shown := range copied {
		for _, name := range shown.uses() {
			assert.True(t, declared[name], "no guide shows %s, which lines %d to %d of %s use", name, shown.first, shown.last, shown.path)
		}
	}
}

// TestPagesOfHTML finds each HTML file of the recipes in the pages, and each block of HTML
// in those files.
func TestPagesOfHTML(t *testing.T) {
	files, err := filepath.Glob(recipes + "/*.html")
	require.NoError(t, err)
	unseen := map[string]string{}
	for _, file := range files {
		unseen[strings.TrimSuffix(lines(t, file), "\n")] = file
	}
	tested := maps.Clone(unseen)
	for _, page := range pagesOf(t) {
		for _, block := range blocksOf(lines(t, page), "html") {
			assert.Contains(t, tested, block, page)
			delete(unseen, block)
		}
	}
	assert.Empty(t, unseen)
}

// pagesOf returns every page of the documentation.
func pagesOf(t *testing.T) (pages []string) {
	for _, pattern := range []string{"../*.md", "*/*.md", "../examples/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	require.Greater(t, len(pages), 40)
	return pages
}

// declaredNear returns the names that the blocks of a page and of the pages it links to
// declare, and those of the Go files it links to.
func declaredNear(t *testing.T, s *sources, page string) map[string]bool {
	names := map[string]bool{}
	near := []string{page}
	for _, match := range link.FindAllStringSubmatch(lines(t, page), -1) {
		target, _, _ := strings.Cut(match[1], "#")
		near = append(near, filepath.Join(filepath.Dir(page), target))
	}
	for _, file := range near {
		switch {
		case strings.Contains(file, "://"):
		case strings.HasSuffix(file, ".md"):
			for _, block := range blocksOf(lines(t, file), "go") {
				if shown := s.find(block); shown != nil {
					maps.Copy(names, shown.declares())
				}
			}
		case strings.HasSuffix(file, ".go"):
			if f := s.file(file); f != nil {
				maps.Copy(names, (&excerpt{f, 1, len(f.lines)}).declares())
			}
		}
	}
	return names
}

// sources are files, and where the blocks were found that have been looked for.
type sources struct {
	files []*sourceFile
	found map[string]*excerpt
}

type sourceFile struct {
	path  string
	lines []string // without indentation
	fset  *token.FileSet
	tree  *ast.File
	info  *types.Info
}

// loadSources reads the Go files of some folders and of what is in them. Other packages
// than the file's own are not looked into.
func loadSources(t *testing.T, roots ...string) *sources {
	all := &sources{found: map[string]*excerpt{}}
	fset := token.NewFileSet()
	packages := map[string][]*sourceFile{}
	for _, root := range roots {
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") {
				return err
			}
			tree, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			name := filepath.Dir(path) + " " + tree.Name.Name
			file := &sourceFile{path: path, lines: strings.Split(lines(t, path), "\n"), fset: fset, tree: tree}
			packages[name] = append(packages[name], file)
			return nil
		}))
	}
	for name, files := range packages {
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
		config := types.Config{Importer: noImporter{}, Error: func(error) {}}
		var trees []*ast.File
		for _, f := range files {
			trees, f.info = append(trees, f.tree), info
		}
		_, _ = config.Check(name, fset, trees, info) // with errors, for want of the imports
		all.files = append(all.files, files...)
	}
	slices.SortFunc(all.files, func(a, b *sourceFile) int { return strings.Compare(a.path, b.path) })
	return all
}

type noImporter struct{}

func (noImporter) Import(string) (*types.Package, error) { return nil, errors.New("not needed") }

func (s *sources) file(path string) *sourceFile {
	for _, f := range s.files {
		if f.path == path {
			return f
		}
	}
	return nil
}

// find returns where a block stands in the sources, or nil.
func (s *sources) find(block string) *excerpt {
	if e, ok := s.found[block]; ok {
		return e
	}
	want := strings.Split(block, "\n")
	for _, f := range s.files {
		for i := range f.lines {
			if len(f.lines)-i >= len(want) && slices.Equal(f.lines[i:i+len(want)], want) {
				s.found[block] = &excerpt{f, i + 1, i + len(want)}
				return s.found[block]
			}
		}
	}
	s.found[block] = nil
	return nil
}

// excerpt is some lines of a file, counted from 1, ends included.
type excerpt struct {
	*sourceFile
	first, last int
}

func (e *excerpt) has(node ast.Node) (all, some bool) {
	from, to := e.fset.Position(node.Pos()).Line, e.fset.Position(node.End()).Line
	return e.first <= from && to <= e.last, e.first <= to && from <= e.last
}

// torn names the declarations that are shown in part.
func (e *excerpt) torn() (names []string) {
	for _, d := range e.tree.Decls {
		if all, some := e.has(d); some && !all {
			names = append(names, declared(d)...)
		}
	}
	return names
}

func (e *excerpt) declares() map[string]bool {
	names := map[string]bool{}
	for _, d := range e.tree.Decls {
		if all, _ := e.has(d); all {
			for _, name := range declared(d) {
				names[name] = true
			}
		}
	}
	return names
}

// uses names the functions, methods, types, variables and constants of the package that
// stand in an excerpt. A method of an interface is named by it.
func (e *excerpt) uses() (names []string) {
	ast.Inspect(e.tree, func(node ast.Node) bool {
		ident, ok := node.(*ast.Ident)
		if !ok {
			return true
		}
		object := e.info.Uses[ident]
		if all, _ := e.has(ident); !all || object == nil || object.Pkg() == nil {
			return true
		}
		if f, ok := object.(*types.Func); ok && f.Signature().Recv() != nil {
			names = append(names, methodName(f))
		} else if object.Parent() == object.Pkg().Scope() {
			names = append(names, object.Name())
		}
		return true
	})
	return names
}

func methodName(f *types.Func) string {
	receiver := f.Signature().Recv().Type()
	if pointer, ok := receiver.(*types.Pointer); ok {
		receiver = pointer.Elem()
	}
	named, ok := receiver.(*types.Named)
	switch {
	case !ok:
		return f.Name()
	case types.IsInterface(named):
		return named.Obj().Name()
	}
	return named.Obj().Name() + "." + f.Name()
}

func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		receiver := d.Recv.List[0].Type
		if pointer, ok := receiver.(*ast.StarExpr); ok {
			receiver = pointer.X
		}
		if generic, ok := receiver.(*ast.IndexExpr); ok {
			receiver = generic.X
		}
		return []string{receiver.(*ast.Ident).Name + "." + d.Name.Name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// apiName is a name of one of the packages, as a page mentions it.
var apiName = regexp.MustCompile("`\\*?&?(tosspayments|webhook|payouts|brandpay|reconcile|institutions|tosstest)\\.([A-Z]\\w*)")

// TestNamesExist finds each name of the packages that the text of a page mentions.
func TestNamesExist(t *testing.T) {
	exported := map[string]bool{}
	for _, name := range []string{"tosspayments", "webhook", "payouts", "brandpay", "reconcile", "institutions", "tosstest"} {
		folder := "../" + strings.TrimPrefix(name, "tosspayments")
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range tree.Decls {
				for _, n := range declared(d) {
					exported[name+"."+n] = true
				}
			}
		}
	}
	for _, page := range pagesOf(t) {
		if name := filepath.Base(page); name == "CHANGELOG.md" || name == "upgrading.md" {
			continue // they name what is gone
		}
		for _, match := range apiName.FindAllStringSubmatch(fenced.ReplaceAllString(lines(t, page), ""), -1) {
			name := match[1] + "." + match[2]
			assert.True(t, exported[name], "%s mentions %s, which there is not", page, name)
		}
	}
}
