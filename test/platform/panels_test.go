package platform

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// step is between the points of a range query.
const step = 2 * time.Second

// answered is a query with what Prometheus said, as -save writes it.
type answered struct {
	Expr    string `json:"expr"`
	Range   *data  `json:"range,omitempty"`
	Instant *data  `json:"instant,omitempty"`
}

// saved is a dashboard's file of results: by panel id, by refId.
type saved struct {
	Dashboard string                         `json:"dashboard"`
	Start     int64                          `json:"start"` // Unix seconds
	End       int64                          `json:"end"`
	Step      float64                        `json:"step"`
	Panels    map[string]map[string]answered `json:"panels"`
}

// dashboards asserts that every query of every panel has an answer, over the
// whole run or at a moment when something was wrong.
func (h *history) dashboards(t *testing.T, w *world) {
	now := time.Now()
	for _, d := range readDashboards(t) {
		t.Run(d.file, func(t *testing.T) {
			names := wholeRun(w.began, now)
			for _, v := range d.Templating.List {
				names.add(t, w.client, v)
			}
			results := saved{d.file, w.began.Unix(), now.Unix(), step.Seconds(), map[string]map[string]answered{}}
			for _, p := range flat(d.Panels) {
				answers := map[string]answered{}
				for _, q := range p.Targets {
					q.Expr = names.expand(q.Expr)
					answers[q.RefID] = h.ask(t, w, q, now)
					if !answers[q.RefID].some() && (w.native || !needsNative(q.Expr)) {
						t.Errorf("panel %d %q, query %s has no data: %s", p.ID, p.Title, q.RefID, q.Expr)
					}
				}
				results.Panels[strconv.Itoa(p.ID)] = answers
			}
			results.write(t)
		})
	}
}

// ask asks over the whole run, and what a panel asks for one moment at the
// moments that differ, until there is an answer.
func (h *history) ask(t *testing.T, w *world, q question, now time.Time) answered {
	t.Helper()
	a := answered{Expr: q.Expr}
	over, err := w.client.overRange(q.Expr, w.began, now, step)
	if err != nil {
		t.Errorf("%s: %v", q.Expr, err)
	}
	a.Range = &over
	if !q.Instant {
		return a
	}
	for _, at := range h.moments(now) {
		instant, err := w.client.instant(q.Expr, at)
		if err != nil {
			t.Errorf("%s: %v", q.Expr, err)
		}
		a.Instant = &instant
		if len(instant.Result) > 0 {
			break
		}
	}
	return a
}

// moments are the ends of the episodes, when all was at its worst, and now.
func (h *history) moments(now time.Time) []time.Time {
	var moments []time.Time
	for _, e := range h.episodes {
		moments = append(moments, e.to)
	}
	return slices.Compact(append(moments, now))
}

func (a answered) some() bool {
	if a.Instant != nil {
		return len(a.Instant.Result) > 0
	}
	return len(a.Range.Result) > 0
}

// needsNative reports whether a query reads native histograms and no classic ones.
func needsNative(query string) bool {
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return false // Prometheus has said so
	}
	native, classic := false, false
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if is {
			native = native || selector.Name == "integra_probe_duration_seconds"
			classic = classic || strings.HasSuffix(selector.Name, "_bucket")
		}
		return nil
	})
	return native && !classic
}

func (s saved) write(t *testing.T) {
	t.Helper()
	if *save == "" {
		return
	}
	content, err := json.Marshal(s)
	if err == nil {
		err = os.MkdirAll(*save, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*save, s.Dashboard), content, 0o600)
	}
	if err != nil {
		t.Error(fmt.Errorf("results of %s: %w", s.Dashboard, err))
	}
}
