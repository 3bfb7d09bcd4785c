import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Comparison } from '../../src/agents/library/compare.agent.js';
import { LibraryModule } from '../../src/agents/library/library.module.js';
import type { Summary } from '../../src/agents/library/summarise.agent.js';
import { AgentHost } from './agent-host.js';
import { contextOf, RecordingRun } from './recording-run.js';
import { CITY, HARBOUR, harbourRevised, WATER_DE } from './texts.js';

/** A real document. */
const LICENCE = readFileSync(new URL('../../LICENSE', import.meta.url), 'utf8');

let host: AgentHost;

beforeAll(async () => {
  host = await AgentHost.boot(LibraryModule);
});
afterAll(() => host[Symbol.asyncDispose]());

const runOf = (user = 'alice', signal?: AbortSignal) => new RecordingRun(contextOf(user, signal));
const summarise = (input: object, run = runOf()) => host.run('summarise', input, run) as Promise<Summary>;
const compare = (left: string, right: string, run = runOf()) =>
  host.run('compare', { left: { text: left }, right: { text: right } }, run) as Promise<Comparison>;

/** Without markup and on one line, as a reader sees it. */
function plain(text: string): string {
  return text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/^#+ /gm, '')
    .replace(/[*`]/g, '')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ');
}

describe('summarise', () => {
  it.each([
    ['a plain text', HARBOUR],
    ['a Markdown document', CITY],
    ['a German text', WATER_DE],
    ['a licence', LICENCE],
  ])('picks sentences of %s word by word, in its order, and phrases that occur in it', async (_what, text) => {
    const result = await summarise({ text, sentences: 4 });
    const source = plain(text);
    expect(result.sentences.length).toBeGreaterThan(0);
    expect(result.sentences.length).toBeLessThanOrEqual(4);
    let from = 0;
    for (const { text: sentence, score } of result.sentences) {
      const at = source.indexOf(sentence, from);
      expect({ sentence, found: at >= from }).toEqual({ sentence, found: true });
      from = at + sentence.length;
      expect(score).toBeGreaterThan(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    const positions = result.sentences.map(({ position }) => position);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(result.summary).toBe(result.sentences.map(({ text: sentence }) => sentence).join(' '));
    expect(result.keyPhrases.length).toBeGreaterThan(0);
    for (const { phrase } of result.keyPhrases) expect(source).toContain(phrase);
  });

  it('leaves out code, tables, pictures and the markup of what it quotes', async () => {
    const { sentences, keyPhrases } = await summarise({ text: CITY, sentences: 20 });
    const all = JSON.stringify([sentences, keyPhrases]);
    for (const noise of ['openGate', '| Gate', '```', '](', '**', '![', 'https://', '#'])
      expect(all).not.toContain(noise);
    expect(sentences.map(({ text }) => text)).toContain(
      'The harbour office keeps a list of all ships, and everyone may read it.',
    );
  });

  it('finds what a text is about', async () => {
    const { sentences, keyPhrases } = await summarise({ text: HARBOUR, sentences: 3 });
    expect(keyPhrases.slice(0, 4).map(({ phrase }) => phrase.toLowerCase())).toContain('tide gate');
    expect(sentences.some(({ text }) => text.includes('tide gate'))).toBe(true);
    // what has nothing to do with the rest is not what the text is about
    expect(sentences.some(({ text }) => text.includes('bakery'))).toBe(false);
  });

  it('does not fall for abbreviations, in English and in German', async () => {
    const english = await summarise({
      text: 'Dr. J. Smith measured the tide, e.g. at noon. The tide was low. It took 5 s. Nobody noticed.',
    });
    expect(english.statistics.sentences).toBe(4);
    const german = await summarise({ text: WATER_DE, sentences: 20 });
    expect(german.sentences.some(({ text }) => text.endsWith('z. B. aus dem Brunnen bei Ebnet.'))).toBe(true);
    expect(german.statistics.language).toBe('de');
  });

  it('reads languages that write without blanks, and believes who says what language it is', async () => {
    const japanese = await summarise({
      text: '図書館の個人閲覧席は小さな机である。個人閲覧席には仕切りがあり、隣の利用者は見えない。利用者は静かに作業できる。',
      sentences: 2,
    });
    expect(japanese.statistics).toMatchObject({ language: 'ja', sentences: 3 });
    expect(japanese.keyPhrases[0]?.phrase).toBe('個人閲覧席');
    expect((await summarise({ text: HARBOUR, language: 'nl' })).statistics.language).toBe('nl');
    expect((await summarise({ text: HARBOUR, language: 'zz' })).sentences).toHaveLength(5);
  });

  it.each(['   ', '...', '```\ncode\n```', '1 2 3', '<!-- -->', 'Word', '\u0000'])(
    'has an answer for %j, which has next to no prose',
    async (text) => {
      const result = await summarise({ text });
      expect(result.statistics.reduction).toBeGreaterThanOrEqual(0);
      expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    },
  );

  it('tells what it does, step by step', async () => {
    const run = runOf();
    await summarise({ text: CITY }, run);
    expect(run.thoughts.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(run.thoughts.map(({ progress }) => progress)).toEqual([0, 0.3, 0.6, 1]);
    expect(run.thoughts[1]?.thought).toMatch(/^Found \d+ sentences in 3 sections, written in English$/);
    expect(run.thoughts[2]?.thought).toMatch(/^The strongest themes are "/);
  });

  it('lets the rest of the process live while it reads a long text', async () => {
    const text = Array.from({ length: 60 }, (_, i) => HARBOUR.replaceAll('tide', `tide${i}`)).join('\n\n');
    let turns = 0;
    const done = new AbortController();
    const others = (async () => {
      for (; !done.signal.aborted; turns++) await setImmediate();
    })();
    const startedAt = performance.now();
    await summarise({ text });
    done.abort();
    await others;
    // a turn for the others at least every 50 ms, where it takes 8 at a time
    expect(turns).toBeGreaterThan((performance.now() - startedAt) / 50);
  });

  it.each([
    [{ text: '' }, 'text'],
    [{ text: 5 }, 'text'],
    [{ text: 'a'.repeat(500_001) }, 'text'],
    [{ text: 'a', sentences: 0 }, 'sentences'],
    [{ text: 'a', sentences: 21 }, 'sentences'],
    [{ text: 'a', sentences: 1.5 }, 'sentences'],
    [{ text: 'a', language: 'not a language' }, 'language'],
    [{ text: 'a', user: 'bob' }, ''],
  ])('refuses a bad input and names the place: %#', async (input, path) => {
    await expect(summarise(input)).rejects.toMatchObject({
      code: 'invalid_input',
      details: { issues: expect.arrayContaining([expect.objectContaining({ path })]) },
    });
  });
});

describe('compare', () => {
  it('knows a text by itself', async () => {
    const result = await compare(HARBOUR, HARBOUR);
    expect(result).toMatchObject({ kind: 'versions', similarity: 1, onlyLeft: [], onlyRight: [], similarPassages: [] });
    expect(result.verdict).toBe('The left text and the right text are the same, sentence by sentence.');
  });

  it('finds what was reworded, added and taken away between two versions', async () => {
    const result = await compare(HARBOUR, harbourRevised);
    expect(result.kind).toBe('versions');
    expect(result.counts).toMatchObject({ changed: 1, added: 1, removed: 1 });
    expect(result.changes).toEqual({
      changed: [
        {
          left: 'The tide gate at the northern pier opens twice a day, one hour before high water.',
          right: 'The tide gate at the northern pier opens three times a day, two hours before high water.',
        },
      ],
      added: ['Visitors may watch from the new footbridge.'],
      removed: ['There is also a small bakery behind the market square that sells rye bread.'],
    });
    expect(result.verdict).toMatch(
      /^The right text is another version of the left text: \d+ sentences unchanged, 1 reworded, 1 new, and 1 gone\.$/,
    );
  });

  it('tells texts of one subject from texts of two', async () => {
    const related = await compare(HARBOUR, CITY);
    const unrelated = await compare(
      HARBOUR,
      'Bread is baked in an oven. Rye needs sourdough and a long night. A good crust takes steam.',
    );
    expect(related).toMatchObject({ kind: 'different' });
    expect(related.similarity).toBeGreaterThan(unrelated.similarity);
    expect(unrelated.similarity).toBeLessThan(0.12);
    expect(unrelated.verdict).toMatch(/^The texts have little in common/);
    expect(related.sharedPhrases.map(({ phrase }) => phrase.toLowerCase())).toContain('tide gate');
    for (const { phrase } of related.onlyLeft) expect(plain(CITY)).not.toContain(phrase);
    for (const { phrase } of related.onlyRight) expect(HARBOUR).not.toContain(phrase);
    for (const { left, right } of related.similarPassages) {
      expect(plain(HARBOUR)).toContain(left);
      expect(plain(CITY)).toContain(right);
    }
  });

  it('tells what it does, and answers in JSON', async () => {
    const run = runOf();
    const result = await compare(HARBOUR, CITY, run);
    expect(run.thoughts.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(run.thoughts.at(-1)?.progress).toBe(1);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it('refuses bad input and names the place', async () => {
    await expect(
      host.run('compare', { left: { text: 'a' }, right: { text: '', title: 'x' } }, runOf()),
    ).rejects.toMatchObject({
      code: 'invalid_input',
      details: { issues: [{ path: 'right.text' }] },
    });
  });
});

describe('both', () => {
  it('stop soon after their run is over', async () => {
    const text = Array.from({ length: 400 }, (_, i) => HARBOUR.replaceAll('tide', `tide${i}`))
      .join('\n\n')
      .slice(0, 500_000);
    for (const [name, input] of [
      ['summarise', { text }],
      ['compare', { left: { text }, right: { text } }],
    ] as const) {
      const controller = new AbortController();
      const run = new RecordingRun(contextOf('alice', controller.signal), () =>
        controller.abort(new Error('cancelled by alice')),
      );
      await expect(host.run(name, input, run)).rejects.toThrow('cancelled by alice');
      expect(run.thoughts).toHaveLength(1);
    }
  });

  it("keep alice's text from bob when their runs interleave", async () => {
    const users = Array.from({ length: 16 }, (_, i) => ({
      user: i % 2 ? 'alice' : 'bob',
      canary: `canary${i % 2 ? 'alice' : 'bob'}${i}`,
    }));
    const outcomes = await Promise.all(
      users.map(async ({ user, canary }) => {
        const run = runOf(user);
        const text = HARBOUR.replaceAll('tide gate', `${canary} gate`).repeat(3);
        return {
          canary,
          seen: JSON.stringify([
            await summarise({ text, sentences: 10 }, run),
            await compare(text, CITY, run),
            run.thoughts,
          ]),
        };
      }),
    );
    for (const { canary, seen } of outcomes) {
      expect(seen).toContain(canary);
      expect(new Set(seen.match(/canary[a-z]+\d+/g))).toEqual(new Set([canary]));
    }
  });

  it('may be run again after a crash, and show how they are used', () => {
    for (const name of ['summarise', 'compare']) {
      const definition = host.registry.get(name);
      expect(definition.effect).toBe('idempotent');
      expect(definition.example).toBeDefined();
      expect(definition.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    }
    expect(host.registry.get('summarise').inputSchema).toMatchObject({
      required: ['text'],
      properties: { text: { type: 'string', maxLength: 500_000 }, sentences: { minimum: 1, maximum: 20, default: 5 } },
    });
  });
});
