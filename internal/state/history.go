package state

import (
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Run is one run as it is remembered. It holds no part of a body and no secret.
type Run struct {
	Start         time.Time
	Duration      time.Duration
	Phases        probe.Phases
	Reason        probe.Reason // empty: success
	Layer         probe.Layer
	Detail        string
	Answered      bool // Status and Size are valid
	Status        int
	Size          int64
	TransactionID string
}

func runOf(result *probe.Result, outcome Outcome) Run {
	return Run{
		Start: result.Start, Duration: result.Duration, Phases: result.Phases,
		Reason: outcome.Reason, Layer: outcome.Layer, Detail: probe.DetailOf(result.Err),
		Answered: result.Answered, Status: result.Status, Size: result.Size, TransactionID: result.TransactionID,
	}
}

// bounds says how many runs of each target are kept, so that all of them together stay within total.
type bounds struct{ most, least, total int }

func (b bounds) each(targets int) int {
	return max(b.least, min(b.most, b.total/max(targets, 1)))
}

func runBounds() bounds     { return bounds{most: 100, least: 5, total: 100_000} }
func failureBounds() bounds { return bounds{most: 20, least: 2, total: 20_000} }

// History returns the last runs of target and, kept longer, its last failures,
// both newest first; nothing for a target that is gone. They are copies.
func (s *Store) History(target probe.Target) (runs, failures []Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if !known {
		return nil, nil
	}
	return r.runs.newestFirst(), r.failures.newestFirst()
}

// ring keeps the last runs up to its limit, and never has room for more.
type ring struct {
	limit  int
	runs   []Run
	oldest int // 0 until the limit is reached
}

func (r *ring) add(run Run) {
	if len(r.runs) == r.limit {
		r.runs[r.oldest] = run
		r.oldest = (r.oldest + 1) % r.limit
		return
	}
	if len(r.runs) == cap(r.runs) { // append would reserve more than the limit
		roomier := make([]Run, len(r.runs), min(2*len(r.runs)+2, r.limit))
		copy(roomier, r.runs)
		r.runs = roomier
	}
	r.runs = append(r.runs, run)
}

// resize sets the limit; the oldest runs beyond it are forgotten.
func (r *ring) resize(limit int) {
	if limit == r.limit {
		return
	}
	runs := r.newestFirst()
	runs = slices.Clone(runs[:min(len(runs), limit)])
	slices.Reverse(runs)
	*r = ring{limit: limit, runs: runs}
}

func (r *ring) newestFirst() []Run {
	runs := slices.Concat(r.runs[r.oldest:], r.runs[:r.oldest])
	slices.Reverse(runs)
	return runs
}
