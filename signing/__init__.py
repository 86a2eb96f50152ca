"""Digital signatures (chữ ký số) of organisations and individuals: bytes, trust and a moment in; frozen records out.

Pure and synchronous: no network, no database, no clock. Callers import the modules and say
`xmldsig.verify(...)`, `pdf.verify(...)`, `trust.load(...)`, `seal.sign(...)`.
A bad signature is a returned verdict, never an exception.
"""
