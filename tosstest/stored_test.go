package tosstest

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What the file has for each thing. A new field of the server's belongs there, or is
// derived, and is counted here.
func TestFileHasEveryField(t *testing.T) {
	for _, x := range []struct {
		of, in  reflect.Type
		derived int
	}{
		// The shop follows from the checkout, busy ends with the process; OfOrder is extra.
		{reflect.TypeFor[payment](), reflect.TypeFor[storedPayment](), 2 - 1},
		{reflect.TypeFor[virtualAccount](), reflect.TypeFor[storedAccount](), 1}, // expired
		// Ended has three parts.
		{reflect.TypeFor[openWindow](), reflect.TypeFor[storedWindow](), -2},
		{reflect.TypeFor[registration](), reflect.TypeFor[storedRegistration](), 0},
		{reflect.TypeFor[brandPayWindow](), reflect.TypeFor[storedBrandPayWindow](), 0},
		{reflect.TypeFor[brandPay](), reflect.TypeFor[storedBrandPay](), 0},
	} {
		assert.Equal(t, x.of.NumField(), x.in.NumField()+x.derived, x.of.Name())
	}
}
