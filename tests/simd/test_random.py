"""Thousands of random operations and faults, after which the daemon's picture must equal the simulator's truth.

    JOBPOOL_SEED=4711 JOBPOOL_OPERATIONS=100000 ./dev test simd -- -k random      (or ./dev random 100000 4711)

What happens stands in random_acts.py, what the daemon can know of it in random_truth.py, what must be so then in random_checks.py."""
import pytest

from random_run import SEED, Run, play, play_twice

pytestmark = pytest.mark.threads


def test_random():
    play(Run(SEED))


def test_the_same_seed_gives_the_same_run():
    play_twice(Run, SEED)
