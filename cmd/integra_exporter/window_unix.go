//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// windowSize returns the size of a terminal, zero if it does not say.
func windowSize(terminal *os.File) window {
	size, err := unix.IoctlGetWinsize(int(terminal.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return window{}
	}
	return window{columns: int(size.Col), lines: int(size.Row)}
}
