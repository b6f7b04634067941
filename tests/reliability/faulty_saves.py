"""Saves that are killed, race or run out of room. This module runs in its own process, and forks from there."""

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

import helpers
import torch

import zoo
import zoo.files.safetensors
from zoo.errors import WeightsError
from zoo.files import atomic

torch.set_num_threads(1)
OLD, NEW, NEXT = 1, 2, 3
NOBODY = 65534
LIMITS = (0, 1, 7, 100, 500, 1000, 2000, 3000, 4000, 5000)
"""Limits of the size of a file, in bytes; a version has files that are larger than the last one."""


@functools.cache
def make_version(number):
    """Return a model whose number is in each of its files: weights, config, history and card."""
    model = zoo.create("gcn-7x7", seed=number, hidden=(4, 32))
    model.data = f"v{number}/train"
    model.history.append({"epoch": 1, "loss": float(number)})
    return model


@functools.cache
def hash_version(number):
    """Return the hash of a version's weights."""
    return helpers.hash_weights(make_version(number))


def read_version(folder):
    """Load a folder and check that all its files are of one version; return the number of the version."""
    model = zoo.load(folder)
    assert helpers.hash_weights(model) == hash_version(model.seed)
    assert model.data == f"v{model.seed}/train"
    assert model.history["loss"] == [float(model.seed)]
    assert f"- v{model.seed}\n" in model.card
    return model.seed


