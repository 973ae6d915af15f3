"""A photo album: a folder of pictures becomes a post, and a post with pictures becomes a page.

    python examples/album.py publish ~/pictures/lake --to @family
    python examples/album.py page me/2026-11-20-k3v9x2qa ~/public_html/lake

Shows attachments: each picture is stored for the people of the post, rid of where and when it was taken; what
a text beside it says (``boat.txt`` for ``boat.jpg``) is there for those who do not see it. And reading them
again: the page holds what was signed, byte for byte, under names of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import sys
from pathlib import Path

import mau

PICTURES = {".jpg", ".jpeg", ".png", ".gif", ".webp"}
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
PAGE = """<!doctype html>
<meta charset="utf-8">
<title>{title}</title>
<h1>{title}</h1>
{figures}
"""
FIGURE = '<figure><img src="{file}" alt="{alt}"><figcaption>{alt}</figcaption></figure>'


async def publish(me: mau.Me, folder: Path, to: list[str]) -> str:
    """Post the pictures of a folder in the order of their names; the address of the post."""
    pictures = [mau.Attachment(path, alt=words_beside(path)) for path in pictures_in(folder)]
    document = {"@type": "Collection", "name": folder.name}
    done = await me.post(document, to=mau.PUBLIC if to == ["public"] else to, attach=pictures)
    return done.address


def pictures_in(folder: Path) -> list[Path]:
    """The pictures, in the order of their names."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not found:
        raise SystemExit(f"there are no pictures in {folder}")
    return found


def words_beside(picture: Path) -> str:
    """What the text of the same name says; the name itself when there is none."""
    beside = picture.with_suffix(".txt")
    return beside.read_text().strip() if beside.is_file() else picture.stem


async def page(me: mau.Me, ref: str, place: Path) -> int:
    """Write a page with the pictures of a post; how many there are."""
    post = await me.read(ref)
    figures = []
    for number, media in enumerate(post.media, 1):
        # Names and words are others': the file gets a name of ours, and words stand as text.
        ending = ENDINGS.get(media.encoding)
        if media.reference is None or ending is None:
            continue
        file = f"{number:03}.{ending}"
        await me.save(str(media.reference.address), place / file)
        figures.append(FIGURE.format(file=file, alt=html.escape(media.alt or media.name)))
    title = html.escape(post.title or post.author_name)
    (place / "index.html").write_text(PAGE.format(title=title, figures="\n".join(figures)))
    return len(figures)


async def run(words: argparse.Namespace) -> None:
    """One of the two."""
    async with mau.open_account(words.dir) as me:
        if words.command == "publish":
            print(await publish(me, words.folder, words.to))
        else:
            print(f"{await page(me, words.post, words.folder)} pictures", file=sys.stderr)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--dir", help="the tree, else as `mau` finds it")
    commands = options.add_subparsers(dest="command", required=True)
    one = commands.add_parser("publish", help="post the pictures of a folder")
    one.add_argument("folder", type=Path)
    one.add_argument("--to", action="append", required=True, help="a name, @group, friends, me, or public")
    two = commands.add_parser("page", help="write a post with pictures as a page")
    two.add_argument("post", help="its address, or WHO/NAME")
    two.add_argument("folder", type=Path)
    given = options.parse_args()
    if given.command == "page":
        given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(given))
