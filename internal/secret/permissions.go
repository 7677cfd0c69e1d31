package secret

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// What a mode grants users who are neither the owner nor in the group.
const (
	othersRead  = 0o004
	othersWrite = 0o002
	othersEnter = 0o001
)

// Exposed reports whether every user of this machine can read or change the file at path: its mode lets them, and so
// does every directory above it. Group rights do not count: root:integra_exporter with 0640 is the recommended setup.
//
// A file that Kubernetes mounts is never exposed: its mode is 0644, but only the pod sees the volume. Its name leads
// through links into a directory whose name begins with two dots. On Windows a mode says nothing about access.
func Exposed(path string) bool {
	if runtime.GOOS == "windows" || !grants(path, othersRead|othersWrite) {
		return false
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil || strings.HasPrefix(filepath.Base(filepath.Dir(path)), "..") {
		return false
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return false
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if !grants(dir, othersEnter) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// grants reports whether the mode of path has any of rights.
func grants(path string, rights os.FileMode) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&rights != 0
}
