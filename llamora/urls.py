"""URLs of the site: those of the apps, the admin, the API, and `/healthz` for monitoring."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.utils import timezone

from accounts.admin.site import site
from accounts.losses import reports
from llamora.database import backup_files
from llamora.database.disk import DiskProbe
from llamora.database.errors import was_damage_found
from llamora.database.transactions import get_recent_refusal
from llamora.inference import model_server

# A person who was refused tries again within this time, or nobody is writing.
REFUSED_SECONDS = 60.0
# Damage stays until a backup is restored, and then the server starts anew.
DAMAGE_SECONDS = 24 * 3600.0
disk_probe = DiskProbe()


def healthz(request: HttpRequest) -> JsonResponse:
    """Return whether pages can be served and texts saved, for monitoring. The response has no diary text."""
    del request
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return JsonResponse({"status": "away", "database": "away"}, status=503)
    if was_damage_found(seconds=DAMAGE_SECONDS):
        return JsonResponse({"status": "away", "database": "damaged"}, status=503)
    backup = backup_files.get_backup_state(
        settings.BACKUP_DIR, now=timezone.now(), wanted=settings.BACKUP_DAILY
    )
    states = {
        "database": "ok",
        "model": model_server.get_status().state,
        "backup": backup,
        # Of saves; reported until an administrator has read it.
        "losses": "reported" if reports.list_open_reports() else "none",
    }
    disk = disk_probe.get_state(settings.DATA_DIR)
    if disk == "ok":
        disk = get_recent_refusal(seconds=REFUSED_SECONDS) or disk
    is_ok = disk == "ok"
    return JsonResponse(
        {"status": "ok" if is_ok else "away", "disk": disk, **states}, status=200 if is_ok else 503
    )


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("healthz/", healthz, name="healthz_with_slash"),
    # Before pages: programs call more often, and these few patterns take a page no time.
    path("", include("llamora.api.urls", namespace="api")),
    path("", include("llamora.mcp.urls", namespace="mcp")),
    # The page of a day, and a save on it, before the many pages that are opened now and then.
    path("", include("diary.urls")),
    path("admin/", site.urls),
    path("", include("accounts.urls")),
    path("", include("search.urls")),
    path("", include("traces.urls")),
]

# Django finds these by their names.
handler400 = "llamora.api.error_views.bad_request"
handler403 = "accounts.http.error_views.permission_denied"
handler404 = "accounts.http.error_views.not_found"
handler500 = "accounts.http.error_views.server_error"
