"""What lookups are worth in networks that no machine could hold: our routing and lookup code, and no network.

world      peers, dead and hostile ones among them, as tables and function calls
walking    driving a lookup, ours and the plain one
scenarios  what is measured, and the table of it
"""
