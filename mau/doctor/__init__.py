"""Whether everything around the tree is as it should be: clock, disk, network, keys (spec/backup.md D1-D4).

Nothing here asks anybody outside of this machine.

finding      what is wrong, why it matters, what to do
clock        this machine's time beside the times of files and signatures
permissions  whose files these are, and who else can read or write them
disk         room, and what kind of file system it is
network      whether friends could reach us, and where they were reached
keys         one's own key and those of others: expired, revoked, not confirmed
system       libraries, limits, the service
examining    all of it
"""
