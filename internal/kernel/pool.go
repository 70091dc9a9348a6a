package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// The pool: threads-1 persistent goroutines that look for work in a small table of published jobs. Waking a sleeping
// thread costs 50 to 100 us, more than many kernels take, so an idle worker spins for a while before it parks, and so
// does a caller that waits for the last chunks of its job.
const (
	maxChunks = 256 // per Parallel call
	maxJobs   = 64  // jobs published at once; further callers do their work themselves
	spinTime  = 100 * time.Microsecond
)

var pool struct {
	threads  atomic.Int32 // as set; 0 before the first use
	workers  atomic.Int32 // goroutines started
	sleeping atomic.Int32 // workers parked or about to park, whose token is not yet sent
	jobs     [maxJobs]atomic.Pointer[job]
	used     atomic.Int32 // slots of jobs that were ever in use
	wake     chan struct{}
	start    sync.Mutex
	free     sync.Pool
}

// job is one Parallel call. left counts the chunks nobody has claimed; a worker may hold a job past its end and claim
// from it in its next life, which is harmless: only a claim that is not negative gives the right to read the rest. So
// even a job that is not published may have chunks in other hands than the caller's.
type job struct {
	left    atomic.Int64
	pending atomic.Int64 // chunks not finished; plus parked while the caller sleeps
	n, size int
	chunks  int64
	body    func(lo, hi int)
	failed  atomic.Pointer[any] // first panic of a chunk
	done    chan struct{}
}

const parked = 1 << 40

func init() {
	pool.wake = make(chan struct{}, 1024)
	pool.free.New = newJob
}

func newJob() any { return &job{done: make(chan struct{}, 1)} }

// Threads returns how many threads kernels use: what SetThreads set, or GOMAXPROCS at the first use.
func Threads() int {
	if t := pool.threads.Load(); t > 0 {
		return int(t)
	}
	SetThreads(0)
	return int(pool.threads.Load())
}

// SetThreads sets how many threads kernels use; n < 1 means GOMAXPROCS. No result depends on it.
func SetThreads(n int) {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	pool.threads.Store(int32(n))
}

// Parallel calls body for chunks [lo, hi) that together are [0, n). Every chunk but the last has the same size, a
// multiple of grain, and the boundaries depend on n and grain only. It returns when all is done; the calling goroutine
// does its part. One chunk, or one thread, runs without any synchronisation. Calls from many goroutines at once share
// the workers; a call from within a body is served by its own goroutine and whichever workers are idle. A panic in a
// body is raised again in the caller.
func Parallel(n, grain int, body func(lo, hi int)) {
	if n <= 0 {
		return
	}
	if grain < 1 {
		grain = 1
	}
	size := grain * ((n + grain*maxChunks - 1) / (grain * maxChunks))
	chunks := (n + size - 1) / size
	t := Threads()
	if chunks == 1 || t == 1 {
		for lo := 0; lo < n; lo += size {
			body(lo, min(lo+size, n))
		}
		return
	}
	j := pool.free.Get().(*job)
	j.n, j.size, j.chunks, j.body = n, size, int64(chunks), body
	j.pending.Store(int64(chunks))
	j.left.Store(int64(chunks))
	slot := publish(j)
	if slot >= 0 {
		engage(min(t, chunks) - 1)
	}
	for j.step() {
	}
	if slot >= 0 {
		pool.jobs[slot].Store(nil)
	}
	j.wait()
	j.body = nil
	failed := j.failed.Swap(nil)
	pool.free.Put(j)
	if failed != nil {
		panic(*failed)
	}
}

// publish puts j where workers look and returns the slot, or -1 if all are taken.
func publish(j *job) int {
	for i := range pool.jobs {
		if pool.jobs[i].Load() == nil && pool.jobs[i].CompareAndSwap(nil, j) {
			for u := pool.used.Load(); int(u) <= i && !pool.used.CompareAndSwap(u, int32(i+1)); u = pool.used.Load() {
			}
			return i
		}
	}
	return -1
}

// engage sees to it that up to n workers exist and are awake.
func engage(n int) {
	if int(pool.workers.Load()) < n {
		pool.start.Lock()
		for int(pool.workers.Load()) < n {
			go work(pool.workers.Add(1))
		}
		pool.start.Unlock()
	}
	for ; n > 0; n-- {
		s := pool.sleeping.Load()
		for s > 0 && !pool.sleeping.CompareAndSwap(s, s-1) {
			s = pool.sleeping.Load()
		}
		if s == 0 {
			return
		}
		pool.wake <- struct{}{}
	}
}

// step claims and runs one chunk; false if none is left.
func (j *job) step() bool {
	left := j.left.Add(-1)
	if left < 0 {
		return false
	}
	i := int(j.chunks - 1 - left)
	j.run(i*j.size, min((i+1)*j.size, j.n))
	if j.pending.Add(-1) == parked {
		j.done <- struct{}{}
	}
	return true
}

func (j *job) run(lo, hi int) {
	defer func() {
		if r := recover(); r != nil {
			first := r // a variable of its own: only a panic allocates
			j.failed.CompareAndSwap(nil, &first)
		}
	}()
	j.body(lo, hi)
}

// wait returns when no chunk is running any more.
func (j *job) wait() {
	s := newSpinner()
	for j.pending.Load() > 0 {
		if s.spin() {
			continue
		}
		if j.pending.Add(parked) > parked {
			<-j.done
		}
		j.pending.Store(0)
		return
	}
}

// work is the life of worker number id, counted from 1 (the caller is number 0).
func work(id int32) {
	for {
		s := newSpinner()
		for {
			if help(id) {
				s = newSpinner()
			} else if !s.spin() {
				break
			}
		}
		pool.sleeping.Add(1)
		if !help(id) {
			<-pool.wake
			continue
		}
		// Work came meanwhile: withdraw, unless somebody has already promised a token.
		n := pool.sleeping.Load()
		for n > 0 && !pool.sleeping.CompareAndSwap(n, n-1) {
			n = pool.sleeping.Load()
		}
		if n == 0 {
			<-pool.wake
		}
	}
}

// help runs chunks of published jobs; false if there was none. Workers past the set number of threads stay out.
func help(id int32) bool {
	if id >= pool.threads.Load() {
		return false
	}
	found := false
	for i := range pool.used.Load() {
		if j := pool.jobs[i].Load(); j != nil {
			for j.step() {
				found = true
			}
		}
	}
	return found
}

// spinner lets a goroutine wait actively for spinTime, giving way to others now and then.
type spinner struct {
	count int
	since time.Time
}

func newSpinner() spinner { return spinner{} }

func (s *spinner) spin() bool {
	s.count++
	if s.count&63 != 0 {
		return true
	}
	if s.since.IsZero() {
		s.since = time.Now()
		return true
	}
	runtime.Gosched()
	return time.Since(s.since) < spinTime
}
