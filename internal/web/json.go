package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// targets answers with a view.Document for every target that matches the filter.
func (s *site) targets(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r)
	if err != nil {
		writeText(w, http.StatusBadRequest, err.Error())
		return
	}
	var body bytes.Buffer
	err = view.WriteDocuments(&body, f.apply(s.Targets()))
	if err != nil {
		writeText(w, http.StatusInternalServerError, "the answer could not be encoded")
		return
	}
	writeTagged(w, r, "application/json", body.Bytes())
}

// targetGroup is one target in the format of Prometheus's HTTP service discovery.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discover answers with one group per check that /probe can run.
func (s *site) discover(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r)
	if err != nil {
		writeText(w, http.StatusBadRequest, err.Error())
		return
	}
	groups := []targetGroup{} // Prometheus rejects null
	for _, t := range f.apply(s.Targets()) {
		if t.Kind != probe.KindKey {
			groups = append(groups, targetGroup{[]string{r.Host}, discoveryLabels(&t, r.TLS != nil)})
		}
	}
	body, err := json.Marshal(groups)
	if err != nil {
		writeText(w, http.StatusInternalServerError, "the answer could not be encoded")
		return
	}
	writeBody(w, r, http.StatusOK, "application/json", body)
}

// discoveryLabels says how Prometheus scrapes the /probe of t.
func discoveryLabels(t *state.Target, encrypted bool) map[string]string {
	interval := scrapeInterval(t)
	labels := map[string]string{
		"institution": t.Institution, "kind": t.Kind, "target": t.Name,
		"__metrics_path__":    "/probe",
		"__scrape_interval__": model.Duration(interval).String(),
		// Prometheus allows no more than the interval.
		"__scrape_timeout__":  model.Duration(min(interval, t.Timeout+scrapeOffset)).String(),
		"__param_institution": t.Institution, "__param_kind": t.Kind, "__param_target": t.Name,
	}
	if encrypted {
		labels["__scheme__"] = "https"
	}
	return labels
}

// maxAuthInterval is how often the negative test is scraped if its own interval is
// longer: Prometheus drops a series after five minutes, and /probe repeats the last
// result until the next run is due.
const maxAuthInterval = 2 * time.Minute

func scrapeInterval(t *state.Target) time.Duration {
	if t.Kind == probe.KindAuth {
		return min(t.Interval, maxAuthInterval)
	}
	return t.Interval
}
