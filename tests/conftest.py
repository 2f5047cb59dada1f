"""What every test shares."""

from hypothesis import settings

# A deadline per example measures the machine, not the code.
settings.register_profile("seedtrain", deadline=None)
settings.load_profile("seedtrain")
