# One image for every program of Spillway: `scheduler`, `nanny <scheduler>` or any other command of `spillway`.
# docs/containers.md says how to build it, and how to do so from programs built on the host.

# What the programs run in; first, so that it can be built without the rest (`--target runtime`).
FROM node:20-bookworm-slim AS runtime
# Modules that tasks bring, and spilled data, go to /var/lib/spillway: a volume, never a tmpfs, which is memory.
RUN mkdir -p /var/lib/spillway && chown node:node /var/lib/spillway
ENV NODE_ENV=production SPILLWAY_WORKER__LOCAL_DIRECTORY=/var/lib/spillway
USER node
WORKDIR /var/lib/spillway
ENTRYPOINT ["node", "/opt/spillway/bundle/spillway.mjs"]

FROM node:20-bookworm-slim AS build
WORKDIR /src
ENV CI=true NX_DAEMON=false NX_ISOLATE_PLUGINS=false
COPY package.json package-lock.json ./
COPY apps/cli/package.json apps/cli/
COPY apps/e2e/package.json apps/e2e/
COPY apps/nanny/package.json apps/nanny/
COPY apps/scheduler/package.json apps/scheduler/
COPY apps/worker/package.json apps/worker/
COPY examples/flights/package.json examples/flights/
COPY examples/lmdb-container/package.json examples/lmdb-container/
COPY libs libs
COPY proto proto
RUN npm ci
COPY . .
RUN npx nx run cli:bundle && node tools/image.mjs /image

FROM runtime
COPY --from=build /image /opt/spillway
