"""Reads .pt files written in Go: python3 read.py FILE... prints what is in each as JSON, and saves it again as FILE.zip.pt and FILE.legacy.pt."""
import hashlib, json, sys

try:
    import torch
except ImportError:
    sys.exit(77)


def describe(t):
    real = torch.view_as_real(t) if t.is_complex() else t
    data = real.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
    return {"shape": list(t.shape), "dtype": str(t.dtype), "sha256": hashlib.sha256(data).hexdigest(), "storage": t.storage().data_ptr()}


answers = []
for path in sys.argv[1:]:
    state = torch.load(path, weights_only=True)
    answers.append({"type": type(state).__name__, "tensors": {name: describe(t) for name, t in state.items()}})
    if path.endswith("norm.pt"):
        torch.nn.BatchNorm2d(3).load_state_dict(state, strict=True)
    torch.save(state, path + ".zip.pt")
    torch.save(state, path + ".legacy.pt", _use_new_zipfile_serialization=False)
print(json.dumps(answers))
