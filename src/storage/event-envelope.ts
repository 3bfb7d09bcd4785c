import type { EventDraft } from '../events/run-event.js';
import { newId } from '../shared/ids.js';
import type { LiveRun } from './run-row.js';

let lastAtMs = Number.NaN;
let lastAt = '';

/** The JSON text of an event at its place. The keys come in the order of the contract; `data` is JSON text already. */
export function envelopeOf(run: LiveRun, draft: EventDraft, seq: number, runSeq: number): string {
  // many events of one tick have the same moment
  if (draft.atMs !== lastAtMs) {
    lastAt = new Date(draft.atMs).toISOString();
    lastAtMs = draft.atMs;
  }
  const step = draft.step === undefined ? '' : `,"step":${JSON.stringify(draft.step)}`;
  return (
    `{"v":1,"id":"${newId('evt')}","type":"${draft.type}","seq":${seq},"runSeq":${runSeq}${run.head}${step}` +
    `,"attempt":${draft.attempt},"at":"${lastAt}","data":${draft.data}}`
  );
}
