package collector

import (
	"compress/gzip"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Source has metric families.
type Source interface {
	// Families yields the families that have series, each under a name of its own and valid until the next: they share memory.
	Families() iter.Seq[*dto.MetricFamily]
}

type handler struct {
	few  prometheus.Gatherer
	many Source
	zips *sync.Pool // of *gzip.Writer, whose tables are over a megabyte; nil: answers are not compressed
}

// Handler answers scrapes, in the format that the request accepts, with what few
// gathers and then the families of many; name[] in the query chooses families.
//
// It encodes a family before it makes the next, as promhttp cannot: that halves
// the memory that a scrape of ten thousand targets allocates.
func Handler(few prometheus.Gatherer, many Source) http.Handler {
	return handler{few, many, &sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails only for an unknown level
		return z
	}}}
}

// ProbeHandler is Handler for a few series: compressing them would cost more than encoding them.
func ProbeHandler(source Source) http.Handler {
	return handler{few: prometheus.Gatherers{}, many: source}
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	few, err := h.few.Gather()
	if err != nil {
		http.Error(w, "the exporter's own metrics cannot be gathered", http.StatusInternalServerError)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	w.Header().Set("Content-Type", string(format))
	w.Header().Add("Vary", "Accept")
	w.Header().Add("Vary", "Accept-Encoding")
	if h.zips == nil || !acceptsGzip(r) {
		err = h.encode(w, format, few, r.URL.Query()["name[]"])
	} else {
		w.Header().Set("Content-Encoding", "gzip")
		z := h.zips.Get().(*gzip.Writer)
		defer h.zips.Put(z)
		z.Reset(w)
		err = h.encode(z, format, few, r.URL.Query()["name[]"])
		if err == nil {
			err = z.Close()
		}
	}
	if err != nil {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

// encode writes the families named in wanted, all if it is nil.
func (h handler) encode(out io.Writer, format expfmt.Format, few []*dto.MetricFamily, wanted []string) error {
	encoder := expfmt.NewEncoder(out, format)
	for _, families := range []iter.Seq[*dto.MetricFamily]{slices.Values(few), h.many.Families()} {
		for family := range families {
			if wanted != nil && !slices.Contains(wanted, family.GetName()) {
				continue
			}
			err := encoder.Encode(family)
			if err != nil {
				return err
			}
		}
	}
	closer, closes := encoder.(expfmt.Closer) // which OpenMetrics ends with
	if closes {
		return closer.Close()
	}
	return nil
}

// acceptsGzip says whether the request accepts gzip by name.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, weighted := strings.Cut(part, ";")
		if strings.TrimSpace(strings.ToLower(coding)) == "gzip" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return !weighted || err == nil && q > 0
		}
	}
	return false
}
