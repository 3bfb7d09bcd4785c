import { listedTool } from '../../src/execution/mcp/session/listed-tool.js';

describe('what a server says of a tool', () => {
  it.each([
    ['nothing', {}, { effect: 'once', destructive: true, openWorld: true }],
    ['that it only reads', { readOnlyHint: true }, { effect: 'read', destructive: false, openWorld: false }],
    [
      'that it only reads, from the world outside',
      { readOnlyHint: true, openWorldHint: true },
      { effect: 'read', destructive: false, openWorld: true },
    ],
    [
      'that it destroys nothing, and nothing of the world outside',
      { destructiveHint: false },
      { effect: 'once', destructive: false, openWorld: true },
    ],
    [
      'that it destroys nothing and keeps to itself',
      { destructiveHint: false, openWorldHint: false },
      { effect: 'once', destructive: false, openWorld: false },
    ],
    [
      'that it may be called again',
      { idempotentHint: true, destructiveHint: false, openWorldHint: false },
      { effect: 'idempotent', destructive: false, openWorld: false },
    ],
  ])('%s', (_, annotations, meant) => {
    const listed = listedTool('files', { name: 'look', inputSchema: { type: 'object' }, annotations });
    expect(listed).toMatchObject({ definition: meant });
  });
});
