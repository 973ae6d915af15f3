"""What comes from elsewhere: pages and feeds of the web, archives of other networks (spec/imports.md)."""
