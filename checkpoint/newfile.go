package checkpoint

import (
	"fmt"
	"maps"
)

// NewFile returns a file of the given tensors and strings that lies in memory only: what Read would return for them. name stands for
// its path in errors. Names and tensors that no file could hold are an error.
func NewFile(name string, tensors map[string]Tensor, metadata map[string]string) (*File, error) {
	if _, err := layout(tensors, metadata); err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w", name, err)
	}
	f := &File{Metadata: map[string]string{}, name: name, tensors: maps.Clone(tensors)}
	maps.Copy(f.Metadata, metadata)
	return f, nil
}
