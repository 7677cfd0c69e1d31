package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A page that panics is seen in the log, and what it panicked with is not.
func TestPanicOfAPageIsWithheld(t *testing.T) {
	const canary = "fnr 01010112345"
	var logged bytes.Buffer
	server := httptest.NewUnstartedServer(nil)
	server.Config = newServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(canary + "\ngoroutine 1 [running]:\n" + canary)
	}), slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), servedLimits())
	server.Start()
	answer, err := http.Get(server.URL)
	if err == nil {
		_ = answer.Body.Close()
		t.Error("an answer")
	}
	server.Close() // and the log is whole
	said := logged.String()
	if strings.Contains(said, "0101") || !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "TestPanicOfAPageIsWithheld") {
		t.Errorf("logged %s", said)
	}
}
