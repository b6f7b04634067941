"""Train on your own pictures: a folder with a sub-folder a class.

`python examples/own_pictures.py FOLDER`; without a folder it first makes a small one out of the data zoo ships.
"""

import sys
import tempfile
from pathlib import Path

import zoo
from zoo.data.image_files import write_grid


def made_up(folder: Path) -> Path:
    """Write 60 pictures each of two kinds of clothes."""
    clothes = zoo.dataset("fashion-mnist-7x7").train
    for label in (1, 8):
        place = folder / clothes.classes.names[label].lower()
        place.mkdir(parents=True)
        for number, image in enumerate(clothes[clothes.labels == label].take(60).images):
            write_grid(image[None], place / f"{number:03}.png", columns=1, scale=1)
    return folder


folder = Path(sys.argv[1]) if len(sys.argv) > 1 else made_up(Path(tempfile.mkdtemp()) / "photos")
images = zoo.dataset(folder).train
print(images, images.counts)

train, held_out = images.split(0.25)
model = zoo.create("cnn-7x7", classes=len(images.classes), channels=images.channels, seed=0)
model.fit(train, validation=held_out, epochs=20, keep="best", monitor="val_accuracy")

print(model.evaluate(held_out))
print(model.predict(held_out.take(5)))
