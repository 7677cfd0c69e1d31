package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Source is where a secret comes from. It prints as that place.
type Source interface {
	fmt.Stringer

	// Read returns the secret as it is now, not empty and on one line.
	// Its error names the place, never the content.
	Read() (Value, error)
}

// ErrUnusable is in the chain of every error about a source that could be read but holds no usable secret.
var ErrUnusable = errors.New("unusable")

// unusable is such an error: a place and what is wrong there.
type unusable struct{ place, problem string }

func (u unusable) Error() string { return u.place + " " + u.problem }

func (u unusable) Unwrap() error { return ErrUnusable }

// Literal is a secret written into the configuration itself.
type Literal struct{ Value Value }

// Env is a secret in the environment variable of that name.
type Env string

// File is a secret in a file. It is re-read when the file changes.
type File struct {
	path string

	mu     sync.Mutex
	info   os.FileInfo
	readAt time.Time
	value  Value
}

// NewFile returns the source that reads path.
func NewFile(path string) *File { return &File{path: path} }

// Read implements Source.
func (l Literal) Read() (Value, error) { return checked("the value", l.Value.Reveal()) }

// Read implements Source.
func (e Env) Read() (Value, error) {
	s, ok := os.LookupEnv(string(e))
	if !ok {
		return Value{}, fmt.Errorf("environment variable %s is not set", string(e))
	}
	return checked("environment variable "+string(e), s)
}

// Read implements Source.
func (f *File) Read() (Value, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		return Value{}, fileError(f.path, err)
	}
	if !info.Mode().IsRegular() { // a pipe would block for ever
		return Value{}, unusable{f.path, "is not a regular file"}
	}
	if f.unchanged(info) {
		return f.value, nil
	}
	content, err := readAll(f.path)
	if err != nil {
		return Value{}, err
	}
	value, err := checked(f.path, string(bytes.TrimRight(content, "\r\n")))
	if err != nil {
		return Value{}, err
	}
	f.info, f.readAt, f.value = info, time.Now(), value
	return value, nil
}

// largest is far more than any secret needs; a device or a wrong file ends here.
const largest = 64 << 10

func readAll(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, largest+1))
	if len(content) > largest {
		return nil, unusable{path, "is larger than 64 KiB"}
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	return content, nil
}

// String implements fmt.Stringer.
func (Literal) String() string { return "the configuration" }

// String implements fmt.Stringer.
func (e Env) String() string { return "environment variable " + string(e) }

// String implements fmt.Stringer.
func (f *File) String() string { return "file " + f.path }

// settled is how much older than the reading a file's time must be before
// the time proves anything: two writes within a tick of the file system's clock look the same.
const settled = 2 * time.Second

func (f *File) unchanged(now os.FileInfo) bool {
	return f.info != nil && os.SameFile(f.info, now) &&
		f.info.ModTime().Equal(now.ModTime()) && f.info.Size() == now.Size() &&
		f.readAt.Sub(now.ModTime()) > settled
}

// fileError keeps what the system said (so that a caller can tell a missing
// file from a lack of descriptors) and drops everything else.
func fileError(path string, err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// checked hides s if it can be used as a header's value or a password.
func checked(where, s string) (Value, error) {
	switch {
	case s == "":
		return Value{}, unusable{where, "is empty"}
	case strings.ContainsFunc(s, unicode.IsControl):
		return Value{}, unusable{where, "holds a line break or another control character"}
	}
	return New(s), nil
}
