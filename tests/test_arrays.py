"""The addresses of random streams: two purposes never share one."""

import itertools

from lrtune import arrays

PURPOSES = {name: each for name, each in vars(arrays).items() if name.isupper() and isinstance(each, int)}


def test_no_two_purposes_have_one_number():
    assert len(PURPOSES) >= 16
    assert {
        pair for pair in itertools.combinations(sorted(PURPOSES), 2) if len({PURPOSES[n] for n in pair}) < 2
    } == set()


def test_every_part_of_an_address_leads_elsewhere():
    addresses = [(seed, purpose, *more) for seed in (0, 1) for purpose in (1, 2) for more in ((1, 2), (2, 1), (1,))]
    first = {arrays.stream(*each).random() for each in addresses}
    assert len(first) == len(addresses)
