package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// surroundings says where and when a part was measured, and what was measured.
func surroundings(ctx context.Context) string {
	return fmt.Sprintf("*Measured on %s: %s, %d processors, Linux %s, %s, revision %s; at the end the machine's load was %s.*\n",
		time.Now().UTC().Format(time.DateOnly), processor(), runtime.NumCPU(), kernel(), runtime.Version(), revision(ctx), loadAverage())
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(info), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	name := strings.Trim(line, "\t :")
	if name == "" {
		return runtime.GOARCH
	}
	return name
}

// loadAverage is that of the last minute; far above the number of processors, others were at work.
func loadAverage() string {
	averages, _ := os.ReadFile("/proc/loadavg")
	minute, _, _ := strings.Cut(string(averages), " ")
	return minute
}

func kernel() string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	return unix.ByteSliceToString(name.Release[:])
}

// revision is the commit, with a word more where files differ from it.
func revision(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty=, with changes", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// cpuTime is what the process has used of all processors so far, and what its threads that are gone have used.
func cpuTime(pid int) (time.Duration, error) {
	var t unix.Timespec
	clock := int32(^pid<<3 | 2) // clock_getcpuclockid(3)
	err := unix.ClockGettime(clock, &t)
	return time.Duration(t.Nano()), err
}

// resident is a process's resident set in bytes.
func resident(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, pages int64
	_, err = fmt.Sscan(string(statm), &size, &pages)
	return pages * int64(os.Getpagesize()), err
}
