package tosspayments

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

// The types of BSON that hold a number, or a text with one.
//
// Source: https://bsonspec.org/spec.html
const (
	bsonDouble     = 0x01
	bsonString     = 0x02
	bsonNull       = 0x0a
	bsonInt32      = 0x10
	bsonInt64      = 0x12
	bsonDecimal128 = 0x13
)

// A Decimal128 is a sign, an exponent with a bias and a coefficient of at most 34
// digits. The coefficient has 113 bits, of which the first half-word holds 49.
//
// Source: https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md
const (
	decimal128Digits   = 34
	decimal128Bias     = 6176
	decimal128Mask     = 1<<14 - 1
	decimal128HighBits = 49
)

// MarshalBSONValue writes an int64 when the amount is integral and fits, else a
// Decimal128, so that queries can sort and add both. It refuses more than 34 digits.
// The MongoDB driver calls it, from version 2 on. Version 1 writes an empty document.
func (a Amount) MarshalBSONValue() (typ byte, data []byte, err error) {
	if n, ok := a.Int64(); ok {
		return bsonInt64, binary.LittleEndian.AppendUint64(nil, uint64(n)), nil
	}
	coef, scale := a.parts()
	digits := coef.Abs(coef).String()
	if len(digits) > decimal128Digits {
		return 0, nil, fmt.Errorf("tosspayments: an Amount of more than %d digits does not fit BSON", decimal128Digits)
	}
	high := new(big.Int).Rsh(coef, 64).Uint64() | uint64(decimal128Bias-scale)<<decimal128HighBits
	if a.Sign() < 0 {
		high |= 1 << 63
	}
	low := new(big.Int).And(coef, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	data = binary.LittleEndian.AppendUint64(nil, low)
	return bsonDecimal128, binary.LittleEndian.AppendUint64(data, high), nil
}

// UnmarshalBSONValue reads an int32, int64, Decimal128 or string, and a double of at
// most 15 digits, as [Amount.Scan] does. It refuses null, which a *Amount takes.
func (a *Amount) UnmarshalBSONValue(typ byte, data []byte) error {
	switch {
	case typ == bsonInt32 && len(data) == 4:
		*a = Won(int64(int32(binary.LittleEndian.Uint32(data))))
		return nil
	case typ == bsonInt64 && len(data) == 8:
		*a = Won(int64(binary.LittleEndian.Uint64(data)))
		return nil
	case typ == bsonDouble && len(data) == 8:
		return a.setFloat(math.Float64frombits(binary.LittleEndian.Uint64(data)))
	case typ == bsonDecimal128 && len(data) == 16:
		text, ok := decimal128Text(binary.LittleEndian.Uint64(data[8:]), binary.LittleEndian.Uint64(data))
		if !ok {
			return errors.New("tosspayments: an Amount cannot be read from a Decimal128 that is no number")
		}
		return a.UnmarshalText([]byte(text))
	case typ == bsonString && len(data) > 4:
		return a.UnmarshalText(bytes.TrimSuffix(data[4:], []byte{0}))
	}
	return fmt.Errorf("tosspayments: an Amount cannot be read from BSON type 0x%02x", typ)
}

// decimal128Text returns a Decimal128 in scientific notation. It returns false for
// infinity, NaN and coefficients that are too large.
func decimal128Text(high, low uint64) (text string, ok bool) {
	const special = 0b11 << 61
	if high&special == special {
		return "", false
	}
	coef := new(big.Int).SetUint64(high & (1<<decimal128HighBits - 1))
	coef.Lsh(coef, 64).Or(coef, new(big.Int).SetUint64(low))
	exponent := int(high>>decimal128HighBits&decimal128Mask) - decimal128Bias
	text = coef.String() + "e" + strconv.Itoa(exponent)
	if high>>63 == 1 {
		text = "-" + text
	}
	return text, true
}

// appendBSONText returns the BSON value of a text.
func appendBSONText(text string) (typ byte, data []byte, err error) {
	data = binary.LittleEndian.AppendUint32(nil, uint32(len(text)+1))
	return bsonString, append(append(data, text...), 0), nil
}

// bsonText reads a text; null is "".
func bsonText(typ byte, data []byte) (string, error) {
	switch {
	case typ == bsonNull:
		return "", nil
	case typ == bsonString && len(data) > 4:
		return string(bytes.TrimSuffix(data[4:], []byte{0})), nil
	}
	return "", fmt.Errorf("tosspayments: a text cannot be read from BSON type 0x%02x", typ)
}
