"""Peers: other people's models, run side by side under the same rules. Their weights are never shipped.

    peer = load_peer(Path("teacher.yaml"))        # openvino, tflite or onnxruntime; YuNet alignment through OpenCV

`spec` says what a YAML file about a peer holds, `runtimes` runs its file, `peer` finds faces for it and joins them.
"""

from edge.lab.adapters.peer import Peer, YuNet, load_peer
from edge.lab.adapters.runtimes import PeerSpec, is_spec, read_spec

__all__ = ["Peer", "PeerSpec", "YuNet", "is_spec", "load_peer", "read_spec"]
