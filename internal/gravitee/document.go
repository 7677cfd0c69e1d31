package gravitee

import (
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The documents of the Management API, as far as they are read. Dates are epoch
// milliseconds, a null field is missing, and a missing expire_at or ending_at
// means never.

type subscriptionPage struct {
	Data     []subscriptionEntity `json:"data"` // nil: this is another document
	Metadata names                `json:"metadata"`
	Page     struct {
		TotalPages int `json:"total_pages"`
	} `json:"page"`
}

type subscriptionEntity struct {
	ID         string    `json:"id"`
	API        string    `json:"api"`
	Plan       string    `json:"plan"`
	Status     string    `json:"status"`
	StartingAt timestamp `json:"starting_at"`
	EndingAt   timestamp `json:"ending_at"`
}

// keyEntity leaves the key's id out: some versions of Gravitee put the key itself there.
type keyEntity struct {
	Key           clearText            `json:"key"`
	Subscription  string               `json:"subscription"`  // up to 3.16
	Subscriptions []subscriptionEntity `json:"subscriptions"` // from 3.17 on: a key may be shared; closed ones too
	CreatedAt     timestamp            `json:"created_at"`
	ExpireAt      timestamp            `json:"expire_at"`
	Revoked       bool                 `json:"revoked"`
	Paused        bool                 `json:"paused"`
	Expired       bool                 `json:"expired"`
}

// clearText is a key of which only the hash is kept; an empty one hashes to nothing that could match.
type clearText struct{ hash Hash }

// UnmarshalJSON implements json.Unmarshaler.
func (c *clearText) UnmarshalJSON(b []byte) error {
	var key string
	err := json.Unmarshal(b, &key)
	if err != nil {
		return fail(Invalid, "a key is not a string")
	}
	if key != "" {
		c.hash = sha256.Sum256([]byte(key))
	}
	return nil
}

// timestamp is an instant. Besides the documented integer it takes the same number
// as a string, and RFC 3339 as Gravitee's other APIs write it: neither can be
// mistaken. Anything else fails, because unknown must not pass for never.
type timestamp struct{ time.Time }

// Dates outside of these years are seconds taken for milliseconds, or nonsense.
const (
	earliest = 2000
	latest   = 9999
)

// UnmarshalJSON implements json.Unmarshaler.
func (s *timestamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	text := string(b)
	if text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		ms, _ := strconv.ParseInt(text, 10, 64) // what is no number is 1970
		at = time.UnixMilli(ms)
	}
	at = at.UTC()
	if at.Year() < earliest || at.Year() > latest {
		return fail(Invalid, "a date is not in epoch milliseconds")
	}
	s.Time = at
	return nil
}

// names are the display names of APIs, by id. They are for people to read; nothing depends on them.
type names map[string]string

// UnmarshalJSON implements json.Unmarshaler.
func (n *names) UnmarshalJSON(b []byte) error {
	var entries map[string]json.RawMessage
	_ = json.Unmarshal(b, &entries)
	*n = names{}
	for id, entry := range entries {
		var named struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(entry, &named) == nil {
			(*n)[id] = named.Name
		}
	}
	return nil
}

// apiList is the answer to apis?portal=true: an array, or the pages of one.
type apiList struct {
	entities []apiEntity
	pages    int // zero: it is the whole list
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *apiList) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &l.entities) == nil {
		return nil
	}
	var page struct {
		Data []apiEntity `json:"data"`
		Page struct {
			TotalPages int `json:"total_pages"`
		} `json:"page"`
	}
	err := json.Unmarshal(b, &page)
	l.entities, l.pages = page.Data, page.Page.TotalPages
	return err
}

// apiEntity is an API, as far as it is read. In a list its virtual hosts stand at the top, alone below proxy.
type apiEntity struct {
	ID           string              `json:"id"`
	State        string              `json:"state"`
	ContextPath  string              `json:"context_path"`
	VirtualHosts []virtualHostEntity `json:"virtual_hosts"`
	Proxy        struct {
		VirtualHosts []virtualHostEntity `json:"virtual_hosts"`
	} `json:"proxy"`
}

type virtualHostEntity struct {
	Host string `json:"host"`
	Path string `json:"path"`
}

// api takes nothing for a context path that could be more than one in a URL.
func (e apiEntity) api() API {
	usable := regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)
	hosts := slices.Concat(e.VirtualHosts, e.Proxy.VirtualHosts)
	if len(hosts) == 0 {
		hosts = []virtualHostEntity{{Path: e.ContextPath}}
	}
	a := API{Stopped: e.State == "STOPPED"}
	for _, h := range hosts {
		path := strings.TrimSuffix(h.Path, "/")
		if len(path) <= 200 && usable.MatchString(path) {
			a.Entrances = append(a.Entrances, Entrance{h.Host, path})
		}
	}
	return a
}

// applicationEntity is an application, as far as it is read.
type applicationEntity struct {
	Status string `json:"status"` // ACTIVE or ARCHIVED
}

// errorEntity tells refusals apart: technicalCode and message are the Management API's, errors is the portal's, and
// http_status_code a gateway's. A message is compared with known ones, and goes nowhere.
type errorEntity struct {
	TechnicalCode  string            `json:"technicalCode"`
	Message        string            `json:"message"`
	Errors         []json.RawMessage `json:"errors"`
	HTTPStatusCode int               `json:"http_status_code"`
}
