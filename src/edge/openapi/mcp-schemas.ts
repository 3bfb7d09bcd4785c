import { ERRORS } from '../../shared/errors.js';
import { anyObject, dateTime, integer, listOf, object, ref, text, type Schema } from './schema-parts.js';

const McpServer = object(
  {
    name: text('As in `mcp.json`.'),
    transport: {
      type: 'string',
      enum: ['stdio', 'http'],
      description: 'A process of yours alone, or Streamable HTTP.',
    },
    state: {
      type: 'string',
      enum: ['idle', 'connecting', 'ready', 'backing_off', 'failed'],
      description:
        '`idle`: it is connected to when it is needed. `backing_off`: it has failed, and is left alone until `retryAt`. `failed`: it has failed too often in a row, or can not be used until something is changed.',
    },
    since: dateTime('Since when; missing for one that you have not used.'),
    protocolVersion: text('The version of MCP that is spoken with it.'),
    serverInfo: object({ name: text(), version: text() }, [], 'What it says that it is.'),
    error: object(
      {
        code: { type: 'string', enum: Object.keys(ERRORS) },
        message: text('Why, as the end of a sentence about the server.'),
        retryAfterMs: integer(),
        server: text(),
      },
      ['retryAfterMs', 'server'],
      'Why it could not be used the last time; missing once it could.',
    ),
    retryAt: dateTime('It is not tried again before.'),
  },
  ['since', 'protocolVersion', 'serverInfo', 'error', 'retryAt'],
);

const McpTool = object(
  {
    tool: text(),
    title: text(),
    description: text(),
    inputSchema: anyObject('JSON Schema of the arguments.'),
    outputSchema: anyObject('JSON Schema of the structured result.'),
    effect: {
      type: 'string',
      enum: ['read', 'idempotent', 'once'],
      description: 'Whether a call that the end of the server has interrupted is made again.',
    },
    destructive: { type: 'boolean', description: 'It may delete or overwrite.' },
    openWorld: { type: 'boolean', description: 'It deals with the world outside.' },
  },
  ['title', 'outputSchema'],
  'A tool as its server describes it.',
);

const heldBack: Schema = {
  type: 'array',
  description: 'Tools that can not be called.',
  items: object({
    tool: text(),
    code: { type: 'string', enum: ['mcp_tool_changed', 'invalid_tool'] },
    reason: text('What is wrong, and what to do.'),
  }),
};

export const MCP_SCHEMAS: Readonly<Record<string, Schema>> = {
  McpServer,
  McpServerList: listOf('McpServer', 'All servers.'),
  McpTool,
  McpToolList: object({ items: { type: 'array', items: ref('McpTool') }, heldBack }),
};
