"""What theory says on the two sides of the lines."""

from lines_rows import System
from lines_subjects import Subject

import hopsim as hs
from hopsim.theory import OneStep, ReplicaSymmetric

LINES = {
    "T_M": "spinodal",
    "T_c": "coexistence",
    "T_R": "stability",
    "T_g": "glass",
    "T_K": "static",
    "T_d": "dynamic",
}
RS, ONE = ReplicaSymmetric(), OneStep()


def location(system: System, line: str, T: float) -> str:
    """The load of a line at a temperature."""
    if line not in LINES:
        return "none"
    ansatz = ONE if line in ("T_K", "T_d") else RS
    load = hs.theory.line(system.law, line=LINES[line], temperatures=[T], ansatz=ansatz)[0].load
    return "none" if load is None else f"{load:.3g}"


def glass_line(subject: Subject) -> str:
    """The name of its glass line."""
    return "T_K" if ONE.transition(subject.law) else "T_g"


def random_field(subject: Subject) -> bool:
    """Whether q > 0 without retrieval at every temperature."""
    return similarity(subject, subject.glass[1], subject.glass[0]) > 0


def below_instability(system: System, T: float, load: float) -> bool:
    """Whether the m = 0 state is a glass that breaks replica symmetry, whose corrections are in N^(-2/3)."""
    return float(RS.stability(RS.dominant(system.law, load, T), system.law, load, T) or 0.0) < 0


def other_energy(system: System, T: float, load: float) -> float:
    """E/N of the m = 0 state that dominates."""
    return float(ONE.energy(ONE.dominant(system.law, load, T), system.law, load, T))


def symmetric_energy(system: System, T: float, load: float) -> float:
    """E/N of the m = 0 state of replica symmetry."""
    return float(RS.energy(RS.dominant(system.law, load, T), system.law, load, T))


def spread(system: System, T: float, load: float) -> float:
    """<q²> of one-step breaking."""
    order = ONE.dominant(system.law, load, T)
    return float(order.x * order.q0**2 + (1 - order.x) * order.q1**2)


def susceptibility(system: System, T: float, load: float) -> float:
    """N<q²> of the paramagnet."""
    order = RS.order(system.law, load, T, "paramagnet")
    return 1 / float(RS.stability(order, system.law, load, T) or 0.0)


def similarity(system: System, T: float, load: float) -> float:
    """q of replica symmetry."""
    return float(RS.dominant(system.law, load, T).q)


def annealed_energy(system: System, T: float, load: float) -> float:
    """E/N of the paramagnet, where it is not the state."""
    return float(RS.energy(RS.order(system.law, load, T, "paramagnet"), system.law, load, T))


def state_overlap(system: System, T: float, load: float) -> float:
    """q1, the overlap of two configurations of one state."""
    return float(ONE.order(system.law, load, T, "glass").q1)


def stability(system: System, T: float, load: float) -> float:
    """Of the retrieval state; A/χ_SG where it is positive."""
    return float(RS.stability(RS.order(system.law, load, T, "retrieval"), system.law, load, T) or 0.0)
