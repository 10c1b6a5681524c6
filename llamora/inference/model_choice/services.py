"""Services of the page *Settings, Model* and of `manage.py model`; all errors are ChoiceRefused.

    list_files, list_servers, list_catalogue, list_unfinished    available models
    describe_selection                                           the model in use, and the reason
    choose_file, choose_server, choose_named, withdraw_choice    the household's choice
    build_config                                                 the model of a command-line option
    remove_file                                                  delete a file
    start_download, cancel_download, get_download_progress       a download in this process

They may be called from any thread except the event loop's, because they read the disk.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from llamora.inference import model_server
from llamora.inference.config import ModelConfig
from llamora.inference.messages import get_display_name
from llamora.inference.model_choice.catalogue import (
    CATALOGUE,
    CatalogueModel,
    Suitability,
    assess,
    find_catalogue_model,
)
from llamora.inference.model_choice.choice_file import ModelChoice, write_choice
from llamora.inference.model_choice.downloads import (
    PART_SUFFIX,
    DownloadProgress,
    downloads,
    parse_source,
)
from llamora.inference.model_choice.errors import ChoiceRefused, get_sentence
from llamora.inference.model_choice.machine import read_machine
from llamora.inference.model_choice.model_files import (
    ModelFile,
    list_model_files,
    list_parts,
    read_model_file,
)
from llamora.inference.model_choice.selection import CHOICE, Selection, list_candidates, select_model
from llamora.inference.model_choice.servers import FoundServer, find_servers
from llamora.llm.formats.wire_format import NAMES


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """A model file in a list, and whether it is chosen or in use."""

    file: ModelFile
    is_chosen: bool
    is_in_use: bool


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """A model of the catalogue, its suitability for this machine, and its file if that is installed."""

    model: CatalogueModel
    suitability: Suitability
    file: ModelFile | None


@dataclass(frozen=True, kw_only=True)
class UnfinishedDownload:
    """A partial file; downloading the same file again resumes it."""

    name: str
    size: int


@dataclass(frozen=True, kw_only=True)
class SelectionSummary:
    """The model in use, with the reason for its selection.

    selection   the file or server
    setting     the setting that decides, so that no model can be chosen; else ""
    sentence    the reason, as in "It is set by LLAMORA_MODEL_URL."
    problem     a sentence about an unreadable choice, or ""
    """

    selection: Selection
    setting: str
    sentence: str
    problem: str


def get_models_folder() -> Path:
    """Return the folder of the household's model files."""
    return ModelConfig.from_settings().models_folder


# --- What there is ----------------------------------------------------------------------------------------


def list_files() -> list[FileEntry]:
    """Return the model files of the household, including the chosen one if it is in another folder."""
    config = _get_config()
    selection, in_use = select_model(config), get_file_in_use()
    files = list_model_files(config.models_folder)
    if selection.file and selection.file.is_file() and selection.file not in [file.path for file in files]:
        files.append(read_model_file(selection.file))
    return [
        FileEntry(file=file, is_chosen=file.path == selection.file, is_in_use=_is_same(file.path, in_use))
        for file in files
    ]


def list_servers(*, seconds: float = 2.0) -> list[FoundServer]:
    """Return the model servers that answer within some seconds, with their models."""
    config = _get_config()
    return asyncio.run(find_servers(config, chosen=select_model(config), seconds=seconds))


def list_catalogue() -> list[CatalogueEntry]:
    """Return the listed models, with their suitability for this machine."""
    config, machine = _get_config(), read_machine()
    here = {file.path.name: file for file in list_model_files(config.models_folder) if not file.problem}
    return [
        CatalogueEntry(
            model=model,
            suitability=assess(model, machine, context=config.context, parallel=config.parallel),
            file=here.get(model.file),
        )
        for model in CATALOGUE
    ]


def list_unfinished() -> list[UnfinishedDownload]:
    """Return the partial files of interrupted downloads."""
    found = [(path, path.stat().st_size) for path in sorted(get_models_folder().glob(f"*{PART_SUFFIX}"))]
    return [UnfinishedDownload(name=path.name.removesuffix(".part"), size=size) for path, size in found]


