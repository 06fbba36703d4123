# CacheServer as a container image: the one executable, on a base without a shell.
#
#   docker build -t cacheserver .
#   docker run --read-only --stop-timeout 15 -v cacheserver:/data -p 127.0.0.1:9000:9000 cacheserver
#
# Both base images are arguments, so that a mirror or a digest can take their place. Any image with deno on the
# PATH builds; any with glibc and libgcc runs, such as debian:12-slim.
ARG DENO_VERSION=2.9.3
ARG BUILD_IMAGE=denoland/deno:${DENO_VERSION}
ARG RUN_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
# The empty folder that the last stage copies: nothing there could make one.
WORKDIR /data
WORKDIR /src
# The packages are a layer of their own, made anew only when one of these files changes.
COPY deno.json deno.lock ./
RUN deno install --frozen
# .dockerignore says what of it there is.
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
# The embedded profile on every address. Mount another file over it, or let CACHESERVER_CONFIG name one: serve,
# migrate, check and health all read it.
COPY configs/config.image.yaml /etc/cacheserver/config.yaml
COPY --from=build --chown=65532:65532 /data /data
ENV CACHESERVER_CONFIG=/etc/cacheserver/config.yaml
# The database file of the configuration above is relative to it.
WORKDIR /
USER 65532:65532
VOLUME /data
EXPOSE 9000 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/usr/bin/cacheserver", "health"]
ENTRYPOINT ["/usr/bin/cacheserver"]
CMD ["serve"]
