// Package recordings holds what real Gravitee gateways, real routers in front of them and real API managers answered to
// the exporter's requests, and what the exporter must say of each answer of a gateway. Tests replay them; README.md says
// how they were made.
package recordings

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

//go:embed *.jsonl expected.json
var files embed.FS

// TransactionID stands in the recorded answers for the id that the request carried.
const TransactionID = "11111111-2222-4333-8444-555555555555"

// Situation is one recorded request with its answer.
type Situation struct {
	Name     string `json:"name"`
	API      string `json:"api"`
	Method   string `json:"method"`
	Body     string `json:"body"`
	Key      bool   `json:"key"`       // the request carried a key
	Answer   string `json:"answer"`    // status line, headers and body, byte for byte; empty: none came
	NoKey    string `json:"no_key"`    // the situation of the same request without a key
	WrongKey string `json:"wrong_key"` // the situation of the same request with a wrong key
}

// Gateway is all that one engine of one version answered.
type Gateway struct {
	Version    string // such as 4.10.8
	Engine     string // v3, jupiter, v4emulation, v4native, v4emulation-verbose401
	Situations []Situation
}

// Name returns version and engine.
func (g *Gateway) Name() string { return g.Version + "-" + g.Engine }

// Situation returns the situation of that name; known is false where this engine was not asked.
func (g *Gateway) Situation(name string) (s Situation, known bool) {
	i := slices.IndexFunc(g.Situations, func(s Situation) bool { return s.Name == name })
	if i < 0 {
		return Situation{}, false
	}
	return g.Situations[i], true
}

// Exchange is one recorded request to an API manager with its answer.
type Exchange struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	Path   string `json:"path"`   // with the query
	As     string `json:"as"`     // whose token; user: a plain member who owns the application
	Answer string `json:"answer"` // status line, headers and body, byte for byte
}

// Manager is all that the API manager of one version answered.
type Manager struct {
	Version   string // such as 4.6.12
	Exchanges []Exchange
}

// Gateways returns every recorded gateway.
func Gateways() ([]Gateway, error) {
	names, err := fs.Glob(files, "gateway-*.jsonl")
	if err != nil {
		return nil, err
	}
	var gateways []Gateway
	for _, name := range names {
		version, engine, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(name, "gateway-"), ".jsonl"), "-")
		situations, err := read[Situation](name)
		if err != nil {
			return nil, err
		}
		gateways = append(gateways, Gateway{version, engine, situations})
	}
	return gateways, nil
}

// Routers returns what HAProxy and nginx answered in front of a gateway.
func Routers() ([]Situation, error) { return read[Situation]("routers.jsonl") }

// Managers returns every recorded API manager.
func Managers() ([]Manager, error) {
	names, err := fs.Glob(files, "manager-*.jsonl")
	if err != nil {
		return nil, err
	}
	var managers []Manager
	for _, name := range names {
		exchanges, err := read[Exchange](name)
		if err != nil {
			return nil, err
		}
		version := strings.TrimSuffix(strings.TrimPrefix(name, "manager-"), ".jsonl")
		managers = append(managers, Manager{version, exchanges})
	}
	return managers, nil
}

func read[Line any](name string) (recorded []Line, err error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l Line
		err = json.Unmarshal(lines.Bytes(), &l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		recorded = append(recorded, l)
	}
	return recorded, lines.Err()
}

// Verdict lists what is right to say of a situation: any of the reasons ("ok": success), of the layers and of what
// the answer proves of the key ("accepted", "rejected", or "": nothing).
type Verdict struct {
	Reason []string `json:"reason"`
	Layer  []string `json:"layer"`
	Key    []string `json:"key"`
}

// rule is a line of expected.json.
type rule struct {
	For           string  `json:"for"`
	Version       string  `json:"version"`
	Engine        string  `json:"engine"`
	EngineNot     string  `json:"engine-not"`
	IDsEverywhere Verdict `json:"ids-everywhere"` // replaces fields where every answer carries ids and none a Client-Identifier
	Verdict
}

// Expected knows what is right for each situation.
type Expected struct{ rules []rule }

// ReadExpected reads what is right for each situation.
func ReadExpected() (Expected, error) {
	text, err := files.ReadFile("expected.json")
	if err != nil {
		return Expected{}, err
	}
	var e Expected
	err = json.Unmarshal(text, &e.rules)
	if err != nil {
		return Expected{}, fmt.Errorf("expected.json: %w", err)
	}
	return e, nil
}

// For returns the verdict on a situation: the first rule that fits counts. Known is false where there is none, as for
// requests without a key. IdsEverywhere says that the gateway marks all its answers, as version 3.10 to 3.20.2 did.
func (e *Expected) For(version, engine, name string, idsEverywhere bool) (v Verdict, known bool) {
	for _, r := range e.rules {
		if !r.fits(version, engine, name) {
			continue
		}
		v = r.Verdict
		if idsEverywhere {
			v.replace(r.IDsEverywhere)
		}
		return v, true
	}
	return Verdict{}, false
}

func (r *rule) fits(version, engine, name string) bool {
	whole := regexp.MustCompile("^(?:" + r.For + ")$")
	return whole.MatchString(name) && (r.Version == "" || r.Version == version) &&
		(r.Engine == "" || r.Engine == engine) && (r.EngineNot == "" || r.EngineNot != engine)
}

func (v *Verdict) replace(by Verdict) {
	for _, field := range []struct{ to, from *[]string }{{&v.Reason, &by.Reason}, {&v.Layer, &by.Layer}, {&v.Key, &by.Key}} {
		if *field.from != nil {
			*field.to = *field.from
		}
	}
}
