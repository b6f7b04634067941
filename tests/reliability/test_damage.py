"""Lines 1, 2 and 5: no file that was cut or flipped is loaded, and loading it changes nothing."""

import os
import random
from pathlib import Path

import bar
import pytest

import zoo
from zoo.errors import WeightsError
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS

pytestmark = pytest.mark.reliability
FILES = (WEIGHTS, CONFIG, HISTORY)


def refusal(load, reference):
    """Return what a load says that refuses."""
    with pytest.raises(WeightsError) as told:
        load(reference)
    return str(told.value)


def cuts(path, stride):
    """Cut a file to each length but its own, from long to short, and yield every `stride`-th."""
    for length in range(path.stat().st_size - 1, -1, -1):
        os.truncate(path, length)
        if length % stride == 0:
            yield length


@pytest.mark.parametrize("name", FILES)
def test_line_1_a_file_cut_at_any_length_is_refused_by_name(folder, name):
    path = folder / name
    told = [refusal(zoo.load, folder) for _ in cuts(path, 1 if bar.LONG else 3)]
    assert all(str(path) in each for each in told)
    print(f"{name}: {len(told)} truncations, {len(told)} refused by name and cause")


def test_line_1_the_weights_alone_cut_at_any_length_are_refused_by_name(folder):
    path = folder / WEIGHTS
    told = [refusal(zoo.load, path) for _ in cuts(path, 1)]
    assert all(str(path) in each for each in told)
    print(f"{len(told)} truncations of the file alone, {len(told)} refused by name and cause")


@pytest.mark.parametrize("name", FILES)
def test_lines_1_and_5_a_model_stays_as_it_was_when_a_file_is_cut(folder, target, name):
    before, digests = bar.digest(target), []
    for _ in cuts(folder / name, 1 if bar.LONG else 11):
        refusal(target.load_weights, folder)
        digests.append(bar.digest(target))
    assert set(digests) == {before}
    target.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False)
    print(f"{name}: {len(digests)} truncations refused, model unchanged {len(digests)} times, and trained on")


def flipped(path, place):
    """Flip one bit of a file where it lies."""
    byte, bit = divmod(place, 8)
    with path.open("r+b") as file:
        file.seek(byte)
        value = file.read(1)[0] ^ (1 << bit)
        file.seek(byte)
        file.write(bytes([value]))


def places(folder: Path, count: int):
    """Return a file and a bit of it, `count` times, by chance but always the same."""
    chance = random.Random(0)
    bits = [(folder / name, bit) for name in FILES for bit in range((folder / name).stat().st_size * 8)]
    return chance.sample(bits, min(count, len(bits)))


def test_lines_2_and_5_a_flipped_bit_is_found_wherever_it_is(folder, target):
    before, chosen = bar.digest(target), places(folder, 4000)
    for path, bit in chosen:
        flipped(path, bit)
        refusal(zoo.load, folder)
        flipped(path, bit)
    for path, bit in chosen[:: 1 if bar.LONG else 20]:
        flipped(path, bit)
        refusal(target.load_weights, folder)
        flipped(path, bit)
        assert bar.digest(target) == before
    zoo.load(folder)
    by_name = {name: sum(path.name == name for path, _ in chosen) for name in FILES}
    print(f"{len(chosen)} flipped bits {by_name}, {len(chosen)} found, model unchanged")


def test_line_2_a_flipped_bit_is_found_in_the_weights_alone(folder):
    path = folder / WEIGHTS
    bits = range(path.stat().st_size * 8)
    chosen = bits if bar.LONG else random.Random(1).sample(bits, 4000)
    for bit in chosen:
        flipped(path, bit)
        refusal(zoo.load, path)
        flipped(path, bit)
    zoo.load(path)
    print(f"{len(chosen)} flipped bits in the file alone, {len(chosen)} found")
