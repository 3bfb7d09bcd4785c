import type { ToolRef } from '../../agents/tools/tool-definition.js';
import { OWN_TOOLS } from '../../agents/tools/tool-definition.js';
import { redact } from '../../events/redaction.js';
import type { CallId, RunId } from '../../shared/ids.js';
import type { JsonObject, JsonValue } from '../../shared/json.js';
import type { StepEvent, StepTelling, ToldEnd } from '../step-telling.js';
import { unpacked } from './tool-record.js';

/** The same whenever this call is carried out: it is told of again when its run goes on. */
export function callIdOf(runId: RunId, path: string): CallId {
  return `${runId.replace(/^run_/, 'call_')}.${path}` as CallId;
}

/** Tells of a call between `tool_executing` and `tool_completed`. */
export class ToolTelling implements StepTelling {
  constructor(
    private readonly callId: CallId,
    private readonly ref: ToolRef,
    private readonly args: JsonObject,
  ) {}

  begun(): StepEvent {
    const { callId, args } = this;
    const { server, tool } = this.ref;
    const from = server === OWN_TOOLS ? {} : { server };
    return { type: 'tool_executing', data: { callId, tool, ...from, arguments: redact(args) } };
  }

  over(end: ToldEnd, durationMs: number): StepEvent {
    const facts =
      end.outcome === 'ok'
        ? ({ outcome: 'ok', result: redact(shown(end.result)) } as const)
        : ({ outcome: 'error', result: end.reason } as const);
    return { type: 'tool_completed', data: { callId: this.callId, ...facts, durationMs } };
  }
}

/** The part of a result that says most. */
function shown(recorded: JsonValue | undefined): JsonValue {
  const { structured, text, content } = unpacked(recorded);
  return structured ?? (text || content);
}
