"""Make a small saved model by hand, without torch, for publishers and hostile repositories."""

import hashlib
import json
import random
import struct
from dataclasses import replace
from pathlib import Path

from zoo.saving.folder import CARD, CONFIG, HISTORY, WEIGHTS, hash_files
from zoo.saving.manifest import Manifest, Origin
from zoo.signature import Classes, Preprocessing

README = "---\nlicense: {license}\n---\n# A model\n\nVersion {seed}.\n"
LINE = '{{"epoch": 1, "loss": {seed}.5}}\n'


def files(seed: int = 0, *, license: str = "mit", model: str = "gcn-7x7", width: int = 64) -> dict[str, bytes]:
    """Return the four files of a model; another seed gives other files of the same length."""
    data = random.Random(seed).randbytes(4 * width)
    described = {"weight": {"dtype": "float32", "shape": [width], "sha256": hashlib.sha256(data).hexdigest()}}
    manifest = Manifest(
        model=model,
        origin=Origin(plugin="zoo_grid_gcn", distribution="zoo-models", version="0.2.0"),
        config={"size": 7},
        classes=Classes.numbered(10),
        preprocessing=Preprocessing(size=(7, 7)),
        seed=seed,
        license=license,
        tensors=described,
    )
    others = {WEIGHTS: safetensors(data, width, manifest), HISTORY: LINE.format(seed=seed % 10).encode()}
    config = replace(manifest, files=hash_files(others)).to_json().encode()
    return {CONFIG: config, **others, CARD: README.format(license=license, seed=seed).encode()}


def safetensors(data: bytes, width: int, manifest: Manifest) -> bytes:
    """Return a file of one tensor, with the manifest in its header."""
    entry = {"dtype": "F32", "shape": [width], "data_offsets": [0, len(data)]}
    header = json.dumps({"__metadata__": {"zoo": manifest.to_json()}, "weight": entry}).encode()
    return struct.pack("<Q", len(header)) + header + data


def saved(folder: Path, seed: int = 0, **how) -> Path:
    """Write a model's files into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files(seed, **how).items():
        (folder / name).write_bytes(data)
    return folder
