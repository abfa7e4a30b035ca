"""Auricle beside its peers: speeds as ratios that are taken in one run, one command each."""

from auricle.threads import wait_passively

wait_passively()  # before a benchmark imports torch, and in the processes of all contestants
