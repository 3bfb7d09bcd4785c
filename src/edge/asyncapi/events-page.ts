import { SCHEMAS } from '../openapi/schemas.js';
import { CONTROL_EVENTS, REQUEST_MESSAGES, RUN_EVENTS, type SocketMessage } from './messages.js';

type Shape = { type?: string | string[]; description?: string; enum?: unknown[]; const?: unknown; $ref?: string } & {
  properties?: Record<string, Shape>;
  required?: string[];
  items?: Shape;
};

/** The same as `/asyncapi.json`, for people: every message with what is in it. */
export function renderEventsPage(): string {
  return [
    HEAD,
    paragraph(
      'Everything that is said over Socket.IO (namespace `/agents`) and over server-sent events (`GET /v1/stream`). Each run event comes in the envelope, as its name says; `data` differs. The contract for programs is `/asyncapi.json` (AsyncAPI 3), of REST `/docs-json`.',
    ),
    '<h2>The envelope</h2>',
    table(envelope()),
    '<h2>Events of runs</h2>',
    ...RUN_EVENTS.map((message) => section(message, dataOf(message))),
    '<h2>Of the connection</h2>',
    ...CONTROL_EVENTS.map((message) => section(message, resolved(message.payload))),
    '<h2>What clients may ask</h2>',
    paragraph('Each with an acknowledgement: `{ ok: true, data }` or `{ ok: false, error: { code, message, … } }`.'),
    ...REQUEST_MESSAGES.map((message) => section(message, message.payload)),
    '</html>\n',
  ].join('\n');
}

function envelope(): Shape {
  const { properties = {}, ...rest } = resolved(RUN_EVENTS[0]!.payload);
  const { data: _, ...others } = properties;
  return { ...rest, properties: others };
}

function dataOf({ payload }: SocketMessage): Shape {
  return resolved(payload).properties?.data ?? {};
}

function resolved(shape: Shape): Shape {
  const name = shape.$ref?.split('/').at(-1);
  return name === undefined ? shape : (SCHEMAS[name] ?? {});
}

function section({ name, summary }: SocketMessage, shape: Shape): string {
  return `<section id="${name}">\n<h3><code>${name}</code></h3>\n${paragraph(summary)}\n${table(shape)}\n</section>`;
}

function table({ properties = {}, required = [] }: Shape): string {
  const rows = Object.entries(properties).map(([name, shape]) => {
    const optional = required.includes(name) ? '' : '?';
    return `<tr><td><code>${name}${optional}</code><td>${escaped(kindOf(shape))}<td>${inline(shape.description ?? '')}`;
  });
  return rows.length === 0 ? '' : `<table>${rows.join('\n')}</table>`;
}

function kindOf({ type, enum: values, const: value, $ref, items }: Shape): string {
  if ($ref) return $ref.split('/').at(-1)!;
  if (values) return values.map((one) => JSON.stringify(one)).join(' | ');
  if (value !== undefined) return JSON.stringify(value);
  if (items) return `${kindOf(items)}[]`;
  return [type ?? 'any JSON'].flat().join(' | ');
}

function paragraph(text: string): string {
  return `<p>${inline(text)}</p>`;
}

function inline(text: string): string {
  return escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

const HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Carrel: events</title>
<style>
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  h3 { margin: 0 } p { margin: .4rem 0 } table { border-collapse: collapse }
  td { padding: .1rem 1rem .1rem 0; vertical-align: top } td:first-child { white-space: nowrap }
  section { padding: .6rem 0; border-top: 1px solid #8884 } section:target { background: #fd04 }
</style>
<h1>Events</h1>`;
