//go:build conformance

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// firstBackend is the port of the first backend in the definitions of the APIs; the others follow it.
const firstBackend = 9501

// backends stand behind a real gateway: one that answers, and nine that misbehave.
type backends struct{ ports []int }

// startBackends starts them in the order of their ports in the definitions.
func startBackends(t *testing.T) *backends {
	t.Helper()
	b := &backends{}
	for _, listen := range []func(*testing.T) int{
		serving(answer),      // 9501: answers as the path's last segment says
		freePort,             // closed
		serving(hang),        // never answers
		serving(reset),       // resets the connection
		serving(cutLength),   // breaks off a body whose length it has announced
		listenFull,           // takes no connection
		serving(cutChunked),  // breaks off a chunked body
		serving(closeAtOnce), // closes after the request
		serving(garbage),     // is no HTTP
		listenFull,           // takes no connection
	} {
		b.ports = append(b.ports, listen(t))
	}
	return b
}

// serving returns what listens on a free port, lets serve have each connection, and returns the port.
func serving(serve func(net.Conn)) func(*testing.T) int {
	return func(t *testing.T) int {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer func() { _ = conn.Close() }()
					serve(conn)
				}()
			}
		}()
		return l.Addr().(*net.TCPAddr).Port
	}
}

var statusSegment = regexp.MustCompile(`^(e?)(\d{3})$`)

// answer answers requests with the status that the path's last segment names, with a body or (e404) without one, and
// 200 to all others. The headers are those of the server that was behind the recorded gateways.
func answer(conn net.Conn) {
	requests := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		status, kind, body := 200, "application/json", `[{"id":1}]`
		segment := path.Base(r.URL.Path)
		named := statusSegment.FindStringSubmatch(segment)
		switch {
		case named != nil:
			_, _ = fmt.Sscan(named[2], &status)
			body = fmt.Sprintf(`{"error": "from the backend", "code": "%s"}`, named[2])
			if named[1] != "" {
				body = ""
			}
		case segment == "inner401":
			status, body = 401, `{"message":"Unauthorized","http_status_code":401}`
		case segment == "empty":
			body = ""
		case segment == "html":
			kind, body = "text/html", "<html><body>hello</body></html>"
		}
		head := fmt.Sprintf("HTTP/1.1 %d %s\r\nServer: BaseHTTP/0.6 Python/3.11.7\r\nDate: %s\r\nContent-Type: %s\r\n",
			status, reasonPhrase(status), time.Now().UTC().Format(http.TimeFormat), kind)
		if status != http.StatusNoContent {
			head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
		}
		if r.Method == http.MethodHead || status == http.StatusNoContent {
			body = ""
		}
		_, err = io.WriteString(conn, head+"\r\n"+body)
		if err != nil {
			return
		}
	}
}

func reasonPhrase(status int) string {
	if status == http.StatusTeapot {
		return "I'm a Teapot"
	}
	return http.StatusText(status)
}

func hang(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func reset(conn net.Conn) {
	receive(conn)
	_ = conn.(*net.TCPConn).SetLinger(0)
}

func cutLength(conn net.Conn) { cut(conn, "Content-Length: 1000", `[{"id":1},`) }

func cutChunked(conn net.Conn) { cut(conn, "Transfer-Encoding: chunked", "a\r\n[{\"id\":1},\r\n") }

func cut(conn net.Conn, header, body string) {
	receive(conn)
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+header+"\r\n\r\n"+body)
	time.Sleep(200 * time.Millisecond) // the gateway passes on what it has before the end comes
}

func closeAtOnce(conn net.Conn) { receive(conn) }

func garbage(conn net.Conn) {
	receive(conn)
	_, _ = io.WriteString(conn, "220 mail.example.no ESMTP\r\n")
	time.Sleep(200 * time.Millisecond)
}

func receive(conn net.Conn) { _, _ = conn.Read(make([]byte, 1<<16)) }

// listenFull returns a port whose queue of connections is full, so that a connection attempt gets no answer.
func listenFull(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	err = syscall.Listen(fd, 0)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := bound.(*syscall.SockaddrInet4).Port
	for range 4 { // the queue takes one or two, the others wait
		go func() {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				<-t.Context().Done()
				_ = conn.Close()
			}
		}()
	}
	time.Sleep(100 * time.Millisecond) // until they fill it
	return port
}
