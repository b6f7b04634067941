"""Compare models on one data set: the table and the curves."""

from pathlib import Path

import zoo
from zoo.plots import plot_curves, save_figure

data = zoo.dataset("fashion-mnist-7x7")
train, test = data.train.take(1000, seed=0), data.test.take(1000, seed=0)

histories = {}
for name in zoo.models:
    if zoo.models[name].size == (7, 7):
        model = zoo.create(name, seed=0).fit(train, validation=test, epochs=2)
        histories[name] = model.history
        print(f"{name:10} {model.num_parameters:>8,} weights  test accuracy {model.evaluate(test).accuracy:.4f}")

Path("runs").mkdir(exist_ok=True)
save_figure(plot_curves(histories), Path("runs/curves.png"))
print("curves in runs/curves.png")
