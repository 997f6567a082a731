"""What drives our Windows programs from Python: the end-to-end tests, the demo and the benchmarks share it.

host     runs Windows programs, under Wine in a prefix of its own, or directly on Windows
service  the service: installed, or in console mode
bridge   a connection to its pipe, through `jobpool rpc --stdio`
"""
