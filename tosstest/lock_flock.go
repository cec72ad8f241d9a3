//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package tosstest

import (
	"errors"
	"os"
	"syscall"
)

// lockFile opens a file for one process at a time. The lock ends with the process.
func lockFile(path string) (*os.File, error) {
	//nolint:gosec // G304: the caller names the file.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errInUse
	}
	return nil, err
}
