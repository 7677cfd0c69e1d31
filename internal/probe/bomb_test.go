package probe

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

const gib = 1 << 30

// zeros streams 1 GiB of zeros through wrap.
func zeros(header string, wrap func(io.Writer) io.WriteCloser) script {
	return func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+header+"\r\n")
		w := wrap(c)
		block := make([]byte, 1<<20)
		for range gib / len(block) {
			_, err := w.Write(block)
			if err != nil {
				return
			}
		}
		_ = w.Close()
	}
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }

func TestBombsStaySmall(t *testing.T) {
	l := newLab(t)
	asGzip := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	asIs := func(w io.Writer) io.WriteCloser { return plainWriter{w} }
	for _, c := range []struct {
		name   string
		script script
	}{
		{"plain, with length", zeros("Content-Length: "+itoa(gib)+"\r\n", asIs)},
		{"plain, without length", zeros("", asIs)},
		{"gzip", zeros(gzipped+"\r\n", asGzip)},
		{"gzip sent at once", bombAtOnce()},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := l.gateway(c.script)
			p := l.plan(d.port)
			p.MaxBody = 10 << 20
			h := p.prober()
			var seen Observation
			var err error
			growth := grown(func() { seen, err = run(t, h, ample) })
			expectReason(t, err, ReasonTooLarge)
			if seen.Size != 10<<20 {
				t.Errorf("read %d bytes", seen.Size)
			}
			if growth > 64<<20 {
				t.Errorf("grew by %d MiB", growth>>20)
			}
		})
	}
}

// bombAtOnce has the whole bomb ready, so that the server's compressing does not slow it down.
func bombAtOnce() script {
	member := zipped(strings.Repeat("0", 1<<20))
	return answers(response("200 OK", strings.Repeat(member, gib>>20), gzipped))
}

// watch reports the largest size it sees until stop.
func watch(stop <-chan struct{}, peak chan<- int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var most int64
	for {
		most = max(most, inUse())
		select {
		case <-stop:
			peak <- most
			return
		case <-tick.C:
		}
	}
}

// inUse is what the Go runtime has from the system and has not given back: what
// it adds to the resident set. The resident set itself (VmRSS) would count the
// race detector's shadow, several times the size of what it watches.
func inUse() int64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

// grown runs f and returns by how much the process was larger at its largest.
func grown(f func()) int64 {
	debug.FreeOSMemory()
	before := inUse()
	stop, peak := make(chan struct{}), make(chan int64)
	go watch(stop, peak)
	f()
	close(stop)
	return <-peak - before
}

func TestDrippingBodyEndsInTime(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n[")
		for err == nil {
			time.Sleep(time.Second)
			_, err = io.WriteString(c, "1")
		}
	})
	const timeout = 1500 * time.Millisecond
	start := time.Now()
	seen, err := run(t, l.plan(d.port).prober(), timeout)
	if took := time.Since(start); took < timeout || took > timeout+grace {
		t.Errorf("took %v with a timeout of %v", took, timeout)
	}
	expectReason(t, err, ReasonBody)
	if seen.Size != 2 || seen.Status != 200 {
		t.Errorf("read %d bytes with status %d", seen.Size, seen.Status)
	}
}

func TestBuffersAreWipedAndBounded(t *testing.T) {
	t.Parallel()
	s := NewShared()
	b := s.buffer()
	b.WriteString("personal")
	held := b.Bytes()
	s.put(b)
	if bytes.ContainsAny(held, "personal") {
		t.Errorf("a returned buffer still holds %q", held)
	}
	big := s.buffer()
	big.Grow(pooledBytes + 1)
	s.put(big)
	for range 10 {
		if s.buffer().Cap() > pooledBytes {
			t.Error("a big buffer was kept")
		}
	}
}
