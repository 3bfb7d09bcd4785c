# syntax=docker/dockerfile:1
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
# tini is process 1: it passes SIGTERM on, and reaps what the processes of MCP servers leave behind
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/* \
  && mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# the server shows some of these, and the demo reads them
COPY --from=build /app/*.md ./
COPY --from=build /app/docs ./docs
RUN mkdir .compile-cache && chown node:node .compile-cache
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 CARREL_DATA_DIR=/data
USER node
# compiled once for this account, so that a container starts fast also where nothing can be written
RUN node -e "import('./dist/cli/compile-cache.js').then(({ keepCompiledCode }) => keepCompiledCode()).then(() => \
  Promise.all(['cli/program', 'cli/start.command', 'create-app'].map((name) => import('./dist/' + name + '.js'))))"
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--", "node", "dist/main.js"]
CMD ["start"]
