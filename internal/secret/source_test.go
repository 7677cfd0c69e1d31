package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func put(t *testing.T, path, content string) {
	t.Helper()
	err := os.WriteFile(path, []byte(content), 0o600)
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, s Source, secret string) {
	t.Helper()
	got, err := s.Read()
	if err != nil || got.Reveal() != secret {
		t.Errorf("%v reads %q, %v; want %q", s, got.Reveal(), err, secret)
	}
}

func TestUsable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for content, secret := range map[string]string{
		"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a", "a b": "a b", "æøå": "æøå",
	} {
		put(t, path, content)
		want(t, NewFile(path), secret)
	}
	t.Setenv("INTEGRA_TEST_SECRET", "from the environment")
	want(t, Env("INTEGRA_TEST_SECRET"), "from the environment")
	want(t, Literal{New("written")}, "written")
}

// TestUnusable holds that an error comes with the zero Value and without the content.
func TestUnusable(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) Source {
		path := filepath.Join(dir, name)
		put(t, path, content)
		return NewFile(path)
	}
	pipe := filepath.Join(dir, "pipe")
	err := syscall.Mkfifo(pipe, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("INTEGRA_TEST_EMPTY", "")
	t.Setenv("INTEGRA_TEST_LINES", canary+"\n"+canary)
	for name, test := range map[string]struct {
		source Source
		want   string
		is     error
	}{
		"empty literal":    {Literal{}, "the value is empty", ErrUnusable},
		"literal line":     {Literal{New(canary + "\n")}, "the value holds a line break or another control character", ErrUnusable},
		"unset variable":   {Env("INTEGRA_TEST_UNSET"), "environment variable INTEGRA_TEST_UNSET is not set", nil},
		"empty variable":   {Env("INTEGRA_TEST_EMPTY"), "environment variable INTEGRA_TEST_EMPTY is empty", ErrUnusable},
		"variable lines":   {Env("INTEGRA_TEST_LINES"), "environment variable INTEGRA_TEST_LINES holds a line break or another control character", ErrUnusable},
		"missing file":     {NewFile(dir + "/none"), dir + "/none: no such file", fs.ErrNotExist},
		"directory":        {NewFile(dir), dir + " is not a regular file", ErrUnusable},
		"pipe":             {NewFile(pipe), pipe + " is not a regular file", ErrUnusable},
		"empty file":       {file("empty", ""), dir + "/empty is empty", ErrUnusable},
		"only a newline":   {file("newline", "\n"), dir + "/newline is empty", ErrUnusable},
		"two lines":        {file("lines", canary+"\n"+canary+"\n"), dir + "/lines holds a line break or another control character", ErrUnusable},
		"tab":              {file("tab", canary+"\t"), dir + "/tab holds a line break or another control character", ErrUnusable},
		"NUL":              {file("nul", canary+"\x00"), dir + "/nul holds a line break or another control character", ErrUnusable},
		"next line (U+85)": {file("nel", canary+"\u0085x"), dir + "/nel holds a line break or another control character", ErrUnusable},
		"mark":             {file("mark", "\ufeff"+canary), dir + "/mark begins with a byte-order mark: save it as UTF-8 without one", ErrUnusable},
		"UTF-16":           {file("utf16", "\xff\xfec\x004\x00"), dir + "/utf16 begins with a byte-order mark: save it as UTF-8 without one", ErrUnusable},
		"Latin-1":          {file("latin1", canary+"\xf8"), dir + "/latin1 is not text in UTF-8", ErrUnusable},
		"blank before":     {file("before", " "+canary), dir + "/before begins or ends with a space", ErrUnusable},
		"blank behind":     {file("behind", canary+"\u00a0\n"), dir + "/behind begins or ends with a space", ErrUnusable},
		"header":           {Header{file("header", canary+"ø")}, dir + "/header holds something other than printable ASCII, which a header cannot carry", ErrUnusable},
		"header's literal": {Header{Literal{New(canary + "ø")}}, "the value holds something other than printable ASCII, which a header cannot carry", ErrUnusable},
		"header's file":    {Header{NewFile(dir + "/none")}, dir + "/none: no such file", fs.ErrNotExist},
		"name too long":    {NewFile(dir + "/" + strings.Repeat("x", 300)), dir + "/" + strings.Repeat("x", 300) + ": no such file", fs.ErrNotExist},
		"key as a name":    {NewFile(dir + "/" + uuid), dir + "/…: no such file", fs.ErrNotExist},
		"empty key's name": {file(uuid[1:]+"0", ""), dir + "/… is empty", ErrUnusable},
		"large key's name": {file("0"+uuid, strings.Repeat(canary, 20_000)), dir + "/… is larger than 64 KiB", ErrUnusable},
		"key as variable":  {Env("feedfacefeedface"), "environment variable … is not set", nil},
		"too large":        {file("large", strings.Repeat(canary, 20_000)), dir + "/large is larger than 64 KiB", ErrUnusable},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := test.source.Read()
			if err == nil || err.Error() != test.want {
				t.Fatalf("the error is %v, want %s", err, test.want)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is not in the chain", test.is)
			}
			if value != (Value{}) {
				t.Error("a value comes beside the error")
			}
		})
	}
}

