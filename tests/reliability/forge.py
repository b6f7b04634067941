"""Writers that are killed, race and run out of room. It runs in a process of its own, and forks from there."""

import collections
import functools
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

import bar
import torch

import zoo
import zoo.files.safetensors
from zoo.errors import WeightsError
from zoo.files import atomic

torch.set_num_threads(1)
OLD, NEW, NEXT = 1, 2, 3
NOBODY = 65534
LIMITS = (0, 1, 7, 100, 500, 1000, 2000, 3000, 4000, 5000)
"""Bytes that a file may have; all of a saved version's files but the card need more than the last."""


@functools.cache
def version(number):
    """Return a model of which every file tells its number: weights, config, history and card."""
    model = zoo.create("gcn-7x7", seed=number, hidden=(4, 32))
    model.data = f"v{number}/train"
    model.history.append({"epoch": 1, "loss": float(number)})
    return model


@functools.cache
def digest_of(number):
    return bar.weights_digest(version(number))


def number_of(folder):
    """Return the number of the version that lies in a folder, after checking that all of it has that number."""
    model = zoo.load(folder)
    assert bar.weights_digest(model) == digest_of(model.seed)
    assert model.data == f"v{model.seed}/train"
    assert model.history["loss"] == [float(model.seed)]
    assert f"- v{model.seed}\n" in model.card
    return model.seed


