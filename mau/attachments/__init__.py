"""Files that belong to a post: each is an own ``.pgp`` file for the same people (spec/attachments.md).

`attach` stores them and makes the objects for ``associatedMedia``; `rewrite_for` stores them anew for another
audience. The post that refers to them is published after them.
"""

from mau.attachments.media import Part, parts_of, with_media
from mau.attachments.rewriting import rewrite_for
from mau.attachments.storing import Attachment, attach, attached, withdraw

__all__ = ["Attachment", "Part", "attach", "attached", "parts_of", "rewrite_for", "with_media", "withdraw"]
