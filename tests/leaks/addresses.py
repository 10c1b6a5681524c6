"""All URLs of the site, filled with the ids of a person's rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.leaks.household import DAY

# In the order of the urlconf; `test_attacks_urls` holds this list and the urlconf together.
GET = "GET"
POST = "POST"
ONLY_BACK = "POST; a link leads back to its page"


@dataclass(frozen=True)
class Address:
    """A URL: its name, its methods, and whether it shows a person's rows."""

    name: str
    path: str
    takes: str = "GET POST"
    is_public: bool = False
    is_owned: bool = False  # names a thing that belongs to one person

    def with_ids(self, ids: Mapping[str, str]) -> str:
        return self.path.format(day=DAY, month=DAY[:7], **ids)


NO_WAY = "01930000-0000-7000-8000-000000000002"

ADDRESSES = (
    Address("healthz", "/healthz", GET, is_public=True),
    Address("healthz_with_slash", "/healthz/", GET, is_public=True),
    Address("sign_in", "/sign-in/", is_public=True),
    Address("sign_out", "/sign-out/", POST, is_public=True),
    Address("unlock", "/unlock/", is_public=True),
    Address("lock", "/lock/", POST, is_public=True),
    Address("register", "/register/", is_public=True),
    Address("password_strength", "/strength/", POST, is_public=True),
    Address("recover", "/recover/", is_public=True),
    Address("confirm_recovery_code", "/recovery-kept/", POST),
    Address("losses", "/losses/"),
    Address("settings", "/settings/"),
    Address("change_password", "/settings/password/"),
    Address("new_recovery_code", "/settings/recovery-code/"),
    Address("rotate_key", "/settings/key/"),
    Address("rotation_progress", "/settings/key/progress/", GET),
    Address("resume_rotation", "/settings/key/go-on/", ONLY_BACK),
    Address("reset_after_compromise", "/settings/somebody-had-my-key/"),
    Address("model_settings", "/settings/model/"),
    Address("remote_hosts", "/settings/other-machines/"),
    Address("browsers", "/settings/browsers/", GET),
    Address("sign_out_other_browsers", "/settings/browsers/end-others/", ONLY_BACK),
    Address("sign_out_browser", "/settings/browsers/{sign_in}/end/", ONLY_BACK, is_owned=True),
    Address("programs", "/settings/programs/"),
    Address("revoke_token", "/settings/programs/{token}/revoke/", ONLY_BACK, is_owned=True),
    Address("confirm_token", "/settings/programs/{token}/confirm/", ONLY_BACK, is_owned=True),
    Address("delete_account", "/settings/leave/"),
    Address("opening_settings", "/openings/"),
    Address("trace_preferences", "/traces/choices/"),
    Address("search_recall_preferences", "/search/for-answers/"),
    Address("today", "/", GET),
    Address("day", "/d/{day}/"),
    Address("hide_model_notice", "/d/{day}/hide-model-notice/", ONLY_BACK),
    Address("draft", "/d/{day}/draft/", POST),
    Address("unchecked_drafts", "/drafts/", GET),
    Address("damaged_drafts_delete", "/drafts/damaged/delete/", POST),
    Address("unchecked_draft_delete", f"/drafts/{NO_WAY}/delete/", POST, is_owned=True),
    Address("inbox", "/inbox/", GET),
    Address("inbox_accept_shown", "/inbox/accept/", POST),
    Address("inbox_damaged_delete", "/inbox/damaged/delete/", POST),
    Address("inbox_box_delete", f"/inbox/boxes/{NO_WAY}/delete/", POST, is_owned=True),
    Address("inbox_accept", f"/inbox/{NO_WAY}/accept/", POST, is_owned=True),
    Address("inbox_delete", f"/inbox/{NO_WAY}/delete/", POST, is_owned=True),
    Address("inbox_restore", f"/inbox/{NO_WAY}/restore/", POST, is_owned=True),
    Address("notes", "/notes/", GET),
    Address("notes_import", "/notes/import/"),
    Address("note_group", f"/notes/imports/{NO_WAY}/", is_owned=True),
    Address("note_group_undo", f"/notes/imports/{NO_WAY}/undo/", POST, is_owned=True),
    Address("note_add", "/notes/new/reference/"),
    Address("note_add_draft", "/notes/new/reference/draft/", POST),
    Address("note_add_discard", "/notes/new/reference/discard/", POST),
    Address("note_version_restore", "/notes/versions/{note_version}/restore/", POST, is_owned=True),
    Address("note", "/notes/{note}/", GET, is_owned=True),
    Address("note_edit", "/notes/{note}/edit/", is_owned=True),
    Address("note_draft", "/notes/{note}/draft/", POST, is_owned=True),
    Address("note_discard", "/notes/{note}/discard/", POST, is_owned=True),
    Address("note_rename", "/notes/{note}/rename/", is_owned=True),
    Address("note_versions", "/notes/{note}/versions/", GET, is_owned=True),
    Address("note_approve", "/notes/{note}/approve/", POST, is_owned=True),
    Address("note_claim", "/notes/{note}/mine/", POST, is_owned=True),
    Address("note_unclaim", "/notes/{note}/not-mine/", POST, is_owned=True),
    Address("note_delete", "/notes/{note}/delete/", POST, is_owned=True),
    Address("entry_claim", "/entries/{entry}/mine/", POST, is_owned=True),
    Address("entry_unclaim", "/entries/{entry}/not-mine/", POST, is_owned=True),
    Address("imports", "/imports/", GET),
    Address("import_claim", f"/imports/{NO_WAY}/", is_owned=True),
    Address("import_unclaim", f"/imports/{NO_WAY}/undo/", POST, is_owned=True),
    Address("calendar", "/calendar/{month}/", GET),
    Address("calendar_jump", "/calendar/", GET),
    Address("year", "/years/2026/", GET),
    Address("on_this_day", "/on-this-day/03-05/", GET),
    Address("on_this_day_today", "/on-this-day/", GET),
    Address("shortcuts", "/keys/", GET),
    Address("random_day", "/random/", GET),
    Address("export", "/export/"),
    Address("bin", "/bin/", GET),
    Address("bin_empty", "/bin/empty/", POST),
    Address("entry", "/entries/{entry}/", GET, is_owned=True),
    Address("entry_edit", "/entries/{entry}/edit/", is_owned=True),
    Address("entry_discard", "/entries/{entry}/discard/", POST, is_owned=True),
    Address("entry_move", "/entries/{entry}/move/", is_owned=True),
    Address("versions", "/entries/{entry}/versions/", GET, is_owned=True),
    Address("version_restore", "/versions/{version}/restore/", POST, is_owned=True),
    Address("entry_destroy", "/entries/{entry}/destroy/", POST, is_owned=True),
    Address("entry_delete", "/entries/{entry}/delete/", POST, is_owned=True),
    Address("entry_restore", "/entries/{entry}/restore/", POST, is_owned=True),
    Address("respond", "/entries/{entry}/respond/", is_owned=True),
    Address("reply_kinds", "/entries/{entry}/ways/", is_owned=True),
    Address("reply_kind_delete", f"/entries/{{entry}}/ways/{NO_WAY}/remove/", is_owned=True),
    Address("reply_kind_claim", f"/entries/{{entry}}/ways/{NO_WAY}/mine/", is_owned=True),
    Address("reply_prompt_record", "/replies/{reply}/read/", GET, is_owned=True),
    Address("opening", "/d/{day}/opening/"),
    Address("opening_prompt_record", "/d/{day}/opening/read/", GET),
    Address("opening_dismiss", "/d/{day}/opening/dismiss/"),
    Address("recap", "/d/{day}/recap/"),
    Address("reply", "/replies/{reply}/", is_owned=True),
    Address("reply_stop", "/replies/{reply}/stop/", is_owned=True),
    Address("reply_retry", "/replies/{reply}/again/", is_owned=True),
    Address("reply_delete", "/replies/{reply}/delete/", is_owned=True),
    Address("entry_traces", "/entries/{entry}/traces/", GET, is_owned=True),
    Address("trace_add", "/entries/{entry}/traces/keep/", is_owned=True),
    Address("trace_dismiss", "/entries/{entry}/traces/dismiss/", is_owned=True),
    Address("trace_propose", "/entries/{entry}/traces/propose/", is_owned=True),
    Address("trace_complete", "/entries/{entry}/traces/complete/", POST, is_owned=True),
    Address("trace_remove", "/entries/{entry}/traces/{trace}/remove/", is_owned=True),
    Address("find_facts", "/entries/{entry}/facts/find/", is_owned=True),
    Address("diary_walk", "/facts/going-through/", GET),
    Address("start_diary_walk", "/facts/going-through/start/"),
    Address("stop_diary_walk", "/facts/going-through/stop/"),
    Address("trace_preview", "/traces/{trace}/glance/", GET, is_owned=True),
    Address("traces", "/traces/"),
    Address("traces_graph", "/traces/picture/", GET),
    Address("trace_undo", "/traces/changes/{change}/undo/", is_owned=True),
    Address("trace", "/traces/{trace}/", GET, is_owned=True),
    Address("trace_in_year", "/traces/{trace}/in/2026/", GET, is_owned=True),
    Address("traces_together", f"/traces/{{trace}}/with/{NO_WAY}/", GET, is_owned=True),
    Address("traces_together_in_year", f"/traces/{{trace}}/with/{NO_WAY}/in/2026/", GET, is_owned=True),
    Address("trace_summary", "/traces/{trace}/summary/", is_owned=True),
    Address("trace_rename", "/traces/{trace}/rename/", is_owned=True),
    Address("trace_merge", "/traces/{trace}/merge/", is_owned=True),
    Address("trace_delete", "/traces/{trace}/delete/", is_owned=True),
    Address("trace_read_always", "/traces/{trace}/always/", is_owned=True),
    Address("facts", "/facts/"),
    Address("fact_settings", "/facts/settings/"),
    Address("facts_export", "/facts/export/"),
    Address("facts_import", "/facts/import/"),
    Address("facts_claim", "/facts/mine/"),
    Address("facts_unclaim", f"/facts/mine/{NO_WAY}/undo/", POST, is_owned=True),
    Address("fact_add", "/facts/add/"),
    Address("fact", "/facts/{fact}/", GET, is_owned=True),
    Address("fact_accept", "/facts/{fact}/accept/", is_owned=True),
    Address("fact_decline", "/facts/{fact}/decline/", is_owned=True),
    Address("fact_correct", "/facts/{fact}/correct/", is_owned=True),
    Address("fact_change", "/facts/{fact}/change/", is_owned=True),
    Address("fact_reading", "/facts/{fact}/reading/", is_owned=True),
    Address("fact_claim", "/facts/{fact}/mine/", is_owned=True),
    Address("fact_undo", "/facts/{fact}/undo/", is_owned=True),
    Address("fact_forget", "/facts/{fact}/forget/", is_owned=True),
    Address("search", "/search/"),
    Address("search_box", "/search/box/", GET),
    Address("search_marks", "/search/place/", POST),
    Address("search_recent", "/search/recent/", POST),
    Address("search_rebuild", "/search/anew/", POST),
    Address("ask", "/ask/"),
    Address("conversation", f"/ask/{NO_WAY}/", is_owned=True),
    Address("conversation_name", f"/ask/{NO_WAY}/name/", POST, is_owned=True),
    Address("conversation_delete", f"/ask/{NO_WAY}/delete/", POST, is_owned=True),
    Address("look_backs", "/look-back/", GET),
    Address("look_back_week", "/look-back/week/{day}/"),
    Address("look_back_month", "/look-back/month/2026-03/"),
    Address("look_back_stop", f"/look-back/{NO_WAY}/stop/", POST, is_owned=True),
    Address("look_back_delete", f"/look-back/{NO_WAY}/delete/", POST, is_owned=True),
    Address("check_ins", "/check-ins/"),
    Address("check_ins_pause", "/check-ins/pause/", POST),
    Address("check_ins_resume", "/check-ins/resume/", POST),
    Address("check_in_now", "/check-ins/now/", POST),
    Address("check_in_entry", f"/check-ins/proposals/{NO_WAY}/entry/", POST, is_owned=True),
    Address("check_in_fact", f"/check-ins/proposals/{NO_WAY}/fact/", POST, is_owned=True),
    Address("check_in_done", f"/check-ins/proposals/{NO_WAY}/done/", POST, is_owned=True),
    Address("check_in_dismiss", f"/check-ins/proposals/{NO_WAY}/dismiss/", POST, is_owned=True),
    Address("answer_stop", f"/ask/answers/{NO_WAY}/stop/", POST, is_owned=True),
)
PRIVATE = [address for address in ADDRESSES if not address.is_public]
OWNED = [address for address in ADDRESSES if address.is_owned]
UNSAFE = [address for address in ADDRESSES if POST in address.takes]
READABLE = [address for address in ADDRESSES if GET in address.takes]
# One of each kind: public and private, a link and a form, a day's and a row's, of each app.
_OF_EACH_KIND = {
    *("healthz", "sign_in", "sign_out", "lock", "settings", "sign_out_browser", "day", "draft", "export"),
    *("entry", "entry_edit", "entry_delete", "version_restore", "reply", "opening", "bin_empty"),
    *("trace", "trace_rename", "trace_undo", "search", "search_marks"),
}


def get_name(address: Address) -> str:
    return address.name


def list_cases(addresses: Iterable[Address]) -> list[Any]:
    """Return the parameters of a test whose answers `test_url_table` checks for every URL, in its process.

    The default run asks a server for those of each kind only.
    """
    return [
        pytest.param(
            address, id=address.name, marks=() if address.name in _OF_EACH_KIND else pytest.mark.slow
        )
        for address in addresses
    ]
