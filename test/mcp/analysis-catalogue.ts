import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { createRequire } from 'node:module';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ToolDefinition } from '../../src/agents/tools/tool-definition.js';
import type { JsonObject } from '../../src/shared/json.js';

const require = createRequire(import.meta.url);

/** Published servers that list their tools without a network: where they begin, from their package, and with what. */
const SERVERS = {
  everything: {
    package: require.resolve('@modelcontextprotocol/server-everything/package.json'),
    file: 'dist/index.js',
    args: () => ['stdio'],
  },
  filesystem: {
    package: require.resolve('@modelcontextprotocol/server-filesystem/package.json'),
    file: 'dist/index.js',
    args: (dir: string) => [dir],
  },
  memory: {
    package: require.resolve('@modelcontextprotocol/server-memory/package.json'),
    file: 'dist/index.js',
    args: () => [],
  },
  browser: {
    package: require.resolve('@playwright/mcp/package.json'),
    file: 'cli.js',
    args: () => ['--headless', '--isolated'],
  },
} as const;

/** What four real servers say of their tools today. */
export async function realTools(): Promise<ToolDefinition[]> {
  const dir = await mkdtemp(join(tmpdir(), 'carrel-catalogue-'));
  try {
    const lists = await Promise.all(Object.keys(SERVERS).map((name) => toolsOf(name as keyof typeof SERVERS, dir)));
    return lists.flat();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function toolsOf(server: keyof typeof SERVERS, dir: string): Promise<ToolDefinition[]> {
  const { package: name, file, args } = SERVERS[server];
  const entry = join(dirname(name), file);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [entry, ...args(dir)],
    env: { MEMORY_FILE_PATH: join(dir, 'memory.jsonl') },
    cwd: dir,
    stderr: 'ignore',
  });
  const client = new Client({ name: 'carrel-tests', version: '1.0.0' });
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    return tools.map(({ name: tool, title, description = '', inputSchema, annotations = {} }) => ({
      server,
      tool,
      title: title ?? annotations.title,
      description,
      inputSchema: inputSchema as JsonObject,
      effect: annotations.readOnlyHint ? 'read' : annotations.idempotentHint ? 'idempotent' : 'once',
      destructive: !annotations.readOnlyHint && annotations.destructiveHint !== false,
      openWorld: annotations.openWorldHint ?? !annotations.readOnlyHint,
    }));
  } finally {
    await client.close();
  }
}
