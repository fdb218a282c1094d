"""Bring your own throughput: what a table says, between its points, and beyond them."""

import pytest

from planner.speed.measured import BadTable, measured_speed, read_points, read_table

TABLE = """gpu,gpus,prompt,output,requests_per_s,output_tokens_per_s,ttft_ms,tpot_ms,concurrency
h100-sxm5-80gb,2,2048,128,10,,300,20,32
h100-sxm5-80gb,2,2048,128,14,,1500,45,64
h100-sxm5-80gb,2,8192,128,3,,900,30,32
a100-sxm4-80gb,4,2048,128,,1024,,,
"""
POINTS = read_points(TABLE.splitlines())


def test_the_fastest_point_within_the_targets_counts():
    free = measured_speed(POINTS, "h100-sxm5-80gb", 2, 2048, 128)
    bound = measured_speed(POINTS, "h100-sxm5-80gb", 2, 2048, 128, tpot_s=0.03)
    assert (free.requests_per_s, bound.requests_per_s) == (14, 10)
    assert bound.ttft_s == 0.3
    assert not bound.extrapolated
    assert measured_speed(POINTS, "h100-sxm5-80gb", 2, 2048, 128, ttft_s=0.1) is None


def test_tokens_become_requests():
    assert measured_speed(POINTS, "a100-sxm4-80gb", 4, 2048, 128).requests_per_s == 8


def test_between_sizes_it_interpolates_and_says_so():
    middle = measured_speed(POINTS, "h100-sxm5-80gb", 2, 4096, 128)
    assert 3 < middle.requests_per_s < 14
    assert middle.extrapolated
    exact = measured_speed(POINTS, "h100-sxm5-80gb", 2, 8192, 128)
    assert middle.high / middle.low > exact.high / exact.low


@pytest.mark.parametrize(
    ("card", "gpus", "prompt"),
    [("h200-sxm", 2, 2048), ("h100-sxm5-80gb", 8, 2048), ("h100-sxm5-80gb", 2, 200_000)],
)
def test_beyond_the_table_it_says_nothing(card, gpus, prompt):
    assert measured_speed(POINTS, card, gpus, prompt, 128) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gpu,prompt\nx,1\n", "output"),
        ("gpu,prompt,output,requests_per_s\nx,many,1,1\n", "line 2: prompt is `many`"),
        ("gpu,prompt,output,requests_per_s\nx,1,1,0\n", "above 0"),
        ("gpu,prompt,output\nx,1,1\n", "requests_per_s or output_tokens_per_s"),
    ],
)
def test_bad_tables_are_told_where(tmp_path, text, words):
    path = tmp_path / "speed.csv"
    path.write_text(text)
    with pytest.raises(BadTable, match=words):
        read_table(path)
