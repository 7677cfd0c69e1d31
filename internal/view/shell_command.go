package view

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Request is the request that a check sends, for people: nothing in it is secret or private.
type Request struct {
	Method    string
	URL       string
	Headers   []Header // all but KeyHeader; a secret value shows as <secret>
	KeyHeader string   // empty: it is sent without a key
	Body      string   // empty: none
	CAFile    string   // trusted besides the system's roots; empty: none
	CertFile  string   // client certificate; empty: none
	KeyFile   string
	// ServerName is the name that the certificate must be for; empty: the URL's.
	ServerName string
}

// Header is a header of a Request.
type Header struct{ Name, Value string }

// Curl returns the request as a command for a POSIX shell, with the key in the variable KEY.
func (q *Request) Curl() string {
	args := []string{"curl --include"}
	switch {
	case q.Method == "HEAD":
		args[0] = "curl --head"
	case q.Method != "GET" || q.Body != "":
		args = append(args, "--request "+q.Method)
	}
	if strings.ContainsAny(q.URL, "[]{}") { // which curl would expand
		args = append(args, "--globoff")
	}
	if strings.Contains(q.URL, "/.") { // which curl would resolve
		args = append(args, "--path-as-is")
	}
	for _, file := range []struct{ flag, path string }{{"--cacert", q.CAFile}, {"--cert", q.CertFile}, {"--key", q.KeyFile}} {
		if file.path != "" {
			args = append(args, file.flag+" "+quotePOSIX(file.path))
		}
	}
	for _, h := range q.allHeaders() {
		args = append(args, "--header "+quotePOSIX(curlHeader(h)))
	}
	if q.KeyHeader != "" {
		args = append(args, `--header "`+escapePOSIX(q.KeyHeader)+`: $KEY"`)
	}
	if q.Body != "" {
		args = append(args, "--data-raw "+quotePOSIX(q.Body))
	}
	named, flags := q.named()
	args = append(args, flags...)
	return strings.Join(append(args, quotePOSIX(named)), " \\\n  ")
}

// named returns the URL with the name that the certificate is for, and the
// flags that let curl connect to the address all the same, and ask as the exporter does.
func (q *Request) named() (text string, flags []string) {
	u, err := url.Parse(q.URL)
	if q.ServerName == "" || err != nil || u.Scheme != "https" {
		return q.URL, nil
	}
	port := cmp.Or(u.Port(), "443")
	name := net.JoinHostPort(q.ServerName, port)
	flags = []string{
		"--connect-to " + quotePOSIX(name+":"+net.JoinHostPort(u.Hostname(), port)),
		"--header " + quotePOSIX("Host: "+u.Host),
	}
	return strings.Replace(q.URL, "//"+u.Host, "//"+name, 1), flags
}

// curlHeader writes an empty header as curl wants it: with a colon it would send none.
func curlHeader(h Header) string {
	switch {
	case h.Value == "" && strings.EqualFold(h.Name, "Content-Type"):
		return h.Name + ":" // none is what the exporter sends
	case h.Value == "":
		return h.Name + ";"
	}
	return h.Name + ": " + h.Value
}

func quotePOSIX(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// escapePOSIX makes text safe between double quotes.
func escapePOSIX(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(text)
}

// PowerShell returns the request as a command for PowerShell 7, with the key in the variable $KEY.
func (q *Request) PowerShell() string {
	lines := []string{"$headers = @{"}
	for _, h := range q.allHeaders() {
		if h.Value != "" {
			lines = append(lines, "  "+quotePowerShell(h.Name)+" = "+quotePowerShell(h.Value))
		}
	}
	if q.KeyHeader != "" {
		lines = append(lines, "  "+quotePowerShell(q.KeyHeader)+" = $KEY")
	}
	lines = append(lines, "}")
	call := "Invoke-WebRequest -Method " + q.Method + " -Headers $headers -MaximumRedirection 0 -SkipHttpErrorCheck"
	if q.CertFile != "" {
		call += " -Certificate ([Security.Cryptography.X509Certificates.X509Certificate2]::CreateFromPemFile(" +
			quotePowerShell(q.CertFile) + ", " + quotePowerShell(q.KeyFile) + "))"
	}
	if q.Body != "" {
		call += " -Body " + quotePowerShell(q.Body)
	}
	return strings.Join(append(lines, call+" -Uri "+quotePowerShell(q.URL)), "\n")
}

// allHeaders are those of the request and the Accept that every request carries.
func (q *Request) allHeaders() []Header {
	headers := append([]Header{{"Accept", "application/json"}}, q.Headers...)
	typed := slices.ContainsFunc(headers, func(h Header) bool { return strings.EqualFold(h.Name, "Content-Type") })
	if q.Body != "" && !typed {
		headers = append(headers, Header{Name: "Content-Type"}) // or the tools would make one up
	}
	return headers
}

// quotePowerShell doubles every sign that PowerShell takes for a single quote, the typographic ones too.
func quotePowerShell(text string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(text) + "'"
}
