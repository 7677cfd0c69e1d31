package demo

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func TestListenerWaitsForHandlers(t *testing.T) {
	p := start(t, quick())
	var ended atomic.Bool
	arrived := make(chan struct{})
	d, err := listenHTTPS(anyPort, p.gateway("uio").presentCertificate, http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
			time.Sleep(50 * time.Millisecond) // slow to notice, so that not waiting shows
			ended.Store(true)
		}))
	if err != nil {
		t.Fatal(err)
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		response, err := client(t, p, "uio", false).Get("https://" + d.address())
		if err == nil {
			_ = response.Body.Close()
			t.Error("answered")
		}
	}()
	<-arrived
	d.close()
	if !ended.Load() {
		t.Error("close returned before the handler")
	}
	<-left
}
