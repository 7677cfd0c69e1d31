package catalogue

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The example shows the catalogue, word for word.
func TestExample(t *testing.T) {
	content, err := os.ReadFile("../../config.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "\napis: # the documented requests, shared by all institutions\n", "\ninstitutions:\n"
	_, rest, found := strings.Cut(string(content), begin)
	apis, _, ends := strings.Cut(rest, end)
	if !found || !ends {
		t.Fatal("config.example.yml has no apis, or other ones")
	}
	var want []string
	for _, e := range Load() {
		lines := strings.TrimSuffix(e.API(e.Context), "\n")
		want = append(want, "  "+e.Name+":\n    "+strings.ReplaceAll(lines, "\n", "\n    ")+"\n")
	}
	diff := cmp.Diff(strings.Join(want, "\n"), apis)
	if diff != "" {
		t.Errorf("the catalogue (-) and config.example.yml (+) differ:\n%s", diff)
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ context, api, plan, want string }{
		{"/lonn/v1", "DFØ SAP", "Organisasjoner", "organisasjoner"},
		{"/test/lonn/v1", "Lønnssystem Test", "Stillinger", "stillinger"},
		{"/lonn/v1", "x", "ansatte med begrensninger", "ansatte"},
		{"/lonn/v1", "DFØ ansatt", "Standard", "ansatte"},
		{"/lonn/v1", "DFØ ansatt", "Stillinger", "stillinger"}, // the plan is what was subscribed to
		{"/lonn/v1", "DFØ SAP", "fravær", ""},
		{"/lonn/v1", "DFØ SAP", "kontrakter", ""},
		{"/fs", "x", "x", "fs"},
		{"/preview/fs/gemini", "x", "x", "fs-gemini"},
		{"/inspera", "x", "x", "inspera"},
		{"/digdir/freg", "x", "x", "freg"},
		{"/test/digidir/freg", "x", "x", "freg"}, // a spelling of the documentation
		{"/test/digdir/krr", "x", "x", "krr"},
		{"/maskinporten/mal", "x", "x", "maskinporten"},
		{"/maskinporten-test/v2", "x", "x", "maskinporten"},
		{"/other/inspera/more", "Inspera-API", "x", ""}, // what is read counts, not the name
		{"/xfs", "FS", "x", ""},
		{"", "Lønnssystem", "Organisasjoner", "organisasjoner"},
		{"", "Lønnssystem", "x", ""},
		{"", "FS Gemini", "x", "fs-gemini"},
		{"", "FS-API", "x", "fs"},
		{"", "Inspera-API", "lese", "inspera"},
		{"", "Digdir FReg API Test", "Lesetilgang uten hjemmel", "freg"},
		{"", "Digdir KRR API Test", "x", "krr"},
		{"", "Maskinporten mal", "DFO plan", "maskinporten"},
		{"", "Rolf", "x", ""},
		{"", "", "", ""},
	} {
		got, ok := Load().Find(c.context, c.api, c.plan)
		if got.Name != c.want || ok != (c.want != "") {
			t.Errorf("%q %q %q: %q %t, want %q", c.context, c.api, c.plan, got.Name, ok, c.want)
		}
	}
}

func TestEntriesAreWhole(t *testing.T) {
	for _, e := range Load() {
		for what, s := range map[string]string{"name": e.Name, "context": e.Context, "path": e.Path, "called": e.Called} {
			if s == "" {
				t.Errorf("%s has no %s, and so is found for everything", e.Name, what)
			}
		}
		if !matches(e.Path, e.Context) || !strings.Contains(e.API("/elsewhere"), "\n  path: /elsewhere") {
			t.Errorf("%s does not fit its own context path", e.Name)
		}
		if strings.Contains(e.API("/x"), "keys/") {
			t.Errorf("%s names a key file, which would be shared by all institutions", e.Name)
		}
	}
}
