# In the guest: a kernel's test camera, and one that shows what feed.py writes.
cd /host; export PYTHONPATH=/host/src PYTHONDONTWRITEBYTECODE=1
modprobe v4l2loopback video_nr=42 card_label=edge exclusive_caps=1 max_buffers=8; modprobe vivid n_devs=1; udevadm settle
timeout 2400 /opt/edge/.venv/bin/python guest_v4l2.py
