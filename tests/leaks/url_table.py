"""Every URL of the resolver, the response that each of five roles gets, and the rows that its ids name.

A line of `ANSWERS` has the name of a URL, the responses to a link, and those to a form: one word for each
role, in the order of `ROLES`, or one for all. The ids in the URL are those of the owner's rows.

    200, 404, ...   the status
    sign-in         redirect to the sign-in page
    unlock          redirect to the page that unlocks
    login           redirect to the sign-in page, or to that of the admin
    moved           another redirect: after the action, or to another page
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.sessions import services
from accounts.tokens.services import TokenRequest, create_token
from diary.models import (
    CustomReplyKind,
    Entry,
    InboxBox,
    InboxItem,
    LateDraft,
    NoteVersion,
    Origin,
    Reply,
    Version,
)
from diary.notes.services import save_note
from diary.origins.provenance import Provenance
from llamora.crypto import TokenKind, parse_token
from llamora.fields import new_id
from llamora.inference.job import JobState
from search.models import CheckIn, CheckInProposal, LookBack, Question
from tests.people import SESSION, Resident, new_resident
from traces.facts.claims import list_claims
from traces.facts.fact_body import FactText
from traces.facts.services import FactOrigin, add_fact, claim_facts, propose_fact
from traces.models import Change, Trace

ROLES = ("nobody", "locked", "owner", "housemate", "administrator")
DAY = date(2026, 3, 5)
# What stands in a URL that belongs to nobody in particular.
PLACES: dict[str, Any] = {
    "day": DAY,
    "month": DAY.replace(day=1),
    "year": 2026,
    "month_day": DAY,
    "kind": "reference",
    "app_label": "accounts",
}
ANSWERS = """
healthz                               200                            | 200
healthz_with_slash                    200                            | 200
admin:index                           login 404 404 404 200          | login 404 404 404 200
admin:login                           sign-in 404 404 404 moved      | sign-in 404 404 404 moved
admin:logout                          moved 404 404 404 405          | moved 404 404 404 sign-in
admin:autocomplete                    login 404 404 404 403          | login 404 404 404 405
admin:jsi18n                          login 404 404 404 200          | login 404 404 404 405
admin:view_on_site                    login 404 404 404 404          | login 404 404 404 404
admin:accounts_signin_changelist      login 404 404 404 200          | login 404 404 404 200
admin:accounts_signin_add             login 404 404 404 403          | login 404 404 404 403
admin:accounts_signin_history         login 404 404 404 moved        | login 404 404 404 moved
admin:accounts_signin_delete          login 404 404 404 403          | login 404 404 404 403
admin:accounts_signin_change          login 404 404 404 moved        | login 404 404 404 403
admin:accounts_invitation_changelist  login 404 404 404 200          | login 404 404 404 200
admin:accounts_invitation_add         login 404 404 404 200          | login 404 404 404 200
admin:accounts_invitation_history     login 404 404 404 moved        | login 404 404 404 moved
admin:accounts_invitation_delete      login 404 404 404 403          | login 404 404 404 403
admin:accounts_invitation_change      login 404 404 404 moved        | login 404 404 404 403
admin:accounts_person_changelist      login 404 404 404 200          | login 404 404 404 200
admin:accounts_person_add             login 404 404 404 403          | login 404 404 404 403
admin:accounts_person_history         login 404 404 404 200          | login 404 404 404 200
admin:accounts_person_delete          login 404 404 404 200          | login 404 404 404 moved
admin:accounts_person_change          login 404 404 404 200          | login 404 404 404 moved
admin:app_list                        login 404 404 404 200          | login 404 404 404 200
sign_in                               200 200 moved moved moved      | 422
sign_out                              405                            | sign-in
unlock                                sign-in 200 moved moved moved  | sign-in 422 422 422 422
lock                                  405                            | unlock
register                              403 moved moved moved moved    | 403
password_strength                     405                            | 200
recover                               200                            | 422
confirm_recovery_code                 405                            | 401 410 410 410 410
losses                                sign-in unlock moved moved moved | 401 401 moved moved moved
settings                              sign-in unlock 200 200 200     | 401 401 422 422 422
change_password                       sign-in unlock 200 200 200     | 401 401 422 422 422
new_recovery_code                     sign-in unlock 200 200 200     | 401 401 422 422 422
rotate_key                            sign-in unlock 200 200 200     | 401 401 422 422 422
rotation_progress                     sign-in unlock 200 200 200     | 405
resume_rotation                       sign-in unlock moved moved moved | 401 401 moved moved moved
reset_after_compromise                sign-in unlock 200 200 200     | 401 401 422 422 422
model_settings                        sign-in unlock 404 404 200     | 401 401 404 404 422
remote_hosts                          sign-in unlock 200 200 200     | 401 401 422 422 422
browsers                              sign-in unlock 200 200 200     | 405
sign_out_other_browsers               sign-in unlock moved moved moved | 401 401 moved moved moved
sign_out_browser                      sign-in unlock moved moved moved | 401 401 moved 404 404
programs                              sign-in unlock 200 200 200     | 401 401 422 422 422
revoke_token                          sign-in unlock moved moved moved | 401 401 moved 404 404
confirm_token                         sign-in unlock moved moved moved | 401 401 moved 404 404
delete_account                        sign-in unlock 200 200 200     | 401 401 422 422 422
opening_settings                      sign-in unlock moved moved moved | 401 401 moved moved moved
trace_preferences                     sign-in unlock moved moved moved | 401 401 moved moved moved
search_recall_preferences             sign-in unlock moved moved moved | 401 401 moved moved moved
today                                 sign-in unlock 200 200 200     | 405
day                                   sign-in unlock 200 200 200     | 401 401 moved moved moved
hide_model_notice                     sign-in unlock moved moved moved | 401 401 moved moved moved
draft                                 405                            | 401 200 200 200 200
unchecked_drafts                      sign-in unlock 200 200 200     | 405
unchecked_draft_delete                405                            | 401 401 moved 404 404
damaged_drafts_delete                 405                            | 401 401 moved moved moved
inbox                                 sign-in unlock 200 200 200     | 405
inbox_accept_shown                    405                            | 401 401 409 409 409
inbox_damaged_delete                  405                            | 401 401 moved moved moved
inbox_box_delete                      405                            | 401 401 moved 404 404
inbox_accept                          405                            | 401 401 moved 404 404
inbox_delete                          405                            | 401 401 moved 404 404
inbox_restore                         405                            | 401 401 moved 404 404
entry_claim                           405                            | 401 401 moved 404 404
entry_unclaim                         405                            | 401 401 moved 404 404
imports                               sign-in unlock 200 200 200     | 405
import_claim                          sign-in unlock 200 404 404     | 401 401 422 404 404
import_unclaim                        405                            | 401 401 moved 404 404
calendar                              sign-in unlock 200 200 200     | 405
calendar_jump                         sign-in unlock 404 404 404     | 405
year                                  sign-in unlock 200 200 200     | 405
on_this_day                           sign-in unlock 200 200 200     | 405
shortcuts                             sign-in unlock 200 200 200     | 405
on_this_day_today                     sign-in unlock moved moved moved | 405
random_day                            sign-in unlock moved moved moved | 405
entry                                 sign-in unlock moved 404 404   | 405
entry_edit                            sign-in unlock 200 404 404     | 401 401 409 404 404
entry_discard                         405                            | 401 401 moved 404 404
entry_move                            sign-in unlock 200 404 404     | 401 401 422 404 404
versions                              sign-in unlock 200 404 404     | 405
version_restore                       405                            | 401 401 moved 404 404
export                                sign-in unlock 200 200 200     | 401 401 422 422 422
bin                                   sign-in unlock 200 200 200     | 405
bin_empty                             405                            | 401 401 moved moved moved
entry_destroy                         405                            | 401 401 404 404 404
entry_delete                          405                            | 401 401 moved 404 404
entry_restore                         405                            | 401 401 moved 404 404
respond                               sign-in unlock moved 404 404   | 401 401 moved 404 404
reply_kinds                           sign-in unlock 200 404 404     | 401 401 422 404 404
reply_kind_delete                     sign-in unlock moved 404 404   | 401 401 moved 404 404
reply_kind_claim                      sign-in unlock moved 404 404   | 401 401 moved 404 404
reply_prompt_record                   sign-in unlock 200 404 404     | 401 401 200 404 404
reply                                 sign-in unlock moved 404 404   | 401 401 moved 404 404
reply_stop                            sign-in unlock moved 404 404   | 401 401 moved 404 404
reply_retry                           sign-in unlock moved 404 404   | 401 401 moved 404 404
reply_delete                          sign-in unlock moved 404 404   | 401 401 moved 404 404
opening                               sign-in unlock moved moved moved | 401 401 204 204 204
opening_prompt_record                 sign-in unlock 404 404 404     | 401 401 404 404 404
opening_dismiss                       sign-in unlock moved moved moved | 401 401 moved moved moved
recap                                 sign-in unlock moved moved moved | 401 401 200 200 200
search                                sign-in unlock 200 200 200     | 401 401 200 200 200
search_box                            sign-in unlock 200 200 200     | 405
search_marks                          405                            | 401 401 200 200 200
search_recent                         405                            | 401 401 moved moved moved
search_rebuild                        405                            | 401 401 moved moved moved
notes                                 sign-in unlock 200 200 200     | 405
notes_import                          sign-in unlock 200 200 200     | 401 401 422 422 422
note_group                            sign-in unlock 200 404 404     | 401 401 422 404 404
note_group_undo                       405                            | 401 401 moved 404 404
note_add                              sign-in unlock 200 200 200     | 401 401 422 422 422
note_add_draft                        405                            | 401 200 200 200 200
note_add_discard                      405                            | 401 401 moved moved moved
note                                  sign-in unlock 200 404 404     | 405
note_edit                             sign-in unlock 200 404 404     | 401 401 409 404 404
note_draft                            405                            | 401 200 200 404 404
note_discard                          405                            | 401 401 moved 404 404
note_rename                           sign-in unlock 200 404 404     | 401 401 422 404 404
note_versions                         sign-in unlock 200 404 404     | 405
note_version_restore                  405                            | 401 401 moved 404 404
note_approve                          405                            | 401 401 409 404 404
note_claim                            405                            | 401 401 409 404 404
note_unclaim                          405                            | 401 401 moved 404 404
note_delete                           405                            | 401 401 409 404 404
ask                                   sign-in unlock 200 200 200     | 401 401 moved moved moved
conversation                          sign-in unlock 200 404 404     | 401 401 moved 404 404
conversation_name                     405                            | 401 401 moved 404 404
answer_stop                           405                            | 401 401 moved 404 404
look_backs                            sign-in unlock 200 200 200     | 405
look_back_week                        sign-in unlock 200 200 200     | 401 401 503 503 503
look_back_month                       sign-in unlock 200 200 200     | 401 401 503 503 503
look_back_stop                        405                            | 401 401 moved 404 404
look_back_delete                      405                            | 401 401 moved 404 404
check_ins                             sign-in unlock 200 200 200     | 401 401 422 422 422
check_ins_pause                       405                            | 401 401 moved moved moved
check_ins_resume                      405                            | 401 401 moved moved moved
check_in_now                          405                            | 401 401 503 503 503
check_in_entry                        405                            | 401 401 moved 404 404
check_in_fact                         405                            | 401 401 moved 404 404
check_in_done                         405                            | 401 401 moved 404 404
check_in_dismiss                      405                            | 401 401 moved 404 404
conversation_delete                   405                            | 401 401 moved 404 404
entry_traces                          sign-in unlock moved 404 404   | 405
trace_add                             sign-in unlock 200 404 404     | 401 401 422 404 404
trace_dismiss                         sign-in unlock moved 404 404   | 401 401 422 404 404
trace_propose                         sign-in unlock moved 404 404   | 401 401 moved 404 404
trace_complete                        405                            | 401 401 200 404 404
trace_remove                          sign-in unlock moved 404 404   | 401 401 moved 404 404
trace_preview                         sign-in unlock moved 404 404   | 405
find_facts                            sign-in unlock moved 404 404   | 401 401 moved 404 404
diary_walk                            sign-in unlock 200 200 200     | 405
start_diary_walk                      sign-in unlock moved moved moved | 401 401 moved moved moved
stop_diary_walk                       sign-in unlock moved moved moved | 401 401 moved moved moved
traces                                sign-in unlock 200 200 200     | 401 401 200 200 200
traces_graph                          sign-in unlock 200 200 200     | 405
trace_undo                            sign-in unlock moved 404 404   | 401 401 moved 404 404
trace                                 sign-in unlock 200 404 404     | 405
trace_in_year                         sign-in unlock 200 404 404     | 405
traces_together                       sign-in unlock 200 404 404     | 405
traces_together_in_year               sign-in unlock 200 404 404     | 405
trace_summary                         sign-in unlock moved 404 404   | 401 401 moved 404 404
trace_rename                          sign-in unlock moved 404 404   | 401 401 422 404 404
trace_merge                           sign-in unlock moved 404 404   | 401 401 422 404 404
trace_delete                          sign-in unlock moved 404 404   | 401 401 moved 404 404
trace_read_always                     sign-in unlock moved 404 404   | 401 401 moved 404 404
facts                                 sign-in unlock 200 200 200     | 401 401 200 200 200
fact_settings                         sign-in unlock 200 200 200     | 401 401 moved moved moved
facts_export                          sign-in unlock 200 200 200     | 401 401 422 422 422
facts_import                          sign-in unlock 200 200 200     | 401 401 422 422 422
facts_claim                           sign-in unlock 200 200 200     | 401 401 422 422 422
facts_unclaim                         405                            | 401 401 moved 404 404
fact_add                              sign-in unlock 200 200 200     | 401 401 moved moved moved
fact                                  sign-in unlock 200 404 404     | 405
fact_accept                           sign-in unlock moved 404 404   | 401 401 moved 404 404
fact_decline                          sign-in unlock moved 404 404   | 401 401 moved 404 404
fact_correct                          sign-in unlock moved 404 404   | 401 401 moved 404 404
fact_change                           sign-in unlock moved 404 404   | 401 401 moved 404 404
fact_reading                          sign-in unlock moved 404 404   | 401 401 moved 404 404
fact_claim                            sign-in unlock moved 404 404   | 401 401 moved 404 404
fact_undo                             sign-in unlock moved 404 404   | 401 401 moved 404 404
fact_forget                           sign-in unlock moved 404 404   | 401 401 moved 404 404
"""
OWNED = (
    "entry_id",
    "draft_id",
    "reply_id",
    "version_id",
    "sign_in_id",
    "token_id",
    "trace_id",
    "others",
    "change_id",
    "kind_id",
    "item_id",
    "box_id",
    "import_id",
    "session_id",
    "look_back_id",
    "proposal_id",
    "question_id",
    "fact_id",
    "fact_claim_id",
    "note_group_id",
    "note_id",
    "note_version_id",
)


@dataclass(frozen=True)
class Route:
    """A URL pattern: its name with its namespace, and the names of its arguments."""

    name: str
    parameters: tuple[str, ...]

    @property
    def owned(self) -> tuple[str, ...]:
        """The parameters that name a row of one person."""
        return tuple(name for name in self.parameters if name in OWNED)

    def build_path(self, ids: dict[str, Any]) -> str:
        """Return the path with these ids; a parameter that is not known here raises KeyError."""
        return reverse(self.name, kwargs={name: (PLACES | ids)[name] for name in self.parameters})


def list_routes() -> list[Route]:
    """Return every URL pattern with a name, but those of programs, which `tests/api` and `tests/mcp` have."""
    routes = _walk(get_resolver().url_patterns)
    return [route for route in routes if not route.name.startswith(("api:", "mcp:"))]


def _walk(patterns: list[Any], namespace: str = "") -> Iterator[Route]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(
                pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else namespace
            )
        elif isinstance(pattern, URLPattern) and pattern.name:
            names = {*pattern.pattern.converters, *pattern.pattern.regex.groupindex}
            yield Route(namespace + pattern.name, tuple(sorted(names)))


@dataclass(kw_only=True)
class Cast:
    """The five roles, each with a browser, and the rows of the owner and of the housemate."""

    owner: Resident
    housemate: Resident
    administrator: Resident
    locked: Resident
    nobody: Client
    ids: dict[str, dict[str, Any]] = field(default_factory=dict)

    def send(self, role: str, method: str, path: str, *, script: bool = False, **fields: str) -> Any:
        """Send a request in a role; a form carries the id of its person, as their pages do."""
        who = getattr(self, role)
        client = who if isinstance(who, Client) else who.client
        owner = {} if isinstance(who, Client) else {"owner": str(who.id)}
        headers = {"HX-Request": "true"} if script else {}
        if method != "POST":
            return client.generic(method, path, headers=headers)
        form = {**owner, "text": "Planted.", "revision": "1", **fields}
        return client.post(path, form, headers=headers)


def create_cast() -> Cast:
    """Create a household in which the owner and the housemate have a row of each kind."""
    owner, housemate, administrator = map(new_resident, ("Olive", "Humphrey", "Kay"))
    administrator.person.is_staff = True
    administrator.person.save()
    locked = Resident(person=owner.person, keyring=owner.keyring)
    lock_in_new_browser(locked)
    cast = Cast(owner=owner, housemate=housemate, administrator=administrator, locked=locked, nobody=Client())
    for who in (owner, housemate, administrator):
        who.client.raise_request_exception = False
        cast.ids[who.person.name] = create_rows(who)
    return cast


def lock_in_new_browser(who: Resident) -> None:
    """Give a resident one more browser, which is signed in and locked."""
    cookie = services.create_session(person=who.person, keyring=who.keyring, is_persistent=False, device="")
    who.client.cookies[SESSION] = cookie.encode()
    services.lock_session(sign_in_id=cookie.sign_in_id, person_id=who.id)


def create_rows(who: Resident) -> dict[str, Any]:
    """Create one row of each kind that a URL can name; return their ids by the names of the parameters."""
    name = who.person.name
    entry = who.write("Its first version.", day=DAY)
    path = f"/entries/{entry.id}/"
    answers = [
        who.post(f"{path}edit/", script=True, text=f"An entry of {name}.", revision="1"),
        who.post(f"{path}traces/keep/", script=True, name=f"A trace of {name}"),
        who.post(f"{path}traces/keep/", script=True, name=f"Another trace of {name}"),
    ]
    trace, other = Trace.objects.filter(owner_id=who.id).order_by("id")
    answers.append(who.post(f"/traces/{trace.id}/rename/", name=f"A renamed trace of {name}"))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 302]
    with who.unlocked():
        reply = Reply.objects.create(owner_id=who.id, entry=entry, text="A reply.", state=JobState.DONE)
        kind = CustomReplyKind.objects.create(owner_id=who.id, words={"name": "Short", "wish": "Be short."})
        run = Provenance.create_import(source="Day One", at=timezone.now())
        Entry.objects.create(
            owner_id=who.id, day=DAY, text="Imported.", origin=Origin.IMPORTED, provenance=run.to_json()
        )
        where = FactOrigin(origin=Origin.MODEL, entry_id=entry.id)
        fact = propose_fact(owner_id=who.id, text=FactText.create(f"{name} likes tea"), where=where)
        theirs = FactText.create(f"{name} likes cake")
        claimed = add_fact(owner_id=who.id, text=theirs, where=FactOrigin(origin=Origin.IMPORTED))
        claim_facts(owner_id=who.id, fact_ids=[claimed.id])
        (claim,) = list_claims(who.id)
        item = InboxItem.objects.create(
            owner_id=who.id, day=DAY, origin=Origin.PROGRAM, body={"text": f"Sent to {name}."}
        )
        question = Question.objects.create(
            owner_id=who.id, session_id=new_id(), text="A question.", answer="", sources=[]
        )
        look_back = LookBack.objects.create(
            owner_id=who.id, span="week", first_day=DAY, body={"text": "A look-back."}
        )
        check_in = CheckIn.objects.create(owner_id=who.id, due_at=timezone.now(), body={"requests": 1})
        proposal = CheckInProposal.objects.create(
            owner_id=who.id, check_in=check_in, body={"request": "A request.", "text": f"{name} has tea."}
        )
    skill = save_note(who.keyring, "skills/a/SKILL.md", "Its first version.", origin=Origin.OWN)
    save_note(who.keyring, skill.path, f"A skill of {name}.", note_id=skill.id, based_on=1, origin=Origin.OWN)
    brought = Provenance.create_import(source="a.zip", at=timezone.now())
    save_note(who.keyring, "a.md", "Imported.", origin=Origin.IMPORTED, provenance=brought)
    box = InboxBox.objects.create(
        owner_id=who.id, day=DAY, sender_id=new_id(), box=b"unchecked", mac=bytes(32)
    )
    token = create_token(
        who.keyring,
        TokenRequest(name=f"A program of {name}", kind=TokenKind.DROP, scopes=frozenset({"drop"})),
    )
    assert fact is not None
    late = LateDraft.objects.create(owner_id=who.id, day=DAY, box=b"what nobody can check")
    return {
        "entry_id": entry.id,
        "reply_id": reply.id,
        "version_id": Version.objects.get(owner_id=who.id).id,
        "sign_in_id": who.get_cookie().sign_in_id,
        "token_id": parse_token(token).id,
        "trace_id": trace.id,
        "others": [other.id],
        "change_id": Change.objects.filter(owner_id=who.id).latest("id").id,
        "kind_id": kind.id,
        "draft_id": late.id,
        "item_id": item.id,
        "box_id": box.id,
        "import_id": run.import_id,
        "session_id": question.session_id,
        "look_back_id": look_back.id,
        "proposal_id": proposal.id,
        "question_id": question.id,
        "fact_id": fact.id,
        "fact_claim_id": claim.group,
        "note_group_id": brought.import_id,
        "note_id": skill.id,
        "note_version_id": NoteVersion.objects.get(owner_id=who.id).id,
        "object_id": who.id.hex,
        "content_type_id": 1,
    }


def read_answers() -> dict[str, dict[str, dict[str, str]]]:
    """Return the expected word by name of the URL, method and role."""
    found = {}
    for line in ANSWERS.strip().splitlines():
        (name, *link), form = line.partition("|")[0].split(), line.partition("|")[2].split()
        found[name] = {
            method: dict(zip(ROLES, words * 5 if len(words) == 1 else words, strict=True))
            for method, words in (("GET", link), ("POST", form))
        }
    return found


def describe_answer(answer: Any) -> str:
    """Return the word for a response."""
    if answer.status_code not in (301, 302):
        return str(answer.status_code)
    for place, word in (("/sign-in/", "sign-in"), ("/unlock/", "unlock"), ("/admin/login/", "login")):
        if answer.headers["Location"].startswith(place):
            return word
    return "moved"
