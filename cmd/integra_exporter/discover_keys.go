package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// keyToWrite is one key and the name of its file.
type keyToWrite struct {
	file  string
	value secret.Value
}

func (k keyToWrite) content() []byte { return []byte(k.value.Reveal() + "\n") }

// discloseKeys asks for the keys of found and writes them. It says how many.
func discloseKeys(ctx context.Context, client *gravitee.Client, institution, dir string, found []finding) (said string, err error) {
	var keys []keyToWrite
	for _, f := range withKey(found) {
		value, err := client.Disclose(ctx, f.Subscription, f.Key.Hash)
		if err != nil {
			return "", fmt.Errorf("cannot read the key for %s: %w", f.Name, err)
		}
		keys = append(keys, keyToWrite{keyFile(institution, f), value})
	}
	written, err := writeKeys(dir, keys)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("; %s written to %s, %d there already", plural(written, "key"), dir, len(keys)-written), nil
}

// writeKeys writes each key to a file below dir that its owner alone can read.
// It makes dir if need be, for its owner alone, and writes nothing at all if a
// file is there with another content: it may be somebody's only copy.
func writeKeys(dir string, keys []keyToWrite) (written int, err error) {
	err = os.MkdirAll(dir, 0o700)
	if err != nil {
		return 0, fmt.Errorf("cannot make the directory of the keys: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("cannot open the directory of the keys: %w", err)
	}
	defer root.Close()
	var missing []keyToWrite
	var others []string
	for _, k := range keys {
		switch same, err := isThere(root, k); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, k)
		case err != nil || !same:
			others = append(others, filepath.Join(dir, k.file))
		}
	}
	if len(others) > 0 {
		return 0, fmt.Errorf("no key has been written, for what is there is not overwritten: %s hold something else. Move them away, or write to another directory", strings.Join(others, ", "))
	}
	for _, k := range missing {
		err = create(root, k)
		if err != nil {
			return 0, fmt.Errorf("cannot write a key: %w", err)
		}
	}
	return len(missing), nil
}

// isThere says whether k's file is there and holds k.
func isThere(root *os.Root, k keyToWrite) (bool, error) {
	info, err := root.Lstat(k.file)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	content, err := root.ReadFile(k.file)
	return bytes.Equal(bytes.TrimRight(content, "\r\n"), bytes.TrimRight(k.content(), "\n")), err
}

// create leaves no half a key behind.
func create(root *os.Root, k keyToWrite) error {
	file, err := root.OpenFile(k.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(k.content())
	err = errors.Join(err, file.Close())
	if err != nil {
		_ = root.Remove(k.file)
	}
	return err
}
