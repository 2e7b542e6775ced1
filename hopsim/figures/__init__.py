"""Figures: one a file, `collect(...) -> data` and `draw(data, ax=None) -> Figure`; the only users of matplotlib."""
