// Package npy reads and writes NumPy's array files (.npy), one array to a file.
//
// A file is a magic string, a version, a header in Python's notation, and the elements:
//
//	"\x93NUMPY" major minor | length of the header, 2 bytes (version 1) or 4 (2 and 3), little endian
//	{'descr': '<f4', 'fortran_order': False, 'shape': (500, 5, 1000, 70), }  padded with spaces, "\n"
//	elements
//
// Element (i0, .., id) of an array n0 x .. x nd lies at i0 n1..nd + .. + id in C order and at i0 + i1 n0 + .. in Fortran order.
// Here an array always appears in C order, whatever its file has; reading a sample, that is an index along the first axis, of a
// Fortran-ordered file touches the whole file.
//
// Read are the versions 1 to 3, either byte order, float16 to float64, int8 to int64, uint8 to uint64 and bool. Files are
// mapped into memory where the system can do that, else read piece by piece, so that an array larger than the memory serves as
// well. Nothing is allocated by what a header says before the size of the file has confirmed it.
//
// Format: NEP 1 and numpy.lib.format.
package npy
