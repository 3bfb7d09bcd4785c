import { performance } from 'node:perf_hooks';
import type { UsableTool } from '../../src/agents/tools/tool-definition.js';
import { loadConfig } from '../../src/config/load-config.js';
import { RequestAnalyser } from '../../src/execution/mcp/analysis/request-analyser.service.js';
import type { ToolCandidate, ToolRequest } from '../../src/execution/mcp/analysis/request-decision.js';
import { ToolIndexes } from '../../src/execution/mcp/analysis/tool-indexes.service.js';
import { ToolSchemas } from '../../src/execution/tools/tool-schemas.service.js';
import type { JsonObject } from '../../src/shared/json.js';
import { contextOf } from '../agents/recording-run.js';
import { HeldClock } from '../contracts/storage-world.js';

const analyser = new RequestAnalyser(
  new ToolIndexes(),
  new ToolSchemas(),
  loadConfig({}),
  new HeldClock(Date.UTC(2026, 2, 4, 12)),
);

function tool(
  name: string,
  description: string,
  properties: Record<string, JsonObject>,
  required = Object.keys(properties),
): UsableTool {
  return {
    server: 'office',
    tool: name,
    description,
    inputSchema: { type: 'object', properties, required },
    effect: 'read',
    destructive: false,
    openWorld: false,
    needsApproval: false,
  };
}

/** What is found for this one tool. */
async function find(one: UsableTool, request: string | ToolRequest, user = 'alice'): Promise<ToolCandidate> {
  const asked = typeof request === 'string' ? { text: request } : request;
  const { candidates } = await analyser.analyse(contextOf(user), [one], { ...asked, tool: one.tool });
  return candidates[0]!;
}

const text = { type: 'string' };

