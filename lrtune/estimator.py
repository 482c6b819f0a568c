"""The built-in trainer as scikit-learn estimators, and saved models as fitted ones.

Fitting goes through the same function as the final retraining of a search (`lrtune.fitting.fit_model`): on the same
rows, with the same configuration and seed, the same model comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data

from lrtune import model as saved
from lrtune.data.columns import arrays, arrays_for, fit_levels
from lrtune.data.describe import describe
from lrtune.data.tables import Table, from_array, from_frame, with_column
from lrtune.errors import LrtuneError, ModelError, nearest
from lrtune.fitting import fit_model
from lrtune.model import Model
from lrtune.training.registry import DECAYS, MODEL_KEYS, OPTIMIZERS, TRAINING_KEYS, Factor, check_value, complete
from lrtune.trial import Configuration

Array = npt.NDArray[Any]

_BRANCHES: dict[str, Mapping[str, Any]] = {"optimizer": OPTIMIZERS, "decay": DECAYS}
_KEYS = {**MODEL_KEYS, **TRAINING_KEYS}
_NOT_KEYS = {"dtype", "random_state"}
_LEFT_OUT = {"learning_rate", "weight_decay"}  # None: the optimizer's own default
_MODEL = "model"


class _Trained(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators share: a configuration as parameters, a table as input."""

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        optimizer: str | Mapping[str, Mapping[str, Any]] = "adam",
        decay: str | Mapping[str, Mapping[str, Any]] = "linear",
        warmup: float = 0.0,
        model: str = "mlp",
        hidden: tuple[int, ...] = (64,),
        activation: str = "relu",
        dropout: float = 0.0,
        epochs: int = 30,
        batch_size: int = 64,
        weight_decay: float | None = None,
        decoupled: bool = False,
        clip_norm: float | None = None,
        dtype: str = "float32",
        random_state: Any = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.decay = decay
        self.warmup = warmup
        self.model = model
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.decoupled = decoupled
        self.clip_norm = clip_norm
        self.dtype = dtype
        self.random_state = random_state

    model_: Model
    loaded_: bool

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # missing cells are imputed inside
        return tags

    @property
    def configuration(self) -> Configuration:
        """The complete configuration that the parameters describe.

        Raises
        ------
        ValueError
            If a parameter is unknown or illegal.

        """
        if self.dtype not in {"float32", "float64"}:
            raise ValueError(f"dtype: expected 'float32' or 'float64', got {self.dtype!r}")
        return complete(_flat({key: each for key, each in self.get_params().items() if key not in _NOT_KEYS}))

    def save(self, folder: str | Path) -> None:
        """Write the fitted model as JSON and npz; `lrtune.load` reads it."""
        check_is_fitted(self)
        saved.save(self.model_, Path(folder))

    def _fit(
        self,
        table: Table,
        targets: Array,
        given: Any,
        *,
        numeric: bool,
        class_weights: tuple[float, ...] | None = None,
    ) -> Self:
        """Train on a table and targets; ``given`` is what the user passed as ``y``, which may have a name."""
        configuration = self.configuration
        names = table.names if numeric else ()  # an array's columns are numbers, whatever they look like
        task = "classification" if isinstance(self, Classifier) else "regression"
        target = _free(str(getattr(given, "name", None) or "target"), table)
        try:
            table = with_column(table, target, targets)
            schema = describe(table, target=target, task=task, numeric=names)
            rows = np.arange(table.rows)
            schema = fit_levels(table, schema, rows)
            self.model_ = fit_model(
                arrays(table, schema),
                schema,
                rows,
                configuration,
                seed=_seed(self.random_state),
                dtype=self.dtype,
                class_weights=class_weights,
            )
        except LrtuneError as error:
            raise ValueError(str(error)) from error
        return self

    def _table(self, features: Any, *, reset: bool) -> Table:
        """Take features as a table; names and number of columns must be those of `fit`, as in all of scikit-learn."""
        if reset:
            self.loaded_ = False
        elif self.loaded_:
            return self._table_of_loaded(features)
        table = from_frame(features) if _is_frame(features) else from_array(self._numbers(features, least=1 + reset))
        validate_data(self, features, reset=reset, skip_check_array=True)
        return table

    def _table_of_loaded(self, features: Any) -> Table:
        if _is_frame(features):
            return from_frame(features)  # columns are found by name
        numbers, names = self._numbers(features), [each.name for each in self.model_.schema.features]
        if numbers.shape[1] != len(names):
            raise ValueError(f"X has {numbers.shape[1]} columns, but the model needs {len(names)}: {', '.join(names)}")
        return from_array(numbers, names)

    def _numbers(self, features: Any, least: int = 1) -> npt.NDArray[np.float64]:
        checked: npt.NDArray[np.float64] = check_array(
            features, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=least, estimator=self
        )
        return checked

    def _outputs(self, features: Any) -> npt.NDArray[np.float64]:
        check_is_fitted(self)
        try:
            return self.model_.outputs(arrays_for(self._table(features, reset=False), self.model_.schema))
        except ModelError as error:
            raise ValueError(str(error)) from error


