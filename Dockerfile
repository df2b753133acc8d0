# Two stages: the first exports the model with PyTorch and builds the index, the second serves without it.
# docker build -t backline . && docker run --read-only --tmpfs /tmp -v backline:/data -p 127.0.0.1:8000:8000 backline
FROM python:3.11-slim-bookworm AS build
COPY . /src
ARG EXTRAS=
RUN /src/deploy/image/build.sh /work /opt/backline $EXTRAS

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --home-dir /data --create-home backline
COPY --from=build /opt/backline /opt/backline
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["/opt/backline/venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/backline/start.sh"]
CMD ["serve", "--host", "0.0.0.0"]
