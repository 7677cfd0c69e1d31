package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Exporter holds the metrics of the exporter itself.
type Exporter struct {
	reloadOK   prometheus.Gauge
	reloadTime prometheus.Gauge
	targets    *prometheus.GaugeVec
	lag        prometheus.Histogram
	skipCauses []string
	skipped    *prometheus.CounterVec
	panics     prometheus.Counter
	inFlight   prometheus.GaugeFunc
}

// NewExporter returns the exporter's own metrics. skipCauses is the closed set
// of causes, all of which are sent from the start; inFlight returns how many
// probes are in progress.
func NewExporter(skipCauses []string, inFlight func() int) *Exporter {
	e := &Exporter{
		skipCauses: skipCauses,
		reloadOK: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "integra_exporter_config_last_reload_successful",
			Help: "Whether the last attempt to load the configuration succeeded: 1 or 0.",
		}),
		reloadTime: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "integra_exporter_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration was last loaded, in seconds since 1970.",
		}),
		targets: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "integra_exporter_targets",
			Help: "Targets in the current configuration.",
		}, []string{"kind"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "integra_exporter_schedule_lag_seconds",
			Help:    "How much later than planned runs began.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "integra_exporter_runs_skipped_total",
			Help: "Runs that did not begin because the previous one was still going on (overlap) or no slot became free in time (capacity).",
		}, []string{"cause"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "integra_exporter_panics_total",
			Help: "Probes that ended in a panic.",
		}),
		inFlight: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "integra_exporter_probes_in_flight",
			Help: "Probes in progress.",
		}, func() float64 { return float64(inFlight()) }),
	}
	for _, cause := range skipCauses {
		e.skipped.WithLabelValues(cause)
	}
	return e
}

// Register registers everything the exporter sends of itself, with the Go and process collectors.
func (e *Exporter) Register(r prometheus.Registerer) {
	r.MustRegister(
		e.reloadOK, e.reloadTime, e.targets, e.lag, e.skipped, e.panics, e.inFlight,
		version.NewCollector("integra_exporter"),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
}

// Loaded records that checks are the current configuration.
func (e *Exporter) Loaded(checks []probe.Check) {
	e.reloadOK.Set(1)
	e.reloadTime.Set(timestamp(time.Now()))
	counts := map[string]int{}
	for _, check := range checks {
		counts[check.Kind]++
	}
	for _, kind := range []string{probe.KindAPI, probe.KindAuth, probe.KindRabbitMQ, probe.KindKey} {
		e.targets.WithLabelValues(kind).Set(float64(counts[kind]))
	}
}

// LoadFailed records that the configuration could not be loaded.
func (e *Exporter) LoadFailed() { e.reloadOK.Set(0) }

// Ran records a run.
func (e *Exporter) Ran(result probe.Result) {
	e.lag.Observe(max(result.Start.Sub(result.Planned), 0).Seconds())
	reason, _ := probe.ReasonOf(result.Err)
	if reason == probe.ReasonPanic {
		e.panics.Inc()
	}
}

// Skipped records a run that did not begin.
func (e *Exporter) Skipped(cause string) { e.skipped.WithLabelValues(cause).Inc() }

// Skips returns how many runs were skipped so far, by cause.
func (e *Exporter) Skips() map[string]uint64 {
	skips := make(map[string]uint64, len(e.skipCauses))
	for _, cause := range e.skipCauses {
		var counter dto.Metric
		_ = e.skipped.WithLabelValues(cause).Write(&counter) // to memory
		skips[cause] = uint64(counter.GetCounter().GetValue())
	}
	return skips
}
