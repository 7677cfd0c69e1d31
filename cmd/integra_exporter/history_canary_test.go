package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// What is remembered of runs of every shape, and all that the pages say of their targets, holds nothing of a body or a key.
func TestCanaryInHistory(t *testing.T) {
	noLeaks(t)
	server, gateway := startLeaky(t)
	s := start(t, "--config.file="+configureLeaky(t, t.TempDir(), gateway))
	eventually(t, "every shape to be asked for", server.complete)
	eventually(t, "every run to be counted", func() bool {
		return len(s.metrics(t).family("integra_probe_last_run_timestamp_seconds")) == 2*len(shapes())
	})
	_, all := s.request(t, "GET", "/api/v1/targets")
	silent(t, "/api/v1/targets", all)
	targets := checkedJSON(t, all)
	if len(targets) != 2*len(shapes()) {
		t.Errorf("%d targets, want %d", len(targets), 2*len(shapes()))
	}
	rows := 0
	for _, target := range targets {
		query := url.Values{}
		for _, name := range []string{"institution", "kind", "target"} {
			query.Set(name, target[name].(string))
		}
		status, page := s.request(t, "GET", "/target?"+query.Encode())
		silent(t, "/target?"+query.Encode(), page)
		if status != 200 || !strings.Contains(page, "&lt;secret&gt;") || !strings.Contains(page, "/…") {
			t.Errorf("%s: %d; want a page with the request, its secret and private parts left out", query.Encode(), status)
		}
		if target["kind"] == probe.KindAPI && !strings.Contains(page, "$KEY") {
			t.Errorf("%s does not say where the key belongs", query.Encode())
		}
		rows += strings.Count(page, `<th scope="row"><time`)
	}
	if rows < len(targets) {
		t.Errorf("%d runs on all pages together: the test is blind", rows)
	}
}
