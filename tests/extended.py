"""Selection of the tests that only `.ci/run` runs, so that the default run takes at most six minutes.

The default run has one test of most kinds: the main features in a browser, one start and one end of a server,
and some of many URLs, columns and texts that are tested alike. All others have the marker `extended`, and so
have tests that kill servers, fill disks, wait for slow clients, update the households of earlier commits or
search a whole machine for words. Tests that take minutes have the marker `slow`, and are run by hand.

Of a test with many cases that need a database or a process, the default run has `MOST` cases, evenly spread.
The marker `every_case` says that each case of a test checks something else. Cases that need neither take no
time, and all are run. If each case starts a process, the extended run has `MOST_PROCESSES` more, and the slow
run all.
"""

from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Beginnings of test names.
EXTENDED = (
    "tests/accounts/test_access_tokens.py::test_failures_of_an_address",
    "tests/accounts/test_export_page.py::test_a_browser_that_goes_away",
    "tests/accounts/test_export_page.py::test_a_second_download",
    "tests/accounts/test_export_served.py",
    "tests/accounts/test_invitations.py::test_guesses_are_counted",
    "tests/accounts/test_passwords.py::test_zxcvbn_is_not_loaded",
    "tests/accounts/test_throttle.py::test_fifty_at_once",
    "tests/api/test_chat_served.py::test_a_killed_server",
    "tests/api/test_chat_served.py::test_a_lock_ends",
    "tests/api/test_chat_served.py::test_who_hangs_up",
    "tests/api/test_export.py::test_a_lock_ends_the_export",
    "tests/api/test_export.py::test_nobody_gets_the_end",
    "tests/browser/test_accessibility.py",
    "tests/browser/test_announcements.py",
    "tests/browser/test_ask.py::test_without_script",
    "tests/browser/test_back_button.py",
    "tests/browser/test_browser_storage.py::test_no_field_for_words",
    "tests/browser/test_check_ins.py",
    "tests/browser/test_conflicts.py",
    "tests/browser/test_day_accessibility.py",
    "tests/browser/test_day_edit_drafts.py::test_a_change_whose_entry",
    "tests/browser/test_day_edit_drafts.py::test_an_edit_keeps",
    "tests/browser/test_day_edit_drafts.py::test_closing_keeps",
    "tests/browser/test_day_edit_drafts.py::test_leaving_the_page",
    "tests/browser/test_day_edit_drafts.py::test_what_was_deleted",
    "tests/browser/test_day_losses.py",
    "tests/browser/test_disk.py",
    "tests/browser/test_drafts.py::test_a_draft_that_was_emptied",
    "tests/browser/test_drafts.py::test_a_page_that_was_hidden",
    "tests/browser/test_drafts.py::test_an_entry_that_was_kept",
    "tests/browser/test_drafts.py::test_leaving_the_page_at_once",
    "tests/browser/test_drafts.py::test_leaving_while",
    "tests/browser/test_drafts.py::test_what_was_changed_further_up",
    "tests/browser/test_drafts.py::test_who_never_pauses",
    "tests/browser/test_facts.py::test_after_a_reply",
    "tests/browser/test_facts.py::test_an_entry_without",
    "tests/browser/test_facts.py::test_without_script",
    "tests/browser/test_facts.py::test_words_are_found",
    "tests/browser/test_first_visit.py::test_right_groups",
    "tests/browser/test_first_visit.py::test_the_walk",
    "tests/browser/test_first_visit.py::test_what_is_wrong",
    "tests/browser/test_inbox.py",
    "tests/browser/test_keyboard.py::test_asking_stopping",
    "tests/browser/test_keyboard.py::test_keeping_leaves",
    "tests/browser/test_keyboard.py::test_leaving_an_edit",
    "tests/browser/test_keyboard.py::test_the_focus_stays",
    "tests/browser/test_leaks_profile.py",
    "tests/browser/test_llamacpp.py",
    "tests/browser/test_locking.py::test_a_lock_in_another_tab",
    "tests/browser/test_locking.py::test_locking_with_words",
    "tests/browser/test_look_backs.py",
    "tests/browser/test_midnight.py",
    "tests/browser/test_model_away.py",
    "tests/browser/test_network.py",
    "tests/browser/test_notes.py::test_a_persona",
    "tests/browser/test_notes.py::test_what_is_typed_in",
    "tests/browser/test_openings.py::test_an_entry_is_answered",
    "tests/browser/test_openings.py::test_an_opening_is_dismissed",
    "tests/browser/test_people_pages.py",
    "tests/browser/test_preferences.py",
    "tests/browser/test_remote_hosts.py",
    "tests/browser/test_replies.py::test_a_failure_is_a_sentence",
    "tests/browser/test_replies.py::test_a_lost_socket",
    "tests/browser/test_replies.py::test_a_reply_that_broke_off",
    "tests/browser/test_replies.py::test_a_screen_reader",
    "tests/browser/test_replies.py::test_stop_keeps",
    "tests/browser/test_replies.py::test_the_page",
    "tests/browser/test_rotation.py",
    "tests/browser/test_search.py::test_a_lock_in_another_tab",
    "tests/browser/test_search.py::test_folded_hits",
    "tests/browser/test_search.py::test_on_a_phone",
    "tests/browser/test_trace_pages.py",
    "tests/browser/test_traces_on_entries.py",
    "tests/browser/test_two_people.py",
    "tests/browser/test_typed_sentences.py",
    "tests/browser/test_unchecked_drafts.py",
    "tests/browser/test_without_script.py::test_a_text",
    "tests/browser/test_without_script.py::test_one_is_answered",
    "tests/browser/test_without_script.py::test_one_locks",
    "tests/browser/test_without_script.py::test_one_registers",
    "tests/browser/test_writing.py::test_a_fault_of_the_server",
    "tests/browser/test_writing.py::test_a_text_that_is_too_long",
    "tests/browser/test_writing.py::test_an_answer_that_never_arrives",
    "tests/browser/test_writing.py::test_every_kind_of_text",
    "tests/browser/test_writing.py::test_markdown_is_shown",
    "tests/browser/test_writing.py::test_nothing_but_white_space",
    "tests/browser/test_writing.py::test_pressing_keep_twice",
    "tests/browser/test_writing.py::test_what_is_typed_while",
    "tests/client/test_commands.py::test_a_config_is_made_without",
    "tests/client/test_commands.py::test_a_config_with",
    "tests/client/test_commands.py::test_a_failed_question",
    "tests/client/test_commands.py::test_a_file_that_is_no",
    "tests/client/test_commands.py::test_a_forked_command",
    "tests/client/test_commands.py::test_a_full_disk",
    "tests/client/test_commands.py::test_a_text_that_arrived",
    "tests/client/test_commands.py::test_a_token_comes_from_a_descriptor",
    "tests/client/test_commands.py::test_a_token_that_is_revoked",
    "tests/client/test_commands.py::test_an_answer_that_begins",
    "tests/client/test_commands.py::test_an_editor_is_not",
    "tests/client/test_commands.py::test_an_editor_that",
    "tests/client/test_commands.py::test_any_name_of_a_file",
    "tests/client/test_commands.py::test_ask_as_json",
    "tests/client/test_commands.py::test_exit_codes",
    "tests/client/test_commands.py::test_facts",
    "tests/client/test_commands.py::test_headings",
    "tests/client/test_commands.py::test_search_says",
    "tests/client/test_commands.py::test_search_waits",
    "tests/client/test_commands.py::test_status_as_json",
    "tests/client/test_commands.py::test_the_zip_is_the_whole",
    "tests/client/test_commands.py::test_traces",
    "tests/client/test_commands.py::test_what_is_no_token",
    "tests/client/test_commands.py::test_without_a_token",
    "tests/client/test_faults.py::test_a_named_wait",
    "tests/client/test_served.py::test_a_server_that_is_killed",
    "tests/client/test_served.py::test_a_server_that_is_slow",
    "tests/client/test_served.py::test_each_refusal",
    "tests/client/test_served.py::test_the_command_saves",
    "tests/client/test_stranger.py::test_the_other_commands",
    "tests/clock/test_served.py",
    "tests/crypto/test_derivation.py::test_many_people",
    "tests/diary/test_import_bounds.py",
    "tests/diary/test_import_command_lines.py::test_an_import_that_was_killed",
    "tests/diary/test_inbox_page.py::test_a_large_number",
    "tests/diary/test_late_drafts.py::test_two_hundred_saves",
    "tests/diary/test_rendering_bounds.py",
    "tests/diary/test_replies_failing.py::test_silence_ends",
    "tests/diary/test_replies_served.py::test_a_kill",
    "tests/fields/test_fence.py::test_the_fence_stands",
    "tests/inference/test_fairness.py::test_sixteen_people",
    "tests/inference/test_llamacpp.py::test_a_child",
    "tests/inference/test_llamacpp.py::test_an_answer_keeps",
    "tests/inference/test_llamacpp.py::test_nothing_of_a_prompt",
    "tests/inference/test_llamacpp.py::test_two_are_written",
    "tests/inference/test_llamacpp.py::test_what_others_ask",
    "tests/inference/test_model_server.py::test_a_child_that_dies",
    "tests/inference/test_provider_faults.py",
    "tests/inference/test_switching.py::test_a_file_of_full_length",
    "tests/inference/test_switching.py::test_a_file_that_is_copied",
    "tests/inference/test_switching.py::test_an_old_child",
    "tests/inference/test_switching.py::test_another_file",
    "tests/leaks/test_attacks_guessing.py::test_a_name_that_nobody_has_costs",
    "tests/leaks/test_attacks_guessing.py::test_many_wrong_tries",
    "tests/leaks/test_attacks_put_back.py::test_a_restore_that_is_killed",
    "tests/leaks/test_attacks_sessions.py::test_a_copied_data_folder",
    "tests/leaks/test_damaged_values.py::test_a_damaged_person",
    "tests/leaks/test_damaged_values.py::test_an_encrypted_text",
    "tests/leaks/test_damaged_values.py::test_an_entry_whose_deletion",
    "tests/leaks/test_faults.py",
    "tests/leaks/test_log_formats.py",
    "tests/losses/test_damaged_log.py::test_a_household_that_is_served",
    "tests/losses/test_damaged_log.py::test_no_kill_is_taken",
    "tests/losses/test_disk.py",
    "tests/losses/test_ends.py",
    "tests/losses/test_kill.py",
    "tests/losses/test_killed_household.py",
    "tests/losses/test_late_drafts.py::test_a_draft_from_a_locked_page",
    "tests/losses/test_two_processes.py",
    "tests/ops/test_backup.py::test_a_backup_in_a_storm",
    "tests/ops/test_backup.py::test_a_backup_killed_anywhere",
    "tests/ops/test_backup.py::test_the_household_is_not",
    "tests/ops/test_backup_served.py",
    "tests/ops/test_bench.py::test_finding_dates",
    "tests/ops/test_bench_programs.py::test_calls_that_fail",
    "tests/ops/test_bench_programs.py::test_what_the_api",
    "tests/ops/test_configuration.py::test_it_opens_no",
    "tests/ops/test_daemon.py::test_a_fault_at_the_start",
    "tests/ops/test_daemon.py::test_a_full_disk",
    "tests/ops/test_daemon.py::test_a_refused_start",
    "tests/ops/test_daemon.py::test_a_server_in_a_terminal",
    "tests/ops/test_daemon.py::test_after_a_crash",
    "tests/ops/test_daemon.py::test_of_two_starts",
    "tests/ops/test_daemon.py::test_whoever_stops_waiting",
    "tests/ops/test_eight_sick_households.py",
    "tests/ops/test_erasure.py::test_deleted_entries",
    "tests/ops/test_full_disk_served.py",
    "tests/ops/test_held_connections.py",
    "tests/ops/test_log_file.py::test_what_is_no_python",
    "tests/ops/test_losses.py::test_other_commands_open",
    "tests/ops/test_model_at_start.py",
    "tests/ops/test_model_command.py::test_the_server_runs",
    "tests/ops/test_proxies.py::test_guesses_are_counted",
    "tests/ops/test_reloader.py::test_a_change",
    "tests/ops/test_reloader.py::test_a_server_that_can_not_start",
    "tests/ops/test_restore.py::test_a_backup_of_an_older",
    "tests/ops/test_restore.py::test_killed_anywhere",
    "tests/ops/test_shutdown.py",
    "tests/ops/test_sick_households.py::test_a_command_whose_output",
    "tests/ops/test_static_files.py::test_what_is_collected",
    "tests/ops/test_up.py::test_a_data_folder_that_others",
    "tests/ops/test_up.py::test_a_database_of_a_newer",
    "tests/ops/test_up.py::test_a_database_that_is_none",
    "tests/ops/test_up.py::test_a_page_under_way",
    "tests/ops/test_up.py::test_a_port_in_use",
    "tests/ops/test_up.py::test_a_registration_and_a_sign_in",
    "tests/ops/test_up.py::test_a_second_signal",
    "tests/ops/test_up.py::test_a_second_start",
    "tests/ops/test_up.py::test_a_start_looks_for_no_garbage",
    "tests/ops/test_up.py::test_an_idle_server",
    "tests/ops/test_up.py::test_plain_http",
    "tests/ops/test_up.py::test_the_folder_is_free",
    "tests/ops/test_up.py::test_the_server_ends_within",
    "tests/ops/test_up.py::test_two_servers",
    "tests/rotation/test_concurrent_use.py::test_another_process",
    "tests/rotation/test_concurrent_use.py::test_its_owner_writes_and_reads",
    "tests/rotation/test_dropped_texts.py::test_a_hundred",
    "tests/rotation/test_format_upgrade.py::test_it_goes_on_after_a_death_at_some",
    "tests/rotation/test_killed.py",
    "tests/rotation/test_state_machine.py",
    "tests/rotation/test_tokens.py::test_tokens_work_after_a_death_at_many",
    "tests/rotation/test_writes_meanwhile.py",
    "tests/search/test_commands.py::test_measuring",
    "tests/search/test_questions.py",
    "tests/search/test_recall.py::test_days_of_a_real_diary",
    "tests/search/test_snapshots.py::test_nothing_lies_open",
    "tests/search/test_threads.py::test_products_of_vectors",
    "tests/search/test_vectors.py::test_search_and_its_pages",
    "tests/test_forking.py",
    "tests/test_no_skips.py::test_a_skip_is_a_skip_elsewhere",
    "tests/test_retries.py::test_retried_failures",
    "tests/test_retries.py::test_retrying_every_test",
    "tests/traces/test_corpus.py",
    "tests/upgrade/test_earlier_commits.py::test_a_household_is_updated",
    "tests/upgrade/test_earlier_commits.py::test_an_update_that_was_killed",
    "tests/upgrade/test_earlier_commits.py::test_an_update_whose_backup",
    "tests/upgrade/test_upgrade.py::test_a_backup_of_then",
    "tests/upgrade/test_upgrade.py::test_a_browser_that_was",
    "tests/upgrade/test_upgrade.py::test_a_new_household",
    "tests/upgrade/test_upgrade.py::test_a_recovery_code_of_then",
    "tests/upgrade/test_upgrade.py::test_a_rotation_that",
    "tests/upgrade/test_upgrade.py::test_an_export_of_then",
    "tests/upgrade/test_upgrade.py::test_an_invitation_that_was_open",
    "tests/upgrade/test_upgrade.py::test_the_backup_opens",
    "tests/upgrade/test_upgrade.py::test_verify_and_doctor",
    "tests/upgrade/test_upgrade.py::test_what_was_deleted_edited",
    "tests/upgrade/test_upgrade.py::test_who_was_switched_off",
)
# Files that the default run leaves out: the extended run has as many of their cases as both runs would have.
EXTENDED_FILES = (
    "tests/leaks/test_damaged_values.py",
    "tests/leaks/test_markers.py",
    "tests/search/test_planted_notes.py",
    "tests/upgrade/test_upgrade.py",
)
# The cases of a test in the default run, where each takes its time.
MOST = 2
# The further cases in the extended run of a test whose cases start processes.
MOST_PROCESSES = 6
# Their tests start processes.
SERVED = {"browser", "client", "losses", "mcp", "ops", "rotation", "upgrade"}
# Files in which the default run has every n-th case of each test.
SAMPLED = {
    "tests/accounts/test_security_pages.py": 3,
    "tests/client/test_commands.py": 2,
    "tests/leaks/test_attacks_drafts.py": 3,
    "tests/leaks/test_attacks_envelopes.py": 3,
    "tests/leaks/test_attacks_forms.py": 4,
    "tests/leaks/test_attacks_guessing.py": 3,
    "tests/leaks/test_attacks_log.py": 3,
    "tests/leaks/test_attacks_put_back.py": 3,
    "tests/leaks/test_attacks_rows.py": 4,
    "tests/leaks/test_attacks_urls.py": 4,
    "tests/leaks/test_damaged_values.py": 6,
    "tests/leaks/test_url_table.py": 4,
    "tests/ops/test_up.py": 3,
    "tests/rotation/test_independent_reader.py": 4,
    "tests/test_patterns.py": 4,
    "tests/upgrade/test_earlier_commits.py": 3,
    "tests/upgrade/test_upgrade.py": 6,
}


