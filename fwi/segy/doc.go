// Package segy reads seismic recordings in SEG-Y, the exchange format of the Society of Exploration Geophysicists, and writes
// plain ones.
//
// A file is a textual header, a binary header, further textual headers where the binary one says so, and traces of one length:
//
//	3200 bytes text | 400 bytes | n x 3200 bytes text | { 240 bytes header | samples } ...
//
// Numbers are big endian, in files of revision 2 either way. Samples are IBM or IEEE floating-point numbers or integers. An IBM
// number of sign s, 7 bits of exponent e and 24 bits of fraction f is
//
//	(-1)^s f/2^24 16^(e - 64).
//
// The header of a trace says where source and receiver stood, as integers with a scaler m: a coordinate is the integer times m
// where m is positive, divided by -m where it is negative. Lengths are metres, or feet of 0.3048 m where the binary header says
// so; they are read as metres. Receivers have elevations, sources depths below a surface that has one: Survey counts both down
// from the highest. It puts traces together to shots and refuses files that do not know their geometry, such as stacked sections.
//
// A file is never read whole: a trace is read when it is asked for, and what headers say is compared with the size of the file
// before anything depends on it. Errors are one line that names the file, what was found, and what was wanted.
//
// Format: SEG Technical Standards Committee, SEG-Y revision 1 (2002) and 2.0 (2017).
package segy