func TestHeaderPassesOn(t *testing.T) {
	want(t, Header{Literal{New("a b~")}}, "a b~")
	if got := (Header{NewFile("keys/a")}).String(); got != "file keys/a" {
		t.Errorf("it prints as %q", got)
	}
}

func TestFileChanges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	f := NewFile(path)
	tick := time.Now() // a file system's clock may be coarse: the same time, the same size
	for _, content := range []string{"first\n", "again\n"} {
		put(t, path, content)
		err := os.Chtimes(path, tick, tick)
		if err != nil {
			t.Fatal(err)
		}
		want(t, f, strings.TrimSpace(content))
	}

	put(t, filepath.Join(dir, "new"), "third\n")
	err := os.Rename(filepath.Join(dir, "new"), path)
	if err != nil {
		t.Fatal(err)
	}
	want(t, f, "third")

	err = os.Remove(path)
	if err != nil {
		t.Fatal(err)
	}
	value, err := f.Read()
	if !errors.Is(err, fs.ErrNotExist) || value != (Value{}) {
		t.Errorf("a removed file reads %v", err)
	}
	put(t, path, "third\n")
	want(t, f, "third")
}

// TestSymlinkSwap is how Kubernetes replaces a mounted secret.
func TestSymlinkSwap(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for _, version := range []string{"one", "two"} {
		put(t, filepath.Join(dir, version), version)
		err := os.Chtimes(filepath.Join(dir, version), old, old) // same size, same time
		if err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "key")
	f := NewFile(link)
	for _, version := range []string{"one", "two", "one"} {
		err := os.Symlink(version, link+"~")
		if err != nil {
			t.Fatal(err)
		}
		err = os.Rename(link+"~", link)
		if err != nil {
			t.Fatal(err)
		}
		want(t, f, version)
	}
}

// TestUnchangedFileIsNotRead holds that a settled file costs one stat: its
// content is changed behind the back of size and time.
func TestUnchangedFileIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	old := time.Now().Add(-time.Hour)
	f := NewFile(path)
	for _, content := range []string{"first", "other"} {
		put(t, path, content)
		err := os.Chtimes(path, old, old)
		if err != nil {
			t.Fatal(err)
		}
		want(t, f, "first")
	}
}

func TestConcurrentReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	put(t, path, "a")
	f := NewFile(path)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				want(t, f, "a")
			}
		})
	}
	wait.Wait()
}

func TestSourcesPrintAsLocations(t *testing.T) {
	for want, source := range map[string]Source{
		"the configuration": Literal{New(canary)}, "environment variable KEY": Env("KEY"), "file keys/a": NewFile("keys/a"),
		"environment variable …": Env("feedfacefeedface"), "file keys/…": NewFile("keys/" + uuid), "file …": NewFile(uuid),
	} {
		if got := source.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
