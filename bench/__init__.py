"""Benchmarks: ratios against baselines of the same run, never absolute promises, never tests."""
