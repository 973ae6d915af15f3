"""A post for other programs: armored, as a mail, as Markdown, as a page (spec/exports.md)."""
