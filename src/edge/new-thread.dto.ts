import { THREAD_ID_PATTERN, type ThreadId } from '../shared/ids.js';
import { Allow, IfGiven, Matches } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';

/** What `POST /v1/threads` takes. */
export class NewThreadDto {
  @ApiPropertyOptional({
    description: 'An id of your own; it only means something among your threads.',
    pattern: THREAD_ID_PATTERN.source,
  })
  @IfGiven()
  @Matches(THREAD_ID_PATTERN, {
    message: 'id must be 1 to 128 letters, digits or . _ : - and begin with a letter or digit',
  })
  id?: ThreadId;

  @ApiPropertyOptional({ maxLength: 200, example: 'The annual report' })
  @IfGiven()
  @Matches(/^[^\p{Cc}\p{Cs}]{1,200}$/u, { message: 'title must be 1 to 200 characters, on one line' })
  title?: string;

  @ApiPropertyOptional({ type: 'object', description: 'Plain data of your own.', additionalProperties: true })
  @Allow()
  metadata?: unknown;
}
