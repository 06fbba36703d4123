# CacheServer as a container image: the one executable, on a base without a shell.
#
#   docker build -t cacheserver .
#   docker run --read-only --stop-timeout 15 -v cacheserver:/data -p 127.0.0.1:9000:9000 cacheserver
#
# Both base images are arguments: name a mirror or a digest in their place. The build image needs a shell and deno on
# the PATH, the run image needs glibc and libgcc, as debian:12-slim has.
ARG DENO_VERSION=2.9.3
ARG BUILD_IMAGE=denoland/deno:${DENO_VERSION}
ARG RUN_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
# An empty folder for the last stage to copy: without a shell it cannot make one.
WORKDIR /data
WORKDIR /src
# Packages have their own layer, which is made again only when one of these files changes.
COPY deno.json deno.lock ./
RUN deno install --frozen
# All that .dockerignore lets through.
COPY . .
ARG REVISION=unknown
RUN deno task compile

FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="CacheServer" \
      org.opencontainers.image.description="A three-tier cache (local memory, Redis, MySQL) behind gRPC" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/dist/cacheserver /usr/bin/cacheserver
# The embedded profile, on every address. To replace it, mount another file over it or name one in
# CACHESERVER_CONFIG. serve, migrate, check and health all read it.
COPY configs/config.image.yaml /etc/cacheserver/config.yaml
COPY --from=build --chown=65532:65532 /data /data
ENV CACHESERVER_CONFIG=/etc/cacheserver/config.yaml
# The configuration's database path is relative to this folder.
WORKDIR /
USER 65532:65532
VOLUME /data
EXPOSE 9000 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/usr/bin/cacheserver", "health"]
ENTRYPOINT ["/usr/bin/cacheserver"]
CMD ["serve"]
