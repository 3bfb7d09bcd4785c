import { APPROVAL_ID_PATTERN } from '../shared/ids.js';
import { Allow, IfGiven, IsIn, IsString, Length } from './checks.js';
import { ApiProperty, ApiPropertyOptional } from './openapi/api-decorators.js';
import { ANY_JSON } from './openapi/body-parts.js';
import { EXAMPLE_APPROVAL_ID } from './openapi/examples.js';
import { ANSWERS, type AnswerKind } from './wire-choices.js';

const HASH = { message: 'hash must be the one that came with the question' };

/** What decides a question. What an answer may be is the question's to say. */
class AnswerDto {
  @ApiProperty({
    enum: [...ANSWERS],
    description: 'An approval is approved or rejected, a question is answered or declined.',
  })
  @IsIn(ANSWERS, { message: `decision must be one of ${ANSWERS.join(', ')}` })
  decision!: AnswerKind;

  @ApiPropertyOptional({
    description: "What fits the question's `schema`.",
    anyOf: ANY_JSON,
    example: { amount: 200 },
  })
  @Allow()
  answer?: unknown;
}

/** What `POST /v1/approvals/:id` takes. */
export class DecisionDto extends AnswerDto {
  @ApiPropertyOptional({
    description: 'The `hash` of the question that was shown: when another one is asked meanwhile, nothing is decided.',
    maxLength: 128,
  })
  @IfGiven()
  @IsString(HASH)
  @Length(1, 128, HASH)
  hash?: string;
}

/** What `POST /v1/runs/:id/resume` takes. */
export class ResumeDto extends AnswerDto {
  @ApiPropertyOptional({
    description: 'Which question, when the run asks several at once.',
    pattern: APPROVAL_ID_PATTERN.source,
    example: EXAMPLE_APPROVAL_ID,
  })
  @IfGiven()
  @IsString({ message: 'approvalId must be the id of a question' })
  approvalId?: string;
}
