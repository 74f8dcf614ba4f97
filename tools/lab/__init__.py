"""The lab: real programs talk to each other in network namespaces, and what they did is the label.

`python -m tools.lab run --out DIR` makes captures and labels; docs/lab.md describes it.
"""
