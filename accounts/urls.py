"""URLs of accounts: sign-in, registration, recovery and settings."""

from django.urls import path

from accounts.auth.views import login, recovery, registration
from accounts.losses import views as losses_views
from accounts.model_settings import views as model_settings_views
from accounts.preferences import views as preferences_views
from accounts.remote_hosts import views as remote_hosts_views
from accounts.security import views as security_views
from accounts.sessions import views as sessions_views
from accounts.tokens import views as tokens_views

urlpatterns = [
    path("sign-in/", login.sign_in, name="sign_in"),
    path("sign-out/", login.sign_out, name="sign_out"),
    path("unlock/", login.unlock, name="unlock"),
    path("lock/", login.lock, name="lock"),
    path("register/", registration.register, name="register"),
    path("strength/", registration.show_password_strength, name="password_strength"),
    path("recover/", recovery.recover, name="recover"),
    path("recovery-kept/", recovery.confirm_recovery_code, name="confirm_recovery_code"),
    path("losses/", losses_views.losses, name="losses"),
    path("settings/", preferences_views.settings_page, name="settings"),
    path("settings/password/", security_views.change_password, name="change_password"),
    path("settings/recovery-code/", security_views.new_recovery_code, name="new_recovery_code"),
    path("settings/key/", security_views.rotate_key, name="rotate_key"),
    path("settings/key/progress/", security_views.show_rotation_progress, name="rotation_progress"),
    path("settings/key/go-on/", security_views.resume_key_rotation, name="resume_rotation"),
    path(
        "settings/somebody-had-my-key/",
        security_views.reset_after_compromise_page,
        name="reset_after_compromise",
    ),
    path("settings/model/", model_settings_views.model_settings, name="model_settings"),
    path("settings/other-machines/", remote_hosts_views.remote_hosts, name="remote_hosts"),
    path("settings/browsers/", sessions_views.browsers, name="browsers"),
    path(
        "settings/browsers/end-others/",
        sessions_views.sign_out_other_browsers,
        name="sign_out_other_browsers",
    ),
    path(
        "settings/browsers/<uuid:sign_in_id>/end/", sessions_views.sign_out_browser, name="sign_out_browser"
    ),
    path("settings/programs/", tokens_views.programs, name="programs"),
    path("settings/programs/<uuid:token_id>/revoke/", tokens_views.revoke_token, name="revoke_token"),
    path("settings/programs/<uuid:token_id>/confirm/", tokens_views.confirm_token, name="confirm_token"),
    path("settings/leave/", security_views.delete_account, name="delete_account"),
    # Preferences that had a page of their own.
    path(
        "openings/", preferences_views.redirect_to_section, {"section": "your-day"}, name="opening_settings"
    ),
    path(
        "traces/choices/",
        preferences_views.redirect_to_section,
        {"section": "your-day"},
        name="trace_preferences",
    ),
    path(
        "search/for-answers/",
        preferences_views.redirect_to_section,
        {"section": "your-day"},
        name="search_recall_preferences",
    ),
]
