package gravitee

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// script reads what it is told to: each entry is one reading, the last repeats.
func script(entries ...error) func(context.Context) (Reading, error) {
	n := 0
	return func(context.Context) (Reading, error) {
		err := entries[min(n, len(entries)-1)]
		n++
		if err != nil {
			return Reading{}, err
		}
		return Reading{At: time.Now()}, nil
	}
}

// report is a Status as a test sees it: when it came, how old the reading is, what was wrong.
type report struct {
	After, Age time.Duration
	Kind       Kind
}

// watch lets a Watch run for d and returns its reports. The age of no reading is -1.
func watch(t *testing.T, d, interval time.Duration, read func(context.Context) (Reading, error)) []report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	start := time.Now()
	var reports []report
	Watch{Read: read, Interval: interval, Report: func(s Status) {
		r := report{time.Since(start), -1, kindOf(t, s.Err)}
		if !s.Reading.At.IsZero() {
			r.Age = time.Since(s.Reading.At)
		}
		reports = append(reports, r)
	}}.Run(ctx)
	if took := time.Since(start); took != d {
		t.Errorf("ran for %v, want %v", took, d)
	}
	return reports
}

func TestWatch(t *testing.T) {
	broken := fail(ServerError, "broken")
	const m, h = time.Minute, time.Hour
	for name, test := range map[string]struct {
		lasts, interval time.Duration
		read            func(context.Context) (Reading, error)
		want            []report
	}{
		"every interval": {3*h - 1, h, script(nil), []report{{0, 0, ""}, {h, 0, ""}, {2 * h, 0, ""}}},
		"sooner after a failure, the last good reading kept": {
			2*h + 8*m, h, script(nil, broken, broken, broken, nil),
			[]report{{0, 0, ""}, {h, h, ServerError}, {h + m, h + m, ServerError}, {h + 3*m, h + 3*m, ServerError}, {h + 7*m, 0, ""}, {2*h + 7*m, 0, ""}},
		},
		"never later than the interval": {
			13*m - 1, 3 * m, script(broken),
			[]report{{0, -1, ServerError}, {m, -1, ServerError}, {3 * m, -1, ServerError}, {6 * m, -1, ServerError}, {9 * m, -1, ServerError}, {12 * m, -1, ServerError}},
		},
		"an interval under a minute": {
			25 * time.Second, 10 * time.Second, script(broken, nil),
			[]report{{0, -1, ServerError}, {10 * time.Second, 0, ""}, {20 * time.Second, 0, ""}},
		},
		"the time of a reading is part of the interval": {
			2*h - 1, h, slow(m, nil), []report{{m, 0, ""}, {h + m, 0, ""}},
		},
		"a reading longer than the interval": {
			5*time.Second + 1, time.Second, slow(2*time.Second, nil), []report{{2 * time.Second, 0, ""}, {5 * time.Second, 0, ""}},
		},
		"a reading that hangs": {
			11*m + 1, h, hanging, []report{{5 * m, -1, Timeout}, {11 * m, -1, Timeout}},
		},
		"ended while reading": {4 * m, h, hanging, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := watch(t, test.lasts, test.interval, test.read)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("reports (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func slow(d time.Duration, err error) func(context.Context) (Reading, error) {
	return func(context.Context) (Reading, error) {
		time.Sleep(d)
		return Reading{At: time.Now()}, err
	}
}

func hanging(ctx context.Context) (Reading, error) {
	<-ctx.Done()
	if errors.Is(ctx.Err(), context.Canceled) {
		return Reading{}, context.Canceled
	}
	return Reading{}, fail(Timeout, "hung")
}

func TestRetriesOfAWeek(t *testing.T) {
	w := Watch{Interval: 24 * time.Hour}
	for failures, want := range map[int]time.Duration{1: time.Minute, 5: 16 * time.Minute, 11: 1024 * time.Minute, 12: 24 * time.Hour, 1e9: 24 * time.Hour} {
		if got := w.pause(failures, time.Hour); got != want {
			t.Errorf("after %d failures: %v, want %v", failures, got, want)
		}
	}
}
