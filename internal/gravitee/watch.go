package gravitee

import (
	"context"
	"time"
)

const (
	firstRetry  = time.Minute
	readTimeout = 5 * time.Minute // of one reading as a whole
	minInterval = time.Second     // between two readings
)

// Watch reads again and again. All fields are required.
type Watch struct {
	Read     func(context.Context) (Reading, error) // a Client's
	Interval time.Duration
	Report   func(Status) // called after each reading, never twice at a time
}

// Status is what is known after a reading.
type Status struct {
	Reading Reading // the last that succeeded, however old; its At is zero as long as none did
	Err     error   // why the latest failed; nil if it is Reading
}

// Run reads at once and then every interval until ctx ends; the reading that
// ctx ends is not reported. After a failure it reads again in a minute, then
// two, four and so on, but never later than in an interval.
func (w Watch) Run(ctx context.Context) {
	var status Status
	for failures := 0; ; {
		start := time.Now()
		reading, err := w.read(ctx)
		if ctx.Err() != nil {
			return
		}
		failures++
		status.Err = err
		if err == nil {
			failures = 0
			status.Reading = reading
		}
		w.Report(status)
		if !sleep(ctx, w.pause(failures, time.Since(start))) {
			return
		}
	}
}

func (w Watch) read(ctx context.Context) (Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return w.Read(ctx)
}

// pause is the time until the next reading, after so many failures in a row
// and a reading that took so long.
func (w Watch) pause(failures int, took time.Duration) time.Duration {
	if failures == 0 {
		return max(minInterval, w.Interval-took)
	}
	retry := firstRetry
	for range failures - 1 {
		if retry >= w.Interval {
			break
		}
		retry *= 2
	}
	return min(retry, w.Interval)
}

// sleep reports whether d has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
