"""Writing with one's own editor: texts that are decrypted in memory only, drafts, and what publishes them
(spec/writing.md)."""
