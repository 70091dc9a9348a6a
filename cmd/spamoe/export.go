package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/fwi"
)

const exportHelp = `
Writes the tensors of a model, parameters and buffers under their PyTorch names, as a file for PyTorch or for safetensors.

-out FILE.pt (or .pth) is what torch.load(FILE, weights_only=True) reads as a state_dict, complex tensors as complex64:

    network.load_state_dict(torch.load("model.pt", weights_only=True))

-out FILE.safetensors has complex tensors as real ones with a last axis of 2, which torch.view_as_complex takes; the entry
complex_as_trailing_2 of its metadata names them.

-model takes a run folder, a .safetensors or a .pt file, PyTorch's own too. Both kinds of file keep the model's configuration,
where PyTorch passes over it, so that eval and predict take them; -plain leaves it and all other texts out. Nothing is
computed: every number keeps its bits and its type. A tensor that the model has under two names is stored once in a .pt file.
An optimiser's state is left out.`

func export(_ context.Context, env *environment, args []string) error {
	f := newFlags("export", "", exportHelp)
	model := f.String("model", "", "run `folder` or model file to read; without it the last run")
	out := f.String("out", "", "`file` to write: .pt, .pth or .safetensors")
	plain := f.Bool("plain", false, "leave out the configuration and all other texts")
	part := f.String("part", "", "write the tensors below this `name` only, without it: encoder, or encoder_state_dict of a .pt checkpoint")
	strip := f.String("strip", "", "`prefixes` to take off every name, separated by commas: module.")
	if err := f.parse(env, args); err != nil {
		return err
	}
	extension := strings.ToLower(filepath.Ext(*out))
	if extension != ".pt" && extension != ".pth" && extension != ".safetensors" {
		return misuse("-out is %q; wanted a name that ends in .pt, .pth or .safetensors", *out)
	}
	path, err := modelPath(*model)
	if err != nil {
		return err
	}
	if err := checkOutputs([]namedFile{{"-out", *out}}, []namedFile{{"-model", path}}); err != nil {
		return err
	}
	file, err := openTensors(path, *part)
	if err != nil {
		return err
	}
	if *strip != "" {
		if file, err = file.Trim(strings.Split(*strip, ",")...); err != nil {
			return err
		}
	}
	tensors, metadata := file.Tensors(), file.Metadata
	write := checkpoint.WritePyTorch
	if extension == ".safetensors" {
		tensors, metadata = file.RealTensors()
		write = checkpoint.Write
	}
	for name := range file.Extra() {
		delete(tensors, checkpoint.ExtraPrefix+name)
	}
	if *plain || *part != "" { // the configuration is not that of a part
		metadata = maps.Clone(metadata)
		maps.DeleteFunc(metadata, func(key, _ string) bool { return key != checkpoint.ComplexKey })
	}
	shareTied(file, tensors)
	if err := write(*out, tensors, metadata); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s: %s\n", *out, total(tensors))
	return nil
}

// openTensors reads the tensors of a model file. With a part it returns those below that name.
func openTensors(path, part string) (*checkpoint.File, error) {
	file, err := checkpoint.Read(path)
	if err != nil || part == "" {
		return file, err
	}
	prefix := strings.TrimSuffix(part, ".") + "."
	sub := file.Sub(prefix)
	if len(sub.Names()) == 0 { // beside the state_dict, perhaps
		if file, err = checkpoint.ReadAll(path); err != nil {
			return nil, err
		}
		sub = file.Sub(prefix)
	}
	if len(sub.Names()) == 0 {
		return nil, fmt.Errorf("%s has no tensors below %q; spamoe inspect -all lists them", path, part)
	}
	return sub, nil
}

// shareTied makes tensors that are one in the model share their memory, which a .safetensors file cannot say. Where the file has no
// configuration of package fwi's, they stay as they are.
func shareTied(file *checkpoint.File, tensors map[string]checkpoint.Tensor) {
	m, err := fwi.NewFor(file)
	if err != nil {
		return
	}
	for _, e := range autograd.State(m.Net) {
		t, ok := tensors[e.Name]
		first, ok1 := tensors[e.Tied]
		if ok && ok1 && t.DType == first.DType && slices.Equal(t.Shape, first.Shape) && bytes.Equal(t.Data, first.Data) {
			tensors[e.Name] = first
		}
	}
}

// total tells how many tensors and numbers there are; a complex number counts twice.
func total(tensors map[string]checkpoint.Tensor) string {
	numbers, bytes := 0, 0
	for _, t := range tensors {
		numbers += countNumbers(t)
		bytes += len(t.Data)
	}
	return fmt.Sprintf("%d tensors, %s numbers, %.2f MB", len(tensors), thousands(numbers), float64(bytes)/1e6)
}

func countNumbers(t checkpoint.Tensor) int {
	if t.DType == checkpoint.C64 {
		return 2 * t.Count()
	}
	return t.Count()
}
