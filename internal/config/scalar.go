package config

import (
	"fmt"
	"net"
	"net/url"
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
)

// The scalars of the grammar. Each parses its own text.
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
	filename   string        // relative to the file that names it
	variable   string        // an environment variable
	header     string        // a header's name
	headerLine string        // a header's value
	pattern    struct{ *regexp.Regexp }
	expression struct {
		text string
		jq   *probe.JQ
	}
)

// The URLs of the grammar. No message repeats one, because it may hold a password.
type (
	gatewayURL string // http or https with a path prefix
	brokerURL  string // amqp or amqps
	restURL    string // http or https with a path
	proxyURL   string // http or socks5
)

// Expiry is when a credential expires. The zero Expiry is unknown.
type Expiry struct {
	Never bool
	Date  time.Time
}

const (
	placeholder  = "{institution}"
	badHostRunes = " \"'<>\\^`{|}"
	plainHTTP    = "plain http: anyone on the network path can read the requests and the key"
	plainAMQP    = "plain amqp: anyone on the network path can read the messages and the password"
)

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

func (s *span) parse(text string) string {
	d, problem := duration(text)
	*s = span(d)
	if problem == "" && d <= 0 {
		return "the duration must be above zero"
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

// duration also names the duration that a bare number most likely means.
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

// withUnit returns seconds as a duration in seconds, and in larger units if they divide it.
func withUnit(seconds uint64) string {
	plain, short := fmt.Sprintf("%ds", seconds), model.Duration(time.Duration(seconds)*time.Second).String()
	if plain == short {
		return plain
	}
	return plain + " or " + short
}

func (s *size) parse(text string) string {
	n, err := units.ParseBase2Bytes(text)
	*s = size(n)
	switch {
	case err != nil:
		return quote(text) + " is not a size such as 512KiB or 10MiB, without a space"
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

func (l *line) parse(s string) string {
	*l = line(s)
	return oneLine(s)
}

func (n *name) parse(s string) string {
	*n = name(s)
	switch {
	case strings.TrimSpace(s) == "":
		return "the name is empty"
	case len(s) > 255: // the most that AMQP can carry
		return "the name is longer than 255 bytes"
	case strings.TrimSpace(s) != s:
		return "the name begins or ends with a space"
	}
	return oneLine(s)
}

func (f *filename) parse(s string) string {
	*f = filename(s)
	if s == "" {
		return "the file name is empty"
	}
	return oneLine(s)
}

// oneLine returns why s is not a single line of text, else nothing.
func oneLine(s string) string {
	switch {
	case strings.ContainsFunc(s, unicode.IsControl):
		return "the text holds a line break or another control character"
	case !utf8.ValidString(s):
		return "the text is not UTF-8"
	}
	return ""
}

func (v *variable) parse(s string) string {
	*v = variable(s)
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(s) {
		return "this is not the name of an environment variable" // not quoted: it may be the secret itself
	}
	return ""
}

func (h *header) parse(s string) string {
	*h = header(s)
	if !regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$").MatchString(s) {
		return quoteFirstWord(s) + " is not the name of a header"
	}
	return ""
}

func (h *headerLine) parse(s string) string {
	*h = headerLine(s)
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "a header cannot hold a line break or another control character"
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

func (e *Expiry) parse(s string) string {
	if s == "never" {
		e.Never = true
		return ""
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		date, err := time.Parse(layout, s)
		switch {
		case err != nil:
		case date.Year() < 2000:
			return quote(s) + " is before the year 2000: no key of today ended then"
		default:
			e.Date = date.UTC()
			return ""
		}
	}
	return quote(s) + " is not a date (2027-03-01), an RFC 3339 time or never"
}

func (p *path) parse(s string) string {
	*p = path(s)
	switch {
	case !strings.HasPrefix(s, "/"):
		return "a path begins with /"
	case strings.HasPrefix(s, "//"):
		return "a path begins with one / only: // begins a host name"
	case strings.Contains(s, "#"):
		return "a fragment (from # on) is never sent; write %23 for the character"
	case strings.Contains(s, " "):
		return "a space cannot be sent in a path or query: write %20"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "a line break or another control character cannot be sent in a path or query"
	case strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }):
		return "only ASCII can be sent in a path or query: percent-encode the rest, for instance %C3%B8 for ø"
	}
	parsed, err := url.Parse("http://x" + s)
	if err != nil || parsed.Host != "x" {
		return "this is not the path of a URL: write special characters as %XX"
	}
	return ""
}

func (u *gatewayURL) parse(s string) string {
	*u = gatewayURL(s)
	return urlProblem(strings.ReplaceAll(s, placeholder, "x"), true, "http", "https")
}

func (u *brokerURL) parse(s string) string {
	*u = brokerURL(s)
	problem := urlProblem(strings.ReplaceAll(s, placeholder, "x"), false, "amqp", "amqps")
	if problem == noPath {
		return noPath + ": give a virtual host with vhost"
	}
	return problem
}

func (u *restURL) parse(s string) string {
	*u = restURL(s)
	problem := urlProblem(s, true, "http", "https")
	switch path := strings.TrimRight(s, "/"); {
	case problem != "":
	case strings.Contains(path, "/organizations/"):
		return "the URL must end before /organizations: organization and environment have keys of their own"
	case strings.HasSuffix(path, "/v2"):
		return "the URL must end before /v2: only version 1 of the Management API serves consumers"
	}
	return problem
}

func (u *proxyURL) parse(s string) string {
	*u = proxyURL(s)
	return urlProblem(s, false, "http", "socks5")
}

const noPath = "a path is not allowed here"

// urlProblem returns what is wrong with a URL, else nothing. It looks for user
// information before url.Parse does, whose error would quote the password.
func urlProblem(s string, mayHavePath bool, schemes ...string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	authority, _, _ := strings.Cut(rest, "/")
	if strings.Contains(authority, "@") {
		return "the URL holds user information: remove it up to the @, and give a secret with the key that is meant for it"
	}
	parsed, err := url.Parse(s)
	known := slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(scheme, s) })
	switch {
	case !known || rest == "":
		return "the URL must begin with " + strings.Join(schemes, ":// or ") + "://"
	case err != nil || parsed.Hostname() == "" || !validHost(parsed.Host):
		return "this is not a URL with a host name"
	case strings.ContainsAny(s, "?#"):
		return "a query or fragment is not allowed here"
	case !mayHavePath && strings.Trim(parsed.Path, "/") != "":
		return noPath
	}
	return ""
}

// validHost is stricter than url.Parse, which accepts an empty port, ports above 65535 and characters that no host has.
func validHost(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil { // no port
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		return !strings.HasSuffix(host, ":") && !strings.ContainsAny(name, badHostRunes)
	}
	number, err := strconv.Atoi(port)
	return err == nil && number >= 1 && number <= 65535 && !strings.ContainsAny(name, badHostRunes)
}

// expand puts the institution's name into a URL template. The template is known to be valid with "x" in its place, but
// a name may hold what a host name cannot, such as a slash.
func expand(template, institution string) (*url.URL, bool) {
	if strings.Contains(template, placeholder) &&
		!regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`).MatchString(institution) {
		return nil, false
	}
	parsed, err := url.Parse(strings.ReplaceAll(template, placeholder, institution))
	if err != nil || parsed.Hostname() == "" {
		return nil, false
	}
	parsed.Host = strings.ToLower(parsed.Host)
	return parsed, true
}

// hostPort returns u's host with its port, the scheme's own by default.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "amqp": "5672", "amqps": "5671"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
