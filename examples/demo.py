"""Train the graph network of paper 1 on real pictures of clothes at 7 x 7, score it, keep it, use it."""

import zoo

data = zoo.dataset("fashion-mnist-7x7")
print(data.train)

model = zoo.create("gcn-7x7", seed=0)
model.fit(data.train, validation=data.test)

print(model.evaluate(data.test))
folder = model.save("runs/gcn-7x7")

again = zoo.load(folder)
few = data.test.take(5)
for guess, true in zip(again.classify(few, top_k=3), few.labels.tolist(), strict=True):
    text = ", ".join(f"{each.name} {each.probability:.2f}" for each in guess)
    print(f"{few.classes.names[true]:>12}: {text}")
print(f"test accuracy {again.evaluate(data.test).accuracy:.4f}; saved to {folder}")
