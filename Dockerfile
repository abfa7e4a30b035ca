# Two stages: one installs, the other only runs.
#
#   docker build -t auricle .                                      CUDA, on a GPU host with the
#                                                                  NVIDIA container toolkit
#   docker build -t auricle --build-arg TORCH_INDEX_URL=URL .      another build of torch, such as
#                                                                  the much smaller CPU one
#   docker run -p 50051:50051 -p 8000:8000 auricle

ARG PYTHON_VERSION=3.12

FROM python:${PYTHON_VERSION}-slim-bookworm AS build
ARG TORCH_INDEX_URL=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_PYTHON=/opt/auricle/bin/python
RUN python -m venv --without-pip /opt/auricle
WORKDIR /src

# torch first: it is large and changes seldom, so that this layer is kept
COPY constraints.txt ./
RUN pip install --constraint constraints.txt \
    ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} torch torchaudio

COPY pyproject.toml README.md LICENSE ./
COPY asr asr
COPY proto proto
COPY server server
COPY client client
RUN pip install --constraint constraints.txt ".[http]"

FROM python:${PYTHON_VERSION}-slim-bookworm
RUN python -m pip uninstall --yes pip \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin auricle
COPY --from=build /opt/auricle /opt/auricle
# MALLOC_*: freed blocks are kept for the next step (docs/operations.md)
ENV PATH="/opt/auricle/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp \
    MALLOC_MMAP_THRESHOLD_=33554432 \
    MALLOC_TRIM_THRESHOLD_=1073741824 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001
EXPOSE 50051 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["auricle", "health"]
ENTRYPOINT ["auricle"]
CMD ["serve", "--host", "0.0.0.0"]
