# The quorate member image. Three stages: `dependencies` compiles the native SQLite addon, `build` compiles TypeScript,
# and the last one holds only what a running member needs.
#
#   docker build -t quorate .                        (Docker with BuildKit, or: buildah bud -t quorate .)
#   docker build --secret id=npmrc,src=$HOME/.npmrc  (only where npm needs settings or a token of yours)

# Both are the current LTS of Node. The first is the base of the finished image and needs only Node; the second
# also brings Python, make and g++. Both must have the same C library, because the addon compiled in one runs in the other.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm


FROM ${BUILD_IMAGE} AS dependencies
WORKDIR /src
# Compile SQLite here, against the headers of this very Node, and download neither a prebuilt addon nor headers.
ENV npm_config_build_from_source=true npm_config_nodedir=/usr/local
# Without this header the addon aborts the process on Node 24.19 and newer; the header says why.
ENV CXXFLAGS="-include /src/scripts/native/object-wrap.h"
COPY scripts/native scripts/native
COPY package.json package-lock.json ./
# The C sources and object files are of no use once the addon is linked (17 MB).
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --no-audit --no-fund \
    && cd node_modules/better-sqlite3 && rm -rf deps src && find build -type f ! -name better_sqlite3.node -delete


FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# No install scripts: compiling TypeScript needs no native addon.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The simulator is a development tool; `data` becomes the empty, writable data directory.
RUN npm run build && rm -rf dist/sim dist/.tsbuildinfo dist/.built-from && mkdir data


FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="quorate" \
      org.opencontainers.image.description="A replicated key-value service over gRPC: Raft consensus, SQLite storage." \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /opt/quorate
COPY --from=dependencies /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY package.json LICENSE ./
# A named volume takes over the owner of this directory. Nothing else is ever written: run with a read-only root.
COPY --from=build --chown=65532:65532 /src/data /var/lib/quorate
VOLUME /var/lib/quorate
# A container is reached from outside, so it listens everywhere. As variables these give way to flags, not to a
# configuration file (flags > variables > file > defaults). SQLite's rare temporary files go where writing is possible.
ENV NODE_ENV=production \
    SQLITE_TMPDIR=/var/lib/quorate \
    QUORATE_DATA_DIR=/var/lib/quorate \
    QUORATE_CLIENT_LISTEN=0.0.0.0:2379 \
    QUORATE_PEER_LISTEN=0.0.0.0:2380
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 2379 2380
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/quorate/dist/main.js"]
CMD ["serve"]
