"""What `create` and `load` return: a net with all it takes to train it, use it and keep it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module

from zoo import fitting, weights
from zoo.build import Config, built
from zoo.callbacks import Callback
from zoo.data import Stream, images_of
from zoo.data.inputs import inputs_of
from zoo.data.resize import Normalize, to_size
from zoo.errors import DeviceError, WeightsError, ZooError
from zoo.history import History
from zoo.inference import Guess, answers, checked_top, device_named, guesses
from zoo.manifest import Manifest, Origin
from zoo.metrics import Evaluation, evaluation
from zoo.progress import shown
from zoo.randomness import check_seed, isolated
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing
from zoo.spec import ModelSpec
from zoo.tasks import Classification
from zoo.trainer import Trainer


@final
class Model:
    """A model of the zoo: made by `zoo.create` and `zoo.load`, trained by `fit`, used by `predict`.

    Attributes:
        spec: What the plugin offers.
        config: The complete config the net was built with.
        net: The `torch.nn.Module`: normalised images (B, C, H, W) to logits (B, K).
        preprocessing: What the net expects of images; it is applied by `fit`, `predict` and `evaluate`.
        classes: The classes; numbered until the first `fit`.
        history: One row for each epoch trained so far.
        seed: Seed of the first weights.
        recipe: The recipe of the last `fit`, or None.
    """

    def __init__(self, spec: ModelSpec, *, origin: Origin, config: Config, net: Module, seed: int) -> None:
        self.spec = spec
        self.origin = origin
        self.config = config
        self.net = net
        self.seed = seed
        self.preprocessing = Preprocessing(
            size=config.get("size", spec.size), channels=config.get("channels", spec.channels), resize=spec.resize
        )
        self.classes = Classes.numbered(config.get("classes", 10))
        self.history = History()
        self.recipe: Recipe | None = None
        self.data = ""

    def fit(
        self,
        data: Any,
        *,
        validation: Any = None,
        recipe: Recipe | str | None = None,
        device: str | torch.device | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
        **changes: Any,
    ) -> Model:
        """Train from the present weights and return the model itself.

        A second `fit` goes on from where the first ended, with a new optimizer and schedule, and adds its epochs to the
        history; `reset` starts over. The first `fit` of a fresh model adopts the classes of its data. A `fit` that
        ends in an error of zoo leaves the model as it was; after Ctrl-C what is trained so far stays.

        Args:
            data: Labelled images: `Images`, a data set (its training images), a folder, `(X, y)`, a torch `Dataset`
                or `DataLoader`, or an iterable of `(images, labels)`. They are brought to the model's size. A loader
                decides batch size and order itself.
            validation: Images scored after each epoch, or a share of `data` to hold out, between 0 and 1.
            recipe: A `Recipe`, or the name of one of the model's; its default when left out.
            device: Where to train; a GPU when there is one.
            callbacks: Objects with `on_step(training)` and `on_epoch(training)`.
            progress: Show training on standard error.
            **changes: Fields of the recipe to change, such as `epochs=5`.

        Raises:
            ConfigError: An unknown or unfit field of the recipe.
            DataError: Images or labels that do not fit the model.
            TrainingError: The loss is not finite.
            DeviceError: The device is not there.
        """
        chosen = recipe if isinstance(recipe, Recipe) else self.spec.recipe_named(recipe)
        if isinstance(validation, int | float):
            changes, validation = {"validation": validation, **changes}, None
        chosen = fitting.told_by(data, chosen.replace(**changes), changes)
        seed = self.seed if chosen.seed is None else chosen.seed
        place = device_named(device)
        with self._unharmed(), isolated(seed, place), shown(progress) as displays:
            ready = fitting.ready(
                data,
                validation,
                spec=self.spec,
                wants=self.preprocessing,
                classes=self.classes,
                is_fresh=not self.history,
                recipe=chosen,
                seed=seed,
                device=place,
            )
            self.classes, self.preprocessing, self.data = ready.classes, ready.preprocessing, ready.name
            trainer = Trainer(chosen, device=place, callbacks=[*displays, *callbacks])
            trainer.fit(self.net, ready.task, ready.train, ready.held, self.history)
        self.recipe = chosen
        return self

    @contextmanager
    def _unharmed(self) -> Iterator[None]:
        """Put everything back as it was when the block ends in a `ZooError`; after Ctrl-C what is trained stays."""
        before = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        history = History(self.history, stopped=self.history.stopped)
        classes, preprocessing, data = self.classes, self.preprocessing, self.data
        try:
            yield
        except ZooError:
            self.net.load_state_dict(before)
            self.history, self.classes, self.preprocessing, self.data = history, classes, preprocessing, data
            raise
        finally:
            self.net.eval()

    def logits(self, images: Any) -> Tensor:
        """Return logits float32 (N, K) on the CPU, for anything `predict` takes."""
        inputs = inputs_of(images, self.preprocessing)
        return answers(self.net, Classification(Normalize(self.preprocessing)), inputs)

    def predict(self, images: Any) -> NDArray[Any]:
        """Return the label of each image, in order, as the training data had them: (N) of int or str.

        Args:
            images: A tensor or array (levels 0 to 255 or floats 0 to 1), a Pillow image, the path of an image file or
                a folder, a list of those, `Images`, or a loader; at any size. One image gives one label.

        Raises:
            ImageError: They are no images, or have another number of channels.
        """
        values = np.array(self.classes.values)
        labels: NDArray[Any] = values[self.logits(images).argmax(1).numpy()]
        return labels

    def predict_proba(self, images: Any) -> NDArray[np.float32]:
        """Return the probability of each class, float32 (N, K), for anything `predict` takes."""
        probabilities: NDArray[np.float32] = self.logits(images).softmax(1).numpy()
        return probabilities

    def classify(self, images: Any, *, top: int = 5) -> list[list[Guess]]:
        """Return for each image its `top` most probable classes by name, best first."""
        return guesses(self.logits(images), self.classes, checked_top(top))

    def evaluate(self, data: Any, *, top: int = 5) -> Evaluation:
        """Return accuracy, calibration and scores by class on labelled images (anything `fit` takes).

        Raises:
            DataError: Images that do not fit the model, or labels it has no class for.
        """
        if fitting.is_stream(data):
            batches = list(Stream(fitting.as_stream(data).batches, classes=self.classes))
            pixels: Any = [batch.images for batch in batches]
            labels, name = torch.cat([batch.targets for batch in batches]), ""
        else:
            prepare = to_size(self.preprocessing.size, self.preprocessing.resize)
            pixels = images_of(data, prepare=prepare).with_classes(self.classes)
            labels, name = pixels.labels.cpu(), pixels.name
        return evaluation(self.logits(pixels), labels, self.classes.names, data=name, k=checked_top(top))

    def reset(self, seed: int | None = None) -> Model:
        """Start over with fresh weights of `seed` (by default the same as before) and an empty history."""
        if seed is not None:
            check_seed(seed)
            self.seed = seed
        self.net = built(self.spec, self.config, self.seed).eval()
        self.history, self.recipe, self.data = History(), None, ""
        return self

    def to(self, device: str | torch.device) -> Model:
        """Move the net to a device and return the model itself."""
        if device is None:
            raise DeviceError("None is no device; use 'cpu', 'cuda', 'cuda:1' or 'mps'")
        self.net.to(device_named(device))
        return self

    @property
    def num_parameters(self) -> int:
        """How many weights are trained."""
        return sum(parameter.numel() for parameter in self.net.parameters())

    def save(self, folder: str | Path) -> Path:
        """Write the model as a folder, whole or not at all, and return its path; `zoo.load` reads it.

        Raises:
            WeightsError: The folder cannot be written, or holds something else than a saved model.
        """
        if not isinstance(folder, str | Path):
            raise WeightsError(f"{folder!r} is no folder to save to; give a path")
        metrics = {name: value for name, value in (self.history[-1] if self.history else {}).items() if name != "epoch"}
        manifest = Manifest(
            model=self.spec.name,
            origin=self.origin,
            config=self.config,
            classes=self.classes,
            preprocessing=self.preprocessing,
            recipe=self.recipe,
            seed=self.seed,
            data=self.data,
            metrics=metrics,
            stopped=self.history.stopped,
        )
        return weights.write(
            Path(folder), weights.Artifact(manifest=manifest, state=self.net.state_dict(), history=self.history)
        )

    def __repr__(self) -> str:
        height, width = self.preprocessing.size
        trained = f"{len(self.history)} epochs" if self.history else "untrained"
        takes = f"{self.preprocessing.channels} x {height} x {width} to {len(self.classes)} classes"
        return f"<{self.spec.name}: {self.num_parameters:,} weights, {takes}, {trained}>"
