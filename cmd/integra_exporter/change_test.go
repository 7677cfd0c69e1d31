package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// shownRun is all that /metrics says of a target's last run; -1 stands for what is not there.
type shownRun struct {
	Success, Status, Size, Remaining, Expiry float64
	Reason                                   string
}

func (f face) asShown() shownRun {
	want := shownRun{0, float64(f.status), float64(len(f.body)), -1, float64(f.ends.Unix()), f.reason}
	if f.reason == "" {
		want.Success = 1
	}
	if f.status == 0 {
		want.Status, want.Size = -1, -1
		return want
	}
	_, _ = fmt.Sscan(f.remaining, &want.Remaining)
	return want
}

func (s series) shownRun(target string) shownRun {
	or := func(key string) float64 {
		value, there := s[key]
		if !there {
			return -1
		}
		return value
	}
	limit := `integra_http_rate_limit_remaining{institution="uio",kind="api",policy="rate_limit",target="` + target + `"}`
	_, reason, _ := strings.Cut(s.reasons()["uio api "+target], " ")
	return shownRun{
		or(of("integra_probe_success", target)), or(of("integra_http_status_code", target)), or(of("integra_http_response_size_bytes", target)),
		or(limit), or(of("integra_tls_certificate_expiry_timestamp_seconds", target)), reason,
	}
}

// counts are what is counted of a target.
type counts struct{ runs, failures, late float64 }

// counted returns the counts of a target, and holds that its failures are the sum of their reasons.
func (s series) counted(t *testing.T, kind, target string) counts {
	t.Helper()
	labels := fmt.Sprintf(`{institution="uio",kind=%q,target=%q}`, kind, target)
	c := counts{runs: s["integra_probe_runs_total"+labels], failures: s["integra_probe_failures_total"+labels]}
	sum := 0.0
	for key, value := range s.family("integra_probe_failure_reasons_total") {
		if strings.Contains(key, fmt.Sprintf(`,kind=%q,`, kind)) && strings.Contains(key, fmt.Sprintf(`,target=%q}`, target)) {
			sum += value
			if slices.ContainsFunc(late(), func(reason string) bool { return strings.Contains(key, `reason="`+reason+`"`) }) {
				c.late += value
			}
		}
	}
	if sum != c.failures || c.failures > c.runs {
		t.Errorf("%s %s: %v runs, %v failures, %v reasons", kind, target, c.runs, c.failures, sum)
	}
	return c
}

// late are the reasons of a probe to which this machine had no time to answer.
func late() []string { return []string{"timeout", "gateway_timeout", "body"} }

// coherent holds that a scrape shows one run of target and its counts, by what
// the gateway has shown; it returns how many runs it has.
func (g *turning) coherent(t *testing.T, now series, target string) float64 {
	t.Helper()
	c, got := now.counted(t, "api", target), now.shownRun(target)
	shown := g.asked("/" + target + "/")
	if c.late > 0 { // which run saw which face is not to be known any more
		g.oneFace(t, target, got)
		return c.runs
	}
	if c.runs == 0 {
		return 0
	}
	if int(c.runs) > len(shown) {
		t.Fatalf("%s: %v runs, but %d requests; %+v", target, c.runs, len(shown), got)
	}
	failures := 0.0
	for _, at := range shown[:int(c.runs)] {
		failures += 1 - g.faces[at].asShown().Success
	}
	if failures != c.failures {
		t.Errorf("%s: %v failures of %v runs, the gateway has failed %v times", target, c.failures, c.runs, failures)
	}
	diff := cmp.Diff(g.faces[shown[int(c.runs)-1]].asShown(), got)
	if diff != "" {
		t.Errorf("%s after %v runs (-shown by the gateway +said by /metrics):\n%s", target, c.runs, diff)
	}
	return c.runs
}

func (g *turning) oneFace(t *testing.T, target string, got shownRun) {
	t.Helper()
	known := slices.ContainsFunc(g.faces, func(f face) bool { return f.asShown() == got })
	if !known && !slices.Contains(late(), got.Reason) {
		t.Errorf("%s shows more than one run: %+v", target, got)
	}
}

// documented holds that each document is of one run, by its transaction id.
func (g *turning) documented(t *testing.T, s *served) {
	t.Helper()
	_, body := s.request(t, "GET", "/api/v1/targets")
	for _, d := range checkedJSON(t, body) {
		id, _ := d["transaction_id"].(string)
		f, sent := g.of(id)
		reason, _ := d["reason"].(string)
		if !sent || slices.Contains(late(), reason) {
			continue // it has not run, or not in time
		}
		want := map[string]any{"success": f.reason == "", "reason": f.reason, "certificate_expiry": f.ends.Format(time.RFC3339)}
		if f.status != 0 {
			want["status_code"], want["size_bytes"] = float64(f.status), float64(len(f.body))
		}
		got := map[string]any{"success": d["success"], "reason": reason, "certificate_expiry": d["certificate_expiry"]}
		for _, name := range []string{"status_code", "size_bytes"} {
			if d[name] != nil {
				got[name] = d[name]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-shown by the gateway +documented):\n%s", d["target"], diff)
		}
	}
}

