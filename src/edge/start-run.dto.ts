import { MAX_DELAY_MS, MAX_PRIORITY, ON_CONFLICT } from '../execution/run-request.js';
import type { OnConflict } from '../execution/run-store.port.js';
import type { PipelineSpec } from '../execution/pipeline/pipeline-spec.js';
import { THREAD_ID_PATTERN } from '../shared/ids.js';
import { Allow, IfGiven, IsGiven, IsIn, IsInt, IsString, Length, Matches } from './checks.js';
import { ApiProperty, ApiPropertyOptional } from './openapi/api-decorators.js';
import { ANY_JSON, PIPELINE } from './openapi/body-parts.js';

const AGENT = { message: 'agent must be the name of an agent (GET /v1/agents lists them)' };
/** How much and how many is for the execution to say, over every door. */
const WHOLE = { message: '$property must be a whole number' };

/** What every door takes that names what is to be run, now or later. What an input and metadata may be is the execution's to say. */
export class WhatToRunDto {
  @ApiPropertyOptional({
    description: 'Name of the agent; `GET /v1/agents` lists them. Either this or `pipeline`.',
    maxLength: 64,
    example: 'summarise',
  })
  @IfGiven()
  @IsString(AGENT)
  @Length(1, 64, AGENT)
  agent?: string;

  @ApiPropertyOptional(PIPELINE)
  @Allow()
  pipeline?: string | PipelineSpec;

  @ApiPropertyOptional({
    description: "One of the caller's threads, or the id of a new one; without it the run gets a new thread.",
    pattern: THREAD_ID_PATTERN.source,
    example: 'thr_01k9m7v3c8d5e6f7g8h9j0k1m2',
  })
  @IfGiven()
  @Matches(THREAD_ID_PATTERN, {
    message: 'threadId must be 1 to 128 letters, digits or . _ : - and begin with a letter or digit',
  })
  threadId?: string;

  @ApiPropertyOptional({
    type: 'object',
    description: 'Plain data that the run carries along.',
    additionalProperties: true,
  })
  @Allow()
  metadata?: unknown;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: -MAX_PRIORITY,
    maximum: MAX_PRIORITY,
    default: 0,
    description: 'Your waiting runs with a higher one are admitted first. It has no part in what others wait for.',
  })
  @IfGiven()
  @IsInt(WHOLE)
  priority?: number;
}

/** What `POST /v1/runs` takes. */
export class StartRunDto extends WhatToRunDto {
  @ApiProperty({
    description: 'What the `inputSchema` of the agent or pipeline says.',
    anyOf: ANY_JSON,
    example: { text: 'A long text …' },
  })
  @IsGiven()
  input: unknown;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_DELAY_MS,
    default: 0,
    description: 'The run waits at least so long, in milliseconds, and takes no part in your lane meanwhile.',
  })
  @IfGiven()
  @IsInt(WHOLE)
  delayMs?: number;

  @ApiPropertyOptional({
    enum: [...ON_CONFLICT],
    default: 'enqueue',
    description:
      'What becomes of it when its thread has a run that has not ended: it waits for it, is refused (`thread_busy`), or cancels it and comes next.',
  })
  @IfGiven()
  @IsIn(ON_CONFLICT, { message: `onConflict must be one of ${ON_CONFLICT.join(', ')}` })
  onConflict?: OnConflict;
}
