import math

from service.monitoring.roster import NOBODY, Roster


def test_the_fewest_connections_are_those_of_another_worker():
    shared = Roster(slots=3)
    assert shared.fewest_connections() == math.inf
    for slot, count in enumerate((7, 4, 5)):
        shared.claim(slot)
        shared.count_connections(count)
    assert shared.fewest_connections() == 4
    shared.claim(1)
    assert shared.fewest_connections() == 5
    shared.count_connections(NOBODY)
    shared.claim(0)
    assert shared.fewest_connections() == 5
