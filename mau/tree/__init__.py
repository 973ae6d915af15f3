"""The tree: files and directories, their names, and writing them without loss (spec/tree.md).

layout     where everything lies
names      what a file may be called; pure
safe       the ways to touch a disk
posts      a directory of posts: what the other rooms use
staging    a file on its way into the tree
commit     putting it in its place
versions   older contents
shadow     a second copy of own small posts
merge      following and unfollowing
recovery   finishing what was cut off
scratch    a place for content that is too large for memory
lock       one writer at a time
rename     renames that the standard library lacks
"""