def mark(items: list[pytest.Item]) -> None:
    """Add the marker to the tests that the default run leaves out."""
    cases: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        name = _get_name(item)
        if item.get_closest_marker("slow") is not None or item.get_closest_marker("extended") is not None:
            continue
        is_case = "[" in name
        if name.startswith(EXTENDED) or (name.startswith(EXTENDED_FILES) and not is_case):
            item.add_marker(pytest.mark.extended)
        elif is_case:
            cases[name.partition("[")[0]].append(item)
    for function, of_one in cases.items():
        chosen = list(range(0, len(of_one), SAMPLED.get(function.partition("::")[0], 1)))
        if takes_time(of_one[0]):
            chosen = spread(chosen, MOST)
        if function.startswith(EXTENDED_FILES):
            for number in chosen:
                of_one[number].add_marker(pytest.mark.extended)
        left_out = sorted(set(range(len(of_one))).difference(chosen))
        extended = spread(left_out, MOST_PROCESSES) if is_served(of_one[0]) else left_out
        for number in left_out:
            of_one[number].add_marker(pytest.mark.extended if number in extended else pytest.mark.slow)


def takes_time(item: pytest.Item) -> bool:
    """Return whether each case of a test takes its time, and is no kind of its own."""
    # The last is the command line of programs, each of whose commands is a process.
    fixtures = {"db", "transactional_db", "commands"}.intersection(getattr(item, "fixturenames", ()))
    needs = is_served(item) or fixtures or item.get_closest_marker("django_db") is not None
    return bool(needs) and item.get_closest_marker("every_case") is None


def is_served(item: pytest.Item) -> bool:
    """Return whether a test is in a folder whose tests start processes."""
    return _get_name(item).split("/")[1] in SERVED


def spread(numbers: list[int], most: int) -> list[int]:
    """Return at most so many of the numbers, evenly spread, the first among them."""
    count = min(len(numbers), most)
    return [numbers[place * len(numbers) // count] for place in range(count)]


def _get_name(item: pytest.Item) -> str:
    return item.nodeid if item.nodeid.startswith("tests/") else f"tests/{item.nodeid}"
