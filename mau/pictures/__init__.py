"""Pictures: rid of what they say about their making, small, and drawn on terminals (spec/attachments.md)."""
