"""Attacks with copied and forged cookies, copied databases, and inserted rows."""

import base64
import shutil
from pathlib import Path

import pytest

from tests.browser_client import SESSION_COOKIE, Visitor
from tests.leaks.household import DAY, AttackedHouse, get_sign_in_id
from tests.leaks.rows import change_rows, open_database, to_hex_id
from tests.server import run_server

SECRET = "Something that only Petra may read."


@pytest.fixture
def petra(house: AttackedHouse) -> Visitor:
    """A signed-in person with an entry; a new browser for each test."""
    if "Petra" not in _KNOWN:
        _KNOWN["Petra"] = Visitor.join(house.server, "Petra")
        _KNOWN["Petra"].write(SECRET, day=DAY)
    browser = _KNOWN["Petra"].another()
    assert browser.sign_in().status == 302
    return browser


_KNOWN: dict[str, Visitor] = {}


def get_location(who: Visitor) -> str:
    """Return "in" if the day opens in this browser, else the path of the redirect."""
    answer = who.get(f"/d/{DAY}/")
    if answer.status == 200:
        assert SECRET in answer.body
        return "in"
    assert SECRET not in answer.body
    return answer.headers["location"].split("?")[0]


def test_the_owner_is_in(petra: Visitor) -> None:
    assert get_location(petra) == "in"


def test_a_copied_cookie_opens_nothing_after_locking_unlocking_and_signing_out(petra: Visitor) -> None:
    thief = petra.copy()
    assert get_location(thief) == "in"

    petra.post("/lock/")
    assert get_location(thief.copy()) == "/unlock/"
    petra.unlock()
    assert get_location(petra) == "in"
    assert get_location(thief.copy()) == "/sign-in/"

    second = petra.copy()
    petra.post("/sign-out/")
    assert get_location(second) == "/sign-in/"


@pytest.mark.parametrize("flip", [0, 5, 15, 16, 30, 47])
def test_a_cookie_with_one_bit_changed_is_nobodys(petra: Visitor, flip: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(petra.cookies[SESSION_COOKIE]))
    raw[flip] ^= 1
    petra.cookies[SESSION_COOKIE] = base64.urlsafe_b64encode(bytes(raw)).decode()

    assert get_location(petra) == "/sign-in/"


@pytest.mark.parametrize(
    "value", ["", "A", "A" * 64, "=" * 64, "ä".encode().decode("latin-1") * 32, '"x"', "A" * 7000]
)
def test_a_cookie_that_we_never_wrote_is_nobodys(house: AttackedHouse, value: str) -> None:
    stranger = house.stranger
    stranger.cookies[SESSION_COOKIE] = value

    answer = stranger.get("/")

    assert answer.status in (302, 400)
    assert answer.headers.get("location", "/sign-in/").startswith("/sign-in/")


def test_a_planted_cookie_does_not_become_the_victims(house: AttackedHouse, petra: Visitor) -> None:
    """Session fixation: the attacker sets their session cookie in the victim's browser."""
    attacker = house.housemate.another()
    attacker.sign_in()
    # Locked, or the victim's browser would not be asked for a password at all.
    attacker.post("/lock/")
    planted = attacker.cookies[SESSION_COOKIE]
    victim = petra.another()
    victim.cookies[SESSION_COOKIE] = planted

    victim.sign_in()

    assert victim.cookies[SESSION_COOKIE] != planted
    assert get_location(victim) == "in"
    assert get_location(attacker) == "/sign-in/"


def test_registering_over_a_planted_cookie_gives_a_new_one(house: AttackedHouse) -> None:
    attacker = house.housemate.another()
    attacker.sign_in()
    attacker.post("/lock/")
    victim = house.stranger
    victim.cookies[SESSION_COOKIE] = attacker.cookies[SESSION_COOKIE]
    victim.name, word = "Quentin", "nine grey geese on the lane"
    fields = {"name": victim.name, "password": word, "password_again": word, "time_zone": "UTC"}
    victim.request("GET", "/sign-in/")

    assert victim.post("/register/", **fields).status == 200

    assert victim.cookies[SESSION_COOKIE] != attacker.cookies[SESSION_COOKIE]
    assert "Quentin" not in attacker.get("/").body


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(house: AttackedHouse, petra: Visitor) -> None:
    fresh = petra.another()

    (line,) = [line for line in fresh.sign_in().set_cookies if line.startswith(SESSION_COOKIE)]

    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Path=/" in line
    assert "Domain" not in line
    assert "Max-Age" not in line


