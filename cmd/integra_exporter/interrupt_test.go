package main

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"
)

func TestCheckEndsWhenInterrupted(t *testing.T) {
	noLeaks(t)
	asked := make(chan struct{}, 2)
	gateway := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	config := configure(t, t.TempDir(), gateway, "a", "b")
	replaceInFile(t, config, "interval: 1s, timeout: 1s", "interval: 1m, timeout: 1m")
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	ended := make(chan error)
	go func() { ended <- run(ctx, []string{"check", "--config.file=" + config}, output{out: &out, err: &out}) }()
	<-asked
	<-asked
	began := time.Now()
	cancel()
	err := <-ended
	took := time.Since(began)
	if code := exitCode(err, &out); code != exitCannotStart || out.String() != "interrupted\n" || took > time.Second {
		t.Errorf("exit code %d after %s:\n%s", code, took, out.String())
	}
}
