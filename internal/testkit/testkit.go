// Package testkit is what the tests of several packages share: certificates, buffers, waiting. Nothing of the program may
// import it. Its functions panic where a certificate cannot be made, for then the test is wrong.
package testkit

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Patience is how long a test waits for what happens at once on a machine that is not busy.
const Patience = 30 * time.Second

// Eventually waits until done returns true, and fails the test after Patience; what says what it waits for.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	end := time.After(Patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// NoLeaks checks at the end of the test, after all else, that no goroutine of it is left.
func NoLeaks(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// Buffer is a bytes.Buffer that is safe for concurrent use: what a program writes, while it writes.
type Buffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write appends p, and never fails.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(p)
}

// String returns what has been written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

// WriteFile writes a file into dir, for its owner alone, and returns its path.
func WriteFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	err := os.WriteFile(path, []byte(content), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Dial connects to address, sends text, and closes the connection at the end of the test.
func Dial(t testing.TB, address, text string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, text)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// ReadUntilClosed reads until the other side closes or resets conn, and returns the first 4 KiB of what it has sent. It
// fails the test if the connection is still open after Patience.
func ReadUntilClosed(t testing.TB, conn net.Conn) string {
	t.Helper()
	err := conn.SetReadDeadline(time.Now().Add(Patience))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(io.LimitReader(conn, 4096))
	if err == nil {
		_, err = io.Copy(io.Discard, conn)
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		t.Errorf("still open after %s, having sent %q", Patience, content[:min(len(content), 200)])
	}
	return string(content)
}

// Canary stands for a secret or a person's data: wherever a test plants it, it must not come out.
const Canary = "canary-18906299204"

// NoCanary fails the test if text, which was found at where, holds the Canary or its number.
func NoCanary(t testing.TB, where, text string) {
	t.Helper()
	for _, sign := range []string{Canary, "18906299204"} {
		i := strings.Index(text, sign)
		if i >= 0 {
			t.Errorf("%s holds the canary: …%s…", where, text[max(0, i-120):min(len(text), i+40)])
		}
	}
}
