package shop_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/examples/internal/shop"
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
