package tosspayments

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

const (
	maxAmountDigits = 38
	maxAmountScale  = 18
)

// Amount is an exact decimal amount of money, such as 15000 won or 1.25 dollars.
// It never passes through a floating-point number.
//
// Equal amounts are equal under ==, whatever their notation (1.50 and 1.5), so
// an Amount can be a map key. The zero Amount is 0.
//
// JSON, text, gob, SQL databases and MongoDB's driver (version 2) give back the amount
// that was stored, or return an error; [Amount.Scan] names the one exception, in SQLite.
// [Amount.Format] describes what fmt prints.
type Amount struct {
	// The value is coef/10^scale with the smallest possible scale. big is set,
	// in the same canonical form, only when the coefficient exceeds an int64.
	coef  int64
	scale uint8
	big   string
}

// Won returns an amount of whole units: won, or yen.
func Won(units int64) Amount { return Amount{coef: units} }

// ParseAmount reads a decimal number in any notation: "15000", "1.25", "1.5e4".
//
// It returns a [*ValidationError] for what is not a plain number (white space, thousands
// separators, NaN), and for more than 38 digits or 18 decimals.
func ParseAmount(text string) (Amount, error) {
	a, reason := parseAmount(text)
	if reason != "" {
		return Amount{}, &ValidationError{Field: "amount", Reason: reason}
	}
	return a, nil
}

func parseAmount[T string | []byte](text T) (_ Amount, reason string) {
	const notNumber = "must be a decimal number, such as 15000 or 1.25"
	i, negative := 0, false
	if len(text) > 0 && text[0] == '-' {
		i, negative = 1, true
	}
	var buffer [maxAmountDigits]byte
	n := decimal{digits: buffer[:0]}
	length, ok := scanDecimal(text[i:], &n)
	if i += length; ok && i < len(text) {
		var power int
		power, ok = parseExponent(text[i:])
		n.exponent += power
	}
	if !ok {
		return Amount{}, notNumber
	}
	for len(n.digits) > 0 && n.digits[len(n.digits)-1] == '0' {
		n.digits = n.digits[:len(n.digits)-1]
		n.exponent++
	}
	switch {
	case len(n.digits) == 0 && !n.long:
		return Amount{}, ""
	case n.long || len(n.digits)+max(n.exponent, 0) > maxAmountDigits:
		return Amount{}, "has more than 38 digits"
	case n.exponent < -maxAmountScale:
		return Amount{}, "has more than 18 decimals"
	}
	for ; n.exponent > 0; n.exponent-- {
		n.digits = append(n.digits, '0')
	}
	return newAmount(negative, n.digits, uint8(-n.exponent)), ""
}

// decimal is the number digits × 10^exponent.
type decimal struct {
	digits   []byte // without leading zeros
	exponent int
	// long is set when there are more digits than an amount can have.
	long bool
}

// scanDecimal reads digits with at most one point between them, and returns how long
// they are.
func scanDecimal[T string | []byte](text T, n *decimal) (length int, ok bool) {
	point := false
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '.' && ok && !point:
			point, ok = true, false
			continue
		case c < '0' || c > '9':
			return i, ok
		}
		ok = true
		if point {
			n.exponent--
		}
		switch {
		case c == '0' && len(n.digits) == 0:
		case len(n.digits) < maxAmountDigits:
			n.digits = append(n.digits, c)
		case c == '0':
			n.exponent++
		default:
			n.long = true
		}
	}
	return len(text), ok
}

func parseExponent[T string | []byte](text T) (power int, ok bool) {
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	i, negative := 1, false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		negative = text[i] == '-'
		i++
	}
	if i == len(text) {
		return 0, false
	}
	for ; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		power = min(power*10+int(text[i]-'0'), 1_000_000)
	}
	if negative {
		power = -power
	}
	return power, true
}

// newAmount takes canonical digits: no leading zero, and no trailing zero when
// scale is not 0.
func newAmount(negative bool, digits []byte, scale uint8) Amount {
	var magnitude uint64
	for _, c := range digits {
		high, low := bits.Mul64(magnitude, 10)
		sum, carry := bits.Add64(low, uint64(c-'0'), 0)
		if high+carry != 0 || sum > 1<<63 || (sum == 1<<63 && !negative) {
			return Amount{big: plainDecimal(negative, string(digits), int(scale))}
		}
		magnitude = sum
	}
	if negative {
		magnitude = -magnitude
	}
	return Amount{coef: int64(magnitude), scale: scale}
}

func plainDecimal(negative bool, digits string, scale int) string {
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if negative {
		return "-" + digits
	}
	return digits
}

