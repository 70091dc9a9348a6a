// Package mno is the multiwavelet neural operator (Gupta, Xiao, Bogdan, arXiv 2109.13459) in one and two dimensions, and the multiscale
// operator of SPAMoE: maps between functions on a box, learned from samples on regular grids.
package mno
