// Command bench measures what the exporter costs, beside bare libraries and
// beside blackbox_exporter, and writes docs/benchmarks.md.
//
// What it measures against runs in a process of its own: this program again,
// with the name of a role as its only argument.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// part measures one chapter; quick asks for a run of seconds that only shows that it works.
type part struct {
	name string
	run  func(ctx context.Context, quick bool) ([]chapter, error)
}

// parts are what can be measured, in the order of the report.
func parts(blackbox string) []part {
	probes := rivals{blackbox: blackbox}
	return []part{
		{"probe", probes.measure},
		{"rabbitmq", rabbitmq},
		{"truth", truth},
		{"memory", memory},
		{"scrape", scrape},
		{"fleet", fleet},
	}
}

// roles are what this program does in a process that it starts itself.
func roles() map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"gateway":  serveGateway,
		"gateways": serveGateways,
		"prober":   serveProber,
		"scraper":  serveScraper,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to do
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 1 {
		role, ok := roles()[args[0]]
		if ok {
			return role(ctx)
		}
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	file := flags.String("out", "docs/benchmarks.md", "the report; parts that are not measured stay as they are in it")
	only := flags.String("only", "", "names of parts, with commas between; empty: all")
	quick := flags.Bool("quick", false, "seconds for each part, printed and not written: it only shows that it works")
	blackbox := flags.String("blackbox", "", "the program blackbox_exporter; empty: the one on PATH, if any")
	err := flags.Parse(args)
	if err != nil {
		return err
	}
	all := parts(*blackbox)
	chosen, err := choose(all, *only)
	if err != nil {
		return err
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.name
	}
	for _, p := range chosen {
		err = measure(ctx, p, *quick, *file, names, out)
		if err != nil {
			return fmt.Errorf("part %s: %w", p.name, err)
		}
	}
	return nil
}

// choose returns the parts that only names.
func choose(all []part, only string) ([]part, error) {
	if only == "" {
		return all, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no part %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// measure runs p and puts its section into file: at once, so that a later part that fails takes nothing away.
func measure(ctx context.Context, p part, quick bool, file string, names []string, out io.Writer) error {
	chapters, err := p.run(ctx, quick)
	if err != nil {
		return err
	}
	text := section(chapters, surroundings(ctx))
	fmt.Fprintln(out, text)
	if quick {
		return nil
	}
	return replaceSection(file, names, p.name, text)
}
