# In the guest: libcamera's virtual camera shows the frames of ada; then the product enrols and verifies through it.
cd /host; mkdir -p /run/tour
export PYTHONPATH=/host/bridge:/host/src PYTHONDONTWRITEBYTECODE=1 LIBCAMERA_LOG_LEVELS=*:ERROR
ln -sf system /dev/dma_heap/linux,cma  # picamera2 knows two heaps by name only
mkdir -p /usr/share/libcamera/pipeline/virtual; cat > /usr/share/libcamera/pipeline/virtual/virtual.yaml <<'Y'
"Virtual0":
  supported_formats:
  - width: 640
    height: 480
    frame_rates:
    - 15
    - 30
  frames:
    path: "/host/frames/"
  location: "CameraLocationFront"
Y
P=/opt/edge/.venv/bin/python
timeout 2400 $P guest_picamera2.py
cd /run/tour
printf '%s\n' 'device: {name: vm, state_dir: state, trust_dir: trust}' 'camera: {driver: picamera2, fps: 1, timeout_s: 30}' \
  'decision: {deadline_s: 60}' 'alternative: Ring the bell.' > device.yaml
printf '%s\n' 'subject: Ada' 'text_version: tour' 'language: en' 'given: 2026-11-01' 'withdrawal: delete it' > consent.yaml
step() {
  name=$1; shift; "$@" > "/host/$name.out" 2>&1; code=$?
  printf '{"case": "%s", "code": %s, "said": %s}\n' "$name" $code "$( (grep "^FAIL" "/host/$name.out"; tail -n 3 "/host/$name.out") | $P -c 'import json, sys; print(json.dumps(sys.stdin.read()))')"
}
step keys $P -m edge keys init --development --config device.yaml
step check $P -m edge config check device.yaml
step selftest timeout 1800 $P -m edge selftest --config device.yaml
step enrol timeout 900 $P -m edge enrol --operator vm --consent consent.yaml --card ada.token --config device.yaml
step verify timeout 900 $P -m edge verify --token ada.token --config device.yaml
mv /host/frames /host/ada; mv /host/chen /host/frames # somebody else with her card
step impostor timeout 900 $P -m edge verify --token ada.token --config device.yaml
mv /host/frames /host/chen; mv /host/ada /host/frames
step run sh -c "timeout 1800 $P -m edge run --config device.yaml < ada.token"
