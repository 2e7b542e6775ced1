"""What networks and axes are called in figures."""

from ..interactions import Exponential, Polynomial, Power, Quadratic, Rectified
from ..networks import Law
from ..patterns import Biased, Diluted, Examples


def law_name(law: Law) -> str:
    """Interaction and, unless it is of fair signs, ensemble."""
    interaction, ensemble = law.interaction, law.ensemble
    if isinstance(interaction, Quadratic):
        name = "multitasking network" if isinstance(ensemble, Diluted) else "classical network, $p = 2$"
    elif isinstance(interaction, Power):
        name = f"dense network, $p = {interaction.degree}$, {interaction.indices} indices"
    elif isinstance(interaction, Rectified):
        name = f"rectified network, $p = {interaction.degree}$"
    elif isinstance(interaction, Exponential):
        name = "exponential network"
    else:
        name = rf"log-sum-exp network, $\lambda = {interaction.sharpness:g}$"
    if isinstance(ensemble, Diluted) or (isinstance(ensemble, Examples) and ensemble.dilution > 0):
        name += f", $d = {ensemble.dilution:g}$"
    if isinstance(ensemble, Examples):
        name += f", {ensemble.learning}, $r = {ensemble.quality:g}$, $M = {ensemble.examples}$"
    return f"{name}, bias {ensemble.bias:g}" if isinstance(ensemble, Biased) else name


def load_label(laws: list[Law]) -> str:
    """The axis of the load, in the scaling of these laws."""
    exponents = {law.interaction.degree - 1 for law in laws if isinstance(law.interaction, Polynomial)}
    if not exponents:
        return r"load $\alpha = \ln K / N$"
    power = "^{p-1}" if len(exponents) > 1 else "" if exponents == {1} else f"^{{{exponents.pop()}}}"
    return rf"load $\alpha = K/N{power}$"
