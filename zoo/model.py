"""What `create` and `load` return: a net with all it takes to train it, use it and keep it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar, Unpack, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data import Images
from zoo.device import get_dtype_name, resolve_device, resolve_dtype
from zoo.errors import DeviceError, ExportError, WeightsError
from zoo.export.formats import OPSET, ExportResult, export
from zoo.factory.adapt import LoadReport
from zoo.factory.assemble import (
    ModelParts,
    assemble_saved,
    convert_dtype,
    load_adapted,
    make_fresh_net,
    open_weights,
)
from zoo.hub import PushResult
from zoo.hub.publish import PushOptions, publish
from zoo.inference import (
    PREDICTORS,
    Evaluation,
    Prediction,
    Predictor,
    check_top_k,
    compute_golden_outputs,
    top_predictions,
)
from zoo.recipe import Recipe
from zoo.saving.artifact import Artifact, write_artifact
from zoo.saving.history import History
from zoo.saving.provenance import Provenance, Scores
from zoo.signature import Classes
from zoo.training.session import Callbacks, CheckpointOptions, FitOptions, run_fit

T = TypeVar("T")


class _ProvenanceField(Generic[T]):
    """An attribute of a model that is stored in its provenance."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, model: Model, owner: type | None = None) -> T:
        value: T = getattr(model.provenance, self._name)
        return value

    def __set__(self, model: Model, value: T) -> None:
        model.provenance = replace(model.provenance, **{self._name: value})  # type: ignore[arg-type]