def forked(work, *words):
    """Do something in a forked process, and return its id."""
    child = os.fork()
    if child:
        return child
    try:
        work(*words)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(child):
    """Wait for a forked process, and return its exit code: negative when a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def moved(way):
    """Take the way of systems that cannot exchange two folders in one step."""
    if way == "moved away and in":
        atomic._try_exchange = lambda one, other: False


def fresh(place):
    """Return a folder that holds the old version, with files of its owner in it, and nothing beside it."""
    target, pattern = Path(place) / "model", Path(place) / "pattern" / "model"
    if not pattern.exists():
        version(OLD).save(pattern)
        (pattern / "figures").mkdir()
        (pattern / "figures" / "loss.txt").write_text("mine")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(pattern, target)
    assert beside(target) == []
    return target


def beside(target):
    """Return what a writer left beside a folder."""
    return [name for name in bar.beside(target) if name not in ("pattern", "done")]


def judged(target):
    """Return the version that a killed writer left, after checking that the next one cleans up."""
    number = number_of(target)
    assert number in (OLD, NEW), number
    assert (target / "figures" / "loss.txt").read_text() == "mine"
    version(NEXT).save(target)
    assert number_of(target) == NEXT
    assert beside(target) == [], beside(target)
    assert (target / "figures" / "loss.txt").read_text() == "mine"
    return "old" if number == OLD else "new"


def kills_by_chance(place, count, way):
    """Kill `count` saves at some moment, and return how often the old or the new version was there."""
    moved(way)
    chance, found = random.Random(0), collections.Counter(old=0, new=0)
    version(NEW).save(fresh(place))
    start = time.perf_counter()
    ended(forked(version(NEW).save, fresh(place)))
    seconds = 1.2 * (time.perf_counter() - start)
    while found["killed"] < count:  # those that ended before do not count as kills
        target = fresh(place)
        child = forked(version(NEW).save, target)
        time.sleep(chance.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        code = ended(child)
        found[{0: "ended", -signal.SIGKILL: "killed"}[code]] += 1
        seconds *= 1.1 if code else 0.8
        found[judged(target)] += 1
    return found


def _saved_until(target, last):
    """Save, and be killed just before the `last`-th call to the system that names the place."""
    calls = itertools.count(1)
    model, place = version(NEW), str(target.parent)

    def watch(event, words):
        if place in str(words) and next(calls) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    model.save(target)


def kills_at_every_call(place, way):
    """Kill a save before its first call to the system, its second and so on, and return what was there then."""
    moved(way)
    found = collections.Counter()
    for last in itertools.count(1):
        target = fresh(place)
        code = ended(forked(_saved_until, target, last))
        if code == 0:
            assert number_of(target) == NEW
            return found
        assert code == -signal.SIGKILL, code
        found[judged(target)] += 1


def race(place, writers, saves, readers, way):
    """Save from many processes to one place and read meanwhile; return how many reads saw how many versions."""
    moved(way)
    target = version(0).save(Path(place) / "model")

    def write(number):
        model = version(number)
        for _ in range(saves):
            model.save(target)

    def read(pipe):
        seen = collections.Counter()
        while not done.exists():
            seen[number_of(target)] += 1
        os.write(pipe, f"{sum(seen.values())} {len(seen)}\n".encode())

    done, (reader, pipe) = Path(place) / "done", os.pipe()
    watching = [forked(read, pipe) for _ in range(readers)]
    writing = [forked(write, number) for number in range(writers)]
    codes = [ended(child) for child in writing]
    done.touch()
    codes += [ended(child) for child in watching]
    os.close(pipe)
    assert set(codes) == {0}, codes
    done.unlink()
    assert beside(target) == []
    number_of(target)
    told = [line.split() for line in os.fdopen(reader).read().splitlines()]
    return {"reads": sum(int(reads) for reads, _ in told), "versions": max(int(seen) for _, seen in told)}


def refusal(target):
    """Return what a save says that is refused."""
    try:
        version(NEW).save(target)
    except WeightsError as error:
        return str(error)
    return ""


def told_by(work, *words):
    """Return what something returns in a forked process, as text."""
    reader, pipe = os.pipe()
    child = forked(lambda: os.write(pipe, work(*words).encode()))
    os.close(pipe)
    with os.fdopen(reader) as stream:
        text = stream.read()
    assert ended(child) == 0
    return text


def _limited(target, limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return refusal(target)


def full_disk(place):
    """Save where files may have so many bytes and no more; return what each refusal says."""
    target = fresh(place)
    told = {}
    for limit in LIMITS:
        told[limit] = told_by(_limited, target, limit)
        assert number_of(target) == OLD
        assert beside(target) == []
    assert told_by(_limited, target, 1 << 20) == ""
    return told


def _as_nobody(work, *words):
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return work(*words)


def owned(path):
    """Give a tree to nobody."""
    if os.getuid() == 0:
        for each in (path, *path.rglob("*")):
            os.chown(each, NOBODY, NOBODY, follow_symlinks=False)


def as_nobody(work, *words):
    """Return what something returns for a user without rights."""
    return told_by(_as_nobody, work, *words)


READ_ONLY = {
    "the place": lambda target: (owned(target), os.chmod(target.parent, 0o555)),
    "the model": lambda target: (owned(target.parent), os.chmod(target, 0o555)),
    "somebody else's model": lambda target: (os.chmod(target, 0o755), os.chmod(target.parent, 0o777)),
    "somebody else's place": lambda target: os.chmod(target.parent, 0o755),
    "a folder inside": lambda target: (owned(target.parent), os.chmod(target / "figures", 0o555)),
}


def read_only(place, what):
    """Try to save as nobody over what nobody may not write; return what is said and what is there then."""
    target = fresh(place)
    READ_ONLY[what](target)
    return [as_nobody(refusal, target), number_of(target), beside(target)]


def moved_away(place):
    """Return the version that nobody reads where a killed writer had moved it away."""
    target = fresh(place)
    target.rename(target.with_name(".model.0123abcd.old"))
    return int(as_nobody(lambda: str(number_of(target))))


def masked(place, mask):
    """Return the rights of the files and the folder of a save under a umask."""
    os.umask(mask)
    folder = version(OLD).save(Path(place) / "model")
    return {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}


def _resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _measured(read, path):
    before, start, told = _resident(), time.perf_counter(), ""
    try:
        read(path)
    except WeightsError as error:
        told = str(error)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return json.dumps({"told": told, "seconds": seconds, "extra": max(0, peak - before)})


def measured(place, way, warm):
    """Read each file or folder in a place in a process of its own; return what is said, seconds and extra memory."""
    read = {"tensors.read": zoo.files.safetensors.read_tensors, "zoo.load": zoo.load}[way]
    zoo.load(warm)  # what is imported at the first use is not the file's cost
    return {path.stem: json.loads(told_by(_measured, read, path)) for path in sorted(Path(place).iterdir())}


def _called(name, words):
    return json.dumps(globals()[name](*words))


def serve():
    """Answer each line, a function's name and words as JSON, with what it returns in a fork of this process."""
    for line in sys.stdin:
        try:
            told = told_by(_called, *json.loads(line))
        except AssertionError:
            told = "null"
        print(told, flush=True)
