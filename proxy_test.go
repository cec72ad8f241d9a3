//go:debug x509usefallbackroots=1

package tosspayments_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate is what the tests' servers show. It becomes the only root of the test
// process, so that the client that New makes without options trusts it.
var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(encoded)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	x509.SetFallbackRoots(roots)
	return tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key, Leaf: leaf}
})

// serveTLS starts a server over TLS that the test process trusts.
func serveTLS(t testing.TB, handler http.Handler, withHTTP2 bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = withHTTP2
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// connectionFault is what the proxy does to one TCP connection.
type connectionFault int

const (
	pass          connectionFault = iota
	resetAtOnce                   // before anything is read
	swallow                       // the request is read, and never forwarded
	loseAnswer                    // the request is forwarded, the answer dropped, the connection reset
	stallAnswer                   // the request is forwarded, the answer never comes
	cutAnswer                     // the answer ends in the middle
	stallMidBody                  // the answer stops in the middle, the connection stays
	closeWhenIdle                 // one answer passes, then the connection closes
)

// faultProxy stands between client and server on real TCP. It spoils connections in the
// order in which they are opened (those beyond its list pass), and makes established
// ones go silent or break.
type faultProxy struct {
	target   string
	listener net.Listener
	faults   []connectionFault
	wait     sync.WaitGroup

	mu     sync.Mutex
	links  []*link
	closed bool
}

// link is one connection through the proxy.
type link struct {
	client, upstream *net.TCPConn
	// silent links take everything and forward nothing; neither side learns of it.
	silent, closedByClient atomic.Bool
}

// networks are the proxies that may stand at once: their tests wait, but handshakes of
// many at a time would make each other late.
var networks = make(chan struct{}, 24)

func newFaultProxy(t testing.TB, target string, faults ...connectionFault) *faultProxy {
	t.Helper()
	networks <- struct{}{}
	t.Cleanup(func() { <-networks })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &faultProxy{target: target, listener: listener, faults: faults}
	p.wait.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.mu.Lock()
		p.closed = true
		for _, l := range p.links {
			l.close()
		}
		p.mu.Unlock()
		p.wait.Wait()
	})
	return p
}

func (p *faultProxy) accept() {
	for n := 0; ; n++ {
		connection, err := p.listener.Accept()
		if err != nil {
			return
		}
		upstream, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = connection.Close()
			continue
		}
		fault := pass
		if n < len(p.faults) {
			fault = p.faults[n]
		}
		p.add(&link{client: connection.(*net.TCPConn), upstream: upstream.(*net.TCPConn)}, fault)
	}
}

func (p *faultProxy) add(l *link, fault connectionFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.close()
		return
	}
	p.links = append(p.links, l)
	p.wait.Go(func() { l.serve(fault) })
}

func (p *faultProxy) address() string { return p.listener.Addr().String() }

func (l *link) close() { _, _ = l.client.Close(), l.upstream.Close() }

func (l *link) serve(fault connectionFault) {
	switch fault {
	case resetAtOnce:
		_ = l.client.SetLinger(0)
		l.close()
		return
	case swallow:
		_, _ = l.client.Read(make([]byte, 64<<10))
		l.close()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.forward(l.upstream, l.client)
		l.closedByClient.Store(true)
		if !l.silent.Load() {
			_ = l.upstream.Close()
		}
	}()
	l.answer(fault)
	if !l.silent.Load() {
		_ = l.client.Close()
	}
	<-done
	_ = l.upstream.Close()
}

// answer carries what comes from the server, until that closes.
func (l *link) answer(fault connectionFault) {
	switch fault {
	case pass:
		l.forward(l.client, l.upstream)
	case loseAnswer:
		_, _ = l.upstream.Read(make([]byte, 64<<10))
		_ = l.client.SetLinger(0)
	case stallAnswer:
		_, _ = io.Copy(io.Discard, l.upstream)
	case cutAnswer:
		_, _ = io.CopyN(l.client, l.upstream, 700)
	case stallMidBody:
		_, _ = io.CopyN(l.client, l.upstream, 700)
		_, _ = io.Copy(io.Discard, l.upstream)
	case closeWhenIdle:
		buffer := make([]byte, 64<<10)
		n, _ := l.upstream.Read(buffer)
		_, _ = l.client.Write(buffer[:n])
		time.Sleep(50 * time.Millisecond)
	}
}

func (l *link) forward(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !l.silent.Load() {
			_, _ = to.Write(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

// silence lets nothing more through on the connections that are open now, in either
// direction, and closes none. New ones pass.
func (p *faultProxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		l.silent.Store(true)
	}
}

// reset breaks the connections that are open now.
func (p *faultProxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		_ = l.client.SetLinger(0)
		l.close()
	}
}

// opened counts the connections so far.
func (p *faultProxy) opened() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// open counts the connections that the client has not closed.
func (p *faultProxy) open() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		if !l.closedByClient.Load() {
			n++
		}
	}
	return n
}