class Classifier(ClassifierMixin, _Trained):  # type: ignore[misc]
    """A network for classes, trained with the rate, decay and optimizer given.

    Parameters
    ----------
    learning_rate
        Peak rate; None takes the optimizer's documented default.
    optimizer, decay
        A name, or a mapping with one key that carries factors, as in the experiment file:
        ``{"momentum": {"momentum": 0.9}}``, ``{"exponential": {"k": 0.1}}``.
    warmup
        Share of the horizon in which the rate rises.
    model
        ``"mlp"`` or ``"linear"``.
    hidden, activation, dropout
        Units of each hidden layer; ``"relu"``, ``"tanh"`` or ``"gelu"``; share of units switched off in training.
    epochs, batch_size
        Horizon, and rows of a mini-batch.
    weight_decay, decoupled
        Strength (None: the optimizer's default), and whether it is applied to the parameters directly.
    clip_norm
        Largest norm of a gradient; None: no limit.
    label_smoothing
        Probability taken from the true class and spread over all.
    class_weight
        ``"balanced"``, a mapping from labels to weights, or None.
    dtype
        ``"float32"`` or ``"float64"``.
    random_state
        Of initial parameters, order of rows and dropout; an int gives the same model again.

    Attributes
    ----------
    classes_
        The labels, sorted; of two the last is the positive one.
    model_
        The trained `lrtune.model.Model`.

    """

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        optimizer: str | Mapping[str, Mapping[str, Any]] = "adam",
        decay: str | Mapping[str, Mapping[str, Any]] = "linear",
        warmup: float = 0.0,
        model: str = "mlp",
        hidden: tuple[int, ...] = (64,),
        activation: str = "relu",
        dropout: float = 0.0,
        epochs: int = 30,
        batch_size: int = 64,
        weight_decay: float | None = None,
        decoupled: bool = False,
        clip_norm: float | None = None,
        label_smoothing: float = 0.0,
        class_weight: str | Mapping[Any, float] | None = None,
        dtype: str = "float32",
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            optimizer=optimizer,
            decay=decay,
            warmup=warmup,
            model=model,
            hidden=hidden,
            activation=activation,
            dropout=dropout,
            epochs=epochs,
            batch_size=batch_size,
            weight_decay=weight_decay,
            decoupled=decoupled,
            clip_norm=clip_norm,
            dtype=dtype,
            random_state=random_state,
        )
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any) -> Self:
        """Train on rows ``X (N, D)``, an array or a data frame with mixed columns, and their labels ``y (N,)``."""
        table = self._table(X, reset=True)
        labels = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has only one class, {self.classes_[0]!r}: nothing to learn")
        targets = labels if _as_a_table_has_them(self.classes_) else codes
        weights = None
        if isinstance(self.class_weight, Mapping):
            weights = tuple(float(self.class_weight.get(each, 1.0)) for each in self.classes_.tolist())
        return self._fit(table, targets, y, numeric=not _is_frame(X), class_weights=weights)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability ``(N, classes)`` of each class, in the order of ``classes_``."""
        return self._outputs(X)

    def predict(self, X: Any) -> Array:
        """Give the most probable label of each row ``(N,)``."""
        probabilities = self._outputs(X)
        return cast("Array", self.classes_[probabilities.argmax(axis=1)])


class Regressor(RegressorMixin, _Trained):  # type: ignore[misc]
    """A network for values, trained with the rate, decay and optimizer given; parameters as of `Classifier`."""

    def fit(self, X: Any, y: Any) -> Self:
        """Train on rows ``X (N, D)``, an array or a data frame with mixed columns, and their values ``y (N,)``."""
        table = self._table(X, reset=True)
        values = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=np.float64, input_name="y")
        return self._fit(table, values, y, numeric=not _is_frame(X))

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the value of each row ``(N,)`` in the units of ``y``."""
        return self._outputs(X)[:, 0]


