"""What the package says when it cannot do what it was asked."""


class Refused(ValueError):
    """The request was wrong: the message names the thing, what it was, what it must be and the way out."""
