package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// The scalars of the grammar. Each reads itself and says what is wrong in its own words.
type (
	flag       bool
	count      int           // from 1
	status     int           // an HTTP status code
	span       time.Duration // positive
	interval   time.Duration // 1s to 1d
	size       int64         // bytes, positive
	method     string        // an HTTP method
	mode       string        // fresh or reuse
	text       string        // anything
	line       string        // one line for people
	name       string        // names something: one line, not empty
	path       string        // a request's path, with its query
	filename   string        // relative to the file it stands in
	variable   string        // an environment variable
	header     string        // a header's name
	headerLine string        // a header's value
	pattern    struct{ *regexp.Regexp }
	expression struct {
		text string
		jq   *probe.JQ
	}
	hidden struct{ secret.Source }
)

// Expiry is when a credential ends. The zero Expiry is unknown.
type Expiry struct {
	Never bool
	Date  time.Time
}

func (f *flag) parse(text string) string {
	*f = text == "true"
	if text != "true" && text != "false" {
		return quote(text) + " is neither true nor false"
	}
	return ""
}

func (c *count) parse(text string) string {
	n, err := strconv.Atoi(text)
	*c = count(n)
	if err != nil || n < 1 {
		return quote(text) + " is not a whole number from 1"
	}
	return ""
}

func (s *status) parse(text string) string {
	n, err := strconv.Atoi(text)
	*s = status(n)
	if err != nil || n < 100 || n > 599 {
		return quote(text) + " is not an HTTP status (100 to 599)"
	}
	return ""
}

func duration(text string) (d time.Duration, problem string) {
	parsed, err := model.ParseDuration(text)
	seconds, bare := strconv.ParseUint(text, 10, 24)
	if err != nil && bare == nil {
		return 0, quote(text) + " is not a duration: write " + withUnit(seconds)
	}
	if err != nil {
		return 0, quote(text) + " is not a duration such as 30s, 5m or 1d"
	}
	return time.Duration(parsed), ""
}

// withUnit writes seconds as durations are written, in both forms where there are two.
func withUnit(seconds uint64) string {
	plain, short := fmt.Sprintf("%ds", seconds), model.Duration(time.Duration(seconds)*time.Second).String()
	if plain == short {
		return plain
	}
	return plain + " or " + short
}

func (s *span) parse(text string) string {
	d, problem := duration(text)
	*s = span(d)
	if problem == "" && d <= 0 {
		return "a duration above zero is wanted"
	}
	return problem
}

func (i *interval) parse(text string) string {
	d, problem := duration(text)
	*i = interval(d)
	if problem == "" && (d < time.Second || d > 24*time.Hour) {
		return quote(text) + " is not between 1s and 1d"
	}
	return problem
}

func (s *size) parse(text string) string {
	n, err := units.ParseBase2Bytes(text)
	*s = size(n)
	switch {
	case err != nil:
		return quote(text) + " is not a size such as 512KiB or 10MiB, without a blank"
	case n <= 0:
		return quote(text) + " is not a size above zero"
	}
	return ""
}

func (m *method) parse(text string) string {
	*m = method(text)
	if slices.Contains(methods(), text) {
		return ""
	}
	guess := Nearest(text, methods())
	if guess != "" {
		return quote(text) + " is not a method; did you mean " + guess + "?"
	}
	return quote(text) + " is not one of " + strings.Join(methods(), ", ")
}

func methods() []string { return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} }

func (m *mode) parse(text string) string {
	*m = mode(text)
	if text != "fresh" && text != "reuse" {
		return quote(text) + " is neither fresh nor reuse"
	}
	return ""
}

func (t *text) parse(s string) string {
	*t = text(s)
	return ""
}

func oneLine(s string) string {
	switch {
	case strings.ContainsFunc(s, unicode.IsControl):
		return "a line break or another control character"
	case !utf8.ValidString(s):
		return "not UTF-8"
	}
	return ""
}

func (l *line) parse(s string) string {
	*l = line(s)
	return oneLine(s)
}

func (n *name) parse(s string) string {
	*n = name(s)
	switch {
	case strings.TrimSpace(s) == "":
		return "a name is empty"
	case len(s) > 255: // the most that AMQP can carry
		return "a name is longer than 255 bytes"
	case strings.TrimSpace(s) != s:
		return "a name begins or ends with a space"
	}
	return oneLine(s)
}

func (f *filename) parse(s string) string {
	*f = filename(s)
	if s == "" {
		return "a file's name is empty"
	}
	return oneLine(s)
}

func (v *variable) parse(s string) string {
	*v = variable(s)
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(s) {
		return "this is not the name of an environment variable" // it may be the secret itself
	}
	return ""
}

func (h *header) parse(s string) string {
	*h = header(s)
	if !regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$").MatchString(s) {
		return beginning(s) + " is not the name of a header"
	}
	return ""
}

func (h *headerLine) parse(s string) string {
	*h = headerLine(s)
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "a line break or another control character cannot stand in a header"
	}
	return ""
}

func (p *pattern) parse(s string) string {
	var err error
	p.Regexp, err = regexp.Compile(s)
	if err != nil {
		return "this is not a regular expression (RE2)"
	}
	return ""
}

func (e *expression) parse(s string) string {
	var err error
	e.text = s
	e.jq, err = probe.CompileJQ(s)
	if err != nil {
		return err.Error()
	}
	return ""
}

func (h *hidden) parse(s string) string {
	literal := secret.Literal{Value: secret.New(s)}
	h.Source = literal
	_, err := literal.Read()
	if err != nil {
		return err.Error() // names nothing of it
	}
	return ""
}

func (e *Expiry) parse(s string) string {
	if s == "never" {
		e.Never = true
		return ""
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		date, err := time.Parse(layout, s)
		if err == nil {
			e.Date = date.UTC()
			return ""
		}
	}
	return quote(s) + " is not a date (2027-03-01), an RFC 3339 time or never"
}
