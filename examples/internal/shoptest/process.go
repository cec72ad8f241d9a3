package shoptest

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/tosstest"
)

// asProgram is set in the environment of a test's binary that is to be the program.
const asProgram = "SHOPTEST_PROGRAM"

// Program names the program of the package that is tested: the test's own binary, where
// TestMain calls RunAsProgram. The test is skipped with -short.
func Program(t *testing.T) (binary string) {
	t.Helper()
	skipShort(t)
	binary, err := os.Executable()
	require.NoError(t, err)
	return binary
}

// RunAsProgram runs main in place of the tests where Start has started their binary.
func RunAsProgram(main func()) {
	if os.Getenv(asProgram) == "" {
		return
	}
	main()
	os.Exit(0)
}

var built struct {
	sync.Mutex
	folder string
}

// Build builds a program of the repository, which is a folder beside the library, once
// for all tests of a package. The test is skipped with -short.
func Build(t *testing.T, folder string) (binary string) {
	t.Helper()
	skipShort(t)
	built.Lock()
	defer built.Unlock()
	var err error
	if built.folder == "" {
		built.folder, err = os.MkdirTemp("", "programs-") //nolint:usetesting // it outlives the test
		require.NoError(t, err)
	}
	binary = filepath.Join(built.folder, filepath.Base(folder)+".exe")
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	out, err := exec.Command("go", "build", "-o", binary, "github.com/seed238ab19c/tosspayments/"+folder).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("programs of their own take long")
	}
}

// Process is a shop as a program of its own, which can be killed.
type Process struct {
	cmd *exec.Cmd
	URL string
}

// Start starts a shop with the keys of a sandbox, more of the environment, and the given
// flags. It listens on a free port.
func Start(t *testing.T, binary string, environment []string, flags ...string) *Process {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"-addr", "127.0.0.1:0"}, flags...)...)
	cmd.Env = append(append(os.Environ(), environment...), "DATABASE_URL=", asProgram+"=1", "TOSS_SECRET_KEY="+tosstest.DefaultSecretKey, "TOSS_CLIENT_KEY="+tosstest.DefaultClientKey)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var complaints Buffer
	cmd.Stderr = &complaints
	if os.Getenv("SHOP_LOG") != "" {
		cmd.Stderr = t.Output()
	}
	require.NoError(t, cmd.Start())
	p := &Process{cmd: cmd}
	t.Cleanup(p.Kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		p.Kill() // it has said all then
		require.NoError(t, err, "%s", &complaints)
	}
	p.URL = strings.TrimSpace(line)
	return p
}

// Kill ends the process at once, as a power cut does.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// Between stands between a shop and Toss Payments, and acts once on a request whose
// method and path ("POST /v1/payments/confirm") end in a given way.
type Between struct {
	URL    string
	proxy  http.Handler
	action atomic.Pointer[action]
}

type action struct {
	suffix string
	do     func(next func())
}

// NewBetween starts it.
func NewBetween(t *testing.T, toss *tosstest.Server) *Between {
	t.Helper()
	target, err := url.Parse(toss.URL)
	require.NoError(t, err)
	b := &Between{proxy: &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: b, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	b.URL = "http://" + listener.Addr().String()
	return b
}

// Once lets do act on the next request whose method and path end so. next passes it on, and
// returns also when the answer gets lost.
func (b *Between) Once(suffix string, do func(next func())) { b.action.Store(&action{suffix, do}) }

// ServeHTTP passes a request on.
func (b *Between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := b.action.Load()
	if a == nil || !strings.HasSuffix(r.Method+" "+r.URL.Path, a.suffix) || !b.action.CompareAndSwap(a, nil) {
		b.proxy.ServeHTTP(w, r)
		return
	}
	a.do(func() {
		defer func() { _ = recover() }()
		b.proxy.ServeHTTP(w, r)
	})
}
