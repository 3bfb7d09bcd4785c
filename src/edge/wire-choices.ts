import type { ScheduleRecord } from '../execution/schedule-store.port.js';

/** What becomes of a schedule's times that passed while no server ran. */
export const MISSED = ['skip', 'run_once'] as const satisfies readonly ScheduleRecord['missed'][];

/** What somebody who is asked can say: the first two to an approval, the others to a question. */
export const ANSWERS = ['approve', 'reject', 'answer', 'decline'] as const;
export type AnswerKind = (typeof ANSWERS)[number];
