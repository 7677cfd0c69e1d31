package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// windowSize returns the size of a terminal, zero if it does not say.
func windowSize(terminal *os.File) window {
	var info windows.ConsoleScreenBufferInfo
	err := windows.GetConsoleScreenBufferInfo(windows.Handle(terminal.Fd()), &info)
	if err != nil {
		return window{}
	}
	return window{columns: int(info.Window.Right-info.Window.Left) + 1, lines: int(info.Window.Bottom-info.Window.Top) + 1}
}
