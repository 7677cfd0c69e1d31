package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

const scrapeText = `One scrape of APIs that have run 30 times, about 26 series each, a histogram among them: what ` + "`/metrics`" + ` does, from
the request to the last byte of text, without a network and without compression. Floor: expfmt encodes families that are there
already, copied so that no two series share a label, as those that a registry gathers; second floor: the same, but labels that are
equal are one, as the exporter has them. Each side of each size is a process of its own with one processor, which
holds nothing else; they take turns. CPU time is that of the process, and a turn of the exporter goes from the end of a garbage collection
to that of another, as they come by themselves: their share is in it. The floors have next to no garbage.`

// The sides of each size, in the order of the processes.
const (
	sideFloor = iota
	sideShared
	sideScrape
	sideCount
)

// turns are what each process said in each round.
type turns [][]bill

func scrape(ctx context.Context, quick bool) ([]chapter, error) {
	sizes, rounds, long := []int{100, 1000, 10_000}, 21, order{Targets: 20_000, Collections: 3}
	if quick {
		sizes, rounds, long = []int{100, 1000}, 3, order{Targets: 3000, Collections: 1}
	}
	all, err := takeTurns(ctx, sizes, rounds, long)
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, size := range sizes {
		rows = append(rows, all.rows(size, i*sideCount)...)
	}
	rows = append(rows, all.growth(sizes))
	waits, err := contention(ctx, sizes[len(sizes)-1], rounds)
	if err != nil {
		return nil, err
	}
	return []chapter{{"Scrapes", scrapeText, rows}, {"Scrapes while probing", contentionText, waits}}, nil
}

// takeTurns starts a process for each side of each size, and lets each do its part once a round.
func takeTurns(ctx context.Context, sizes []int, rounds int, long order) (turns, error) {
	var sides []*process
	for _, size := range sizes {
		for side := range sideCount {
			p, err := startRole(ctx, "scraper", ourProcessor, scraping{size, side})
			if err != nil {
				return nil, err
			}
			defer p.stop()
			_, err = p.turn(long) // the first is not counted
			if err != nil {
				return nil, err
			}
			sides = append(sides, p)
		}
	}
	all := make(turns, rounds)
	for r := range all {
		all[r] = make([]bill, len(sides))
		for i := range sides {
			var err error
			i = (i + r) % len(sides) // nobody is always the first
			all[r][i], err = sides[i].turn(long)
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// turn lets a scraper work, and returns what that took.
func (p *process) turn(long order) (took bill, err error) {
	err = json.NewEncoder(p.in).Encode(long)
	if err == nil {
		err = p.hear(&took)
	}
	return took, err
}

// ratio holds process i against process j, round by round, for each target.
func (t turns) ratio(i, j int) spread {
	values := make([]float64, len(t))
	for r, round := range t {
		values[r] = round[i].CPU / round[j].CPU
	}
	return spreadOf(values)
}

// sum is what process i did in all rounds.
func (t turns) sum(i int) (all bill) {
	for _, round := range t {
		b := round[i]
		all.Targets += b.Targets
		all.Collections += b.Collections
		all.Bytes += b.Bytes * b.Targets
		all.Objects += b.Objects * b.Targets
	}
	all.Bytes, all.Objects = all.Bytes/all.Targets, all.Objects/all.Targets
	return all
}

// rows are those of one size, whose first process is number first.
func (t turns) rows(size, first int) []row {
	name, own, floor := fmt.Sprintf("%d targets: ", size), t.sum(first+sideScrape), t.sum(first+sideFloor)
	scrapes := func(b bill) string {
		return fmt.Sprintf("%.0f in %.0f scrapes", b.Collections, b.Targets/float64(size))
	}
	return []row{
		atMost(name+"CPU of a scrape / floor", t.ratio(first+sideScrape, first+sideFloor), 1.3),
		{name + "… / second floor", t.ratio(first+sideScrape, first+sideShared).String(), "", ""},
		{name + "allocated by a scrape, per target", fmt.Sprintf("%.0f bytes, %.1f objects", own.Bytes, own.Objects), "", ""},
		{name + "garbage collections of the exporter's side, of the floor", scrapes(own) + ", " + scrapes(floor), "", ""},
	}
}

// growth holds what a target costs at each size against a thousand, which is the second.
func (t turns) growth(sizes []int) row {
	text, reached := "", "yes"
	for i, size := range sizes {
		ratio := t.ratio(i*sideCount+sideScrape, sideCount+sideScrape)
		text += fmt.Sprintf("%s at %d; ", ratio, size)
		if math.Abs(ratio.median-1) > 0.15 {
			reached = "no"
		}
	}
	return row{"CPU of a scrape per target / the same at 1000 targets", strings.TrimSuffix(text, "; "), "flat within 15 %", reached}
}
