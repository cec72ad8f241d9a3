package jobs

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

var (
	sqlBlock   = regexp.MustCompile("(?ms)^```sql\n(.*?)^```$")
	sqlComment = regexp.MustCompile(`--.*`)
)

// The SQL of all guides is about the same tables, which the guides create.
func TestSQLOfTheGuides(t *testing.T) {
	if os.Getenv("DATABASE_URL") == "" {
		t.Skip("the guides' SQL is PostgreSQL's: set DATABASE_URL")
	}
	database, err := pgx.Connect(t.Context(), shoptest.Database(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = database.Close(context.Background()) })
	pages, err := filepath.Glob("../../../docs/en/*.md")
	require.NoError(t, err)
	tables, others := map[string]bool{}, map[string]string{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, block := range sqlBlock.FindAllSubmatch(text, -1) {
			for statement := range strings.SplitSeq(sqlComment.ReplaceAllString(string(block[1]), ""), ";") {
				switch statement = strings.TrimSpace(statement); {
				case strings.HasPrefix(statement, "CREATE TABLE"):
					tables[statement] = true
				case statement != "":
					others[statement] = page
				}
			}
		}
	}
	require.Greater(t, len(others), 10)
	// Those that refer to others come after them.
	refers := func(table string) int { return strings.Count(table, "REFERENCES") }
	for _, table := range slices.SortedFunc(maps.Keys(tables), func(a, b string) int { return refers(a) - refers(b) }) {
		_, err := database.Exec(t.Context(), table)
		require.NoError(t, err, table)
	}
	for statement, page := range others {
		_, err := database.Prepare(t.Context(), statement, statement)
		assert.NoError(t, err, "%s: %s", page, statement)
	}
}
