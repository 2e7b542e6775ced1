"""Every self-consistent choice of signs at T = 0, by branch and bound.

Forms η with weights p, a list without -η, ask for signs s in {-1, 0, 1} with sign(η·y) = s_η, y = Σ p s_η η. What is
undecided can change η·y by S = Σ p |η·η'| over the undecided η' at most: a form with |η·y| > S has its sign, and one
that has another sign ends the branch. η = η' ± η'' has the sign that two decided forms agree on.
"""

import numpy as np
from numba import njit

_UNDECIDED, _NONE = 2, 3


@njit(cache=True)
def _known(signs, places, middle, code):
    """The sign of a form by its code: that of -η is the opposite; undecided if there is no such form."""
    form = places[middle + code]
    if form > 0:
        return signs[form - 1]
    if form < 0 and signs[-form - 1] != _UNDECIDED:
        return -signs[-form - 1]
    return _UNDECIDED


@njit(cache=True)
def _implied(signs, places, middle, code, known, sign):
    """The sign of the form with a code, given that of the form `known`, by their difference and their sum."""
    if sign == 0:
        difference = _known(signs, places, middle, code - known)
        return difference if difference != _UNDECIDED else _known(signs, places, middle, code + known)
    difference = _known(signs, places, middle, code - sign * known)
    if difference == 0 or difference == 1:
        return 1
    total = _known(signs, places, middle, code + sign * known)
    if total == 0 or total == -1:
        return -1
    return _UNDECIDED


@njit(cache=True)
def _bounded(field, slack, sign, tie):
    """The sign of a form, decided if its field leaves no other; _NONE if it contradicts the field."""
    if sign == 0:
        return 0 if abs(field) <= slack + tie else _NONE
    up, down = field + slack > tie, field - slack < -tie
    if up and down:
        return sign
    allowed = 1 if up else -1 if down else _NONE
    return allowed if sign in (_UNDECIDED, allowed) else _NONE


@njit(cache=True)
def _field(forms, y, u):
    field = 0.0
    for i in range(forms.shape[1]):
        field += forms[u, i] * y[i]
    return field


@njit(cache=True)
def _add(forms, weight, e, active, slack):
    """Add weight |η·η'| of one form to the slack of the active ones."""
    for j in range(len(active)):
        slack[j] += weight * abs(_field(forms, forms[e], active[j]))


@njit(cache=True)
def _spread(forms, weights, codes, places, middle, signs, active, slack, y, new, number):
    """Decide what the newest decisions imply, and take all into y and the slack; how many, -1 if they contradict."""
    a = 0
    while a < number:
        for u in active:
            if u != new[a]:
                sign = _implied(signs, places, middle, codes[u], codes[new[a]], signs[new[a]])
                if sign != _UNDECIDED and signs[u] == _UNDECIDED:
                    signs[u] = sign
                    new[number] = u
                    number += 1
                elif sign != _UNDECIDED and signs[u] != sign:
                    return -1
        a += 1
    for a in range(number):
        e = new[a]
        y += weights[e] * signs[e] * forms[e]
        _add(forms, -weights[e], e, active, slack)
    return number


@njit(cache=True)
def _scanned(forms, weights, signs, active, slack, y, new, tie):
    """(active forms left, newly decided ones), -1 for the first if a form has no sign; both are moved to the front."""
    left = number = 0
    for j in range(len(active)):
        u, field = active[j], _field(forms, y, active[j])
        sign = _bounded(field, slack[j], signs[u], tie)
        if sign == _NONE:
            return -1, 0
        if sign != signs[u]:
            signs[u] = sign
            new[number] = u
            number += 1
        if sign == _UNDECIDED or sign * field - slack[j] <= tie:
            active[left], slack[left] = u, slack[j]
            left += 1
    return left, number


@njit(cache=True)
def _next(forms, weights, signs, active, slack, y):
    """An undecided form of large weight and uncertain field to go on with, and the sign of that; -1 if none is left."""
    best, highest, lead = -1, -1.0, 1
    for j in range(len(active)):
        u = active[j]
        if signs[u] == _UNDECIDED:
            field = _field(forms, y, u)
            score = weights[u] * (1 - abs(field) / slack[j])
            if score > highest:
                best, highest, lead = u, score, 1 if field >= 0 else -1
    return best, lead


@njit(cache=True)
def consistent(forms, weights, codes, places, signs, ways, tie, room, patience):
    """(y float64[number, r], steps, whether that is all) of forms float64[n, r] with signs int8[n] known beforehand.

    codes int64[n] add like the forms; places has 1 + the place of a form at middle + its code, minus that for -η, and
    0 where there is no form. ways = 2 leaves sign 0 out, 3 does not. Fields up to `tie` are zero; all weights must be
    larger. It ends with `room` solutions, or after `patience` steps, in each of which a decision meets
    a form.
    """
    n, r = forms.shape
    middle = len(places) // 2
    size = n * (n + 2)  # a decision leaves one form less
    active, slack = np.empty(size, np.int32), np.empty(size)
    start, length = np.zeros(n + 2, np.int64), np.zeros(n + 2, np.int64)
    decided, y = np.empty((n + 1, n), np.int8), np.zeros((n + 1, r))
    form, lead, way = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64), np.zeros(n + 1, np.int64)
    new = np.empty(n, np.int64)
    found = np.empty((room, r))
    decided[0] = signs
    for u in range(n):
        active[u], slack[u] = u, 0.0
        if signs[u] != _UNDECIDED:
            y[0] += weights[u] * signs[u] * forms[u]
    for e in range(n):
        if signs[e] == _UNDECIDED:
            _add(forms, weights[e], e, active[:n], slack[:n])
    depth, steps, solutions, fresh = 0, 0, 0, True
    length[0], number = _scanned(forms, weights, decided[0], active[:n], slack[:n], y[0], new, tie)
    while depth >= 0:
        a, b = start[depth], start[depth] + length[depth]
        if fresh:
            if steps > patience:
                return found[:solutions].copy(), steps, False
            while number and b >= 0:
                left, known, here = -1, decided[depth], y[depth]
                open_, rest = active[a:b], slack[a:b]
                taken = _spread(forms, weights, codes, places, middle, known, open_, rest, here, new, number)
                steps += max(taken, number) * (b - a)
                if taken > 0:
                    left, number = _scanned(forms, weights, known, open_, rest, here, new, tie)
                b = a + left if left >= 0 else -1
            if b < 0:
                depth, fresh = depth - 1, False
                continue
            length[depth] = b - a
            form[depth], lead[depth] = _next(forms, weights, decided[depth], active[a:b], slack[a:b], y[depth])
            way[depth] = 0
            if form[depth] < 0:
                if solutions == room:
                    return found, steps, False
                found[solutions] = y[depth]
                solutions += 1
                depth, fresh = depth - 1, False
                continue
        if way[depth] == ways:
            depth, fresh = depth - 1, False
            continue
        sign = lead[depth] * (1, -1, 0)[way[depth]]
        way[depth] += 1
        start[depth + 1], length[depth + 1] = b, b - a
        active[b : 2 * b - a], slack[b : 2 * b - a] = active[a:b], slack[a:b]
        decided[depth + 1], y[depth + 1] = decided[depth], y[depth]
        decided[depth + 1, form[depth]] = sign
        new[0], number = form[depth], 1
        depth, fresh = depth + 1, True
    return found[:solutions].copy(), steps, True
