"""The card: what people wrote stays, in its text and in its metadata, however often a model is saved."""

import time

import pytest
import yaml
from PIL import Image

import zoo
from zoo.saving.card import MAX_ROWS
from zoo.saving.card_merge import BEGIN_MARK, END_MARK, merge_cards, metadata_of
from zoo.signature import Classes

OURS = """---
library_name: zoo-models
pipeline_tag: image-classification
tags:
- zoo
- gcn-7x7
---

<!-- zoo: written anew at each save; write above or below these marks -->

# gcn-7x7

What it is.

<!-- /zoo -->
"""


def carded(metadata, text="Mine.\n"):
    return f"---\n{metadata}\n---\n{text}"


@pytest.fixture(scope="module")
def model():
    train = zoo.dataset("fashion-mnist-7x7").train.take(64, seed=0)
    return zoo.create("gcn-7x7", seed=0, hidden=(4, 8)).fit(train, epochs=2, progress=False)


THEIRS = {
    "plain text": "Mine.\n",
    "text around the marks": OURS.replace(BEGIN_MARK, f"Above, mine.\n\n{BEGIN_MARK}") + "\nBelow.\n",
    "no line end": "Mine.",
    "windows": carded("a: b").replace("\n", "\r\n"),
    "metadata that is no YAML": carded("a: [b\n: :"),
    "metadata that is a list": carded("- a\n- b"),
    "metadata that never ends": "---\na: b\nMine.",
    "a byte order mark": "\ufeff" + carded("a: b"),
    "a date": carded("date: 2024-01-01"),
    "a set": carded("a: !!set {b, c}"),
    "code": carded("a: !!python/object/apply:os.system [ls]"),
    "no tags": carded("tags:"),
    "one tag": carded("tags: mine"),
    "odd results": carded("model-index: [3, [1], {name: 5}]"),
    "a list in itself": carded("a: &a [*a]"),
    "a mapping in itself": carded("a: &a {b: *a}"),
    "a zero": carded('a: "\\0"'),
    "half a letter": carded('a: "\\ud800"'),
    "a list as a key": carded("? [a, b]\n: c"),
    "a fence in the text": "Mine.\n---\na: b\n---\n",
    "300 levels": carded("a: " + "[" * 300 + "]" * 300),
    "100,000 levels": carded("a: " + "[" * 100_000 + "]" * 100_000),
    "10,000 digits": carded("a: " + "9" * 10_000),
    "a mark cut in two": OURS.replace(END_MARK, "") + "Mine.\n",
    "the end before the beginning": f"{END_MARK} Mine. {BEGIN_MARK}",
    "a list of lists as tags": carded("tags: [[a], {b: c}]"),
    "a list in itself as tags": carded("tags: &a [*a]"),
}


@pytest.mark.parametrize("theirs", THEIRS.values(), ids=THEIRS)
def test_what_people_wrote_stays_once_and_merging_again_changes_nothing(theirs):
    text = merge_cards(OURS, theirs)
    for _ in range(3):
        assert merge_cards(OURS, text) == text
    assert text.lower().count("mine.") == theirs.lower().count("mine.")
    assert f"# gcn-7x7\n\nWhat it is.\n\n{END_MARK}" in text
    assert metadata_of(text)["library_name"] == "zoo-models"


def test_a_card_that_holds_what_people_wrote_is_merged_with_one_that_does_too():
    theirs = THEIRS["text around the marks"]
    assert merge_cards(theirs, theirs) == merge_cards(OURS, theirs)


def test_text_stays_above_and_below_the_block():
    text = merge_cards(OURS, "---\na: b\n---\nAbove.\n\n" + f"{BEGIN_MARK}\nold\n{END_MARK}" + "\n\nBelow.\n")
    assert [text.index(word) for word in ("Above.", BEGIN_MARK, "What it is.", END_MARK, "Below.")] == sorted(
        text.index(word) for word in ("Above.", BEGIN_MARK, "What it is.", END_MARK, "Below.")
    )
    assert "old" not in text


def test_metadata_that_zoo_does_not_write_stays():
    theirs = carded("license: mit\nbase_model: [a/b]\ntags: [mine, zoo]\ndate: 2024-01-01\nlibrary_name: other")
    found = metadata_of(merge_cards(OURS, theirs))
    assert (found["license"], found["base_model"], str(found["date"])) == ("mit", ["a/b"], "2024-01-01")
    assert found["tags"] == ["zoo", "gcn-7x7", "mine"]
    assert found["library_name"] == "zoo-models"


def test_an_empty_card_is_ours():
    assert merge_cards(OURS, "") == merge_cards(OURS, " \n") == OURS


ALIASES = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 10)}]" for n in range(10))
MERGES = "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10 if n else ['{x: 1}'])}]}}" for n in range(5))


@pytest.mark.parametrize(
    "metadata",
    [ALIASES, f"{ALIASES}\ntags: *a9", MERGES, "\n".join(f"k{n}: v" for n in range(5_000))],
    ids=["aliases", "aliases as tags", "merges", "many"],
)
def test_metadata_that_would_grow_for_ever_does_not_hang(metadata):
    start = time.perf_counter()
    text = merge_cards(OURS, carded(metadata))
    assert time.perf_counter() - start < 5
    assert len(text) < 1 << 20
    assert "Mine." in text


def test_a_class_may_be_called_as_a_mark_is(model, tmp_path):
    odd = zoo.load(model.save(tmp_path / "model"))
    odd.classes = Classes.of(range(10), [BEGIN_MARK, END_MARK, "---", "```", "`", "$x$", "<b>", "a\nb", "|", ""])
    first = odd.save(tmp_path / "odd").joinpath("README.md").read_text()
    for _ in range(3):
        zoo.load(tmp_path / "odd").save(tmp_path / "odd")
    assert (tmp_path / "odd" / "README.md").read_text() == first


def test_saving_again_changes_no_letter(model, tmp_path):
    first = model.save(tmp_path / "model").joinpath("README.md").read_text()
    for _ in range(3):
        zoo.load(tmp_path / "model").save(tmp_path / "model")
        assert (tmp_path / "model" / "README.md").read_text() == first


def blocks(text):
    """Return the Python on a card."""
    return [part.partition("```")[0] for part in text.split("```python\n")[1:]]


def test_the_code_on_a_card_runs(model, tmp_path, small):
    folder = model.save(tmp_path / "model")
    use, train = blocks((folder / "README.md").read_text())
    picture = tmp_path / "picture.png"
    Image.fromarray(small.images[0, 0].numpy()).save(picture)
    use = use.replace("./path/of/this/folder", str(folder)).replace("picture.png", str(picture))
    names = {}
    exec(use, names)
    assert len(names["labels"]) == 1
    assert "epochs=2" in train
    assert "seed=0" in train


def test_a_long_training_is_told_in_few_rows(tmp_path):
    model = zoo.create("gcn-7x7", seed=0, hidden=(4, 8))
    for epoch in range(1, 1001):
        model.history.append({"epoch": epoch, "loss": 1.0 / epoch})
    text = model.save(tmp_path / "model").joinpath("README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert len(rows) <= MAX_ROWS + 2
    assert rows[0].startswith("| 1 |")
    assert rows[-1].startswith("| 1000 |")


def test_the_metadata_is_yaml_that_others_read(model, tmp_path):
    head = model.save(tmp_path / "model").joinpath("README.md").read_text().split("---\n")[1]
    found = yaml.safe_load(head)
    assert found["pipeline_tag"] == "image-classification"
    assert found["datasets"] == ["fashion-mnist-7x7"]
