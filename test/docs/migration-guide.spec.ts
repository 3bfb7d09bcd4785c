import { readFileSync } from 'node:fs';
import { SHARED_STATE_FIELDS } from '../../src/edge/shared-state-fields.js';
import { CarrelServer, type RunJson } from '../carrel-server.js';
import { blocksOf, problemsIn } from './code-blocks.js';

const PATH = 'docs/migrating-from-shared-state.md';
const GUIDE = readFileSync(PATH, 'utf8');

describe('docs/migrating-from-shared-state.md', () => {
  it('has the table of fields as it is in the code', () => {
    const table = /<!-- fields:begin -->\s*([\s\S]*?)\s*<!-- fields:end -->/.exec(GUIDE)?.[1] ?? '';
    const rows = table.split('\n').slice(2).map(cellsOf);
    const expected = [...SHARED_STATE_FIELDS].map(([name, { to, metadataKey, about }]) => {
      const place = to === 'metadata' && metadataKey ? `\`metadata.${metadataKey}\`` : to;
      return [`\`${name}\``, place, about];
    });
    expect(rows).toEqual(expected);
  });

  it('has code that fits the public API', () => {
    const blocks = blocksOf(PATH, 'ts');
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    expect(problemsIn(blocks)).toEqual([]);
  });

  it('would be told of code that does not fit', () => {
    const [wrong] = problemsIn([
      "import { ExecutionService } from 'carrel';\nexport type A = ExecutionService['nothing'];\n",
    ]);
    expect(wrong).toMatch(/'nothing'/);
  });

  it('has requests, and a pipeline, that work', async () => {
    const requests = blocksOf(PATH, 'http').map(parseRequest);
    expect(requests).toHaveLength(2);
    await using server = await CarrelServer.start({ env: { CARREL_ACCEPT_SHARED_STATE: 'true' } });
    const alice = await server.as('alice');
    for (const { method, path, headers, body } of requests) {
      const { status, body: run } = await alice.http<RunJson>(method, path, body, headers);
      expect([path, status, run.status]).toEqual([path, 200, 'completed']);
      expect(run).toMatchObject({ agent: 'summarise', threadId: 'thread-7', metadata: { source: 'chat' } });
    }
    const [pipeline] = blocksOf(PATH, 'json');
    const { body: run } = await alice.http<RunJson>('POST', '/v1/runs', JSON.parse(pipeline!), { prefer: 'wait=20' });
    const steps = ['triage', 'data', 'reporting'].map(
      (step) => expect.objectContaining({ step, outcome: 'ok' }) as object,
    );
    expect(run).toMatchObject({ status: 'completed', result: { steps } });
  });
});

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function parseRequest(text: string) {
  const [head = '', body = ''] = text.split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = Object.fromEntries(lines.map((line) => line.split(': ') as [string, string]));
  return { method, path, headers, body: JSON.parse(body) as unknown };
}
