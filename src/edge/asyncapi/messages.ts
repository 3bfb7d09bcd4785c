import { z } from 'zod';
import type { RunEventType } from '../../events/run-event.js';
import { eventSchemaName } from '../openapi/event-schemas.js';
import { integer, object, ref, text, type Schema } from '../openapi/schema-parts.js';
import type { ClientToServerEvents, ControlEvents } from '../wire-events.js';
import { APPROVAL_RESPOND, RUN_CANCEL, RUN_RESUME, RUN_START, STREAM_RESUME } from '../wire-messages.js';
import { CONTROL_TEXTS, EVENT_TEXTS, REQUEST_TEXTS } from './message-texts.js';

/** One message of the socket: its name, what it says and what it looks like. */
export interface SocketMessage {
  readonly name: string;
  readonly summary: string;
  readonly payload: Schema;
}

export interface SocketRequest extends SocketMessage {
  /** What the acknowledgement's `data` is. */
  readonly answer: Schema;
}

const StreamRange = object({ from: integer(undefined, 1), to: integer() });

const ERROR_FACTS = {
  code: text('Stable; the same codes as of problems.'),
  message: text(),
  retryAfterMs: integer('When it makes sense to try again.'),
  supportCode: text('Names the entry of the log that has the details.'),
};
const OPTIONAL_FACTS = ['retryAfterMs', 'supportCode'];

export const WireError: Schema = {
  ...object(ERROR_FACTS, OPTIONAL_FACTS, 'Further facts, such as `issues`, stand beside these.'),
  additionalProperties: true,
};

/** What says nothing but its name; server-sent events have an empty object there, for without data they are no events. */
const Nothing: Schema = { type: ['object', 'null'], maxProperties: 0 };

const CONTROL: Readonly<Record<keyof ControlEvents, Schema>> = {
  ready: object({ userId: text(), seq: integer() }),
  stream_gap: StreamRange,
  auth_expired: Nothing,
  server_draining: object({ reconnectAfterMs: integer() }),
  exception: {
    ...object({ ...ERROR_FACTS, event: text('The name of the message that it answers.') }, [
      ...OPTIONAL_FACTS,
      'event',
    ]),
    additionalProperties: true,
  },
};

const REQUESTS: Readonly<Record<keyof ClientToServerEvents, { schema: z.ZodType; answer: Schema }>> = {
  'run:start': { schema: RUN_START, answer: ref('Run') },
  'run:cancel': { schema: RUN_CANCEL, answer: ref('Run') },
  'run:resume': { schema: RUN_RESUME, answer: ref('Run') },
  'approval:respond': { schema: APPROVAL_RESPOND, answer: ref('Approval') },
  'stream:resume': { schema: STREAM_RESUME, answer: StreamRange },
};

function namesOf<Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(record) as Name[];
}

/** What happens in runs; the same over Socket.IO and server-sent events. */
export const RUN_EVENTS: readonly SocketMessage[] = namesOf<RunEventType>(EVENT_TEXTS).map((name) => ({
  name,
  summary: EVENT_TEXTS[name],
  payload: ref(eventSchemaName(name)),
}));

/** What else the server says of a connection. */
export const CONTROL_EVENTS: readonly SocketMessage[] = namesOf(CONTROL).map((name) => ({
  name,
  summary: CONTROL_TEXTS[name],
  payload: CONTROL[name],
}));

/** The same over server-sent events, where HTTP itself says the rest. */
export const STREAM_CONTROL_EVENTS: readonly SocketMessage[] = CONTROL_EVENTS.filter(({ name }) =>
  ['stream_gap', 'auth_expired', 'server_draining'].includes(name),
);

/** What clients may ask, each with an acknowledgement. The schemas are those by which they are checked. */
export const REQUEST_MESSAGES: readonly SocketRequest[] = namesOf(REQUESTS).map((name) => {
  const { schema, answer } = REQUESTS[name];
  const { $schema: _, ...payload } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return { name, summary: REQUEST_TEXTS[name], payload: payload as Schema, answer };
});
