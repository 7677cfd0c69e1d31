package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// Good and bad configurations follow each other while the gateway flaps: what
// is in all good ones keeps its counts, and no scrape mixes runs.
func TestFaultsDuringReloads(t *testing.T) {
	dir := t.TempDir()
	g, s := flapping(t, dir, []string{"kept", "also", "changed", "removed"}, "--web.enable-lifecycle")
	config := dir + "/config.yml"
	first := readFile(t, config)
	second := strings.ReplaceAll(strings.ReplaceAll(first, "{path: /changed/}", "{path: /other/}"), "removed", "added")
	stop := make(chan struct{})
	var reloading sync.WaitGroup
	reloads := map[int]int{} // by status
	reloading.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.WriteFile(config, []byte([]string{second, "institutions: [", first}[n%3]), 0o600)
			status, _ := s.request(t, "POST", "/-/reload")
			reloads[status]++
		}
	})
	before := map[string]float64{}
	testkit.Eventually(t, "three runs of what is kept", func() bool {
		now := s.metrics(t)
		for _, api := range []string{"kept", "also"} {
			ran := g.coherent(t, now, api)
			if ran < before[api] {
				t.Errorf("%s had %v runs, now %v", api, before[api], ran)
			}
			before[api] = ran
		}
		for _, api := range []string{"changed", "removed", "added"} {
			if now.mentions(api) {
				now.counted(t, "api", api)
				g.oneFace(t, api, orFirst(now.shownRun(api), g))
			}
		}
		return before["kept"] >= 3 && before["also"] >= 3
	})
	close(stop)
	reloading.Wait()
	if reloads[200] < 4 || reloads[500] < 2 || len(reloads) != 2 {
		t.Errorf("reloads by status: %v", reloads)
	}
}

// orFirst lets a target through that has not run yet.
func orFirst(run shownRun, g *turning) shownRun {
	if run.Success == -1 {
		return g.faces[0].asShown()
	}
	return run
}

// configureBoth writes a configuration of one API of uio and one application of its broker.
func configureBoth(t *testing.T, p *demo.Platform, dir string) string {
	t.Helper()
	_, path, _ := p.Request("stillinger")
	return testkit.WriteFile(t, dir, "both.yml", fmt.Sprintf(`
defaults: {interval: 1s, timeout: 1s, tls: {ca_file: ca.pem}}
apis:
  stillinger: {request: {path: %s}, unauthenticated: false}
institutions:
  uio:
    gateway: %s
    tls: {server_name: %s}
    apis: {stillinger: {key_file: keys/uio-stillinger}}
    rabbitmq: [{application: %s, password_file: keys/uio-%[4]s, url: %q, tls: {server_name: %[6]s}}]
`, path, p.URL("uio"), p.ServerName("uio"), applicationOf(t, p), p.BrokerURL("uio"), p.BrokerName("uio")))
}

func applicationOf(t *testing.T, p *demo.Platform) string {
	t.Helper()
	i := slices.IndexFunc(p.Accesses(), func(a demo.Access) bool { return a.Institution == "uio" })
	if i < 0 {
		t.Fatal("uio has no application")
	}
	return p.Accesses()[i].Application
}

// The gateway fails in the moment in which the broker recovers, and the other way round.
func TestGatewayFailsWhileTheBrokerRecovers(t *testing.T) {
	platform, config := simulate(t, true)
	application := applicationOf(t, platform)
	s := start(t, "--config.file="+configureBoth(t, platform, strings.TrimSuffix(config, "/config.yml")), "--log.level=debug", "--log.format=json")
	api, broker := "uio api stillinger", "uio rabbitmq "+application
	for _, c := range []struct {
		gateway demo.Fault
		broker  demo.BrokerFault
		want    map[string]string // reasons
	}{
		{demo.Healthy, demo.BrokerVhostMissing, map[string]string{broker: "broker vhost_missing"}},
		{demo.BackendRefused, demo.BrokerHealthy, map[string]string{api: "backend backend_unreachable"}},
		{demo.Healthy, demo.BrokerVhostRefused, map[string]string{broker: "key vhost_refused"}},
		{demo.HTMLPage, demo.BrokerHealthy, map[string]string{api: "backend not_json"}},
	} {
		platform.Set("uio", "stillinger", c.gateway)
		platform.SetBroker("uio", application, c.broker)
		testkit.Eventually(t, fmt.Sprint(c.want), func() bool {
			now := s.metrics(t)
			now.counted(t, "api", "stillinger")
			now.counted(t, "rabbitmq", application)
			return fmt.Sprint(now.reasons()) == fmt.Sprint(c.want) && len(now.family("integra_probe_success")) == 2
		})
	}
	last := s.metrics(t)
	s.stop()
	<-s.ended
	logged := map[string]counts{}
	for _, line := range logLines(t, s.err.String()) {
		if line.Kind == "" {
			continue
		}
		c := logged[line.Kind]
		c.runs++
		if line.Success != (line.Reason == "") {
			t.Errorf("a run that has success %t and reason %q", line.Success, line.Reason)
		}
		if !line.Success {
			c.failures++
		}
		logged[line.Kind] = c
	}
	for kind, target := range map[string]string{"api": "stillinger", "rabbitmq": application} {
		counted, all := last.counted(t, kind, target), logged[kind]
		if all.runs < counted.runs || all.runs > counted.runs+2 || all.failures < counted.failures || all.failures > counted.failures+2 {
			t.Errorf("%s: counted %+v, then logged %+v", kind, counted, all)
		}
	}
}
