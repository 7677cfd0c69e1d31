package schedule

import (
	"hash/fnv"
	"io"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// firstWithin bounds how long a target with a long interval waits for its
// first run, so that an hourly check is not blind after a restart.
const firstWithin = time.Minute

// phase is where in its interval a target runs: the hash of its identity, so
// that targets spread evenly and none moves when others come and go.
type phase uint64

func (s *Scheduler) phaseOf(t probe.Target) phase {
	hash := fnv.New64a()
	for _, part := range []string{s.options.Seed, t.Institution, t.Kind, t.Name} {
		_, _ = io.WriteString(hash, part)
		_, _ = hash.Write([]byte{0}) // so that ab+c and a+bc differ
	}
	return phase(hash.Sum64())
}

// first returns when a target that is new at now runs first.
func (p phase) first(zero time.Time, interval time.Duration, now time.Time) time.Time {
	return p.next(zero, min(interval, firstWithin), now)
}

// next returns the first time after now that lies on p's phase of the clock that began at zero.
func (p phase) next(zero time.Time, interval time.Duration, now time.Time) time.Time {
	offset := time.Duration(uint64(p) % uint64(interval))
	elapsed := now.Sub(zero)
	if elapsed < offset {
		return zero.Add(offset)
	}
	return zero.Add(offset + ((elapsed-offset)/interval+1)*interval)
}
