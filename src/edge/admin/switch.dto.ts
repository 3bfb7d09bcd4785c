import type { SwitchSubject } from '../../execution/operations/operations-store.port.js';
import { IfGiven, IsBoolean, IsIn, IsString, Length, Matches } from '../checks.js';
import { ApiProperty, ApiPropertyOptional } from '../openapi/api-decorators.js';

export const SWITCH_KINDS: readonly SwitchSubject['kind'][] = ['agent', 'user'];

const NAME = { message: 'name must be the name of an agent or pipeline, or the id of a user' };
const REASON = { message: 'reason must be a text of 1 to 500 characters without control characters' };
/** PostgreSQL's texts have no U+0000; nobody needs the others. */
const STORABLE = /^[\P{Cc}\s]*$/u;

/** What `POST /v1/admin/switches` takes. */
export class SwitchDto implements SwitchSubject {
  @ApiProperty({ enum: [...SWITCH_KINDS] })
  @IsIn(SWITCH_KINDS, { message: `kind must be one of ${SWITCH_KINDS.join(', ')}` })
  kind!: SwitchSubject['kind'];

  @ApiProperty({
    description: 'Of the agent or pipeline, or the id of the user.',
    minLength: 1,
    maxLength: 128,
    example: 'summarise',
  })
  @IsString(NAME)
  @Length(1, 128, NAME)
  @Matches(STORABLE, NAME)
  name!: string;

  @ApiProperty({
    description: 'Users who meet it are told.',
    minLength: 1,
    maxLength: 500,
    example: 'It fails since the last release',
  })
  @IsString(REASON)
  @Length(1, 500, REASON)
  @Matches(STORABLE, REASON)
  reason!: string;

  @ApiPropertyOptional({
    default: false,
    description:
      'Also cancels what is there: of an agent all runs that hold a place, of a user everything that has not ended.',
  })
  @IfGiven()
  @IsBoolean({ message: 'cancelRuns must be true or false' })
  cancelRuns?: boolean;
}
