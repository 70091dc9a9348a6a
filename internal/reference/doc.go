// Package reference reads configurations as the reference implementations write them (neuraloperator and SPAMoE's fork of it) and
// turns them into ours. The golden cases carry such configurations.
package reference

import (
	"bytes"
	"encoding/json"
)

// strict decodes a configuration. A key that dst has no field for is an error, as it may change what is computed.
func strict(config []byte, dst any) error {
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	return d.Decode(dst)
}