// Int64 returns the amount in whole units, and reports whether it is integral and fits.
func (a Amount) Int64() (int64, bool) {
	if a.scale != 0 || a.big != "" {
		return 0, false
	}
	return a.coef, true
}

func (a Amount) isWhole() bool { return a.scale == 0 && !strings.Contains(a.big, ".") }

// String returns the amount as a plain decimal number: "15000", "1.25".
func (a Amount) String() string {
	switch {
	case a.big != "":
		return a.big
	case a.scale == 0:
		return strconv.FormatInt(a.coef, 10)
	}
	digits, negative := strings.CutPrefix(strconv.FormatInt(a.coef, 10), "-")
	return plainDecimal(negative, digits, int(a.scale))
}

// Format prints the amount for the verbs of fmt, with width and the flags + - 0 and
// space. %v, %s and %#v print the plain number, %q the same in quotes. %d prints a
// whole number, %f all decimals, and %.2f two of them: 12.50.
//
// Nothing is ever rounded. Where %d or %.2f would lose decimals, and for all other
// verbs, it prints the mark that fmt has for a wrong verb, with the number in it:
// %!d(tosspayments.Amount=12.5).
func (a Amount) Format(f fmt.State, verb rune) {
	text, ok := a.format(f, verb)
	if !ok {
		_, _ = fmt.Fprintf(f, "%%!%c(%T=%s)", verb, a, a.String())
		return
	}
	width, _ := f.Width()
	missing := max(width-len(text), 0)
	switch sign := text[:len(text)-len(strings.TrimLeft(text, "+- "))]; {
	case f.Flag('-'):
		text += strings.Repeat(" ", missing)
	case f.Flag('0') && verb != 'q':
		text = sign + strings.Repeat("0", missing) + text[len(sign):]
	default:
		text = strings.Repeat(" ", missing) + text
	}
	_, _ = io.WriteString(f, text)
}

// format returns the number for a verb without padding, or false when the verb
// cannot print it.
func (a Amount) format(f fmt.State, verb rune) (text string, ok bool) {
	text = a.String()
	whole, decimals, _ := strings.Cut(text, ".")
	switch verb {
	case 'v', 's':
		return text, true
	case 'q':
		return strconv.Quote(text), true
	case 'd':
		if decimals != "" {
			return "", false
		}
	case 'f', 'F':
		if precision, ok := f.Precision(); ok {
			if precision < len(decimals) {
				return "", false
			}
			text = whole
			if precision > 0 {
				text += "." + decimals + strings.Repeat("0", precision-len(decimals))
			}
		}
	default:
		return "", false
	}
	switch {
	case a.Sign() < 0:
	case f.Flag('+'):
		text = "+" + text
	case f.Flag(' '):
		text = " " + text
	}
	return text, true
}

// IsZero reports whether the amount is 0.
func (a Amount) IsZero() bool { return a == Amount{} }

// Sign returns -1 for a negative amount, 0 for 0, and 1 for a positive one.
func (a Amount) Sign() int {
	switch {
	case a.big != "" && a.big[0] == '-' || a.coef < 0:
		return -1
	case a.big != "" || a.coef > 0:
		return 1
	}
	return 0
}

// Equal reports whether a and b are the same amount, as == does.
func (a Amount) Equal(b Amount) bool { return a == b }

// Cmp returns -1 when a is less than b, 0 when they are equal, 1 when a is more.
func (a Amount) Cmp(b Amount) int {
	if a.scale == b.scale && a.big == "" && b.big == "" {
		switch {
		case a.coef < b.coef:
			return -1
		case a.coef > b.coef:
			return 1
		}
		return 0
	}
	x, y, _ := align(a, b)
	return x.Cmp(y)
}

// Add returns a + b, exactly.
func (a Amount) Add(b Amount) Amount {
	if a.scale == 0 && b.scale == 0 && a.big == "" && b.big == "" {
		if sum := a.coef + b.coef; (sum > a.coef) == (b.coef > 0) {
			return Amount{coef: sum}
		}
	}
	x, y, scale := align(a, b)
	return fromBig(x.Add(x, y), scale)
}

// Sub returns a - b, exactly.
func (a Amount) Sub(b Amount) Amount {
	if a.scale == 0 && b.scale == 0 && a.big == "" && b.big == "" {
		if difference := a.coef - b.coef; (difference < a.coef) == (b.coef > 0) {
			return Amount{coef: difference}
		}
	}
	x, y, scale := align(a, b)
	return fromBig(x.Sub(x, y), scale)
}

// Neg returns -a.
func (a Amount) Neg() Amount { return Amount{}.Sub(a) }

