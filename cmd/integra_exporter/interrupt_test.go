package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// What has arrived has cost a run: it is shown.
func TestInterruptedCheckShowsWhatHasArrived(t *testing.T) {
	noLeaks(t)
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hanging/" {
			<-r.Context().Done()
			return
		}
		wellAnswer(w, r)
	})
	config := configure(t, t.TempDir(), gateway, "hanging", "quick")
	replaceInFile(t, config, "interval: 1s, timeout: 1s", "interval: 1m, timeout: 1m")
	ctx, cancel := context.WithCancel(t.Context())
	var out stream
	ended := make(chan error)
	go func() { ended <- run(ctx, []string{"check", "--config.file=" + config}, output{out: &out, err: &out}) }()
	eventually(t, "one result", func() bool { return strings.Contains(out.String(), "quick: ok") })
	cancel()
	code := exitCode(<-ended, &out)
	shown := duration.ReplaceAllString(out.String(), "N.NNNs")
	want := `uio api quick: ok N.NNNs

INSTITUTION  KIND  TARGET  RESULT  LAYER  DURATION
uio          api   quick   ok             N.NNNs

1 ok, 0 failed, in N.NNNs
interrupted
`
	if diff := cmp.Diff(want, shown); diff != "" || code != exitCannotStart {
		t.Errorf("exit code %d (-want +got):\n%s", code, diff)
	}
}

func TestInterruptedCheckIsJSONAllTheSame(t *testing.T) {
	noLeaks(t)
	config := configure(t, t.TempDir(), "http://127.0.0.1:1", "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, complaint bytes.Buffer
	code := exitCode(run(ctx, []string{"check", "--output=json", "--config.file=" + config}, output{out: &out, err: &complaint}), &complaint)
	if code != exitCannotStart || out.String() != "[]\n" || complaint.String() != "interrupted\n" {
		t.Errorf("exit code %d, %q, %q", code, out.String(), complaint.String())
	}
}