// flapping starts the exporter before a gateway that never answers the same twice.
func flapping(t *testing.T, dir string, apis []string, args ...string) (*turning, *served) {
	t.Helper()
	g, address, trust := turn(t, dir)
	config := configure(t, dir, address, apis...)
	replaceInFile(t, config, "{interval: 1s, timeout: 1s}", "{interval: 1s, timeout: 1s, tls: {ca_file: "+trust+"}}")
	return g, start(t, append(args, "--config.file="+config, "--log.level=debug", "--log.format=json")...)
}

// Every target changes with every run. A scrape at any time shows one run of each and what came before it, and each change is logged.
func TestFlappingAtTheInterval(t *testing.T) {
	apis := strings.Split("abcdefg", "")
	g, s := flapping(t, t.TempDir(), apis)
	ran := map[string]float64{}
	testkit.Eventually(t, "four runs of each", func() bool {
		now := s.metrics(t)
		for _, api := range apis {
			ran[api] = g.coherent(t, now, api)
		}
		g.documented(t, s)
		return !slices.ContainsFunc(apis, func(api string) bool { return ran[api] < 4 })
	})
	s.stop()
	<-s.ended
	runs, answered, last := map[string]int{}, map[string]int{}, map[string]string{}
	for _, line := range logLines(t, s.err.String()) {
		if line.ID == "" {
			continue
		}
		before, ranBefore := last[line.Target]
		if (!ranBefore && line.Reason != "" || ranBefore && before != line.Reason) != (line.Level != "DEBUG") {
			t.Errorf("a run of %s with %q after %q is logged at %s", line.Target, line.Reason, before, line.Level)
		}
		last[line.Target] = line.Reason
		runs[line.Target]++
		if !slices.Contains(late(), line.Reason) {
			answered[line.Target]++
		}
	}
	for _, api := range apis {
		if n := len(g.asked("/" + api + "/")); runs[api] < int(ran[api]) || answered[api] > n {
			t.Errorf("%s: %d runs in the log, %v counted before, %d requests", api, runs[api], ran[api], n)
		}
	}
}

// face is one way in which a gateway answers. No two have anything in common that a gauge shows.
type face struct {
	status    int // 0: it hangs up instead
	body      string
	remaining string // of the rate limit
	reason    string
	ends      time.Time // its certificate
}

// faces are shown in turn: at each connection the next.
func faces() []face {
	day := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	return []face{
		{200, `[1]`, "70", "", day},
		{503, `{"message":"x","http_status_code":503}`, "30", "backend_unreachable", day.AddDate(1, 0, 0)},
		{0, "", "", "invalid_response", day.AddDate(2, 0, 0)},
		{200, `<html>a login page</html>`, "20", "not_json", day.AddDate(3, 0, 0)},
		{200, `[{"id":1},{"id":2}]`, "10", "", day.AddDate(4, 0, 0)},
	}
}

// turning is a gateway with many faces that writes down which it has shown to whom.
type turning struct {
	faces  []face
	accept atomic.Int64
	conns  sync.Map // the face of a connection

	mu    sync.Mutex
	shown map[string][]int // by path, in order
	byID  map[string]int   // by transaction id
}

type faceKey struct{}

// turn starts the gateway and returns its address and the file of what it is trusted by.
func turn(t *testing.T, dir string) (g *turning, address, trust string) {
	t.Helper()
	g = &turning{faces: faces(), shown: map[string][]int{}, byID: map[string]int{}}
	var configs []*tls.Config
	var roots []byte
	for _, f := range g.faces {
		c := testkit.NewCA("turning", testkit.Hosts("127.0.0.1"), testkit.NotAfter(f.ends))
		configs = append(configs, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c.TLS()}})
		roots = append(roots, c.PEM()...)
	}
	server := httptest.NewUnstartedServer(g)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it hangs up on purpose
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		at := int(g.accept.Add(1)) % len(g.faces)
		g.conns.Store(c.(*tls.Conn).NetConn(), at)
		return context.WithValue(ctx, faceKey{}, at)
	}
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		at, _ := g.conns.Load(hello.Conn)
		return configs[at.(int)], nil
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	testkit.WriteFile(t, dir, "roots.pem", string(roots))
	return g, server.URL, "roots.pem"
}

func (g *turning) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.Context().Value(faceKey{}).(int)
	g.mu.Lock()
	g.shown[r.URL.Path] = append(g.shown[r.URL.Path], at)
	g.byID[r.Header.Get("X-Gravitee-Transaction-Id")] = at
	g.mu.Unlock()
	f := g.faces[at]
	if f.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Rate-Limit-Remaining", f.remaining)
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.body)
}

// asked returns how often a path has been asked for, and the faces it was shown.
func (g *turning) asked(path string) []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]int{}, g.shown[path]...)
}

func (g *turning) of(id string) (face, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, there := g.byID[id]
	return g.faces[at], there
}
