import { existsSync, readFileSync } from 'node:fs';

const PAGE = readFileSync('docs/coverage.md', 'utf8');
const ROWS = PAGE.split('\n')
  .filter((line) => line.startsWith('|') && !/^\| ([-: |]+|the original's .*)\|$/.test(line))
  .map((line) => cellsOf(line));
const PROOF = /`(test\/[^`]+)` "([^"]+)"/g;

describe('docs/coverage.md', () => {
  it('names tests that exist, with claims that they make', () => {
    const proofs = [...PAGE.matchAll(PROOF)].map(([, path, claim]) => ({ path: path!, claim: claim! }));
    expect(proofs.length).toBeGreaterThan(80);
    const missing = proofs.filter(({ path, claim }) => !existsSync(path) || !claimsOf(path).has(claim));
    expect(missing).toEqual([]);
  });

  it('leaves no feature without a test or a reason', () => {
    expect(ROWS.length).toBeGreaterThan(70);
    const silent = ROWS.filter(([, here = '', proof = '']) => {
      const said = /needless|later version/i.test(here);
      return here === '' || (proof === '' ? !said : proof.replaceAll(PROOF, '').replaceAll(';', '').trim() !== '');
    });
    expect(silent).toEqual([]);
  });

  it("has the original's nine migration tests and nine validation tests, each as another test", () => {
    for (const heading of ['The nine migration tests', 'The nine validation tests']) {
      const section = PAGE.split(`## ${heading}`)[1]!.split('\n## ')[0]!;
      const claims = [...section.matchAll(PROOF)].map(([, , claim]) => claim);
      expect(new Set(claims).size).toBe(9);
    }
    const [, ...all] = readFileSync('test/e2e/original-behaviours.spec.ts', 'utf8').split(/^ {2}it\(/m);
    expect(all).toHaveLength(18);
  });
});

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

const CLAIM = /\bit(?:\.each(?:<[^()]*>)?\((?:[^()]|\([^()]*\))*\))?\(\s*(['"`])((?:\\.|(?!\1).)+)\1/g;

/** What the tests of a file are called. */
function claimsOf(path: string): Set<string> {
  return new Set([...readFileSync(path, 'utf8').matchAll(CLAIM)].map(([, , text]) => text!));
}
