package shop

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

const settings = `
CREATE TABLE IF NOT EXISTS settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);`

// OpenDatabase opens a PostgreSQL database, where the address is one
// (postgres://…), or else an SQLite file, and creates what the schema says and is
// missing. Statements use what both understand.
func OpenDatabase(ctx context.Context, address, schema string) (*sql.DB, error) {
	driver, source, postgres := "sqlite", sqliteSource(address), false
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		driver, source, postgres = "pgx", address, true
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	err = InTransaction(ctx, db, func(tx *sql.Tx) error {
		if postgres {
			// Two instances that start at once would both create the tables.
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(4906001)`); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, settings+schema)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// sqliteSource asks for what keeps money safe in a file that several processes may
// share: writers wait for each other, and a commit survives a power cut.
func sqliteSource(file string) string {
	return "file:" + file + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}

// InTransaction commits what the function has done, or nothing when it fails.
func InTransaction(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Execer is a database or a transaction.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Change runs a conditional update of one row, and tells whether it was this call that
// made the change.
func Change(ctx context.Context, db Execer, query string, args ...any) (bool, error) {
	result, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
