"""Check a data set: it matches its spec, and reading it has no side effects.

`DatasetSubject` reads the data set once; each check is a function of it, and its docstring is the claim that it tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from zoo.data import Dataset, Images
from zoo.errors import SourceError
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import DatasetSpec
from zoo.testing.fresh_process import get_error_line, run_python
from zoo.testing.report import CheckFailure, NotApplicable, require
from zoo.testing.shared_checks import described, random_state_untouched

MAX_OVERLAP = 0.02
"""Share of the test images that may also be training images; small images repeat by chance."""
READ_SCRIPT = """
import json, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        raise RuntimeError(f"{event} while reading with download=False")

from zoo.plugins.import_string import import_object
sys.addaudithook(watch)
dataset = import_object(sys.argv[1], sys.argv[2])(download=False)
print(json.dumps({part: getattr(dataset, part).fingerprint() for part in sys.argv[3:]}))
"""


@dataclass(frozen=True, kw_only=True)
class DatasetSubject:
    """A data set under test."""

    name: str
    spec: DatasetSpec

    def read_dataset(self) -> Dataset:
        """Read the data set again."""
        dataset = import_object(self.spec.build, self.spec.name)(download=False)
        require(isinstance(dataset, Dataset), f"{self.spec.build} returned {dataset!r}", "return a zoo.Dataset")
        return dataset  # type: ignore[no-any-return]

    @cached_property
    def parts(self) -> dict[str, Images]:
        """The images of each part that the spec counts."""
        try:
            return {part: getattr(self.read_dataset(), part) for part in self.spec.counts}
        except SourceError as error:
            raise NotApplicable(f"it is not on this machine ({error})") from error

    def prepare_use(self) -> Callable[[], object]:
        """Return a function that reads every part."""
        _ = self.parts
        return lambda: [getattr(self.read_dataset(), part) for part in self.spec.counts]


def license_and_source_named(subject: DatasetSubject) -> None:
    """The spec names the licence and the author."""
    fix = "fill in license and source in its DatasetSpec; 'unstated' is allowed"
    require(bool(subject.spec.license.strip()), "no licence is named", fix)
    require(bool(subject.spec.source.strip()), "no source is named", fix)


def parts_declared(subject: DatasetSubject) -> None:
    """The spec counts the training images, and the test images if there are any."""
    parts = set(subject.spec.counts)
    is_valid = "train" in parts and parts <= {"train", "test"}
    require(is_valid, f"the spec counts {sorted(parts)}", "use DatasetSpec(counts={'train': ..., 'test': ...})")


def counts_as_declared(subject: DatasetSubject) -> None:
    """The number of images of each part is the one in the spec."""
    counts = {part: len(images) for part, images in subject.parts.items()}
    require(counts == dict(subject.spec.counts), f"there are {counts}", f"set DatasetSpec(counts={counts})")


def images_as_declared(subject: DatasetSubject) -> None:
    """Images have the size and channels of the spec."""
    spec = subject.spec
    for part, images in subject.parts.items():
        actual = (images.size, images.channels)
        fix = f"set DatasetSpec(size={images.size}, channels={images.channels})"
        require(actual == (tuple(spec.size), spec.channels), f"{part} images are {actual}", fix)


def classes_as_declared(subject: DatasetSubject) -> None:
    """Classes have the names of the spec, in the same order in every part."""
    for part, images in subject.parts.items():
        names = images.classes.names
        fix = "give the Images the classes of the DatasetSpec"
        require(names == tuple(subject.spec.classes), f"the classes of {part} are {names}", fix)


def every_class_shown(subject: DatasetSubject) -> None:
    """Every class has a training image."""
    missing = [name for name, count in subject.parts["train"].counts.items() if not count]
    require(not missing, f"no training image shows {', '.join(missing)}", "leave out classes without images")


def pixels_vary(subject: DatasetSubject) -> None:
    """Pixel values span a good part of 0..255, and the images differ."""
    for part, images in subject.parts.items():
        low, high = int(images.images.min()), int(images.images.max())
        fix = "scale images to 0..255 before they become uint8"
        require(high - low >= 32, f"the pixel values of {part} are in {low}..{high}", fix)
        few = images.images[:64]
        require(len(few) == 1 or bool((few != few[:1]).any()), f"all images of {part} are equal", "read every image")


def test_images_are_new(subject: DatasetSubject) -> None:
    """Test images are not among the training images."""
    if "test" not in subject.parts:
        raise NotApplicable("it has no test images")
    train, test = (subject.parts[part] for part in ("train", "test"))
    sample = test.take(min(2000, len(test)), seed=0).images.flatten(1).numpy()
    training_images = {row.tobytes() for row in train.images.flatten(1).numpy()}
    share = sum(row.tobytes() in training_images for row in sample) / len(sample)
    require(share <= MAX_OVERLAP, f"{share:.0%} of the test images are training images", "split before you copy")


def read_the_same_again(subject: DatasetSubject) -> None:
    """A fresh process reads the same images in the same order, and opens no connection without download=True."""
    expected = {part: images.fingerprint() for part, images in subject.parts.items()}
    process = run_python(READ_SCRIPT, subject.spec.build, subject.spec.name, *expected, working_folder=os.getcwd())
    if process.returncode:
        problem = f"a fresh process cannot read it: {get_error_line(process)}"
        raise CheckFailure(f"{problem}; read only what is on this machine")
    fingerprints = json.loads(process.stdout.splitlines()[-1])
    require(fingerprints == expected, "a fresh process reads other images", "sort the files, and use no random numbers")


DATASET_ORDER: tuple[Callable[[DatasetSubject], None], ...] = (
    random_state_untouched,
    described,
    license_and_source_named,
    parts_declared,
    counts_as_declared,
    images_as_declared,
    classes_as_declared,
    every_class_shown,
    pixels_vary,
    test_images_are_new,
    read_the_same_again,
)
DATASET_CHECKS = {check.__name__: check for check in DATASET_ORDER}
"""Every check of a data set by name, in the order they run."""
