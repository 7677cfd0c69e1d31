package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sort"
	"strings"
	"syscall"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxFileSize bounds what is read: far more than 10,000 targets need.
const maxFileSize = 64 << 20

// readFile returns the content of path, or our own words for why not.
func readFile(path string) (content []byte, problem string) {
	file, err := os.Open(path)
	if err != nil {
		return nil, osProblem(err)
	}
	defer file.Close()
	content, err = io.ReadAll(io.LimitReader(file, maxFileSize+1))
	switch {
	case err != nil:
		return nil, osProblem(err)
	case len(content) > maxFileSize:
		return nil, "larger than 64 MiB"
	}
	return content, ""
}

// What osProblem says.
const (
	noSuchFile   = "no such file"
	isDirectory  = "is a directory"
	noPermission = "permission denied"
)

func osProblem(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENAMETOOLONG):
		return noSuchFile
	case errors.Is(err, fs.ErrPermission):
		return noPermission
	case errors.Is(err, syscall.EISDIR):
		return isDirectory
	}
	return "cannot be read"
}

// parse returns the one document in content, nil beside a fault.
func (r *report) parse(file string, content []byte) *yaml.Node {
	line, problem := binary(content)
	if problem != "" {
		r.fault(position{file, line}, "%s", problem)
		return nil
	}
	documents, err := documents(content)
	switch {
	case err != nil:
		line, problem = syntaxProblem(err.Error(), content)
		r.fault(position{file, line}, "%s", problem)
	case len(documents) == 0 || documents[0].ShortTag() == "!!null":
		r.fault(position{file, 1}, "the file is empty")
	case len(documents) > 1:
		r.fault(position{file, documents[1].Line}, "a second document begins here: one file holds one document")
	default:
		return documents[0]
	}
	return nil
}

// documents returns the roots of at most two documents.
func documents(content []byte) ([]*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var roots []*yaml.Node
	for range 2 {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		roots = append(roots, document.Content[0])
	}
	return roots, nil
}

func binary(content []byte) (line int, problem string) {
	for i, row := range bytes.Split(content, []byte("\n")) {
		switch {
		case bytes.IndexByte(row, 0) >= 0:
			return i + 1, "a NUL byte: this is not a text file in UTF-8"
		case !utf8.Valid(row):
			return i + 1, "this is not a text file in UTF-8"
		}
	}
	return 0, ""
}

// syntaxProblem turns what yaml.v3 says into our own words: its text may quote the file.
func syntaxProblem(text string, content []byte) (line int, problem string) {
	rows := strings.SplitAfter(string(content), "\n")
	line = faultyRow(text, rows)
	if strings.HasPrefix(strings.TrimLeft(rows[line-1], " "), "\t") {
		return line, "a tab in the indentation: YAML takes spaces only"
	}
	for _, known := range []struct{ sign, problem string }{
		{"unknown anchor", "an alias without its anchor: quote a value that begins with *"},
		{"mapping values are not allowed", "not YAML: a key where none may stand; check the indentation, and quote a value that holds \": \""},
		{"did not find expected key", "not YAML near this line: check the indentation and the quotes"},
		{"could not find expected ':'", "not YAML near this line: a key without its colon and a space"},
		{"cannot start any token", "not YAML: quote a value that begins with one of @ ` %"},
		{"control characters are not allowed", "a control character: this is not a text file"},
		{"unexpected end of stream", "not YAML: a quoted value without its end"},
		{"expected ',' or", "not YAML: a bracket without its end"},
	} {
		if strings.Contains(text, known.sign) {
			return line, known.problem
		}
	}
	return line, "not YAML near this line"
}

// faultyRow returns the row with which text becomes the error: yaml.v3 names
// the beginning of the mapping around it, or no line at all.
func faultyRow(text string, rows []string) int {
	row := sort.Search(len(rows), func(i int) bool {
		_, err := documents([]byte(strings.Join(rows[:i+1], "")))
		return err != nil && err.Error() == text
	})
	return min(row+1, len(rows))
}
