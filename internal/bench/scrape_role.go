package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/integra-exporter/integra_exporter/collector"
)

// scraping is what the role scraper is there for.
type scraping struct{ Size, Side int }

// order is how much it does in a turn, both at least. The turn ends with a collection, unless none is asked for.
type order struct{ Targets, Collections int }

// bill is what a turn took. CPU (in seconds), Bytes and Objects are for each target of each scrape.
type bill struct{ Targets, Collections, CPU, Bytes, Objects float64 }

// serveScraper is the role.
func serveScraper(ctx context.Context) error {
	orders := json.NewDecoder(os.Stdin)
	var what scraping
	err := orders.Decode(&what)
	if err != nil {
		return err
	}
	once := what.side()
	runtime.GC() // what was needed to make ready
	for {
		var o order
		err = orders.Decode(&o)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if what.Side != sideScrape {
			o.Collections = 0
		}
		b, err := what.turn(ctx, once, o)
		if err != nil {
			return err
		}
		err = tell(b)
		if err != nil {
			return err
		}
	}
}

// side makes what is needed, and returns what does it once.
func (s scraping) side() func(context.Context) error {
	f := newCrowd(s.Size)
	if s.Side == sideScrape {
		return f.scrape
	}
	ready := f.copies()
	if s.Side == sideShared {
		share(ready)
	}
	return func(context.Context) error { return encode(io.Discard, ready) }
}

// turn does as much as was ordered.
func (s scraping) turn(ctx context.Context, once func(context.Context) error, o order) (b bill, err error) {
	used, err := cpuTime(os.Getpid())
	if err != nil {
		return b, err
	}
	before := heapNow()
	after := before
	for ended := false; !ended || b.Targets < float64(o.Targets); {
		err = once(ctx)
		if err != nil {
			return b, err
		}
		b.Targets += float64(s.Size)
		last := after.Collections
		after = heapNow()
		ended = o.Collections == 0 || after.Collections > last && after.Collections-before.Collections >= float64(o.Collections)
	}
	now, err := cpuTime(os.Getpid())
	b.CPU, b.Collections = (now-used).Seconds()/b.Targets, after.Collections-before.Collections
	b.Bytes, b.Objects = (after.Bytes-before.Bytes)/b.Targets, (after.Objects-before.Objects)/b.Targets
	return b, err
}

// heapNow is what there has been so far.
func heapNow() bill {
	samples := []metrics.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}, {Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/allocs:objects"}}
	metrics.Read(samples)
	number := func(i int) float64 { return float64(samples[i].Value.Uint64()) }
	return bill{Collections: number(0), Bytes: number(1), Objects: number(2)}
}

// scrape asks the handler that answers /metrics.
func (f *crowd) scrape(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", http.NoBody)
	if err != nil {
		return err
	}
	collector.Handler(prometheus.Gatherers{}, f.metrics).ServeHTTP(nowhere{http.Header{}}, r)
	return nil
}

// nowhere is a response that nobody reads.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header       { return w.header }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// copies returns the families, and nothing in one of them is shared with another.
func (f *crowd) copies() (families []*dto.MetricFamily) {
	for family := range f.metrics.Families() {
		families = append(families, proto.CloneOf(family))
	}
	return families
}

// share makes one of all labels that are equal.
func share(families []*dto.MetricFamily) {
	type label struct{ name, value string }
	pairs := map[label]*dto.LabelPair{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for i, pair := range metric.GetLabel() {
				l := label{pair.GetName(), pair.GetValue()}
				if pairs[l] == nil {
					pairs[l] = pair
				}
				metric.Label[i] = pairs[l]
			}
		}
	}
}

func encode(to io.Writer, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(to, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		err := encoder.Encode(family)
		if err != nil {
			return err
		}
	}
	return nil
}
