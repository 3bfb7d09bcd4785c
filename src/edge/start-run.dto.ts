import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Allow, IsString, Length, Matches } from 'class-validator';
import { THREAD_ID_PATTERN } from '../shared/ids.js';
import { IfGiven, IsGiven } from './if-given.decorator.js';

/** Nobody says that an input is an object. */
const ANY_JSON = ['object', 'array', 'string', 'number', 'boolean', 'null'].map((type) => ({ type }));

const AGENT = { message: 'agent must be the name of an agent (GET /v1/agents lists them)' };

/** What `POST /v1/runs` takes. What an input and metadata may be is the execution's to say. */
export class StartRunDto {
  @ApiProperty({ description: 'Name of the agent; `GET /v1/agents` lists them.', maxLength: 64, example: 'summarise' })
  @IsString(AGENT)
  @Length(1, 64, AGENT)
  agent!: string;

  @ApiProperty({
    description: "What the agent's `inputSchema` says.",
    anyOf: ANY_JSON,
    example: { text: 'A long text …' },
  })
  @IsGiven()
  input: unknown;

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
}
