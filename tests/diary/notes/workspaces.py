"""Workspaces of other assistants as files, for tests."""

from collections.abc import Mapping
from pathlib import Path

SKILL = (
    b"---\nname: letters\ndescription: 'Answers: as a letter'\nmetadata: {\"openclaw\": {}}\n---\n\nWrite.\n"
)


def build_workspace() -> dict[str, bytes]:
    """Forty files as OpenClaw and LocalGPT have them."""
    files = {
        "SOUL.md": b"# Soul\r\n\r\nBe brief.\r\n",
        "MEMORY.md": b"\xef\xbb\xbf- likes tea\n",
        "HEARTBEAT.md": b"- [ ] look at the boiler in October\n- [x] done",
        "AGENTS.md": b"# Agents\n",
        "IDENTITY.md": b"Name: ...\n",
        "USER.md": b"",
        "TOOLS.md": "Werkzeuge: Hämmer \U0001f528\n".encode(),
        "memory/2026-11-20.md": b"A day.\n",
        "knowledge/house/boiler.md": b"---\ntitle: Boiler\n---\nBleed it.\n",
        "knowledge/mixed.txt": b"a\r\nb\nc\rd",
        "knowledge/latin-1.txt": "café".encode("latin-1"),
        "knowledge/picture.png": b"\x89PNG\r\n\x1a\n\0\0",
        "knowledge/nul.txt": b"a\0b",
        "knowledge/long.csv": b"1,2,3\n" * 40_000,
        "skills/letters/SKILL.md": SKILL,
        "skills/letters/scripts/send.sh": b"#!/bin/sh\nexit 1\n",
        "skills/letters/assets/a b (1).json": b'{"a": 1}',
        ".openclaw/state.json": b"{}",
    }
    files |= {f"knowledge/notes/{n:02}.md": f"Note {n}\n".encode() * n for n in range(40 - len(files))}
    assert len(files) == 40
    return files


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
