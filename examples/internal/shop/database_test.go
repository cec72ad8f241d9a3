package shop_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
	"github.com/seed238ab19c/tosspayments/examples/internal/shoptest"
)

func TestDatabaseFileNames(t *testing.T) {
	for _, name := range []string{"shop.db", "sp ace.db", "ha#sh.db", "q?m.db", "p%41.db", "원두.db", "a&b=c.db"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := shop.OpenDatabase(t.Context(), filepath.Join(dir, name), "")
			require.NoError(t, err)
			var mode string
			require.NoError(t, db.QueryRow(`PRAGMA journal_mode`).Scan(&mode))
			assert.Equal(t, "wal", mode)
			require.NoError(t, db.Close())
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, files, 1)
			assert.Equal(t, name, files[0].Name())
		})
	}
}

// TestDatabaseFilesAreOnesOwn: they hold account numbers.
func TestDatabaseFilesAreOnesOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	dir := t.TempDir()
	db, err := shop.OpenDatabase(t.Context(), filepath.Join(dir, "shop.db"), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = shop.Setting(t.Context(), db, "name", "value")
	require.NoError(t, err)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Greater(t, len(files), 1, "with the write-ahead log")
	for _, file := range files {
		info, err := file.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file.Name())
	}
}

// TestOldFileBecomesOnesOwn: an earlier version may have made it for everybody.
func TestOldFileBecomesOnesOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	file := filepath.Join(t.TempDir(), "shop.db")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Chmod(file, 0o644))
	db, err := shop.OpenDatabase(t.Context(), file, "")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestDataAreSaysNoPassword(t *testing.T) {
	assert.Equal(t, "데이터 / data: PostgreSQL db.example:5432/shop", shop.DataAre("postgres://shop:secret@db.example:5432/shop?sslmode=verify-full", false))
	assert.Contains(t, shop.DataAre("/tmp/shop.db", true), "/tmp/shop.db (")
}

// Another instance may be writing when one starts.
func TestStartingWaitsForNobody(t *testing.T) {
	const schema = `
CREATE TABLE IF NOT EXISTS a (n BIGINT);
CREATE INDEX IF NOT EXISTS a_n ON a (n);`
	address := shoptest.Database(t)
	first, err := shop.OpenDatabase(t.Context(), address, schema)
	require.NoError(t, err)
	defer func() { require.NoError(t, first.Close()) }()
	require.NoError(t, shop.InTransaction(t.Context(), first, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO a (n) VALUES (1)`)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		second, err := shop.OpenDatabase(ctx, address, schema)
		require.NoError(t, err)
		return second.Close()
	}))
}

func TestASchemaThatHasChangedIsRun(t *testing.T) {
	address := shoptest.Database(t)
	for _, schema := range []string{`CREATE TABLE IF NOT EXISTS a (n BIGINT);`, `CREATE TABLE IF NOT EXISTS b (n BIGINT);`} {
		db, err := shop.OpenDatabase(t.Context(), address, schema)
		require.NoError(t, err)
		_, err = db.Exec(`INSERT INTO ` + strings.Fields(schema)[5] + ` (n) VALUES (1)`)
		assert.NoError(t, err)
		require.NoError(t, db.Close())
	}
}
