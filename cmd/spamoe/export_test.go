package main

import (
	"archive/zip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spamoe/spamoe/autograd"
	"github.com/spamoe/spamoe/checkpoint"
	"github.com/spamoe/spamoe/fwi"
)

// read returns what a model file holds.
func read(t *testing.T, path string) *checkpoint.File {
	t.Helper()
	f, err := checkpoint.Read(path)
	require.NoError(t, err)
	return f
}

// A trained model goes to PyTorch's format and back, and is the same model in each.
func TestExportAndInspect(t *testing.T) {
	t.Chdir(t.TempDir())
	refuse(t, 1, []string{"inspect"}, "there is no run in this folder yet")
	pairs(t, 8)
	succeed(t, "train", "-model", "fno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "runs/one")
	require.Contains(t, succeed(t, "export", "-out", "model.pt"), "model.pt: ")
	succeed(t, "export", "-model", "model.pt", "-out", "again.safetensors")
	succeed(t, "export", "-model", "runs/one", "-out", "plain.pth", "-plain")
	succeed(t, "export", "-model", "runs/one", "-out", "plain.safetensors", "-plain")

	want, pt, again, plain := read(t, "runs/one/"+fwi.ModelFile), read(t, "model.pt"), read(t, "again.safetensors"), read(t, "plain.safetensors")
	require.Equal(t, want.Names(), pt.Names())
	require.Equal(t, want.Tensors(), again.Tensors())
	require.Equal(t, want.Tensors(), plain.Tensors())
	require.Equal(t, want.Metadata[checkpoint.ConfigKey], pt.Metadata[checkpoint.ConfigKey])
	require.Len(t, plain.Metadata, 1)
	require.NotEmpty(t, plain.Metadata[checkpoint.ComplexKey])
	require.Empty(t, read(t, "plain.pth").Metadata)
	name := "fno_blocks.convs.0.weight.tensor"
	w, _ := want.Tensor(name)
	c, ok := pt.Tensor(name)
	require.True(t, ok)
	require.Equal(t, checkpoint.C64, c.DType)
	require.Equal(t, w.Shape[:len(w.Shape)-1], c.Shape)
	require.Equal(t, w.Data, c.Data)

	// With its configuration a .pt file is a model; without, it is weights for one.
	of := func(model string) string {
		return succeed(t, "eval", "-json", "-model", model, "-x", "x.npy", "-y", "y.npy")
	}
	require.JSONEq(t, of("runs/one"), of("model.pt"))
	refuse(t, 1, []string{"eval", "-model", "plain.pth", "-x", "x.npy", "-y", "y.npy"}, "plain.pth carries no configuration")
	succeed(t, "train", "-config", "runs/one/config.json", "-init", "plain.pth", "-epochs", "1", "-out", "runs/two")

	out := succeed(t, "inspect", "runs/one")
	require.Contains(t, out, "kind: fno\nconfig: {\n  \"network\": \"fno\",")
	require.Regexp(t, `(?m)^`+name+` +\d+x\d+x\d+x\d+x2  F32 complex +[\d ]+$`, out)
	require.Regexp(t, `(?m)^`+name+` +\d+x\d+x\d+x\d+  C64  +[\d ]+$`, succeed(t, "inspect", "model.pt"))
	var i inspection
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "inspect", "-json", "model.pt")), &i))
	require.Equal(t, "model.pt", i.File)
	require.Equal(t, "fno", i.Kind)
	require.JSONEq(t, want.Metadata[checkpoint.ConfigKey], string(i.Config))
	require.Empty(t, i.Metadata)
	require.Len(t, i.Tensors, len(want.Names()))
	m, err := fwi.Load("model.pt")
	require.NoError(t, err)
	require.Contains(t, describe(m), thousands(i.Numbers)+" parameters")
	require.Equal(t, 4*i.Numbers, i.Bytes)
}

// The local operator has a tensor of two names: a .pt file holds it once.
func TestExportSharesTiedTensors(t *testing.T) {
	t.Chdir(t.TempDir())
	pairs(t, 6)
	succeed(t, "train", "-model", "lno", "-x", "x.npy", "-y", "y.npy", "-epochs", "1", "-out", "run")
	succeed(t, "export", "-model", "run", "-out", "model.pt")
	m, err := fwi.Load("model.pt")
	require.NoError(t, err)
	f, tied := read(t, "model.pt"), 0
	for _, e := range autograd.State(m.Net) {
		if e.Tied == "" {
			continue
		}
		tied++
		a, _ := f.Tensor(e.Name)
		b, _ := f.Tensor(e.Tied)
		require.Same(t, &a.Data[0], &b.Data[0], e.Name)
	}
	require.Positive(t, tied)
}

