// Package ofread marks the errors of reads in the packages that are built on tosspayments.
package ofread

// Error is an error of a read, which says nothing about an order.
type Error struct{ err error }

// Mark marks an error; nil stays nil.
func Mark(err error) error {
	if err == nil {
		return nil
	}
	return &Error{err}
}

// Error returns the text of the marked error.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the marked error.
func (e *Error) Unwrap() error { return e.err }
