//go:build windows

package main

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// Windows' names and numbers; the standard library's package syscall has only a part of them.
const (
	fileFlagOverlapped     = 0x40000000
	securitySqosPresent    = 0x00100000
	securityImpersonation  = 2 << 16
	errorBrokenPipe        = syscall.Errno(109)
	errorPipeNotConnected  = syscall.Errno(233)
	errorOperationAborted  = syscall.Errno(995)
	manualReset, notSignal = 1, 0
)

var (
	kernel32            = syscall.NewLazyDLL("kernel32.dll")
	createEvent         = kernel32.NewProc("CreateEventW")
	getOverlappedResult = kernel32.NewProc("GetOverlappedResult")
)

// A pipe that is read and written at the same time. That takes an overlapped handle: on any other one, Windows lets a write wait
// for the read that is under way.
type pipe struct {
	handle      syscall.Handle
	read, write syscall.Overlapped
}

func openPipe(name string) (*pipe, error) {
	path, err := syscall.UTF16PtrFromString(`\\.\pipe\` + name)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_EXISTING,
		fileFlagOverlapped|securitySqosPresent|securityImpersonation, 0)
	if err != nil {
		return nil, os.NewSyscallError("CreateFile", err)
	}
	opened := &pipe{handle: handle}
	for _, overlapped := range []*syscall.Overlapped{&opened.read, &opened.write} {
		event, _, err := createEvent.Call(0, manualReset, notSignal, 0)
		if event == 0 {
			return nil, os.NewSyscallError("CreateEvent", err)
		}
		overlapped.HEvent = syscall.Handle(event)
	}
	return opened, nil
}

// Waits for what was begun. There is one reader and one writer at a time, so each has its OVERLAPPED.
func (pipe *pipe) finish(begun error, overlapped *syscall.Overlapped) (int, error) {
	if begun != nil && begun != syscall.ERROR_IO_PENDING {
		return 0, begun
	}
	var done uint32
	ok, _, err := getOverlappedResult.Call(uintptr(pipe.handle), uintptr(unsafe.Pointer(overlapped)), uintptr(unsafe.Pointer(&done)), 1)
	if ok == 0 {
		return int(done), err
	}
	return int(done), nil
}

func (pipe *pipe) Read(bytes []byte) (int, error) {
	count, err := pipe.finish(syscall.ReadFile(pipe.handle, bytes, nil, &pipe.read), &pipe.read)
	switch err {
	case errorBrokenPipe, errorPipeNotConnected, errorOperationAborted:
		return count, io.EOF
	}
	return count, err
}

func (pipe *pipe) Write(bytes []byte) (int, error) {
	return pipe.finish(syscall.WriteFile(pipe.handle, bytes, nil, &pipe.write), &pipe.write)
}

func (pipe *pipe) Close() error { return syscall.CloseHandle(pipe.handle) }
