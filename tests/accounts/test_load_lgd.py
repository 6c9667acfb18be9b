from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.lgd import nicely
from accounts.models import District, State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unseeded")]

STATES = """S.No.,State Code,State Version,State Name,State Name,Census 2011 Code,State or UT
1,35,1,ANDAMAN AND NICOBAR ISLANDS,अंडमान,35,U
2,10,1,BIHAR,बिहार,10,S
"""
DISTRICTS = """"State Code","State Name","District Code","District Name","Census 2011 Code"
10,BIHAR,212,PATNA,230
35,"ANDAMAN AND NICOBAR ISLANDS",632,"NORTH AND MIDDLE ANDAMAN",639
"""


@pytest.fixture
def load(tmp_path):
    """Runs the command on these texts."""

    def run(states: str | None = None, districts: str | None = None) -> None:
        arguments = []
        for name, text in (("states", states), ("districts", districts)):
            if text is not None:
                Path(tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
                arguments += [f"--{name}", str(tmp_path / f"{name}.csv")]
        call_command("load_lgd", *arguments)

    return run


def refused(load, **files: str) -> list[str]:
    with pytest.raises(CommandError) as error:
        load(**files)
    first, *lines = str(error.value).splitlines()
    assert first == "Nothing was loaded."
    return lines


def test_it_loads_states_and_their_districts_in_title_case(load, capsys):
    load(STATES, DISTRICTS)
    islands = State.objects.get(code=35)
    assert (islands.name, islands.is_union_territory) == ("Andaman and Nicobar Islands", True)
    assert not State.objects.get(code=10).is_union_territory
    district = District.objects.get(code=632)
    assert (district.name, district.state) == ("North and Middle Andaman", islands)
    assert capsys.readouterr().out == (
        "states: 2 added, 0 changed\ndistricts: 2 added, 0 changed\n"
    )


def test_a_second_time_changes_nothing(load, capsys):
    load(STATES, DISTRICTS)
    capsys.readouterr()
    load(STATES, DISTRICTS)
    assert capsys.readouterr().out == (
        "states: 0 added, 0 changed\ndistricts: 0 added, 0 changed\n"
    )


def test_names_and_translations_written_here_are_kept(load):
    State.objects.create(
        code=35, name="Andaman & Nicobar Islands", names={"hi": "अंडमान"}, is_union_territory=True
    )
    load(STATES, DISTRICTS)
    islands = State.objects.get(code=35)
    assert (islands.name, islands.names) == ("Andaman & Nicobar Islands", {"hi": "अंडमान"})


def test_a_renamed_district_gets_its_new_name_and_a_moved_one_its_new_state(load):
    load(STATES, DISTRICTS)
    District.objects.filter(code=212).update(names={"hi": "पटना"})
    load(districts=DISTRICTS.replace("10,BIHAR,212,PATNA", "35,ANDAMAN,212,PATALIPUTRA"))
    patna = District.objects.get(code=212)
    assert (patna.name, patna.state_id, patna.names) == ("Pataliputra", 35, {"hi": "पटना"})


def test_districts_alone_need_states_that_are_there(load):
    assert refused(load, districts=DISTRICTS) == [
        "districts.csv, line 2: there is no state with code 10.",
        "districts.csv, line 3: there is no state with code 35.",
    ]


def test_one_bad_row_loads_nothing_and_is_named(load):
    assert refused(load, states=STATES + "3,x,1,GOA,,30,S\n", districts=DISTRICTS) == [
        'states.csv, line 4: the state code "x" is not a number from 1 to 32767.'
    ]
    assert not State.objects.exists()
    assert not District.objects.exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("10,BIHAR,213\n", "3 columns instead of 5"),
        ("10,BIHAR,0,GAYA,1\n", 'the district code "0" is not a number from 1 to 2147483647'),
        ("10,BIHAR,२१३,GAYA,1\n", 'the district code "२१३" is not a number from 1 to 2147483647'),
        ("10,BIHAR,213, ,1\n", "the district name is empty"),
        (f"10,BIHAR,213,{'A' * 121},1\n", "the district name is too long"),
        ("10,BIHAR,212,PATNA AGAIN,1\n", "the district code 212 stands twice"),
        ('10,BIHAR,213,"GAYA', "this is not CSV: unexpected end of data"),
    ],
)
def test_each_kind_of_malformed_row_is_named(load, row, said):
    assert refused(load, states=STATES, districts=DISTRICTS + row) == [
        f"districts.csv, line 4: {said}."
    ]


def test_an_unknown_kind_of_state_is_named(load):
    assert refused(load, states=STATES.replace(",10,S", ",10,")) == [
        'states.csv, line 3: "State or UT" is "" instead of S or U.'
    ]


def test_a_file_with_other_columns_is_refused(load):
    assert refused(load, states=DISTRICTS) == [
        'states.csv, line 1: there is no column "State or UT".'
    ]


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "states.csv"
    file.write_bytes(STATES.encode() + b"\xff\xfe,1\n")
    with pytest.raises(CommandError, match="this is not UTF-8 text"):
        call_command("load_lgd", "--states", str(file))


def test_a_byte_order_mark_and_empty_lines_do_no_harm(load):
    load(states="\ufeff" + STATES + "\n,,,,,,\n")
    assert State.objects.count() == 2


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("load_lgd", "--states", str(tmp_path / "none.csv"))


def test_it_wants_at_least_one_file():
    with pytest.raises(CommandError, match="Give --states FILE"):
        call_command("load_lgd")


def test_only_the_first_twenty_errors_are_shown(load):
    rows = "".join(f"10,BIHAR,x{number},GAYA,1\n" for number in range(25))
    lines = refused(load, states=STATES, districts=DISTRICTS + rows)
    assert len(lines) == 21
    assert lines[-1] == "… and 5 more."


@pytest.mark.parametrize(
    ("published", "name"),
    [
        ("WEST BENGAL", "West Bengal"),
        ("JAMMU AND KASHMIR", "Jammu and Kashmir"),
        ("THE DADRA AND NAGAR HAVELI", "The Dadra and Nagar Haveli"),
        ("JANJGIR-CHAMPA", "Janjgir-Champa"),
        ("KAIMUR (BHABUA)", "Kaimur (Bhabua)"),
        ("24 PARAGANAS  NORTH", "24 Paraganas North"),
        ("NTR", "NTR"),
        ("Y.S.R.", "Y.S.R."),
        ("Alluri Sitharama Raju", "Alluri Sitharama Raju"),
    ],
)
def test_a_name_in_capitals_is_written_as_people_write_it(published, name):
    assert nicely(published) == name
