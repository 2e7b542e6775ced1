"""Association, pooling and lookup against their formulas."""

import numpy as np
import pytest
from scipy.special import softmax

from hopsim.continuous.lookup import Lookup, associate, pool
from hopsim.errors import Refused


def drawn(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def test_association_is_attention():
    queries, keys, values = drawn(1, 3, 5), drawn(2, 8, 5), drawn(3, 8, 2)
    np.testing.assert_allclose(
        associate(queries, keys, values, beta=0.7), softmax(0.7 * queries @ keys.T, axis=1) @ values, atol=1e-13
    )


@pytest.mark.parametrize("own", [False, True])
def test_pooling_counts_only_what_is_in_the_bag(own):
    bags, lengths = drawn(1, 4, 6, 3), np.array([6, 1, 3, 4])
    query = drawn(2, 4, 3) if own else drawn(2, 3)
    found = pool(bags, query, beta=1.3, lengths=lengths)
    for b, length in enumerate(lengths):
        members = bags[b, :length]
        asked = query[b] if own else query
        np.testing.assert_allclose(found[b], softmax(1.3 * members @ asked) @ members, atol=1e-13)
    bags[1, 1:] = np.nan
    np.testing.assert_array_equal(pool(bags, query, beta=1.3, lengths=lengths), found)
    mask = np.arange(6) < lengths[:, None]
    np.testing.assert_array_equal(pool(bags, query, beta=1.3, mask=mask), found)


def test_pooling_is_the_mean_and_the_nearest_at_its_ends():
    bags, query = drawn(1, 5, 7, 3), drawn(2, 3)
    np.testing.assert_allclose(pool(bags, query, beta=1e-12), bags.mean(axis=1), atol=1e-11)
    nearest = bags[np.arange(5), (bags @ query).argmax(axis=1)]
    np.testing.assert_allclose(pool(bags, query, beta=1e6), nearest, atol=1e-12)


@pytest.mark.parametrize("metric", ["distance", "dot"])
def test_lookup_is_its_formula(metric):
    x, y, q = 5 + drawn(1, 40, 4), drawn(2, 40, 2), 5 + drawn(3, 9, 4)
    if metric == "distance":
        likeness = -((q[:, None] - x) ** 2).sum(axis=2) / 2
    else:
        likeness = (q / np.linalg.norm(q, axis=1)[:, None]) @ (x / np.linalg.norm(x, axis=1)[:, None]).T
    found = Lookup(x, y, 2.5, metric).read(q)
    np.testing.assert_allclose(found, softmax(2.5 * likeness, axis=1) @ y, atol=1e-12)


def test_lookup_far_from_all_examples_is_finite_and_the_nearest():
    x, y = np.array([[0.0], [1.0], [3.0]]), np.array([[1.0], [2.0], [3.0]])
    np.testing.assert_allclose(Lookup(x, y, 1.0).read([[1e4], [-1e4]]), [[3.0], [1.0]])
    zero = Lookup(x, y, 1.0, "dot").read([[0.0]])
    np.testing.assert_allclose(zero, [[2.0]])


@pytest.mark.parametrize("metric", ["distance", "dot"])
def test_leaving_one_out_is_storing_all_but_it(metric):
    x, y = drawn(1, 12, 3), drawn(2, 12, 2)
    x -= x.mean(axis=0)
    betas = [0.5, 40.0]
    for beta, found in zip(betas, Lookup(x, y, 1.0, metric).leave_one_out(np.arange(12), betas), strict=True):
        for k in range(12):
            others = Lookup(np.delete(x, k, axis=0), np.delete(y, k, axis=0), beta, metric)
            np.testing.assert_allclose(found[k], others.read(x[k : k + 1])[0], atol=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pool(np.ones((2, 3)), np.ones(3), beta=1.0), r"bags must be \[bags, members, neurons\]"),
        (lambda: pool(np.ones((2, 3, 4)), np.ones(3), beta=1.0), r"must be \[N\] or \[bags, N\], got shape \(3,\)"),
        (lambda: pool(np.ones((2, 3, 4)), np.ones(4), beta=1.0, lengths=[3, 0]), "bag 1 has no member that counts"),
        (lambda: pool(np.ones((2, 3, 4)), np.ones(4), beta=1.0, lengths=[3, 5]), "a whole number up to 3"),
        (lambda: pool(np.ones((2, 3, 4)), np.ones(4), beta=1.0, mask=np.ones((2, 3))), "got float64"),
        (lambda: pool(np.full((1, 1, 1), np.nan), np.ones(1), beta=1.0), "must be finite where they count"),
        (
            lambda: pool(np.ones((1, 1, 1)), np.ones(1), beta=1.0, lengths=[1], mask=np.ones((1, 1), bool)),
            "takes lengths or a mask, got both",
        ),
        (lambda: Lookup(np.ones((2, 3)), np.ones((2, 1)), 1.0, "cosine"), "metric must be one of distance, dot"),  # type: ignore[arg-type]
        (lambda: Lookup(np.ones((2, 3)), np.ones((2, 1)), 1.0).read(np.ones((1, 2))), "need the 3 features"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(Refused, match=message):
        call()


def test_scores_beyond_the_floats_are_refused_and_not_nan():
    with pytest.raises(Refused, match="bags and query are too large, their scores leave the floats"):
        pool(np.full((1, 2, 2), 1e200), np.full(2, 1e200), beta=1.0)
