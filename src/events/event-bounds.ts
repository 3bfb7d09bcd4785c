import { cutText } from './redaction.js';
import type { EventDraft } from './run-event.js';

/**
 * An event whose data has at most `maxBytes`: long fields are cut to their beginning, and `data.cut` says so. A run's
 * whole result stays readable in its record.
 */
export function bounded(draft: EventDraft, maxBytes: number): EventDraft {
  if (draft.data.length <= maxBytes / 3) return draft; // no UTF-16 unit needs more than three bytes
  const bytes = Buffer.byteLength(draft.data);
  return bytes <= maxBytes ? draft : { ...draft, data: cutData(draft.data, bytes, maxBytes) };
}

function cutData(json: string, bytes: number, maxBytes: number): string {
  const share = Math.floor(maxBytes / 8);
  const fields = Object.entries(JSON.parse(json) as object).map(([name, value]: [string, unknown]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [name, text.length <= share ? value : cutText(text, share)];
  });
  return JSON.stringify({
    ...Object.fromEntries(fields),
    cut: `the data had ${bytes} bytes; at most ${maxBytes} are shown`,
  });
}
