import { readFileSync } from 'node:fs';
import type { JsonObject } from '../../src/shared/json.js';

/** A written request, with what is right. */
export interface WrittenRequest {
  readonly number: number;
  readonly text: string;
  /** `server.tool`, or `standard`. */
  readonly right: string;
  readonly arguments?: JsonObject;
  /** Nothing was changed to have it right: it was written when the analysis was finished. */
  readonly isHeldOut: boolean;
}

/** Those before it were there from the beginning. */
const FIRST_HELD_OUT = 155;

/** The document is where the requests are: what it says is what is tested. */
export const DOCUMENT = readFileSync(new URL('../../docs/request-analysis.md', import.meta.url), 'utf8');

export function writtenRequests(): WrittenRequest[] {
  return DOCUMENT.split('\n')
    .filter((line) => /^\| \d/.test(line))
    .map((line) => {
      const [number, request, right, args] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return {
        number: Number(number),
        text: uncoded(request!),
        right: right!,
        ...(args ? { arguments: JSON.parse(uncoded(args)) as JsonObject } : {}),
        isHeldOut: Number(number) >= FIRST_HELD_OUT,
      };
    });
}

function uncoded(cell: string): string {
  return cell.startsWith('``') ? cell.slice(2, -2).trim() : cell.slice(1, -1);
}
