package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// The processors: what is measured has one, what it talks to the other. On a machine with one they share it.
const (
	ourProcessor   = 0
	theirProcessor = 1
	anyProcessor   = -1
)

// process is this program again, in a role. It ends with its standard input, and so with this one.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startRole starts a role and writes task to it, as JSON on a line.
func startRole(ctx context.Context, role string, cpu int, task any) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, role)} //nolint:gosec // ourselves
	p.cmd.Stderr = os.Stderr
	p.in, err = p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	err = startOn(p.cmd, cpu)
	if err != nil {
		return nil, err
	}
	return p, json.NewEncoder(p.in).Encode(task)
}

// hear reads a line of JSON that the role wrote.
func (p *process) hear(into any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("a process of ours ended: %w", err)
	}
	return json.Unmarshal(line, into)
}

func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// task reads what startRole wrote.
func task(into any) error { return json.NewDecoder(os.Stdin).Decode(into) }

// tell writes what hear reads.
func tell(what any) error { return json.NewEncoder(os.Stdout).Encode(what) }

// untilAlone waits for the end of the process that started this one.
func untilAlone() { _, _ = io.Copy(io.Discard, os.Stdin) }

// startOn starts cmd with the processor cpu for all of its threads: they inherit it from the thread that starts it.
func startOn(cmd *exec.Cmd, cpu int) error {
	if cpu == anyProcessor {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.CPUSet
	err := unix.SchedGetaffinity(0, &before)
	if err != nil {
		return err
	}
	after.Set(cpu % runtime.NumCPU())
	err = unix.SchedSetaffinity(0, &after)
	if err != nil {
		return err
	}
	err = cmd.Start()
	_ = unix.SchedSetaffinity(0, &before)
	return err
}

// pinSelf moves this process to the processor cpu, until release.
func pinSelf(cpu int) (release func(), err error) {
	var before, after unix.CPUSet
	err = unix.SchedGetaffinity(0, &before)
	if err != nil {
		return nil, err
	}
	after.Set(cpu % runtime.NumCPU())
	procs := runtime.GOMAXPROCS(1)
	return func() {
		runtime.GOMAXPROCS(procs)
		_ = moveThreads(before)
	}, moveThreads(after)
}

// moveThreads moves the threads there are; those to come inherit it.
func moveThreads(to unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		_ = unix.SchedSetaffinity(id, &to) // it may have ended
	}
	return nil
}
