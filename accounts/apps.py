"""The Django app of people, their keys and their sessions."""

from django.apps import AppConfig

from llamora.inference import remote_gate


class AccountsConfig(AppConfig):
    """Configuration of the app; `ready` connects its receivers."""

    name = "accounts"
    verbose_name = "Household"

    def ready(self) -> None:
        from accounts import receivers  # noqa: PLC0415 - models must be loaded first
        from accounts.keys import key_checks  # noqa: PLC0415 - as above
        from accounts.remote_hosts import services as remote_hosts  # noqa: PLC0415 - as above
        from accounts.rotation import background  # noqa: PLC0415 - as above
        from accounts.sessions import scope  # noqa: PLC0415 - as above
        from accounts.tokens import open_keyrings, recent_checks, request_headers  # noqa: PLC0415 - as above
        from llamora.fields import key_epochs  # noqa: PLC0415 - as above

        receivers.connect()
        key_epochs.register(key_checks.find_vault_epoch)
        remote_gate.register(remote_hosts.load_host_key)
        background.connect()
        open_keyrings.connect()
        recent_checks.connect()
        if request_headers.find_sender not in scope.credential_openers:
            scope.credential_openers.append(request_headers.find_sender)
