"""What reads the tree for people: single posts, and the timeline of everybody's."""
