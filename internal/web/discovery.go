package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// discovered is one target as Prometheus's HTTP service discovery reads it.
type discovered struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discover answers with one group per check that /probe can run.
func (s *site) discover(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r)
	if err != nil {
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	groups := []discovered{} // Prometheus takes null for a fault
	for _, t := range f.narrow(s.Targets()) {
		if t.Kind != probe.KindKey {
			groups = append(groups, discovered{[]string{r.Host}, discoveryLabels(&t, r.TLS != nil)})
		}
	}
	body, err := json.Marshal(groups)
	if err != nil {
		say(w, http.StatusInternalServerError, "the answer could not be made")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	send(w, r, http.StatusOK, body)
}

// discoveryLabels says how Prometheus scrapes the /probe of t.
func discoveryLabels(t *state.Target, encrypted bool) map[string]string {
	interval := scrapeInterval(t)
	labels := map[string]string{
		"institution": t.Institution, "kind": t.Kind, "target": t.Name,
		"__metrics_path__":    "/probe",
		"__scrape_interval__": inUnits(interval),
		// Prometheus allows no more than the interval.
		"__scrape_timeout__":  inUnits(min(interval, t.Timeout+scrapeOffset)),
		"__param_institution": t.Institution, "__param_kind": t.Kind, "__param_target": t.Name,
	}
	if encrypted {
		labels["__scheme__"] = "https"
	}
	return labels
}

// lasting is how often the negative test is scraped where its own interval is
// longer: Prometheus forgets a series after five minutes, and /probe gives its
// result again until it is due.
const lasting = 2 * time.Minute

func scrapeInterval(t *state.Target) time.Duration {
	if t.Kind == probe.KindAuth {
		return min(t.Interval, lasting)
	}
	return t.Interval
}

func inUnits(d time.Duration) string { return model.Duration(d).String() }
