package secret

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFile holds that a file either yields what stands on its only line, or an
// error that does not quote it, and that it does so again.
func FuzzFile(f *testing.F) {
	for _, content := range []string{
		"", "\n", canary, canary + "\n", canary + "\r\n", canary + "\n\n", "\ufeff" + canary, canary + "\n" + canary, " " + canary + " ",
		canary + "\x00", canary + "\x1b[2J", canary + "\xff", canary + "\u2028", "\t", strings.Repeat(canary, 12_000),
	} {
		f.Add([]byte(content))
	}
	path := filepath.Join(f.TempDir(), "key")
	f.Fuzz(func(t *testing.T, content []byte) {
		err := os.WriteFile(path, content, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		file := NewFile(path)
		first, err := file.Read()
		second, again := file.Read()
		if fmt.Sprint(err) != fmt.Sprint(again) || first.Reveal() != second.Reveal() {
			t.Fatalf("two readings differ: %v, %v", err, again)
		}
		if err != nil {
			refused(t, err, content)
			return
		}
		value := first.Reveal()
		if value == "" || value != string(bytes.TrimRight(content, "\r\n")) || strings.ContainsAny(value, "\r\n") || len(content) > largest {
			t.Errorf("%q was read as %q", content, value)
		}
		if tells(fmt.Sprintf("%v %+v %#v %v", first, first, first, file)) {
			t.Error("a value that was read prints as itself")
		}
		carried(t, file, value)
	})
}

func refused(t *testing.T, err error, content []byte) {
	t.Helper()
	if !errors.Is(err, ErrUnusable) {
		t.Errorf("%q: %v, which says nothing of the content", content, err)
	}
	if tells(err.Error()) {
		t.Errorf("the content is quoted: %v", err)
	}
}

// carried holds that a header gets the value as it is, of printable ASCII, or nothing.
func carried(t *testing.T, file *File, value string) {
	t.Helper()
	sent, err := Header{file}.Read()
	printable := strings.Trim(value, asciiPrintable()) == ""
	switch {
	case printable && (err != nil || sent.Reveal() != value):
		t.Errorf("%q became %q, %v", value, sent.Reveal(), err)
	case !printable && err == nil:
		t.Errorf("%q goes into a header", value)
	case err != nil && tells(err.Error()):
		t.Errorf("the content is quoted: %v", err)
	}
}

func asciiPrintable() string {
	var b strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}