def fork(function, *args):
    """Run a function in a forked process; return the id of the process."""
    child = os.fork()
    if child:
        return child
    try:
        function(*args)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def wait_for(child):
    """Wait for a forked process; return its exit code, which is negative if a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def set_replace_method(method):
    """Replace folders by two renames if `method` is `rename`, as on systems that cannot exchange two folders."""
    if method == "rename":
        atomic._try_exchange = lambda one, other: False


def make_old_version(folder):
    """Return a folder with the old version and two files of the user, and with nothing beside it."""
    target, pattern = Path(folder) / "model", Path(folder) / "pattern" / "model"
    if not pattern.exists():
        make_version(OLD).save(pattern)
        (pattern / "figures").mkdir()
        (pattern / "figures" / "loss.txt").write_text("mine")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(pattern, target)
    assert list_leftovers(target) == []
    return target


def list_leftovers(target):
    """Return the names of what a writer left beside a folder."""
    return [name for name in helpers.list_siblings(target) if name not in ("pattern", "done")]


def check_survivor(target):
    """Check what a killed writer left, and that the next save cleans up; return `old` or `new`."""
    number = read_version(target)
    assert number in (OLD, NEW), number
    assert (target / "figures" / "loss.txt").read_text() == "mine"
    make_version(NEXT).save(target)
    assert read_version(target) == NEXT
    assert list_leftovers(target) == [], list_leftovers(target)
    assert (target / "figures" / "loss.txt").read_text() == "mine"
    return "old" if number == OLD else "new"


def kill_at_random(folder, count, method):
    """Kill `count` saves at random moments; count how often the old and the new version is left."""
    set_replace_method(method)
    rng, counts = random.Random(0), collections.Counter(old=0, new=0)
    make_version(NEW).save(make_old_version(folder))
    start = time.perf_counter()
    wait_for(fork(make_version(NEW).save, make_old_version(folder)))
    seconds = 1.2 * (time.perf_counter() - start)
    while counts["killed"] < count:  # saves that ended before the kill do not count
        target = make_old_version(folder)
        child = fork(make_version(NEW).save, target)
        time.sleep(rng.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        code = wait_for(child)
        counts[{0: "ended", -signal.SIGKILL: "killed"}[code]] += 1
        seconds *= 1.1 if code else 0.8
        counts[check_survivor(target)] += 1
    return counts


def _save_until(target, last):
    """Save, and be killed just before the `last`-th system call with the folder in its arguments."""
    calls = itertools.count(1)
    model, folder = make_version(NEW), str(target.parent)

    def watch(event, args):
        if folder in str(args) and next(calls) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    model.save(target)


def kill_at_every_call(folder, method):
    """Kill a save before its first system call, its second and so on; count which version is left."""
    set_replace_method(method)
    counts = collections.Counter()
    for last in itertools.count(1):
        target = make_old_version(folder)
        code = wait_for(fork(_save_until, target, last))
        if code == 0:
            assert read_version(target) == NEW
            return counts
        assert code == -signal.SIGKILL, code
        counts[check_survivor(target)] += 1


def race_writers(folder, writers, saves, readers, method):
    """Save from many processes to one folder while others read it; return the reads and the versions seen."""
    set_replace_method(method)
    target = make_version(0).save(Path(folder) / "model")

    def write(number):
        model = make_version(number)
        for _ in range(saves):
            model.save(target)

    def read(pipe):
        versions = collections.Counter()
        while not done.exists():
            versions[read_version(target)] += 1
        os.write(pipe, f"{sum(versions.values())} {len(versions)}\n".encode())

    done, (reader, pipe) = Path(folder) / "done", os.pipe()
    reader_ids = [fork(read, pipe) for _ in range(readers)]
    writer_ids = [fork(write, number) for number in range(writers)]
    codes = [wait_for(child) for child in writer_ids]
    done.touch()
    codes += [wait_for(child) for child in reader_ids]
    os.close(pipe)
    assert set(codes) == {0}, codes
    done.unlink()
    assert list_leftovers(target) == []
    read_version(target)
    counts = [line.split() for line in os.fdopen(reader).read().splitlines()]
    return {"reads": sum(int(reads) for reads, _ in counts), "versions": max(int(num) for _, num in counts)}


def get_refusal(target):
    """Return the message of a save that is refused, or an empty string."""
    try:
        make_version(NEW).save(target)
    except WeightsError as error:
        return str(error)
    return ""


def run_in_fork(function, *args):
    """Return the text that a function returns in a forked process."""
    reader, pipe = os.pipe()
    child = fork(lambda: os.write(pipe, function(*args).encode()))
    os.close(pipe)
    with os.fdopen(reader) as stream:
        text = stream.read()
    assert wait_for(child) == 0
    return text


def _save_with_limit(target, limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return get_refusal(target)


def save_on_full_disk(folder):
    """Save with each limit on the size of a file; return the message of each refusal."""
    target = make_old_version(folder)
    messages = {}
    for limit in LIMITS:
        messages[limit] = run_in_fork(_save_with_limit, target, limit)
        assert read_version(target) == OLD
        assert list_leftovers(target) == []
    assert run_in_fork(_save_with_limit, target, 1 << 20) == ""
    return messages


def _run_as_nobody(function, *args):
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return function(*args)


def give_to_nobody(path):
    """Make a user without rights the owner of a tree."""
    if os.getuid() == 0:
        for each in (path, *path.rglob("*")):
            os.chown(each, NOBODY, NOBODY, follow_symlinks=False)


def run_as_nobody(function, *args):
    """Return what a function returns for a user without rights."""
    return run_in_fork(_run_as_nobody, function, *args)


READ_ONLY = {
    "the folder": lambda target: (give_to_nobody(target), os.chmod(target.parent, 0o555)),
    "the model": lambda target: (give_to_nobody(target.parent), os.chmod(target, 0o555)),
    "another user's model": lambda target: (os.chmod(target, 0o755), os.chmod(target.parent, 0o777)),
    "another user's folder": lambda target: os.chmod(target.parent, 0o755),
    "a folder inside": lambda target: (give_to_nobody(target.parent), os.chmod(target / "figures", 0o555)),
}


def save_read_only(folder, case):
    """Try to save as a user who may not write there; return the message and what is left."""
    target = make_old_version(folder)
    READ_ONLY[case](target)
    return [run_as_nobody(get_refusal, target), read_version(target), list_leftovers(target)]


def load_moved_away(folder):
    """Return the version that a user without rights loads after a killed writer has renamed it."""
    target = make_old_version(folder)
    target.rename(target.with_name(".model.0123abcd.old"))
    return int(run_as_nobody(lambda: str(read_version(target))))


def save_with_umask(folder, mask):
    """Return the permissions of a saved folder and its files under a umask."""
    os.umask(mask)
    folder = make_version(OLD).save(Path(folder) / "model")
    return {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}


def _get_resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _measure_load(read, path):
    before, start, message = _get_resident_bytes(), time.perf_counter(), ""
    try:
        read(path)
    except WeightsError as error:
        message = str(error)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return json.dumps({"message": message, "seconds": seconds, "extra": max(0, peak - before)})


def measure_loads(folder, method, warm):
    """Load each file of a folder in its own process; return its message, seconds and extra memory."""
    read = {"read_tensors": zoo.files.safetensors.read_tensors, "zoo.load": zoo.load}[method]
    zoo.load(warm)  # imports at the first use do not count
    return {path.stem: json.loads(run_in_fork(_measure_load, read, path)) for path in sorted(Path(folder).iterdir())}


def _call(name, args):
    return json.dumps(globals()[name](*args))


def serve():
    """Read a function's name and arguments as JSON from each line; print what it returns in a fork."""
    for line in sys.stdin:
        try:
            result = run_in_fork(_call, *json.loads(line))
        except AssertionError:
            result = "null"
        print(result, flush=True)
