import type { UsableTool } from '../../src/agents/tools/tool-definition.js';
import { loadConfig } from '../../src/config/load-config.js';
import { RequestAnalyser } from '../../src/execution/mcp/analysis/request-analyser.service.js';
import type { ToolRequest } from '../../src/execution/mcp/analysis/request-decision.js';
import { ToolIndexes } from '../../src/execution/mcp/analysis/tool-indexes.service.js';
import { ToolSchemas } from '../../src/execution/tools/tool-schemas.service.js';
import { contextOf } from '../agents/recording-run.js';
import { HeldClock } from '../contracts/storage-world.js';

const analyser = new RequestAnalyser(new ToolIndexes(), new ToolSchemas(), loadConfig({}), new HeldClock());
const text = { type: 'string' };

function tool(name: string, description: string): UsableTool {
  return {
    server: 'office',
    tool: name,
    description,
    inputSchema: { type: 'object', properties: { path: text }, required: ['path'] },
    effect: 'read',
    destructive: false,
    openWorld: false,
    needsApproval: false,
  };
}

describe('two tools that fit equally well', () => {
  it('are both left alone, until the request says which server is meant', async () => {
    const one = tool('read_file', 'Reads a file');
    const tools = [one, { ...one, server: 'archive' }];
    const analyse = (request: ToolRequest) => analyser.analyse(contextOf('alice'), tools, request);
    expect(await analyse({ text: 'Read the file a.txt' })).toMatchObject({
      requiresMcp: false,
      reason:
        '"read_file" of "office" and "read_file" of "archive" fit equally well: say which server or tool is meant',
    });
    expect(await analyse({ text: 'Read the file a.txt', server: 'archive' })).toMatchObject({
      requiresMcp: true,
      candidates: [{ server: 'archive', arguments: { path: 'a.txt' } }],
    });
    const named = await analyse({ text: 'Read the file a.txt from the archive' });
    expect(named.candidates[0]).toMatchObject({
      server: 'archive',
    });
  });
});

describe('what is kept of a catalogue', () => {
  it('is kept by user, and not used for another catalogue', async () => {
    const indexes = new ToolIndexes();
    const [one, two] = [tool('echo', 'Echoes'), tool('sing', 'Sings')];
    const [alice, bob] = [contextOf('alice').userId, contextOf('bob').userId];
    const index = await indexes.of(alice, [one]);
    expect(await indexes.of(alice, [{ ...one }])).toBe(index);
    expect(await indexes.of(alice, [two])).not.toBe(index);
    expect(await indexes.of(alice, [{ ...one, description: 'Echoes more' }])).not.toBe(index);
    expect(await indexes.of(bob, [one])).not.toBe(index);
  });
});
