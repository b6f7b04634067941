"""The card: edits of people stay, in its text and in its metadata, however often a model is saved."""

import time

import pytest
import yaml
from PIL import Image

import zoo
from zoo.saving.card import MAX_ROWS
from zoo.saving.card_merge import BEGIN_MARK, END_MARK, merge_cards, split_card
from zoo.signature import Classes

NEW = """---
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


def make_card(metadata, text="Mine.\n"):
    return f"---\n{metadata}\n---\n{text}"


@pytest.fixture(scope="module")
def model():
    train = zoo.dataset("fashion-mnist-7x7").train.take(64, seed=0)
    return zoo.create("gcn-7x7", seed=0, hidden=(4, 8)).fit(train, epochs=2, progress=False)


EXISTING = {
    "plain text": "Mine.\n",
    "text around the marks": NEW.replace(BEGIN_MARK, f"Above, mine.\n\n{BEGIN_MARK}") + "\nBelow.\n",
    "no line end": "Mine.",
    "windows": make_card("a: b").replace("\n", "\r\n"),
    "metadata that is no YAML": make_card("a: [b\n: :"),
    "metadata that is a list": make_card("- a\n- b"),
    "metadata that never ends": "---\na: b\nMine.",
    "a byte order mark": "\ufeff" + make_card("a: b"),
    "a date": make_card("date: 2024-01-01"),
    "a set": make_card("a: !!set {b, c}"),
    "code": make_card("a: !!python/object/apply:os.system [ls]"),
    "no tags": make_card("tags:"),
    "one tag": make_card("tags: mine"),
    "odd results": make_card("model-index: [3, [1], {name: 5}]"),
    "a list in itself": make_card("a: &a [*a]"),
    "a mapping in itself": make_card("a: &a {b: *a}"),
    "a zero": make_card('a: "\\0"'),
    "half a letter": make_card('a: "\\ud800"'),
    "a list as a key": make_card("? [a, b]\n: c"),
    "a fence in the text": "Mine.\n---\na: b\n---\n",
    "300 levels": make_card("a: " + "[" * 300 + "]" * 300),
    "100,000 levels": make_card("a: " + "[" * 100_000 + "]" * 100_000),
    "10,000 digits": make_card("a: " + "9" * 10_000),
    "a mark cut in two": NEW.replace(END_MARK, "") + "Mine.\n",
    "the end before the beginning": f"{END_MARK} Mine. {BEGIN_MARK}",
    "a list of lists as tags": make_card("tags: [[a], {b: c}]"),
    "a list in itself as tags": make_card("tags: &a [*a]"),
}


@pytest.mark.parametrize("existing", EXISTING.values(), ids=EXISTING)
def test_edits_stay_once_and_merging_again_changes_nothing(existing):
    text = merge_cards(NEW, existing)
    for _ in range(3):
        assert merge_cards(NEW, text) == text
    assert text.lower().count("mine.") == existing.lower().count("mine.")
    assert f"# gcn-7x7\n\nWhat it is.\n\n{END_MARK}" in text
    assert split_card(text)[0]["library_name"] == "zoo-models"


def test_an_edited_card_is_merged_with_an_edited_card():
    existing = EXISTING["text around the marks"]
    assert merge_cards(existing, existing) == merge_cards(NEW, existing)


def test_text_stays_above_and_below_the_block():
    text = merge_cards(NEW, "---\na: b\n---\nAbove.\n\n" + f"{BEGIN_MARK}\nold\n{END_MARK}" + "\n\nBelow.\n")
    assert [text.index(word) for word in ("Above.", BEGIN_MARK, "What it is.", END_MARK, "Below.")] == sorted(
        text.index(word) for word in ("Above.", BEGIN_MARK, "What it is.", END_MARK, "Below.")
    )
    assert "old" not in text


def test_metadata_that_zoo_does_not_write_stays():
    existing = make_card("license: mit\nbase_model: [a/b]\ntags: [mine, zoo]\ndate: 2024-01-01\nlibrary_name: other")
    metadata = split_card(merge_cards(NEW, existing))[0]
    assert (metadata["license"], metadata["base_model"], str(metadata["date"])) == ("mit", ["a/b"], "2024-01-01")
    assert metadata["tags"] == ["zoo", "gcn-7x7", "mine"]
    assert metadata["library_name"] == "zoo-models"


def test_an_empty_card_is_replaced():
    assert merge_cards(NEW, "") == merge_cards(NEW, " \n") == NEW


ALIASES = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 10)}]" for n in range(10))
MERGES = "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10 if n else ['{x: 1}'])}]}}" for n in range(5))


@pytest.mark.parametrize(
    "metadata",
    [ALIASES, f"{ALIASES}\ntags: *a9", MERGES, "\n".join(f"k{n}: v" for n in range(5_000))],
    ids=["aliases", "aliases as tags", "merges", "many"],
)
def test_metadata_that_would_grow_without_bound_does_not_hang(metadata):
    start = time.perf_counter()
    text = merge_cards(NEW, make_card(metadata))
    assert time.perf_counter() - start < 5
    assert len(text) < 1 << 20
    assert "Mine." in text


def test_a_class_may_have_the_name_of_a_mark(model, tmp_path):
    odd = zoo.load(model.save(tmp_path / "model"))
    odd.classes = Classes.of(range(10), [BEGIN_MARK, END_MARK, "---", "```", "`", "$x$", "<b>", "a\nb", "|", ""])
    first = odd.save(tmp_path / "odd").joinpath("README.md").read_text()
    for _ in range(3):
        zoo.load(tmp_path / "odd").save(tmp_path / "odd")
    assert (tmp_path / "odd" / "README.md").read_text() == first


def test_saving_again_does_not_change_the_card(model, tmp_path):
    first = model.save(tmp_path / "model").joinpath("README.md").read_text()
    for _ in range(3):
        zoo.load(tmp_path / "model").save(tmp_path / "model")
        assert (tmp_path / "model" / "README.md").read_text() == first


def read_blocks(text):
    """Return the Python code on a card."""
    return [part.partition("```")[0] for part in text.split("```python\n")[1:]]


def test_the_code_on_a_card_runs(model, tmp_path, small):
    folder = model.save(tmp_path / "model")
    use, train = read_blocks((folder / "README.md").read_text())
    picture = tmp_path / "picture.png"
    Image.fromarray(small.images[0, 0].numpy()).save(picture)
    use = use.replace("./path/of/this/folder", str(folder)).replace("picture.png", str(picture))
    names = {}
    exec(use, names)
    assert len(names["labels"]) == 1
    assert "epochs=2" in train
    assert "seed=0" in train


def test_a_long_training_is_shown_in_few_rows(tmp_path):
    model = zoo.create("gcn-7x7", seed=0, hidden=(4, 8))
    for epoch in range(1, 1001):
        model.history.append({"epoch": epoch, "loss": 1.0 / epoch})
    text = model.save(tmp_path / "model").joinpath("README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert len(rows) <= MAX_ROWS + 2
    assert rows[0].startswith("| 1 |")
    assert rows[-1].startswith("| 1000 |")


def test_the_metadata_is_valid_yaml(model, tmp_path):
    head = model.save(tmp_path / "model").joinpath("README.md").read_text().split("---\n")[1]
    metadata = yaml.safe_load(head)
    assert metadata["pipeline_tag"] == "image-classification"
    assert metadata["datasets"] == ["fashion-mnist-7x7"]
