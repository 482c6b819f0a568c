"""The built-in trainer as scikit-learn estimators, and saved models as fitted ones.

Fitting goes through the same function as the final retraining of a search (`lrtune.model.fitting.fit_model`): on the
same rows, with the same configuration and seed, the same model comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import signature
from numbers import Real
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from lrtune import model as saved
from lrtune.arrays import Array
from lrtune.data.columns import arrays, arrays_for, fit_levels
from lrtune.data.describe import describe
from lrtune.data.memory import is_frame
from lrtune.data.tables import Table, from_array, from_frame, with_column
from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.nesting import Branch, flat, nested
from lrtune.model import Model
from lrtune.model.fitting import fit_model
from lrtune.space.trial import Configuration
from lrtune.text.errors import ConfigurationError, NoUsableResultError, nearest
from lrtune.text.paths import expanded
from lrtune.training.numbers.catalogue import USUAL
from lrtune.training.registry import complete

_NOT_KEYS = {"dtype", "random_state", "positive"}


class _Trained(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators share: a configuration as parameters, a table as input."""

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        optimizer: Branch = "adam",
        decay: Branch = "linear",
        warmup: float = 0.0,
        warmup_shape: str = "linear",
        warmup_start: float | None = None,
        model: str = "mlp",
        hidden: tuple[int, ...] = (64,),
        activation: str = "relu",
        embedding: str = "none",
        dropout: float = 0.0,
        epochs: int = 30,
        batch_size: int = 64,
        weight_decay: float | None = None,
        decoupled: bool = False,
        clip_norm: float | None = None,
        numbers: str = USUAL,
        ema: float = 0.0,
        rate_factors: Mapping[str, float] | None = None,
        over_time: Mapping[str, str] | None = None,
        dtype: str = "float32",
        random_state: Any = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.decay = decay
        self.warmup = warmup
        self.warmup_shape = warmup_shape
        self.warmup_start = warmup_start
        self.model = model
        self.hidden = hidden
        self.activation = activation
        self.embedding = embedding
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.decoupled = decoupled
        self.clip_norm = clip_norm
        self.numbers = numbers
        self.ema = ema
        self.rate_factors = rate_factors
        self.over_time = over_time
        self.dtype = dtype
        self.random_state = random_state

    model_: Model
    loaded_: bool

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # missing cells are imputed inside
        tags.input_tags.string = True  # categories are encoded inside
        return tags

    @property
    def configuration(self) -> Configuration:
        """The complete configuration that the parameters describe.

        Raises
        ------
        ConfigurationError
            If a parameter is illegal; it is a ValueError.

        """
        if self.dtype not in {"float32", "float64"}:
            raise ConfigurationError(f"dtype: expected 'float32' or 'float64', got {self.dtype!r}")
        given = {key: each for key, each in self.get_params().items() if key not in _NOT_KEYS}
        if isinstance(given.get("class_weight"), Mapping):
            del given["class_weight"]  # goes to the rows; a configuration knows 'balanced' only
        return complete(flat(given))

    @property
    def target(self) -> str:
        """Name of what the fitted model predicts."""
        check_is_fitted(self)
        return self.model_.schema.target

    def save(self, folder: str | Path) -> None:
        """Write the fitted model as JSON and npz; `lrtune.load` reads it."""
        check_is_fitted(self)
        saved.save(self.model_, expanded(folder))

    def _fit(self, features: Any, targets: Array, given: Any, *, task: str, positive: object = None) -> Self:
        """Train on features and targets; ``given`` is what the user passed as ``y``, which may have a name."""
        configuration = self.configuration
        table = self._table(features, reset=True)
        target = _free(str(getattr(given, "name", None) or "target"), table)
        table = with_column(table, target, targets)
        schema = describe(table, target=target, task=task, positive=positive)
        rows = np.arange(table.rows)
        schema = fit_levels(table, schema, rows)
        columns = arrays(table, schema)
        if task == "classification":  # the labels themselves, because a table spells True and 1.0 its own way
            assert columns.target is not None
            _, first = np.unique(columns.target, return_index=True)
            schema = replace(schema, classes=tuple(targets[first].tolist()))
        try:
            self.model_ = fit_model(
                columns,
                schema,
                rows,
                configuration,
                seed=_seed(self.random_state),
                dtype=self.dtype,
                class_weights=self._class_weights(schema.classes),
            )
        except NoUsableResultError as error:
            raise ValueError(str(error)) from error
        return self

    def _class_weights(self, classes: Sequence[Any]) -> tuple[float, ...] | None:
        """Give the weights that a mapping lists, in the order of the classes; a class without one has weight 1."""
        given = getattr(self, "class_weight", None)
        if not isinstance(given, Mapping):
            return None
        unknown = [each for each in given if each not in classes]
        if unknown:
            raise ConfigurationError(
                f"class_weight: y has no class {unknown[0]!r}; {nearest(str(unknown[0]), map(str, classes))}"
            )
        for each in given.values():
            if not isinstance(each, Real) or not 0.0 <= float(each) < np.inf:
                raise ConfigurationError(f"class_weight: expected numbers of at least 0, got {each!r}")
        return tuple(float(given.get(each, 1.0)) for each in classes)

    def _table(self, features: Any, *, reset: bool) -> Table:
        """Take features as a table; names and number of columns must be those of `fit`, as in all of scikit-learn."""
        if reset:
            self.loaded_ = False
        elif self.loaded_:
            return self._table_of_loaded(features)
        table = from_frame(features) if is_frame(features) else from_array(self._array(features, least=1 + reset))
        validate_data(self, features, reset=reset, skip_check_array=True)
        return table

    def _table_of_loaded(self, features: Any) -> Table:
        if is_frame(features):
            return from_frame(features)  # columns are found by name
        array, schema = self._array(features), self.model_.schema
        every = [each.name for each in schema.columns if each.name != schema.target]
        used = [each.name for each in schema.features]
        for names in (every, used):
            if array.shape[1] == len(names):
                return from_array(array, names)
        fewer = f", or the {len(used)} that it uses: {', '.join(used)}" if len(used) < len(every) else ""
        raise ValueError(f"X has {array.shape[1]} columns, but the model was trained on a table of {len(every)}{fewer}")

    def _array(self, features: Any, least: int = 1) -> Array:
        """Check an array ``(N, D)`` of numbers, or of objects where there are texts among them."""
        if isinstance(features, list | tuple) and np.asarray(features).dtype.kind in "SU":
            features = np.asarray(features, dtype=object)  # else NumPy makes texts of the numbers
        checked: Array = check_array(
            features, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=least, estimator=self
        )
        return checked

    def _outputs(self, features: Any) -> npt.NDArray[np.float64]:
        check_is_fitted(self)
        self.model_.refuse_tables()
        return self.model_.outputs(arrays_for(self._table(features, reset=False), self.model_.schema))