// Mul returns a times n, exactly.
func (a Amount) Mul(n int64) Amount {
	coef, scale := a.parts()
	return fromBig(coef.Mul(coef, big.NewInt(n)), scale)
}

// align returns both coefficients at the larger of the two scales.
func align(a, b Amount) (x, y *big.Int, scale int) {
	x, xScale := a.parts()
	y, yScale := b.parts()
	ten := big.NewInt(10)
	raise := func(n *big.Int, by int) {
		if by > 0 {
			n.Mul(n, new(big.Int).Exp(ten, big.NewInt(int64(by)), nil))
		}
	}
	raise(x, yScale-xScale)
	raise(y, xScale-yScale)
	return x, y, max(xScale, yScale)
}

func (a Amount) parts() (*big.Int, int) {
	if a.big == "" {
		return big.NewInt(a.coef), int(a.scale)
	}
	whole, fraction, _ := strings.Cut(a.big, ".")
	n, _ := new(big.Int).SetString(whole+fraction, 10)
	return n, len(fraction)
}

func fromBig(n *big.Int, scale int) Amount {
	digits, negative := strings.CutPrefix(n.String(), "-")
	for scale > 0 && strings.HasSuffix(digits, "0") {
		digits = digits[:len(digits)-1]
		scale--
	}
	if digits == "" || digits == "0" {
		return Amount{}
	}
	return newAmount(negative, []byte(digits), uint8(scale))
}

// UnmarshalJSON reads a number or a numeric string; null leaves the amount as it is.
func (a *Amount) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if len(data) > 1 && data[0] == '"' && data[len(data)-1] == '"' {
		data = data[1 : len(data)-1]
	}
	parsed, reason := parseAmount(data)
	if reason != "" {
		return fmt.Errorf("tosspayments: an amount %s", reason)
	}
	*a = parsed
	return nil
}

// MarshalJSON writes a plain number.
func (a Amount) MarshalJSON() ([]byte, error) { return a.append(make([]byte, 0, 20)), nil }

func (a Amount) append(b []byte) []byte {
	if a.scale == 0 && a.big == "" {
		return strconv.AppendInt(b, a.coef, 10)
	}
	return append(b, a.String()...)
}

// UnmarshalText reads what [ParseAmount] reads.
func (a *Amount) UnmarshalText(text []byte) error {
	parsed, err := ParseAmount(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// MarshalText writes a plain number.
func (a Amount) MarshalText() ([]byte, error) { return a.MarshalJSON() }

// UnmarshalBinary reads what [Amount.MarshalBinary] writes.
func (a *Amount) UnmarshalBinary(data []byte) error { return a.UnmarshalText(data) }

// MarshalBinary writes a plain number. Without it gob could not encode an Amount,
// and other encodings would lose it.
func (a Amount) MarshalBinary() ([]byte, error) { return a.MarshalJSON() }

// Scan reads a column of integer, numeric or text type.
//
// It reads a floating-point number of at most 15 digits, which is then the number
// that was stored: SQLite gives back decimals of its NUMERIC, DECIMAL and INTEGER
// columns so. It refuses one with more digits, and NULL: scan into a *Amount or a
// [database/sql.Null] for that. In SQLite such columns keep 15 digits of a number
// with decimals; a TEXT column keeps all.
func (a *Amount) Scan(source any) error {
	switch v := source.(type) {
	case int64:
		*a = Won(v)
		return nil
	case float64:
		return a.setFloat(v)
	case string:
		return a.UnmarshalText([]byte(v))
	case []byte:
		return a.UnmarshalText(v)
	case nil:
		return errors.New("tosspayments: an Amount cannot be NULL: scan into sql.Null[tosspayments.Amount]")
	}
	return fmt.Errorf("tosspayments: an Amount cannot be read from %T", source)
}

// setFloat takes the shortest decimal number that is stored as v, if it has at most
// 15 digits: any two such numbers are stored differently.
func (a *Amount) setFloat(v float64) error {
	const exact = 15
	text := strconv.FormatFloat(v, 'e', -1, 64)
	mantissa, _, _ := strings.Cut(text, "e")
	if math.IsNaN(v) || math.Abs(v) >= 1e15 || len(strings.Trim(mantissa, "-"))-1 > exact {
		return fmt.Errorf("tosspayments: an Amount cannot be read exactly from the floating-point number %v: use an integer, numeric or text column", v)
	}
	return a.UnmarshalText([]byte(text))
}

// Value writes an int64 when the amount is integral and fits, else text, which
// numeric columns take as well.
func (a Amount) Value() (driver.Value, error) {
	if n, ok := a.Int64(); ok {
		return n, nil
	}
	return a.String(), nil
}
