"""Checks of a data set: that it is as its spec says, and is read without surprises."""

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
from zoo.seeding import use_seed
from zoo.testing.fresh_process import get_error_line, run_python
from zoo.testing.models.construction import UNUSUAL_SEED
from zoo.testing.models.declaration import check_summary
from zoo.testing.models.subject import get_random_states
from zoo.testing.report import CheckFailure, NotApplicable, require

MAX_OVERLAP = 0.02
"""Share of the test images that may also be training images; small images repeat by chance."""
READ_SCRIPT = """
import json, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        raise RuntimeError(f"{event} while reading with download=False")

from zoo.plugins.import_string import import_object
sys.addaudithook(watch)
made = import_object(sys.argv[1], sys.argv[2])(download=False)
print(json.dumps({part: getattr(made, part).fingerprint() for part in sys.argv[3:]}))
"""


@dataclass(frozen=True, kw_only=True)
class DatasetSubject:
    """The data set that is checked."""

    name: str
    spec: DatasetSpec

    def read_dataset(self) -> Dataset:
        """Return the data set anew."""
        made = import_object(self.spec.build, self.spec.name)(download=False)
        require(isinstance(made, Dataset), f"{self.spec.build} returned {made!r}", "return a zoo.Dataset")
        return made  # type: ignore[no-any-return]

    @cached_property
    def parts(self) -> dict[str, Images]:
        """The images of each part that the spec counts."""
        try:
            return {part: getattr(self.read_dataset(), part) for part in self.spec.counts}
        except SourceError as error:
            raise NotApplicable(f"it is not on this machine ({error})") from error


def described(subject: DatasetSubject) -> None:
    """The spec says in one line what the data set is."""
    check_summary(subject.spec)


def license_and_source_named(subject: DatasetSubject) -> None:
    """The spec says under which licence the data set is, and who made it."""
    mend = "fill in license and source in its DatasetSpec; 'unstated' is an answer too"
    require(bool(subject.spec.license.strip()), "no licence is named", mend)
    require(bool(subject.spec.source.strip()), "no source is named", mend)


def parts_declared(subject: DatasetSubject) -> None:
    """The spec counts the training images, and the test images if there are any."""
    parts = set(subject.spec.counts)
    found = f"the spec counts {sorted(parts)}"
    require("train" in parts and parts <= {"train", "test"}, found, "counts={'train': ..., 'test': ...}")


def counts_as_declared(subject: DatasetSubject) -> None:
    """There are as many images as the spec says."""
    found = {part: len(images) for part, images in subject.parts.items()}
    require(found == dict(subject.spec.counts), f"there are {found}", f"set DatasetSpec(counts={found})")


def images_as_declared(subject: DatasetSubject) -> None:
    """Images have the size and channels that the spec says."""
    spec = subject.spec
    for part, images in subject.parts.items():
        found = (images.size, images.channels)
        mend = f"set DatasetSpec(size={images.size}, channels={images.channels})"
        require(found == (tuple(spec.size), spec.channels), f"{part} images are {found}", mend)


def classes_as_declared(subject: DatasetSubject) -> None:
    """Classes have the names that the spec says, in the same order in every part."""
    for part, images in subject.parts.items():
        names = images.classes.names
        mend = "give the Images the classes of the DatasetSpec"
        require(names == tuple(subject.spec.classes), f"the classes of {part} are {names}", mend)


def every_class_shown(subject: DatasetSubject) -> None:
    """Every class has a training image."""
    missing = [name for name, count in subject.parts["train"].counts.items() if not count]
    require(not missing, f"no training image shows {', '.join(missing)}", "leave out classes that are never seen")


def pixels_vary(subject: DatasetSubject) -> None:
    """Images are pictures: they use many of the 256 levels' range, and are not all the same."""
    for part, images in subject.parts.items():
        low, high = int(images.images.min()), int(images.images.max())
        mend = "scale images to 0..255 before they become uint8"
        require(high - low >= 32, f"the levels of {part} lie in {low}..{high}", mend)
        few = images.images[:64]
        require(len(few) == 1 or bool((few != few[:1]).any()), f"all images of {part} are one", "read every image")


def test_images_are_new(subject: DatasetSubject) -> None:
    """Test images are not among the training images."""
    if "test" not in subject.parts:
        raise NotApplicable("it has no test images")
    train, test = (subject.parts[part] for part in ("train", "test"))
    chosen = test.take(min(2000, len(test)), seed=0).images.flatten(1).numpy()
    known = {row.tobytes() for row in train.images.flatten(1).numpy()}
    share = sum(row.tobytes() in known for row in chosen) / len(chosen)
    require(share <= MAX_OVERLAP, f"{share:.0%} of the test images are training images", "split before you copy")


def random_state_untouched(subject: DatasetSubject) -> None:
    """Reading leaves the global random states as they were."""
    _ = subject.parts
    with use_seed(UNUSUAL_SEED):
        before = get_random_states()
        made = subject.read_dataset()
        for part in subject.spec.counts:
            getattr(made, part)
        after = get_random_states()
    require(after == before, "a global random state moved", "draw from a generator of your own")


def read_the_same_again(subject: DatasetSubject) -> None:
    """A fresh process reads the same images in the same order, and opens no connection without download=True."""
    here = {part: images.fingerprint() for part, images in subject.parts.items()}
    done = run_python(READ_SCRIPT, subject.spec.build, subject.spec.name, *here, working_folder=os.getcwd())
    if done.returncode:
        raise CheckFailure(f"a fresh process cannot read it: {get_error_line(done)}; read only what is on this machine")
    found = json.loads(done.stdout.splitlines()[-1])
    require(found == here, "a fresh process reads other images", "sort the files, and draw nothing at random")


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
