"""A network of Keras, in whose training a callback sets lrtune's rates.

KERAS_BACKEND=jax lrtune search wine.yaml
"""

import keras
import numpy as np

from lrtune.handover.adapters import keras_callback


def train(run):
    keras.utils.set_random_seed(run.seed)
    classes = list(run.classes)
    labels, held_out = (np.array([classes.index(each) for each in y]) for y in (run.train.y, run.validation.y))
    layers = [keras.layers.Dense(run["width"], activation="relu"), keras.layers.Dense(len(classes), "softmax")]
    model = keras.Sequential([keras.Input(run.train.X.shape[1:]), *layers])
    optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[run["optimizer"]]()
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    callback = keras_callback(run)
    yield from callback.reports(
        lambda: model.fit(
            run.train.X,
            labels,
            batch_size=run["batch_size"],
            epochs=run.epochs,
            validation_data=(run.validation.X, held_out) if len(held_out) else None,
            callbacks=[callback],
            verbose=0,
        )
    )
    model.save(run.folder / "model.keras")
    return model.predict(run.validation.X, verbose=0)


def predict(run, rows):
    return keras.saving.load_model(run.folder / "model.keras").predict(rows, verbose=0)
