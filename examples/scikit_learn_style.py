"""Arrays in, labels out: scikit-learn's handwritten digits at 8 x 8."""

from sklearn.datasets import load_digits

import zoo

X, y = load_digits(return_X_y=True)  # (1797, 64) levels 0 to 16, whole numbers
X = X / 16  # floats in [0, 1]

model = zoo.create("cnn-7x7", size=8, seed=0)
model.fit((X[:1500], y[:1500]), epochs=5)

print("first labels:", model.predict(X[1500:1510]), "true:", y[1500:1510])
print(model.evaluate((X[1500:], y[1500:])))
