package main

import (
	"strings"
	"testing"
)

// tricks are requests as a server should not get them, by what they try, and how the answer begins.
func tricks() map[string][2]string {
	get := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" }
	with := func(header string) string {
		return "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + "\r\n\r\n"
	}
	return map[string][2]string{
		"two slashes":             {get("//"), "HTTP/1.1 307 "},
		"another host in a path":  {get("//evil.example/x"), "HTTP/1.1 307 "},
		"up":                      {get("/../../etc/passwd"), "HTTP/1.1 307 "},
		"up, escaped":             {get("/%2e%2e/%2e%2e/etc/passwd"), "HTTP/1.1 404 "},
		"up, escaped slash":       {get("/..%2f..%2fetc/passwd"), "HTTP/1.1 404 "},
		"up, escaped twice":       {get("/%252e%252e/etc/passwd"), "HTTP/1.1 404 "},
		"backslashes":             {get(`/..\..\etc\passwd`), "HTTP/1.1 404 "},
		"NUL, escaped":            {get("/metrics%00.html"), "HTTP/1.1 404 "},
		"NUL":                     {get("/metrics\x00"), "HTTP/1.1 400 "},
		"line break, escaped":     {get("/%0d%0aSet-Cookie:%20a=b"), "HTTP/1.1 404 "},
		"half an escape":          {get("/%"), "HTTP/1.1 400 "},
		"long":                    {get("/" + strings.Repeat("a", 50<<10)), "HTTP/1.1 404 "},
		"too long":                {get("/" + strings.Repeat("a", 100<<10)), "HTTP/1.1 431 "},
		"many parameters":         {get("/?" + strings.Repeat("a&", 20<<10)), "HTTP/1.1 400 "},
		"absolute":                {get("http://evil.example/-/healthy"), "HTTP/1.1 200 "},
		"absolute, two slashes":   {get("http://evil.example//x"), "HTTP/1.1 307 "},
		"no path":                 {get("*"), "HTTP/1.1 400 "},
		"no space":                {"GET/\r\n\r\n", "HTTP/1.1 400 "},
		"HTTP/0.9":                {"GET /\r\n", "HTTP/1.1 400 "},
		"HTTP/3.0":                {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 "},
		"HTTP/2 without asking":   {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "HTTP/1.1 400 "},
		"HTTP/2 by upgrade":       {with("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), "HTTP/1.1 200 "},
		"CONNECT":                 {"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"CONNECT to a path":       {"CONNECT /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"TRACE":                   {"TRACE / HTTP/1.1\r\nHost: x\r\nX-Echo: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"method of nobody":        {"EVIL / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"no host":                 {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		"two hosts":               {with("Host: y"), "HTTP/1.1 400 "},
		"two lengths":             {with("Content-Length: 1\r\nContent-Length: 2"), "HTTP/1.1 400 "},
		"negative length":         {with("Content-Length: -1"), "HTTP/1.1 400 "},
		"unknown coding":          {with("Transfer-Encoding: evil"), "HTTP/1.1 501 "},
		"chunked and a length":    {with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /x"), "HTTP/1.1 200 "},
		"broken chunk":            {with("Transfer-Encoding: chunked\r\n\r\nzz"), "HTTP/1.1 200 "},
		"header over two lines":   {with("X-A: b\r\n evil.example"), "HTTP/1.1 200 "},
		"space before the colon":  {with("X-A : b"), "HTTP/1.1 400 "},
		"a body that is expected": {with("Expect: evil"), "HTTP/1.1 417 "},
	}
}

// Whatever a request tries: the answer is one of ours, about nobody else's host, and repeats nothing as a header.
func TestTricks(t *testing.T) {
	noLeaks(t)
	gateway := &counting{seen: map[string]int{}}
	s := start(t, "--config.file="+configure(t, t.TempDir(), answering(t, gateway.ServeHTTP), "a"))
	for name, trick := range tricks() {
		got := shut(t, knock(t, s.address, trick[0]))
		header, _, _ := strings.Cut(got, "\r\n\r\n")
		if !strings.HasPrefix(got, trick[1]) {
			t.Errorf("%s is answered with %.300q, want %s", name, got, trick[1])
		}
		for _, sign := range []string{"evil.example\r\n", "//evil", "Location: //", "Set-Cookie", "root:"} {
			if strings.Contains(header, sign) {
				t.Errorf("%s is answered with %s: %.300q", name, sign, got)
			}
		}
		if strings.Count(got, "HTTP/1.1 ") != 1 || strings.Contains(got, "evil.example") && !strings.Contains(header, "Location: /evil.example") {
			t.Errorf("%s is answered with more than is ours: %.600q", name, got)
		}
	}
}
