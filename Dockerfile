# syntax=docker/dockerfile:1
# 联执网关 The Lianzhi gateway. Build: docker build -t lianzhi . Run: see deploy/compose.yaml.
FROM python:3.12-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN pip install uv==0.13.9
COPY pyproject.toml uv.lock README.md ./
COPY library/pyproject.toml ./library/pyproject.toml
RUN uv sync --locked --no-dev --extra otel --no-install-workspace
COPY library ./library
COPY schemas ./schemas
COPY adapters ./adapters
COPY gateway ./gateway
COPY examples ./examples
COPY docs ./docs
COPY tests/vectors/thread.json ./tests/vectors/thread.json
RUN uv sync --locked --no-dev --extra otel --no-editable

FROM python:3.12-slim-bookworm
# The Chinese fonts of the weekly report on paper.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-cjk && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /var/lib/lianzhi --create-home lianzhi
COPY --from=build /app/.venv /app/.venv
ENV PATH="/app/.venv/bin:$PATH" LIANZHI_FOLDER=/var/lib/lianzhi PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/lianzhi
VOLUME /var/lib/lianzhi
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["lianzhi"]
CMD ["serve"]