class Classifier(ClassifierMixin, _Trained):  # type: ignore[misc]
    """A network for classes, trained with the rate, decay and optimizer given.

    Parameters
    ----------
    learning_rate
        Peak rate; None takes the optimizer's documented default.
    optimizer, decay
        A name, or a mapping with one key that carries factors, as in the experiment file:
        ``{"momentum": {"momentum": 0.9}}``, ``{"exponential": {"k": 0.1}}``.
    warmup, warmup_shape, warmup_start
        Share of the horizon in which the rate rises; ``"linear"`` or ``"exponential"``; first rate divided by the peak
        (None: one divided by the steps).
    model
        ``"mlp"`` or ``"linear"``.
    hidden, activation, embedding, dropout
        Units of each hidden layer; ``"relu"``, ``"tanh"`` or ``"gelu"``; ``"none"``, or ``"periodic"`` to join numbers
        by mixtures of waves; share of units switched off in training.
    epochs, batch_size
        Horizon, and rows of a mini-batch.
    weight_decay, decoupled
        Strength (None: the optimizer's default), and whether it is applied to the parameters directly.
    clip_norm
        Largest norm of a gradient; None: no limit.
    numbers
        How numbers become features: ``"standard"``, ``"robust"`` or ``"piecewise"``.
    ema
        Half-life, in epochs, of the moving average of the parameters that predicts; 0: no average.
    rate_factors
        What multiplies the rate of a group of parameters: ``{"first": 3, "bias": 0.1}``; the groups are ``first``,
        ``hidden``, ``last`` (the weights of these layers), ``bias`` and ``embedding``. None: all are 1.
    over_time
        How other keys change over the horizon: ``{"weight_decay": "flat_cosine"}``, likewise ``dropout`` and
        ``label_smoothing``, by the name of a decay type. None: they do not.
    label_smoothing
        Probability taken from the true class and spread over all.
    class_weight
        ``"balanced"``, a mapping from labels to weights, or None.
    positive
        The positive one of two classes; None takes the last. It decides the sign of what is trained, nothing else.
    dtype
        ``"float32"`` or ``"float64"``.
    random_state
        Of initial parameters, order of rows and dropout; an int gives the same model again.

    Attributes
    ----------
    classes_
        The labels, sorted.
    model_
        The trained `lrtune.model.Model`.

    """

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        optimizer: Branch = "adam",
        decay: Branch = "linear",
        warmup: float = 0.0,
        warmup_shape: str = "linear",
        warmup_start: float | None = None,
        model: str = "mlp",
        hidden: tuple[int, ...] = (64,),
        activation: str = "relu",
        embedding: str = "none",
        dropout: float = 0.0,
        epochs: int = 30,
        batch_size: int = 64,
        weight_decay: float | None = None,
        decoupled: bool = False,
        clip_norm: float | None = None,
        numbers: str = USUAL,
        ema: float = 0.0,
        rate_factors: Mapping[str, float] | None = None,
        over_time: Mapping[str, str] | None = None,
        label_smoothing: float = 0.0,
        class_weight: str | Mapping[Any, float] | None = None,
        positive: Any = None,
        dtype: str = "float32",
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            optimizer=optimizer,
            decay=decay,
            warmup=warmup,
            warmup_shape=warmup_shape,
            warmup_start=warmup_start,
            model=model,
            hidden=hidden,
            activation=activation,
            embedding=embedding,
            dropout=dropout,
            epochs=epochs,
            batch_size=batch_size,
            weight_decay=weight_decay,
            decoupled=decoupled,
            clip_norm=clip_norm,
            numbers=numbers,
            ema=ema,
            rate_factors=rate_factors,
            over_time=over_time,
            dtype=dtype,
            random_state=random_state,
        )
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.positive = positive

    classes_: Array

    def fit(self, X: Any, y: Any) -> Self:
        """Train on rows ``X (N, D)``, an array or a data frame with mixed columns, and their labels ``y (N,)``."""
        check_consistent_length(X, y)
        labels = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(f"y has only one class, {self.classes_[0]!r}: nothing to learn")
        return self._fit(X, labels, y, task="classification", positive=self.positive)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability ``(N, classes)`` of each class, in the order of ``classes_``."""
        outputs = self._outputs(X)
        trained = list(self.model_.schema.classes)
        return outputs[:, [trained.index(label) for label in self.classes_.tolist()]]

    def predict(self, X: Any) -> Array:
        """Give the most probable label of each row ``(N,)``."""
        best = self.predict_proba(X).argmax(axis=1)
        return cast("Array", self.classes_[best])


class Regressor(RegressorMixin, _Trained):  # type: ignore[misc]
    """A network for values, trained with the rate, decay and optimizer given; parameters as of `Classifier`."""

    def fit(self, X: Any, y: Any) -> Self:
        """Train on rows ``X (N, D)``, an array or a data frame with mixed columns, and their values ``y (N,)``."""
        check_consistent_length(X, y)
        values = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=np.float64, input_name="y")
        return self._fit(X, values, y, task="regression")

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the value of each row ``(N,)`` in the units of ``y``."""
        return self._outputs(X)[:, 0]


