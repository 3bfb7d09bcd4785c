// The client that the conformance suite tests: Carrel's pool, transports, session and tool source, compiled as they are
// shipped (CARREL_DIST), with a user who answers whatever a server asks. The suite gives the server's URL as the argument.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { McpPool } from '../../src/execution/mcp/mcp-pool.service.js';
import type { McpToolSource } from '../../src/execution/mcp/mcp-tool-source.js';
import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { JsonObject } from '../../src/shared/json.js';
import type { ToolInvocation } from '../../src/execution/tools/tool-source.port.js';

const { CARREL_DIST = '', MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_CONTEXT = '{}' } = process.env;
const url = process.argv.at(-1);
const shipped = (path: string) => import(join(CARREL_DIST, path));
const { loadConfig } = await shipped('config/load-config.js');
const { McpModule } = await shipped('execution/mcp/mcp.module.js');
const { McpPool: Pool } = await shipped('execution/mcp/mcp-pool.service.js');
const { McpToolSource: Source } = await shipped('execution/mcp/mcp-tool-source.js');
const { UserExecutionContext: Context } = await shipped('context/user-execution-context.js');
const { CARREL_CONFIG } = await shipped('config/config.js');
const { CLOCK, systemClock } = await shipped('shared/clock.js');

const folder = mkdtempSync(join(tmpdir(), 'carrel-conformance-'));
const file = join(folder, 'mcp.json');
writeFileSync(file, JSON.stringify({ mcpServers: { tested: { url } } }));
const config = loadConfig({ CARREL_DATA_DIR: join(folder, 'data'), CARREL_MCP_FILE: file });

/** Calls of which the scenario says itself which they are, or one of each tool. */
const { toolCalls } = JSON.parse(MCP_CONFORMANCE_CONTEXT) as { toolCalls?: { name: string; arguments: JsonObject }[] };
const answers = scenario === 'sep-2322-client-request-state' ? { confirmed: true } : {};
const given: Readonly<Record<string, JsonObject>> = { add_numbers: { a: 5, b: 3 }, valid_tool: { region: 'us-west1' } };

async function play(pool: McpPool, source: McpToolSource, context: UserExecutionContext): Promise<void> {
  const { signal } = context;
  const { tools } = await source.list(context, 'tested', signal);
  const schemaOf = (name: string) => tools.find(({ tool }) => tool === name)?.inputSchema;
  const echoed = { schema: schemaOf('json_schema_2020_12_tool') ?? {} };
  const argumentsOf = (tool: string) => (tool === 'json_schema_echo' ? echoed : (given[tool] ?? {}));
  const calls = toolCalls ?? tools.map(({ tool }) => ({ name: tool, arguments: argumentsOf(tool) }));
  if (scenario === 'initialize' || scenario === 'json-schema-ref-no-deref') return;
  for (const call of calls) {
    const invocation = {
      context,
      callId: 'call_1',
      attempt: 1,
      idempotencyKey: 'key',
      agent: 'conformance',
      signal,
      progress: async () => undefined,
      ask: async () => ({ decision: 'answered', answer: answers }),
    } as unknown as ToolInvocation;
    await source
      .call(context, { server: 'tested', tool: call.name }, call.arguments, invocation)
      .then(({ text }) => console.log(call.name, text))
      .catch((error: Error) => console.log(call.name, error.message));
  }
  if (scenario !== 'http-standard-headers') return;
  // Carrel itself uses tools alone; what else the scenario wants to see goes over the same session
  await pool.use(context, 'tested', signal, async ({ client }) => {
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name, arguments: {} });
  });
}

class Platform {}
const providers = [
  { provide: CARREL_CONFIG, useValue: config },
  { provide: CLOCK, useValue: systemClock },
];
const exports = [CARREL_CONFIG, CLOCK];
const app = await NestFactory.createApplicationContext(
  { module: Platform, global: true, imports: [McpModule], providers, exports },
  { logger: ['error'] },
);
try {
  await play(
    app.get(Pool),
    app.get(Source),
    new Context({ userId: 'alice', requestId: 'req_1', createdAtMs: Date.now() }),
  );
} finally {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
}
