"""The agent: a process that keeps accounts open for a while, so that no command asks (spec/agent.md).

place     where its socket is, and that nobody else can be there; knows nothing but paths
memory    pages that are neither swapped nor dumped, where the keys lie
talk      what goes over the socket
process   the agent itself: ``python -m mau.agent``; loads nothing of OpenPGP
client    asking it, starting it
"""
