package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// Probing is what /probe needs. Run returns nil once target has a new result,
// within limit (zero: none); its error is a sentence for whoever asked,
// or Unknown. Metrics answers with the last run of a target.
type Probing struct {
	Run     func(ctx context.Context, target probe.Target, limit time.Duration) error
	Unknown error // target is not there any more
	Metrics func(row state.Target) http.Handler
}

// probe runs the check of one configured target now, and answers with its result.
func (s *site) probe(w http.ResponseWriter, r *http.Request) {
	asked, err := probeOf(r)
	if err != nil {
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	_, known := s.Target(asked.target)
	if !known {
		say(w, http.StatusNotFound, "there is no such target in the configuration")
		return
	}
	answer := http.NewResponseController(w)
	_ = answer.SetWriteDeadline(time.Time{}) // a check may take a day; nothing is written until then
	err = s.Probing.Run(r.Context(), asked.target, asked.limit)
	_ = answer.SetWriteDeadline(time.Now().Add(AnswerTimeout))
	row, known := s.Target(asked.target)
	switch {
	case err != nil && !errors.Is(err, s.Probing.Unknown):
		say(w, http.StatusServiceUnavailable, "no result: "+err.Error())
	case err != nil || !known:
		say(w, http.StatusNotFound, "the target has just left the configuration")
	case asked.debug:
		say(w, http.StatusOK, explain(&row))
	default:
		s.Probing.Metrics(row).ServeHTTP(w, r)
	}
}

// probeRequest is what /probe is asked for.
type probeRequest struct {
	target probe.Target
	limit  time.Duration // zero: none
	debug  bool
}

func probeOf(r *http.Request) (asked probeRequest, err error) {
	given, err := queryOf(r)
	if err != nil {
		return asked, err
	}
	debug, named := given["debug"]
	asked.debug = slices.Equal(debug, []string{"true"})
	if named && !asked.debug && !slices.Equal(debug, []string{"false"}) {
		return asked, errors.New("debug is true or false, given once")
	}
	delete(given, "debug")
	asked.target, err = targetIn(given)
	if err != nil {
		return asked, err
	}
	if asked.target.Kind == probe.KindKey {
		return asked, errors.New("kind key has no /probe: a credential is looked at when its file changes, and hourly")
	}
	asked.limit, err = limitOf(r)
	return asked, err
}

const (
	timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
	// scrapeOffset is what is left of the scrape's timeout for the answer.
	scrapeOffset = 500 * time.Millisecond
	// leastLimit is the least a probe may have: less would find every target dead.
	leastLimit = 100 * time.Millisecond
	mostLimit  = 24 * time.Hour
)

// limitOf returns how long the answer may take, by the request's header; zero: it has none.
func limitOf(r *http.Request) (time.Duration, error) {
	text := r.Header.Get(timeoutHeader)
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	longEnough := seconds >= (scrapeOffset + leastLimit).Seconds() // not so for NaN
	if err != nil || !longEnough {
		return 0, fmt.Errorf("%s must be a number of seconds, at least %v: half a second is for the answer",
			timeoutHeader, (scrapeOffset + leastLimit).Seconds())
	}
	return time.Duration(min(seconds, mostLimit.Seconds())*float64(time.Second)) - scrapeOffset, nil
}

// explain says in plain text what the last run of t found, why, and what to do next.
func explain(t *state.Target) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range explanation(t) {
		if line.Value != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", line.Name, line.Value)
		}
	}
	_ = table.Flush() // to memory
	return strings.TrimSuffix(b.String(), "\n")
}

func explanation(t *state.Target) []view.Fact {
	run := &t.Last
	lines := []view.Fact{
		{Name: "institution", Value: view.Printable(t.Institution)},
		{Name: "kind", Value: t.Kind},
		{Name: "target", Value: view.Printable(t.Name)},
		{Name: "address", Value: view.Printable(t.Address)},
		{Name: "result", Value: "success"},
	}
	if run.Err != nil {
		e := probe.Explain(probe.ReasonOf(run.Err))
		lines[len(lines)-1].Value = fmt.Sprintf("failed: %s, layer %s", e.Reason, e.Layer)
		lines = append(lines, view.Fact{Name: "meaning", Value: e.Meaning}, view.Fact{Name: "next", Value: e.Next},
			view.Fact{Name: "detail", Value: probe.DetailOf(run.Err)})
	}
	lines = append(lines, view.Fact{Name: "started", Value: run.Start.UTC().Format(time.RFC3339Nano)},
		view.Fact{Name: "duration", Value: view.FormatLatency(run.Duration) + ", of at most " + run.Limit.String()})
	for phase, d := range run.Phases {
		if d > 0 {
			lines = append(lines, view.Fact{Name: "  " + probe.Phase(phase).String(), Value: view.FormatLatency(d)})
		}
	}
	return append(lines, answerFacts(run)...)
}

// answerFacts says what came back. What is empty was not observed.
func answerFacts(run *probe.Result) (facts []view.Fact) {
	if run.Answered {
		facts = append(facts, view.Fact{Name: "status", Value: strconv.Itoa(run.Status)}, view.Fact{Name: "size", Value: view.FormatSize(run.Size)})
	}
	facts = append(facts, view.Fact{Name: "transaction id", Value: run.TransactionID})
	if !run.Certificate.Expiry.IsZero() {
		verified := map[bool]string{true: "trusted", false: "not trusted"}[run.Certificate.Verified]
		facts = append(facts, view.Fact{Name: "certificate", Value: verified + ", ends " + run.Certificate.Expiry.UTC().Format(time.RFC3339)})
	}
	return facts
}
