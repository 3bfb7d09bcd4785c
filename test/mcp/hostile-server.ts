// A stdio server, written by hand, that misbehaves in one way each: as a whole (MODE) for alice alone, or in its tools for
// whoever calls them. It writes its pids, and those of what it starts, into its working folder.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

interface Message {
  id?: number;
  method?: string;
  params: {
    name: string;
    arguments: Record<string, unknown>;
    protocolVersion: string;
    _meta?: { progressToken?: number };
  };
}

const { MODE = '', USER = '' } = process.env;
const mode = USER === 'alice' ? MODE : '';
const MB = 1024 * 1024;
const empty = { type: 'object' };
const note = (pid: number | undefined) => appendFileSync('pids', `${pid}\n`);
const put = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const notify = (method: string, params: object) => put({ method, params });
const texts = (...all: string[]) => ({ content: all.map((text) => ({ type: 'text', text })) });
/** Of the user's folder, so that it is kept while processes come and go. */
const runs = existsSync('pids') ? readFileSync('pids', 'utf8').split('\n').length : 1;

note(process.pid);
if (mode === 'stubborn') process.on('SIGTERM', () => undefined);
if (mode === 'grandchildren' || mode === 'stubborn') {
  const code = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
  note(spawn(process.execPath, ['-e', code], { stdio: 'inherit' }).pid);
}

const NAMES = `
  echo hang die huge flood list-flood progress-flood garbage wrong-ids no-result canary
  ignore says-no refuse die-with-children block deep
`
  .trim()
  .split(/\s+/);

function tools(): unknown[] {
  if (mode === 'bad-schemas') {
    return [
      { name: 'echo', inputSchema: empty },
      { name: 'vast', inputSchema: { type: 'object', properties: Object.fromEntries(manyProperties()) } },
      { name: 'bomb', inputSchema: { type: 'object', properties: { text: { type: 'string', pattern: '^(a+)+$' } } } },
      { name: 'cycle', inputSchema: { type: 'object', properties: { a: { $ref: '#/properties/a' } } } },
      { name: 'tree', inputSchema: { type: 'object', properties: { next: { $ref: '#' } } } },
      { name: 'elsewhere', inputSchema: { type: 'object', $ref: 'http://127.0.0.1:9/schema.json' } },
      { name: 'text', inputSchema: 'a text' },
      { name: 'none' },
      { name: 'task', inputSchema: empty, execution: { taskSupport: 'required' } },
      { name: 'x'.repeat(100_000), inputSchema: empty },
      { nameless: true },
      null,
    ];
  }
  if (mode === 'many-tools')
    return Array.from({ length: 2_000 }, (_, i) => ({ name: `tool-${i}`, inputSchema: empty }));
  const structured = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  return [
    ...NAMES.map((name) => ({ name, inputSchema: empty, annotations: { readOnlyHint: true } })),
    { name: 'bad-output', inputSchema: empty, outputSchema: structured, annotations: { readOnlyHint: true } },
    { name: 'no-output', inputSchema: empty, outputSchema: structured, annotations: { readOnlyHint: true } },
    { name: 'pay', inputSchema: empty, annotations: { destructiveHint: false, openWorldHint: false } },
  ];
}

function manyProperties(): [string, object][] {
  return Array.from({ length: 4_000 }, (_, i) => [`property-${i}`, { type: 'string', minLength: i }]);
}

function call({ id, params }: Message): void {
  const result = (value: object) => put({ id, result: value });
  const progressToken = params._meta?.progressToken;
  switch (params.name) {
    case 'echo':
      return void result(texts(`${USER} said ${JSON.stringify(params.arguments)}`));
    case 'hang':
      return;
    case 'die':
    case 'pay':
      return process.exit(3);
    case 'die-with-children':
      note(spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).pid);
      return void setTimeout(() => process.exit(3), 50);
    case 'huge':
      return void result(texts('x'.repeat(50 * MB)));
    case 'flood':
      for (let i = 0; i < 100_000; i++) notify('notifications/message', { level: 'info', data: `line ${i}` });
      return void result(texts('flooded'));
    case 'list-flood':
      for (let i = 0; i < 1_000; i++) notify('notifications/tools/list_changed', {});
      return void result(texts('changed a lot'));
    case 'progress-flood':
      for (let i = 0; i < 1_500; i++) notify('notifications/progress', { progressToken, progress: i, total: 1_500 });
      return void result(texts('came far'));
    case 'garbage':
      process.stdout.write('Starting up...\n{"half": \n[]\n42\n{"jsonrpc":"1.0"}\n\u0000\u0001\n');
      return void result(texts('and yet it answers'));
    case 'wrong-ids':
      put({ id: 999_999, result: texts('not asked') });
      put({ id: 1_000 + Number(id), result: { content: 'no list' } });
      put({ id: -1, error: { code: -32_603, message: 'nobody' } });
      result(texts('the answer'));
      return void result(texts('the answer, again'));
    case 'no-result':
      return void result({ content: 'no list' });
    case 'deep':
      return void put({
        id,
        result: { content: [], structuredContent: JSON.parse(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`) },
      });
    case 'canary':
      return void result({ ...texts('bob', 'user:bob', 'canary-of-alice'), _meta: { userId: 'bob' } });
    case 'ignore': {
      let progress = 0;
      return void setInterval(() => notify('notifications/progress', { progressToken, progress: ++progress }), 50);
    }
    case 'block':
      notify('notifications/progress', { progressToken, progress: 1, total: 2 });
      for (;;);
    case 'bad-output':
      return void result({ content: [], structuredContent: { n: 'one' } });
    case 'no-output':
      return void result(texts('n is 1'));
    case 'says-no':
      return void result({ ...texts('the disk is full'), isError: true });
    case 'refuse':
      return void put({ id, error: { code: -32_602, message: 'no such thing' } });
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line) as Message;
  const { id, method, params } = message;
  if (mode === 'hang-connect') return;
  if (mode === 'dies-at-first' && runs === 1) return process.exit(1);
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true }, logging: {} };
    const serverInfo = { name: 'hostile', version: '1' };
    return void put({ id, result: { protocolVersion: params.protocolVersion, capabilities, serverInfo } });
  }
  if (method === 'tools/list') {
    if (mode === 'hang-list') return;
    if (mode === 'endless-list') return void put({ id, result: { tools: [], nextCursor: String(Math.random()) } });
    return void put({ id, result: { tools: tools() } });
  }
  if (method === 'tools/call') return call(message);
  if (method === 'ping') return void put({ id, result: {} });
  if (id !== undefined && method) put({ id, error: { code: -32_601, message: 'not known' } });
});
