package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/seed238ab19c/tosspayments"

// outsideModule makes a module elsewhere that uses the library as its users do,
// and returns its folder.
func outsideModule(t *testing.T, program string) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join("testdata", program, "main.go"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(
		"module example.com/outside\n\ngo 1.25.0\n\nreplace "+modulePath+" => "+filepath.ToSlash(root)+"\n"), 0o600))
	command(t, dir, "go", "mod", "tidy")
	return dir
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

func build(t *testing.T, dir string) (binary string, size int64) {
	t.Helper()
	binary = filepath.Join(dir, "program")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	command(t, dir, "go", "build", "-ldflags=-s -w", "-o", binary, ".")
	info, err := os.Stat(binary)
	require.NoError(t, err)
	return binary, info.Size()
}

func TestOutsideModule(t *testing.T) {
	dir := outsideModule(t, "outside")
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(mod), "require"), "%s", mod)
	assert.Contains(t, string(mod), "\nrequire "+modulePath+" v0.0.0")
	assert.NotContains(t, string(mod), "indirect")

	binary, _ := build(t, dir)
	t.Setenv("GODEBUG", "inittrace=1")
	out := command(t, dir, binary)
	assert.Contains(t, out, "DONE 15000 true")
	assert.NotContains(t, out, "init "+modulePath+" ", "importing must compute nothing")
}

// TestNamesThatStay: a program elsewhere that uses every name that is promised to stay compiles.
func TestNamesThatStay(t *testing.T) { build(t, outsideModule(t, "names")) }

// TestBinarySize writes down what the library adds to a program.
func TestBinarySize(t *testing.T) {
	_, with := build(t, outsideModule(t, "size-library"))
	_, without := build(t, outsideModule(t, "size-nethttp"))
	t.Logf("stripped binary: with the library %d bytes, with net/http alone %d bytes: %+d", with, without, with-without)
	assert.Less(t, with-without, int64(1<<20))
}
