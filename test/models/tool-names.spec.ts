import fc from 'fast-check';
import { matchesAny, modelToolName, whyNotToolPattern } from '../../src/execution/models/tool-names.js';

const SAFE = /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/;
const text = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  fc.stringMatching(/^[a_]{1,6}$/),
  fc.string({ minLength: 1, maxLength: 128, unit: 'grapheme' }),
);
const ref = fc.record({ server: fc.oneof(fc.constant('app'), text), tool: text });

describe('the names of tools for models', () => {
  it('can be read: what is plain stays as it is', () => {
    expect(modelToolName({ server: 'app', tool: 'find_customer' })).toBe('find_customer');
    expect(modelToolName({ server: 'files', tool: 'read-text' })).toBe('files__read-text');
  });

  it('are what every provider takes', () => {
    fc.assert(fc.property(ref, (tool) => expect(modelToolName(tool)).toMatch(SAFE)));
  });

  it('are never two tools’, and always the same one’s', () => {
    fc.assert(
      fc.property(ref, ref, (a, b) => {
        const isSame = a.server === b.server && a.tool === b.tool;
        expect(modelToolName(a) === modelToolName(b)).toBe(isSame);
        expect(modelToolName({ ...a })).toBe(modelToolName(a));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [
      { server: 'a__b', tool: 'c' },
      { server: 'a', tool: 'b__c' },
    ],
    [
      { server: 'a_', tool: 'b' },
      { server: 'a', tool: '_b' },
    ],
    [
      { server: 'app', tool: 'files__read' },
      { server: 'files', tool: 'read' },
    ],
    [
      { server: 'x', tool: 'a.b' },
      { server: 'x', tool: 'a_b' },
    ],
    [
      { server: 'x', tool: 'a'.repeat(70) },
      { server: 'x', tool: 'a'.repeat(71) },
    ],
  ])('keep %j and %j apart', (a, b) => {
    expect(modelToolName(a)).not.toBe(modelToolName(b));
  });

  it('can not be made to look like another tool’s that was cut', () => {
    const cut = modelToolName({ server: 'x', tool: 'a.b' });
    expect(modelToolName({ server: 'app', tool: cut })).not.toBe(cut);
  });
});

describe('patterns for tools', () => {
  it.each([
    ['files/read', 'files', 'read', true],
    ['files/*', 'files', 'read/deep', true],
    ['*/*', 'app', 'add', true],
    ['f*s/r*', 'files', 'read', true],
    ['files/*', 'other', 'read', false],
    ['files/re.d', 'files', 'read', false],
  ])('%s is about %s %s: %s', (pattern, server, tool, is) => {
    expect(matchesAny([pattern], { server, tool })).toBe(is);
  });

  it('name a server and a tool', () => {
    expect(whyNotToolPattern('files/*')).toBeUndefined();
    expect(whyNotToolPattern('files')).toMatch(/"files" is not "server\/tool"/);
    expect(whyNotToolPattern(7)).toMatch(/7 is not/);
  });
});
