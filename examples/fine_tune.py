"""Begin from trained weights when you have few images: 30 of them, with classes of your own.

python examples/fine_tune.py
"""

import numpy as np

import zoo

KINDS = {5: "shoe", 7: "shoe", 9: "shoe", 8: "bag", 1: "trousers", 3: "dress"}


def mine(images):
    """Return pictures and labels as you may have them: `(X, y)`, with strings for labels."""
    kinds = np.array([KINDS.get(label, "top") for label in images.labels.tolist()])
    return images.images.numpy(), kinds


data = zoo.dataset("fashion-mnist-7x7")
few, test = mine(data.train.take(30, seed=0)), mine(data.test.take(2000, seed=0))

scratch = zoo.create("cnn-7x7", classes=5, seed=0)
begun = zoo.create("cnn-7x7", classes=5, seed=0, pretrained="fashion-mnist")
print(f"begun from {begun.base}: {begun.report}")

for name, weight in begun.net.named_parameters():
    weight.requires_grad_(name in begun.report.reinitialised)  # with so few images, train the fresh head alone

for name, model in (("from scratch", scratch), (f"from {begun.base}", begun)):
    model.fit(few, epochs=60, lr=0.01 if model is begun else 0.001, batch_size=10, progress=False)
    print(f"{name}: {model.evaluate(test).accuracy:.4f} on {len(test[1]):,} test images")

colour = zoo.create("cnn-7x7", channels=3, seed=0, pretrained="fashion-mnist")
print(f"for colour images: {colour.report}")
