import { ERRORS } from '../../shared/errors.js';
import { anyObject, integer, object, ref, text, type Schema } from './schema-parts.js';

const SERVER = text("Name of the MCP server; `app` for the application's own tools.");

/** What `GET /v1/tools` answers. */
export const TOOL_SCHEMAS: Readonly<Record<string, Schema>> = {
  Tool: object(
    {
      server: SERVER,
      tool: text('Its name, unique within its server.'),
      title: text('For people.'),
      description: text('As its server says.'),
      inputSchema: anyObject('JSON Schema of the arguments.'),
      outputSchema: anyObject('JSON Schema of the structured result.'),
      effect: {
        type: 'string',
        enum: ['read', 'idempotent', 'once'],
        description: 'What becomes of a call that the end of the server has interrupted: `once` → you are asked.',
      },
      needsApproval: { type: 'boolean', description: 'You are asked before each call.' },
      destructive: { type: 'boolean', description: 'It may delete or overwrite.' },
      openWorld: { type: 'boolean', description: 'It deals with the world outside.' },
      timeoutMs: integer('The time limit of one call.'),
    },
    ['title', 'outputSchema', 'timeoutMs'],
  ),
  ToolList: object({
    items: { type: 'array', items: ref('Tool') },
    heldBack: {
      type: 'array',
      description: 'Tools that are there and can not be called.',
      items: object({
        server: SERVER,
        tool: text(),
        code: { type: 'string', enum: ['mcp_tool_changed', 'invalid_tool'] },
        reason: text('What is wrong, for people.'),
      }),
    },
    unreachable: {
      type: 'array',
      description: 'Servers whose tools are not known now.',
      items: object(
        {
          server: SERVER,
          code: { type: 'string', enum: Object.keys(ERRORS) },
          message: text(),
          retryAfterMs: integer('When it makes sense to try again.'),
        },
        ['retryAfterMs'],
      ),
    },
  }),
};
