package check

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

func rowOf(institution, kind, name string, err error) state.Target {
	row := state.Target{Target: probe.Target{Institution: institution, Kind: kind, Name: name}, Runs: 1}
	row.Last.Err = err
	return row
}

func TestTableHasFailuresFirst(t *testing.T) {
	bad := probe.Fail(probe.ReasonConnect, "no connection")
	rows := []state.Target{
		rowOf("a", "api", "x", nil), rowOf("a", "auth", "x", bad), rowOf("b", "api", "blåbær", nil),
		rowOf("b", "api", "bla\u030abær", bad), rowOf("b", "key", "z", nil),
	}
	got := strings.Join(tableLines(rows, colors{}), "\n")
	want := `INSTITUTION  KIND  TARGET  RESULT                  LAYER    DURATION
a            auth  x       connect: no connection  network  0.000s
b            api   ` + "bla\u030abær" + `  connect: no connection  network  0.000s
a            api   x       ok                               0.000s
b            api   blåbær  ok                               0.000s
b            key   z       ok                               0.000s`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if rows[0].Last.Err != nil || rows[1].Last.Err == nil {
		t.Error("the rows themselves were sorted")
	}
	painted := strings.Join(tableLines(rows, colors{"<", "<", ">"}), "\n")
	if diff := cmp.Diff(want, strings.NewReplacer("<", "", ">", "").Replace(painted)); diff != "" {
		t.Errorf("colors move something (-want +got):\n%s", diff)
	}
}

// Advice is as wide as the terminal.
func TestAdviceIsWrapped(t *testing.T) {
	rows := []state.Target{rowOf("a", "api", "x", nil), rowOf("a", "api", "y", probe.Fail(probe.ReasonConnect, ""))}
	explained := probe.Explain(probe.ReasonConnect, probe.LayerNetwork)
	want := strings.Fields("connect (network) " + explained.Meaning + " -> " + explained.Next)
	for _, columns := range []int{30, 80, 200} {
		lines := advice(append(rows, rows...), columns)
		if diff := cmp.Diff(want, strings.Fields(strings.Join(lines, " "))); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", columns, diff)
		}
		longest := 0
		for _, line := range lines {
			longest = max(longest, width(line))
		}
		if longest > columns || longest < min(columns, width(explained.Next))-12 {
			t.Errorf("%d columns: the longest line has %d:\n%s", columns, longest, strings.Join(lines, "\n"))
		}
	}
}

// Nothing in a name turns the line around or ends it.
func TestTerminalKeepsItsDirection(t *testing.T) {
	const odd = "a\u202e\u2028\u2029"
	row := rowOf(odd, "api", odd, probe.Fail(probe.ReasonConnect, "%s", odd))
	for _, line := range append(tableLines([]state.Target{row}, colors{}), fullName(row.Target)) {
		if strings.ContainsAny(line, "\u202e\u2028\u2029") {
			t.Errorf("%q", line)
		}
	}
}
