package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// chosen are the shapes of answers that stand for all: TestCanaryInAnswersAndSecrets has every one.
func chosen() []string {
	return []string{
		"s200-json", "s200-text", "s200-broken", "s302-html", "s401-gateway", "s401-text", "s403-json", "s429-text", "s500-json", "s503-html",
		"truncated", "bad-chunk", "bad-header", "bad-gzip", "no-http", "early-hints", "switching",
	}
}

// frame is one of AMQP's, with a method's class and number and its arguments.
func frame(class, number byte, arguments string) string {
	return string([]byte{1, 0, 0, 0, 0, 0, byte(4 + len(arguments)), 0, class, 0, number}) + arguments + "\xce"
}

// rudeBroker refuses every login in words that hold the canary, and returns its address.
func rudeBroker(t *testing.T, received *stream) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				_, _ = r.Discard(8) // the protocol's header
				_, _ = io.WriteString(conn, frame(10, 10, "\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US"))
				login := make([]byte, 1024)
				n, _ := r.Read(login)
				_, _ = received.Write(login[:n])
				text := "ACCESS_REFUSED - Login " + canary
				_, _ = io.WriteString(conn, frame(10, 50, "\x01\x93"+string(rune(len(text)))+text+"\x00\x00\x00\x00"))
				_, _ = io.Copy(io.Discard, r)
			}()
		}
	}()
	return "amqp://" + listener.Addr().String()
}

// openManager is an API manager that knows one key, the canary's, and returns its base.
func openManager(t *testing.T, received *stream) string {
	t.Helper()
	return answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = received.Write([]byte(r.Header.Get("Authorization")))
		answer := `{"data":[{"id":"s","api":"a","plan":"p","status":"ACCEPTED"}],"metadata":{"` + canary + `":{"name":"` + canary + `"}}}`
		if strings.HasSuffix(r.URL.Path, "keys") {
			answer = `[{"id":"` + canary + `","key":"` + canary + `-key","expire_at":1900000000000,"subscriptions":[{"id":"s"}]}]`
		}
		_, _ = io.WriteString(w, answer)
	}) + "/management"
}

// keyStore is a PKCS#12 file that the canary opens.
func keyStore(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file, err := pkcs12.Modern.Encode(key, certificate, nil, canary)
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

// plantEverywhere writes a configuration of every kind in which the canary stands wherever a secret or something private can.
func plantEverywhere(t *testing.T, dir, gateway string, received *stream) string {
	t.Helper()
	t.Setenv("CANARY_KEY", canary+"-env")
	for name, content := range map[string]string{
		"key": canary + "-key\n", "secret": canary + "-secret", "body": `{"id":"` + canary + `"}`, "password": canary + "-password", "token": canary + "-token",
		"opens": canary, "store.p12": keyStore(t), "jwt": jwtOf(canary, time.Now().Add(time.Hour)), "broken.p12": canary, "broken.jwt": canary,
	} {
		write(t, dir, name, content)
	}
	var b strings.Builder
	b.WriteString("defaults: {interval: 2s, timeout: 2s, max_concurrent_per_host: 64}\napis:\n")
	for i, name := range chosen() {
		body := []string{`body_file: body`, `body: '{"id":"` + canary + `"}'`}[i%2]
		jq := []string{"", `, expect: {jq: '.[0].id // error', headers: {X-Source: "^dfo$"}}`}[i%2]
		_, _ = fmt.Fprintf(&b, "  %s: {request: {method: POST, path: '/%[1]s/%s?id=%[2]s', private: true, secret_headers: {X-Other: {file: secret}}, %s}%s, unauthenticated: {interval: 2s}}\n",
			name, canary, body, jq)
	}
	_, _ = fmt.Fprintf(&b, "institutions:\n  uio:\n    gateway: %s\n    apis:\n", gateway)
	for i, name := range chosen() {
		_, _ = fmt.Fprintf(&b, "      %s: {%s}\n", name, []string{"key_file: key", "key_env: CANARY_KEY", "key: " + canary + "-literal"}[i%3])
	}
	_, _ = fmt.Fprintf(&b, `    rabbitmq: [{application: app, url: %q, password_file: password}]
    keys: [{name: jwt, jwt_file: jwt}, {name: store, certificate_file: store.p12, certificate_password_file: opens},
      {name: shut, certificate_file: store.p12, certificate_password_file: secret}, {name: broken-store, certificate_file: broken.p12}, {name: broken-jwt, jwt_file: broken.jwt}]
    gravitee: {url: %q, application: app, token_file: token, interval: 1s}
`, rudeBroker(t, received), openManager(t, received))
	return write(t, dir, "config.yml", b.String())
}
