import { distance } from 'fastest-levenshtein';

const MAX_CHARS = 64;
const MAX_NEAR = 3;

/** Those of the names that are like the one asked for, the most alike first. */
export function nearNames(asked: string, names: readonly string[]): string[] {
  const wanted = asked.slice(0, MAX_CHARS).toLowerCase();
  const tolerated = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((name) => ({ name, edits: name.toLowerCase().startsWith(wanted) ? 0 : distance(wanted, name.toLowerCase()) }))
    .filter(({ edits }) => wanted !== '' && edits <= tolerated)
    .toSorted((a, b) => a.edits - b.edits)
    .slice(0, MAX_NEAR)
    .map(({ name }) => name);
}

/** ` Did you mean "a" or "b"?`, or nothing. */
export function didYouMean(asked: string, names: readonly string[]): string {
  const near = nearNames(asked, names);
  return near.length === 0 ? '' : ` Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
}
