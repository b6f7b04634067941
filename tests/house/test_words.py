"""Text for people is plain modern English: the words below are not used, except where a stored file contains them."""

import re
from collections import Counter
from fnmatch import fnmatchcase

import pytest

from tests.house.sources import list_texts

WORDS = {
    "told": "use `printed`, `passed`, `set` or a noun",
    "tells": "use `says`, `shows` or `returns`",
    "asked": "use `requested` or `called`",
    "wants": "use `needs` or `takes`",
    "mend": "use `fix`",
    "mended": "use `fixed`",
    "amiss": "use `wrong`",
    "anew": "use `again`",
    "afresh": "use `again`",
    "meanwhile": "use `at the same time`, or name the other process",
    "ours": "use the noun",
    "theirs": "use the noun",
    "stranger": "use `third party` or `new user`",
    "strangers": "use `third parties` or `new users`",
    "by turns": "use `alternating` or `in alternation`",
    "say which": "use `name it` or `choose one`",
}
"""Words that are not used, with what to write in their place."""
FILES = ("zoo/*.py", "zoo/*.tmpl", "plugins/*.py", "plugins/*.md", "docs/*.md", "docs/*.py", "examples/*", "README.md")
ALLOWED = {
    ("zoo/saving/card_merge.py", "anew"): (1, "a mark in the cards that ship and lie on Hubs"),
    ("zoo/testing/models/__init__.py", "tells"): (1, "name_tells_the_size, a check's name, stands in others' settings"),
    ("zoo/testing/models/declaration.py", "tells"): (
        1,
        "name_tells_the_size, a check's name, stands in others' settings",
    ),
    ("docs/reference/plugins.md", "tells"): (2, "name_tells_the_size, a check's name, stands in others' settings"),
    ("plugins/zoo_grid_gcn/experiments.py", "mended"): (3, "part of a row's label in a stored ledger"),
    ("docs/tables/paper1-7x7.md", "mended"): (5, "part of a row's label in a stored ledger"),
    ("docs/papers.md", "mended"): (5, "part of a row's label in a stored ledger"),
}
"""How often a file may contain a word, with the reason. The numbers may only fall."""
PATTERN = re.compile(rf"\b({'|'.join(WORDS)})\b", re.IGNORECASE)
TEXTS = list_texts(*FILES)


def count_words(text):
    return Counter(word.lower() for word in PATTERN.findall(" ".join(text.replace("_", " ").split())))


def list_excess():
    """Return (file, word, count) wherever a file contains a word more often than it may."""
    return [
        (name, word, count)
        for name, text in TEXTS
        for word, count in count_words(text).items()
        if count > ALLOWED.get((name, word), (0, ""))[0]
    ]


def test_the_text_is_plain_english():
    print(f"{len(TEXTS)} files, {sum(count for _, _, count in list_excess())} words to replace")
    assert [f"{name}: {word!r} {count} times; {WORDS[word]}" for name, word, count in list_excess()] == []


def test_every_exception_is_needed():
    counts = {(name, word): count for name, text in TEXTS for word, count in count_words(text).items()}
    assert {key: counts.get(key, 0) for key in ALLOWED} == {key: count for key, (count, _) in ALLOWED.items()}


def test_every_pattern_matches_a_file():
    assert all(any(fnmatchcase(name, pattern) for name, _ in TEXTS) for pattern in FILES if pattern != "plugins/*.md")


@pytest.mark.parametrize("text", ["It told us.", "Mend it", "one by\nturns", "def _told(", "amiss"])
def test_a_word_is_recognised(text):
    assert count_words(text)


@pytest.mark.parametrize("text", ["recommend", "amends", "hours", "yours", "untold", "wantsome"])
def test_a_part_of_another_word_is_not(text):
    assert not count_words(text)
