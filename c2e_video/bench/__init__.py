"""What this machine will do: the network against its limits, a film against decoding and encoding.

Every figure is measured in one run and told as a share or a ratio of another figure of that run.
"""
