package payouts

import "encoding/json"

// Optional is a member of an update. The zero Optional leaves the member as it is.
type Optional[T any] struct {
	isSet bool
	value *T
}

// Value sets a member.
func Value[T any](value T) Optional[T] { return Optional[T]{true, &value} }

// Null deletes a member.
func Null[T any]() Optional[T] { return Optional[T]{isSet: true} }

// IsZero reports whether the member stays as it is.
func (o Optional[T]) IsZero() bool { return !o.isSet }

// Get returns the value, and reports whether there is one.
func (o Optional[T]) Get() (value T, ok bool) {
	if o.value == nil {
		return value, false
	}
	return *o.value, true
}

// MarshalJSON writes the value or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.value) }
