package platform

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// client asks Prometheus.
type client struct {
	base    string
	secrets *secrets
}

// data is what Prometheus answers a query with: the type, and the series as they came.
type data struct {
	ResultType string            `json:"resultType"`
	Result     []json.RawMessage `json:"result"`
}

// get decodes the data of an answer. Prometheus's own words about what is wrong
// are about our query and may be shown.
func (c client) get(path string, parameters url.Values, into any) error {
	response, err := http.Get(c.base + "/api/v1/" + path + "?" + parameters.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	c.secrets.search("Prometheus's answer", string(body))
	answer := struct {
		Error string
		Data  any
	}{Data: into}
	err = json.Unmarshal(body, &answer)
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return err
}

func (c client) instant(query string, at time.Time) (data, error) {
	var d data
	err := c.get("query", url.Values{"query": {query}, "time": {timestamp(at)}}, &d)
	return d, err
}

func (c client) overRange(query string, from, to time.Time, step time.Duration) (data, error) {
	var d data
	err := c.get("query_range", url.Values{
		"query": {query}, "start": {timestamp(from)}, "end": {timestamp(to)}, "step": {step.String()},
	}, &d)
	return d, err
}

// values returns the values of a label in the series that match, over the whole run.
func (c client) values(label, match string) (values []string, err error) {
	parameters := url.Values{}
	if match != "" {
		parameters.Set("match[]", match)
	}
	err = c.get("label/"+label+"/values", parameters, &values)
	return values, err
}

// alerts returns the alerts that Prometheus has, pending and firing, in words.
func (c client) alerts() (words []string) {
	var found struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	err := c.get("alerts", nil, &found)
	if err != nil {
		return []string{err.Error()}
	}
	for _, a := range found.Alerts {
		words = append(words, a.State+" "+notice{Labels: a.Labels}.alert().String())
	}
	slices.Sort(words)
	return words
}

func timestamp(at time.Time) string {
	return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)
}
