"""All errors of zoo as one tree. Every error that a user can cause is a `ZooError`.

ZooError
├── UnknownNameError (KeyError)        no such model, data set, plugin or reference
├── AmbiguousNameError (KeyError)      two plugins offer one name
├── PluginError                        a plugin that cannot be used
├── ConfigError (ValueError)           an option of a model or a field of a recipe
├── DataError (ValueError)             images or labels that cannot be used
│   ├── ImageError                     images of a wrong shape, dtype or range; a file that is not an image
│   ├── LabelError                     labels that do not fit the images or the model's classes
│   └── SourceError                    a folder, file or iterable that cannot be read as a data set
├── DeviceError (RuntimeError)         a device that is not available
├── TrainingError (RuntimeError)       a training that cannot continue, such as a loss that is not finite
├── ExportError (RuntimeError)         a model that cannot be written as ONNX or by torch.export
├── WeightsError (ValueError)          a saved model that cannot be written, read or trusted
│   └── BusyError                      another process writes to the same path, and took too long
└── HubError (RuntimeError)            publishing to or loading from a Hub
    ├── HubNotFoundError               no such repository, revision or file, or not visible with this token
    ├── HubAccessError                 a token that is missing, invalid or without permission; a gated repository
    ├── HubConflictError               another push came first, or a tag exists already
    ├── HubUnreachableError            no valid response after several tries; offline and not in the cache
    └── HubUntrustedError              an endpoint, response or repository that is not safe to use
"""

from __future__ import annotations

from collections.abc import Iterable


class ZooError(Exception):
    """The root: a message that says what the problem is and what to do."""

    def __str__(self) -> str:
        """Return the message without the quotes that `KeyError` adds."""
        return str(self.args[0]) if self.args else ""


class UnknownNameError(ZooError, KeyError):
    """A name that is not in a registry, data set or folder."""


class AmbiguousNameError(ZooError, KeyError):
    """A name without plugin that more than one plugin offers."""


class PluginError(ZooError):
    """A plugin that cannot be used."""


class ConfigError(ZooError, ValueError):
    """An option of a model, or a field of a recipe, that is unknown or out of range."""


class DataError(ZooError, ValueError):
    """Images or labels that cannot be used."""


class ImageError(DataError):
    """Images of a wrong shape, dtype or range, or a file that is not an image."""


class LabelError(DataError):
    """Labels that do not fit the images or the model's classes."""


class SourceError(DataError):
    """A folder, file or iterable that cannot be read as a data set."""


class DeviceError(ZooError, RuntimeError):
    """A device that is not available."""


class TrainingError(ZooError, RuntimeError):
    """A training that cannot continue."""


class ExportError(ZooError, RuntimeError):
    """A model that cannot be written as ONNX or by `torch.export`."""


class WeightsError(ZooError, ValueError):
    """A saved model that cannot be written, read or trusted."""


class BusyError(WeightsError):
    """Another process writes to the same path, and took too long."""


class HubError(ZooError, RuntimeError):
    """Publishing to a Hub, or loading from one, failed."""


class HubNotFoundError(HubError):
    """There is no such repository, revision or file, or it is not visible with this token."""


class HubAccessError(HubError):
    """The token is missing, invalid or without permission, or the repository is gated."""


class HubConflictError(HubError):
    """Another push came first, or the tag exists already."""


class HubUnreachableError(HubError):
    """The Hub gave no valid response after several tries; or zoo is offline and the cache has no copy."""


class HubUntrustedError(HubError):
    """An endpoint, a response or a repository is not safe to use."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean a or b?"` for similar names, or an empty string.

    >>> did_you_mean("gcn7x7", ["gcn-7x7", "cnn-deep"])
    '; did you mean gcn-7x7?'
    """
    from difflib import get_close_matches  # only if something goes wrong: listing must be fast

    matches = get_close_matches(str(name), list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(matches)}?" if matches else ""


def join_names(names: Iterable[object], limit: int = 12) -> str:
    """Return names joined for an error message, with at most `limit` of them.

    >>> join_names(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    all_names = [str(name) for name in names]
    if len(all_names) <= limit:
        return ", ".join(all_names)
    return f"{', '.join(all_names[:limit])} and {len(all_names) - limit} more"
