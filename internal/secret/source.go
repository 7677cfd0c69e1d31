package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
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

// unusable is such an error: a place and what is wrong there. The place is as
// it may be repeated: a secret may stand where its name belongs.
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

// Path returns the name of the file. It is not for people: String is.
func (f *File) Path() string { return f.path }

// Read implements Source.
func (l Literal) Read() (Value, error) { return checked(l.place(), l.Value.Reveal()) }

// Read implements Source.
func (e Env) Read() (Value, error) {
	s, ok := os.LookupEnv(string(e))
	if !ok {
		return Value{}, fmt.Errorf("%s is not set", e.place())
	}
	return checked(e.place(), s)
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
		return Value{}, unusable{f.place(), "is not a regular file"}
	}
	if f.unchanged(info) {
		return f.value, nil
	}
	content, err := readAll(f.path)
	if err != nil {
		return Value{}, err
	}
	value, err := checked(f.place(), string(bytes.TrimRight(content, "\r\n")))
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
		return nil, unusable{ShownPath(path), "is larger than 64 KiB"}
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	return content, nil
}

// String implements fmt.Stringer.
func (Literal) String() string { return "the configuration" }

// String implements fmt.Stringer.
func (e Env) String() string { return e.place() }

// String implements fmt.Stringer.
func (f *File) String() string { return "file " + f.place() }

func (Literal) place() string { return "the value" }

func (e Env) place() string {
	if LooksLikeKey(string(e)) {
		return "environment variable …"
	}
	return "environment variable " + string(e)
}

func (f *File) place() string { return ShownPath(f.path) }

// settled is how much older than the reading a file's time must be before
// the time proves anything: two writes within a tick of the file system's clock look the same.
const settled = 2 * time.Second

func (f *File) unchanged(now os.FileInfo) bool {
	return f.info != nil && os.SameFile(f.info, now) &&
		f.info.ModTime().Equal(now.ModTime()) && f.info.Size() == now.Size() &&
		f.readAt.Sub(now.ModTime()) > settled
}

// fileError says in our own words what the system said, and keeps that in the
// chain, so that a caller can tell a missing file from a lack of descriptors.
func fileError(path string, err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if errors.Is(err, syscall.ENAMETOOLONG) { // no file can have that name
		err = fs.ErrNotExist
	}
	return unreadable{ShownPath(path), err}
}

// unreadable is the error about a file that the system does not let us read.
type unreadable struct {
	place string
	cause error
}

func (u unreadable) Error() string {
	switch {
	case errors.Is(u.cause, fs.ErrNotExist):
		return u.place + ": no such file"
	case errors.Is(u.cause, fs.ErrPermission):
		return u.place + ": permission denied"
	}
	return u.place + ": cannot be read"
}

func (u unreadable) Unwrap() error { return u.cause }

// checked hides s if it can be used as a password.
func checked(where, s string) (Value, error) {
	problem := ""
	switch {
	case s == "":
		problem = "is empty"
	case hasMark(s):
		problem = "begins with a byte-order mark: save it as UTF-8 without one"
	case strings.ContainsFunc(s, unicode.IsControl):
		problem = "holds a line break or another control character"
	case !utf8.ValidString(s):
		problem = "is not text in UTF-8"
	case strings.TrimSpace(s) != s:
		problem = "begins or ends with a blank"
	}
	if problem != "" {
		return Value{}, unusable{where, problem}
	}
	return New(s), nil
}

// hasMark reports whether s begins as UTF-8 or UTF-16 does that Windows saved.
func hasMark(s string) bool {
	return slices.ContainsFunc([]string{"\ufeff", "\xff\xfe", "\xfe\xff"}, func(mark string) bool { return strings.HasPrefix(s, mark) })
}