@final
class Model:
    """A model of the zoo: made by `zoo.create` or `zoo.load`, trained by `fit`, used by `predict` or `sample`.

    Attributes:
        spec: What the plugin offers.
        origin: The plugin that offers it.
        config: The complete config the net was built with.
        net: The `torch.nn.Module`: a classifier's takes normalised images (B, C, H, W) to logits (B, K), a generator's
            has two parts, `generator` and `discriminator`; see `zoo.tasks.generation`.
        seed: Seed of the first weights.
        preprocessing: What the net expects of images; it is applied by `fit`, `predict` and `evaluate`.
        classes: The classes; numbered until the first `fit`.
        provenance: What is known about the weights. Its fields are attributes of the model too: `history`, `recipe`,
            `data`, `scores`, `license`, `reference`, `base` and `card`; see `zoo.saving.provenance.Provenance`.
        report: What happened to each tensor when weights were last loaded, or None.
    """

    history = _ProvenanceField[History]()
    recipe = _ProvenanceField[Recipe | None]()
    data = _ProvenanceField[str]()
    scores = _ProvenanceField[Scores]()
    license = _ProvenanceField[str]()
    reference = _ProvenanceField[str]()
    base = _ProvenanceField[str]()
    card = _ProvenanceField[str]()

    def __init__(self, parts: ModelParts) -> None:
        self.spec, self.origin, self.config, self.net, self.seed, self.preprocessing = parts
        self.classes = Classes.numbered(self.config.get("classes", 10))
        self.provenance = Provenance()
        self.report: LoadReport | None = None

    @classmethod
    def from_artifact(cls, artifact: Artifact, *, reference: str, partial: bool = False) -> Model:
        """Make the model that was saved as an artifact.

        Args:
            artifact: The saved model.
            reference: Where it was read from.
            partial: Load the tensors that fit, and keep the seed's weights elsewhere.

        Raises:
            UnknownNameError: No installed plugin provides the model.
            WeightsError: The saved config cannot be used, or tensors do not fit.
        """
        parts, report = assemble_saved(artifact, partial=partial, name=reference)
        model = cls(parts)
        model.classes, model.preprocessing = artifact.manifest.classes, artifact.manifest.preprocessing
        model.provenance = Provenance.from_saved(
            artifact.manifest, artifact.history, card=artifact.card, reference=reference
        )
        model.report = report
        return model

    def to_artifact(self, reference: str = "") -> Artifact:
        """Return everything that is saved of the model.

        Args:
            reference: What the card says to pass to `zoo.load`; where the folder will be when left out.
        """
        last: dict[str, Any] = self.history[-1] if self.history else {}
        manifest = self.provenance.to_manifest(
            model=self.spec.name,
            task=self.spec.task,
            origin=self.origin,
            config=self.config,
            classes=self.classes,
            preprocessing=self.preprocessing,
            seed=self.seed,
            dtype=get_dtype_name(self.net),
            parameters=self.num_parameters,
            metrics={name: value for name, value in last.items() if name != "epoch" and _is_finite_number(value)},
            golden=compute_golden_outputs(self.net, self.preprocessing, self.spec.task),
        )
        state, card = self.net.state_dict(), self.card
        return Artifact(manifest=manifest, state=state, history=self.history, card=card, reference=reference)

    def fit(
        self,
        data: Any,
        *,
        validation: Any = None,
        recipe: Recipe | str | None = None,
        device: str | torch.device | None = None,
        callbacks: Callbacks = (),
        progress: bool = True,
        checkpoint: str | Path | None = None,
        checkpoint_every: str = "epoch",
        keep_checkpoints: int = 2,
        resume: bool | str = False,
        on_nan: str = "stop",
        trackers: str | Sequence[str] = (),
        **changes: Any,
    ) -> Model:
        """Train from the present weights and return the model itself; see `zoo.training.session` for the arguments.

        A second `fit` continues where the first ended, with a new optimizer and schedule; `reset` starts over. The
        first `fit` of a model that `create` made adopts the classes of its data. A `fit` that ends in an error of zoo
        leaves the model as it was; after Ctrl-C the weights trained so far stay.

        Args:
            data: Labelled images: `Images`, a data set, a folder, `(X, y)`, a torch `Dataset` or `DataLoader`, ...
            validation: Images to score after each epoch, or the fraction of `data` to hold out.
            recipe: A `Recipe`, or the name of one of the model's; its default when left out.
            device: Device to train on; a GPU if there is one when left out.
            callbacks: Objects with `on_step` and `on_epoch`, or names of callbacks that plugins offer.
            progress: Show progress on standard error.
            checkpoint: Folder to store the training in, so that it can be resumed.
            checkpoint_every: How often to write a checkpoint: `epoch`, `2 epochs`, `500 steps`, `10 minutes`.
            keep_checkpoints: Number of the newest checkpoints to keep.
            resume: Continue the training in `checkpoint`, to the same weights bit for bit; `auto` starts it if need be.
            on_nan: `stop` at a loss that is not finite, or `skip` its batch.
            trackers: Names of experiment trackers, such as `tensorboard`.
            **changes: Fields of the recipe to change, such as `epochs=5`.

        Raises:
            ConfigError, DataError, TrainingError, WeightsError, DeviceError: See `zoo.training.session.run_fit`.
        """
        checkpoints = CheckpointOptions(checkpoint, checkpoint_every, keep_checkpoints, resume)
        options = FitOptions(device, callbacks, progress, checkpoints, on_nan, trackers)
        run_fit(self, data, validation, recipe, changes, options)
        return self

    def logits(self, images: Any) -> Tensor:
        """Return logits float32 (N, K) on the CPU, for any images that `predict` takes; only a classifier has them."""
        return self._predictor.logits(self, images)

    def predict(self, images: Any) -> NDArray[Any]:
        """Return a classifier's label for each image, in order: (N) of the values that the training labels had.

        Args:
            images: A tensor or array (levels 0 to 255 or floats 0 to 1), a Pillow image, the path of an image file or
                a folder, a list of those, `Images`, or a loader; at any size. One image gives one label.

        Raises:
            ImageError: The input is not images, or they have another number of channels.
            ConfigError: The model is a generator; use `sample`.
        """
        return self._predictor.predict(self, images)

    def sample(self, count_or_labels: Any, *, seed: int = 0) -> Images:
        """Return labelled images that a generator makes.

        Args:
            count_or_labels: A number of images, whose labels then cycle through the classes; or the label of each.
            seed: Seed of the noise; the same seed gives the same images.

        Raises:
            ConfigError: The model is a classifier.
            LabelError: A label that is not one of its classes.
        """
        return self._predictor.sample(self, count_or_labels, seed)

    def features(self, images: Any) -> NDArray[np.float32]:
        """Return what the net computes of each image before its last layer, float32 (N, D), in order.

        If that layer is linear these are its inputs; see `zoo.inference.features.features_of` for other nets.

        Args:
            images: Any images that `predict` takes.

        Raises:
            ImageError: The input is not images, or they have another number of channels.
            PluginError: The net has no layer that computes the logits, and does not define its features.
            ConfigError: The model is a generator.
        """
        return self._predictor.features(self, images)

    def predict_proba(self, images: Any) -> NDArray[np.float32]:
        """Return the probability of each class, float32 (N, K), for any images that `predict` takes."""
        probabilities: NDArray[np.float32] = self.logits(images).softmax(1).numpy()
        return probabilities

    def classify(self, images: Any, *, top_k: int = 5) -> list[list[Prediction]]:
        """Return for each image its `top_k` most probable classes by name, best first."""
        return top_predictions(self.logits(images), self.classes, check_top_k(top_k))

    def evaluate(self, data: Any, *, top_k: int = 5, store: bool = False) -> Evaluation:
        """Return a classifier's accuracy, calibration and scores per class on labelled images.

        Args:
            data: Labelled images in any form that `fit` takes.
            top_k: The k of top-k accuracy.
            store: Store the score with the model, so that `save` writes it and its card shows it.

        Raises:
            DataError: The images do not fit the model, or a label is not one of its classes.
            ConfigError: The model is a generator.
        """
        return self._predictor.evaluate(self, data, top_k=top_k, store=store)

    @property
    def _predictor(self) -> Predictor:
        return PREDICTORS[self.spec.task]

    def load_weights(
        self, reference: str | Path, *, partial: bool = False, allow_nonfinite: bool = False
    ) -> LoadReport:
        """Load the weights of a saved model, all or none, and return what happened to each tensor.

        The saved model may have other classes (the head stays as it is here), other channels (the first layer is spread
        over them; see `zoo.factory.adapt`) and, where no tensor's shape depends on it, another image size. The model
        adopts its normalisation, and its classes if their number is equal. The history starts empty.

        Args:
            reference: What `zoo.load` takes; for a net of another library also a safetensors file or folder it wrote.
            partial: Load the tensors that fit, and leave the others as they are.
            allow_nonfinite: Accept NaN and infinite values.

        Raises:
            WeightsError: The weights are damaged, are of another kind of model, or do not fit.
            UnknownNameError: There is no such reference, or its model is not installed.
            HubError: The weights cannot be downloaded.
        """
        artifact, name = open_weights(self.spec, self.origin, reference, allow_nonfinite=allow_nonfinite)
        adapted = load_adapted(
            artifact,
            self.net,
            spec=self.spec,
            config=self.config,
            preprocessing=self.preprocessing,
            partial=partial,
            name=name,
        )
        self.preprocessing, self.report = adapted.preprocessing, adapted.report
        if len(artifact.manifest.classes) == len(self.classes):
            self.classes = artifact.manifest.classes
        self.provenance = Provenance(base=name, license=artifact.manifest.license)
        return adapted.report

    def reset(self, seed: int | None = None) -> Model:
        """Replace the weights by fresh ones of `seed` (the same as before when left out), with an empty history."""
        self.seed = self.seed if seed is None else seed
        self.net = make_fresh_net(self.spec, self.config, self.seed)
        self.provenance, self.report = Provenance(license=self.license), None
        return self

    def to(self, device: str | torch.device | None = None, *, dtype: torch.dtype | str | None = None) -> Model:
        """Move the net to a device, convert its weights to a dtype, and return the model itself.

        Args:
            device: Such as `cpu`, `cuda`, `cuda:1` or `mps`.
            dtype: Such as `torch.float16` or `"bfloat16"`; logits stay float32.

        Raises:
            DeviceError: There is no such device, or neither argument is given.
            ConfigError: zoo does not save models of that dtype.
        """
        if device is None and dtype is None:
            raise DeviceError("None is not a device; use 'cpu', 'cuda', 'cuda:1' or 'mps'")
        if device is not None:
            self.net.to(resolve_device(device))
        if dtype is not None:
            convert_dtype(self.net, resolve_dtype(dtype), make_fresh_net(self.spec, self.config, self.seed))
            self.scores = ()
        return self

    @property
    def num_parameters(self) -> int:
        """Number of trained weights."""
        return sum(parameter.numel() for parameter in self.net.parameters())

    def save(self, folder: str | Path) -> Path:
        """Write the model as a folder, completely or not at all, and return its path; `zoo.load` reads it.

        Raises:
            BusyError: Another process still writes there after five seconds.
            WeightsError: The folder cannot be written, or holds something other than a saved model.
        """
        if not isinstance(folder, str | Path):
            raise WeightsError(f"{folder!r} is not a folder to save to; pass a path")
        return write_artifact(Path(folder), self.to_artifact())

    def push(self, repo: str, *, license: str | None = None, **options: Unpack[PushOptions]) -> PushResult:
        """Publish the model on the Hugging Face Hub in one commit, after a fresh process has loaded it.

        Args:
            repo: `owner/name`; created if it does not exist.
            license: Identifier of the weights' licence, such as `mit`; stored in `model.license`.
            **options: `private`, `branch`, `tag`, `pull_request`, `message`, `dry_run`; see
                `zoo.hub.publish.PushOptions`.

        Raises:
            HubError: It cannot be published; its kind says why. Everything was published, or nothing.
            WeightsError: A fresh process cannot load the model, or computes other outputs.
        """
        self.license = self.license if license is None else license
        return publish(self.to_artifact(f"hf:{repo}"), repo, **options)

    def export(self, path: str | Path, *, opset: int = OPSET) -> ExportResult:
        """Write the model as one file that runs without zoo.

        A classifier takes uint8 images (N, C, H, W) of its size and returns logits (N, K). A generator takes codes
        float32 (N, Z + K), normal numbers followed by the class as one-hot, and returns images float32 (N, C, H, W) in
        [0, 1].

        Args:
            path: File to write: `model.onnx`, or `model.pt2` for `torch.export.load`.
            opset: Version of the ONNX operators.

        Raises:
            ExportError: A package is missing, the net cannot be exported, or the file's outputs differ.
        """
        if next(self.net.parameters()).device.type != "cpu":
            raise ExportError("a model is exported from the CPU; model.to('cpu') moves it there")
        metadata = self.to_artifact().manifest.to_json()
        return export(
            self.net, self.preprocessing, Path(path).expanduser(), task=self.spec.task, metadata=metadata, opset=opset
        )

    def __repr__(self) -> str:
        trained = f"{len(self.history)} epochs" if self.history else f"from {self.base}" if self.base else "untrained"
        return f"<{self.spec.name}: {self.num_parameters:,} weights, {self._predictor.describe(self)}, {trained}>"


def _is_finite_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
