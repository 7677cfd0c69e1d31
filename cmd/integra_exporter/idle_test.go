package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// chatty answers well and then goes on talking while nobody asks, which net/http tells package log, with a quote.
func chatty(t *testing.T) (address string, talked func() int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var mu sync.Mutex
	cut := 0 // connections that the client has given up
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				_, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
				_, _ = io.WriteString(conn, canary+canary)
				_, _ = reader.ReadByte() // until the client closes
				mu.Lock()
				defer mu.Unlock()
				cut++
			}()
		}
	}()
	return "http://" + listener.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return cut
	}
}

func TestCanaryOnAnIdleConnection(t *testing.T) {
	t.Parallel()
	gateway, cut := chatty(t)
	config := configure(t, t.TempDir(), gateway, "a", "b", "c")
	replaceInFile(t, config, "timeout: 1s", "timeout: 1s, connection: reuse")
	s, _ := spawn(t, "--config.file="+config, "--log.level=debug")
	eventually(t, "connections that were given up for talking", func() bool { return cut() >= 6 })
	_, metrics := s.request(t, "GET", "/metrics")
	s.stop()
	<-s.ended
	silent(t, "/metrics", metrics)
	silent(t, "standard output", s.out.String())
	silent(t, "standard error", s.err.String())
	got := execute(t, "check", "--config.file="+config, "--log.level=debug")
	silent(t, "check", got.out+got.err)
}
