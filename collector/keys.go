package collector

import (
	"iter"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

func keyEnds(t *state.Target, s *series) {
	for _, end := range t.Key.Ends() {
		if !end.At.IsZero() {
			s.send(timestamp(end.At), string(end.Source))
		}
	}
}

// keyState says nothing of a target without a key, nor of one that nobody has looked at.
func keyState(t *state.Target, s *series) {
	ends := t.Key.Ends()
	watched := t.Kind == probe.KindKey && t.Runs > 0
	if !t.Key.Info.Used && !watched && len(ends) == 0 {
		return
	}
	present := "unknown"
	switch {
	case slices.ContainsFunc(ends, func(e probe.KeyEnd) bool { return !e.At.IsZero() }):
		present = "dated"
	case len(ends) > 0:
		present = "never"
	}
	for _, name := range []string{"dated", "never", "unknown"} {
		s.send(boolean(name == present), name)
	}
}

func keyAccepted(t *state.Target, s *series) {
	if t.Key.Accepted != probe.KeyUnproven {
		s.send(boolean(t.Key.Accepted == probe.KeyAccepted))
	}
}

func keySuperseded(t *state.Target, s *series) {
	if t.Key.Info.Superseded.OK {
		s.send(float64(t.Key.Info.Superseded.N))
	}
}

// institutionFamily is a metric family with one series per institution.
type institutionFamily struct {
	heading
	of func(state.Institution) (value float64, ok bool)
}

var institutionFamilies = []institutionFamily{
	{
		perInstitution("integra_gravitee_success", "Whether the last reading of the API manager succeeded: 1 or 0."),
		func(i state.Institution) (float64, bool) { return boolean(i.Manager.OK), i.Manager.Tried },
	},
	{
		perInstitution("integra_gravitee_last_success_timestamp_seconds", "When the API manager was last read, in seconds since 1970."),
		func(i state.Institution) (float64, bool) {
			return timestamp(i.Manager.LastSuccess), !i.Manager.LastSuccess.IsZero()
		},
	},
	{
		perInstitution("integra_tls_ca_expiry_timestamp_seconds", "Earliest end among the certificates in the configured ca_file, in seconds since 1970."),
		func(i state.Institution) (float64, bool) { return timestamp(i.CAEnd), !i.CAEnd.IsZero() },
	},
}

func perInstitution(name, help string) heading {
	return heading{name: name, help: help, kind: dto.MetricType_GAUGE}
}

// institutions yields their families as each does those of targets.
func (p *page) institutions(places []state.Institution) iter.Seq[*dto.MetricFamily] {
	return func(yield func(*dto.MetricFamily) bool) {
		for i := range institutionFamilies {
			f := &institutionFamilies[i]
			p.used = 0
			to := &series{heading: &f.heading, page: p}
			for _, place := range places {
				value, ok := f.of(place)
				if ok {
					to.subject = []*dto.LabelPair{p.pair("institution", place.Name)}
					to.send(value)
				}
			}
			if p.used > 0 && !yield(f.with(p.metrics[:p.used])) {
				return
			}
		}
	}
}
