import type { RunEventData } from '../events/run-event.js';
import type { JsonValue } from '../shared/json.js';

/** Events that are written together with what is recorded of a step. */
type StepEventType =
  'step_started' | 'step_completed' | 'tool_executing' | 'tool_completed' | 'approval_required' | 'approval_resolved';

export type StepEvent = {
  [Type in StepEventType]: { readonly type: Type; readonly data: RunEventData[Type] };
}[StepEventType];

/** How a step that was under way is over. `left`: its run was stopped or suspended; it may be entered again. */
export type ToldEnd =
  | { readonly outcome: 'ok'; readonly result: JsonValue | undefined }
  | { readonly outcome: 'failed' | 'cancelled' | 'skipped' | 'left'; readonly reason: string };

/**
 * How a kind of step is told of, where that is not `step_started` and `step_completed`. Whatever is told to have begun is
 * told to be over before the run is suspended or ends.
 */
export interface StepTelling {
  begun(): StepEvent;
  over(end: ToldEnd, durationMs: number): StepEvent;
}
