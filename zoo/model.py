"""What `create` and `load` return: a net with all it takes to train it, use it and keep it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Unpack, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module

from zoo.data import Images
from zoo.device import resolve_device, resolve_dtype
from zoo.errors import DeviceError, ExportError, WeightsError, ZooError
from zoo.export.formats import OPSET, ExportResult, export
from zoo.factory.adapt import LoadReport
from zoo.factory.build import Config, build_net
from zoo.factory.net_state import load_state, recompute_buffers
from zoo.factory.provider import default_preprocessing
from zoo.factory.restore import adapt_artifact
from zoo.factory.third_party import read_third_party_weights
from zoo.history import History
from zoo.hub import PushResult
from zoo.hub.publish import PushOptions, publish
from zoo.hub.resolve import resolve_reference
from zoo.inference import PREDICTORS, Predictor
from zoo.inference.runner import Prediction, check_top_k, top_predictions
from zoo.keeping import to_artifact
from zoo.metrics.classification import Evaluation
from zoo.plugins.spec import ModelSpec
from zoo.recipe import Recipe
from zoo.saving import artifact as weights
from zoo.saving import bundled as shipped
from zoo.saving.artifact import Artifact
from zoo.saving.manifest import Origin, Score
from zoo.saving.reference import is_path_reference
from zoo.seeding import check_seed, use_seed
from zoo.signature import Classes
from zoo.training import fitting
from zoo.training.callbacks import Callback
from zoo.training.checkpoint.fingerprint import capture_start
from zoo.training.checkpoint.run import open_run
from zoo.training.progress import progress_callbacks
from zoo.training.trackers import tracker_callbacks
from zoo.training.trainer import Trainer
from zoo.training.watching import resolve_callbacks


@final
class Model:
    """A model of the zoo: made by `zoo.create` and `zoo.load`, trained by `fit`, used by `predict`.

    Attributes:
        spec: What the plugin offers.
        config: The complete config the net was built with.
        net: The `torch.nn.Module`: a classifier's takes normalised images (B, C, H, W) to logits (B, K), a generator's
            has two parts, `generator` and `discriminator`; see `zoo.tasks.generation`.
        preprocessing: What the net expects of images; it is applied by `fit`, `predict` and `evaluate`.
        classes: The classes; numbered until the first `fit`.
        history: One row for each epoch trained so far.
        seed: Seed of the first weights.
        recipe: The recipe of the last `fit`, or None.
        data: Name of the images it was last trained on.
        scores: What `evaluate(..., keep=True)` found for the present weights; saved with them.
        license: Identifier of the weights' licence, such as `mit`; saved with them, and needed by `push`.
        reference: Where the present weights were loaded from; a Hub's with its full commit. Empty once trained on.
        base: The weights that training began from; empty if from the seed.
        card: The text of the README.md it was loaded with.
        report: What became of each tensor when weights were last loaded, or None.
    """

    def __init__(self, spec: ModelSpec, *, origin: Origin, config: Config, net: Module, seed: int) -> None:
        self.spec = spec
        self.origin = origin
        self.config = config
        self.net = net
        self.seed = seed
        self.preprocessing = default_preprocessing(spec, config)
        self.classes = Classes.numbered(config.get("classes", 10))
        self.history = History()
        self.recipe: Recipe | None = None
        self.data = ""
        self.scores: tuple[Score, ...] = ()
        self.license = ""
        self.reference = ""
        self.base = ""
        self.card = ""
        self.report: LoadReport | None = None

    def fit(
        self,
        data: Any,
        *,
        validation: Any = None,
        recipe: Recipe | str | None = None,
        device: str | torch.device | None = None,
        callbacks: Sequence[Callback | str] = (),
        progress: bool = True,
        checkpoint: str | Path | None = None,
        checkpoint_every: str = "epoch",
        keep_checkpoints: int = 2,
        resume: bool | str = False,
        on_nan: str = "stop",
        track: str | Sequence[str] = (),
        **changes: Any,
    ) -> Model:
        """Train from the present weights and return the model itself.

        A second `fit` goes on from where the first ended, with a new optimizer and schedule, and adds its epochs to the
        history; `reset` starts over. The first `fit` of a model that `create` made adopts the classes of its data. A
        `fit` that ends in an error of zoo leaves the model as it was; after Ctrl-C what is trained so far stays.

        Args:
            data: Labelled images: `Images`, a data set (its training images), a folder, `(X, y)`, a torch `Dataset`
                or `DataLoader`, or an iterable of `(images, labels)`. They are brought to the model's size. A loader
                decides batch size and order itself.
            validation: Images scored after each epoch, or a share of `data` to hold out, between 0 and 1.
            recipe: A `Recipe`, or the name of one of the model's; its default when left out.
            device: Where to train; a GPU when there is one.
            callbacks: Objects with `on_step(training)` and `on_epoch(training)`, or names of those that plugins offer.
            progress: Show training on standard error.
            checkpoint: Folder to keep the training in: checkpoints, the history, how far it is. Ctrl-C and SIGTERM then
                finish the step, write a checkpoint and end with `Interrupted` or `Terminated` of
                `zoo.training.checkpoint.signals`.
            checkpoint_every: When to write one: `epoch`, `2 epochs`, `500 steps`, `10 minutes`; the best epochs are also kept.
            keep_checkpoints: How many of the newest checkpoints are kept.
            resume: True goes on with the training in `checkpoint`, given what it was begun with, and ends in the same
                bits as if it had never stopped; `auto` begins it when there is none.
            on_nan: `stop` at a loss that is not finite, or `skip` its batch.
            track: Trackers by name, such as `tensorboard` or `trackio`, that each row of the history is sent to.
            **changes: Fields of the recipe to change, such as `epochs=5`.

        Raises:
            ConfigError: An unknown or unfit field of the recipe.
            DataError: Images or labels that do not fit the model.
            TrainingError: The loss is not finite.
            WeightsError: There is no whole checkpoint to go on from, or the folder cannot be written.
            DeviceError: The device is not there.
        """
        chosen = recipe if isinstance(recipe, Recipe) else self.spec.get_recipe(recipe)
        if isinstance(validation, int | float):
            changes, validation = {"validation": validation, **changes}, None
        chosen = fitting.apply_loader_settings(data, chosen.replace(**changes), changes)
        seed = self.seed if chosen.seed is None else chosen.seed
        place = resolve_device(device)
        kept = open_run(checkpoint, checkpoint_every=checkpoint_every, keep_checkpoints=keep_checkpoints, resume=resume)
        about = {"model": self.spec.name, **self.config, **chosen.to_json(), "seed": seed}
        sent = tracker_callbacks(track, project=self.spec.name, folder=checkpoint, config=about)
        own = resolve_callbacks(callbacks)
        with (
            self._restore_on_error(),
            use_seed(seed, place),
            progress_callbacks(progress) as displays,
            kept as run,
            sent as trackers,
        ):
            if run:
                run.rewind(self)
            start = capture_start(self)
            ready = fitting.prepare(
                data,
                validation,
                spec=self.spec,
                preprocessing=self.preprocessing,
                classes=self.classes,
                fresh=not self.history,
                standardize=self.spec.standardize and not self.history and not self.base,
                recipe=chosen,
                seed=seed,
                device=place,
            )
            self.classes, self.preprocessing, self.data = ready.classes, ready.preprocessing, ready.name
            trainer = Trainer(chosen, device=place, callbacks=[*displays, *trackers, *own], on_nan=on_nan)
            self.scores, self.base, self.reference = (), self._base_reference(), ""
            keeper = (
                run.make_checkpointer(self, start, chosen, ready.train, ready.validation, trainer.environment)
                if run
                else None
            )
            trainer.fit(self.net, ready.task, ready.train, ready.validation, self.history, keeper)
        self.recipe = chosen
        return self

    def _base_reference(self) -> str:
        """Return what training goes on from; a folder's place says nothing to others."""
        return self.base if is_path_reference(self.reference) else self.reference or self.base

    @contextmanager
    def _restore_on_error(self) -> Iterator[None]:
        """Put everything back as it was when the block ends in a `ZooError`; after Ctrl-C what is trained stays."""
        weights_before = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        before = {**vars(self), "history": History(self.history, stopped=self.history.stopped)}
        try:
            yield
        except ZooError:
            load_state(self.net, weights_before)
            vars(self).update(before)
            raise
        finally:
            self.net.eval()

    def logits(self, images: Any) -> Tensor:
        """Return logits float32 (N, K) on the CPU, for anything `predict` takes; only a classifier has them."""
        return self._predictor.logits(self, images)

    def predict(self, images: Any, *, seed: int | None = None) -> NDArray[Any]:
        """Return a classifier's label of each image, or the images that a generator draws.

        A classifier's labels are those the training data had, in order: (N) of int or str. A generator's images are
        uint8 (N, C, H, W).

        Args:
            images: What a classifier labels: a tensor or array (levels 0 to 255 or floats 0 to 1), a Pillow image, the
                path of an image file or a folder, a list of those, `Images`, or a loader; at any size. One image gives
                one label. What a generator draws: a number of images, its classes by turns, or the label of each.
            seed: Of a generator's noise; the same seed draws the same images, and so does leaving it out.

        Raises:
            ImageError: They are no images, or have another number of channels.
            LabelError: A label that a generator does not know.
            ConfigError: What is asked is nothing this model does.
        """
        return self._predictor.predict(self, images, seed)

    def sample(self, count_or_labels: Any, *, seed: int = 0) -> Images:
        """Return labelled images that a generator draws: so many, its classes by turns, or one of each label.

        Raises:
            ConfigError: The model is a classifier, or knows no classes.
            LabelError: It does not know a label.
        """
        return self._predictor.sample(self, count_or_labels, seed)

    def features(self, images: Any) -> NDArray[np.float32]:
        """Return what the net has found in each image before it decides, float32 (N, D), in order.

        Of a linear classifier these are its inputs; see `zoo.inference.features.features_of` for what they are
        of others.

        Args:
            images: Anything `predict` takes.

        Raises:
            ImageError: They are no images, or have another number of channels.
            PluginError: The net has no layer that gives the logits, and does not say what its features are.
            ConfigError: The model is a generator.
        """
        return self._predictor.features(self, images)

    def predict_proba(self, images: Any) -> NDArray[np.float32]:
        """Return the probability of each class, float32 (N, K), for any images that a classifier's `predict` takes."""
        probabilities: NDArray[np.float32] = self.logits(images).softmax(1).numpy()
        return probabilities

    def classify(self, images: Any, *, top: int = 5) -> list[list[Prediction]]:
        """Return for each image its `top` most probable classes by name, best first."""
        return top_predictions(self.logits(images), self.classes, check_top_k(top))

    def evaluate(self, data: Any, *, top_k: int = 5, store: bool = False) -> Evaluation:
        """Return a classifier's accuracy, calibration and scores by class on labelled images (anything `fit` takes).

        Args:
            data: The images.
            top_k: The k of top-k accuracy.
            store: Keep the score with the model, so that `save` stores it and its card shows it.

        Raises:
            DataError: Images that do not fit the model, or labels it has no class for.
            ConfigError: The model is a generator.
        """
        return self._predictor.evaluate(self, data, top_k=top_k, store=store)

    @property
    def _predictor(self) -> Predictor:
        return PREDICTORS[self.spec.task]

    def load_weights(
        self, reference: str | Path, *, partial: bool = False, allow_nonfinite: bool = False
    ) -> LoadReport:
        """Take the weights of a saved model, and return what became of each tensor; all of it or nothing.

        The saved model may have been made for other classes (the head stays as it is here), other channels (the first
        layer is spread over them; see `zoo.factory.adapt`) and, where no tensor's shape depends on it, another image
        size.
        The model takes over its normalisation, and its classes if there are as many; its history starts anew.

        Args:
            reference: What `zoo.load` takes; for a net of another library also a safetensors file or folder it wrote.
            partial: Take what fits, and leave the rest as it is.
            allow_nonfinite: Take NaN and infinite values too.

        Raises:
            WeightsError: It is damaged, is another kind of model, or does not fit.
            UnknownNameError: There is no such reference, or its model is not installed.
            HubError: It cannot be fetched.
        """
        artifact, name = self._open_weights(reference, allow_nonfinite)
        taken = adapt_artifact(
            artifact,
            self.net,
            spec=self.spec,
            config=self.config,
            preprocessing=self.preprocessing,
            partial=partial,
            name=name,
        )
        load_state(self.net, taken.state)
        self.preprocessing = taken.preprocessing
        if len(artifact.manifest.classes) == len(self.classes):
            self.classes = artifact.manifest.classes
        self.history, self.recipe, self.data, self.scores, self.card = History(), None, "", (), ""
        self.reference, self.base, self.license = "", name, artifact.manifest.license
        self.report = taken.report
        return taken.report

    def _open_weights(self, reference: str | Path, allow_nonfinite: bool) -> tuple[Artifact, str]:
        """Return a saved model of zoo, or what the net's own library saved, and its lasting reference."""
        given = read_third_party_weights(self.spec, self.origin, reference, allow_nonfinite=allow_nonfinite)
        if given is not None:
            return given
        place = resolve_reference(reference)
        return weights.read_artifact(place.folder, allow_nonfinite=allow_nonfinite), place.reference

    def reset(self, seed: int | None = None) -> Model:
        """Start over with fresh weights of `seed` (by default the same as before) and an empty history."""
        if seed is not None:
            check_seed(seed)
            self.seed = seed
        self.net = build_net(self.spec, self.config, self.seed).eval()
        self.history, self.recipe, self.data, self.scores = History(), None, "", ()
        self.reference = self.base = self.card = ""
        self.report = None
        return self

    def to(self, device: str | torch.device | None = None, *, dtype: torch.dtype | str | None = None) -> Model:
        """Move the net to a device, or its weights to another number type, and return the model itself.

        Args:
            device: Such as `cpu`, `cuda`, `cuda:1` or `mps`.
            dtype: Such as `torch.float16` or `"bfloat16"`; logits are float32 all the same.

        Raises:
            DeviceError: There is no such device, or neither is given.
            ConfigError: zoo does not save models of that number type.
        """
        if device is None and dtype is None:
            raise DeviceError("None is no device; use 'cpu', 'cuda', 'cuda:1' or 'mps'")
        if device is not None:
            self.net.to(resolve_device(device))
        if dtype is not None:
            recompute_buffers(self.net.to(resolve_dtype(dtype)), build_net(self.spec, self.config, self.seed))
            self.scores = ()
        return self

    @property
    def num_parameters(self) -> int:
        """How many weights are trained."""
        return sum(parameter.numel() for parameter in self.net.parameters())

    def save(self, folder: str | Path) -> Path:
        """Write the model as a folder, whole or not at all, and return its path; `zoo.load` reads it.

        Raises:
            BusyError: Another process still writes there after five seconds.
            WeightsError: The folder cannot be written, or holds something else than a saved model.
        """
        if not isinstance(folder, str | Path):
            raise WeightsError(f"{folder!r} is no folder to save to; give a path")
        return weights.write_artifact(Path(folder), to_artifact(self, shipped.get_reference(Path(folder))))

    def push(self, repo: str, *, license: str | None = None, **options: Unpack[PushOptions]) -> PushResult:
        """Publish the model on the Hugging Face Hub in one commit, after trying it in a fresh process.

        Args:
            repo: `owner/name`; made if it is not there.
            license: Identifier of the weights' licence, such as `mit`; kept in `model.license`.
            **options: `private`, `branch`, `tag`, `pull_request`, `message`, `dry_run`; see `zoo.hub.publish.How`.

        Raises:
            HubError: It cannot be published; the kind says why. Nothing, or everything, was published.
            WeightsError: A fresh process cannot load it, or gets other outputs.
        """
        self.license = self.license if license is None else license
        return publish(to_artifact(self, f"hf:{repo}"), repo, **options)

    def export(self, path: str | Path, *, opset: int = OPSET) -> ExportResult:
        """Write the model as one file that runs without zoo.

        A classifier takes uint8 images (N, C, H, W) of its size and gives logits (N, K). A generator takes codes
        float32 (N, Z + K), normal numbers and then the class as one of K, and gives images float32 (N, C, H, W) in
        [0, 1].

        Args:
            path: Where to write: `model.onnx`, or `model.pt2` for `torch.export.load`.
            opset: Version of the ONNX operators.

        Raises:
            ExportError: A package is missing, the net cannot be exported, or its outputs differ there.
        """
        if next(self.net.parameters()).device.type != "cpu":
            raise ExportError("a model is exported from the CPU; model.to('cpu') moves it there")
        about = to_artifact(self).manifest.to_json()
        return export(
            self.net, self.preprocessing, Path(path).expanduser(), task=self.spec.task, metadata=about, opset=opset
        )

    def __repr__(self) -> str:
        trained = f"{len(self.history)} epochs" if self.history else f"from {self.base}" if self.base else "untrained"
        return f"<{self.spec.name}: {self.num_parameters:,} weights, {self._predictor.describe(self)}, {trained}>"