describe('arguments in a text', () => {
  const read = tool('read_file', 'Reads a file', { path: text });

  it.each([
    ['Read /var/log/syslog.', '/var/log/syslog'],
    ['Read ~/notes/a.md, please', '~/notes/a.md'],
    ['Read ./a and tell me', './a'],
    ['Read ../up/one.txt!', '../up/one.txt'],
    ['Read docs/guide/intro.md', 'docs/guide/intro.md'],
    ['Read report.final.docx', 'report.final.docx'],
    ['Read "my notes.txt"', 'my notes.txt'],
    [String.raw`Read C:\Users\alice\a.txt now`, String.raw`C:\Users\alice\a.txt`],
    [String.raw`Read \\share\team\plan.xlsx`, String.raw`\\share\team\plan.xlsx`],
    ['Read the path: weird name', 'weird name'],
    ['Read путь/файл.txt', 'путь/файл.txt'],
  ])('are paths: %s', async (request, path) => {
    expect((await find(read, request)).arguments).toEqual({ path });
  });

  it.each(['Read it to me', 'Read and/or write', 'Read version 3.5', 'Read 2026-03-01'])(
    'are no paths: %s',
    async (request) => {
      expect(await find(read, request)).toMatchObject({ arguments: {}, missing: ['path'] });
    },
  );

  it.each([
    ['Fetch https://example.com/a?b=c#d, will you', 'https://example.com/a?b=c#d'],
    ['Fetch (http://example.com/x).', 'http://example.com/x'],
  ])('are addresses: %s', async (request, url) => {
    const fetch = tool('fetch_page', 'Fetches a page', { url: { type: 'string', format: 'uri' } });
    expect((await find(fetch, request)).arguments).toEqual({ url });
  });

  it.each([
    ['Scale it by 2.5 with -3 steps', { factor: 2.5, steps: -3 }],
    ['Scale by factor 1,200 and use steps = 4', { factor: 1200, steps: 4 }],
    ['Scale: steps 7, factor 0.5', { factor: 0.5, steps: 7 }],
  ])('are numbers, whole ones where the schema wants them: %s', async (request, args) => {
    const scale = tool('scale', 'Scales a figure', { factor: { type: 'number' }, steps: { type: 'integer' } });
    expect((await find(scale, request)).arguments).toEqual(args);
  });

  it('are numbers by the words beside them, and none when there are no such words and the tool can do without', async () => {
    const log = tool(
      'read_log',
      'Reads the log',
      {
        head: { type: 'number', description: 'Only the first N lines' },
        wait: { type: 'number', description: 'Seconds to wait' },
      },
      [],
    );
    expect((await find(log, 'Read the first 20 lines of the log')).arguments).toEqual({ head: 20 });
    expect((await find(log, 'Read the log and wait 3 seconds')).arguments).toEqual({ wait: 3 });
    expect((await find(log, 'Read the log of the 7 dwarfs')).arguments).toEqual({});
  });

  it.each([
    ['Book a room on 2026-05-17', '2026-05-17'],
    ['Book a room for 3 June 2026', '2026-06-03'],
    ['Book a room for June 3rd', '2026-06-03'],
    ['Book a room tomorrow', '2026-03-05'],
  ])('are dates: %s', async (request, day) => {
    expect(
      (await find(tool('book_room', 'Books a room', { day: { type: 'string', format: 'date' } }), request)).arguments,
    ).toEqual({ day });
    const at = tool('book_room', 'Books a room', { at: { type: 'string', format: 'date-time' } });
    expect((await find(at, `${request} at 14:30`)).arguments).toEqual({ at: `${day}T14:30:00.000Z` });
  });

  it('are quoted texts, in any quotes, but not between apostrophes', async () => {
    const say = tool('say', 'Says something', { words: text });
    for (const quoted of ['"good day"', '“good day”', '«good day»', "'good day'", '`good day`'])
      expect((await find(say, `Say ${quoted} to them`)).arguments).toEqual({ words: 'good day' });
    expect((await find(say, "Don't say Alice's name or Bob's")).arguments).not.toEqual({ words: 's name or Bob' });
  });

  it('are named values, whichever way a name is written', async () => {
    const mail = tool('send_mail', 'Sends a mail', {
      replyTo: text,
      subject: text,
      urgent: { type: 'boolean' },
      copies: { type: 'integer' },
    });
    expect(
      (await find(mail, 'Send mail, reply-to: bob, subject = "All, of it", urgent: yes, copies=2')).arguments,
    ).toEqual({
      replyTo: 'bob',
      subject: 'All, of it',
      urgent: true,
      copies: 2,
    });
  });

  it('are values that the schema lists, and flags whose name is in the text', async () => {
    const paint = tool(
      'paint',
      'Paints a wall',
      { colour: { enum: ['red', 'skyBlue'] }, withPrimer: { type: 'boolean' }, glossy: { type: 'boolean' } },
      ['colour'],
    );
    expect((await find(paint, 'Paint the wall sky blue with primer')).arguments).toEqual({
      colour: 'skyBlue',
      withPrimer: true,
    });
    expect((await find(paint, 'Paint the wall RED')).arguments).toEqual({ colour: 'red' });
    expect(await find(paint, 'Paint the wall, colour: green')).toMatchObject({ arguments: {}, missing: ['colour'] });
    expect((await find(paint, 'Paint the wall red, not glossy')).arguments).not.toHaveProperty('glossy', true);
  });

  it('are lists: quoted texts, paths, or words between commas', async () => {
    const open = tool('open_nodes', 'Opens nodes', { names: { type: 'array', items: text } });
    expect((await find(open, 'Open the nodes "Alice" and "Bob"')).arguments).toEqual({ names: ['Alice', 'Bob'] });
    expect((await find(open, 'Open the nodes Alice, Bob and Project X')).arguments).toEqual({
      names: ['Alice', 'Bob', 'Project X'],
    });
    const upload = tool('upload', 'Uploads files', { paths: { type: 'array', items: text } });
    expect((await find(upload, 'Upload a.txt and b/c.txt')).arguments).toEqual({ paths: ['a.txt', 'b/c.txt'] });
  });

  it('are JSON, where the text has it', async () => {
    const create = tool('create', 'Creates things', {
      things: { type: 'array', items: { type: 'object' } },
      note: text,
    });
    expect((await find(create, 'Create {"things": [{"a": 1}], "note": "x", "other": 2} now')).arguments).toEqual({
      things: [{ a: 1 }],
      note: 'x',
    });
    expect((await find(create, 'Create [{"a": "}"}] with the note "y"')).arguments).toEqual({
      things: [{ a: '}' }],
      note: 'y',
    });
  });

  it('are what the schema falls back to, when the tool must be told and the text does not', async () => {
    const shot = tool('screenshot', 'Takes a screenshot', {
      scale: { type: 'string', enum: ['css', 'device'], default: 'css' },
    });
    expect(await find(shot, 'Take a screenshot')).toMatchObject({ arguments: { scale: 'css' }, missing: [] });
  });

  it('are checked: what does not fit is missing, or left out where the tool can do without', async () => {
    const links = tool(
      'links',
      'Gives links',
      { count: { type: 'integer', maximum: 10 }, size: { type: 'integer', maximum: 3 } },
      ['count'],
    );
    expect(await find(links, 'Give links, count: 50')).toMatchObject({ arguments: {}, missing: ['count'] });
    expect(await find(links, 'Give links, count: 5, size: 9')).toMatchObject({ arguments: { count: 5 }, missing: [] });
    expect(await find(links, { text: 'Give links', arguments: { count: 50 } })).toMatchObject({
      arguments: {},
      missing: ['count'],
    });
  });

  it('give way to arguments as data', async () => {
    expect((await find(read, { text: 'Read a.txt', arguments: { path: 'b.txt' } })).arguments).toEqual({
      path: 'b.txt',
    });
  });

  it('never reach a prototype', async () => {
    const odd = tool(
      'odd',
      'Does something odd',
      JSON.parse('{"__proto__":{"type":"string"},"constructor":{"type":"string"},"a":{"type":"string"}}') as Record<
        string,
        JsonObject
      >,
      ['a'],
    );
    const { arguments: args } = await find(
      odd,
      'Something odd, __proto__: x, constructor: y, a: {"__proto__": {"z": 1}}',
    );
    expect(Object.keys(args).filter((name) => name !== 'a')).toEqual([]);
    expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
    const given = JSON.parse('{"__proto__":{"path":"x"}}') as JsonObject;
    await expect(find(read, { text: 'Read it', arguments: given })).rejects.toThrow(/reserved key "__proto__"/);
  });
});

