"""The constitution: what becomes a section, and that no word of it is lost or doubled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.constitution import Constitution, Node, load, parse, parse_traits
from corpus.errors import InputError

CLAUDE = Path(__file__).parents[1].parent / "shared" / "data" / "claude-constitution.md"


def read(text: str, **options: int) -> Constitution:
    return parse(text, source="rules.md", **options)


def texts(constitution: Constitution) -> list[str]:
    return [section.text for section in constitution.sections]


def paths(constitution: Constitution) -> list[tuple[str, ...]]:
    return [section.path for section in constitution.sections]


def nodes(tree: tuple[Node, ...]) -> Iterator[Node]:
    for node in tree:
        yield node
        yield from nodes(node.children)


def prose(words: int, *, word: str = "word") -> str:
    return " ".join([word] * words)


@pytest.fixture(scope="module")
def claude() -> Constitution:
    if not CLAUDE.exists():
        pytest.skip("Claude's constitution is not beside this checkout")
    return load(CLAUDE)


# Claude's constitution, whole


def test_claudes_constitution_keeps_every_word_once_and_in_order(claude: Constitution) -> None:
    lines = CLAUDE.read_text(encoding="utf-8").split("\n")
    first_chapter = next(i for i, line in enumerate(lines) if line.startswith("# Overview"))
    body = [line for line in lines[first_chapter:] if not line.startswith("#")]
    assert " ".join(texts(claude)).split() == " ".join(body).split()


def test_claudes_constitution_has_its_headings_as_a_tree(claude: Constitution) -> None:
    found = list(nodes(claude.tree))
    levels = [node.level for node in found]
    assert [levels.count(level) for level in (1, 2, 3, 4)] == [8, 18, 14, 2]
    assert sum(not node.children for node in found) == 32
    parents = [node for node in found if node.children and node.words]
    assert (len(parents), sum(node.words for node in parents)) == (8, 2300)


def test_claudes_title_stands_beside_the_chapters_and_starts_every_path(
    claude: Constitution,
) -> None:
    title, *chapters = claude.tree
    assert claude.name == title.title == "Claude\u2019s Constitution"
    assert (title.children, title.sections, title.words) == ((), (), 0)
    assert len(chapters) == 7
    assert {path[0] for path in paths(claude)} == {claude.name}


def test_claudes_contents_list_and_empty_headings_are_no_sections(claude: Constitution) -> None:
    assert len(claude.dropped) == 1
    assert "contents list of 41 links" in claude.dropped[0]
    empty = [node.title for node in nodes(claude.tree) if not node.sections]
    assert empty == [claude.name, "Overview", "Navigating helpfulness across principals"]


def test_claudes_long_texts_are_split_into_parts_of_like_size(claude: Constitution) -> None:
    sizes = [len(text.split()) for text in texts(claude)]
    assert max(sizes) <= 900
    parts = [len(section.text.split()) for section in claude.sections if section.parts > 1]
    assert min(parts) >= 400


def test_claudes_sections_are_found_word_for_word_in_the_source(claude: Constitution) -> None:
    source = re.sub(r"[ \t]+\n", "\n", CLAUDE.read_text(encoding="utf-8"))
    assert all(section.text in source for section in claude.sections)
    assert len({section.id for section in claude.sections}) == len(claude.sections)


# Headings


def test_a_hash_in_a_fence_a_quote_or_a_list_is_text() -> None:
    found = read("# Real\n\n```\n# fenced\n```\n\n> # quoted\n\n- # listed\n\n    # indented\n")
    assert paths(found) == [("Real",)]
    assert all(word in texts(found)[0] for word in ("# fenced", "# quoted", "# listed"))


def test_the_own_text_of_a_parent_is_a_section_of_its_own() -> None:
    found = read("# Honesty\n\nWe value it.\n\n## Lies\n\nTell none.\n")
    assert texts(found) == ["We value it.", "Tell none."]
    assert paths(found) == [("Honesty",), ("Honesty", "Lies")]


def test_underlined_headings_closing_hashes_and_markup_give_plain_titles() -> None:
    found = read("Title\n=====\n\n## *Being* `safe` [now](#x) {#id} ##  \n\nBody.\n")
    assert paths(found) == [("Title", "Being safe now")]


def test_placeholders_stay_as_they_are() -> None:
    found = read("# About {model_name}\n\n{provider_name} trains {model_name}.\n")
    assert found.sections[0].title == "About {model_name}"
    assert texts(found) == ["{provider_name} trains {model_name}."]


def test_text_before_the_first_heading_goes_by_the_documents_title() -> None:
    found = read("An epigraph.\n\n# Title\n\nBody.\n")
    assert paths(found) == [("Title",), ("Title",)]
    assert [node.level for node in found.tree] == [0, 1]


def test_a_document_without_a_title_goes_by_its_file_name() -> None:
    found = read("Text first.\n\n# One\n\nA.\n\n# Two\n\nB.\n")
    assert found.name == "rules"
    assert paths(found) == [("rules",), ("rules", "One"), ("rules", "Two")]


def test_a_first_chapter_without_own_text_but_with_children_is_not_the_title() -> None:
    found = read("# One\n\n## Sub\n\nA.\n\n# Two\n\nB.\n")
    assert paths(found) == [("rules", "One", "Sub"), ("rules", "Two")]


def test_a_paragraph_that_stands_on_a_rule_is_not_lost_as_a_heading() -> None:
    long = prose(90)
    found = read(f"# Title\n\n{long}\n---\n\nMore.\n")
    assert " ".join(texts(found)).split().count("word") == 90


def test_an_empty_heading_is_called_untitled() -> None:
    assert paths(read("# Title\n\nA.\n\n##\n\nB.\n")) == [("Title",), ("Title", "untitled")]


# What is no text


def test_a_list_of_links_to_anchors_is_left_out_and_told() -> None:
    found = read("# T\n\nIntro.\n\n1. [A](#a)\n2. [B](#b)\n   - [C](#c-(d))\n\n## A\n\nBody.\n")
    assert texts(found) == ["Intro.", "Body."]
    assert found.dropped == ('rules.md: contents list of 3 links under "T" left out',)


def test_a_list_of_links_to_other_places_is_text() -> None:
    found = read("# T\n\n- [A](https://a.example)\n- [B](https://b.example)\n")
    assert "b.example" in texts(found)[0]
    assert found.dropped == ()


def test_link_definitions_are_text() -> None:
    assert texts(read("# T\n\nSee [a].\n\n[a]: https://a.example\n"))[0].endswith("a.example")


def test_comments_rules_and_front_matter_are_no_text() -> None:
    found = read("---\ntitle: x\n---\n\n# T\n\n---\n\nBody.\n\n<!-- note -->\n\n---\n")
    assert texts(found) == ["Body."]
    assert found.dropped == ("rules.md: front matter left out", "rules.md:11: comment left out")


def test_a_comment_with_text_behind_it_is_kept() -> None:
    assert "stays" in texts(read("# T\n\n<!-- a --> stays <!-- b -->\n"))[0]


def test_a_code_fence_that_is_never_closed_is_told() -> None:
    assert read("# T\n\nA.\n\n```\n# swallowed\n").dropped == (
        "rules.md:5: this code fence is never closed",
    )


# Long texts


def test_a_long_text_is_split_between_paragraphs_into_like_parts() -> None:
    found = read("# T\n\n" + "\n\n".join([prose(100)] * 10), max_words=900)
    assert [len(text.split()) for text in texts(found)] == [500, 500]
    assert [section.title for section in found.sections] == ["T (1/2)", "T (2/2)"]


def test_a_list_is_split_between_items_and_never_inside_one() -> None:
    items = [f"* {prose(30)}\n  * {prose(20)}" for _ in range(8)]
    found = read("# T\n\n" + "\n".join(items), max_words=120)
    assert [text.startswith("* word") for text in texts(found)] == [True] * 4
    assert "\n".join(texts(found)) == "\n".join(items)


def test_a_single_longer_paragraph_stays_whole() -> None:
    found = read(f"# T\n\n{prose(40)}\n\n{prose(500)}\n\n{prose(40)}\n", max_words=100)
    assert [len(text.split()) for text in texts(found)] == [40, 500, 40]


def test_a_line_that_announces_a_list_stays_with_its_first_item() -> None:
    announced = f"{prose(49)} these:\n\n* {prose(30)}\n* {prose(30)}\n* {prose(30)}"
    found = read(f"# T\n\n{prose(50)}\n\n{announced}\n", max_words=110)
    assert not any(text.endswith(":") for text in texts(found))


def test_chinese_signs_are_counted_as_words() -> None:
    found = read("# T\n\n" + "\n\n".join(["\u8bda\u5b9e" * 30] * 4), max_words=130)
    assert len(found.sections) == 2


def test_a_text_without_headings_that_is_too_long_suggests_to_infer_them() -> None:
    found = read("\n\n".join([prose(60)] * 3), max_words=100)
    assert "no headings in a text of 3 parts; try --headings infer" in found.dropped[0]


# Context and ids


def test_context_is_the_path_and_the_openings_of_the_parents() -> None:
    found = read("# T\n\nWhole.\n\n## A\n\nFirst. Second.\n\n### B\n\nBody.\n")
    assert found.sections[-1].context == "T > A > B\n\nT: Whole.\n\nA: First. Second."


def test_a_long_opening_ends_at_a_sentence() -> None:
    opening = f"{prose(100)} end. {prose(100)} end."
    context = read(f"# T\n\n{opening}\n\n## A\n\nBody.\n").sections[-1].context
    assert context.endswith("word end.")
    assert len(context.split()) < 130


def test_an_opening_without_a_sentence_end_is_cut_after_120_words() -> None:
    context = read(f"# T\n\n{prose(200)}\n\n## A\n\nBody.\n").sections[-1].context
    assert context.endswith("word \u2026")
    assert context.count("word") == 120


def test_a_later_part_is_given_the_opening_of_its_own_text() -> None:
    found = read(f"# T\n\nThe start.\n\n{prose(80)}\n\n{prose(80)}\n", max_words=100)
    assert "The start." not in found.sections[0].context
    assert "T: The start." in found.sections[1].context


def test_an_id_changes_only_with_its_own_path_or_text() -> None:
    before = read("# T\n\nIntro.\n\n## A\n\nOne.\n\n## B\n\nTwo.\n").sections
    after = read("# T\n\nChanged.\n\n## A\n\nOne.\n\n## New\n\nX.\n\n## B\n\nTwo.\n").sections
    old, new = ({section.path: section.id for section in part} for part in (before, after))
    assert [path for path in old if old[path] != new[path]] == [("T",)]
    assert re.fullmatch(r"t/a~[0-9a-f]{8}", old["T", "A"])


def test_headings_that_repeat_have_ids_of_their_own() -> None:
    found = read("# T\n\n## Rule\n\nOne.\n\n## Rule\n\nTwo.\n\n## Rule!\n\nTwo.\n")
    assert len({section.id for section in found.sections}) == 3


def test_a_node_survives_its_row() -> None:
    tree = read("# T\n\nIntro.\n\n## A\n\nOne.\n").tree
    rows = json.loads(json.dumps([node.row() for node in tree]))
    assert tuple(map(Node.from_row, rows)) == tree


# Titles as bare lines


def test_bare_lines_become_headings_when_asked_to() -> None:
    honest, kind = "Being honest\n\nWe tell the truth.", "**Being kind**\n\nWe care."
    text = f"Our Charter\n\n{honest}\n\n{kind}\n\nThe team\n"
    found = parse(text, source="c.txt", headings="infer")
    assert found.name == "Our Charter"
    assert paths(found) == [("Our Charter", "Being honest"), ("Our Charter", "Being kind")]
    assert texts(found) == ["We tell the truth.", "We care.\n\nThe team"]


@pytest.mark.parametrize(
    "line",
    ["Ends here.", "lower case start", "12", prose(13, word="Many"), "[Link](#a)", "Two\nlines"],
)
def test_a_line_that_is_no_title_stays_text(line: str) -> None:
    found = parse(f"Title\n\nA body.\n\n{line}\n\nB body.\n", source="c.txt", headings="infer")
    assert not any(node.title == line for node in nodes(found.tree))
    assert len(found.tree) == 1


def test_bare_titles_hang_under_the_markdown_heading_before_them() -> None:
    found = parse("# Charter\n\nHonesty\n\nA body.\n", source="c.txt", headings="infer")
    assert [node.level for node in nodes(found.tree)] == [1, 2]


def test_the_headings_of_claudes_constitution_are_found_again_as_bare_lines(
    claude: Constitution,
) -> None:
    bare = re.sub(r"(?m)^#+ +", "", CLAUDE.read_text(encoding="utf-8"))
    found = parse(bare, source="c.txt", headings="infer")
    assert [n.title for n in nodes(found.tree)] == [n.title for n in nodes(claude.tree)]
    assert texts(found) == texts(claude)


# Files


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name, text in {
        "b.md": "# B\n\nTwo.",
        "a.txt": "# A\n\nOne.",
        "more/c.markdown": "# C\n\nThree.",
        "README.md": "# Read me",
        "paper.pdf": "%PDF",
        "empty.md": "\n",
        ".hidden.md": "# H\n\nNo.",
    }.items():
        (tmp_path / name).write_text(text)
    found = load(tmp_path)
    assert [section.source for section in found.sections] == ["a.txt", "b.md", "more/c.markdown"]
    assert (texts(found), found.name) == (["One.", "Two.", "Three."], tmp_path.name)
    assert [note.split(":")[0] for note in found.dropped] == ["README.md", "paper.pdf", "empty.md"]


def test_the_same_file_twice_gives_ids_of_their_own(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("# Same\n\nText.")
    assert len({section.id for section in load(tmp_path).sections}) == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no text to write about"),
        (b"# Only\n\n## Headings\n", "no text to write about"),
        (b"# A\n\nok \xff", "not UTF-8: byte 0xff at offset 8"),
        (b"# A\n\nx\0y", "NUL character in line 3"),
        ("# A\n\nx".encode("utf-16"), "is UTF-16, save it as UTF-8"),
        (b"> " * 200 + b"x", "nested too deep"),
        (b"- " * 200 + b"x\n\n# Swallowed\n\ny", "nested too deep"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_the_reason(
    tmp_path: Path, data: bytes, message: str
) -> None:
    file = tmp_path / "c.md"
    file.write_bytes(data)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        load(file)
    assert "c.md" in str(caught.value)


def test_a_place_without_a_constitution_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no constitution here"):
        load(tmp_path)
    with pytest.raises(InputError, match="does not exist; `corpus init`"):
        load(tmp_path / "absent.md")


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        load(tmp_path / ("x" * 300))


def test_a_length_of_nothing_and_half_a_surrogate_are_refused() -> None:
    with pytest.raises(InputError, match="max_words: 0"):
        read("# A\n\nx", max_words=0)
    with pytest.raises(InputError, match="half a surrogate pair at character 0"):
        read("\ud800")


def test_a_byte_order_mark_and_blanks_at_line_ends_change_nothing() -> None:
    plain = "# T\n\nBody  here.\n\n* one\n"
    assert read("\ufeff" + plain.replace("\n", " \t\n")) == read(plain)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"# t{i}\n\nbody {i}\n\n" for i in range(10_000)),
        "word " * 400_000,
        "*_[" * 500_000 + "x",
        "# " + "*_[](" * 200_000 + " x",
        "[](a" * 300_000,
    ],
    ids=["headings", "one line", "emphasis", "heading", "links"],
)
def test_large_and_odd_texts_are_read_to_the_end(text: str) -> None:
    found = read(text)
    assert sum(len(part.split()) for part in texts(found)) >= len(text.split()) // 2


# Trait lists


def test_each_trait_of_a_list_is_a_section(tmp_path: Path) -> None:
    rows = [
        "I am honest.",
        {"trait": "I am kind.", "why": "It matters.", "questions": ["Are you?", "Why?"], "x": 1},
    ]
    (tmp_path / "traits.json").write_text(json.dumps(rows))
    found = load(tmp_path / "traits.json")
    assert texts(found) == ["I am honest.", "I am kind.\n\nIt matters."]
    assert paths(found)[0] == ("traits", "I am honest.")
    assert found.sections[1].context.endswith("Are you?\n\nWhy?")
    assert found.dropped == ("traits.json: key 'x' of the traits is not read",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[" + "9" * 5000 + "]", "not JSON"),
        ('{"trait": "x"}', "expected a list of traits, not dict"),
        ("[]", "no text to write about"),
        ('["ok", 7]', 't.json[1]: expected a string or an object with a "trait" string'),
        ('[{"why": "x"}]', "t.json[0]: expected"),
        ('[{"trait": "x", "questions": "y"}]', 't.json[0]: "questions" is a list of strings'),
        ('[{"trait": "x", "why": 3}]', "t.json[0]: "),
        ('["..."]', "t.json[0]: the trait is empty"),
        ('["a\\u0000"]', "t.json[0]: NUL"),
    ],
)
def test_a_trait_list_of_another_shape_is_refused_with_the_index(text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        parse_traits(text, source="t.json")


def test_a_long_trait_has_a_short_title() -> None:
    (section,) = parse_traits(json.dumps([prose(50)]), source="t.json").sections
    assert section.title == prose(10) + "\u2026"


# Laws


Block = tuple[str, int, list[int]]
blocks = st.tuples(
    st.sampled_from(["atx", "setext", "paragraph", "bullets", "fence", "loose", "comment"]),
    st.integers(1, 6),
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
)


def written(shapes: list[Block]) -> tuple[str, int]:
    """A document whose body words are w0, w1, ... in order, and their number."""
    count = 0
    out = []

    def body(size: int) -> str:
        nonlocal count
        count += size
        return " ".join(f"w{number}" for number in range(count - size, count))

    for kind, level, sizes in shapes:
        match kind:
            case "atx":
                out.append(f"{'#' * level} title {sizes[0]}")
            case "setext":
                out.append(f"title {sizes[0]}\n{'=-'[level % 2] * 5}")
            case "paragraph":
                out.append("\n".join(map(body, sizes)))
            case "bullets":
                out.append("\n".join(f"* {body(size)}" for size in sizes))
            case "loose":
                out.append("\n\n".join(f"1. {body(size)}\n   - {body(2)}" for size in sizes))
            case "fence":
                out.append("\n".join(["```", *(f"# {body(size)}" for size in sizes), "```"]))
            case _:
                out.append("<!-- nothing -->")
    return "\n\n".join(out) + "\n", count


documents = st.lists(blocks, min_size=1, max_size=25).map(written).filter(lambda made: made[1] > 0)


@given(documents, st.integers(1, 80))
def test_every_word_of_a_document_is_kept_once_and_in_order(
    made: tuple[str, int], max_words: int
) -> None:
    text, count = made
    found = read(text, max_words=max_words)
    assert re.findall(r"w\d+", " ".join(texts(found))) == [f"w{number}" for number in range(count)]
    assert all(section.text in text for section in found.sections if "<!--" not in text)


@given(documents, st.integers(1, 80))
def test_ids_are_unique_and_the_tree_names_each_once(made: tuple[str, int], max_words: int) -> None:
    found = read(made[0], max_words=max_words)
    ids = [section.id for section in found.sections]
    assert len(set(ids)) == len(ids)
    assert [name for node in nodes(found.tree) for name in node.sections] == ids


@given(documents, st.sampled_from(["\r\n", "\r"]), st.integers(10, 80))
def test_line_ends_change_nothing(made: tuple[str, int], end: str, max_words: int) -> None:
    text = made[0]
    assert read(text.replace("\n", end), max_words=max_words) == read(text, max_words=max_words)


@given(st.lists(st.integers(30, 150), min_size=2, max_size=30), st.integers(150, 400))
def test_parts_are_within_the_limit_and_none_is_a_rest(sizes: list[int], max_words: int) -> None:
    found = read("# T\n\n" + "\n\n".join(map(prose, sizes)), max_words=max_words)
    counts = [len(text.split()) for text in texts(found)]
    assert max(counts) <= max_words
    assert all(a + b > max_words for a, b in pairwise(counts))


@settings(max_examples=300)
@given(st.text(st.sampled_from("#-*>`~[]()!<_:=|\\ \n\tab1."), max_size=200))
def test_any_text_is_read_or_refused_and_no_letter_is_doubled(text: str) -> None:
    try:
        found = read(text, max_words=5)
    except InputError:
        return
    for letter in "ab":
        assert sum(part.count(letter) for part in texts(found)) <= text.count(letter)
