"""Property tests draw the same examples in every run: a failure is reproducible and not a matter of luck."""

import hypothesis

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=30, database=None)
hypothesis.settings.load_profile("fixed")
