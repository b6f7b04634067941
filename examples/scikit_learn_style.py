"""Arrays in, labels out: scikit-learn's handwritten digits, 8 x 8 pixels.

python examples/scikit_learn_style.py
"""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import zoo

X, y = load_digits(return_X_y=True)  # (1797, 64), levels 0 to 16, and integers
X = X / 16  # floats in [0, 1]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=297, random_state=0, stratify=y)

model = zoo.create("cnn-7x7", size=8, seed=0)
model.fit((X_train, y_train), epochs=10)

evaluation = model.evaluate((X_test, y_test))
print("predicted", model.predict(X_test[:10]), "true", y_test[:10])
print(evaluation)
assert evaluation.accuracy > 0.9  # chance is 0.1
