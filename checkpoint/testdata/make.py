"""Writes the files of PyTorch's that the tests read: python3 make.py FOLDER. The ones here are of PyTorch 1.13.1."""
import argparse, collections, os, sys, types, warnings

try:
    import numpy, torch
except ImportError:
    sys.exit(77)
warnings.filterwarnings("ignore")
out = lambda name: os.path.join(sys.argv[1], name)

w = torch.arange(6.0).reshape(2, 3) / 2
reals = torch.arange(8.0).reshape(2, 2, 2)
kinds = collections.OrderedDict(
    weight=w, transposed=w.t(), row=w[1], columns=w[:, 1:], same=w.view(3, 2), expanded=torch.tensor([7.0]).expand(2, 3), cube=torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
    parameter=torch.nn.Parameter(torch.tensor([1.0, -1.0])), counter=torch.tensor(-5), empty=torch.zeros(0, 3), one=torch.ones(1, 1)[:, ::1],
    f16=torch.tensor([1.0, -2.0]).half(), bf16=torch.tensor([1.0, -2.0]).bfloat16(), f64=torch.tensor([0.1], dtype=torch.float64),
    i8=torch.tensor([-1], dtype=torch.int8), i16=torch.tensor([-2], dtype=torch.int16), i32=torch.tensor([-3], dtype=torch.int32),
    u8=torch.tensor([255], dtype=torch.uint8), truth=torch.tensor([True, False]), complex=torch.view_as_complex(reals))
torch.save(kinds, out("kinds.pt"))
torch.save(kinds, out("frames.pt"), pickle_protocol=4)
torch.save(kinds, out("legacy.pt"), _use_new_zipfile_serialization=False)
torch.save(kinds, out("legacyframes.pt"), _use_new_zipfile_serialization=False, pickle_protocol=4)

# What a training script saves: a model's state_dict as neuralop makes it, in data parallel training, beside other things.
layers = types.ModuleType("neuralop.layers.spectral_convolution")
layers.SpectralConv = type("SpectralConv", (), {"__module__": layers.__name__})
sys.modules.update({"neuralop": types.ModuleType("neuralop"), "neuralop.layers": types.ModuleType("neuralop.layers"), layers.__name__: layers})
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
model(torch.randn(2, 1, 5, 5)).sum().backward()
optimizer = torch.optim.AdamW(model.parameters())
optimizer.step()
state = torch.nn.DataParallel(model).state_dict()
state["_metadata"] = {"non_linearity": torch.nn.functional.gelu, "relu": torch.nn.functional.relu, "conv_module": layers.SpectralConv, "n_modes": (4, 4)}
torch.save({
    "epoch": 7, "note": "a b", "loss": numpy.float64(2.5), "lr": numpy.float32(0.5), "step": numpy.int64(9), "done": True, "nothing": None, "model_state_dict": state,
    "encoder_state_dict": {"scale": torch.tensor([3.0])}, "optimizer_state_dict": optimizer.state_dict(), "losses": [1.0, 2.0],
    "scheduler": torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3]).state_dict(), "args": argparse.Namespace(lr=0.1, sizes=[1, 2]),
    "device": torch.device("cpu"), "dtype": torch.float32, "shape": w.shape, "history": collections.defaultdict(list, a=[1]), "seen": {1, 2}, "big": 1 << 80}, out("training.pt"))
