#!/bin/sh
# Generates the committed gRPC stubs from the .proto beside them; `make proto` calls this.
#
# Generated code refuses runtimes older than its generator, so the generator is pinned to the
# oldest one we support. It lives in an environment of its own because it pins protobuf, too.
# Usage: scripts/generate_stubs.sh [OUTPUT_DIR]
set -eu

generator="grpcio-tools==1.74.0" # protoc 31.1: runtimes from grpcio 1.74 and protobuf 6.31.1
cd "$(dirname "$0")/.."
output="${1:-proto}"
tools=.venv-proto
source=auricle_proto/v1/speech.proto

if ! "$tools/bin/python" -m pip freeze 2>/dev/null | grep -qx "$generator"; then
  "${PYTHON:-python3}" -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet "$generator"
fi

"$tools/bin/python" -m grpc_tools.protoc -Iproto \
  --python_out="$output" --pyi_out="$output" --grpc_python_out="$output" "$source"

# The digest lets a test notice stale stubs where the generator is not installed.
sha256sum "proto/$source" | cut -d ' ' -f 1 >"$output/auricle_proto/v1/speech.proto.sha256"
