"""What a person does with a model: fit, predict, evaluate, save, load."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.errors import ConfigError, LabelError
from zoo.signature import Classes


@pytest.fixture(scope="module")
def data():
    sets = zoo.dataset("fashion-mnist-7x7")
    return sets.train.take(512, seed=0), sets.test.take(256, seed=0)


@pytest.fixture(scope="module")
def trained(data):
    return zoo.create("cnn-7x7", seed=0).fit(data[0], validation=data[1], epochs=2, progress=False)


def states():
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()


def test_fit_returns_the_model_and_keeps_a_row_an_epoch(trained):
    assert [row["epoch"] for row in trained.history] == [1, 2]
    assert set(trained.history[0]) == {
        *("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds", "images_per_second")
    }


def test_the_last_validation_score_is_what_evaluate_finds(trained, data):
    result = trained.evaluate(data[1])
    assert result.accuracy == pytest.approx(trained.history[-1]["val_accuracy"])
    assert result.nll == pytest.approx(trained.history[-1]["val_loss"], rel=1e-5)


def test_the_same_seed_trains_to_the_same_weights(data):
    first, again, other = (
        zoo.create("gcn-7x7", seed=seed).fit(data[0], epochs=2, progress=False).logits(data[1]) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_training_and_predicting_leave_the_global_random_state(data):
    before = states()
    zoo.create("gcn-7x7").fit(data[0], epochs=1, progress=False, augment=("flip",), mixup=0.2).predict(data[1])
    assert states() == before


def test_a_second_fit_goes_on_and_adds_its_epochs(data):
    model = zoo.create("gcn-7x7", seed=0).fit(data[0], epochs=2, progress=False)
    first = model.history[-1]["loss"]
    model.fit(data[0], epochs=3, progress=False)
    assert [row["epoch"] for row in model.history] == [1, 2, 3, 4, 5]
    assert model.history[-1]["loss"] < first


def test_reset_starts_over(data):
    model = zoo.create("gcn-7x7", seed=0)
    fresh = model.logits(data[1])
    model.fit(data[0], epochs=1, progress=False).reset()
    assert len(model.history) == 0
    assert torch.equal(model.logits(data[1]), fresh)
    assert not torch.equal(model.reset(seed=5).logits(data[1]), fresh)


def test_string_labels_come_back_as_they_were(data):
    names = np.array(["cat", "dog"])[data[0].labels.numpy() % 2]
    model = zoo.create("gcn-7x7", seed=0, classes=2).fit((data[0].images.numpy(), names), epochs=1, progress=False)
    predicted = model.predict(data[1])
    assert set(predicted.tolist()) <= {"cat", "dog"}
    assert model.classes.names == ("cat", "dog")


def test_sparse_integer_labels_come_back_as_they_were(data):
    labels = np.array([3, 700, -4])[data[0].labels.numpy() % 3]
    model = zoo.create("cnn-7x7", seed=0, classes=3).fit((data[0].images.numpy(), labels), epochs=4, progress=False)
    assert set(model.predict(data[0]).tolist()) == {-4, 3, 700}
    assert float((model.predict(data[0]) == labels).mean()) > 0.5


def test_labels_survive_saving(data, tmp_path):
    names = np.array(["cat", "dog"])[data[0].labels.numpy() % 2]
    model = zoo.create("gcn-7x7", seed=0, classes=2).fit((data[0].images.numpy(), names), epochs=1, progress=False)
    again = zoo.load(model.save(tmp_path / "model"))
    assert (again.predict(data[1]) == model.predict(data[1])).all()
    assert again.classes == model.classes


def test_a_trained_model_refuses_labels_it_has_no_class_for(trained, data):
    strange = zoo.Images(data[0].images, data[0].labels, Classes.of([f"thing {k}" for k in range(10)]))
    with pytest.raises(LabelError, match="not one of the 10 classes"):
        trained.evaluate(strange)
    with pytest.raises(LabelError, match="not one of the 10 classes"):
        trained.fit(strange, epochs=1, progress=False)


def forms(images):
    """Return the same images in every form that predict takes."""
    pixels = images.images
    array = pixels.numpy()
    return {
        "Images": images,
        "uint8 tensor": pixels,
        "float tensor": pixels.float() / 255,
        "float64 array": array / 255.0,
        "int64 levels": array.astype(np.int64),
        "N H W array": array[:, 0],
        "N H W C array": array.transpose(0, 2, 3, 1),
        "rows": array.reshape(len(array), -1),
        "list of arrays": list(array),
        "list of Pillow images": [Image.fromarray(each[0]) for each in array],
        "zoo loader": zoo.Loader(images, batch_size=7, shuffle=True),
        "torch DataLoader": torch.utils.data.DataLoader(
            torch.utils.data.TensorDataset(pixels, images.labels), batch_size=5
        ),
        "DataLoader of images alone": torch.utils.data.DataLoader(pixels, batch_size=5),
    }


@pytest.mark.parametrize("form", list(forms(zoo.dataset("fashion-mnist-7x7").test.take(2))))
def test_predict_gives_the_same_labels_for_every_form_of_the_images(trained, data, form):
    images = data[1].take(23)
    expected = trained.predict_proba(images.images)
    np.testing.assert_allclose(trained.predict_proba(forms(images)[form]), expected, rtol=1e-4, atol=1e-6)


def test_predict_takes_one_image_a_path_a_folder_and_lists_of_those(trained, data, tmp_path):
    expected = trained.predict(data[1].take(4))
    for place, image in enumerate(data[1].images[:4]):
        Image.fromarray(image[0].numpy()).save(tmp_path / f"{place}.png")
    files = sorted(tmp_path.glob("*.png"))
    assert trained.predict(tmp_path).tolist() == expected.tolist()
    assert trained.predict(str(files[0])).tolist() == expected[:1].tolist()
    assert trained.predict([files[3], str(files[1]), Image.open(files[0])]).tolist() == expected[[3, 1, 0]].tolist()
    assert trained.predict(data[1].images[2]).shape == (1,)


def test_images_of_any_size_are_brought_to_the_models(trained, data):
    large = data[1].take(5).images.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert trained.predict(large).shape == (5,)


def test_classify_names_the_most_probable_classes_in_order(trained, data):
    guesses = trained.classify(data[1].take(3), top_k=3)
    probabilities = trained.predict_proba(data[1].take(3))
    for guess, row in zip(guesses, probabilities, strict=True):
        assert [g.probability for g in guess] == pytest.approx(sorted(row, reverse=True)[:3])
        assert guess[0].name == trained.classes.names[row.argmax()]


def test_evaluate_prints_as_a_table_and_converts_to_json(trained, data):
    result = trained.evaluate(data[1])
    assert "Ankle boot" in str(result)
    assert json.loads(json.dumps(result.to_json()))["count"] == 256


def test_evaluate_takes_a_torch_loader(trained, data):
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*vars_of(data[1])), batch_size=32)
    assert trained.evaluate(loader).accuracy == trained.evaluate(data[1]).accuracy


def vars_of(images):
    return images.images, images.labels


def test_fit_takes_a_torch_loader_a_data_set_a_pair_and_a_generator(data):
    train, test = data
    samples = torch.utils.data.TensorDataset(*vars_of(train))
    sources = [
        torch.utils.data.DataLoader(samples, batch_size=64),
        samples,
        (train.images.numpy(), train.labels.numpy()),
        ((image, label) for image, label in zip(*vars_of(train), strict=True)),
        zoo.Loader(train, batch_size=32),
    ]
    for source in sources:
        model = zoo.create("gcn-7x7", seed=0).fit(source, validation=test, epochs=1, progress=False)
        assert model.history[0]["loss"] < 2.4


def test_a_loader_keeps_its_own_batch_size(data):
    steps = []

    class Count:
        def on_step(self, training):
            steps.append(training.step)

        def on_epoch(self, training):
            steps.append(training.row["epoch"])

    loader = zoo.Loader(data[0], batch_size=100)
    zoo.create("gcn-7x7", seed=0).fit(loader, epochs=1, progress=False, callbacks=[Count()])
    assert steps == [1, 2, 3, 4, 5, 6, 1]


def test_larger_images_are_brought_to_the_models_size_for_training(data):
    large = data[0].resize(14)
    model = zoo.create("gcn-7x7", seed=0).fit(large, epochs=1, progress=False)
    assert model.history[0]["loss"] < 2.4


def test_standardising_takes_its_numbers_from_the_first_training_images_alone(data, monkeypatch):
    from dataclasses import replace

    model = zoo.create("cnn-7x7", seed=0)
    model.spec = replace(model.spec, standardize=True)
    model.fit(data[0], epochs=1, progress=False)
    mean, std = data[0].moments()
    assert (model.preprocessing.mean, model.preprocessing.std) == (mean, std)
    model.fit(data[1], epochs=1, progress=False)
    assert model.preprocessing.mean == mean


def test_pictures_of_several_sizes_are_brought_to_the_models_size_as_they_are_read(tmp_path):
    for name, level in (("bright", 220), ("dark", 10)):
        (tmp_path / name).mkdir()
        for side in range(8, 24):
            Image.fromarray(np.full((side, 30 - side), level, np.uint8)).save(tmp_path / name / f"{side}.png")
    model = zoo.create("cnn-7x7", classes=2, seed=0).fit(tmp_path, validation=tmp_path, epochs=10, progress=False)
    assert model.evaluate(tmp_path).accuracy == 1.0
    assert zoo.dataset(tmp_path, size=(5, 6)).train.size == (5, 6)
    assert zoo.dataset("fashion-mnist-7x7", size=3).test.size == (3, 3)


def test_a_loader_decides_batch_size_and_order_and_the_recipe_tells_so(data):
    model = zoo.create("gcn-7x7", seed=0).fit(
        zoo.Loader(data[0], batch_size=100, shuffle=False), epochs=1, progress=False
    )
    assert (model.recipe.batch_size, model.recipe.shuffle) == (100, False)
    with pytest.raises(ConfigError, match="batch_size is decided by the loader"):
        model.fit(zoo.Loader(data[0]), epochs=1, batch_size=32, progress=False)


def test_a_loader_without_augmentation_takes_the_recipes_and_two_are_refused(data):
    plain, flipped = (
        zoo.create("cnn-7x7", seed=0).fit(zoo.Loader(data[0]), epochs=1, progress=False, **changes).history[0]["loss"]
        for changes in ({}, {"augment": ("flip", "shift:1")})
    )
    assert plain != flipped
    own = zoo.Loader(data[0], augment=zoo.data.Augment(("flip",)))
    with pytest.raises(ConfigError, match="both the loader and the recipe"):
        zoo.create("cnn-7x7", seed=0).fit(own, epochs=1, progress=False, mixup=0.1)


def test_the_same_model_is_saved_to_the_same_bytes(trained, tmp_path):
    first, second = (trained.save(tmp_path / name) for name in ("first", "second"))
    for name in ("config.json", "model.safetensors", "history.jsonl", "README.md"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
