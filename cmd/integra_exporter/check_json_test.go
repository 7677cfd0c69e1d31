package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// checkedJSON parses what check --output=json wrote; every key must be known and nothing may follow.
func checkedJSON(t *testing.T, out string) []map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(out))
	var documents []map[string]any
	err := decoder.Decode(&documents)
	if err != nil {
		t.Fatalf("not JSON:\n%s", out)
	}
	if decoder.More() {
		t.Errorf("something follows the JSON:\n%s", out)
	}
	return documents
}

func TestCheckJSON(t *testing.T) {
	testkit.NoLeaks(t)
	platform, config := simulate(t, false)
	got := call(t, "check", "--config.file="+config, "--output=json", "--kind=api", "--target=organisasjoner", "--institution=uit", "--institution=oslomet")
	if got.code != 1 || got.err != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.err)
	}
	documents := checkedJSON(t, got.out)
	if len(documents) != 2 {
		t.Fatalf("%d results, want 2", len(documents))
	}
	for _, d := range documents {
		volatile(t, d)
		delete(d, "last_success")
	}
	want := []map[string]any{
		{
			"institution": "oslomet", "kind": "api", "target": "organisasjoner",
			"institution_title": "OsloMet – storbyuniversitetet", "title": "Integra / DFØ organisasjoner",
			"address": platform.URL("oslomet"), "contact": "integrasjon@oslomet.example.no",
			"interval_seconds": 10.0, "timeout_seconds": 4.0, "state": "ok", "runs": 1.0, "failures": 0.0,
			"key":     map[string]any{"accepted": true},
			"success": true, "status_code": 200.0, "certificate_verified": true,
		},
		{
			"institution": "uit", "kind": "api", "target": "organisasjoner",
			"institution_title": "UiT Norges arktiske universitet", "title": "Integra / DFØ organisasjoner",
			"address": platform.URL("uit"), "contact": "integrasjon@uit.example.no",
			"interval_seconds": 10.0, "timeout_seconds": 4.0, "state": "failed", "runs": 1.0, "failures": 1.0,
			"key":     map[string]any{"accepted": false, "superseded": false},
			"success": false, "reason": "key_rejected", "layer": "key", "detail": "HTTP status 401",
			"meaning":     "The gateway does not accept the API key: in the API manager the key and its subscription are in order.",
			"next":        "If either was changed less than a minute ago, wait for the gateway; else check that the subscription is to this API, and that the plan's condition is met.",
			"status_code": 401.0, "certificate_verified": true,
		},
	}
	if diff := cmp.Diff(want, documents); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// volatile checks the fields that differ from run to run, and takes them out.
func volatile(t *testing.T, d map[string]any) {
	t.Helper()
	for _, name := range []string{"started", "since", "certificate_expiry"} {
		text, _ := d[name].(string)
		_, err := time.Parse(time.RFC3339, text)
		if err != nil || !strings.HasSuffix(text, "Z") {
			t.Errorf("%s is not a time in UTC: %v", name, d[name])
		}
	}
	sum := 0.0
	phases, _ := d["phases_seconds"].(map[string]any)
	for _, phase := range []string{"connect", "tls", "processing", "transfer"} {
		seconds, _ := phases[phase].(float64)
		if seconds <= 0 {
			t.Errorf("phase %s: %v", phase, phases[phase])
		}
		sum += seconds
	}
	took, _ := d["duration_seconds"].(float64)
	if len(phases) != 4 || took < sum*0.999 || took > sum*1.001 {
		t.Errorf("phases %v do not add up to %v", phases, took)
	}
	if id, _ := d["transaction_id"].(string); len(id) != 36 {
		t.Errorf("transaction_id: %v", d["transaction_id"])
	}
	if size, _ := d["size_bytes"].(float64); size <= 0 {
		t.Errorf("size_bytes: %v", d["size_bytes"])
	}
	key, _ := d["key"].(map[string]any)
	delete(key, "ends") // relative to when the demo began
	for _, name := range []string{"started", "since", "certificate_expiry", "phases_seconds", "duration_seconds", "transaction_id", "size_bytes"} {
		delete(d, name)
	}
}

// What was not observed is not there: a script must not read a status of 0.
func TestCheckJSONOfARefusedConnection(t *testing.T) {
	testkit.NoLeaks(t)
	platform, config := simulate(t, true)
	_ = platform.Close()
	got := call(t, "check", "--config.file="+config, "--output=json", "--kind=api", "--institution=uio", "--target=fs-emner")
	documents := checkedJSON(t, got.out)
	if got.code != 1 || len(documents) != 1 || documents[0]["reason"] != "connect" || documents[0]["success"] != false {
		t.Fatalf("exit code %d\n%s", got.code, got.out)
	}
	for _, name := range []string{"status_code", "size_bytes", "certificate_expiry"} {
		value, there := documents[0][name]
		if there {
			t.Errorf("%s: %v, want none", name, value)
		}
	}
}

