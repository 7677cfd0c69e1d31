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

// Source is where a secret comes from. It prints as that location.
type Source interface {
	fmt.Stringer

	// Read returns the current secret, which is not empty and has one line.
	// Its error names the location, never the content.
	Read() (Value, error)
}

// ErrUnusable is in the chain of every error about a source that could be read but holds no usable secret.
var ErrUnusable = errors.New("unusable")

// unusable is such an error. Its location is redacted already: users write the secret itself where its file's name
// belongs.
type unusable struct{ location, problem string }

func (u unusable) Error() string { return u.location + " " + u.problem }

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

// Header is a Source for the value of a header: Read refuses a secret that is
// not printable ASCII. A password may hold more.
type Header struct{ Source }

// Read implements Source.
func (h Header) Read() (Value, error) {
	value, err := h.Source.Read()
	if err != nil {
		return Value{}, err
	}
	if strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' || r > '~' }) {
		return Value{}, unusable{h.location(), "holds something other than printable ASCII, which a header cannot carry"}
	}
	return value, nil
}

func (h Header) location() string {
	known, ok := h.Source.(interface{ location() string })
	if ok {
		return known.location()
	}
	return h.String()
}

// Read implements Source.
func (l Literal) Read() (Value, error) { return checked(l.location(), l.Value.Reveal()) }

// Read implements Source.
func (e Env) Read() (Value, error) {
	s, ok := os.LookupEnv(string(e))
	if !ok {
		return Value{}, fmt.Errorf("%s is not set", e.location())
	}
	return checked(e.location(), s)
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
		return Value{}, unusable{f.location(), "is not a regular file"}
	}
	if f.unchanged(info) {
		return f.value, nil
	}
	content, err := readAll(f.path)
	if err != nil {
		return Value{}, err
	}
	value, err := checked(f.location(), string(bytes.TrimRight(content, "\r\n")))
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
		return nil, unusable{RedactPath(path), "is larger than 64 KiB"}
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	return content, nil
}

// String implements fmt.Stringer.
func (Literal) String() string { return "the configuration" }

// String implements fmt.Stringer.
func (e Env) String() string { return e.location() }

// String implements fmt.Stringer.
func (f *File) String() string { return "file " + f.location() }

func (Literal) location() string { return "the value" }

func (e Env) location() string {
	if LooksLikeKey(string(e)) {
		return "environment variable …"
	}
	return "environment variable " + string(e)
}

func (f *File) location() string { return RedactPath(f.path) }

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
	return unreadable{RedactPath(path), err}
}

// unreadable is the error about a file that the system does not let us read.
type unreadable struct {
	location string
	cause    error
}

func (u unreadable) Error() string {
	switch {
	case errors.Is(u.cause, fs.ErrNotExist):
		return u.location + ": no such file"
	case errors.Is(u.cause, fs.ErrPermission):
		return u.location + ": permission denied"
	}
	return u.location + ": cannot be read"
}

func (u unreadable) Unwrap() error { return u.cause }

// checked hides s if it can be used as a password.
func checked(location, s string) (Value, error) {
	problem := ""
	switch {
	case s == "":
		problem = "is empty"
	case slices.ContainsFunc([]string{"\ufeff", "\xff\xfe", "\xfe\xff"}, func(mark string) bool { return strings.HasPrefix(s, mark) }):
		problem = "begins with a byte-order mark: save it as UTF-8 without one"
	case strings.ContainsFunc(s, unicode.IsControl):
		problem = "holds a line break or another control character"
	case !utf8.ValidString(s):
		problem = "is not text in UTF-8"
	case strings.TrimSpace(s) != s:
		problem = "begins or ends with a space"
	}
	if problem != "" {
		return Value{}, unusable{location, problem}
	}
	return New(s), nil
}
