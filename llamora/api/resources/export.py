"""The call that exports a whole diary."""

from typing import IO, Final

import msgspec
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts.models import AccessToken
from accounts.tokens.open_keyrings import open_keyrings
from accounts.tokens.token_uses import token_uses
from diary import days
from diary.transfer.downloads import StreamedDownload, WriteDownload
from diary.transfer.exports import ExportReport
from diary.transfer.programs.exports import write_export
from diary.transfer.programs.file_formats import ExportFormat
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.crypto import RealmKeyring, TokenKind

_TAG: Final = "Export"


class ExportQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameter: the format of an export."""

    format: ExportFormat = ExportFormat.ZIP


@endpoint(
    "GET",
    "/api/v1/export",
    scopes=("export",),
    tag=_TAG,
    media_types=("application/zip", "application/json", "text/markdown"),
)
def export_diary(call: Call, *, query: ExportQuery) -> StreamingHttpResponse:
    """Export the whole diary as a file.

    `json` contains everything and ends with `counts`; without them the file is incomplete. `markdown`
    contains the entries and replies by day, and ends with a line of counts. `zip` contains both. Texts that
    this program may not read are left out and counted. The file is not encrypted. It is not signed either,
    because a program cannot sign; so an import marks its entries as imported.
    """
    person, now = call.person, timezone.now()
    export_format, reads_others, token_id = query.format, call.terms.reads_untrusted, call.token_id

    def write(file: IO[bytes], own_keyring: RealmKeyring) -> None:
        report = ExportReport()
        try:
            write_export(
                file,
                person=person,
                keyring=own_keyring,
                export_format=export_format,
                reads_others=reads_others,
                now=now,
                report=report,
                progress=lambda _: None,
            )
        finally:
            token_uses.record(token_id, read_count=report.entries)

    return stream_file(
        call, write, name="diary", media_type=export_format.media_type, suffix=export_format.suffix
    )


def stream_file(
    call: Call, write: WriteDownload, *, name: str, media_type: str, suffix: str
) -> StreamingHttpResponse:
    """Return a response that streams a file as a thread writes it; it ends early if the token is revoked."""
    download = StreamedDownload(
        call.keyring,
        write=write,
        token_id=call.token_id,
        may_continue=lambda: _may_continue(call),
        may_send=lambda: _is_there(call),
    )
    day = days.today(call.person.time_zone, now=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{name}-{day}.{suffix}"'}
    return StreamingHttpResponse(download, content_type=media_type, headers=headers)


def _is_there(call: Call) -> bool:
    """Return whether the token still exists, and its owner, who may be deleted or disabled."""
    return AccessToken.objects.filter(id=call.token_id, owner__is_active=True).exists()


def _may_continue(call: Call) -> bool:
    """Return whether the token still works: it may be revoked, and its owner may lock their diary."""
    if call.is_revoked:
        return False
    return call.terms.kind is TokenKind.AWAY or open_keyrings.find(call.owner) is not None
