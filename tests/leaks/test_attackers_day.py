"""The list of all attacks, each with the tests in which it fails.

These tests are in the folders of the attacked parts. This module fails if one of them was renamed or removed.
The README, "Who can see what", says what each attacker may get.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

DAY = {
    "copied database": [
        "leaks/test_attacks_sessions.py::test_a_copied_data_folder_opens_nothing_without_the_run_secret",
        "accounts/test_sessions.py::test_a_copied_session_table_signs_nobody_in",
        "accounts/test_sessions.py::test_the_secret_of_the_run_is_not_in_the_data_folder",
        "rotation/test_independent_reader.py::test_it_is_refused_by_a_wrong_secret_and_by_a_forged_slot",
        "ops/test_erasure.py::test_the_former_key_is_nowhere_after_a_rotation",
    ],
    "copied cookie": [
        "accounts/test_login.py::test_only_hashes_of_cookies_are_stored",
        "accounts/test_sessions.py::test_without_the_run_secret_one_is_signed_in_but_locked",
        "rotation/test_security.py::test_a_cookie_of_another_browser_asks_for_nothing",
        "rotation/test_security.py::test_a_copy_of_the_asking_browsers_cookie_ends_with_the_others",
        "leaks/test_attacks_sockets.py::test_a_copied_cookie_hears_nothing_more_after_the_lock",
        "accounts/test_remote_hosts.py::"
        "test_with_a_copied_cookie_alone_nobody_decides_where_texts_go_after_a_lock",
    ],
    "a housemate who makes everybody wait": [
        "ops/test_pages.py::test_a_page_waits_for_one_of_many_from_another_address",
        "threads/test_fair_executor.py::test_long_calls_of_one_key_keep_no_call_of_another_out",
        "diary/notes/test_workspace.py::test_a_preview_lets_the_pages_of_others_in_between_files",
        "traces/facts/test_checks.py::test_a_sentence_without_an_end_is_not_compared_word_by_word",
    ],
    "copied backup": [
        "ops/test_backup.py::test_no_word_of_anybody_is_in_it",
        "ops/test_backup.py::test_not_even_bytes_of_a_session_are_in_it",
        "ops/test_backup.py::test_settings_come_without_secrets",
        "rotation/test_security.py::test_a_new_password_shuts_the_old_copy_out",
    ],
    "old password, code, key or copy": [
        "rotation/test_state_machine.py::test_every_event_once_and_most_while_a_rotation_is_unfinished",
        "rotation/test_rotation.py::test_the_key_before_opens_nothing_any_more",
        "rotation/test_security.py::test_old_slots_put_back_open_nothing",
        "rotation/test_replaced_slots.py::test_a_replaced_slot_that_was_put_back_is_named_and_gets_nothing",
        "rotation/test_replaced_slots.py::test_with_the_list_of_before_too_a_replaced_slot_gets_nothing",
        "rotation/test_replaced_slots.py::test_an_older_vault_put_back_alone_is_refused",
        "rotation/test_replaced_slots.py::test_without_a_list_or_a_state_no_slot_opens",
        "rotation/test_rotation.py::test_a_former_key_that_is_put_back_opens_nothing",
        "rotation/test_format_upgrade.py::test_bytes_of_format_1_open_under_no_key_afterwards",
        "accounts/test_latest_key.py::test_a_browser_that_saw_a_later_key_asks_whether_a_backup_was_restored",
    ],
    "planted rows": [
        "accounts/test_sessions.py::test_a_planted_unlock_row_is_refused",
        "accounts/test_login.py::test_a_forged_slot_is_refused_after_the_right_password",
        "accounts/test_login.py::test_a_row_that_asks_for_another_cost_is_not_derived",
        "rotation/test_rotation.py::test_a_planted_public_key_is_refused_and_named",
        "leaks/test_attacks_sessions.py::test_a_row_with_the_thiefs_own_hash_signs_nobody_in",
        "leaks/test_attacks_envelopes.py::test_a_forged_late_draft_stops_nobody_from_unlocking",
    ],
    "cookie replayed after a lock": [
        "leaks/test_attacks_sessions.py::"
        "test_a_copied_cookie_opens_nothing_after_locking_unlocking_and_signing_out",
        "leaks/test_attacks_put_back.py::"
        "test_rows_that_were_changed_before_the_end_and_then_put_back_open_nothing",
        "accounts/test_revoked_sessions.py::test_a_lock_that_cannot_be_written_is_a_lock",
        "losses/test_disk.py::test_a_key_is_taken_away_although_the_disk_takes_nothing",
        "accounts/test_export_page.py::test_a_lock_breaks_it_off_and_what_came_is_no_zip",
    ],
    "swapped ciphertexts": [
        "leaks/test_attacks_envelopes.py::test_a_forged_entry_is_refused_and_hides_nothing_else",
        "leaks/test_attacks_envelopes.py::test_a_forged_reply_or_draft_is_refused_and_hides_nothing_else",
        "leaks/test_attacks_envelopes.py::test_the_fence_of_the_database_refuses_an_old_envelope_from_anybody",
        "leaks/test_attacks_sessions.py::test_somebody_elses_key_slot_opens_somebody_elses_diary_to_nobody",
    ],
    "foreign origin": [
        "leaks/test_attacks_forms.py::test_a_form_of_another_site_is_refused_even_with_the_token",
        "leaks/test_attacks_sockets.py::test_a_page_of_another_address_gets_no_socket",
    ],
    "forged host": [
        "leaks/test_attacks_forms.py::test_another_name_for_this_host_is_not_answered",
        "leaks/test_attacks_forms.py::test_what_a_proxy_would_say_is_not_believed",
    ],
    "open redirects": [
        "leaks/test_attacks_urls.py::test_no_return_address_leads_away_or_writes_a_header",
        "accounts/test_next_url.py::test_what_leads_away_or_back_to_the_door_becomes_the_first_page",
        "accounts/test_next_url.py::test_locking_remembers_only_a_page_of_ours",
    ],
    "forms without the token, on every unsafe path": [
        "leaks/test_attacks_forms.py::test_a_form_without_the_token_or_with_a_made_up_one_is_refused",
        "leaks/test_attacks_urls.py::test_no_address_is_forgotten_here",
    ],
    "links that change something": [
        "leaks/test_attacks_urls.py::test_looking_changes_nothing",
        "leaks/test_attacks_urls.py::test_methods_that_no_page_uses_change_nothing",
    ],
    "session fixation": [
        "leaks/test_attacks_sessions.py::test_a_planted_cookie_does_not_become_the_victims",
        "leaks/test_attacks_sessions.py::test_registering_over_a_planted_cookie_gives_a_new_one",
        "accounts/test_login.py::test_signing_in_changes_the_csrf_secret",
    ],
    "telling names by the time or the words of an answer": [
        "leaks/test_attacks_guessing.py::test_a_name_that_nobody_has_is_answered_like_one_that_somebody_has",
        "leaks/test_attacks_guessing.py::test_a_name_that_nobody_has_costs_the_same_work",
        "accounts/test_login.py::test_unknown_names_and_wrong_passwords_get_the_same_words_and_the_same_work",
    ],
    "guessing, and keeping others out by it": [
        "leaks/test_attacks_guessing.py::test_many_wrong_tries_are_made_to_wait_without_any_work",
        "leaks/test_attacks_guessing.py::test_nobody_can_keep_the_owner_out_by_failing_in_their_name",
        "ops/test_sign_in_flood.py::test_two_hundred_wrong_sign_ins_keep_nobody_waiting",
    ],
    "somebody else's things": [
        "leaks/test_attacks_urls.py::test_what_is_somebody_elses_is_like_what_is_not_there",
        "leaks/test_attacks_urls.py::test_a_page_of_the_owner_writes_nothing_into_the_diary_of_a_housemate",
        "leaks/test_url_table.py::test_each_role_gets_its_answer",
        "leaks/test_url_table.py::test_what_is_not_yours_is_like_what_is_not_there",
        "leaks/test_url_table.py::test_the_time_of_not_yours_is_that_of_not_there",
        "leaks/test_url_table.py::test_an_id_in_a_form_is_not_more_than_one_in_a_url",
        "accounts/test_admin.py::test_the_pages_show_no_bytes_of_a_key_or_cookie",
    ],
    "markup in what people write": [
        "leaks/test_attacks_markup.py::test_markup_is_text_on_every_page",
        "leaks/test_attacks_forms.py::test_what_people_write_runs_nothing",
        "leaks/test_attacks_forms.py::test_every_page_tells_the_browser_what_it_may_not_do",
    ],
    "words in the log": [
        "leaks/test_attacks_log.py::test_no_word_of_a_path_is_logged",
        "leaks/test_attacks_log.py::test_no_word_of_a_header_is_logged",
        "accounts/test_redacted_logging.py::test_an_error_that_nobody_waited_for_shows_its_type_only",
    ],
    "rows in other shapes, and costs": [
        "leaks/test_attacks_rows.py::test_no_shape_of_a_column_is_an_error",
        "leaks/test_attacks_rows.py::test_a_salt_of_another_shape_is_said_in_a_sentence",
        "accounts/test_login.py::test_a_row_cannot_ask_for_more_than_the_ceiling",
    ],
    "another file under the name of a package": [
        "test_packages.py::test_a_wheel_that_could_be_installed_needs_a_committed_hash",
        "test_packages.py::test_a_command_refuses_a_tampered_package_before_it_imports_one",
        "test_packages.py::test_both_files_pin_the_same_versions_of_the_same_packages",
    ],
    "reading the memory of the server": [
        "ops/test_process_memory.py::test_the_memory_of_the_server_is_closed_to_other_programs_of_its_user",
    ],
    "words on the disk": [
        "leaks/test_markers.py::test_nothing_of_it_is_on_the_machine",
        "leaks/test_markers.py::test_after_locking_and_signing_out_it_is_still_nowhere",
        "browser/test_leaks_profile.py::"
        "test_nothing_of_a_day_of_writing_is_in_the_profile_of_a_browser_that_was_closed",
    ],
}


@cache
def list_test_names(name: str) -> frozenset[str]:
    tree = ast.parse((TESTS / name).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, functions))


@pytest.mark.parametrize("attack", DAY)
def test_every_attack_has_its_tests(attack: str) -> None:
    for named in DAY[attack]:
        name, _, test = named.partition("::")

        assert test in list_test_names(name), f"{named} is not there any more"