func TestCheckJSONOfAnEmptyAnswer(t *testing.T) {
	testkit.NoLeaks(t)
	platform, config := simulate(t, true)
	platform.Set("uio", "fs-emner", demo.EmptyBody)
	got := call(t, "check", "--config.file="+config, "--output=json", "--kind=api", "--institution=uio", "--target=fs-emner")
	documents := checkedJSON(t, got.out)
	if len(documents) != 1 || documents[0]["reason"] != "not_json" || documents[0]["size_bytes"] != 0.0 {
		t.Errorf("want not_json with a size of 0:\n%s", got.out)
	}
}

// shape is the reason of a target, and the names of all that is there but for what only the API manager tells.
type shape struct {
	Reason string
	Names  []string
}

// shapesOf returns shapes by target.
func shapesOf(t *testing.T, text string) map[string]shape {
	t.Helper()
	var documents []map[string]any
	err := json.Unmarshal([]byte(text), &documents)
	if err != nil {
		t.Fatalf("not JSON:\n%s", text)
	}
	shapes := map[string]shape{}
	for _, d := range documents {
		names := map[string]bool{}
		addNames(names, "", d)
		maps.DeleteFunc(names, func(name string, _ bool) bool { return strings.HasPrefix(name, ".key") && name != ".key.accepted" })
		reason, _ := d["reason"].(string)
		shapes[fmt.Sprint(d["institution"], " ", d["kind"], " ", d["target"])] = shape{reason, slices.Sorted(maps.Keys(names))}
	}
	return shapes
}

func addNames(names map[string]bool, path string, value any) {
	names[path] = true
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			addNames(names, path+"."+name, inner)
		}
	case []any:
		for _, inner := range v {
			addNames(names, path+"[]", inner)
		}
	}
}

// A script reads both alike: of every target, and of every reason.
func TestCheckJSONHasTheShapeOfTheEndpoint(t *testing.T) {
	t.Parallel()
	platform, config := simulate(t, true)
	faults := map[string]demo.Fault{"stillinger": demo.BackendRefused, "krr": demo.HTMLPage, "ansatte": demo.KeyRejected, "fs-emner": demo.EmptyBody}
	for api, fault := range faults {
		platform.Set("uio", api, fault)
	}
	platform.SetBroker("uio", applicationOf(t, platform), demo.BrokerVhostMissing)
	s, _ := spawn(t, "--config.file="+config)
	var answer string
	testkit.Eventually(t, "every target to have run", func() bool {
		var status int
		status, answer = s.request(t, http.MethodGet, "/api/v1/targets")
		return status == http.StatusOK && !strings.Contains(answer, `"waiting"`)
	})
	want, got := shapesOf(t, answer), shapesOf(t, execute(t, "check", "--config.file="+config, "--output=json").out)
	reasons, slow := map[string]bool{}, append(late(), "slow") // where this machine, which is both sides, is busy
	for target, served := range want {
		checked := got[target]
		busy := slices.Contains(slow, served.Reason) || slices.Contains(slow, checked.Reason)
		if served.Reason != checked.Reason && busy {
			delete(want, target)
			delete(got, target)
			continue
		}
		reasons[served.Reason] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("/api/v1/targets (-) and check --output=json (+):\n%s", diff)
	}
	for _, reason := range []string{"", "backend_unreachable", "not_json", "key_rejected", "vhost_missing"} {
		if !reasons[reason] {
			t.Errorf("no target had reason %q in both: %v", reason, reasons)
		}
	}
}

// What the configuration says of a key's end is there without an API manager.
func TestCheckJSONKnowsTheConfiguredEnd(t *testing.T) {
	testkit.NoLeaks(t)
	config := configure(t, t.TempDir(), "http://127.0.0.1:1", "org")
	replaceInFile(t, config, "{key_file: key}", "{key_file: key, key_expires: 2031-02-03}")
	documents := checkedJSON(t, call(t, "check", "--config.file="+config, "--output=json").out)
	want := map[string]any{"ends": []any{map[string]any{"source": "config", "at": "2031-02-03T00:00:00Z"}}}
	if diff := cmp.Diff(want, documents[0]["key"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
