"""The benchmark of the search runs."""

from benchmarks import lsd_search


def test_a_small_measurement() -> None:
    rates = lsd_search.measure(instances=500, repeats=1)
    assert set(lsd_search.KERNELS) < set(rates)
    assert all(rate > 0 for rate in rates.values())
