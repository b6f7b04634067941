"""Train the graph network of paper 1 on images of clothes, 7 x 7 pixels each; score it, save it, load it, use it."""

import zoo

data = zoo.dataset("fashion-mnist-7x7")
print(data.train)

model = zoo.create("gcn-7x7", seed=0)
model.fit(data.train, validation=data.test)

evaluation = model.evaluate(data.test)
print(evaluation)
folder = model.save("runs/gcn-7x7")

loaded = zoo.load(folder)
few = data.test.take(5)
for predictions, label in zip(loaded.classify(few, top_k=3), few.labels.tolist(), strict=True):
    guesses = ", ".join(f"{each.name} {each.probability:.2f}" for each in predictions)
    print(f"{few.classes.names[label]:>12}: {guesses}")
print(f"test accuracy {evaluation.accuracy:.4f}; saved to {folder}")
assert evaluation.accuracy > 0.4  # 906 parameters; chance is 0.1