def describe_selection() -> SelectionSummary:
    """Return which model the settings and the household's choice select, and the reason."""
    selection = select_model(_get_config())
    sentence = "Nothing is chosen, so Llamora uses the first model that it finds."
    if selection.setting:
        sentence = f"It is set by {selection.setting}."
    elif selection.decided_by:
        sentence = "It was chosen in this household."
    problem = get_sentence(selection.problem) if selection.problem else ""
    return SelectionSummary(
        selection=selection, setting=selection.setting, sentence=sentence, problem=problem
    )


def get_file_in_use() -> Path | None:
    """Return the model file in use by this process, or else the one that `manage.py up` would use."""
    if (running := model_server.get_file_in_use()) is not None:
        return running
    config = _get_config()
    selection = select_model(config)
    if config.off:
        return None
    if selection.file or selection.url or model_server.get_status().is_ready:
        return selection.file
    return next((file.path for file in list_candidates(config, selection)), None)


# --- Choosing ---------------------------------------------------------------------------------------------


def choose_file(name: str) -> ModelFile:
    """Choose a file by its name in the folder `models` (with or without .gguf), or by its absolute path."""
    config = _get_config()
    _check_nothing_is_set(select_model(config))
    file = _find_file(name, config.models_folder)
    if file.problem:
        raise ChoiceRefused(file.problem, reason=file.reason)
    is_inside = file.path.parent == config.models_folder
    _save_choice(ModelChoice(file=file.path.name if is_inside else str(file.path)))
    return file


def choose_server(url: str, model: str = "", wire_format: str = "") -> None:
    """Choose a model server, and one of its models by name; without a name, the first of its models is used.

    If LLAMORA_MODEL_URL is set, only a model of that server can be chosen.
    """
    config = _get_config()
    if not (url == config.url and not config.name):
        _check_nothing_is_set(select_model(config))
    _check_address(url, allow_remote=config.allow_remote)
    if not model.isprintable():
        raise ChoiceRefused("unknown_name", name="?")
    if wire_format not in ("", *NAMES):
        raise ChoiceRefused("unknown_format")
    _save_choice(ModelChoice(url=url, model=model, wire_format=wire_format))


def choose_named(name: str) -> ModelChoice:
    """Choose the model with a name, as `find_named` finds it."""
    choice = find_named(name)
    if choice.file:
        choose_file(choice.file)
    else:
        choose_server(choice.url, choice.model)
    return choice


def find_named(name: str) -> ModelChoice:
    """Find a model by its name: among model files, then in the catalogue, then on running servers.

    Raise ChoiceRefused if there is none, or if a model of the catalogue is not downloaded.
    """
    folder = get_models_folder()
    with suppress(ChoiceRefused):
        file = _find_file(name, folder)
        return ModelChoice(file=file.path.name if file.path.parent == folder else str(file.path))
    if listed := find_catalogue_model(name):
        if not (folder / listed.file).is_file():
            raise ChoiceRefused("not_downloaded", name=listed.name)
        return ModelChoice(file=listed.file)
    for server in list_servers():
        for model in (name, f"{name}:latest"):
            if model in server.models:
                return ModelChoice(url=server.url, model=model)
    raise ChoiceRefused("unknown_name", name=name)


def build_config(name: str, *, option: str) -> ModelConfig:
    """Return the settings with the named model in place of the configured one, for a command-line option."""
    choice = find_named(name)
    path = choice.get_path(get_models_folder())
    if path is not None and (problem := read_model_file(path)).problem:
        raise ChoiceRefused(problem.problem, reason=problem.reason)
    return replace(
        ModelConfig.from_settings(),
        file=str(path or ""),
        url=choice.url,
        name=choice.model,
        decided_by=option,
    )


def withdraw_choice() -> None:
    """Withdraw the choice; the first model that is found is used again."""
    _save_choice(ModelChoice())


