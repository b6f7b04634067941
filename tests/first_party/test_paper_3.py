"""Paper 3's experiments: their names exist, arms are equally long, and generators see only the training images."""

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
GENERATOR = CachedGenerator(model="attention-gan-28x28", config={"width": 4}, changes={"epochs": 2, "batch_size": 16})


def make_noise(num, seed=0):
    """Return `num` images of 16 x 16 pixels, the ten classes alternating."""
    pixels = torch.randint(0, 256, (num, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return zoo.Images(pixels, torch.arange(num) % 10, Classes.numbered(10))


@pytest.fixture
def dataset(monkeypatch, tmp_path):
    """Return 40 training and 10 test images, and save generators in a temporary folder."""
    monkeypatch.setattr(generators, "CACHE_FOLDER", tmp_path / "generators")
    return Dataset(train=lambda: make_noise(40), test=lambda: make_noise(10, seed=1), name="noise")


def count_steps(row, num):
    """Return the number of steps of a classifier on a set of `num` images."""
    recipe = zoo.models[row.model].get_recipe(row.recipe).replace(**row.changes)
    return recipe.epochs * math.ceil(num * (1 - recipe.validation) / recipe.batch_size)


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table} {row.label}" for table, row in ROWS])
def test_a_row_names_an_existing_model_recipe_and_functions(table, row):
    spec = zoo.models[row.model]
    bind_config(spec, row.config)
    assert spec.get_recipe(row.recipe).replace(**row.changes)
    for name in filter(None, (row.train, row.score)):
        assert callable(import_object(name, row.label))
    assert TABLES[table].dataset in zoo.datasets


@pytest.mark.parametrize("table", ["paper3-mnist", "paper3-cifar10"])
def test_all_arms_of_a_classifier_take_equally_many_steps(table):
    real = zoo.datasets[TABLES[table].dataset].counts["train"]
    sizes = {"original": real, "drawn": real, "half and half": real, "added": real + count_added(real)}
    num_steps = {}
    for row in TABLES[table].rows:
        arm, model = row.label.split(": ")
        num_steps.setdefault(model, set()).add(count_steps(row, sizes[arm.removesuffix(", sn-gan")]))
    assert set(num_steps) == {"CNN", "ResNet18", "ResNet34", "ResNet50", "ResNet101"}
    assert all(len(numbers) == 1 for numbers in num_steps.values())


def test_the_papers_numbers_belong_to_their_rows():
    papers = {row.label: row.paper.get("accuracy") for row in TABLES["paper3-mnist"].rows}
    assert (papers["drawn: CNN"], papers["original: ResNet50"]) == (0.9649, 0.9765)
    assert (papers["half and half: ResNet34"], papers["added: ResNet34"]) == (0.9895, None)
    others = {row.label: row.paper.get("accuracy") for row in TABLES["paper3-cifar10"].rows}
    assert [label for label, paper in others.items() if paper] == ["half and half: ResNet34"]


def test_all_budgets_take_the_same_number_of_steps():
    assert {count_steps(row, NUM_IMAGES) for row in TABLES["paper3-small-data"].rows} == {1000}


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_the_ablation_varies_the_number_of_attention_modules(number):
    row = TABLES["paper3-attention"].rows[number]
    kinds = [type(module).__name__ for module in zoo.create(row.model, seed=0, **row.config).net.modules()]
    assert kinds.count("SpatialAttention") == number


@pytest.mark.parametrize(("kind", "real", "size"), [("original", 40, 40), ("drawn", 0, 40), ("half", 20, 40)])
def test_an_arm_has_the_size_of_the_training_set_and_its_share_of_real_images(dataset, kind, real, size):
    images = Arm(kind=kind, generator=GENERATOR)(dataset, seed=1, quick=False)
    known = {image.numpy().tobytes() for image in dataset.train.images}
    assert len(images) == size
    assert sum(image.numpy().tobytes() in known for image in images.images) == real


def test_added_has_all_real_images_and_twice_the_batches(dataset):
    images = Arm(kind="added", generator=GENERATOR)(dataset, seed=1, quick=False)
    known = {image.numpy().tobytes() for image in dataset.train.images}
    assert len(images) == 256 == 40 + count_added(40)
    assert sum(image.numpy().tobytes() in known for image in images.images) == 40


def test_a_seed_determines_the_generated_images(dataset):
    arm = Arm(kind="drawn", generator=GENERATOR)
    assert arm(dataset, seed=1, quick=False) == arm(dataset, seed=1, quick=False)
    assert arm(dataset, seed=1, quick=False) != arm(dataset, seed=2, quick=False)


def test_a_budget_has_equally_many_images_of_each_class(dataset):
    images = take_balanced(dataset.train, 20, seed=3)
    assert list(images.counts.values()) == [2] * 10
    assert images == take_balanced(dataset.train, 20, seed=3)
    assert images != take_balanced(dataset.train, 20, seed=4)


@pytest.mark.parametrize(("kind", "real"), [("real", 640), ("drawn", 0), ("both", 320)])
def test_a_budget_fills_its_set_with_known_and_generated_images(dataset, monkeypatch, kind, real):
    monkeypatch.setattr(budgets, "GENERATOR", GENERATOR)
    images = Budget(num_known=10, kind=kind)(dataset, seed=0, quick=True)
    known = {image.numpy().tobytes() for image in take_balanced(dataset.train, 10, 0).images}
    assert len(images) == 640
    assert sum(image.numpy().tobytes() in known for image in images.images) == real


def test_a_generator_is_trained_once_per_set_of_images(dataset, monkeypatch):
    first = GENERATOR.load_or_train(dataset.train, seed=0, quick=False)
    monkeypatch.setattr(zoo.Model, "fit", lambda *args, **options: pytest.fail("it was trained again"))
    assert GENERATOR.load_or_train(dataset.train, seed=0, quick=False).sample(5) == first.sample(5)
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        GENERATOR.load_or_train(dataset.test, seed=0, quick=False)


class Killed(BaseException):
    """Ends a training as a kill does."""


class KillInSecondEpoch:
    """Raises `Killed` in the second epoch."""

    def on_step(self, training):
        if training.epoch == 2:
            raise Killed

    def on_epoch(self, training):
        pass


@pytest.fixture
def kill_trainings(monkeypatch):
    """Return a context that kills every training with checkpoints and lists the folders of these checkpoints."""

    @contextmanager
    def kill():
        fit, folders = zoo.Model.fit, []

        def fit_and_kill(model, *args, **options):
            if "checkpoint" in options:
                folders.append(options["checkpoint"])
                options["callbacks"] = [KillInSecondEpoch()]
            return fit(model, *args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(zoo.Model, "fit", fit_and_kill)
            yield folders

    return kill


def test_a_killed_training_of_a_generator_resumes_with_the_same_result(dataset, monkeypatch, tmp_path, kill_trainings):
    complete = GENERATOR.load_or_train(dataset.train, seed=0, quick=False)
    monkeypatch.setattr(generators, "CACHE_FOLDER", tmp_path / "resumed")
    with kill_trainings() as folders, pytest.raises(Killed):
        GENERATOR.load_or_train(dataset.train, seed=0, quick=False)
    assert list((folders[0] / "checkpoints").iterdir())
    resumed = GENERATOR.load_or_train(dataset.train, seed=0, quick=False)
    assert resumed.history["generator_loss"] == complete.history["generator_loss"]
    assert resumed.sample(5) == complete.sample(5)
    assert not (folders[0] / "checkpoints").exists()


def read_noise(*, download=False):
    return Dataset(train=lambda: make_noise(40), test=lambda: make_noise(10, seed=1), name="noise")


def test_an_experiment_killed_while_its_generator_trains_loses_and_repeats_no_cell(
    dataset, monkeypatch, tmp_path, kill_trainings
):
    fields = {"classes": tuple("0123456789"), "size": (16, 16), "channels": 1, "counts": {"train": 40, "test": 10}}
    build = {"build": f"{__name__}:read_noise", "license": "CC0-1.0"}
    offer(monkeypatch, zoo.DatasetSpec(name="noise", summary="noise", **fields, **build))
    monkeypatch.setitem(generators.DEFAULT_GENERATORS, "noise", GENERATOR)
    common = {"model": "cnn-simple", "config": {"size": (16, 16)}, "recipe": "adam", "changes": {**PLAIN, "epochs": 1}}
    arm_by_label = {"original: CNN": "ORIGINAL", "drawn: CNN": "DRAWN", "half and half: CNN": "HALF"}
    targets = {label: f"zoo_attention_gan.arms:{arm}" for label, arm in arm_by_label.items()}
    rows = tuple(zoo.Row(label=label, train=target, **common) for label, target in targets.items())
    experiment = zoo.Experiment(name="killed", summary="", source="", dataset="noise", seeds=(0,), rows=rows)
    ledger, labels = Ledger(tmp_path / "killed.jsonl"), []
    with kill_trainings(), pytest.raises(Killed):
        run(experiment, ledger, progress=False)
    assert [cell.row for cell in ledger.read_cells()] == ["original: CNN"]
    for _ in range(2):
        run(experiment, ledger, progress=False, on_start=lambda row, *rest: labels.append(row.label))
    assert labels == ["drawn: CNN", "half and half: CNN"]
    assert [cell.row for cell in ledger.read_cells()] == list(arm_by_label)


def test_shipped_weights_are_used_only_for_their_own_data_set(dataset):
    with pytest.raises(ConfigError, match=r"was trained on mnist/train, not on noise/train; choose another generator"):
        generators.DEFAULT_GENERATORS["mnist"].load_or_train(dataset.train, seed=0, quick=False)


def test_a_data_set_without_a_generator_is_refused_with_those_that_have_one(dataset):
    with pytest.raises(ConfigError, match="no default generator for noise; there is one for mnist, cifar10-jpeg"):
        Arm(kind="drawn")(dataset, seed=0, quick=False)


@pytest.mark.parametrize("make", [lambda: Arm(kind="mixed"), lambda: Budget(num_known=9, kind="mixed")])
def test_an_unknown_kind_is_refused(make):
    with pytest.raises(ConfigError, match="not 'mixed'"):
        make()


class Cell:
    """The fields of a cell that the verdicts read."""

    def __init__(self, row, seed, accuracy):
        self.row, self.seed, self.metrics = row, seed, {"accuracy": accuracy}


def test_arms_are_compared_with_the_original_seed_by_seed():
    cells = [Cell("original: CNN", 0, 0.98), Cell("original: CNN", 1, 0.97), Cell("drawn: CNN", 0, 0.95)]
    cells += [Cell("half and half: CNN", seed, 0.99) for seed in (0, 1, 2)]
    assert verdicts.compare_arms(cells) == [
        "CNN: drawn against original -3.00 points (1 seed, paired): one seed decides nothing.",
        "CNN: half and half against original +1.50 ± 0.71 points (2 seeds, paired): better with every seed.",
    ]


def test_budgets_are_compared_separately_with_augmentation():
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


def test_the_module_has_the_arms_that_the_experiments_name():
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
