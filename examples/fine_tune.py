"""Begin from trained weights if you have few images: 30 of them, with classes of your own.

python examples/fine_tune.py
"""

import numpy as np

import zoo

KINDS = {5: "shoe", 7: "shoe", 9: "shoe", 8: "bag", 1: "trousers", 3: "dress"}


def name_kinds(images):
    """Return images and labels as you may have them: `(X, y)`, with strings for labels."""
    kinds = np.array([KINDS.get(label, "top") for label in images.labels.tolist()])
    return images.images.numpy(), kinds


data = zoo.dataset("fashion-mnist-7x7")
few, test = name_kinds(data.train.take(30, seed=0)), name_kinds(data.test.take(2000, seed=0))

scratch = zoo.create("cnn-7x7", classes=5, seed=0)
scratch.fit(few, epochs=60, batch_size=10, progress=False)

tuned = zoo.create("cnn-7x7", classes=5, seed=0, pretrained="fashion-mnist")
print(f"begins from {tuned.base}\n{tuned.report}")
for name, parameter in tuned.net.named_parameters():
    parameter.requires_grad_(name in tuned.report.reinitialised)  # with so few images, train only the new last layer
tuned.fit(few, epochs=60, lr=0.01, batch_size=10, progress=False)

accuracies = {"from scratch": scratch.evaluate(test).accuracy, f"from {tuned.base}": tuned.evaluate(test).accuracy}
for name, accuracy in accuracies.items():
    print(f"{name}: {accuracy:.4f} on {len(test[1]):,} test images")
assert min(accuracies.values()) > 0.5  # always "top" is right for 0.4 of the images
assert accuracies[f"from {tuned.base}"] > accuracies["from scratch"]

colour = zoo.create("cnn-7x7", channels=3, seed=0, pretrained="fashion-mnist")
print(f"for colour images\n{colour.report}")
