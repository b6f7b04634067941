"""Write saved models by hand, as a hostile or broken program could."""

import hashlib
import json
from pathlib import Path

from zoo.files.checked_json import dump_with_checksum
from zoo.files.safetensors import describe_tensors, from_bytes, to_bytes, to_plain_tensors
from zoo.files.safetensors_header import parse_header_length
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS


def make_weights_file(header: dict | bytes, data: bytes = b"") -> bytes:
    """Return the bytes of a safetensors file."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def split_weights_file(data: bytes) -> tuple[dict, bytes]:
    """Split a safetensors file into its header and tensor bytes."""
    length = parse_header_length(data[:8], len(data), name="it")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def edit_manifest(folder: Path, **changes) -> Path:
    """Change fields in both copies of a saved model's manifest, with valid checksums and hashes."""
    record = json.loads((folder / CONFIG).read_text()) | changes
    record.pop("seal")
    header, data = split_weights_file((folder / WEIGHTS).read_bytes())
    header["__metadata__"]["zoo"] = dump_with_checksum({**record, "files": {}})
    return write_weights(folder, make_weights_file(header, data), record)


def write_weights(folder: Path, weights: bytes, record: dict | None = None) -> Path:
    """Replace the weights of a saved model and update the hashes in `config.json`."""
    if record is None:
        record = json.loads((folder / CONFIG).read_text())
        record.pop("seal")
    (folder / WEIGHTS).write_bytes(weights)
    if record.get("files"):
        files = (WEIGHTS, HISTORY)
        record["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    (folder / CONFIG).write_text(dump_with_checksum(record))
    return folder


def write_state(folder: Path, state: dict) -> Path:
    """Replace the tensors of a saved model and update manifest, checksums and hashes."""
    record = json.loads((folder / CONFIG).read_text()) | {"tensors": describe_tensors(to_plain_tensors(state))}
    record.pop("seal")
    return write_weights(folder, to_bytes(state, dump_with_checksum({**record, "files": {}})), record)


def read_state(folder: Path) -> dict:
    """Return the tensors of a saved model by name."""
    return from_bytes((folder / WEIGHTS).read_bytes(), name="it")[0]
