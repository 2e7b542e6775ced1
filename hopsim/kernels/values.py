"""Numbers and vectors of LLVM in Python notation, of no particular processor."""

from llvmlite import ir
from numba.core import cgutils

BIT, INT8, INT16, INT32, INT64 = (ir.IntType(width) for width in (1, 8, 16, 32, 64))
FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()
_WIDTHS = {FLOAT: 32, DOUBLE: 64}


def _width(entry):
    return _WIDTHS.get(entry) or entry.width


def kind_of(entry, count):
    """The type of one number, or of a vector of several."""
    return entry if count == 1 else ir.VectorType(entry, count)


def constant(entry, number, count):
    """The same number in all lanes."""
    return ir.Constant(kind_of(entry, count), number if count == 1 else [number] * count)


class Value:
    """A number, or the numbers in the lanes of a vector: integers are signed and wrap.

    A Python number, and a number beside a vector, stand for the same in all lanes.
    """

    def __init__(self, builder, raw):
        self._builder, self.raw = builder, raw
        self.entry, self.count = getattr(raw.type, "element", raw.type), getattr(raw.type, "count", 1)

    # --- lanes ---

    def _value(self, raw):
        return Value(self._builder, raw)

    def like(self, number):
        """A constant of this kind."""
        return self._value(constant(self.entry, number, self.count))

    def spread(self, count):
        """The same number in that many lanes; a vector is left as it is."""
        if self.count == count:
            return self
        first = self._builder.insert_element(ir.Constant(kind_of(self.entry, count), ir.Undefined), self.raw, INT32(0))
        return self._value(first).part([0] * count)

    def part(self, lanes):
        """The lanes of these numbers, in this order."""
        return self._shuffled(self, lanes)

    def joined(self, other):
        """These lanes, then those of another."""
        return self._shuffled(other, range(2 * self.count))

    def _shuffled(self, other, lanes):
        places = ir.Constant(ir.VectorType(INT32, len(lanes)), list(lanes))
        return self._value(self._builder.shuffle_vector(self.raw, other.raw, places))

    def lane(self, k):
        """One number of a vector."""
        return self._value(self._builder.extract_element(self.raw, INT32(k)))

    # --- arithmetic ---

    def _both(self, other):
        if not isinstance(other, Value):
            return self.raw, self.like(other).raw
        count = max(self.count, other.count)
        return self.spread(count).raw, other.spread(count).raw

    def _with(self, other, whole, real=None):
        operation = whole if isinstance(self.entry, ir.IntType) else real
        return self._value(getattr(self._builder, operation)(*self._both(other)))

    def __add__(self, other):
        return self._with(other, "add", "fadd")

    def __sub__(self, other):
        return self._with(other, "sub", "fsub")

    def __mul__(self, other):
        return self._with(other, "mul", "fmul")

    def __and__(self, other):
        return self._with(other, "and_")

    def __or__(self, other):
        return self._with(other, "or_")

    def __xor__(self, other):
        return self._with(other, "xor")

    def __lshift__(self, other):
        return self._with(other, "shl")

    def __rlshift__(self, other):
        return self.like(other) << self

    def __rshift__(self, other):
        return self._with(other, "ashr")

    def right(self, places):
        """Shifted right with zeros from the left."""
        return self._with(places, "lshr")

    def __neg__(self):
        return self.like(0) - self if isinstance(self.entry, ir.IntType) else self._value(self._builder.fneg(self.raw))

    def __invert__(self):
        return self ^ -1

    # --- comparison: masks ---

    def _compared(self, relation, other):
        compare = self._builder.icmp_signed if isinstance(self.entry, ir.IntType) else self._builder.fcmp_ordered
        return self._value(compare(relation, *self._both(other)))

    def __eq__(self, other):
        return self._compared("==", other)

    def __ne__(self, other):
        return self._compared("!=", other)

    def __lt__(self, other):
        return self._compared("<", other)

    def __le__(self, other):
        return self._compared("<=", other)

    def __gt__(self, other):
        return self._compared(">", other)

    __hash__ = None

    def pick(self, one, other):
        """`one` where this mask is set, else `other`."""
        one = one if isinstance(one, Value) else other.like(one)
        other = other if isinstance(other, Value) else one.like(other)
        count = max(self.count, one.count, other.count)
        return self._value(self._builder.select(self.raw, one.spread(count).raw, other.spread(count).raw))

    def at_most(self, other):
        """The smaller of two."""
        return (self < other).pick(self, other)

    def at_least(self, other):
        """The larger of two."""
        return (self > other).pick(self, other)

    # --- kinds of numbers ---

    def to(self, entry, signed=True):
        """The numbers as another kind: integers that do not fit are cut, reals lose their fraction."""
        if entry == self.entry:
            return self
        if isinstance(self.entry, ir.IntType):
            if entry in _WIDTHS:
                operation = "sitofp" if signed else "uitofp"
            elif entry.width < self.entry.width:
                operation = "trunc"
            else:
                operation = "sext" if signed else "zext"
        else:
            operation = "fpext" if entry in _WIDTHS else "fptosi"
        return self._value(getattr(self._builder, operation)(self.raw, kind_of(entry, self.count)))

    def seen_as(self, entry):
        """The same bits as lanes of another width: a word as a mask, a mask as a word."""
        count = self.count * _width(self.entry) // _width(entry)
        return self._value(self._builder.bitcast(self.raw, kind_of(entry, count)))

    # --- operations of LLVM ---

    def call(self, name, *others, result=None):
        """An operation by its full name; the result is of this kind unless told."""
        operands = [value.raw for value in (self, *others)]
        kind = ir.FunctionType(result or self.raw.type, [operand.type for operand in operands])
        function = cgutils.get_or_insert_function(self._builder.module, kind, name)
        return self._value(self._builder.call(function, operands))

    def _suffix(self):
        letter = "i" if isinstance(self.entry, ir.IntType) else "f"
        return f"{f'v{self.count}' if self.count > 1 else ''}{letter}{_width(self.entry)}"

    def ceil(self):
        """Rounded up."""
        return self.call(f"llvm.ceil.{self._suffix()}")

    def ones(self):
        """How many bits are set."""
        return self.call(f"llvm.ctpop.{self._suffix()}")

    def lowest(self):
        """The place of the lowest bit of a word that is not 0."""
        return self._value(self._builder.cttz(self.raw, BIT(1)))

    def sum(self):
        """Sum over the lanes."""
        return self.call(f"llvm.vector.reduce.add.{self._suffix()}", result=self.entry)
