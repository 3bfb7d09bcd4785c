import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import { isCarrelError } from '../../src/shared/errors.js';
import { blocksOf } from '../docs/code-blocks.js';

const dir = mkdtempSync(join(tmpdir(), 'carrel-models-'));
const file = join(dir, 'models.json');
afterAll(() => rmSync(dir, { recursive: true }));

const LOCAL = { baseURL: 'http://127.0.0.1:8080/v1' };
const SMALL = { provider: 'local', model: 'small-1' };
const PRICE = { input: 1, output: 2 };

function load(content: unknown, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig({ ...env, CARREL_MODELS_FILE: file });
}

/** What is wrong with the file, without its name. */
function problemsOf(content: unknown, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(content, env);
  } catch (error) {
    if (!isCarrelError(error) || error.code !== 'invalid_config') throw error;
    const begin = `CARREL_MODELS_FILE, ${file}: `;
    return error.message.split('\n').map((line) => (line.startsWith(begin) ? line.slice(begin.length) : line));
  }
  throw new Error('the file was accepted');
}

describe('models.json', () => {
  it('gives no models when there is none', () => {
    expect(loadConfig({}).models).toBeUndefined();
  });

  it('is read with everything that can be in it, and its secrets filled in', () => {
    const options = { apiKey: '${secret.ANTHROPIC}', nested: [{ team: 'team-${secret.TEAM}' }], retries: 2 };
    const models = {
      default: {
        ...SMALL,
        price: { ...PRICE, cachedInput: 0.1 },
        historyTokens: 8_000,
        maxOutputTokens: 512,
        temperature: 0,
      },
      'vendor/large:1': { provider: 'anthropic', model: 'large', fallback: 'default', price: PRICE },
    };
    const budgets = {
      default: { run: { tokens: 1_000 }, day: { usd: 0.5 } },
      roles: { analyst: { month: { usd: 20, tokens: 5_000_000 } } },
    };
    const written = {
      $schema: 'https://example.org/models.schema.json',
      providers: {
        local: { ...LOCAL, apiKey: '${secret.LOCAL}', headers: { 'x-team': '${secret.TEAM}' } },
        anthropic: { package: '@ai-sdk/anthropic', options },
      },
      models,
      budgets,
    };
    const secrets = { CARREL_SECRET_ANTHROPIC: 'a-key', CARREL_SECRET_LOCAL: 'l-key', CARREL_SECRET_TEAM: 'red' };
    expect(load(written, secrets).models).toEqual({
      providers: {
        local: { kind: 'openai-compatible', ...LOCAL, apiKey: 'l-key', headers: { 'x-team': 'red' } },
        anthropic: {
          kind: 'package',
          package: '@ai-sdk/anthropic',
          options: { apiKey: 'a-key', nested: [{ team: 'team-red' }], retries: 2 },
        },
      },
      models,
      defaultModel: 'default',
      budgets,
      folder: expect.stringContaining('carrel-models-'),
    });
  });

  it('is as docs/models.md shows it', () => {
    const [shown] = blocksOf('docs/models.md', 'json');
    const { models } = load(shown, { CARREL_SECRET_ANTHROPIC: 'a-key' });
    expect(models).toMatchObject({ defaultModel: 'default', budgets: { roles: { analyst: { month: { usd: 50 } } } } });
  });

  it('has a default model only when one is named, or is called so', () => {
    const written = { providers: { local: LOCAL }, models: { small: SMALL } };
    expect(load(written).models?.defaultModel).toBeUndefined();
    expect(load({ ...written, defaultModel: 'small' }).models?.defaultModel).toBe('small');
  });

  it('tells everything that is wrong at once, beside what is wrong with the settings', () => {
    const broken = {
      providers: {
        local: { baseURL: 'http://user:word@127.0.0.1/v1', apiKey: '${secret.NOT_SET}' },
        remote: { package: '@ai-sdk/openai', options: { apiKey: '${env.KEY}', org: '${user.id}' } },
      },
      models: {
        a: { provider: 'locla', model: 'x', fallback: 'b', price: PRICE },
        b: { provider: 'local', model: 'x', fallback: 'c' },
        c: { provider: 'local', model: 'x', fallback: 'b' },
        d: { provider: 'local', model: 'x', fallback: 'd', price: PRICE },
      },
      defaultModel: 'e',
      budgets: { roles: { staff: { day: { usd: 1 } } } },
    };
    expect(problemsOf(broken, { PORT: 'x' })).toEqual([
      'PORT is "x": it must be a whole number from 0 to 65535',
      'providers.local.baseURL must be an http(s) URL without a user name or password in it',
      'providers.local.apiKey asks for ${secret.NOT_SET}: set the variable CARREL_SECRET_NOT_SET',
      'providers.remote.options.apiKey asks for ${env.KEY}, which there is not; there is ${secret.NAME}',
      'providers.remote.options.org asks for ${user.id}, which there is not; there is ${secret.NAME}',
      'models.a.provider is "locla", which is none. Did you mean "local"?',
      'defaultModel is "e", which is no model of this file. Did you mean "a" or "b" or "c"?',
      'models.b.fallback leads back to it: b → c → b',
      'models.d.fallback leads back to it: d → d',
      'models.b.price is missing, and there is a budget in money (staff)',
      'models.c.price is missing, and there is a budget in money (staff)',
    ]);
  });

  const MODELS = { providers: { local: LOCAL }, models: { default: SMALL } };
  it.each<[string, unknown, string]>([
    ['a key that is not known', { ...MODELS, budget: {} }, 'has "budget", which is not known. Did you mean "budgets"?'],
    ['no models', { ...MODELS, models: {} }, 'models must have at least one model'],
    ['no providers', { models: MODELS.models }, 'providers must be an object: each provider by its name'],
    [
      'two kinds at once',
      { ...MODELS, providers: { local: { ...LOCAL, package: 'x' } } },
      'providers.local must have either',
    ],
    ['neither kind', { ...MODELS, providers: { local: {} } }, 'providers.local must have either'],
    [
      'a path as a package',
      { ...MODELS, providers: { p: { package: '../x' } } },
      'providers.p.package must be the name',
    ],
    [
      'a key for the other kind',
      { ...MODELS, providers: { p: { package: 'x', apiKey: 'k' } } },
      'providers.p has "apiKey"',
    ],
    ['a bad name', { ...MODELS, models: { 'a b': SMALL } }, 'models.a b can not be the name of a model'],
    [
      'a negative price',
      withModel({ price: { input: -1, output: 0 } }),
      'models.default.price.input must not be negative',
    ],
    ['half a price', withModel({ price: { input: 1 } }), 'models.default.price.output must be a number'],
    ['parts of a token', withModel({ historyTokens: 1.5 }), 'models.default.historyTokens must be a whole number'],
    ['no output', withModel({ maxOutputTokens: 0 }), 'models.default.maxOutputTokens must be at least 1'],
    ['no fallback', withModel({ fallback: 'x' }), 'models.default.fallback is "x", which is no model of this file.'],
    ['an empty budget', { ...MODELS, budgets: { roles: { staff: {} } } }, 'budgets.roles.staff must limit something'],
    [
      'an empty allowance',
      { ...MODELS, budgets: { default: { day: {} } } },
      'budgets.default.day must have "tokens" or "usd"',
    ],
    [
      'a text for tokens',
      { ...MODELS, budgets: { default: { day: { tokens: '5' } } } },
      'budgets.default.day.tokens must be a number',
    ],
    [
      'a week',
      { ...MODELS, budgets: { default: { day: { tokens: 5 }, week: { tokens: 5 } } } },
      'budgets.default has "week", which is not known.',
    ],
  ])('is refused with %s', (_, content, problem) => {
    const problems = problemsOf(content);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  function withModel(over: object) {
    return { providers: { local: LOCAL }, models: { default: { ...SMALL, ...over } } };
  }

  it('is refused when it is not there, or no JSON', () => {
    expect(problemsOf('{ "providers": {}, }')[0]).toContain('is not JSON');
    const missing = join(dir, 'missing.json');
    expect(() => loadConfig({ CARREL_MODELS_FILE: missing })).toThrow(`${missing}: can not be read (ENOENT)`);
  });

  it('never shows a secret', () => {
    const secret = 'very-secret-value';
    const providers = {
      local: { baseURL: '${secret.KEY}', apiKey: '${secret.KEY}', headers: { 'a b': '${secret.KEY}' } },
    };
    expect(problemsOf({ ...MODELS, providers }, { CARREL_SECRET_KEY: secret }).join()).not.toContain(secret);
    const url = { local: { baseURL: '${secret.KEY}' } };
    expect(problemsOf({ ...MODELS, providers: url }, { CARREL_SECRET_KEY: secret }).join()).not.toContain(secret);
  });
});
