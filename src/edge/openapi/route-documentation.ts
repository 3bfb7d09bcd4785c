import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, type ApiResponseSchemaHost } from '@nestjs/swagger';
import { CarrelError, ERRORS, type ErrorCode } from '../../shared/errors.js';
import { toProblem } from '../problem.js';
import { EXAMPLES } from './examples.js';
import { ref, text } from './schema-parts.js';

interface Answer {
  description: string;
  /** Name of the schema of the body; without one there is no body. */
  schema?: string;
  /** @default the example of the schema */
  example?: string;
  /** Name → what it says. */
  headers?: Record<string, string>;
}

interface Documentation {
  summary: string;
  description?: string;
  /** Status → what is answered. */
  answers: Readonly<Record<number, Answer>>;
  /** What can go wrong here, beside what can go wrong everywhere. */
  problems?: readonly ErrorCode[];
  /** Nobody needs a token for it. */
  open?: true;
  deprecated?: true;
}

/** Any request that needs a token can be answered so. */
const WHEN_IDENTIFIED: readonly ErrorCode[] = ['unauthenticated', 'token_expired', 'keys_unavailable'];
const ALWAYS: readonly ErrorCode[] = ['internal'];
/** What is no JSON. */
const MEDIA_TYPES: Readonly<Record<string, string>> = { EventStream: 'text/event-stream', Metrics: 'text/plain' };

/** See `Documented` of `api-decorators.ts`. */
export function Documented({
  summary,
  description,
  answers,
  problems = [],
  open,
  deprecated,
}: Documentation): MethodDecorator {
  const codes = [...problems, ...(open ? [] : WHEN_IDENTIFIED), ...ALWAYS];
  return applyDecorators(
    ApiOperation({ summary, description, ...(deprecated && { deprecated }) }),
    ...(open ? [] : [ApiBearerAuth()]),
    ...Object.entries(answers).map(([status, answer]) => ApiResponse(answerOf(Number(status), answer))),
    ...byStatus(codes).map(([status, own]) => ApiResponse(problemOf(status, own))),
  );
}

function answerOf(
  status: number,
  { description, schema, example = schema, headers = {} }: Answer,
): ApiResponseSchemaHost {
  const plain = MEDIA_TYPES[schema ?? ''];
  const mediaType = plain ?? 'application/json';
  const body = { schema: plain ? text() : ref(schema ?? ''), example: EXAMPLES[example ?? ''] };
  return {
    status,
    description,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, meaning]) => [name, { description: meaning, schema: text() }]),
    ),
    ...(schema && { content: { [mediaType]: body } }),
  } as ApiResponseSchemaHost;
}

function problemOf(status: number, codes: readonly ErrorCode[]): ApiResponseSchemaHost {
  const headers =
    status === 429 || status === 503 ? { 'Retry-After': { description: 'Seconds.', schema: text() } } : {};
  const examples = codes.map((code) => [code, { summary: ERRORS[code].title, value: exampleOf(code) }]);
  return {
    status,
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
    headers,
    content: {
      'application/problem+json': {
        schema: { allOf: [ref('Problem'), { properties: { code: { type: 'string', enum: [...codes] } } }] },
        examples: Object.fromEntries(examples),
      },
    },
  } as unknown as ApiResponseSchemaHost;
}

function exampleOf(code: ErrorCode) {
  const { title, status } = ERRORS[code];
  if (code === 'internal') return { type: '/docs/errors#internal', title, status, detail: title, code };
  return toProblem(new CarrelError(code), { requestId: 'req_01k9m7v3c8d5e6f7g8h9j0k1m5' });
}

function byStatus(codes: readonly ErrorCode[]): [number, ErrorCode[]][] {
  const groups = Map.groupBy(codes, (code) => ERRORS[code].status);
  return [...groups].toSorted(([a], [b]) => a - b);
}
