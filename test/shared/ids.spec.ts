import { newId, RUN_ID_PATTERN, whyNotUserId } from '../../src/shared/ids.js';

describe('ids', () => {
  it('sort in the order in which they were made, even inside one millisecond', () => {
    const ids = Array.from({ length: 10_000 }, () => newId('run'));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids.slice(0, 10)) expect(id).toMatch(RUN_ID_PATTERN);
  });
});

describe("a user's id", () => {
  it.each([
    'alice',
    'default_user',
    'registry-team',
    'nullmann',
    'Jürgen',
    '用户',
    'a@b.example',
    'auth0|12345',
    'x'.repeat(128),
  ])('may be %s', (id) => expect(whyNotUserId(id)).toBeUndefined());

  it.each([
    '',
    'null',
    'NULL',
    'undefined',
    '[object Object]',
    'registry',
    'placeholder',
    'a b',
    'a\nb',
    'a\u0000',
    'x'.repeat(129),
    7,
    null,
    undefined,
  ])('may not be %p', (id) => expect(whyNotUserId(id)).toEqual(expect.any(String)));
});
