"""Compare four networks on the same images: parameters, accuracy with its interval, and learning curves.

python examples/compare_models.py
"""

import zoo
from zoo.plots import plot_curves, save_figure

data = zoo.dataset("fashion-mnist-7x7")
train, test = data.train.take(3000, seed=0), data.test.take(1000, seed=0)

histories, accuracies = {}, {}
for name in ("cnn-7x7", "cnn-pooled-7x7", "gcn-plus-7x7", "rgcn-7x7"):
    model = zoo.create(name, seed=0)
    model.fit(train, validation=test, epochs=5, lr=0.005, schedule="one-cycle", progress=False)
    histories[name], accuracies[name] = model.history, model.evaluate(test).accuracy
    print(f"{name:14} {model.num_parameters:>8,} parameters   test accuracy {accuracies[name]:.4f}")

save_figure(plot_curves(histories), "curves.png")
print("wrote curves.png")
for name, accuracy in accuracies.items():
    assert accuracy > 0.4, f"{name} did not learn"  # chance is 0.1
