package main

import (
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// An error shows though it is always the same, and though only one delay in a hundred probes has it.
func TestErrorRow(t *testing.T) {
	const phase = probe.PhaseProcessing
	told := func(by way, said, waited time.Duration) report {
		return report{way: by, seen: probe.Observation{Phases: probe.Phases{phase: said}}, true: pauses{phase: waited}}
	}
	hand := told(way{byHand: true}, time.Millisecond, 0)
	right := told(way{phase: phase}, time.Millisecond, 0)
	delayed := way{phase: phase, delay: 50 * time.Millisecond}
	for _, test := range []struct {
		name    string
		odd     report
		reached string
	}{
		{"right", told(delayed, 52*time.Millisecond, 51*time.Millisecond), "yes"},
		{"within the limit", told(delayed, 54*time.Millisecond, 51*time.Millisecond), "yes"},
		{"one delay", told(delayed, 55*time.Millisecond, 51*time.Millisecond), "no"},
	} {
		reports := []report{hand, test.odd}
		for range 99 {
			reports = append(reports, right)
		}
		got := stream{}.aspects()[1].errorRow(reports)
		if got.Reached != test.reached {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	off := told(way{phase: phase}, 4*time.Millisecond, 0)
	got := stream{}.aspects()[1].errorRow([]report{hand, off, off, off})
	if got.Reached != "no" {
		t.Errorf("all are off by the same: %v", got)
	}
}
