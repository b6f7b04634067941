"""Paper 3's tables as values: what they name is there, arms are equally long, and nothing unseen is drawn from."""

import math
from contextlib import contextmanager

import pytest
import torch

import zoo
from tests.support.fake_plugin import offer
from zoo.data import Dataset, center_crop
from zoo.errors import ConfigError
from zoo.experiment import Ledger, run
from zoo.factory.build import bind_config
from zoo.plugins.import_string import import_object
from zoo.signature import Classes
from zoo_attention_gan import arms, budgets, generators, verdicts
from zoo_attention_gan.arms import Arm, count_added
from zoo_attention_gan.budgets import NUM_IMAGES, Budget, take_balanced
from zoo_attention_gan.experiments import EXPERIMENTS, PLAIN
from zoo_attention_gan.generators import CachedGenerator
from zoo_attention_gan.prepare import prepare_as_in_paper_3

TABLES = {experiment.name: experiment for experiment in EXPERIMENTS}
ROWS = [(experiment.name, row) for experiment in EXPERIMENTS for row in experiment.rows]
DRAWER = CachedGenerator(model="attention-gan-28x28", config={"width": 4}, changes={"epochs": 2, "batch_size": 16})


def noise(num, seed=0):
    """Return so many images of 16 x 16 pixels, the ten classes by turns."""
    pixels = torch.randint(0, 256, (num, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return zoo.Images(pixels, torch.arange(num) % 10, Classes.numbered(10))


@pytest.fixture
def sets(monkeypatch, tmp_path):
    """Return 40 training and 10 test images; generators are kept in a folder of the test's own."""
    monkeypatch.setattr(generators, "CACHE_FOLDER", tmp_path / "generators")
    return Dataset(train=lambda: noise(40), test=lambda: noise(10, seed=1), name="noise")


def steps(row, num):
    """Return how many steps a classifier takes on a set of so many images."""
    recipe = zoo.models[row.model].get_recipe(row.recipe).replace(**row.changes)
    return recipe.epochs * math.ceil(num * (1 - recipe.validation) / recipe.batch_size)


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table} {row.label}" for table, row in ROWS])
def test_a_row_names_a_model_a_recipe_and_functions_that_are_there(table, row):
    spec = zoo.models[row.model]
    bind_config(spec, row.config)
    assert spec.get_recipe(row.recipe).replace(**row.changes)
    for name in filter(None, (row.train, row.score)):
        assert callable(import_object(name, row.label))
    assert TABLES[table].dataset in zoo.datasets


@pytest.mark.parametrize("table", ["paper3-mnist", "paper3-cifar10"])
def test_every_arm_of_a_classifier_takes_equally_many_steps(table):
    real = zoo.datasets[TABLES[table].dataset].counts["train"]
    sizes = {"original": real, "drawn": real, "half and half": real, "added": real + count_added(real)}
    taken = {}
    for row in TABLES[table].rows:
        arm, model = row.label.split(": ")
        taken.setdefault(model, set()).add(steps(row, sizes[arm.removesuffix(", sn-gan")]))
    assert set(taken) == {"CNN", "ResNet18", "ResNet34", "ResNet50", "ResNet101"}
    assert all(len(numbers) == 1 for numbers in taken.values())


def test_the_papers_numbers_stand_at_their_rows():
    papers = {row.label: row.paper.get("accuracy") for row in TABLES["paper3-mnist"].rows}
    assert (papers["drawn: CNN"], papers["original: ResNet50"]) == (0.9649, 0.9765)
    assert (papers["half and half: ResNet34"], papers["added: ResNet34"]) == (0.9895, None)
    others = {row.label: row.paper.get("accuracy") for row in TABLES["paper3-cifar10"].rows}
    assert [label for label, paper in others.items() if paper] == ["half and half: ResNet34"]


def test_every_budget_is_one_size_and_one_number_of_steps():
    assert {steps(row, NUM_IMAGES) for row in TABLES["paper3-small-data"].rows} == {1000}


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_the_ablation_counts_attention_modules(number):
    row = TABLES["paper3-attention"].rows[number]
    kinds = [type(module).__name__ for module in zoo.create(row.model, seed=0, **row.config).net.modules()]
    assert kinds.count("SpatialAttention") == number


@pytest.mark.parametrize(("kind", "real", "size"), [("original", 40, 40), ("drawn", 0, 40), ("half", 20, 40)])
def test_an_arm_has_as_many_images_as_there_are_and_its_share_of_real_ones(sets, kind, real, size):
    images = Arm(kind=kind, generator=DRAWER)(sets, seed=1, quick=False)
    known = {image.numpy().tobytes() for image in sets.train.images}
    assert len(images) == size
    assert sum(image.numpy().tobytes() in known for image in images.images) == real


def test_added_are_all_real_images_and_an_epoch_of_twice_the_batches(sets):
    images = Arm(kind="added", generator=DRAWER)(sets, seed=1, quick=False)
    known = {image.numpy().tobytes() for image in sets.train.images}
    assert len(images) == 256 == 40 + count_added(40)
    assert sum(image.numpy().tobytes() in known for image in images.images) == 40


def test_each_seed_draws_other_images_and_the_same_seed_the_same(sets):
    drawn = Arm(kind="drawn", generator=DRAWER)
    assert drawn(sets, seed=1, quick=False) == drawn(sets, seed=1, quick=False)
    assert drawn(sets, seed=1, quick=False) != drawn(sets, seed=2, quick=False)


def test_a_budget_is_drawn_from_the_training_images_as_many_of_each_class(sets):
    images = take_balanced(sets.train, 20, seed=3)
    assert list(images.counts.values()) == [2] * 10
    assert images == take_balanced(sets.train, 20, seed=3)
    assert images != take_balanced(sets.train, 20, seed=4)


@pytest.mark.parametrize(("kind", "real"), [("real", 640), ("drawn", 0), ("both", 320)])
def test_a_budget_fills_its_set_with_the_known_images_and_drawn_ones(sets, monkeypatch, kind, real):
    monkeypatch.setattr(budgets, "GENERATOR", DRAWER)
    images = Budget(num_known=10, kind=kind)(sets, seed=0, quick=True)
    known = {image.numpy().tobytes() for image in take_balanced(sets.train, 10, 0).images}
    assert len(images) == 640
    assert sum(image.numpy().tobytes() in known for image in images.images) == real


def test_a_generator_is_trained_once_for_all_cells_and_on_the_images_it_is_given(sets, monkeypatch):
    first = DRAWER.load_or_train(sets.train, seed=0, quick=False)
    monkeypatch.setattr(zoo.Model, "fit", lambda *args, **how: pytest.fail("it was trained again"))
    assert DRAWER.load_or_train(sets.train, seed=0, quick=False).sample(5) == first.sample(5)
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        DRAWER.load_or_train(sets.test, seed=0, quick=False)


class Killed(BaseException):
    """Ends a training in its middle, as a kill does."""


class Cut:
    """Kills in the second epoch."""

    def on_step(self, training):
        if training.epoch == 2:
            raise Killed

    def on_epoch(self, training):
        pass


@pytest.fixture
def cut(monkeypatch):
    """Return what kills every training that keeps checkpoints, as a generator's does, and lists their folders."""

    @contextmanager
    def cut():
        fit, begun = zoo.Model.fit, []

        def killed(model, *args, **how):
            if "checkpoint" in how:
                begun.append(how["checkpoint"])
                how["callbacks"] = [Cut()]
            return fit(model, *args, **how)

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(zoo.Model, "fit", killed)
            yield begun

    return cut


def test_a_generator_whose_training_was_cut_goes_on_and_ends_in_the_same_bits(sets, monkeypatch, tmp_path, cut):
    whole = DRAWER.load_or_train(sets.train, seed=0, quick=False)
    monkeypatch.setattr(generators, "CACHE_FOLDER", tmp_path / "again")
    with cut() as begun, pytest.raises(Killed):
        DRAWER.load_or_train(sets.train, seed=0, quick=False)
    assert list((begun[0] / "checkpoints").iterdir())
    again = DRAWER.load_or_train(sets.train, seed=0, quick=False)
    assert again.history["generator_loss"] == whole.history["generator_loss"]
    assert again.sample(5) == whole.sample(5)
    assert not (begun[0] / "checkpoints").exists()


def noise_set(*, download=False):
    return Dataset(train=lambda: noise(40), test=lambda: noise(10, seed=1), name="noise")


def test_a_table_cut_while_its_generator_trains_loses_no_cell_and_repeats_none(sets, monkeypatch, tmp_path, cut):
    about = {"classes": tuple("0123456789"), "size": (16, 16), "channels": 1, "counts": {"train": 40, "test": 10}}
    build = {"build": f"{__name__}:noise_set", "license": "CC0-1.0"}
    offer(monkeypatch, zoo.DatasetSpec(name="noise", summary="noise", **about, **build))
    monkeypatch.setitem(generators.DEFAULT_GENERATORS, "noise", DRAWER)
    how = {"model": "cnn-simple", "config": {"size": (16, 16)}, "recipe": "adam", "changes": {**PLAIN, "epochs": 1}}
    arms_of = {"original: CNN": "ORIGINAL", "drawn: CNN": "DRAWN", "half and half: CNN": "HALF"}
    rows = tuple(zoo.Row(label=key, train=f"zoo_attention_gan.arms:{arm}", **how) for key, arm in arms_of.items())
    table = zoo.Experiment(name="cut", summary="", source="", dataset="noise", seeds=(0,), rows=rows)
    ledger, begun = Ledger(tmp_path / "cut.jsonl"), []
    with cut(), pytest.raises(Killed):
        run(table, ledger, progress=False)
    assert [cell.row for cell in ledger.read_cells()] == ["original: CNN"]
    for _ in range(2):
        run(table, ledger, progress=False, on_start=lambda row, *told: begun.append(row.label))
    assert begun == ["drawn: CNN", "half and half: CNN"]
    assert [cell.row for cell in ledger.read_cells()] == list(arms_of)


def test_what_ships_draws_only_images_of_the_set_it_was_trained_on(sets):
    with pytest.raises(ConfigError, match=r"was trained on mnist/train, and noise/train is to be drawn"):
        generators.DEFAULT_GENERATORS["mnist"].load_or_train(sets.train, seed=0, quick=False)


def test_a_set_without_a_generator_says_which_have_one(sets):
    with pytest.raises(ConfigError, match="no generator is named for noise; there is one for mnist, cifar10-jpeg"):
        Arm(kind="drawn")(sets, seed=0, quick=False)


@pytest.mark.parametrize("make", [lambda: Arm(kind="mixed"), lambda: Budget(num_known=9, kind="mixed")])
def test_a_kind_that_is_not_there_is_refused(make):
    with pytest.raises(ConfigError, match="not 'mixed'"):
        make()


class Cell:
    """A cell with an accuracy."""

    def __init__(self, row, seed, accuracy):
        self.row, self.seed, self.metrics = row, seed, {"accuracy": accuracy}


def test_arms_are_compared_with_the_original_seed_by_seed():
    cells = [Cell("original: CNN", 0, 0.98), Cell("original: CNN", 1, 0.97), Cell("drawn: CNN", 0, 0.95)]
    cells += [Cell("half and half: CNN", seed, 0.99) for seed in (0, 1, 2)]
    assert verdicts.compare_arms(cells) == [
        "CNN: drawn against original -3.00 points (1 seed, paired): one seed decides nothing.",
        "CNN: half and half against original +1.50 ± 0.71 points (2 seeds, paired): better with every seed.",
    ]


def test_budgets_are_compared_plain_and_augmented_apart():
    cells = [Cell("real: 100 images", seed, 0.7) for seed in (0, 1)]
    cells += [Cell("both: 100 images", seed, 0.69 + seed / 50) for seed in (0, 1)]
    cells += [Cell("both, augmented: 100 images", 0, 0.9)]
    (sentence,) = verdicts.compare_budgets(cells)
    assert sentence.startswith("100 images: both against real +0.00")
    assert sentence.endswith("no clear difference.")


def test_attention_modules_are_compared_with_none():
    cells = [
        Cell("0 attention modules", 0, 0.8),
        Cell("1 attention module", 0, 0.9),
        Cell("3 attention modules", 1, 0.9),
    ]
    for cell in cells:
        cell.metrics = {"accuracy_score": cell.metrics["accuracy"]}
    assert verdicts.compare_modules(cells) == [
        "accuracy score: 1 attention module against 0 attention modules +10.00 points (1 seed, paired): "
        "one seed decides nothing."
    ]


def test_arms_of_the_tables_are_those_of_the_module():
    assert (arms.ORIGINAL.kind, arms.HALF.kind, arms.ADDED_BY_SPECTRAL.generator.model) == (
        "original",
        "half",
        "sn-gan-32x32",
    )


def test_preparation_crops_rotates_and_changes_contrast(bundled):
    large = bundled.train[:20].resize(32)
    prepared = prepare_as_in_paper_3(large)
    assert prepared.size == (28, 28)
    assert torch.equal(prepared.labels, large.labels)
    assert not torch.equal(prepared.images, center_crop(large, 28).images)
