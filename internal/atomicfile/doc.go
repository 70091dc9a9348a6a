// Package atomicfile replaces files whole or not at all.
//
// A file is written under a temporary name in the folder where it is to live, forced to the disk, and renamed:
//
//	.NAME.RANDOM.tmp   ->   fsync   ->   rename to NAME   ->   fsync of the folder
//
// Whoever opens NAME sees the old content or the new one, never a part: after a full disk, a killed process or a power cut. On
// any error the temporary file is removed and the old file is as it was.
//
// A killed process cannot remove its temporary file. The writer therefore holds an advisory lock on it (flock on unix, the
// sharing rules on Windows), which dies with the process, and the next writer of the same name removes the temporary files
// that nobody holds.
package atomicfile
