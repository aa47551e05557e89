# The package with its example app:
#
#   docker build -t sanic . && docker run --rm -p 8000:8000 sanic
#
# For an app of your own, start FROM this image, copy the app to /srv and give its command.

FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir /wheels/*.whl \
    && useradd --system --no-create-home --uid 10001 sanic
WORKDIR /srv
COPY examples examples
# By its number, so that Kubernetes can tell that it is not root.
USER 10001
ENV HOST=0.0.0.0 PORT=8000 PYTHONUNBUFFERED=1
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "examples/hello_world.py"]
