"""How the shipped models are made: data, networks, training, conversion, calibration, cards. Never part of a wheel.

Workflow (see README.md beside this file)::

    python -m models.training.detector prepare     # decode the data once, label it with YuNet
    python -m models.training.detector train       # hours on two CPU cores, minutes on a GPU; resumes
    python -m models.training.detector export      # int8 .tflite + card
    python -m models.training.embedder export      # bootstrap weights -> int8 .tflite + card
    python -m models.training.calibrate            # FMR -> threshold table, written into the embedder's card
    python -m models.training.quality              # the quality score of the gate, fitted for the embedder
"""
