package recipes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBlocks finds each block of Go in the documentation among the lines of this
// package, and of the program that the README shows.
func TestBlocks(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	sources = append(sources, "../confirm/main.go")
	var code string
	for _, name := range sources {
		code += lines(t, name)
	}
	var pages []string
	for _, pattern := range []string{"../../README*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	require.GreaterOrEqual(t, len(pages), 2)
	for _, page := range pages {
		blocks := strings.Split(lines(t, page), "\n```go\n")
		for _, block := range blocks[1:] {
			block, _, closed := strings.Cut(block, "\n```\n")
			require.True(t, closed, page)
			assert.True(t, strings.Contains(code, "\n"+block+"\n"), "%s: no lines of the examples are\n%s", page, block)
		}
	}
}

// lines reads a file without indentation.
func lines(t *testing.T, name string) string {
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

// TestPagesComeInTwoLanguages pairs the pages of both languages: each links to the other
// in its first line, and both show the same code.
func TestPagesComeInTwoLanguages(t *testing.T) {
	pages := func(language string) (names []string) {
		found, err := filepath.Glob("../../docs/" + language + "/*.md")
		require.NoError(t, err)
		for _, page := range found {
			names = append(names, filepath.Base(page))
		}
		return names
	}
	english := pages("en")
	require.Contains(t, english, "README.md")
	require.Equal(t, english, pages("ko"))
	for _, name := range english {
		en, ko := lines(t, "../../docs/en/"+name), lines(t, "../../docs/ko/"+name)
		assert.True(t, strings.HasPrefix(en, "English | [한국어](../ko/"+name+")\n"), "en/%s begins with another line", name)
		assert.True(t, strings.HasPrefix(ko, "[English](../en/"+name+") | 한국어\n"), "ko/%s begins with another line", name)
		for _, kind := range []string{"go", "sql", "html", "console"} {
			assert.Equal(t, blocksOf(en, kind), blocksOf(ko, kind), "%s: the blocks of %s differ", name, kind)
		}
	}
}

func blocksOf(page, kind string) (blocks []string) {
	for _, block := range strings.Split(page, "\n```"+kind+"\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```\n")
		blocks = append(blocks, block)
	}
	return blocks
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInURL = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks follows every relative link of the documentation.
func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"../../*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	followed := 0
	for _, page := range pages {
		for _, match := range link.FindAllStringSubmatch(lines(t, page), -1) {
			target, anchor, _ := strings.Cut(match[1]+match[2], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "{{") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := filepath.Join(filepath.Dir(page), target)
			if target == "" {
				file = page
			}
			_, err := os.Stat(file)
			if !assert.NoError(t, err, "%s links to %s", page, target) {
				continue
			}
			followed++
			if anchor != "" && strings.HasSuffix(file, ".md") {
				assert.Contains(t, anchors(t, file), anchor, "%s links to %s#%s", page, target, anchor)
			}
		}
	}
	assert.Greater(t, followed, 50)
}

// anchors returns what a page's headings are called in a link.
func anchors(t *testing.T, page string) (names []string) {
	for _, match := range heading.FindAllStringSubmatch(lines(t, page), -1) {
		name := notInURL.ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}
