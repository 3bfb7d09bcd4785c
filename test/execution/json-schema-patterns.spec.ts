import { compileSchema, type SchemaCheck } from '../../src/execution/json-schema.js';

describe('a schema of somebody else’s', () => {
  it('has each of its patterns matched by itself', () => {
    const properties = { letters: { pattern: '^[a-z]+$' }, digits: { pattern: '^[0-9]+$' } };
    const check = compileSchema(
      { type: 'object', properties },
      { maxBytes: 1_000, maxDepth: 8 },
      { isTrusted: false },
    ) as SchemaCheck;
    expect(check({ letters: 'abc', digits: '123' })).toEqual([]);
    expect(check({ letters: '123', digits: 'abc' })).not.toEqual([]);
    expect(check({ letters: 'abc', digits: 'abc' }).map(({ path }) => path)).toEqual(['digits']);
  });
});
