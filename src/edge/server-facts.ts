import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  name: string;
  version: string;
};

/** What this server is; nothing about what is on it. */
export const SERVER_FACTS = {
  name: manifest.name,
  version: manifest.version,
  node: process.versions.node,
} as const;
