import { SCHEMAS } from '../openapi/schemas.js';
import { object, ref, type Schema } from '../openapi/schema-parts.js';
import { SERVER_FACTS } from '../server-facts.js';
import {
  CONTROL_EVENTS,
  REQUEST_MESSAGES,
  RUN_EVENTS,
  STREAM_CONTROL_EVENTS,
  WireError,
  type SocketMessage,
} from './messages.js';

const DESCRIPTION = [
  'What comes and goes over Socket.IO, namespace `/agents`, and over server-sent events. Connect with',
  '`auth: { token, after? }`: every event behind the number `after` comes first, in order, then what is live.',
  "A user's events are numbered 1, 2, 3, … without a gap, over all runs and on every device.",
].join(' ');

const all = { schemas: { ...SCHEMAS, WireError } as Readonly<Record<string, Schema>> };

/** AsyncAPI 3: everything that is said over sockets, from the types and schemas by which it is said and checked. */
export function asyncApiDocument(): object {
  const messages = [...RUN_EVENTS, ...CONTROL_EVENTS, ...REQUEST_MESSAGES, ...REQUEST_MESSAGES.map(replyTo)];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Carrel',
      version: SERVER_FACTS.version,
      description: DESCRIPTION,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    channels: {
      agents: {
        address: '/agents',
        title: 'Socket.IO',
        description: "A Socket.IO namespace. The name of a Socket.IO event is its message's name.",
        messages: Object.fromEntries(messages.map(({ name }) => [keyOf(name), messageRef(name)])),
      },
      stream: {
        address: '/v1/stream',
        title: 'Server-sent events',
        description: 'The same events over HTTP; `id` is `seq`, and `Last-Event-ID` says where to go on.',
        messages: Object.fromEntries(
          [...RUN_EVENTS, ...STREAM_CONTROL_EVENTS].map(({ name }) => [keyOf(name), messageRef(name)]),
        ),
      },
    },
    operations: {
      tell: operation('send', 'agents', RUN_EVENTS, 'What happens in the runs of the user.'),
      control: operation('send', 'agents', CONTROL_EVENTS, 'What the server says of the connection.'),
      stream: operation('send', 'stream', RUN_EVENTS, 'What happens in the runs of the user.'),
      streamControl: operation('send', 'stream', STREAM_CONTROL_EVENTS, 'What the server says of the stream.'),
      ...Object.fromEntries(REQUEST_MESSAGES.map((request) => [keyOf(request.name), requestOperation(request)])),
    },
    components: {
      messages: Object.fromEntries(messages.map((message) => [keyOf(message.name), messageObject(message)])),
      schemas: reachedFrom(messages.map(({ payload }) => payload)),
    },
  };
}

function replyTo({ name, answer }: (typeof REQUEST_MESSAGES)[number]): SocketMessage {
  const accepted = object({ ok: { type: 'boolean', const: true } as Schema, data: answer });
  const refused = object({ ok: { type: 'boolean', const: false } as Schema, error: ref('WireError') });
  return {
    name: `${name}:ack`,
    summary: `The acknowledgement of \`${name}\`.`,
    payload: { oneOf: [accepted, refused] },
  };
}

function operation(action: 'send' | 'receive', channel: string, messages: readonly SocketMessage[], summary: string) {
  return {
    action,
    summary,
    channel: { $ref: `#/channels/${channel}` },
    messages: messages.map(({ name }) => ({ $ref: `#/channels/${channel}/messages/${keyOf(name)}` })),
  };
}

function requestOperation(request: SocketMessage) {
  const reply = {
    channel: { $ref: '#/channels/agents' },
    messages: [{ $ref: `#/channels/agents/messages/${keyOf(`${request.name}:ack`)}` }],
  };
  return { ...operation('receive', 'agents', [request], request.summary), reply };
}

function messageObject({ name, summary, payload }: SocketMessage) {
  return { name, title: name, summary, payload };
}

function messageRef(name: string) {
  return { $ref: `#/components/messages/${keyOf(name)}` };
}

/** Keys of AsyncAPI have no colons: `run:start` → `run.start`. */
function keyOf(name: string): string {
  return name.replaceAll(':', '.');
}

/** The schemas that these lead to, by name. */
function reachedFrom(roots: readonly Schema[]): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  const visit = (schema: unknown) => {
    for (const [, name] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found[name!]) continue;
      found[name!] = all.schemas[name!]!;
      visit(found[name!]);
    }
  };
  roots.forEach(visit);
  return found;
}
