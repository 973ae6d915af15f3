"""The server: shows visitors what they may read (spec/http.yaml). Knows neither syncer nor finder.

visibility   who may read what; pure
conditions   dates, tags, conditional requests; pure
ranges       parts of a file; pure
facts        what is known of each file, in memory
people       who visitors are
library      listings and open files for a visitor
answers      problem documents, bodies
app          from request to answer
limits       token buckets: how much is too much; pure
counters     what is counted; pure
accesslog    one line for each request
guard        who asks too much; what is counted and noted
metrics      the numbers, for tools on this machine
connection   HTTP with limits
listener     sockets, handshakes, limits on connections
server       all of it for one account
"""
