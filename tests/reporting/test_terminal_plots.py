from lrtune.reporting.terminal_plots import curve, sparkline

LEVELS = " ▁▂▃▄▅▆▇█"


def test_a_sparkline_is_as_high_as_its_values():
    assert [LEVELS.index(each) for each in sparkline([0.0, 0.5, 1.0, 0.01], 1.0)] == [0, 4, 8, 1]
    assert sparkline([3.0]) == "█"


def dots(lines):
    """Columns and rows of the dots of a curve, counted from the upper left."""
    bits = {
        0x01: (0, 0),
        0x02: (0, 1),
        0x04: (0, 2),
        0x40: (0, 3),
        0x08: (1, 0),
        0x10: (1, 1),
        0x20: (1, 2),
        0x80: (1, 3),
    }
    found = set()
    for y, line in enumerate(lines[:-2]):
        for x, character in enumerate(line[10:]):
            if 0x2800 <= ord(character) < 0x2900:
                code = ord(character) - 0x2800
                found |= {(2 * x + dx, 4 * y + dy) for bit, (dx, dy) in bits.items() if code & bit}
    return found


def test_a_line_goes_from_corner_to_corner():
    found = dots(curve([0.0, 30.0], [1.0, 0.0], label="epoch", width=50, height=5))
    assert {(0, 0), (79, 19)} <= found
    assert {x for x, _ in found} == set(range(80))
    assert all(abs(y - 19 * x / 79) <= 1 for x, y in found)


def test_jumps_are_joined_and_nothing_is_wider_than_asked():
    lines = curve([0, 1, 2, 3], [1.0, 1.0, 0.1, 0.1], label="epoch", width=60)
    assert max(map(len, lines)) <= 60
    assert len({y for _, y in dots(lines)}) > 40


def test_one_point_and_only_zeros():
    for values in ([0.5], [0.0], [0.0, 0.0]):
        assert len(dots(curve(list(range(len(values))), values, label="epoch"))) >= 1
