package checkpoint_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
)

func ExampleWrite() {
	dir, _ := os.MkdirTemp("", "checkpoint")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "weights.safetensors")

	err := checkpoint.Write(path, map[string]checkpoint.Tensor{
		"weight": checkpoint.FromFloat32([]float32{1, 2, 3, 4}, 2, 2),
		"steps":  checkpoint.FromInt64([]int64{100}),
	}, map[string]string{"note": "by hand"})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := checkpoint.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	w, _ := f.Tensor("weight")
	fmt.Println(f.Names(), w.DType, w.Shape, w.Float32(), f.Metadata["note"])
	// Output: [steps weight] F32 [2 2] [1 2 3 4] by hand
}

type Line struct {
	Slope *autograd.Param `param:"slope"`
	Shift *autograd.Param `param:"shift"`
}

type LineConfig struct {
	Inputs int `json:"inputs"`
}

func NewLine(c LineConfig) *Line {
	return &Line{Slope: autograd.NewParam(c.Inputs), Shift: autograd.NewParam(1)}
}

func ExampleSaveModel() {
	dir, _ := os.MkdirTemp("", "checkpoint")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")

	cfg := LineConfig{Inputs: 2}
	line := NewLine(cfg)
	copy(line.Slope.Data, []float32{0.5, -1})
	if err := checkpoint.SaveModel(path, line, checkpoint.Info{Kind: "line", Config: cfg}); err != nil {
		fmt.Println(err)
		return
	}

	// The file is all that is needed to rebuild the model.
	f, err := checkpoint.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	var read LineConfig
	if err := f.Config(&read); err != nil {
		fmt.Println(err)
		return
	}
	again := NewLine(read)
	err = checkpoint.LoadParams(f, again)
	fmt.Println(f.Kind(), again.Slope.Data, again.Shift.Data, err)
	// Output: line [0.5 -1] [0] <nil>
}

func ExampleSavePyTorch() {
	dir, _ := os.MkdirTemp("", "checkpoint")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.pt")

	// In Python: model.load_state_dict(torch.load("model.pt", weights_only=True)).
	line := NewLine(LineConfig{Inputs: 2})
	copy(line.Slope.Data, []float32{0.5, -1})
	if err := checkpoint.SavePyTorch(path, line, checkpoint.Info{}); err != nil {
		fmt.Println(err)
		return
	}

	// Read takes a .pt file, from here or from PyTorch, as it takes a .safetensors file.
	f, err := checkpoint.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	again := NewLine(LineConfig{Inputs: 2})
	err = checkpoint.LoadParams(f, again)
	fmt.Println(f.Names(), again.Slope.Data, err)
	// Output: [shift slope] [0.5 -1] <nil>
}

func ExampleFile_Trim() {
	// A model that was trained in data parallel, as Read returns it.
	f, err := checkpoint.NewFile("ddp.pt", map[string]checkpoint.Tensor{"module.slope": checkpoint.FromFloat32([]float32{2}, 1)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err = f.Trim("module.")
	fmt.Println(f.Names(), err)
	// Output: [slope] <nil>
}

func ExampleLoadParams() {
	dir, _ := os.MkdirTemp("", "checkpoint")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	if err := checkpoint.SaveModel(path, NewLine(LineConfig{Inputs: 3}), checkpoint.Info{}); err != nil {
		fmt.Println(err)
		return
	}
	f, err := checkpoint.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	type deeper struct {
		Line
		Scale *autograd.Param `param:"scale"`
	}
	model := deeper{Line: *NewLine(LineConfig{Inputs: 2}), Scale: autograd.NewParam(1)}
	text := checkpoint.LoadParams(f, model).Error()
	fmt.Println(text[len("checkpoint: ")+len(path)+1:])
	// Output: does not fit the model: 1 missing: scale (1); 1 of another shape: slope is 3, want 2
}
