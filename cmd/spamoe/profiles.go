package main

import (
	"io"
	"runtime"
	"runtime/pprof"

	"github.com/spamoe/spamoe/internal/atomicfile"
)

// profiles are files to which a command writes what go tool pprof reads.
type profiles struct{ cpu, memory string }

func (p *profiles) flags(f *flags) {
	f.StringVar(&p.cpu, "cpuprofile", "", "`file` to write a profile of processor time to, for go tool pprof")
	f.StringVar(&p.memory, "memprofile", "", "`file` to write a profile of all allocations to, for go tool pprof")
}

// around runs f and writes the profiles that are asked for, if f succeeds.
func (p *profiles) around(f func() error) error {
	if p.cpu == "" {
		return p.heap(f)
	}
	return atomicfile.Write(p.cpu, func(w io.Writer) error {
		if err := pprof.StartCPUProfile(w); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		return p.heap(f)
	})
}

func (p *profiles) heap(f func() error) error {
	if p.memory == "" {
		return f()
	}
	usual := runtime.MemProfileRate
	defer func() { runtime.MemProfileRate = usual }()
	runtime.MemProfileRate = 1 // every object: the usual rate, one in half a megabyte, sees few small ones
	if err := f(); err != nil {
		return err
	}
	runtime.GC() // brings the profile up to date
	return atomicfile.Write(p.memory, func(w io.Writer) error { return pprof.Lookup("allocs").WriteTo(w, 0) })
}
