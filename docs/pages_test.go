// Package docs has only the checks of the pages. They stand in the module that has the
// pages, because a test that is cached runs again only if a file of its own module changes.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
		found, err := filepath.Glob(language + "/*.md")
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
		en, ko := lines(t, "en/"+name), lines(t, "ko/"+name)
		assert.True(t, strings.HasPrefix(en, "English | [한국어](../ko/"+name+")\n"), "en/%s begins with another line", name)
		assert.True(t, strings.HasPrefix(ko, "[English](../en/"+name+") | 한국어\n"), "ko/%s begins with another line", name)
	}
	for en, ko := range pairsOf(t) {
		for _, kind := range []string{"go", "sql", "html", "console"} {
			assert.Equal(t, blocksOf(lines(t, en), kind), blocksOf(lines(t, ko), kind), "%s: the blocks of %s differ", ko, kind)
		}
	}
}

// TestTablesAreTheSame compares the tables of both languages: as many of them, with as
// many rows and columns, and the same codes in each row.
func TestTablesAreTheSame(t *testing.T) {
	for en, ko := range pairsOf(t) {
		enRows, koRows := rowsOf(lines(t, en)), rowsOf(lines(t, ko))
		if !assert.Len(t, koRows, len(enRows), "%s: another number of rows", ko) {
			continue
		}
		for i, row := range enRows {
			assert.Equal(t, row.columns, koRows[i].columns, "%s: another number of columns: %s", ko, koRows[i].text)
			assert.Equal(t, row.codes, koRows[i].codes, "%s: other codes than in English: %s", ko, koRows[i].text)
		}
	}
}

// row is a row of a table, or the end of one.
type row struct {
	text    string
	columns int
	codes   []string
}

var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```$")
	code   = regexp.MustCompile("`[^`]+`")
	// message begins where a row of the error codes quotes Toss Payments.
	message = regexp.MustCompile(`\| \d{3} \|.*`)
)

func rowsOf(page string) (rows []row) {
	inTable := false
	for line := range strings.Lines(fenced.ReplaceAllString(page, "")) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "|"):
			codes := code.FindAllString(message.ReplaceAllString(line, ""), -1)
			slices.Sort(codes)
			rows = append(rows, row{line, strings.Count(code.ReplaceAllString(line, ""), "|"), codes})
		case inTable:
			rows = append(rows, row{})
		}
		inTable = strings.HasPrefix(line, "|")
	}
	return rows
}

// TestMapsAreComplete finds every page in the list of pages of its language.
func TestMapsAreComplete(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		pages, err := filepath.Glob(language + "/*.md")
		require.NoError(t, err)
		list := lines(t, language+"/README.md")
		for _, page := range pages {
			if name := filepath.Base(page); name != "README.md" {
				assert.Contains(t, list, "]("+name, "docs/%s/README.md has no link to it", language)
			}
		}
	}
}

// aside is what a Korean page may say in another language: code, addresses, quotations,
// and its first line, which names the languages.
var aside = regexp.MustCompile("(?s)^.*?\n|`[^`]+`|\\]\\([^)]*\\)|<[^>]*>|\"[^\"\n]*\"|\\([A-Za-z][^)\n]*\\)")

// TestKoreanPagesSpeakKorean finds English sentences in Korean pages: five words in a row.
func TestKoreanPagesSpeakKorean(t *testing.T) {
	sentence := regexp.MustCompile(`[A-Za-z']+(?:[ ,]+[A-Za-z']+){4,}`)
	pages, err := filepath.Glob("ko/*.md")
	require.NoError(t, err)
	for _, page := range append(pages, "../README.ko.md", "../CONTRIBUTING.ko.md", "../SECURITY.ko.md", "../examples/README.ko.md") {
		text := aside.ReplaceAllString(fenced.ReplaceAllString(lines(t, page), ""), "")
		assert.Empty(t, sentence.FindAllString(text, -1), page)
	}
}

// TestNamesOnTheScreen finds the buttons that the guide to the sandbox names in the
// sandbox's page, and what README says of the payment window in the window.
func TestNamesOnTheScreen(t *testing.T) {
	screen := lines(t, "../cmd/toss-sandbox/page/text.js")
	for page, section := range map[string]string{"en/sandbox.md": "## Faults, on a button", "ko/sandbox.md": "## 버튼으로 일으키는 장애"} {
		_, text, found := strings.Cut(lines(t, page), section)
		require.True(t, found, page)
		text, _, _ = strings.Cut(text, "\n## ")
		buttons := 0
		for _, row := range rowsOf(text) {
			for name := range strings.SplitSeq(strings.Split(row.text+"||", "|")[1], ",") {
				if name = strings.TrimSpace(name); name == "" || strings.HasPrefix(name, "---") || name == "button" || name == "버튼" {
					continue
				}
				buttons++
				assert.True(t, strings.Contains(screen, `: "`+name+`"`), "%s: no button is called %s", page, name)
			}
		}
		assert.Greater(t, buttons, 15, page)
	}
	for _, page := range []string{"../README.md", "../README.ko.md", "../tosstest/browser/window.html"} {
		assert.True(t, strings.Contains(lines(t, page), "다른 결과로 끝내기"), page)
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
	followed := 0
	for _, page := range pagesOf(t) {
		for _, match := range link.FindAllStringSubmatch(lines(t, page), -1) {
			target, anchor, _ := strings.Cut(match[1]+match[2], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") || strings.HasPrefix(target, "{{") {
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

// TestLinksAreTheSame compares where the pages of both languages lead.
func TestLinksAreTheSame(t *testing.T) {
	same := strings.NewReplacer("/en/", "/", "/ko/", "/", "-en.", ".", "-ko.", ".", ".ko.md", ".md")
	targets := func(page string) (links []string) {
		// The first line leads to the other language.
		_, text, _ := strings.Cut(fenced.ReplaceAllString(lines(t, page), ""), "\n")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(match[1]+match[2], "#")
			links = append(links, same.Replace(target))
		}
		slices.Sort(links)
		return slices.Compact(links)
	}
	for en, ko := range pairsOf(t) {
		assert.Equal(t, targets(en), targets(ko), "%s leads elsewhere", ko)
	}
}

// pairsOf returns the Korean page of each English one.
func pairsOf(t *testing.T) map[string]string {
	pages := map[string]string{}
	for _, page := range []string{"../README", "../CONTRIBUTING", "../SECURITY", "../examples/README"} {
		pages[page+".md"] = page + ".ko.md"
	}
	english, err := filepath.Glob("en/*.md")
	require.NoError(t, err)
	for _, page := range english {
		pages[page] = strings.Replace(page, "en/", "ko/", 1)
	}
	return pages
}
