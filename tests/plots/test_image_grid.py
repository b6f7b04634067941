"""Grids, bars, robustness curves and tables show their arguments by text and marks as well as by colour."""

import pytest
import torch

import zoo
from zoo.errors import ConfigError
from zoo.metrics.classification import evaluate_logits
from zoo.plots import TableEntry, plot_class_scores, plot_curves, plot_images, plot_robustness, plot_table, save_figure
from zoo.plots.style import COLOURS, line_style
from zoo.saving.history import History
from zoo.signature import Classes

SHOES = zoo.Images(
    torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 1, 1]), Classes.of((7, 9), ("Sneaker", "Boot"))
)


def get_titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def test_a_grid_frames_wrong_predictions():
    figure = plot_images(SHOES, predicted=[7, 7, 9], columns=2)
    assert get_titles(figure) == ["Sneaker", "Sneaker\n(is Boot)", "Boot"]
    assert [axes.axison for axes in figure.axes] == [False, True, False, False]


def test_a_grid_without_predictions_shows_the_classes():
    assert get_titles(plot_images(SHOES)) == ["Sneaker", "Boot", "Boot"]


def test_colour_images_stay_in_colour():
    red = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    red[:, 0] = 255
    pixels = plot_images(zoo.Images(red, torch.tensor([0]))).axes[0].images[0].get_array()
    assert pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("predictions", [[7, 7], [7, 8, 9]])
def test_predictions_that_do_not_fit_the_images_are_refused(predictions):
    with pytest.raises(ConfigError, match=r"one for each image|not a class of these images"):
        plot_images(SHOES, predicted=predictions)


def test_bars_begin_with_the_worst_class_and_have_marks_for_precision_and_recall():
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    logits = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 1, 2, 2]), 3).float()
    axes = plot_class_scores(evaluate_logits(logits, labels, ("a", "b", "c"))).axes[0]
    top = [label.get_text() for label in axes.get_yticklabels()][::-1]
    assert top[-1] == "a"
    assert {text.get_text() for text in axes.texts} == {"1.000", "0.667"}
    assert [line.get_label() for line in axes.lines] == ["precision", "recall"]


def test_robustness_shows_mean_range_and_number_of_seeds():
    axes = plot_robustness(
        {"gcn": {0: (0.4, 0.6), 90: (0.3, 0.5)}}, change="rotation", unit="degrees", chance=0.1
    ).axes[0]
    assert list(axes.lines[0].get_ydata()) == pytest.approx([0.5, 0.4])
    assert axes.lines[0].get_label() == "gcn (n=2)"
    assert axes.collections[0].get_paths()[0].vertices[:, 1].min() == pytest.approx(0.3)
    assert axes.get_xlabel() == "rotation in degrees"


def test_a_table_has_its_first_row_at_the_top_and_marks_rows_that_are_not_run():
    entries = [
        TableEntry(label="first", scores=(0.5, 0.7), paper_score=0.6),
        TableEntry(label="second", paper_score=0.8),
    ]
    axes = plot_table(entries, title="zoo and the paper").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["second", "first (n=2)"]
    assert [text.get_text() for text in axes.texts] == ["not run"]


def test_nothing_to_plot_is_an_error():
    for plot in (
        lambda: plot_curves({"none": History()}),
        lambda: plot_table([TableEntry(label="empty")], title="nothing"),
        lambda: plot_robustness({"gcn": {0: ()}}, change="rotation", unit="degrees"),
    ):
        with pytest.raises(ConfigError, match="nothing to plot"):
            plot()


def test_the_history_of_a_generator_has_two_losses_and_two_fractions():
    rows = [
        {"epoch": k, "discriminator_loss": 1.0, "generator_loss": 2.0, "real_as_real": 0.8, "drawn_as_real": 0.2}
        for k in (1, 2)
    ]
    losses, fractions = plot_curves({"gan": History(rows)}).axes
    assert [line.get_label() for line in losses.lines] == ["gan, discriminator", "gan, generator"]
    assert [line.get_label() for line in fractions.lines] == ["gan, real images", "gan, generated images"]


def test_many_runs_share_one_legend_below():
    history = History([{"epoch": k, "loss": 1 / k} for k in (1, 2)])
    figure = plot_curves({f"run {k}": history for k in range(5)})
    assert figure.axes[0].get_legend() is None
    assert len(figure.legends[0].get_texts()) == 5


def _luminance(colour):
    red, green, blue = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_lines_differ_by_more_than_their_hue():
    styles = [line_style(index) for index in range(14)]
    assert len({(style.marker, str(style.linestyle)) for style in styles}) == 14
    assert abs(_luminance(COLOURS[0]) - _luminance(COLOURS[4])) > 0.2


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"written to \.png, \.svg or \.pdf"):
        save_figure(plot_images(SHOES), tmp_path / "grid.gif")
