"""Công văn: the exchange of signed letters between state agencies, and the honest count of what needs paper.

Layers, inner to outer; imports only point inward (`tests/test_layers.py` keeps it):

    pure    edxml  rules            bytes and facts in, records and decisions out
    store   store                   the only SQL
    cases   broker  tracker         one use case per module
    doors   api  links  demo  cli   HTTP in and out, the command line
"""
