"""Mau for programs: an account as an async object, on the same rooms as the command line.

thread    the one thread in which the work is done that blocks
opening   from a directory and a passphrase to an open account
audience  from words to those for whom a post is
refs      from what programs have in hand to the address of a post
values    what programs get: posts, what was stored, friends, threads
desk      reading, which blocks; used in the thread
writing   and writing
news      what appears in the tree, as it appears
workers   serving, finding and fetching while a program runs
me        all of it in one place: what `mau.open_account` gives
"""
