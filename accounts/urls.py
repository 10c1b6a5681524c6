"""The paths of accounts."""

from django.urls import path

from accounts.views import browsers, choices, codes, door, joining, leaving, securing

urlpatterns = [
    path("sign-in/", door.sign_in, name="sign_in"),
    path("sign-out/", door.sign_out, name="sign_out"),
    path("unlock/", door.unlock, name="unlock"),
    path("lock/", door.lock, name="lock"),
    path("register/", joining.register, name="register"),
    path("strength/", joining.meter, name="strength"),
    path("recover/", joining.recover, name="recover"),
    path("recovery-kept/", codes.recovery_kept, name="recovery_kept"),
    path("settings/", choices.settings_page, name="settings"),
    path("settings/password/", securing.change_password, name="change_password"),
    path("settings/recovery-code/", securing.new_code, name="new_code"),
    path("settings/key/", securing.key, name="key"),
    path("settings/key/progress/", securing.key_progress, name="key_progress"),
    path("settings/key/go-on/", securing.key_go_on, name="key_go_on"),
    path("settings/somebody-had-my-key/", securing.had_my_key, name="had_my_key"),
    path("settings/browsers/", browsers.browsers, name="browsers"),
    path("settings/browsers/end-others/", browsers.end_other_browsers, name="end_other_browsers"),
    path("settings/browsers/<uuid:sign_in_id>/end/", browsers.end_browser, name="end_browser"),
    path("settings/leave/", leaving.leave, name="leave"),
]
