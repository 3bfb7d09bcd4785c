import type { RunEventType } from '../../events/run-event.js';
import type { ClientToServerEvents, ControlEvents } from '../wire-events.js';

/** What each event of a run tells, in a sentence: a new type does not compile without one. */
export const EVENT_TEXTS: Readonly<Record<RunEventType, string>> = {
  agent_queued: 'The run waits for a place, for its thread or for its time.',
  agent_started: 'The run is under way. Once for each run.',
  agent_thinking: 'What the agent is about.',
  agent_message_delta: "The next piece of the agent's answer.",
  tool_executing: 'A tool is called. Closed by `tool_completed` of the same `callId`, always.',
  tool_progress: 'How far a tool is.',
  tool_completed: 'A call of a tool is over.',
  budget_warning: 'Four fifths of a budget are spent.',
  step_started: 'A step has begun.',
  step_completed: 'A step is over.',
  approval_required: 'Somebody is asked. Answer with `approval:respond`.',
  approval_resolved: 'A question is closed.',
  agent_suspended: 'The run rests until somebody answers, or until its time comes.',
  agent_resumed: 'The run goes on.',
  agent_fallback: 'Something else answers for what can not.',
  agent_retrying: 'An attempt failed, and there will be another one.',
  agent_completed: 'The end of a run that has a result. `degraded`: a fallback gave it.',
  agent_error: 'The end of a run that failed, or whose time was over.',
  agent_cancelled: 'The end of a run that was cancelled.',
};

export const CONTROL_TEXTS: Readonly<Record<keyof ControlEvents, string>> = {
  ready: 'The first event of every connection. `seq` is the number of your newest event.',
  stream_gap: 'These events have been removed from the journal, both ends included; the next event comes after them.',
  auth_expired: 'The token has expired, and the server disconnects.',
  server_draining: 'The server stops. Connect again after that time.',
  exception: 'An error that nothing else can answer: of a message without an acknowledgement, or of the stream.',
};

export const REQUEST_TEXTS: Readonly<Record<keyof ClientToServerEvents, string>> = {
  'run:start': 'Starts a run of an agent or a pipeline.',
  'run:cancel': 'Cancels a run; with `wait` the answer comes when the work is down.',
  'run:resume': 'Answers what a run asks.',
  'approval:respond': 'Decides a question.',
  'stream:resume': 'Sends everything behind `after` once more.',
};
