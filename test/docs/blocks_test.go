package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// block is a fenced block of a document.
type block struct {
	file, language string
	line           int    // of its first line, from 1
	before         string // the line of text before it
	text           string // without the indentation of its fence
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// documents returns the paths of all Markdown in the repository, from its root.
func documents(t *testing.T) []string {
	t.Helper()
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	list.Dir = root
	said, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(said))
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(root + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// blocks returns every fenced block of the documents, in order.
func blocks(t *testing.T, documents ...string) (found []block) {
	t.Helper()
	for _, file := range documents {
		found = append(found, blocksOf(file, read(t, file))...)
	}
	return found
}

func blocksOf(file, content string) (found []block) {
	var (
		now    *block
		indent string
		before string
	)
	for i, line := range strings.Split(content, "\n") {
		text := strings.TrimLeft(line, " ")
		language, fence := strings.CutPrefix(text, "```")
		switch {
		case now == nil && fence:
			indent = line[:len(line)-len(text)]
			now = &block{file: file, language: language, line: i + 2, before: before}
		case now == nil:
			if text != "" {
				before = text
			}
		case fence:
			found, now = append(found, *now), nil
		default:
			now.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return found
}

// Every block says what it is, so that nothing goes by untested.
func TestBlocksHaveALanguage(t *testing.T) {
	known := map[string]bool{
		"bash": true, "console": true, "sh": true, "yaml": true, "ini": true, "json": true, "promql": true,
		"powershell": true, "go": true, "text": true,
	}
	for _, b := range blocks(t, documents(t)...) {
		if !known[b.language] {
			t.Errorf("%s: a block of %q; say text where nothing can be run", b, b.language)
		}
	}
}
