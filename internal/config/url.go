package config

import (
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// The URLs of the grammar. None is ever repeated in a message: it may hold a password.
type (
	gatewayURL string // http or https with a path prefix
	brokerURL  string // amqp or amqps
	restURL    string // http or https with a path
	proxyURL   string // http or socks5
)

const (
	placeholder = "{institution}"
	plainHTTP   = "plain http: what is sent, the key too, can be read on its way"
	plainAMQP   = "plain amqp: what is sent, the password too, can be read on its way"
)

func (u *gatewayURL) parse(s string) string {
	*u = gatewayURL(s)
	return urlProblem(strings.ReplaceAll(s, placeholder, "x"), true, "http", "https")
}

func (u *brokerURL) parse(s string) string {
	*u = brokerURL(s)
	return urlProblem(strings.ReplaceAll(s, placeholder, "x"), false, "amqp", "amqps")
}

func (u *restURL) parse(s string) string {
	*u = restURL(s)
	return urlProblem(s, true, "http", "https")
}

func (u *proxyURL) parse(s string) string {
	*u = proxyURL(s)
	return urlProblem(s, false, "http", "socks5")
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

// urlProblem says in our own words what is wrong with a URL. It looks for user
// information first, so that no half-parsed password gets any further.
func urlProblem(s string, mayHavePath bool, schemes ...string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	authority, _, _ := strings.Cut(rest, "/")
	if strings.Contains(authority, "@") {
		return "user information in a URL; a secret has its own key, remove what stands before the @"
	}
	parsed, err := url.Parse(s)
	known := false
	for _, want := range schemes {
		known = known || strings.EqualFold(scheme, want)
	}
	switch {
	case !known || rest == "":
		return "a URL that begins with " + strings.Join(schemes, ":// or ") + ":// is wanted"
	case err != nil || parsed.Hostname() == "" || !validHost(parsed.Host):
		return "this is not a URL with a host name"
	case strings.ContainsAny(s, "?#"):
		return "no query and no fragment may stand here"
	case !mayHavePath && strings.Trim(parsed.Path, "/") != "":
		return "no path may stand here"
	}
	return ""
}

func validHost(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		return !strings.HasSuffix(host, ":") && !strings.ContainsAny(name, " \"'<>\\^`{|}")
	}
	number, err := strconv.Atoi(port)
	return err == nil && number >= 1 && number <= 65535 && !strings.ContainsAny(name, " \"'<>\\^`{|}")
}

// expand puts the institution's name into a URL that parsed well with "x" in its place.
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

// hostPort returns u's host with its port, also where it is the scheme's own.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "amqp": "5672", "amqps": "5671"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
