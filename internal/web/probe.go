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
// within limit (zero: none); its error is Unknown or a sentence for the client.
// Metrics answers with the last run of a target.
type Probing struct {
	Run     func(ctx context.Context, target probe.Target, limit time.Duration) error
	Unknown error // the configuration has no such target any more
	Metrics func(row state.Target) http.Handler
}

// probe runs the check of one configured target now and answers with its result.
func (s *site) probe(w http.ResponseWriter, r *http.Request) {
	asked, err := probeOf(r)
	if err != nil {
		writeText(w, http.StatusBadRequest, err.Error())
		return
	}
	_, known := s.Target(asked.target)
	if !known {
		writeText(w, http.StatusNotFound, "there is no such target in the configuration")
		return
	}
	answer := http.NewResponseController(w)
	_ = answer.SetWriteDeadline(time.Time{}) // a check may take a day, and nothing is written before it ends
	err = s.Probing.Run(r.Context(), asked.target, asked.limit)
	_ = answer.SetWriteDeadline(time.Now().Add(AnswerTimeout))
	row, known := s.Target(asked.target)
	switch {
	case err != nil && !errors.Is(err, s.Probing.Unknown):
		writeText(w, http.StatusServiceUnavailable, "no result: "+err.Error())
	case err != nil || !known:
		writeText(w, http.StatusNotFound, "the target was just removed from the configuration")
	case asked.debug:
		writeText(w, http.StatusOK, explain(&row))
	default:
		s.Probing.Metrics(row).ServeHTTP(w, r)
	}
}

// probeRequest is a parsed request to /probe.
type probeRequest struct {
	target probe.Target
	limit  time.Duration // zero: none
	debug  bool
}

func probeOf(r *http.Request) (asked probeRequest, err error) {
	given, err := parseQuery(r)
	if err != nil {
		return asked, err
	}
	debug, set := given["debug"]
	asked.debug = slices.Equal(debug, []string{"true"})
	if set && !asked.debug && !slices.Equal(debug, []string{"false"}) {
		return asked, errors.New("debug must be true or false, given once")
	}
	delete(given, "debug")
	asked.target, err = takeTarget(given)
	if err != nil {
		return asked, err
	}
	if asked.target.Kind == probe.KindKey {
		return asked, errors.New("/probe does not run kind key: credentials are checked hourly and when their file changes")
	}
	asked.limit, err = limitOf(r)
	return asked, err
}

const (
	timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
	// scrapeOffset is the part of the scrape's timeout that is kept for the answer.
	scrapeOffset = 500 * time.Millisecond
	// minLimit is the shortest time a probe may have: in less, every target would time out.
	minLimit = 100 * time.Millisecond
	maxLimit = 24 * time.Hour
)

// limitOf returns how long the probe may take by the request's header; zero: there is no such header.
func limitOf(r *http.Request) (time.Duration, error) {
	text := r.Header.Get(timeoutHeader)
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	longEnough := seconds >= (scrapeOffset + minLimit).Seconds() // false for NaN
	if err != nil || !longEnough {
		return 0, fmt.Errorf("%s must be a number of seconds, at least %v: half a second of it is kept for the answer",
			timeoutHeader, (scrapeOffset + minLimit).Seconds())
	}
	return time.Duration(min(seconds, maxLimit.Seconds())*float64(time.Second)) - scrapeOffset, nil
}

// explain returns the last run of t as plain text: its result, what it means and what to do next.
func explain(t *state.Target) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range explanation(t) {
		if line.Value != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", line.Name, line.Value)
		}
	}
	_ = table.Flush() // writing to memory does not fail
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
		e := probe.ExplainError(run.Err)
		lines[len(lines)-1].Value = fmt.Sprintf("failed: %s, layer %s", e.Reason, e.Layer)
		lines = append(lines, view.Fact{Name: "meaning", Value: e.Meaning}, view.Fact{Name: "next", Value: e.Next},
			view.Fact{Name: "detail", Value: probe.DetailOf(run.Err)})
	}
	lines = append(lines, view.Fact{Name: "started", Value: run.Start.UTC().Format(time.RFC3339Nano)},
		view.Fact{Name: "duration", Value: view.FormatLatency(run.Duration) + " of at most " + run.Limit.String()})
	for phase, d := range run.Phases {
		if d > 0 {
			lines = append(lines, view.Fact{Name: "  " + probe.Phase(phase).String(), Value: view.FormatLatency(d)})
		}
	}
	return append(lines, answerFacts(run)...)
}

// answerFacts describes the answer. An empty value was not observed.
func answerFacts(run *probe.Result) (facts []view.Fact) {
	if run.Answered {
		facts = append(facts, view.Fact{Name: "status", Value: strconv.Itoa(run.Status)}, view.Fact{Name: "size", Value: view.FormatSize(run.Size)})
	}
	facts = append(facts, view.Fact{Name: "transaction id", Value: run.TransactionID})
	if !run.Certificate.Expiry.IsZero() {
		verified := map[bool]string{true: "trusted", false: "not trusted"}[run.Certificate.Verified]
		facts = append(facts, view.Fact{Name: "certificate", Value: verified + ", expires " + run.Certificate.Expiry.UTC().Format(time.RFC3339)})
	}
	return facts
}
