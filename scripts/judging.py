"""A difference of simulation from theory, and what it proves."""

from verify import LIMIT, Extrapolation


class Judged:
    """Held against a theory, and against an alternative that must be rejected."""

    theory: float
    alternative: float
    difference: Extrapolation

    @property
    def z(self) -> float:
        """Difference from theory in standard errors of the fit."""
        return self.difference.value / self.difference.error

    @property
    def z_shifted(self) -> float:
        """The same for the alternative."""
        return (self.difference.value + self.theory - self.alternative) / self.difference.error

    def judged(self, equilibrated: bool) -> str:
        """What it proves."""
        if not equilibrated:
            return "not equilibrated"
        if not abs(self.z) < LIMIT:
            return "**fails**"
        return "ok" if abs(self.z_shifted) > LIMIT else "too coarse"
