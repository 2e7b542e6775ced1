"""Intrinsics as functions of values: the notation that the vector instructions of the kernels are written in.

For example, all entries of an array twice:

    @intrinsic
    def double(typingctx, numbers):
        def body(emit, numbers):
            with emit.loop(numbers.size, step=8) as k:
                numbers.store(k, numbers.load(k, 8) << 1)

        return emitted(types.void(numbers), body)
"""

from contextlib import contextmanager

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .values import INT64, Value, constant, kind_of


def emitted(signature, body):
    """What an intrinsic returns: `body` is called with an `Emitter` and its arguments, each an `Array` or a `Value`."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder)
        result = body(emit, *map(emit.argument, signature.args, arguments))
        if result is None:
            return context.get_dummy_value()
        if isinstance(result, tuple):
            return context.make_tuple(builder, signature.return_type, [value.raw for value in result])
        return result.raw

    return signature, generate


class Emitter:
    """Constants, variables and control flow."""

    def __init__(self, context, builder):
        self._context, self._builder = context, builder

    def argument(self, kind, raw):
        """An argument of numba's as an `Array` or a `Value`."""
        if not isinstance(kind, types.Array):
            return self.value(raw)
        array = self._context.make_array(kind)(self._context, self._builder, value=raw)
        return Array(self._builder, array.data, array.nitems)

    def value(self, raw):
        """What LLVM knows by a name."""
        return Value(self._builder, raw)

    def constant(self, entry, number, count=1):
        """A number, the same in `count` lanes."""
        return self.value(constant(entry, number, count))

    def vector(self, entry, numbers):
        """A number for each lane."""
        return self.value(ir.Constant(ir.VectorType(entry, len(numbers)), list(numbers)))

    def variable(self, start):
        """A variable with a value to start from."""
        return Variable(self._builder, start)

    @contextmanager
    def loop(self, stop, start=0, step=1):
        """A loop over start, start + step, ... below stop, integers of Python or int64."""
        bounds = (number.raw if isinstance(number, Value) else INT64(number) for number in (start, stop, step))
        with cgutils.for_range_slice(self._builder, *bounds) as (k, _):
            yield self.value(k)

    @contextmanager
    def while_any(self, variable):
        """A loop as long as a variable is not 0."""
        builder = self._builder
        test, body, end = (builder.append_basic_block(f"while.{part}") for part in ("test", "body", "end"))
        builder.branch(test)
        builder.position_at_end(test)
        builder.cbranch((variable.value != 0).raw, body, end)
        builder.position_at_end(body)
        yield
        builder.branch(test)
        builder.position_at_end(end)

    def when(self, condition):
        """What is inside is done where the condition holds."""
        return self._builder.if_then(condition.raw)

    def either(self, condition, one, other):
        """one() where the condition holds, else other(); only one of them is computed."""
        builder, ways = self._builder, []
        with builder.if_else(condition.raw) as branches:
            for branch, way in zip(branches, (one, other), strict=True):
                with branch:
                    ways.append((way().raw, builder.block))
        result = builder.phi(ways[0][0].type)
        for way in ways:
            result.add_incoming(*way)
        return self.value(result)

    def has(self, feature):
        """Whether the processor that is compiled for has a feature of x86."""
        return f"+{feature}" in self._context.codegen().magic_tuple()[2].split(",")


class Variable:
    """A value that changes; LLVM keeps it in a register."""

    def __init__(self, builder, start):
        self._builder, self._place = builder, cgutils.alloca_once_value(builder, start.raw)

    @property
    def value(self):
        """What it is now."""
        return Value(self._builder, self._builder.load(self._place))

    @value.setter
    def value(self, new):
        self._builder.store(new.raw, self._place)


class Array:
    """An array, one entry or, side by side, several at a time, from any index."""

    def __init__(self, builder, data, size):
        self._builder, self._data, self.size = builder, data, Value(builder, size)
        self.entry = data.type.pointee

    def _place(self, index, kind):
        raw = index.raw if isinstance(index, Value) else INT64(index)
        return self._builder.bitcast(self._builder.gep(self._data, [raw]), kind.as_pointer())

    def load(self, index, count=1):
        """`count` entries from an index on."""
        loaded = self._builder.load(self._place(index, kind_of(self.entry, count)))
        loaded.align = 1
        return Value(self._builder, loaded)

    def store(self, index, value):
        """Write all lanes of a value from an index on."""
        self._builder.store(value.raw, self._place(index, value.raw.type)).align = 1


@intrinsic
def ones(typingctx, word):
    """Number of bits set in a uint64."""

    def body(emit, word):
        return word.ones()

    return emitted(types.int64(types.uint64), body)


@intrinsic
def lowest_bit(typingctx, word):
    """The place of the lowest bit of a uint64 that is not 0."""

    def body(emit, word):
        return word.lowest()

    return emitted(types.uint64(types.uint64), body)
