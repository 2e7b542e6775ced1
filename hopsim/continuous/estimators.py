"""Classification and regression by one softmax retrieval from the training set, with scikit-learn's interface.

A prediction is the average of the training targets, each weighted by the softmax of β times its likeness to the query
(`lookup.Lookup`): attention to the stored training set, and with the likeness -distance²/2 Nadaraya-Watson regression.
What is "auto" is chosen on the training set by the error of leaving each example out, which one row of scores gives.

Needs scikit-learn: pip install "hopsim[learn]".
"""

import itertools
from collections.abc import Iterator
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import Refused
from .lookup import METRICS, Lookup, Metric, unit
from .softmax import Floats, checked_beta

LEFT_OUT, SCORES = 2048, 2**24  # at most so many examples are left out to choose, evenly spaced, with so many scores
FACTORS = 2.0 ** np.arange(-8, 7.1, 0.5)  # β tried, over the inverse median squared distance of nearest neighbours
Scale = Literal[True, False, "relevance"]
SCALES: tuple[Scale, ...] = (True, False, "relevance")


class _Retrieval(BaseEstimator):  # type: ignore[misc]
    """What both have in common; each says what its values are."""

    def __init__(self, beta: Any = "auto", metric: str = "auto", scale: Any = "auto") -> None:
        self.beta = beta
        self.metric = metric
        self.scale = scale

    def _store(self, X: Floats, values: Floats) -> None:
        """Choose what is to be chosen, and keep the examples."""
        self.centre_, self.spread_ = X.mean(axis=0), X.std(axis=0)
        self.relevance_ = _relevance(self._scaled(X, True), values)
        tried = [
            (loss, beta, scale, metric)
            for scale, metric in itertools.product(self._scales(), self._metrics())
            for loss, beta in self._losses(self._scaled(X, scale), values, metric)
        ]
        _, self.beta_, self.scale_, self.metric_ = min(tried, key=lambda trial: trial[0])
        self.lookup_ = Lookup(self._scaled(X, self.scale_), values, self.beta_, self.metric_)

    def _losses(self, x: Floats, values: Floats, metric: Metric) -> Iterator[tuple[float, float]]:
        """Squared leave-one-out errors, each with its β; one example alone has none."""
        if self.beta == "auto":
            betas = (FACTORS / _nearest(x if metric == "distance" else unit(x))).tolist()
        else:
            betas = [checked_beta(self.beta)]
        if len(x) == 1 or (len(betas) == 1 and self.metric != "auto" and self.scale != "auto"):
            return iter([(0.0, betas[0])])
        places = _places(len(x))
        found = Lookup(x, values, 1.0, metric).leave_one_out(places, betas)
        wanted = values[places]
        return ((float(((average - wanted) ** 2).mean()), beta) for average, beta in zip(found, betas, strict=True))

    def _retrieve(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        found = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(self.lookup_.read(self._scaled(found, self.scale_)))

    def _scaled(self, X: Floats, scale: Scale) -> Floats:
        """Features less their mean, over their standard deviations if asked for; constant ones become 0."""
        centred = np.asarray(X - self.centre_)
        if scale is False:
            return centred
        constant = self.spread_ <= 1e-12 * np.abs(self.centre_)
        scaled = np.asarray(np.where(constant, 0.0, centred / np.where(constant, 1.0, self.spread_)))
        return scaled * self.relevance_ if scale == "relevance" else scaled

    def _scales(self) -> tuple[Scale, ...]:
        if self.scale not in ("auto", *SCALES):
            raise Refused(f"scale must be True, False, 'relevance' or 'auto', got {self.scale!r}")
        return SCALES if self.scale == "auto" else (cast(Scale, self.scale),)

    def _metrics(self) -> tuple[Metric, ...]:
        if self.metric not in ("auto", *METRICS):
            raise Refused(f"metric must be 'auto' or one of {', '.join(METRICS)}, got {self.metric!r}")
        return METRICS if self.metric == "auto" else (cast(Metric, self.metric),)


class HopfieldClassifier(ClassifierMixin, _Retrieval):  # type: ignore[misc]
    """Classes by retrieval: probabilities are the softmax weights of the stored examples of each class.

    beta > 0, or "auto"; metric "distance", "dot" (of unit vectors, features centred) or "auto"; scale, whether features
    are divided by their standard deviations: True, False, "relevance" (and multiplied by the multiple correlation of
    each with the targets) or "auto". Chosen by the squared error of the probabilities (Brier score) of examples left
    out; centre, deviations and relevance are those of all examples. Fitted: classes_, beta_, metric_, scale_,
    relevance_, lookup_ (the memory).
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Store the examples [K, N] and their classes [K]."""
        examples, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, places = np.unique(labels, return_inverse=True)
        self._store(examples, np.eye(len(self.classes_))[places])
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Softmax weight of each class: [Q, classes]."""
        found = self._retrieve(X)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class with the largest weight: [Q]."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])


class HopfieldRegressor(RegressorMixin, _Retrieval):  # type: ignore[misc]
    """Regression by retrieval: the average of the stored targets under the softmax.

    Parameters as in `HopfieldClassifier`, chosen by the leave-one-out squared error. Fitted: beta_, metric_, scale_,
    relevance_, lookup_ (the memory).
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Store the examples [K, N] and their targets [K]."""
        examples, targets = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._store(examples, np.asarray(targets, dtype=np.float64)[:, None])
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Targets [Q]."""
        return self._retrieve(X)[:, 0]


def _relevance(scaled: Floats, values: Floats) -> Floats:
    """√R² of each feature regressed on the values: |correlation| with one target, √(variance between classes)."""
    centred = values - values.mean(axis=0)
    between = centred @ np.linalg.lstsq(centred, scaled, rcond=None)[0]
    return np.asarray(np.sqrt((between * between).mean(axis=0)))


def _places(examples: int) -> NDArray[np.int64]:
    number = min(examples, LEFT_OUT, max(1, SCORES // examples))
    return np.linspace(0, examples - 1, number).astype(np.int64)


def _nearest(x: Floats) -> float:
    """The median squared distance to the nearest other example that is not the same; 1 if there is none."""
    squares = (x * x).sum(axis=1)
    places = _places(len(x))
    distances = squares[places, None] + squares - 2 * (x[places] @ x.T)
    distances[distances <= 1e-9 * squares.max()] = np.inf
    nearest = distances.min(axis=1)
    nearest = nearest[np.isfinite(nearest)]
    return float(np.median(nearest)) if nearest.size else 1.0
