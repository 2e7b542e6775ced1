"""Dot products of narrow integers, added to sixteen sums of int32, in an instruction or two where there are any."""

from .values import INT16, INT32, kind_of

SUMS = 16  # lanes


def _halves(vector):
    middle = vector.count // 2
    return vector.part(range(middle)), vector.part(range(middle, vector.count))


def _add_neighbours(vector):
    return vector.part(range(0, vector.count, 2)) + vector.part(range(1, vector.count, 2))


def _eight_sums(left, right):
    """Of the products of 16 int16."""
    return left.call("llvm.x86.avx2.pmadd.wd", right, result=kind_of(INT32, 8))


def _of_32_bytes(unsigned, signed):
    """Eight sums of four products; those of two fit in 16 bits."""
    pairs = unsigned.call("llvm.x86.avx2.pmadd.ub.sw", signed, result=kind_of(INT16, 16))
    return _eight_sums(pairs, pairs.like(1))


def add_byte_products(emit, sums, unsigned, signed):
    """sums + unsigned · signed, 64 lanes of int8 whose products stay below 2^14, four to a sum."""
    if emit.has("avx512vnni"):
        return sums.call("llvm.x86.avx512.vpdpbusd.512", unsigned.seen_as(INT32), signed.seen_as(INT32))
    if emit.has("avx2"):
        low, high = map(_of_32_bytes, _halves(unsigned), _halves(signed))
        return sums + low.joined(high)
    return sums + _add_neighbours(_add_neighbours(unsigned.to(INT32, signed=False) * signed.to(INT32)))


def add_short_products(emit, sums, left, right):
    """sums + left · right, 32 lanes of int16, two products to a sum."""
    if emit.has("avx512vnni"):
        return sums.call("llvm.x86.avx512.vpdpwssd.512", left.seen_as(INT32), right.seen_as(INT32))
    if emit.has("avx2"):
        low, high = map(_eight_sums, _halves(left), _halves(right))
        return sums + low.joined(high)
    return sums + _add_neighbours(left.to(INT32) * right.to(INT32))


def add_more_short_products(emit, sums, left, right):
    """sums + left · right, 64 lanes of int16, four products to a sum."""
    for half in zip(_halves(left), _halves(right), strict=True):
        sums = add_short_products(emit, sums, *half)
    return sums
