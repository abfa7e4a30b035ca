#!/bin/sh
# Generates the committed gRPC stubs from the .proto beside them; `make proto` calls this.
#
# Generated code refuses runtimes older than its generator, so the generator is pinned to the
# oldest one we support. It lives in an environment of its own because it pins protobuf, too.
# Usage: scripts/generate_stubs.sh [OUTPUT_DIR]
set -eu

generator="grpcio-tools==1.74.0" # protoc 31.1: runtimes from grpcio 1.74 and protobuf 6.31.1
typer="mypy-protobuf==5.1.0"     # types for the services; the messages' come with protoc

cd "$(dirname "$0")/.."
output="${1:-proto}"
bin=.venv-proto/bin
source=auricle_proto/v1/speech.proto

installed="$("$bin/python" -m pip freeze 2>/dev/null || true)"
case "$installed" in
  *"$generator"*"$typer"*) ;;
  *)
    "${PYTHON:-python3}" -m venv .venv-proto
    "$bin/python" -m pip install --quiet "$generator" "$typer"
    ;;
esac

"$bin/python" -m grpc_tools.protoc -Iproto \
  --plugin="protoc-gen-mypy_grpc=$bin/protoc-gen-mypy_grpc" \
  --python_out="$output" --pyi_out="$output" \
  --grpc_python_out="$output" --mypy_grpc_out=quiet:"$output" \
  "$source"

# The digest lets a test notice stale stubs where the generator is not installed.
sha256sum "proto/$source" | cut -d ' ' -f 1 >"$output/auricle_proto/v1/speech.proto.sha256"
