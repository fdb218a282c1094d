"""A name means the same however it is spelt, and no spelling of one record reaches another."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.catalog import AmbiguousRecord, UnknownRecord, ids, resolve
from planner.catalog.names import candidates, match, nearest, words

FOLDERS = ("gpus", "models", "nodes")
separators = st.sampled_from(["-", "_", " ", "  "])


@st.composite
def spelt(draw):
    """A record's folder, id, and the id in other clothes."""
    folder = draw(st.sampled_from(FOLDERS))
    id_ = draw(st.sampled_from(ids(folder)))
    text = "".join(draw(separators) if c == "-" else c for c in id_)
    text = draw(st.sampled_from([text, text.upper(), text.title(), f" {text} "]))
    prefix = draw(st.sampled_from(["", "NVIDIA ", "Tesla "])) if folder == "gpus" else ""
    return folder, id_, prefix + text


@given(spelt())
@settings(max_examples=300, deadline=None)
def test_case_and_separators_do_not_matter(case):
    folder, id_, text = case
    assert resolve(folder, text).id == id_


@given(st.text(max_size=30), st.sampled_from(FOLDERS))
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered(text, folder):
    known = set(ids(folder))
    try:
        answer = (resolve(folder, text).id,)
    except UnknownRecord as problem:
        answer = problem.nearest
    assert set(answer) <= known


@given(st.sampled_from(ids("gpus")))
@settings(max_examples=100, deadline=None)
def test_a_card_is_among_its_own_candidates(id_):
    without_size = " ".join(w for w in words(id_) if not w.endswith("gb"))
    assert id_ in candidates(without_size, ids("gpus"))


def test_memory_sizes_read_alike():
    assert words("A100-80G") == words("a100 80GB") == words("A100_80GiB")


def test_glued_words_come_apart():
    assert words("RTX4070TiSUPER") == words("rtx-4070-ti-super")
    assert words("H100SXM5") == words("h100-sxm5")
    assert words("RTX6000Ada") == words("rtx-6000-ada")
    assert words("L40S") == {"l40s"}
    assert words("MI300X") == {"mi300x"}


def test_an_alias_of_two_records_is_ambiguous():
    found = match("big", ["a-1", "b-2"], {"a-1": ["big"], "b-2": ["BIG"]})
    assert [m.id for m in found] == ["a-1", "b-2"]


def test_a_quantized_checkpoint_is_near_its_model():
    for typed, id_ in (
        ("Qwen/Qwen2.5-32B-Instruct-GPTQ-Int4", "qwen2.5-32b"),
        ("unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", "llama-3.1-8b"),
        ("neuralmagic/Mixtral-8x7B-Instruct-v0.1-FP8", "mixtral-8x7b"),
    ):
        with pytest.raises(UnknownRecord) as caught:
            resolve("models", typed)
        assert caught.value.nearest[0] == id_


def test_nothing_is_near_to_nonsense():
    assert nearest("zzzzqqqq", ids("gpus")) == ()


def test_an_ambiguous_name_is_an_unknown_one_with_its_candidates_nearest():
    with pytest.raises(UnknownRecord) as caught:
        resolve("gpus", "V100-32GB")
    assert isinstance(caught.value, AmbiguousRecord)
    assert caught.value.nearest == caught.value.candidates
