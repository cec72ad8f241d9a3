package shoptest

import (
	"bytes"
	"strings"
	"sync"
)

// Buffer is what a running shop prints, to be read meanwhile.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write takes more.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was printed so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Line returns the first line: the address of the shop.
func (b *Buffer) Line() string {
	line, _, _ := strings.Cut(b.String(), "\n")
	return line
}
