"""What people without Mau may see: the owner's public posts as pages, a feed and files (spec/web.md).

escape       text that others chose, made harmless in HTML and XML; pure
post         a public post as these pages know it; pure
page         the pages; pure
feed         the Atom feed; pure
shelf        the public posts of the tree, as a stranger gets them
site         the same as static files
app          from a browser's request to its answer
certificate  a certificate for browsers
host         the listener, start and stop

It stands on the rooms of the server, which does not know it, and knows no other worker.
"""
