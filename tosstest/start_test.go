package tosstest_test

import (
	"flag"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed238ab19c/tosspayments/tosstest"
)

// A name that somebody has pointed to this machine is not answered.
func TestStartedServerAnswersThisMachineOnly(t *testing.T) {
	server := tosstest.NewServer(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	for host, want := range map[string]int{
		"127.0.0.1:" + port: 200, "localhost:" + port: 200, "[::1]:" + port: 200, "localhost": 200, "127.1.2.3": 200,
		"attacker.test:" + port: 421, "attacker.test": 421, "localhost.attacker.test": 421, "10.0.0.1": 421, "127.0.0.1.attacker.test:" + port: 421,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/promotions", nil)
		require.NoError(t, err)
		r.Host, r.Header = host, newCaller(t, server).header
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode, host)
	}
	assert.Len(t, server.Requests(), 5)
}

var seconds = flag.Bool("seconds", false, "run what waits for 20 seconds")

// A body that stops is given up.
func TestStartedServerDoesNotWaitForBodies(t *testing.T) {
	if !*seconds {
		t.Skip("takes 20 seconds: go test ./tosstest -run DoesNotWaitForBodies -seconds")
	}
	t.Parallel()
	server := tosstest.NewServer(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, "POST /v1/payments/confirm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(25*time.Second)))
	_, err = io.ReadAll(c)
	assert.NoError(t, err, "the server has closed the connection")
	assert.Empty(t, server.Requests())
}