def test_a_copied_data_folder_opens_nothing_without_the_run_secret(
    house: AttackedHouse, petra: Visitor, tmp_path: Path
) -> None:
    """The attacker has the disk and the browser's cookie, but not the run secret in memory."""
    shutil.copytree(house.server.data_dir, tmp_path / "data", ignore=shutil.ignore_patterns("static"))
    (tmp_path / "run").mkdir(mode=0o700)

    with run_server(tmp_path) as elsewhere:
        thief = petra.copy(elsewhere)

        assert get_location(thief) == "/unlock/"
        # With the cookie one can hand in a draft, as its browser can while locked, and read nothing.
        assert thief.save_draft("Planted.").status == 200
        assert get_location(thief) == "/unlock/"
        with open_database(elsewhere) as connection:
            assert connection.execute("SELECT count(*) FROM accounts_unlock").fetchone()[0] > 0
        assert get_location(petra) == "in"


def test_somebody_elses_unlocked_row_opens_nothing(house: AttackedHouse, petra: Visitor) -> None:
    """An attacker with write access links another person's unlock row to their own sign-in."""
    thief = house.housemate.another()
    thief.sign_in()
    theirs, own = get_sign_in_id(petra).hex, get_sign_in_id(thief).hex

    change_rows(house.server, "DELETE FROM accounts_unlock WHERE sign_in_id=?", own)
    assert (
        change_rows(house.server, "UPDATE accounts_unlock SET sign_in_id=? WHERE sign_in_id=?", own, theirs)
        == 1
    )

    answer = thief.get(f"/d/{DAY}/")
    assert answer.status == 302
    assert answer.headers["location"].startswith("/unlock/")
    assert get_location(petra) == "/unlock/"


def test_a_sign_in_given_to_another_person_signs_nobody_in(house: AttackedHouse, petra: Visitor) -> None:
    thief = house.housemate.another()
    thief.sign_in()
    own = get_sign_in_id(thief).hex

    changed = change_rows(
        house.server,
        "UPDATE accounts_signin SET person_id=? WHERE id=?",
        to_hex_id(_KNOWN["Petra"].owner),
        own,
    )

    assert changed == 1
    assert get_location(thief) == "/sign-in/"
    thief.owner = _KNOWN["Petra"].owner
    assert thief.unlock(thief.password + "x").status == 302
    assert get_location(thief) == "/sign-in/"


def test_a_row_with_the_thiefs_own_hash_signs_nobody_in(house: AttackedHouse, petra: Visitor) -> None:
    """An attacker with write access replaces the hash in the owner's row."""
    thief = house.housemate.another()
    thief.sign_in()
    theirs, own = get_sign_in_id(petra).hex, get_sign_in_id(thief).hex
    stolen = (
        "UPDATE accounts_signin SET half_hash=(SELECT half_hash FROM accounts_signin WHERE id=?) WHERE id=?"
    )
    assert change_rows(house.server, stolen, own, theirs) == 1
    raw = base64.urlsafe_b64decode(thief.cookies[SESSION_COOKIE])
    thief.cookies[SESSION_COOKIE] = base64.urlsafe_b64encode(bytes.fromhex(theirs) + raw[16:]).decode()

    assert get_location(thief) == "/sign-in/"


def test_somebody_elses_key_slot_opens_somebody_elses_diary_to_nobody(house: AttackedHouse) -> None:
    """A planted slot with a known password does not contain the owner's data key."""
    rita = Visitor.join(house.server, "Rita")
    rita.write(SECRET, day=DAY)
    simon = Visitor.join(house.server, "Simon", password="nine grey geese on the lane")
    who = to_hex_id(rita.owner)

    change_rows(house.server, "DELETE FROM accounts_keyslot WHERE owner_id=? AND kind='password'", who)
    planted = "UPDATE accounts_keyslot SET owner_id=? WHERE owner_id=? AND kind='password'"
    assert change_rows(house.server, planted, who, to_hex_id(simon.owner)) == 1

    thief = rita.another()
    answer = thief.sign_in(password=simon.password)
    assert answer.status == 422
    assert get_location(thief) == "/sign-in/"
