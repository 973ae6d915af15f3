"""The wire: who is at the other end, and what is said (spec/tls.md, spec/http.yaml).

identity   from an OpenPGP primary key to a TLS certificate and back
der        the two fields of a certificate that count; pure
tls        connections on which both ends have proven who they are
paths      HTTP paths and the shape of a listing; pure
client     HTTP to one peer
"""