def load(path: str | Path, *, trust: bool = False) -> Classifier | Regressor:
    """Load a saved model as a fitted estimator. Nothing in the files is executed.

    Parameters
    ----------
    path
        The folder of a run, or of a model.
    trust
        Whether an estimator of another library than scikit-learn may be made of the file, which may run code of it.

    Returns
    -------
    estimator
        Data frames are matched by the names of their columns, in any order. An array has the columns of the training
        table in their order, without the target. Its parameters are those of the configuration, of the first one where
        the model is a mean; of another trainer's model they stand in ``model_.members`` and these are the defaults.

    Raises
    ------
    ModelError
        If there is no model, or it is damaged.

    """
    model = saved.load(expanded(path), trust=trust)
    schema = model.schema
    first = model.members[0]
    own: Values = {}
    dtype = "float32"
    if isinstance(first, saved.TrainedNetwork):
        own, dtype = nested(first.configuration), str(first.layers[0][0].dtype)
    estimator: Classifier | Regressor
    if schema.task == "regression":
        estimator = Regressor(**_known(own, Regressor), dtype=dtype, random_state=first.seed)
    else:
        estimator = Classifier(**_known(own, Classifier), dtype=dtype, random_state=first.seed)
        estimator.classes_ = np.unique(np.array(schema.classes))
        if schema.classes != tuple(estimator.classes_.tolist()):
            estimator.positive = schema.positive
        if model.class_weights is not None:
            estimator.class_weight = dict(zip(schema.classes, model.class_weights, strict=True))
    estimator.model_, estimator.loaded_ = model, True
    estimator.n_features_in_ = len(schema.columns) - 1  # all but the target
    return estimator


def _known(parameters: Values, kind: type[BaseEstimator]) -> Values:
    """Leave out what a task has no parameter for."""
    names = signature(kind.__init__).parameters
    return {key: each for key, each in parameters.items() if key in names}


def _seed(random_state: Any) -> int:
    """Take an int as it is, so that a search's seed gives its model again; draw one from anything else."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _free(name: str, table: Table) -> str:
    while name in table.columns:
        name += "_"
    return str(name)