describe('a request of any length', () => {
  const tools = Array.from({ length: 100 }, (_, i) =>
    tool(`tool_${i}_of_many`, `Does the thing number ${i} with files and words. ${'More of it. '.repeat(20)}`, {
      path: text,
    }),
  );
  const took = async (request: string) => {
    const from = performance.now();
    await analyser.analyse(contextOf('alice'), tools, { text: request });
    return performance.now() - from;
  };

  it.each([
    ['words', 'read the words of the file '],
    ['blanks', ' '],
    ['slashes', '/'],
    ['paths', 'a/b.c/d '],
    ['dots', '.'],
    ['backslashes', '\\a'],
    ['quotes', '"\'`'],
    ['brackets', '{['],
    ['stars', '*'],
    ['commas', ', and '],
    ['digits', '1,111'],
    ['at signs', '@a'],
    ['colons', 'a: b = '],
    ['half a pair', '\ud800'],
  ])('is analysed in a short time, made of %s', async (_what, piece) => {
    await took('Read this'); // the index is there
    expect(await took(piece.repeat(Math.ceil(500_000 / piece.length)))).toBeLessThan(1_500);
  });

  it('is decided by its beginning', async () => {
    const read = tool('read_file', 'Reads a file', { path: text });
    const short = await analyser.analyse(contextOf('alice'), [read], { text: 'Read the file a.txt' });
    expect(short.requiresMcp).toBe(true);
    const summary = `Summarise this for me. ${'The harbour was quiet and the boats lay still. '.repeat(10_000)} Read the file a.txt`;
    const long = await analyser.analyse(contextOf('alice'), [read], { text: summary });
    expect(long.requiresMcp).toBe(false);
  });
});
