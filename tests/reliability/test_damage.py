"""Lines 1, 2 and 5: no truncated or bit-flipped file is loaded, and trying changes nothing."""

import os
import random
from pathlib import Path

import helpers
import pytest

import zoo
from zoo.errors import WeightsError
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS

pytestmark = pytest.mark.reliability
FILES = (WEIGHTS, CONFIG, HISTORY)


def get_refusal(load, reference):
    """Return the message of a load that is refused."""
    with pytest.raises(WeightsError) as caught:
        load(reference)
    return str(caught.value)


def iter_truncations(path, stride):
    """Truncate a file to each shorter length, from long to short; yield every `stride`-th length."""
    for length in range(path.stat().st_size - 1, -1, -1):
        os.truncate(path, length)
        if length % stride == 0:
            yield length


@pytest.mark.parametrize("name", FILES)
def test_line_1_a_file_truncated_at_any_length_is_refused_by_name(folder, name):
    path = folder / name
    messages = [get_refusal(zoo.load, folder) for _ in iter_truncations(path, 1 if helpers.LONG else 3)]
    assert all(str(path) in each for each in messages)
    print(f"{name}: {len(messages)} truncations, {len(messages)} refused by name and cause")


def test_line_1_a_truncated_weights_file_alone_is_refused_by_name(folder):
    path = folder / WEIGHTS
    messages = [get_refusal(zoo.load, path) for _ in iter_truncations(path, 1)]
    assert all(str(path) in each for each in messages)
    print(f"{len(messages)} truncations of the file alone, {len(messages)} refused by name and cause")


@pytest.mark.parametrize("name", FILES)
def test_lines_1_and_5_a_truncated_file_leaves_the_model_unchanged(folder, target, name):
    before, digests = helpers.hash_model(target), []
    for _ in iter_truncations(folder / name, 1 if helpers.LONG else 11):
        get_refusal(target.load_weights, folder)
        digests.append(helpers.hash_model(target))
    assert set(digests) == {before}
    target.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False)
    print(f"{name}: {len(digests)} truncations refused, model unchanged {len(digests)} times, and trained on")


def flip_bit(path, index):
    """Flip one bit of a file in place."""
    byte, bit = divmod(index, 8)
    with path.open("r+b") as file:
        file.seek(byte)
        value = file.read(1)[0] ^ (1 << bit)
        file.seek(byte)
        file.write(bytes([value]))


def choose_bits(folder: Path, count: int):
    """Return `count` random pairs of a file and the index of a bit, the same ones each time."""
    rng = random.Random(0)
    bits = [(folder / name, bit) for name in FILES for bit in range((folder / name).stat().st_size * 8)]
    return rng.sample(bits, min(count, len(bits)))


def test_lines_2_and_5_a_flipped_bit_is_detected_anywhere(folder, target):
    before, chosen = helpers.hash_model(target), choose_bits(folder, 4000)
    for path, bit in chosen:
        flip_bit(path, bit)
        get_refusal(zoo.load, folder)
        flip_bit(path, bit)
    for path, bit in chosen[:: 1 if helpers.LONG else 20]:
        flip_bit(path, bit)
        get_refusal(target.load_weights, folder)
        flip_bit(path, bit)
        assert helpers.hash_model(target) == before
    zoo.load(folder)
    by_name = {name: sum(path.name == name for path, _ in chosen) for name in FILES}
    print(f"{len(chosen)} flipped bits {by_name}, {len(chosen)} detected, model unchanged")


def test_line_2_a_flipped_bit_is_detected_in_the_weights_file_alone(folder):
    path = folder / WEIGHTS
    bits = range(path.stat().st_size * 8)
    chosen = bits if helpers.LONG else random.Random(1).sample(bits, 4000)
    for bit in chosen:
        flip_bit(path, bit)
        get_refusal(zoo.load, path)
        flip_bit(path, bit)
    zoo.load(path)
    print(f"{len(chosen)} flipped bits in the file alone, {len(chosen)} detected")
