package check

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		first, text string
		columns     int
		want        []string
	}{
		{"", "one two three", 80, []string{"one two three"}},
		{"", "one two three", 7, []string{"one two", "three"}},
		{"", "one two three", 6, []string{"one", "two", "three"}},
		{"-> ", "one two three", 10, []string{"-> one two", "   three"}},
		{"-> ", "one two three", 9, []string{"-> one", "   two", "   three"}},
		{"", "a verylongwordindeed b", 5, []string{"a", "verylongwordindeed", "b"}},
		{"", "verylongwordindeed", 5, []string{"verylongwordindeed"}},
		{"", "blåbær grøt æsj", 11, []string{"blåbær grøt", "æsj"}},
		{"", "bla\u030abær grøt æsj", 11, []string{"bla\u030abær grøt", "æsj"}},
		{"", "bla\u030abær grøt æsj", 10, []string{"bla\u030abær", "grøt æsj"}},
		{"ø ", "å å", 3, []string{"ø å", "  å"}},
		{"", "  spaces \n and   lines ", 80, []string{"spaces and lines"}},
		{"-> ", "", 80, []string{"-> "}},
	} {
		if diff := cmp.Diff(c.want, wrap(c.first, c.text, c.columns)); diff != "" {
			t.Errorf("%q in %d columns (-want +got):\n%s", c.text, c.columns, diff)
		}
	}
}

func TestColumns(t *testing.T) {
	for _, c := range []struct {
		columns  string
		terminal bool
		want     int
	}{
		{"", false, 80},
		{"", true, 80},
		{"120", false, 120},
		{"120", true, 120},
		{"wide", true, 80},
		{"-1", true, 80},
	} {
		t.Setenv("COLUMNS", c.columns)
		if got := columnsOf(io.Discard, c.terminal); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
