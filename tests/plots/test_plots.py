"""Figures show their arguments, and need no display."""

import matplotlib.pyplot as plt
import pytest
import torch

from zoo.metrics.classification import evaluate_logits
from zoo.plots import plot_confusion_matrix, plot_curves, save_figure
from zoo.saving.history import History

HISTORY = History(
    [{"epoch": k, "loss": 2 / k, "accuracy": k / 9, "val_loss": 2.1 / k, "val_accuracy": k / 10} for k in (1, 2, 3)]
)


def test_curves_show_histories_and_the_losses_of_a_paper():
    figure = plot_curves({"first": HISTORY, "second": HISTORY}, paper={"paper": (2.0, 1.1, 0.7)})
    loss, accuracy = figure.axes
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        *("first", "first, validation", "second", "second, validation", "paper")
    ]
    assert list(loss.lines[0].get_ydata()) == HISTORY["loss"]
    assert len(accuracy.lines) == 4
    assert all(float(tick).is_integer() for tick in loss.get_xticks())


def test_the_confusion_matrix_is_in_percent_of_each_true_class():
    labels = torch.tensor([0, 0, 0, 0, 1])
    logits = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 1, 1]), 2).float()
    axes = plot_confusion_matrix(evaluate_logits(logits, labels, ("shirt", "coat"))).axes[0]
    assert [text.get_text() for text in axes.texts] == ["75", "25", "0", "100"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["shirt", "coat"]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_suffix_decides_the_format_and_no_figure_stays_open(tmp_path, suffix):
    save_figure(plot_curves({"run": HISTORY}), tmp_path / f"curves.{suffix}")
    assert (tmp_path / f"curves.{suffix}").stat().st_size > 1000
    assert plt.get_fignums() == []
