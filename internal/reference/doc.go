// Package reference reads configurations as the reference implementations write them (neuraloperator and SPAMoE's fork of it) and
// turns them into ours. The golden cases carry such configurations.
package reference