func TestExportOfPyTorchCheckpoints(t *testing.T) {
	training, err := filepath.Abs("../../checkpoint/testdata/training.pt")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	succeed(t, "export", "-model", training, "-strip", "module.", "-out", "a.safetensors")
	a := read(t, "a.safetensors")
	require.Equal(t, []string{"0.bias", "0.weight", "1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight"}, a.Names())
	require.Equal(t, "7", a.Metadata["epoch"])
	succeed(t, "export", "-model", training, "-part", "encoder_state_dict", "-out", "b.pt")
	b := read(t, "b.pt")
	require.Equal(t, []string{"scale"}, b.Names())
	require.Empty(t, b.Metadata)
	succeed(t, "export", "-model", training, "-part", "module.1.", "-out", "c.pt")
	require.Contains(t, read(t, "c.pt").Names(), "running_mean")
	refuse(t, 1, []string{"export", "-model", training, "-part", "decoder", "-out", "d.pt"}, training, `no tensors below "decoder"`)

	out := succeed(t, "inspect", training)
	require.Contains(t, out, "epoch: 7\n")
	require.Regexp(t, `(?m)^module\.1\.num_batches_tracked +\(\)  I64 +1$`, out)
	require.Contains(t, out, "7 tensors, 29 numbers, 0.00 MB")
	require.Contains(t, succeed(t, "inspect", "-all", training), "optimizer_state_dict.state.0.exp_avg")

	// The state of an optimiser is no part of a model.
	require.NoError(t, checkpoint.Write("extra.safetensors", map[string]checkpoint.Tensor{
		"w": checkpoint.FromFloat32([]float32{1}, 1), "extra:adam": checkpoint.FromFloat32([]float32{1}, 1),
	}, map[string]string{"note": "\x1b[2J", checkpoint.KindKey: "x\ny"}))
	succeed(t, "export", "-model", "extra.safetensors", "-out", "e.pt")
	require.Equal(t, []string{"w"}, read(t, "e.pt").Names())
	out = succeed(t, "inspect", "extra.safetensors")
	require.Contains(t, out, "kind: \"x\\ny\"\nnote: \"\\x1b[2J\"\n")

	// Characters that JSON takes as they are, but a terminal may obey, are escaped.
	const odd = "\u009b2J\u007f\u202e\U000e0041ä"
	require.NoError(t, checkpoint.Write("odd.safetensors", map[string]checkpoint.Tensor{odd: checkpoint.FromFloat32([]float32{1}, 1)},
		map[string]string{checkpoint.ConfigKey: `{"k":	"` + odd + `"}`}))
	const shown = `\u009b2J\u007f\u202e\udb40\udc41ä`
	require.Contains(t, succeed(t, "inspect", "odd.safetensors"), "config: {\n  \"k\": \""+shown+"\"\n}\n")
	out = succeed(t, "inspect", "-json", "odd.safetensors")
	require.Contains(t, out, `"name": "`+shown+`"`)
	require.Contains(t, out, `"k": "`+shown+`"`)
	var i inspection
	require.NoError(t, json.Unmarshal([]byte(out), &i))
	require.Equal(t, odd, i.Tensors[0].Name)
}

func TestExportMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	refuse(t, 2, []string{"export"}, `-out is ""`)
	refuse(t, 2, []string{"export", "-out", "model.onnx"}, `-out is "model.onnx"; wanted a name that ends in .pt, .pth or .safetensors`)
	refuse(t, 2, []string{"inspect", "a.pt", "-json"}, "2 arguments; wanted one model, after the flags")
	refuse(t, 1, []string{"inspect", "nowhere.pt"}, "nowhere.pt")
	require.NoError(t, os.Mkdir("empty", 0o755))
	refuse(t, 1, []string{"export", "-model", "empty", "-out", "a.pt"}, filepath.Join("empty", fwi.ModelFile))

	// A pickle that would run a command is refused by every command that reads models.
	f, err := os.Create("evil.pt")
	require.NoError(t, err)
	z := zip.NewWriter(f)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "evil/data.pkl", Method: zip.Store})
	require.NoError(t, err)
	_, err = w.Write([]byte("\x80\x02cposix\nsystem\nX\x0a\x00\x00\x00touch here\x85R."))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	pairs(t, 6)
	for _, args := range [][]string{
		{"inspect", "evil.pt"},
		{"inspect", "-all", "evil.pt"},
		{"export", "-model", "evil.pt", "-out", "good.safetensors"},
		{"eval", "-model", "evil.pt", "-x", "x.npy", "-y", "y.npy"},
		{"train", "-model", "fno", "-init", "evil.pt", "-x", "x.npy", "-y", "y.npy", "-out", "run"},
	} {
		refuse(t, 1, args, "evil.pt", `"posix.system"`, "nothing was run")
	}
	require.NoFileExists(t, "here")
	require.NoFileExists(t, "good.safetensors")
}
