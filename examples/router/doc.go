// Command router lets a router learn which of one's own experts to ask. Run
//
//	go run ./examples/router
//
// Records of four sensors on a plane come in three kinds, and nobody says which: slow waves under noise, fast waves on top of a slow drift,
// and waves in between that are clean. There are three ways to restore them, plain functions without anything to learn: to keep what is
// slow, to keep what is fast, and to do nothing. Each is right for one kind and ruins another.
//
// The router sees pairs of records, as they come and as they should be, and learns from the spectra whom to ask. It is trained on the
// squared error of what the experts it chose restore; no label tells it the kind. The program prints how well every expert does alone
// and all do together, who was asked for which kind, and writes a picture.
package main
