package platform

import (
	"os"
	"syscall"
	"testing"
)

// confusions are an exporter that answers, and is wrong.
var confusions = []fault{
	{
		name: "reload of a configuration that is none",
		begin: func(w *world) func() {
			must(os.WriteFile(w.config.path, []byte("institutions: [\n"), 0o600))
			w.exporter.signal(syscall.SIGHUP)
			return w.reload
		},
		wants: []want{about("IntegraConfigReloadFailed", "", "", "")},
	},
	{
		name: "results stale",
		begin: func(w *world) func() {
			w.front.freeze(true)
			return func() { w.front.freeze(false) }
		},
		wants: []want{about("IntegraResultsStale", "", "", "")},
	},
}

// absences are an exporter that does not answer: nothing else is told then.
var absences = []fault{
	{
		name: "exporter killed",
		begin: func(w *world) func() {
			w.exporter.kill()
			return w.startExporter
		},
		wants: []want{about("IntegraExporterDown", "", "", "")},
	},
	{
		name:  "exporter forgotten",
		begin: forgotten,
		wants: []want{about("IntegraExporterAbsent", "", "", "")},
	},
}

// forgotten takes the exporter out of Prometheus's configuration. The job stays:
// without it Prometheus would take five minutes to notice that the series end.
func forgotten(w *world) func() {
	job := w.scraping.root["scrape_configs"].([]any)[0].(object)
	exporters := job["static_configs"]
	set := func(exporters any) {
		job["static_configs"] = exporters
		w.scraping.write(w.scraping.path)
		w.observer.signal(syscall.SIGHUP)
	}
	set([]any{})
	return func() { set(exporters) }
}

// strikeInTurn lets faults of the exporter happen one after the other: they concern everything.
func (h *history) strikeInTurn(t *testing.T, w *world, faults []fault) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			h.strike(t, w, f)
			w.resolved(t, f.wants)
		})
	}
}