def _save_choice(choice: ModelChoice) -> None:
    try:
        write_choice(get_models_folder(), choice)
    except OSError as error:
        raise ChoiceRefused("not_saved", reason=error.strerror or "an error of the disk") from None
    model_server.notice_change()


# --- Files ------------------------------------------------------------------------------------------------


def remove_file(name: str, *, force: bool = False) -> None:
    """Delete a model file or a partial download; a file in use only with `force`.

    If it was the household's choice, the choice is withdrawn.
    """
    folder = get_models_folder()
    if listed := find_catalogue_model(name):
        name = listed.file
    part = folder / f"{Path(name).name.removesuffix('.gguf')}{PART_SUFFIX}"
    try:
        file = _find_file(name, folder)
    except ChoiceRefused:
        if not part.is_file():
            raise
        _delete([part, part.with_name(f"{part.name}.json")])
        return
    if file.path.parent != folder:
        raise ChoiceRefused("elsewhere")
    if not force and _is_same(file.path, get_file_in_use()):
        raise ChoiceRefused("in_use")
    selection = select_model(_get_config())
    is_chosen = selection.decided_by == CHOICE and selection.file == file.path
    _delete(list_parts(file.path))
    # Or the household would wait for a file that it deleted itself, and pass over others.
    if is_chosen:
        withdraw_choice()
    model_server.notice_change()


def start_download(name: str, *, use: bool = False) -> DownloadProgress:
    """Start a download in a thread, of a listed model or of "repository/file".

    With `use` the file is also chosen after the download, unless a setting decides.
    """
    source = parse_source(name)
    folder = get_models_folder()
    if (folder / source.name).exists():
        raise ChoiceRefused("already_here", name=source.name)
    return downloads.start(
        source, hub=settings.MODEL_HUB, folder=folder, on_finish=partial(_finish_download, use=use)
    )


def cancel_download() -> None:
    """Cancel the download of this process; the partial file remains."""
    downloads.cancel()


def get_download_progress() -> DownloadProgress | None:
    """Return the state of the running or last download of this process, or None."""
    return downloads.get_progress()


def _finish_download(path: Path, *, use: bool) -> None:
    if use and not select_model(_get_config()).setting:
        choose_file(path.name)
    model_server.notice_change()


def _delete(paths: Iterable[Path]) -> None:
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise ChoiceRefused("not_deleted", reason=error.strerror or "an error of the disk") from None


# --- The rest ---------------------------------------------------------------------------------------------


def _get_config() -> ModelConfig:
    return model_server.get_config()


def _find_file(name: str, folder: Path) -> ModelFile:
    if Path(name).is_absolute():
        if not Path(name).is_file():
            raise ChoiceRefused("no_file_at", path=name)
        return read_model_file(Path(name))
    found = next((file for file in list_model_files(folder) if file.has_name(name)), None)
    if found is None:
        raise ChoiceRefused("no_such_file")
    return found


def _check_nothing_is_set(selection: Selection) -> None:
    if selection.setting:
        raise ChoiceRefused("set_elsewhere", setting=selection.setting)


def _check_address(url: str, *, allow_remote: bool) -> None:
    from llamora.llm.client import check_remote_allowed, normalize_base_url  # noqa: PLC0415 - httpx is slow
    from llamora.llm.errors import RemoteNotAllowed, WrongAddress  # noqa: PLC0415

    try:
        check_remote_allowed(normalize_base_url(url), allow_remote=allow_remote)
    except RemoteNotAllowed:
        raise ChoiceRefused("remote_not_allowed") from None
    except WrongAddress:
        raise ChoiceRefused("wrong_address") from None


def _is_same(path: Path, other: Path | None) -> bool:
    return other is not None and (path == other or path.resolve() == other.resolve())


def describe_selected(selection: Selection) -> str:
    """Return the display name of the selected model, or "" if the first one found is used."""
    if selection.file:
        return get_display_name(selection.file.name)
    host = urlsplit(selection.url).netloc
    return f"{selection.model or 'the first model'} at {host}" if host else selection.model