def load(path: str | Path) -> Classifier | Regressor:
    """Load a saved model as a fitted estimator. Nothing in the files is executed.

    Parameters
    ----------
    path
        The folder of a run, or of a model.

    Returns
    -------
    estimator
        Data frames are matched by the names of their columns, in any order; the columns of an array must be the
        training features, in the order of ``model_.schema.features``. Its parameters are those of the configuration.

    Raises
    ------
    ModelError
        If there is no model, or it is damaged.

    """
    folder = Path(path)
    model = saved.load(folder / _MODEL if (folder / _MODEL).is_dir() else folder)
    kind = Regressor if model.problem.loss == "squared" else Classifier
    estimator = kind(**_parameters(model, kind))
    estimator.model_, estimator.loaded_ = model, True
    estimator.n_features_in_ = len(model.schema.features)
    if isinstance(estimator, Classifier):
        estimator.classes_ = np.array(model.schema.classes)
    return estimator


def _parameters(model: Model, kind: type[Classifier | Regressor]) -> dict[str, Any]:
    configuration = dict(model.configuration)
    names = set(kind._get_param_names())  # noqa: SLF001 - scikit-learn's way to ask for them
    plain: dict[str, Any] = {
        key: value for key, value in configuration.items() if key in names and key not in _BRANCHES
    }
    for key in _BRANCHES:
        factors = {name.partition(".")[2]: value for name, value in configuration.items() if name.startswith(f"{key}.")}
        plain[key] = {configuration[key]: factors} if factors else configuration[key]
    if model.class_weights is not None:
        plain["class_weight"] = dict(zip(model.schema.classes, model.class_weights, strict=True))
    return {**plain, "dtype": str(model.layers[0][0].dtype), "random_state": model.seed}


def _flat(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an estimator's parameters into flat keys, all of them checked."""
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        if key in _BRANCHES:
            flat.update(_branch(key, value))
        elif value is None and key in _LEFT_OUT:
            continue
        elif key == "class_weight" and isinstance(value, Mapping):
            continue  # the configuration knows 'balanced' only; a mapping goes to the rows
        else:
            flat[key] = _checked(_KEYS[key], key, value)
    return flat


def _branch(key: str, value: Any) -> dict[str, Any]:
    """Read a name, or a mapping from a name to its factors."""
    entries = _BRANCHES[key]
    name, factors = next(iter(value.items())) if isinstance(value, Mapping) and len(value) == 1 else (value, {})
    if not isinstance(name, str) or name not in entries:
        raise ValueError(f"{key}: unknown {name!r}; {nearest(str(name), entries)}")
    known = {each.name: each for each in entries[name].factors}
    flat = {key: name}
    for factor, setting in (factors or {}).items():
        if factor not in known:
            raise ValueError(f"{key}: {name} has no factor {factor!r}; {nearest(str(factor), known)}")
        flat[f"{key}.{factor}"] = _checked(known[factor], f"{key}.{factor}", setting)
    return flat


def _checked(declared: Factor, key: str, value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    plain = tuple(plain) if isinstance(plain, list) else plain
    problem = check_value(declared, plain)
    if problem is not None:
        raise ValueError(f"{key}: {problem}")
    return plain


def _seed(random_state: Any) -> int:
    """Take an int as it is, so that a search's seed gives its model again; draw one from anything else."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _is_frame(features: Any) -> bool:
    return hasattr(features, "columns") and not isinstance(features, np.ndarray)


def _free(name: str, table: Table) -> str:
    while name in table.columns:
        name += "_"
    return str(name)


def _as_a_table_has_them(classes: Array) -> bool:
    """Tell whether labels would be the same as cells of a table: text or whole numbers."""
    return classes.dtype.kind in "iu" or all(isinstance(each, str) for each in classes.tolist())
