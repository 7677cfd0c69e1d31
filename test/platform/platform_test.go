// Package platform tests the whole with the real programs: a simulated platform,
// the exporter, Prometheus with the rules, Alertmanager with the example's routes
// and inhibitions, and somebody who is notified. Time is compressed: intervals
// are seconds, and every duration in the rules is divided by one factor.
package platform

import (
	"flag"
	"testing"
	"time"
)

var (
	prometheus   = flag.String("prometheus", "prometheus", "Prometheus's binary")
	alertmanager = flag.String("alertmanager", "prometheus-alertmanager", "Alertmanager's binary")
	save         = flag.String("save", "", "a directory for the results of the dashboards' queries")
)

const (
	quietFor = 20 * time.Second // that a healthy platform raises nothing in
	holdFor  = 6 * time.Second  // faults last on, in case a second alert comes
	patience = 2 * time.Minute  // until an alert has come or gone
)

// TestPlatform is one run of everything, because starting it takes as long as a fault.
func TestPlatform(t *testing.T) {
	w := newWorld(t)
	var past history
	t.Run("healthy", func(t *testing.T) {
		past.healthy = time.Now()
		w.arrived(t, standing, past.healthy)
		time.Sleep(time.Until(past.healthy.Add(quietFor)))
	})
	t.Run("faults", func(t *testing.T) { past.strike(t, w, faults...) })
	past.strikeInTurn(t, w, confusions) // while the alerts before resolve
	t.Run("faults are over", func(t *testing.T) { w.resolved(t, wantsOf(faults)) })
	past.strikeInTurn(t, w, absences)
	t.Run("notifications", func(t *testing.T) { past.judge(t, w) })
	t.Run("dashboards", func(t *testing.T) { past.dashboards(t, w) })
	t.Run("secrets", func(t *testing.T) {
		for _, p := range w.programs {
			w.secrets.search("the log of "+p.name, p.said.all())
		}
		w.secrets.report(t)
	})
}
