"""Layouts of one disorder sample for the fast kernels: what is packed once and shared by all of its chains."""
