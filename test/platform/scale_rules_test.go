package platform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestShortenExpression(t *testing.T) {
	for text, want := range map[string]string{
		"up == 0":                                                   "up == 0",
		"rate(a_total[5m]) > 0.01":                                  "rate(a_total[5s]) > 0.01",
		"rate(a_total[1m])":                                         "rate(a_total[4s])",
		"rate(a_total[3d]) and a offset 1h":                         "rate(a_total[1h12m]) and a offset 1m",
		"max_over_time((a > 0)[1h:1m])":                             "max_over_time((a > 0)[1m:1s])",
		"a - time() < 21*86400 # not 5m":                            "a - time() < 21*86400 # not 5m",
		`a{queue="[5m]", target=~".+ 5m"} offset 30m`:               `a{queue="[5m]", target=~".+ 5m"} offset 30s`,
		"time() - last > 3 * integra_probe_interval_seconds\n> 5e3": "time() - last > 3 * integra_probe_interval_seconds\n> 5e3",
	} {
		got := shortenExpression(text)
		if got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", text, got, want)
		}
	}
}

func TestShortenTemplate(t *testing.T) {
	for text, want := range map[string]string{
		"no template: [5m]": "no template: [5m]",
		"{{ $labels.target }} for {{ $value | humanizeDuration }} [5m]":                                    "{{$labels.target}} for {{$value | humanizeDuration}} [5m]",
		"{{ with query `rate(a[5m])` }}{{ . | first | value }}{{ end }}":                                   `{{with query "rate(a[5s])"}}{{. | first | value}}{{end}}`,
		`{{ with printf "rate(a{b=%q}[5m])" $labels.b | query }}x{{ end }}`:                                `{{with printf "rate(a{b=%q}[5s])" $labels.b | query}}x{{end}}`,
		`{{ range printf "a{b='%s'} offset 2h" $labels.b | query }}x{{ end }}`:                             `{{range printf "a{b='%s'} offset 2m" $labels.b | query}}x{{end}}`,
		`{{ if gt $value 0.5 }}{{ printf "%.1f, not [5m]" $value }}{{ else }}{{ query "a[1h]" }}{{ end }}`: `{{if gt $value 0.5}}{{printf "%.1f, not [5m]" $value}}{{else}}{{query "a[1m]"}}{{end}}`,
		"{{ broken": "{{ broken",
	} {
		got := shortenTemplate(text)
		if got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", text, got, want)
		}
	}
}

func TestShortenDocument(t *testing.T) {
	const rules = `
groups:
  - name: 5m
    interval: 30s
    rules:
      - {record: a, expr: "rate(b[10m])"}
      - alert: A
        expr: a offset 1m
        for: 10m
        keep_firing_for: 0s
        labels: {severity: 5m}
        annotations: {summary: '5m {{ query "b[1h]" }}'}
`
	const want = `
groups:
  - name: 5m
    interval: 1s
    rules:
      - {record: a, expr: "rate(b[10s])"}
      - alert: A
        expr: a offset 1s
        for: 10s
        keep_firing_for: 0s
        labels: {severity: 5m}
        annotations: {summary: '5m {{query "b[1m]"}}'}
`
	diff := cmp.Diff(decoded(t, want), shorten(decoded(t, rules)))
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var document any
	err := yaml.Unmarshal([]byte(text), &document)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
