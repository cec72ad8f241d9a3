package shop

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
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
	if isPostgres(address) {
		driver, source, postgres = "pgx", address, true
	}
	if !postgres {
		// Only this user reads it: it holds account numbers. The files beside it follow.
		//nolint:gosec // G304: the name of the database is the operator's to choose.
		file, err := os.OpenFile(address, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(file.Chmod(0o600), file.Close()); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	if err := create(ctx, db, schema, postgres); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// create runs the schema once. To run it where everything exists already would not be
// for nothing: in PostgreSQL it waits for all who write, and they may wait for it.
func create(ctx context.Context, db *sql.DB, schema string, postgres bool) error {
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(schema)))
	var created string
	err := db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'schema'`).Scan(&created)
	if err == nil && created == hash {
		return nil
	}
	return InTransaction(ctx, db, func(tx *sql.Tx) error {
		if postgres {
			// Two instances that start at once would both create the tables.
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(4906001)`); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, settings+schema); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('schema', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, hash)
		return err
	})
}

// sqliteSource asks for what keeps money safe in a file that several processes may
// share: writers wait for each other, and a commit survives a power cut.
func sqliteSource(file string) string {
	file = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file)
	return "file:" + file + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}

// DatabaseAddress is the address that was asked for, or else that of a file of the
// name. Next to a Toss Payments inside this process, which forgets when it ends, the
// file is a temporary one; done removes it.
func DatabaseAddress(asked, name string, toss *Toss) (address string, done func(), err error) {
	switch {
	case asked != "":
		return asked, func() {}, nil
	case toss.Sandbox == nil:
		return name, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "shop")
	return filepath.Join(dir, name), func() { _ = os.RemoveAll(dir) }, err
}

// DataAre says in Korean and English where the data of a database are.
func DataAre(address string, temporary bool) string {
	text := "데이터 / data: " + address
	if isPostgres(address) {
		text = "데이터 / data: PostgreSQL"
		if server, err := url.Parse(address); err == nil {
			text += " " + server.Host + server.Path // without the password
		}
	}
	if temporary {
		text += " (프로그램이 끝나면 지워져요 / gone when the program ends; -db keeps them)"
	}
	return text
}

func isPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// Setting returns a value that every instance has in common: the first one sets it.
func Setting(ctx context.Context, db *sql.DB, name, value string) (string, error) {
	if _, err := db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, value); err != nil {
		return "", err
	}
	err := db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	return value, err
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

// Querier is a database or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// List reads all rows of a query.
func List[T any](ctx context.Context, db Querier, scan func(*sql.Rows) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// Texts reads the one column that a query has.
func Texts(ctx context.Context, db Querier, query string, args ...any) ([]string, error) {
	return List(ctx, db, func(rows *sql.Rows) (text string, err error) { return text, rows.Scan(&text) }, query, args...)
}

// Execer is a database or a transaction.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Change runs a conditional update of one row, and reports whether it was this call that
// made the change.
func Change(ctx context.Context, db Execer, query string, args ...any) (bool, error) {
	result, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// LockOrder keeps others from changing an order until the transaction ends. With PostgreSQL,
// a statement that reads an order and waits for somebody's change of another row would go on
// with the order as it was before; SQLite, where one transaction writes at a time, does not
// know FOR UPDATE.
func LockOrder(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE orders SET id = id WHERE id = $1`, id)
	return err
}
