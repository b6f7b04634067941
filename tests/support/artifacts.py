"""Saved models made by hand: what a hostile or a broken writer could leave."""

import hashlib
import json
from pathlib import Path

from zoo.files.checked_json import dump_with_checksum
from zoo.files.safetensors import describe_tensors, from_bytes, to_bytes, to_plain_tensors
from zoo.files.safetensors_header import parse_header_length
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS


def make_weights_file(header: dict | bytes, data: bytes = b"") -> bytes:
    """Return a safetensors file of a header and tensor bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def parts(data: bytes) -> tuple[dict, bytes]:
    """Return the header and the tensor bytes of a safetensors file."""
    length = parse_header_length(data[:8], len(data), name="it")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def edit_manifest(folder: Path, **changes) -> Path:
    """Change fields of a saved model's manifest, in both its places, with good seals and hashes."""
    record = json.loads((folder / CONFIG).read_text()) | changes
    record.pop("seal")
    header, data = parts((folder / WEIGHTS).read_bytes())
    header["__metadata__"]["zoo"] = dump_with_checksum({**record, "files": {}})
    return write_weights(folder, make_weights_file(header, data), record)


def write_weights(folder: Path, weights: bytes, record: dict | None = None) -> Path:
    """Put other bytes of weights into a saved model, with the hashes in `config.json` to go with them."""
    if record is None:
        record = json.loads((folder / CONFIG).read_text())
        record.pop("seal")
    (folder / WEIGHTS).write_bytes(weights)
    if record.get("files"):
        files = (name for name in (WEIGHTS, HISTORY))
        record["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    (folder / CONFIG).write_text(dump_with_checksum(record))
    return folder


def write_state(folder: Path, state: dict) -> Path:
    """Put other tensors into a saved model, with a manifest, seals and hashes that all agree with them."""
    record = json.loads((folder / CONFIG).read_text()) | {"tensors": describe_tensors(to_plain_tensors(state))}
    record.pop("seal")
    return write_weights(folder, to_bytes(state, dump_with_checksum({**record, "files": {}})), record)


def read_state(folder: Path) -> dict:
    """Return the tensors of a saved model by name."""
    return from_bytes((folder / WEIGHTS).read_bytes(), name="it")[0]
