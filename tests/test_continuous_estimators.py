"""HopfieldClassifier and HopfieldRegressor: scikit-learn's own checks, and what they are by definition."""

import subprocess
import sys

import numpy as np
import pytest

from hopsim.continuous.lookup import Lookup
from hopsim.errors import Refused

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import LeaveOneOut, cross_val_predict, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hopsim.continuous.estimators import HopfieldClassifier, HopfieldRegressor


@parametrize_with_checks([HopfieldClassifier(), HopfieldRegressor()])
def test_scikit_learn_accepts_them(estimator, check):
    check(estimator)


def test_importing_the_package_leaves_scikit_learn_alone():
    code = "import hopsim, hopsim.continuous.lookup, sys; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_distance_is_nadaraya_watson():
    X, y = load_diabetes(return_X_y=True)
    train, test = X[:300], X[300:]
    beta = 300.0
    ours = HopfieldRegressor(beta=beta, metric="distance", scale=False).fit(train, y[:300]).predict(test)
    kernel = rbf_kernel(test, train, gamma=beta / 2)
    np.testing.assert_allclose(ours, kernel @ y[:300] / kernel.sum(axis=1), rtol=1e-9)


def test_large_beta_is_the_nearest_neighbour():
    X, y = load_wine(return_X_y=True)
    ours = HopfieldClassifier(beta=1e7, metric="distance", scale=True).fit(X[::2], y[::2])
    scaler = StandardScaler().fit(X[::2])
    nearest = KNeighborsClassifier(1).fit(scaler.transform(X[::2]), y[::2])
    assert (ours.predict(X[1::2]) == nearest.predict(scaler.transform(X[1::2]))).all()


def test_small_beta_is_the_mean():
    X, y = load_wine(return_X_y=True)
    ours = HopfieldClassifier(beta=1e-12, metric="dot", scale=True).fit(X, y).predict_proba(X[:5])
    np.testing.assert_allclose(ours, np.tile(np.bincount(y) / len(y), (5, 1)), rtol=1e-9)


@pytest.mark.parametrize("metric", ["distance", "dot"])
def test_leave_one_out_is_what_scikit_learn_finds_by_fitting_without_each(metric):
    X, y = load_iris(return_X_y=True)
    X, y = X[::3] - X.mean(axis=0), y[::3]
    estimator = HopfieldClassifier(beta=3.0, metric=metric, scale=False)
    (ours,) = Lookup(X, np.eye(3)[y], 1.0, metric).leave_one_out(np.arange(len(X)), [3.0])
    if metric == "dot":  # its centre is that of the training set, which moves a little
        theirs = np.array([_without(X, y, k) for k in range(len(X))])
    else:
        theirs = cross_val_predict(estimator, X, y, cv=LeaveOneOut(), method="predict_proba")
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def _without(X, y, k):
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    weights = np.exp(3.0 * np.delete(unit, k, axis=0) @ unit[k])
    return weights @ np.eye(3)[np.delete(y, k)] / weights.sum()


def test_what_is_chosen_has_the_least_brier_score_when_each_example_is_left_out():
    X, y = load_iris(return_X_y=True)
    chosen = HopfieldClassifier(metric="distance", scale=False).fit(X, y)

    def brier(beta):
        estimator = HopfieldClassifier(beta=beta, metric="distance", scale=False)
        found = cross_val_predict(estimator, X, y, cv=LeaveOneOut(), method="predict_proba")
        return ((found - np.eye(3)[y]) ** 2).mean()

    best = brier(chosen.beta_)
    for factor in (1 / 8, 2**-0.5, 2**0.5, 8):
        assert best < brier(factor * chosen.beta_)


def test_relevance_is_the_correlation_and_hides_noise():
    X, y = load_diabetes(return_X_y=True)
    fitted = HopfieldRegressor(beta=1.0, metric="distance", scale="relevance").fit(X, y)
    correlations = [abs(np.corrcoef(column, y)[0, 1]) for column in X.T]
    np.testing.assert_allclose(fitted.relevance_, correlations, atol=1e-12)

    X, y = load_iris(return_X_y=True)
    between = [sum((column[y == c].mean() - column.mean()) ** 2 / 3 for c in range(3)) for column in X.T]
    fitted = HopfieldClassifier(beta=1.0, metric="distance", scale="relevance").fit(X, y)
    np.testing.assert_allclose(fitted.relevance_, np.sqrt(between) / X.std(axis=0), atol=1e-12)

    noisy = np.hstack([X, 5 * np.random.default_rng(1).standard_normal((150, 40))])
    right = {s: cross_val_score(HopfieldClassifier(scale=s), noisy, y, cv=5).mean() for s in (True, "relevance")}
    assert right["relevance"] > right[True] + 0.05


def test_pickles_and_clones_predict_the_same():
    import pickle

    X, y = load_iris(return_X_y=True)
    fitted = HopfieldClassifier().fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(clone(fitted).fit(X, y).predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": 0.0}, "beta must be > 0, got 0.0"),
        ({"metric": "cosine"}, "metric must be 'auto' or one of distance, dot, got 'cosine'"),
        ({"scale": "yes"}, "scale must be True, False, 'relevance' or 'auto', got 'yes'"),
    ],
)
def test_refuses(options, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(Refused, match=message):
        HopfieldClassifier(**options).fit(X, y)
