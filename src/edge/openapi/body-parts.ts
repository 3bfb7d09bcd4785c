import type { ApiPropertyOptions } from '@nestjs/swagger';

/** Nobody says that an input is an object. */
export const ANY_JSON = ['object', 'array', 'string', 'number', 'boolean', 'null'].map((type) => ({ type }));

export const PIPELINE: ApiPropertyOptions = {
  description:
    'Name of a pipeline (`GET /v1/pipelines` lists them), or a whole one as data. Either this or `agent`. What a step can be is in docs/durable-runs.md.',
  oneOf: [
    { type: 'string', minLength: 1, maxLength: 64 },
    {
      type: 'object',
      required: ['steps'],
      properties: { steps: { type: 'array', items: { type: 'object' } } },
      additionalProperties: true,
    },
  ],
};
