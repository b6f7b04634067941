"""Train on images of your own: a folder with one sub-folder per class.

`python examples/own_images.py FOLDER`. Without a folder it first writes a small one, with images from zoo's data.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

import zoo


def write_example_folder(folder):
    """Write 60 images each of two kinds of clothes, and return the folder."""
    clothes = zoo.dataset("fashion-mnist-7x7").train
    for label in (1, 8):
        class_folder = folder / clothes.classes.names[label].lower()
        class_folder.mkdir(parents=True)
        for index, image in enumerate(clothes[clothes.labels == label].images[:60]):
            Image.fromarray(image[0].numpy()).save(class_folder / f"{index:03}.png")
    return folder


folder = Path(sys.argv[1]) if len(sys.argv) > 1 else write_example_folder(Path(tempfile.mkdtemp()) / "photos")
images = zoo.dataset(folder, size=28 if len(sys.argv) > 1 else None).train
print(images, images.counts)

train, held_out = images.split(0.25, seed=0)
model = zoo.create("cnn-7x7", size=images.size, classes=len(images.classes), channels=images.channels, seed=0)
model.fit(train, validation=held_out, epochs=20, keep="best", monitor="val_accuracy")

evaluation = model.evaluate(held_out)
print(evaluation)
print(model.predict(held_out.take(5, seed=0)))  # names of the sub-folders
if len(sys.argv) == 1:
    assert evaluation.accuracy > 0.8  # chance is 0.5
