"""Measurements, each a command: `python -m tests.benchmarks.NAME --help`. Results as JSON in ``results/``.

lfw      accuracy of the chain on LFW, beside the weights it was made from and the teacher
speed    one decision in milliseconds, beside YuNet in OpenCV and the teacher in OpenVINO

Every result names the digests of the models it was measured on; figures reach a model card from such a file only.
"""
