"""How posts are edited with other programs."""

from __future__ import annotations

_TEXT = """
mau edit NAME opens a post of yours in your editor: MAU_EDITOR, VISUAL, EDITOR, whichever is set first. What
is decrypted lies in memory only, and is gone afterwards. Drafts (NAME.md and NAME.json beside your posts) are
plain files for any editor.

The .pgp files themselves can be edited by whatever knows OpenPGP; the tree notices. What was there becomes a
version, and a file that is signed by you and says for whom it is travels like any post. Your key in GnuPG:

  gpg --decrypt ~/Mau/.mau/account.pgp | gpg --import

With gpg alone (the recipients are those of the post; mau recipients lists them):

  gpg -d kettle.pgp > /dev/shm/kettle
  gpg --sign --encrypt -r FPR -r FRIEND -o new.tmp /dev/shm/kettle
  mv new.tmp kettle.pgp; shred -u /dev/shm/kettle

vim with the plugin gnupg opens and saves *.pgp. It encrypts for the same people; in ~/.vimrc

  let g:GPGPreferArmor = 0
  autocmd User GnuPG let b:GPGOptions += ["sign"]

has it sign as well. Emacs does once it knows the ending; it signs nothing:

  (setq epa-file-name-regexp "\\\\.\\\\(gpg\\\\|pgp\\\\)\\\\'")
  (epa-file-name-regexp-update)

What was saved without a signature is shown to nobody, for any program could have put it there. mau status
names it, and mau sign NAME shows what changed, asks, and signs it.
"""


def text() -> str:
    """The topic."""
    return _TEXT
