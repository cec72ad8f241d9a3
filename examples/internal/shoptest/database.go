package shoptest

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Database returns the address of a new, empty database: a file of SQLite, or with
// DATABASE_URL a schema of that PostgreSQL, which goes when the test ends.
func Database(t *testing.T) string {
	t.Helper()
	server := os.Getenv("DATABASE_URL")
	if server == "" {
		return filepath.Join(t.TempDir(), "shop.db")
	}
	db, err := sql.Open("pgx", server)
	require.NoError(t, err)
	name := "test_" + strings.ToLower(rand.Text())
	_, err = db.ExecContext(t.Context(), "CREATE SCHEMA "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		// What a killed program has asked for may still be under way, and lock what is dropped.
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			_, err := db.Exec("DROP SCHEMA " + name + " CASCADE")
			assert.NoError(c, err)
		}, time.Minute, 100*time.Millisecond)
		require.NoError(t, db.Close())
	})
	address, err := url.Parse(server)
	require.NoError(t, err)
	query := address.Query()
	query.Set("search_path", name)
	address.RawQuery = query.Encode()
	return address.String()
}

// IsPostgres reports whether an address is one of PostgreSQL.
func IsPostgres(address string) bool { return strings.HasPrefix(address, "postgres") }

// Lock keeps anybody from writing into a table until the returned function is called.
func Lock(t *testing.T, address, table string) (unlock func()) {
	t.Helper()
	driver, source, statement := "sqlite", "file:"+address+"?_pragma=busy_timeout(10000)&_txlock=immediate", "SELECT 1"
	if IsPostgres(address) {
		driver, source, statement = "pgx", address, "LOCK TABLE "+table+" IN EXCLUSIVE MODE"
	}
	db, err := sql.Open(driver, source)
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(statement)
	require.NoError(t, err)
	return func() {
		require.NoError(t, tx.Rollback())
		require.NoError(t, db.Close())
	}
}

// NeedPostgres skips a test of what happens on PostgreSQL only.
func NeedPostgres(t *testing.T) {
	t.Helper()
	if os.Getenv("DATABASE_URL") == "" {
		t.Skip("DATABASE_URL is not set")
	}
}

// SomebodyWaits waits until a transaction on PostgreSQL waits for another one.
func SomebodyWaits(t *testing.T, db *sql.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		var waits bool
		err := db.QueryRow(`SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
			WHERE c.relnamespace = current_schema()::regnamespace AND l.pid IN (SELECT pid FROM pg_locks WHERE NOT granted))`).Scan(&waits)
		return err == nil && waits
	}, time.Minute, 5*time.Millisecond)
}
